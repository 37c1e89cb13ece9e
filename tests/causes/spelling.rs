//! Sessions that are filed under another spelling of the sender's address.

use crate::conversation::{ALICE, Conversation, client};
use crate::pairs::{Pair, pair};
use crate::simulation::{Sender, pair as key_pair};
use omemoscope::model::{Code, Confidence, Diagnosis, MessageVerdict, StoredSession};
use omemoscope::omemo::Namespace;
use omemoscope::omemo::ratchet::PendingPreKey;

pub const PAIRS: &[Pair] = &[
    pair(Code::NoSession, "jid-spelling", || filed("Alice@Example.org", Row::Unread), || filed(ALICE, Row::Unread), EMPTY),
    // The client had read messages with that row: it does find it.
    pair(
        Code::NoSession,
        "jid-spelling",
        || filed("Alice@Example.org", Row::Unread),
        || filed("Alice@Example.org", Row::Read),
        EMPTY,
    ),
    // The stanza is from this very resource: a client that files by full addresses finds it.
    pair(
        Code::NoSession,
        "jid-spelling",
        || filed("alice@example.org/phone", Row::Unread),
        || filed("alice@example.org/a", Row::Unread),
        EMPTY,
    ),
    // Another address is no spelling of this one.
    pair(
        Code::NoSession,
        "jid-spelling",
        || filed("alice%40home@example.org/x", Row::Home),
        || filed("alice@elsewhere.example", Row::Unread),
        EMPTY,
    ),
];

const EMPTY: (Code, Option<&str>) = (Code::EmptyMessage, None);

/// What the row holds.
enum Row {
    /// We began, and nothing of theirs has been read.
    Unread,
    /// Messages of theirs have been read.
    Read,
    /// As `Unread`; the sender's address is `alice\40home@example.org`.
    Home,
}

fn conversation(address: &str, row: &Row) -> Conversation {
    let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
    let mut record = conversation.record();
    if !matches!(row, Row::Read) {
        let session = record.current.as_mut().unwrap();
        session.pending_prekey = Some(PendingPreKey { prekey_id: Some(1), signed_prekey_id: 1, base_key: key_pair(30).public });
    }
    conversation.session(address, record);
    conversation
}

fn filed(address: &str, row: Row) -> Diagnosis {
    let mut conversation = conversation(address, &row);
    let stanza = conversation.stanza("a", &conversation.key(1));
    conversation.heard(if matches!(row, Row::Home) { stanza.replace(ALICE, "alice\\40home@example.org") } else { stanza });
    conversation.diagnose()
}

fn last(found: &Diagnosis) -> &MessageVerdict {
    found.messages.last().unwrap()
}

fn says(verdict: &MessageVerdict, what: &str) -> bool {
    verdict.evidence.iter().any(|e| e.says.contains(what))
}

#[test]
fn the_row_and_both_spellings_are_named() {
    let found = filed("Alice@Example.org", Row::Unread);
    let verdict = last(&found);
    assert_eq!(verdict.confidence, Confidence::Likely);
    assert!(verdict.evidence.iter().any(|e| e.place.contains("sessions") && e.says.contains("Alice@Example.org")), "{verdict:?}");
    assert!(verdict.sentence.contains("alice@example.org") && says(verdict, "upper-case"), "{verdict:?}");
    assert!(verdict.evidence.iter().any(|e| &*e.place == "Dino"), "what the client does by itself: {verdict:?}");
    assert!(!verdict.open_questions.is_empty());
}

/// A session in use that the client itself does not find.
#[test]
fn the_clients_own_word_proves_it() {
    let told = |words: &str| {
        let mut conversation = conversation("Alice@Example.org", &Row::Read);
        let stanza = conversation.stanza("a", &conversation.key(1));
        conversation.heard(format!("2026-11-23 10:00:00.000  1  2 D conversations: [background stanza] {stanza}"));
        conversation.heard(format!("2026-11-23 10:00:00.001  1  2 D conversations: AxolotlService (bob@example.org): {words}\n"));
        let found = conversation.diagnose();
        (last(&found).detail, last(&found).confidence)
    };
    assert_eq!(told("NoSessionException: No session for: alice@example.org:9"), (Some("jid-spelling"), Confidence::Proven));
    assert_eq!(told("Failed to decrypt message from alice@example.org"), (None, Confidence::Proven));
}

/// Two rows spell one address: the client uses the one that servers write, whatever the order, and not the other.
#[test]
fn the_row_in_the_right_spelling_comes_first() {
    for odd_first in [true, false] {
        let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
        let other = Sender::again(Namespace::Legacy).receiver(conversation.account.client.implementation);
        let right = conversation.record();
        conversation.session("Alice@Example.org", other);
        conversation.session(ALICE, right);
        let rows: &mut Vec<StoredSession> = &mut conversation.account.sessions;
        if !odd_first {
            rows.reverse();
        }
        let found = conversation.says("a", 1).diagnose();
        assert_eq!((last(&found).code, last(&found).detail), EMPTY);
        conversation.alice = Sender::again(Namespace::Legacy);
        let found = conversation.says("b", 0).diagnose();
        assert_eq!((last(&found).code, last(&found).detail), (Code::NoSession, Some("jid-spelling")));
    }
}

/// It opens with the row of another address: nothing is wrong with it as far as anybody can tell.
#[test]
fn another_address_is_told_and_not_blamed() {
    let found = filed("alice@elsewhere.example", Row::Unread);
    assert!(last(&found).code.is_harmless());
}
