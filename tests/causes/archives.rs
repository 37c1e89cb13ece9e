//! Messages that come once more, and copies of a store that are newer than they.

use crate::conversation::{ALICE, BOB, Conversation, client};
use crate::pairs::{Pair, pair};
use omemoscope::model::{Code, Diagnosis};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    pair(
        Code::DuplicateMessage,
        "archive-replay",
        || heard(&[plain, archived]),
        || heard(&[archived]),
        (Code::EmptyMessage, None),
    ),
    pair(
        Code::DuplicateMessage,
        "archive-replay",
        || heard(&[plain, archived]),
        || heard(&[plain, plain]),
        (Code::DuplicateMessage, None),
    ),
    pair(Code::DuplicateMessage, "carbon", || heard(&[plain, carbon]), || heard(&[carbon]), (Code::EmptyMessage, None)),
    // The copy has used up a later message; without one it need not be newer.
    pair(Code::DuplicateMessage, "before-the-copy", || older_chain(true), || older_chain(false), (Code::MacMismatch, None)),
];

fn plain(stanza: &str) -> String {
    stanza.to_owned()
}

fn archived(stanza: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{BOB}' to='{BOB}/b'><result xmlns='urn:xmpp:mam:2' id='1'>{}</result></message>\n",
        forwarded(stanza)
    )
}

fn carbon(stanza: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{BOB}' to='{BOB}/b'><received xmlns='urn:xmpp:carbons:2'>{}</received></message>\n",
        forwarded(stanza)
    )
}

fn forwarded(stanza: &str) -> String {
    format!(
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>{}</forwarded>",
        stanza.trim_end()
    )
}

fn heard(ways: &[fn(&str) -> String]) -> Diagnosis {
    let mut conversation = Conversation::begun(client("Dino"), Namespace::Legacy);
    let stanza = conversation.stanza("a", &conversation.key(1));
    ways.iter().for_each(|way| {
        conversation.heard(way(&stanza));
    });
    conversation.diagnose()
}

/// A message of a chain that the copy no longer keeps, and perhaps one of its present chain that it has read.
fn older_chain(read_later: bool) -> Diagnosis {
    let mut conversation = Conversation::new(client("python-omemo"), Namespace::Legacy);
    let older = conversation.stanza("a", &conversation.key(1));
    let mut record = conversation.record();
    conversation.alice.turn(record.current.as_mut().unwrap(), 2);
    record.apply(&record.receive(&conversation.alice.message(0)));
    let session = record.current.as_mut().unwrap();
    session.receiver_chains.drain(..1);
    // What we answered with afterwards.
    let mut next = session.clone();
    conversation.alice.session.root_key.clone_into(&mut next.root_key);
    next.sender_chain =
        Some(omemoscope::omemo::ratchet::SenderChain { ratchet_key: crate::simulation::pair(200), chain_key: None });
    record.current = Some(next);
    conversation.session(ALICE, record);
    conversation.heard(older);
    if read_later {
        conversation.says("b", 0);
    }
    conversation.diagnose()
}
