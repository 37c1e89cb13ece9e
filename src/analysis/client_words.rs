//! What clients say in their own logs, and what it means. One wording stands for several causes, so a
//! line is never believed alone: it is evidence that the client failed, and a hint at why.
//!
//! Only the known part of a line is ever shown: the rest may hold names or plaintext.

use crate::model::{ClientLine, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Lines after a stanza that are taken to be about it; clients write a handful.
const MAX_LINES: usize = 12;

/// Lines of one wording that are kept to point at.
const MAX_OF_ONE_WORDING: usize = 100;

/// A known wording.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// The part of the line that does not vary.
    pub text: &'static str,
    /// What it means.
    pub means: &'static str,
    /// The client failed to decrypt something.
    pub failure: bool,
}

impl Words {
    /// It says that there is no key for this device.
    pub fn denies_key(&self) -> bool {
        self.means.starts_with(NO_KEY)
    }

    /// It says that there is no session with the sender's device.
    pub fn denies_session(&self) -> bool {
        self.means == NO_SESSION
    }

    /// It says that the message was read before.
    pub fn claims_duplicate(&self) -> bool {
        self.means.starts_with(USED_KEY)
    }
}

/// How the meaning of every wording begins that denies a key for this device.
const NO_KEY: &str = "there is no key for this device";
/// The meaning of every wording that misses a session.
const NO_SESSION: &str = "there is no session with this device";
/// How the meaning of every wording begins that takes a message for a second copy.
const USED_KEY: &str = "the key of this message was used before";

const fn failed(text: &'static str, means: &'static str) -> Words {
    Words { text, means, failure: true }
}

const fn told(text: &'static str, means: &'static str) -> Words {
    Words { text, means, failure: false }
}

/// Known wordings, the more telling ones first: of several in one line the first is taken.
#[rustfmt::skip] // one line a wording
const WORDS: &[Words] = &[
    // Gajim, gajim-omemo, omemo-dr, python-axolotl
    failed("Over 2000 messages into the future!", "too many messages are missing before this one"),
    failed("No such signedprekeyrecord", "the signed prekey it names is not in the store"),
    failed("No such prekeyRecord", "the one-time prekey it names is not in the store"),
    failed("No such prekey record", "the one-time prekey it names is not in the store"),
    failed("Received Pre Key Message without PreKey", "a key exchange without one-time prekey, which this client refuses"),
    failed("No valid sessions", "no state of the session fits: a bad MAC, and many causes have this one wording"),
    told("Received duplicated message", "the key of this message was used before"),
    told("Received message not for our device", "there is no key for this device"),
    told("Received previously sent message by us", "a copy of an own message"),
    failed("Unable to find jid for group chat message", "the room hides the sender's real address"),
    failed("Incomplete message", "the bytes of the key element are no complete message"),
    // libsignal-protocol-c and libomemo-c, in any client
    failed("Received message with old counter", "the key of this message was used before, or dropped"),
    failed("Message mac not verified", "a bad MAC, and many causes have this one wording"),
    failed("No session for", "there is no session with this device"),
    failed("Uninitialized session!", "the session was never completed"),
    failed("SG_ERR_INVALID_KEY_ID", "a one-time or signed prekey is not in the store (the same number for both)"),
    failed("SG_ERR_DUPLICATE_MESSAGE", "the key of this message was used before"),
    failed("SG_ERR_INVALID_MESSAGE", "no state of the session fits: a bad MAC, and many causes have this one wording"),
    failed("SG_ERR_NO_SESSION", "there is no session with this device"),
    failed("SG_ERR_UNTRUSTED_IDENTITY", "the client refused the identity key"),
    failed("SG_ERR_INVALID_PROTO_BUF", "the bytes of the key element are no message"),
    failed("INVALID_KEY_ID", "a one-time or signed prekey is not in the store (the same wording for both)"),
    told("DUPLICATE_MESSAGE", "the key of this message was used before"),
    failed("INVALID_MESSAGE", "no state of the session fits: a bad MAC, and many causes have this one wording"),
    failed("NO_SESSION", "there is no session with this device"),
    failed("UNTRUSTED_IDENTITY", "the client refused the identity key"),
    failed("INVALID_PROTO_BUF", "the bytes of the key element are no message"),
    // Profanity
    told("received a message with no corresponding key", "there is no key for this device"),
    failed("cannot find MUC message sender fulljid", "the room hides the sender's real address"),
    failed("cannot deserialize message", "the bytes of the key element are no message of the announced kind"),
    failed("cannot decrypt message key", "the ratchet did not open the key; the reason stands in another line"),
    failed("cannot decrypt message:", "the payload does not belong to its key"),
    failed("invalid key length", "the key inside has an old or unknown length"),
    // Dino
    failed("Tried to use a different identity key for a known device id", "another identity key than the known one"),
    failed("Received message from unknown entity with device id", "the sender is not known"),
    // python-omemo
    failed("No signed pre key with id", "the signed prekey it names is not in the store"),
    failed("No pre key with id", "the one-time prekey it names is not in the store"),
    failed("KeyExchangeFailed", "the key exchange names a prekey that is not in the store"),
    failed("DoSProtectionException", "too many messages are missing before this one"),
    failed("DuplicateMessageException", "the key of this message was used before"),
    failed("AuthenticationFailedException", "a bad MAC, and many causes have this one wording"),
    failed("PublicDataInconsistency", "another identity key than the known one"),
    failed("SenderDistrusted", "the sender's key is marked as distrusted"),
    failed("SenderNotFound", "nothing is known of the sending device"),
    told("MessageNotForUs", "there is no key for this device"),
    failed("NoSession", "there is no session with this device"),
    failed("DecryptionFailed", "the message did not open; many causes have this one wording"),
    // QXmpp, Kaidan
    failed("no session with sending device, new session is being built", "there is no session with this device"),
    told("OMEMO envelope data is already received", "the key of this message was used before"),
    failed("OMEMO envelope data for key exchange is not valid", "a bad MAC in a key exchange"),
    failed("OMEMO envelope data is not valid", "no state of the session fits: a bad MAC, and many causes have this one wording"),
    failed("could not be found locally", "a one-time or signed prekey is not in the store (the number is always the one-time one's)"),
    failed("OMEMO envelope data could not be deserialized", "the bytes of the key element are no message"),
    failed("Message authentication code does not match expected one", "the payload does not belong to its key"),
    failed("Recipient of group chat message does not match SCE affix element", "the envelope names another room"),
    // Conversations
    told("Message was not encrypted for this device", "there is no key for this device (Siskin and Beagle say the same when a MAC is wrong)"),
    failed("broken session with", "no state of the session fits, or there is none"),
    failed("Failed to decrypt message from", "the message did not open; the cause follows as an exception"),
    failed("Key did not contain auth tag", "an old sender put the tag behind the payload"),
    failed("preexisting identity key changed", "another identity key than the known one"),
    failed("PreKeyWhisperMessage did not contain a PreKeyId", "a key exchange without one-time prekey, which this client refuses"),
    // lurch
    failed("failed to decrypt key", "the ratchet did not open the key"),
    failed("failed to process incoming encrypted key", "the ratchet did not open the key"),
    failed("no session with the device exists", "there is no session with this device"),
    told("does not contain a key for this device", "there is no key for this device"),
    // Monal
    failed("Could not decrypt to obtain key", "the ratchet did not open the key"),
    // Converse and other web clients
    told("MessageCounterError", "the key of this message was used before, or dropped"),
    failed("Missing Signed PreKey", "the signed prekey it names is not in the store"),
    failed("Identity key changed", "another identity key than the known one"),
    failed("Invalid signature", "the signature of a bundle was refused, rightly or not"),
    failed("SCE HMAC verification failed", "the payload does not belong to its key"),
    failed("SCE affix mismatch", "the envelope names another sender or recipient"),
    failed("OMEMO decryption failed", "the message did not open; many causes have this one wording"),
    failed("No record for", "there is no session with this device"),
    failed("Bad MAC", "a bad MAC, and many causes have this one wording (a missing prekey among them)"),
    failed("Bad Mac!", "a bad MAC, and many causes have this one wording"),
];

/// Lines that carry a decrypted text: whatever it quotes is not the client's word.
const PLAINTEXT_LINES: &[&str] = &["Decrypted Message", "Decrypted message"];

/// The wording in a line.
pub fn recognise(text: &str) -> Option<&'static Words> {
    if PLAINTEXT_LINES.iter().any(|mark| text.contains(mark)) {
        return None;
    }
    WORDS.iter().find(|w| text.contains(w.text))
}

/// A line with a known wording.
#[derive(Clone, Debug)]
pub struct Said {
    /// Where.
    pub position: Position,
    /// Which client.
    pub client: &'static str,
    /// What.
    pub words: &'static Words,
}

/// What clients said.
#[derive(Debug, Default)]
pub struct ClientWords {
    /// The first lines with each wording.
    first: BTreeMap<&'static str, Vec<Said>>,
    complaining: BTreeSet<Arc<Path>>,
}

impl ClientWords {
    /// Notes a line and gives what it says, if its wording is known.
    pub fn note(&mut self, line: &ClientLine) -> Option<Said> {
        let words = recognise(&line.text)?;
        let said = Said { position: line.position.clone(), client: line.client, words };
        let first = self.first.entry(words.text).or_default();
        if first.len() < MAX_OF_ONE_WORDING {
            first.push(said.clone());
        }
        if words.failure {
            self.complaining.insert(line.position.file.clone());
        }
        Some(said)
    }

    /// The first lines with this wording.
    pub fn with(&self, text: &str) -> &[Said] {
        self.first.get(text).map_or(&[], Vec::as_slice)
    }

    /// Whether the client complains anywhere in this log.
    pub fn complains_in(&self, file: &Path) -> bool {
        self.complaining.contains(file)
    }
}

/// What the client said of one message: the lines after its stanza and before the next one.
#[derive(Clone, Debug, Default)]
pub struct Comments(Vec<Said>);

impl Comments {
    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Said> {
        self.0.iter()
    }

    /// Adds a line if it stands after the stanza at `stanza`, and there are not too many yet.
    pub fn add(&mut self, stanza: &Position, said: Said) {
        if said.position.file == stanza.file && said.position.line > stanza.line && self.0.len() < MAX_LINES {
            self.0.push(said);
        }
    }

    /// Takes away what belongs to a stanza that begins at `next`: readers hand over a stanza when it ends, and its
    /// log may have gone on meanwhile.
    pub fn split(&mut self, next: &Position) -> Self {
        let (before, mut after): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|said| said.position.file != next.file || said.position.line < next.line);
        after.retain(|said| said.position.line > next.line);
        self.0 = before;
        Self(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64, text: &str) -> ClientLine {
        let position = Position { file: Path::new("log").into(), line: number, byte: 0 };
        ClientLine { position, time: None, text: text.into(), client: "Gajim" }
    }

    fn at(line: u64) -> Position {
        Position { file: Path::new("log").into(), line, byte: 0 }
    }

    #[test]
    fn a_line_belongs_to_the_stanza_before_it() {
        let mut words = ClientWords::default();
        let mut comments = Comments::default();
        for (number, text) in
            [(3, "No valid sessions"), (5, "(W) No valid sessionsBad Mac!"), (9, "(I) Received duplicated message")]
        {
            comments.add(&at(3), words.note(&line(number, text)).expect("a known wording"));
        }
        let next = comments.split(&at(7));
        let says = |comments: &Comments| comments.iter().map(|s| (s.words.text, s.words.failure)).collect::<Vec<_>>();
        assert_eq!(says(&comments), [("No valid sessions", true)]);
        assert_eq!(says(&next), [("Received duplicated message", false)]);
        assert_eq!(words.with("No valid sessions").len(), 2);
        assert!(words.complains_in(Path::new("log")) && !words.complains_in(Path::new("other")));
    }

    #[test]
    fn unknown_lines_are_not_kept() {
        assert_eq!(recognise("Session created for: bob@example.org"), None);
        assert_eq!(recognise("(a@b) Decrypted Message => No valid sessions"), None);
    }

    #[test]
    fn a_missed_session_is_known_by_its_meaning() {
        for words in ["No session for", "NoSession", "SG_ERR_NO_SESSION", "no session with the device exists", "No record for"] {
            assert!(recognise(words).is_some_and(Words::denies_session), "{words}");
        }
        assert!(!recognise("Bad MAC").is_some_and(Words::denies_session));
    }

    /// A wording that contains an earlier one could never be found.
    #[test]
    fn no_wording_hides_a_later_one() {
        for (i, words) in WORDS.iter().enumerate() {
            let hiding = WORDS[..i].iter().find(|earlier| words.text.contains(earlier.text));
            assert_eq!(hiding, None, "{:?} comes too late", words.text);
        }
    }
}
