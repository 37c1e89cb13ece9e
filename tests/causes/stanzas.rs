//! Stanzas as short texts: messages that nobody has to decrypt, lists, and what a server refuses.

use crate::common::{captured, diagnose};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{BareJid, Code, Diagnosis, Finding};

pub const OURS: u32 = 7;
pub const THEIRS: u32 = 9;

pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).ok().filter(|l| *l < 128).unwrap();
    [&[number << 3 | 2, length], bytes].concat()
}

/// A ratchet message of OMEMO 2. `bytes` stands for its contents.
pub fn ratchet_message(counter: u8, bytes: u8) -> Vec<u8> {
    let inner = [vec![8, counter, 16, 0], field(3, &[5; 32]), field(4, &[bytes; 48])].concat();
    [field(1, &[bytes; 16]), field(2, &inner)].concat()
}

/// A key exchange of OMEMO 2 by the owner of an identity key.
pub fn key_exchange(identity: &[u8; 32], counter: u8, bytes: u8) -> Vec<u8> {
    [vec![8, 1, 16, 1], field(3, identity), field(4, &[6; 32]), field(5, &ratchet_message(counter, bytes))].concat()
}

pub fn message(id: &str, rid: u32, kex: bool, key: &[u8]) -> String {
    let kex = if kex { " kex='true'" } else { "" };
    format!(
        "<message xmlns='jabber:client' from='alice@example.org/a' to='bob@example.org/b' type='chat' id='{id}'>\
         <encrypted xmlns='urn:xmpp:omemo:2'><header sid='{THEIRS}'><keys jid='bob@example.org'><key rid='{rid}'{kex}>{}</key></keys>\
         </header><payload>AAAAAAAAAAAAAAAAAAAAAA==</payload></encrypted></message>\n",
        STANDARD.encode(key)
    )
}

pub fn ratchet(id: &str, counter: u8, bytes: u8) -> String {
    message(id, OURS, false, &ratchet_message(counter, bytes))
}

/// What a log alone shows, with our device id or without.
pub fn log_only(text: &str, device: Option<u32>) -> Diagnosis {
    let file = captured(text);
    diagnose(Question { account: BareJid::new("bob@example.org"), device, ..Question::default() }, file.path())
}

pub fn codes(found: &Diagnosis) -> Vec<(Code, Option<&'static str>)> {
    found.messages.iter().map(|m| (m.code, m.detail)).collect()
}

pub const UNTRIED: (Code, Option<&str>) = (Code::Ok, Some("not-tried"));

pub fn finding<'a>(found: &'a Diagnosis, detail: &str) -> Option<&'a Finding> {
    found.findings.iter().find(|f| f.detail == Some(detail))
}

pub fn list(ids: &[u32]) -> String {
    list_items(ids, 1)
}

pub fn list_items(ids: &[u32], items: usize) -> String {
    let devices: String = ids.iter().map(|id| format!("<device id='{id}'/>")).collect();
    let item = format!("<item id='current'><devices xmlns='urn:xmpp:omemo:2'>{devices}</devices></item>").repeat(items);
    format!(
        "<message xmlns='jabber:client' from='bob@example.org' to='bob@example.org/b'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:omemo:2:devices'>{item}</items></event></message>\n"
    )
}

pub fn refused(node: &str, condition: &str) -> String {
    format!(
        "<iq xmlns='jabber:client' type='error' id='q' from='bob@example.org' to='alice@example.org/a'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub>\
         <error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>\n"
    )
}
