//! The sentence that a client writes beside an encrypted message, for those who cannot read it. It tells
//! which client sent the message. Some bodies are no canned sentence: nothing of a body is kept or shown.

/// How the sentences begin, and who writes them.
const FALLBACKS: [(&str, &str); 5] = [
    ("I sent you an OMEMO encrypted message but your client does", "Conversations or a client made from it"),
    ("This is an OMEMO encrypted message which your client does", "Converse"),
    ("You received a message encrypted with OMEMO but your client does", "Gajim, Profanity or Psi"),
    ("[This message is OMEMO encrypted]", "Dino or Monal"),
    ("This message is encrypted with OMEMO 2 but could not be decrypted", "Kaidan"),
];

/// Who writes this body beside encrypted messages.
pub(super) fn writer(body: &str) -> Option<&'static str> {
    FALLBACKS.iter().find(|(begins, _)| body.starts_with(begins)).map(|(_, writer)| *writer)
}

#[cfg(test)]
mod tests {
    use super::writer;

    #[test]
    fn only_the_canned_sentences_are_known() {
        assert_eq!(writer("[This message is OMEMO encrypted]"), Some("Dino or Monal"));
        let long = "I sent you an OMEMO encrypted message but your client doesn\u{2019}t seem to support that.";
        assert_eq!(writer(long), Some("Conversations or a client made from it"));
        assert_eq!(writer("She wrote: [This message is OMEMO encrypted]"), None);
    }
}
