//! Sessions: replaced ones, turned ratchets, and the keys that they are bound to.

use crate::conversation::{ALICE, BOB, Conversation, client, device};
use crate::pairs::{Pair, pair};
use crate::simulation::{Sender, identity};
use omemoscope::model::{Code, Diagnosis};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    // python-omemo keeps one session, Dino archives the old one.
    pair(Code::MacMismatch, "session-replaced", || replaced("python-omemo"), || replaced("Dino"), (Code::EmptyMessage, None)),
    pair(Code::MacMismatch, "not-tried", || own_keys(false), || own_keys(true), (Code::EmptyMessage, None)),
    pair(Code::AdMismatch, "other-receiver-key", || bound_elsewhere(true), || bound_elsewhere(false), (Code::MacMismatch, None)),
    pair(Code::TooManySkipped, "new-chain", || new_chain(2500), || new_chain(3), (Code::BeyondSnapshot, None)),
    pair(Code::MessageKeyEvicted, "pn-off-by-one", || late(2), || late(1), (Code::EmptyMessage, None)),
];

/// Alice begins anew, and a message of her session before comes late.
fn replaced(name: &str) -> Diagnosis {
    let mut conversation = Conversation::begun(client(name), Namespace::Legacy);
    let late = conversation.stanza("late", &conversation.key(1));
    conversation.alice = Sender::again(Namespace::Legacy);
    conversation.begins("new", 0).heard(late).diagnose()
}

fn own_keys(there: bool) -> Diagnosis {
    let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
    conversation.account.identity = conversation.account.identity.filter(|_| there);
    conversation.begins("a", 0).diagnose()
}

/// Alice takes another key for ours. It is one of ours that the store knows, or not.
fn bound_elsewhere(known: bool) -> Diagnosis {
    let mut conversation = Conversation::begun(client("Dino"), Namespace::Legacy);
    conversation.alice.session.remote_identity = identity(8).public;
    if known {
        conversation.account.devices.push(device(BOB, 8, 8, Namespace::Legacy));
    }
    conversation.says("a", 1).diagnose()
}

/// The first message of a chain that no copy knows has this counter.
fn new_chain(counter: u32) -> Diagnosis {
    let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
    conversation.begins("a", 0);
    let mut ours = conversation.record();
    conversation.alice.turn(ours.current.as_mut().unwrap(), 1);
    conversation.says("b", counter).diagnose()
}

/// The chain had three messages, and Alice announces two. The message with this counter comes late.
fn late(counter: u32) -> Diagnosis {
    let mut conversation = Conversation::new(client("python-omemo"), Namespace::Legacy);
    let late = conversation.stanza("late", &conversation.key(counter));
    let mut record = conversation.record();
    conversation.alice.turn(record.current.as_mut().unwrap(), 2);
    conversation.session(ALICE, record);
    conversation.says("new", 0).heard(late).diagnose()
}
