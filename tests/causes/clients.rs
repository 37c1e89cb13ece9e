//! What the clients make of a message, and what they say of it.

use crate::common::{captured, diagnose};
use crate::conversation::{Conversation, client, key_element};
use crate::pairs::{Pair, pair};
use crate::stanzas::*;
use omemoscope::analysis::investigation::Question;
use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{BareJid, Code, Diagnosis};
use omemoscope::omemo::Namespace;
use std::path::Path;

pub const PAIRS: &[Pair] = &[
    // Conversations throws the whole stanza away; Gajim reads it.
    pair(
        Code::MalformedStanza,
        "id-too-high",
        || beside("Conversations", u32::MAX),
        || beside("Gajim", u32::MAX),
        (Code::EmptyMessage, None),
    ),
    pair(
        Code::MalformedStanza,
        "id-too-high",
        || beside("Conversations", 0x8000_0000),
        || beside("Conversations", 0x7fff_ffff),
        (Code::EmptyMessage, None),
    ),
    pair(
        Code::MalformedStanza,
        "garbage-key",
        || with_garbage("python-omemo"),
        || with_garbage("Kaidan"),
        (Code::EmptyMessage, None),
    ),
    pair(
        Code::VariantMismatch,
        "client-does-not-speak",
        || Conversation::new(client("Dino"), Namespace::Omemo2).says("a", 1).diagnose(),
        || Conversation::begun(client("Kaidan"), Namespace::Omemo2).says("a", 1).diagnose(),
        (Code::EmptyMessage, None),
    ),
];

/// A message for us and another device.
fn beside(name: &str, rid: u32) -> Diagnosis {
    let mut conversation = Conversation::begun(client(name), Namespace::Legacy);
    let keys = [key_element(rid, "", &conversation.alice.wire(1, &[1; 32])), conversation.key(1)].concat();
    let stanza = conversation.stanza("a", &keys);
    conversation.heard(stanza).diagnose()
}

/// A message with two keys for us, one of which is no message.
fn with_garbage(name: &str) -> Diagnosis {
    let mut conversation = Conversation::begun(client(name), Namespace::Omemo2);
    let stanza = conversation.stanza("a", &[key_element(OURS, "", &[255; 3]), conversation.key(1)].concat());
    conversation.heard(stanza).diagnose()
}

/// Conversations throws the whole stanza away; Gajim reads it.
#[test]
fn an_id_that_is_too_high_matters_only_to_clients_that_cannot_read_it() {
    let code = |name: &str, rid: u32| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores").join(name);
        let stores = vec![store::open(&path, &OpenOptions::default()).unwrap()];
        let to = stores[0].accounts[0].jid.clone().unwrap();
        let stanza = format!(
            "<message xmlns='jabber:client' from='alice@example.org/a' to='{to}' type='chat' id='h'>\
             <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='9'><key rid='{rid}'>AAAA</key>\
             <iv>AAAAAAAAAAAAAAAA</iv></header><payload>AAAA</payload></encrypted></message>\n"
        );
        let file = captured(&stanza);
        let found = diagnose(Question { stores, account: Some(to), ..Question::default() }, file.path());
        (found.messages[0].code, found.messages[0].detail)
    };
    assert_eq!(code("conversations/schema-31", 4_294_967_295), (Code::MalformedStanza, Some("id-too-high")));
    assert_eq!(code("conversations/schema-31", 2_147_483_647).0, Code::NotAddressed);
    assert_eq!(code("gajim/built-in", 4_294_967_295).0, Code::NotAddressed);
}

/// The words are Siskin's and Beagle's, too, for any failure: the key in the stanza speaks against them.
#[test]
fn a_client_that_denies_a_key_is_contradicted() {
    let log = |rid: u32| {
        format!(
            "2026-11-23 10:00:00.000  1  2 D conversations: [background stanza] {}2026-11-23 10:00:00.001  1  2 D conversations: \
             AxolotlService (bob@example.org): Message was not encrypted for this device\n",
            message("a", rid, false, &[255, 255])
        )
    };
    let file = captured(&log(OURS));
    let question = || Question { account: BareJid::new("bob@example.org"), device: Some(OURS), ..Question::default() };
    let found = diagnose(question(), file.path());
    let contradicted =
        |found: &Diagnosis| found.messages.iter().flat_map(|m| &m.evidence).any(|e| e.says.contains("That is not so"));
    assert!(contradicted(&found), "{:?}", found.messages);
    let file = captured(&log(8));
    assert!(!contradicted(&diagnose(question(), file.path())));
}

/// A log of the sender's end tells what was sent; ours tells what came. One message is one message.
#[test]
fn a_message_that_is_seen_at_both_ends_is_one() {
    let line = |way: &str, stanza: &str| {
        format!("2026-11-23T02:05:25.984736Z: conn: DBG: {way}: {}\n", stanza.trim_end().replace('\n', " "))
    };
    let codes = |ways: &[&str]| {
        let mut conversation = Conversation::begun(client("Gajim"), Namespace::Legacy);
        let stanza = conversation.stanza("a", &conversation.key(1));
        conversation.heard(ways.iter().map(|way| line(way, &stanza)).collect::<String>());
        conversation.diagnose().messages.iter().map(|m| m.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&["SENT", "RECV"]), [Code::EmptyMessage]);
    // What nobody saw arrive is judged all the same.
    assert_eq!(codes(&["SENT"]), [Code::EmptyMessage]);
    assert_eq!(codes(&["RECV", "RECV"]), [Code::EmptyMessage, Code::DuplicateMessage]);
}
