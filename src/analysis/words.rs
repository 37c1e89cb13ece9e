//! The words that the explanations use, for a reader who does not know OMEMO.

use crate::input::store::FORMATS;
use crate::model::Remedies;

/// The word that asks for this list.
pub const TOPIC: &str = "words";

/// A few words on the list.
pub const TITLE: &str = "the words that the explanations use";

/// Each word and what it means.
const WORDS: &[(&str, &str)] = &[
    ("your client", "the program on this device in which you read and write, and which holds your keys."),
    (
        "store, copy",
        "the file or folder in which a client keeps its keys. omemoscope mostly reads a copy of it, which grows old as the client goes on.",
    ),
    (
        "session",
        "what two devices know of each other to encrypt. Each pair of devices has its own, and both ends must stay in step.",
    ),
    (
        "ratchet, chain, counter",
        "how a session makes a new key for each message. An answer turns the ratchet and begins a new chain; the counter numbers the messages of a chain.",
    ),
    (
        "key exchange, prekey",
        "the message that begins a session, and the keys that a device publishes for it: one-time prekeys for one use, and a signed prekey that changes now and then.",
    ),
    (
        "device list, bundle",
        "what an account publishes on its server: the ids of its devices, and for each of them the keys with which others begin a session.",
    ),
    (
        "identity key, fingerprint",
        "the lasting key of a device, and the form in which people compare it. Trust is the decision that it is the right person's.",
    ),
    (
        "stanza, payload",
        "one message as XML, and the encrypted text in it. Around the text stand keys, one for each device that may read it.",
    ),
    (
        "carbon, archive",
        "two ways in which another copy of a message comes: from another device of the same account, or from the server's memory.",
    ),
    ("capture", "the logs that you give, with the stanzas in them. Logs can be cut or changed, so suspect them first."),
    ("variant", "one of the kinds of OMEMO that do not understand each other: the legacy one, and OMEMO 2."),
    (
        "finding, fine cause",
        "what omemoscope says about devices, bundles or the store as a whole; and the word behind a code's slash, as in `not-addressed/bundle-missing`.",
    ),
    ("proven, likely, possible", "how sure a verdict is: nothing else fits; it fits best; it is one of several that fit."),
    ("fallback text", "the sentence that a client writes beside the encrypted text, for programs that cannot decrypt it."),
    (
        "end and restart the session",
        "throw the session with one device away and begin a new one, on one side only. Nothing already read is lost. Few clients have a command for it; where yours has none, the other side may do it.",
    ),
    (
        "make new OMEMO keys",
        "begin again as a new device, the last resort: messages not yet read are lost, and all contacts must verify you anew.",
    ),
];

/// What one of the words means, and the word as the list has it.
pub fn meaning(word: &str) -> Option<(&'static str, &'static str)> {
    let is_it = |(words, _): &&(&str, &str)| *words == word || words.split(", ").any(|one| one == word);
    WORDS.iter().find(is_it).copied()
}

/// What the list says where a repair is done.
const REPAIRS: &[(&str, Repair)] =
    &[("End and restart the session", |r| r.replace_session), ("Make new OMEMO keys", |r| r.reset)];

/// One repair in a client's own words.
type Repair = fn(&Remedies) -> Option<&'static str>;

/// The list, as Markdown.
pub fn explanation() -> String {
    let mut page: String = WORDS.iter().map(|(word, says)| format!("- **{word}**: {says}\n")).collect();
    for (title, repair) in REPAIRS {
        page.push_str(&format!("\n### {title}, where omemoscope knows how\n\n"));
        let mut told: Vec<&str> = Vec::new();
        for says in FORMATS.iter().filter_map(|format| repair(&format.client.remedies)) {
            if !told.contains(&says) {
                told.push(says);
                page.push_str(&format!("- {says}.\n"));
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repairs_of_all_clients_are_named_once() {
        let page = explanation();
        for remedies in FORMATS.iter().map(|format| format.client.remedies) {
            for says in [remedies.replace_session, remedies.reset].into_iter().flatten() {
                assert_eq!(page.matches(says).count(), 1, "{says}");
                assert!(!says.ends_with('.') && says.starts_with(char::is_uppercase), "{says}");
            }
        }
    }
}
