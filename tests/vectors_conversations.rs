//! Whole conversations between real libraries, replayed step by step.

#![allow(clippy::unwrap_used)] // A test may panic.
mod vectors;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omemoscope::omemo::payload;
use omemoscope::omemo::ratchet::{
    Attempt, ChainLookup, Failure, Implementation, MessageKey, ReceiverChain, Session, SessionRecord, StateRef, Step,
};
use omemoscope::omemo::session_record::javascript;
use omemoscope::omemo::stanza::encrypted::Encrypted;
use omemoscope::omemo::wire::{self, KeyContent, ParsedKey, WireError};
use omemoscope::omemo::x3dh;
use omemoscope::omemo::xml::Element;
use omemoscope::omemo::{IdentityKey, Namespace};
use serde_json::Value;
use std::collections::BTreeMap;
use vectors::{Party, list, load, text, unhex};

/// What a step came to, in the words of the vectors.
#[derive(Debug)]
enum Outcome {
    Wire(WireError),
    NoSession,
    PreKeyMissing,
    SignedPreKeyMissing,
    Tried(Box<(SessionRecord, Attempt)>),
}

struct Replay<'a> {
    me: Party<'a>,
    peer: Party<'a>,
    parsed: Result<ParsedKey, WireError>,
    before: Option<SessionRecord>,
}

impl<'a> Replay<'a> {
    fn new(conversation: &'a Value, step: &'a Value) -> Self {
        let namespace = vectors::namespace(text(conversation, "variant"));
        let party = |label: &str| Party { value: &conversation["parties"][label], namespace };
        let sent = list(conversation, "steps").iter().find(|s| s["do"] == "send" && s["message"] == step["message"]).unwrap();
        let (me, peer) = (party(text(sent, "to")), party(text(sent, "from")));
        let bytes = unhex(if step["wire_override"].is_string() { step } else { sent }, wire_field(step));
        let before = me.session(&step["receiver_session_before"], &peer);
        Self { parsed: wire::parse(namespace, &bytes, step["prekey"] == true), me, peer, before }
    }

    /// As a client works: a known base key needs no new agreement.
    fn run(&self, step: &Value) -> Outcome {
        let content = match &self.parsed {
            Ok(parsed) => &parsed.content,
            Err(error) => return Outcome::Wire(error.clone()),
        };
        let mut record = self.before.clone();
        if let KeyContent::KeyExchange(exchange) = content
            && record.as_ref().is_none_or(|record| record.with_base_key(&exchange.base_key).is_none())
        {
            let Some(signed_prekey) = self.me.signed_prekey(step, exchange.signed_prekey_id) else {
                return Outcome::SignedPreKeyMissing;
            };
            let Some(prekey) = self.me.prekey(step, exchange.prekey_id.unwrap()) else { return Outcome::PreKeyMissing };
            let session = x3dh::respond(self.me.namespace, &self.me.identity_pair(), &signed_prekey, Some(&prekey), exchange);
            record
                .get_or_insert(SessionRecord { implementation: self.me.implementation(), current: None, archived: Vec::new() })
                .begin(session);
        }
        let Some(record) = record else { return Outcome::NoSession };
        let attempt = record.receive(content.message());
        Outcome::Tried(Box::new((record, attempt)))
    }
}

fn wire_field(step: &Value) -> &'static str {
    if step["wire_override"].is_string() { "wire_override" } else { "wire" }
}

/// Replays every receive step of a file; returns how often each expectation was met.
fn replay(file: &str) -> BTreeMap<String, usize> {
    let vectors = load(file);
    let mut counts = BTreeMap::new();
    for conversation in list(&vectors, "conversations") {
        for step in list(conversation, "steps").iter().filter(|step| step["do"] == "receive") {
            if step["receiver_session_before"] == "(omitted)" {
                *counts.entry("(omitted)".into()).or_default() += 1;
                continue;
            }
            let place = format!("{} step {}", text(conversation, "name"), step["step"]);
            check(&place, conversation, step);
            *counts.entry(text(step, "expected").into()).or_default() += 1;
        }
    }
    counts
}

fn check(place: &str, conversation: &Value, step: &Value) {
    let replay = Replay::new(conversation, step);
    let outcome = replay.run(step);
    match (text(step, "expected"), outcome) {
        ("ok", Outcome::Tried(tried)) => {
            let (record, attempt) = *tried;
            assert!(attempt.client_stopped_at.is_none() && attempt.over_limit.is_none(), "{place}");
            check_opened(place, step, &record, &attempt);
            let after = match &step["receiver_session_after"] {
                Value::String(word) if word == "(omitted)" => return,
                Value::String(word) if word == "same" => &step["receiver_session_before"],
                after => after,
            };
            let mut next = record;
            next.apply(&attempt);
            same_record(place, &next, &replay.me.session(after, &replay.peer).unwrap());
        }
        // The cryptography is fine; a client refuses because of the key.
        ("identity-changed", Outcome::Tried(tried)) => {
            let (record, attempt) = *tried;
            assert!(attempt.opened.is_some(), "{place}");
            let known = replay.before.as_ref().unwrap().current.as_ref().unwrap().remote_identity;
            assert_ne!(record.current.unwrap().remote_identity, known, "{place}");
        }
        // Beyond the library's limit, but not beyond ours.
        ("too-many-skipped", Outcome::Tried(tried)) => {
            let (record, attempt) = *tried;
            let sent = list(conversation, "steps").iter().find(|s| s["do"] == "send" && s["message"] == step["message"]);
            let opened = attempt.opened.as_ref().unwrap();
            assert_eq!(opened.key_material.expose(), unhex(sent.unwrap(), "plaintext"), "{place}");
            let limit = record.implementation.limits().forward_jump.unwrap();
            assert_eq!(attempt.over_limit, Some(limit + 1), "{place}: the vectors go one past the limit");
        }
        ("no-session", Outcome::NoSession) => {}
        ("prekey-missing", Outcome::PreKeyMissing) => {}
        ("signed-prekey-missing", Outcome::SignedPreKeyMissing) => {}
        ("unsupported-version", Outcome::Wire(WireError::Version(version))) => {
            assert!(text(step, "note").ends_with(&version.to_string()), "{place}");
        }
        ("malformed-message", Outcome::Wire(WireError::Malformed(_))) => {
            assert!(!text(step, "note").contains("handed in"), "{place}");
        }
        // Both readings are tried, so a wrong attribute alone does not stop us.
        ("malformed-message", outcome) => {
            assert!(text(step, "note").contains("handed in"), "{place}: {outcome:?}");
            assert!(replay.parsed.unwrap().flag_contradicts, "{place}");
        }
        ("duplicate-message" | "sender-rolled-back", Outcome::Tried(tried)) => {
            let (_, attempt) = *tried;
            assert!(attempt.opened.is_none(), "{place}");
            assert!(attempt.client_stopped_at.is_some(), "{place}");
            assert!(failures(&attempt).iter().any(|failure| matches!(failure, Failure::KeyUsed { index: Some(_) })), "{place}");
        }
        // Evicted from the cache of its chain, or with its whole chain.
        ("message-key-evicted", Outcome::Tried(tried)) => {
            let (_, attempt) = *tried;
            let used = text(step, "library_error").contains("duplicate-message");
            for failure in failures(&attempt) {
                assert_eq!(matches!(failure, Failure::KeyUsed { .. }), used, "{place}: {failure:?}");
                assert_eq!(failure == &Failure::Mac, !used, "{place}: {failure:?}");
            }
            assert!(attempt.opened.is_none() && !attempt.states.is_empty(), "{place}");
        }
        ("mac-mismatch" | "receiver-rolled-back" | "simultaneous-initiation", Outcome::Tried(tried)) => {
            let (_, attempt) = *tried;
            assert!(attempt.opened.is_none() && !attempt.states.is_empty(), "{place}");
            assert!(failures(&attempt).iter().all(|failure| **failure == Failure::Mac), "{place}: {:?}", failures(&attempt));
            assert!(attempt.states.iter().all(|tried| tried.step.message_key.is_some()), "{place}");
        }
        (expected, outcome) => panic!("{place}: expected {expected}, came to {outcome:?}"),
    }
}

fn failures(attempt: &Attempt) -> Vec<&Failure> {
    attempt.states.iter().filter_map(|tried| tried.step.failure.as_ref()).collect()
}

/// Key material, state and every derived key are those of the vectors.
fn check_opened(place: &str, step: &Value, record: &SessionRecord, attempt: &Attempt) {
    let opened = attempt.opened.as_ref().unwrap_or_else(|| panic!("{place}: {:?}", failures(attempt)));
    assert_eq!(opened.key_material.expose(), unhex(step, "plaintext"), "{place}");
    let trace = &step["trace"];
    let session = record.state(opened.state).unwrap();
    let state = match opened.state {
        StateRef::Current => "current".to_owned(),
        StateRef::Archived(i) => format!("previous[{i}]"),
    };
    if let Some(used) = trace["session_state_used"].as_str() {
        assert_eq!(state, used, "{place}");
    }
    let (cipher_key, mac_key, iv) = opened.message_key.cipher_keys(session.namespace);
    assert_eq!(cipher_key.expose().as_slice(), unhex(trace, "cipher_key"), "{place}");
    assert_eq!(mac_key.expose().as_slice(), unhex(trace, "mac_key"), "{place}");
    assert_eq!(iv.expose().as_slice(), unhex(trace, "iv"), "{place}");
    if let (MessageKey::Seed(seed), Some(_)) = (&opened.message_key, trace["message_key_seed"].as_str()) {
        assert_eq!(seed.expose().as_slice(), unhex(trace, "message_key_seed"), "{place}");
    }
}

fn same_record(place: &str, ours: &SessionRecord, theirs: &SessionRecord) {
    assert_eq!(ours.archived.len(), theirs.archived.len(), "{place}");
    same_session(place, ours.current.as_ref().unwrap(), theirs.current.as_ref().unwrap());
    for (ours, theirs) in ours.archived.iter().zip(&theirs.archived) {
        same_session(place, ours, theirs);
    }
}

/// Equal but for what a DH step leaves unknown.
fn same_session(place: &str, ours: &Session, theirs: &Session) {
    assert_eq!(ours.namespace, theirs.namespace, "{place}");
    assert_eq!(ours.local_identity, theirs.local_identity, "{place}");
    assert_eq!(ours.remote_identity, theirs.remote_identity, "{place}");
    assert_eq!(ours.base_key, theirs.base_key, "{place}");
    assert_eq!(ours.pending_prekey, theirs.pending_prekey, "{place}");
    assert_eq!(ours.previous_counter, theirs.previous_counter, "{place}: previous counter");
    assert_eq!(ours.associated_data(true), theirs.associated_data(true), "{place}");
    assert_eq!(ours.associated_data(false), theirs.associated_data(false), "{place}");
    match (&ours.root_key, &ours.sender_chain) {
        (None, None) => {}
        (Some(root_key), Some(sender)) => {
            let theirs_sender = theirs.sender_chain.as_ref().unwrap();
            assert_eq!(Some(root_key), theirs.root_key.as_ref(), "{place}");
            assert_eq!(sender.ratchet_key, theirs_sender.ratchet_key, "{place}");
            assert_eq!(sender.chain_key, theirs_sender.chain_key, "{place}");
        }
        _ => panic!("{place}: half a DH step"),
    }
    // What the client has dropped and we keep does not count.
    let kept = |chain: &&ReceiverChain| !chain.retired || !chain.skipped.is_empty();
    let (ours_chains, theirs_chains): (Vec<_>, Vec<_>) =
        (ours.receiver_chains.iter().filter(kept).collect(), theirs.receiver_chains.iter().filter(kept).collect());
    assert_eq!(ours_chains.len(), theirs_chains.len(), "{place}: receiver chains");
    for (chain, theirs) in ours_chains.iter().zip(theirs_chains) {
        assert_eq!(chain.ratchet_key, theirs.ratchet_key, "{place}");
        assert_eq!(chain.retired, theirs.retired, "{place}");
        if !chain.retired {
            assert_eq!(chain.chain_key, theirs.chain_key, "{place}");
        }
        assert_eq!(chain.skipped.len(), theirs.skipped.len(), "{place}: skipped keys");
        for (key, theirs) in chain.skipped.iter().zip(&theirs.skipped) {
            assert_eq!(key.counter, theirs.counter, "{place}");
            assert_eq!(key.key.cipher_keys(ours.namespace), theirs.key.cipher_keys(ours.namespace), "{place}");
        }
    }
}

fn counted<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

#[test]
fn legacy_basic() {
    assert_eq!(replay("legacy_basic"), counted([("duplicate-message", 8), ("mac-mismatch", 8), ("ok", 96)]));
}

#[test]
fn legacy_failures() {
    assert_eq!(
        replay("legacy_failures"),
        counted([
            ("no-session", 4),
            ("ok", 27),
            ("prekey-missing", 3),
            ("receiver-rolled-back", 4),
            ("sender-rolled-back", 4),
            ("signed-prekey-missing", 3)
        ])
    );
}

#[test]
fn legacy_sessions() {
    assert_eq!(replay("legacy_sessions"), counted([("mac-mismatch", 1), ("ok", 46), ("simultaneous-initiation", 2)]));
}

#[test]
fn omemo2_basic() {
    assert_eq!(replay("omemo2_basic"), counted([("duplicate-message", 6), ("mac-mismatch", 6), ("ok", 72)]));
}

#[test]
fn omemo2_failures() {
    assert_eq!(
        replay("omemo2_failures"),
        counted([
            ("no-session", 3),
            ("ok", 19),
            ("prekey-missing", 1),
            ("receiver-rolled-back", 3),
            ("sender-rolled-back", 3),
            ("signed-prekey-missing", 1)
        ])
    );
}

#[test]
fn omemo2_sessions() {
    assert_eq!(replay("omemo2_sessions"), counted([("mac-mismatch", 1), ("ok", 28), ("simultaneous-initiation", 2)]));
}

#[test]
fn limits() {
    assert_eq!(replay("limits"), counted([("(omitted)", 6), ("message-key-evicted", 2), ("ok", 19), ("too-many-skipped", 5)]));
}

#[test]
fn misc_failures() {
    assert_eq!(
        replay("misc_failures"),
        counted([
            ("identity-changed", 2),
            ("malformed-message", 26),
            ("message-key-evicted", 3),
            ("ok", 56),
            ("unsupported-version", 6)
        ])
    );
}

/// What we sent opens with our own copy from before, and the sender's associated data.
#[test]
fn own_messages_open_with_the_sending_chain() {
    let mut opened = 0;
    for file in ["legacy_basic", "legacy_sessions", "omemo2_basic", "omemo2_sessions"] {
        let vectors = load(file);
        for conversation in list(&vectors, "conversations") {
            let namespace = vectors::namespace(text(conversation, "variant"));
            for step in list(conversation, "steps").iter().filter(|step| step["do"] == "send") {
                let party = |label: &str| Party { value: &conversation["parties"][text(step, label)], namespace };
                let Some(record) = party("from").session(&step["sender_session_before"], &party("to")) else { continue };
                let session = record.current.unwrap();
                let parsed = wire::parse(namespace, &unhex(step, "wire"), step["prekey"] == true).unwrap();
                let message = parsed.content.message();
                // A session the sender replaced in this step has another chain.
                let Some(key) = session.own_message_key(message) else { continue };
                let place = format!("{} step {}", text(conversation, "name"), step["step"]);
                assert!(key.verifies(namespace, &session.associated_data(false).unwrap(), message), "{place}");
                assert_eq!(key.decrypt(namespace, message).unwrap().expose(), unhex(step, "plaintext"), "{place}");
                let mut other = message.clone();
                other.counter = session.sender_chain.unwrap().chain_key.unwrap().index.wrapping_sub(1);
                if other.counter != u32::MAX {
                    assert!(record_has_no_key(&session_of(step, &party("from"), &party("to")), &other), "{place}");
                }
                opened += 1;
            }
        }
    }
    assert_eq!(opened, 211);
}

fn session_of(step: &Value, me: &Party<'_>, peer: &Party<'_>) -> Session {
    me.session(&step["sender_session_before"], peer).unwrap().current.unwrap()
}

fn record_has_no_key(session: &Session, message: &wire::RatchetMessage) -> bool {
    session.own_message_key(message).is_none()
}

/// Libsignal writes a `pn` that is one too low. A python receiver then lacks the key of the last
/// message of a chain; a replay opens it all the same and shows that the client could not.
#[test]
fn the_message_in_the_pn_gap_opens_in_a_replay() {
    let mut seen = 0;
    for file in ["legacy_sessions", "omemo2_sessions"] {
        let vectors = load(file);
        for conversation in list(&vectors, "conversations") {
            let steps: Vec<_> = list(conversation, "steps").iter().filter(|step| step["do"] == "receive").collect();
            for late in steps.iter().filter(|step| step["expected"] == "mac-mismatch") {
                let late_replay = Replay::new(conversation, late);
                let late_message = late_replay.parsed.as_ref().unwrap().content.message();
                // The last step before which the chain was still open.
                let open = |record: &SessionRecord| {
                    let chains = &record.current.as_ref().unwrap().receiver_chains;
                    chains.iter().any(|chain| chain.ratchet_key == late_message.ratchet_key && !chain.retired)
                };
                let turn = steps
                    .iter()
                    .rfind(|step| step["by"] == late["by"] && Replay::new(conversation, step).before.as_ref().is_some_and(open));
                let turn_replay = Replay::new(conversation, turn.unwrap());
                let Outcome::Tried(tried) = turn_replay.run(turn.unwrap()) else { panic!("it is a message") };
                let (mut record, attempt) = *tried;
                assert!(matches!(attempt.states[0].step.lookup, Some(ChainLookup::NewStep { .. })));
                record.apply(&attempt);
                let attempt = record.receive(late_message);
                let opened = attempt.opened.unwrap();
                let sent = list(conversation, "steps").iter().find(|s| s["do"] == "send" && s["message"] == late["message"]);
                assert_eq!(opened.key_material.expose(), unhex(sent.unwrap(), "plaintext"));
                let Step { lookup: Some(ChainLookup::Known { chain, skipped, .. }), .. } = &attempt.states[0].step else {
                    panic!("the chain is known")
                };
                assert!(!skipped && record.state(opened.state).unwrap().receiver_chains[*chain].retired);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 2);
}

/// Session records of Converse.js 14 (libomemo.js), each with the messages that came until the next
/// copy was taken.
#[test]
fn javascript_records() {
    let vectors = load("javascript");
    for conversation in list(&vectors, "records") {
        let namespace = vectors::namespace(text(conversation, "namespace"));
        let decode = |value: &str| STANDARD.decode(value).unwrap();
        let own = IdentityKey::from_record(&decode(text(conversation, "own_identity"))).unwrap();
        let copies = list(conversation, "snapshots");
        let mut opened = 0;
        for (i, copy) in copies.iter().enumerate() {
            let copy: Value = serde_json::from_str(copy.as_str().unwrap()).unwrap();
            let parsed = javascript::session_record(&copy, &own, Namespace::Legacy).unwrap();
            assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
            let mut record = parsed.record;
            assert_eq!(record.implementation, Implementation::JavaScript);
            let current = record.current.as_ref().unwrap();
            assert_eq!((current.namespace, current.initiator), (namespace, Some(false)));
            assert!(current.sender_chain.as_ref().unwrap().ratchet_key.is_consistent());
            for message in list(conversation, "messages").iter().filter(|message| message["new_in"] == i + 1) {
                let parsed = wire::parse(namespace, &decode(text(message, "key")), message["prekey"] == true).unwrap();
                let attempt = record.receive(parsed.content.message());
                let found = attempt.opened.as_ref().unwrap();
                let (material, sealed) = (found.key_material.expose(), decode(text(message, "payload")));
                let payload = match message["iv"].as_str() {
                    Some(iv) => payload::open_legacy(material, &decode(iv), &sealed),
                    None => payload::open_omemo(namespace, material, &sealed),
                };
                let content = String::from_utf8(payload.unwrap().content.expose().to_vec()).unwrap();
                let unescaped = content.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
                assert!(unescaped.contains(text(message, "plaintext")));
                record.apply(&attempt);
                opened += 1;
            }
        }
        assert_eq!(opened, 11, "{}", conversation["name"]);
    }
}

/// Whole elements: from the XML through the ratchet to the plaintext.
#[test]
fn stanzas() {
    let vectors = load("stanzas");
    let mut opened = 0;
    for case in list(&vectors, "cases") {
        let namespace = vectors::namespace(text(case, "variant"));
        let parties = || case["parties"].as_object().unwrap().values().map(|value| Party { value, namespace });
        for message in list(case, "messages") {
            let element = Element::parse(text(message, "encrypted")).unwrap();
            let encrypted = Encrypted::from_element(&element).unwrap();
            let (sid, rid) = (encrypted.sid.unwrap(), vectors::number(message, "rid"));
            let me = Party { value: &case["parties"][text(message, "recipient")], namespace };
            let peer = parties().find(|party| party.value["device_id"] == sid).unwrap();
            let key = encrypted.keys.iter().find(|key| key.rid == Some(rid)).unwrap();
            let parsed = wire::parse(namespace, &key.content, key.flagged);
            assert!(!parsed.as_ref().unwrap().flag_contradicts);
            let before = me.session(&message["receiver_session_before"], &peer);
            let replay = Replay { me, peer, parsed, before };
            let Outcome::Tried(tried) = replay.run(message) else { panic!("it opens") };
            let (mut record, attempt) = *tried;
            let found = attempt.opened.as_ref().unwrap();
            let material = found.key_material.expose();
            assert_eq!(material, unhex(message, "key_material"));
            record.apply(&attempt);
            same_record("stanzas", &record, &replay.me.session(&message["receiver_session_after"], &replay.peer).unwrap());
            match (&encrypted.payload, &encrypted.iv) {
                (None, _) => assert!(payload::is_empty_message(namespace, material)),
                (Some(sealed), Some(iv)) => {
                    let content = payload::open_legacy(material, iv, sealed).unwrap().content;
                    assert_eq!(content.expose(), text(message, "plaintext").as_bytes());
                }
                (Some(sealed), None) => {
                    let content = payload::open_omemo(namespace, material, sealed).unwrap().content;
                    assert_eq!(content.expose(), text(message, "plaintext").as_bytes());
                }
            }
            opened += 1;
        }
    }
    assert_eq!(opened, 6);
}
