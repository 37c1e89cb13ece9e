//! Damage on the way, several copies of a store, and sessions that were begun anew: what a message that does not open
//! is blamed on must fit what came before and after it.

use crate::common::{captured, diagnose};
use crate::conversation::{ALICE, BOB, Conversation, key_element};
use crate::pairs::{Pair, pair};
use crate::payloads::sealed;
use crate::simulation::conversation::{End, alice_and_bob, client, one_way, round};
use crate::stanzas::{OURS, THEIRS};
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{Code, Confidence, Diagnosis, Store};
use omemoscope::omemo::wire::RatchetMessage;
use omemoscope::omemo::{Namespace, PublicKey};

pub const PAIRS: &[Pair] = &[
    pair(
        Code::MacMismatch,
        "altered",
        || damaged(|message| replace_key(message, &flipped(&message.ratchet_key))),
        || damaged(|message| message.mac[0] ^= 1),
        (Code::MacMismatch, None),
    ),
    pair(Code::MacMismatch, "altered", || damaged_identity(false), || damaged_identity(true), (Code::IdentityChanged, None)),
    // Another key altogether is no damaged one.
    pair(
        Code::MacMismatch,
        "altered",
        || damaged(|message| replace_key(message, &flipped(&message.ratchet_key))),
        || damaged(|message| replace_key(message, &PublicKey::new([9; 32]))),
        (Code::MacMismatch, None),
    ),
];

/// Alice, whose device we know, begins a session, and one bit of her identity key in it changes on the way; another key stands there
/// altogether, if `other`.
fn damaged_identity(other: bool) -> Diagnosis {
    let mut conversation = Conversation::new(client("Gajim"), Namespace::Legacy);
    let message = conversation.alice.wire(0, &[0; 32]);
    let mut bytes = conversation.alice.exchange_around(&message);
    let key = *conversation.alice.exchange.identity_key.curve().as_bytes();
    let at = bytes.windows(key.len()).position(|bytes| bytes == key).unwrap();
    let change = if other { [9; 32] } else { *flipped(&PublicKey::new(key)).as_bytes() };
    bytes[at..at + key.len()].copy_from_slice(&change);
    let stanza = conversation.stanza("b", &key_element(OURS, &conversation.flag(), &bytes));
    conversation.heard(stanza).diagnose()
}

/// With one bit of it changed on the way.
fn flipped(key: &PublicKey) -> PublicKey {
    let mut bytes = *key.as_bytes();
    bytes[7] ^= 0x10;
    PublicKey::new(bytes)
}

/// Puts another ratchet key into the bytes that go out.
fn replace_key(message: &mut RatchetMessage, key: &PublicKey) {
    let old = *message.ratchet_key.as_bytes();
    let at = message.authenticated.windows(old.len()).position(|bytes| bytes == old).unwrap();
    message.authenticated[at..at + old.len()].copy_from_slice(key.as_bytes());
}

fn judged(stores: Vec<Store>, peers: Vec<Store>, capture: &str) -> Diagnosis {
    diagnose(Question { stores, peers, ..Question::default() }, captured(capture).path())
}

fn codes(found: &Diagnosis) -> Vec<Code> {
    found.messages.iter().map(|m| m.code).filter(|code| *code != Code::OwnMessage).collect()
}

/// Of three messages of Bob in one chain the second one changes on the way.
fn damaged(change: impl Fn(&mut RatchetMessage)) -> Diagnosis {
    let (alice, mut bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let mut messages = [bob.send(), bob.send(), bob.send()];
    change(&mut messages[1]);
    let log: String = messages.iter().enumerate().map(|(n, message)| bob.stanza(&n.to_string(), message)).collect();
    judged(vec![alice.store()], Vec::new(), &log)
}

#[test]
fn only_the_message_that_was_altered_is_called_so() {
    let found = damaged(|message| replace_key(message, &flipped(&message.ratchet_key)));
    assert_eq!(codes(&found), [Code::EmptyMessage, Code::MacMismatch, Code::EmptyMessage], "{:?}", found.messages);
    assert_eq!(found.messages[1].confidence, Confidence::Proven);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
}

#[test]
fn a_later_copy_that_is_in_step_says_more_than_the_first() {
    let (mut alice, mut bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let first = alice.store();
    let mut log = String::new();
    for n in 0..2 {
        let theirs = one_way(&mut bob, &mut alice);
        log += &bob.stanza(&format!("b{n}"), &theirs);
        let ours = one_way(&mut alice, &mut bob);
        log += &alice.stanza(&format!("a{n}"), &ours);
    }
    let later = alice.store();
    let (mut altered, good) = (bob.send(), bob.send());
    altered.mac[0] ^= 1;
    log += &(bob.stanza("c", &altered) + &bob.stanza("d", &good));
    let with_both = judged(vec![first.clone(), later], Vec::new(), &log);
    assert_eq!(codes(&with_both)[2..], [Code::MacMismatch, Code::EmptyMessage], "{:?}", with_both.messages);
    // The first copy alone cannot know.
    let alone = judged(vec![first], Vec::new(), &log);
    assert_eq!(codes(&alone)[2..], [Code::BeyondSnapshot; 2], "{:?}", alone.messages);
}

/// A key exchange with a prekey that we do not hold; then the sender begins anew, or not, and our client answers.
fn answered(began_anew: bool) -> Diagnosis {
    let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
    let held = conversation.alice.exchange.prekey_id.replace(50);
    conversation.begins("failed", 0);
    if began_anew {
        let mut other = Conversation::new(client("Dino"), Namespace::Legacy);
        other.alice.exchange.prekey_id = held;
        other.alice.exchange.base_key = flipped(&other.alice.exchange.base_key);
        let stanza = other.stanza("new", &other.exchange_key(0));
        conversation.heard(stanza);
    }
    let (mut ours, _) = alice_and_bob(Namespace::Legacy, client("Dino"));
    let mut key = ours.send();
    key.counter = 0;
    let answer = own_stanza(&conversation, &ours, &key);
    conversation.heard(answer).diagnose()
}

/// A stanza of our device to the sender's.
fn own_stanza(conversation: &Conversation, end: &End, message: &RatchetMessage) -> String {
    let own = conversation.account.own_device_id.unwrap();
    end.stanza("answer", message)
        .replace("alice@example.org", "@us")
        .replace("bob@example.org", ALICE)
        .replace("@us", BOB)
        .replace("rid='22'", &format!("rid='{THEIRS}'"))
        .replace("sid='11'", &format!("sid='{own}'"))
}

#[test]
fn an_answer_counts_only_for_the_session_that_it_answers_in() {
    let found = answered(false);
    assert_eq!(codes(&found), [Code::BeyondSnapshot], "{:?}", found.messages);
    let found = answered(true);
    assert_eq!(found.messages[0].code, Code::PrekeyMissing, "{:?}", found.messages);
}

#[test]
fn a_damaged_copy_and_the_good_one_are_one_message() {
    let (mut alice, mut bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let good = one_way(&mut bob, &mut alice);
    let twice = |second: &str, damage: u8| {
        let mut altered = good.clone();
        altered.mac.iter_mut().for_each(|byte| *byte ^= damage);
        let log = bob.stanza("a", &altered) + &bob.delayed(second, "2026-01-01T01:00:00Z", &good);
        codes(&judged(vec![alice.store()], Vec::new(), &log))
    };
    // One stanza id, or nearly one MAC.
    assert!(!twice("a", 0xff).contains(&Code::SenderRolledBack));
    assert!(!twice("b", 0x10).contains(&Code::SenderRolledBack));
    // Two messages under one key are another thing.
    assert_eq!(twice("b", 0xff)[1], Code::SenderRolledBack);
}

#[test]
fn python_omemo_takes_a_good_copy_after_one_whose_payload_was_altered() {
    let both = |name: &str| {
        let mut conversation = Conversation::begun(client(name), Namespace::Legacy);
        let (material, text) = sealed();
        let key = key_element(OURS, "", &conversation.alice.wire(1, &material));
        let stanza =
            |text: &str| conversation.sealed("a", &key, "<iv>BQUFBQUFBQUFBQUF</iv>", &format!("<payload>{text}</payload>"));
        let (bad, good) = (stanza("AAAAAAA="), stanza(&text));
        codes(&conversation.heard(bad).heard(good).diagnose())
    };
    assert_eq!(both("python-omemo"), [Code::PayloadAuthFailed, Code::Ok]);
    assert_eq!(both("Dino"), [Code::PayloadAuthFailed, Code::DuplicateMessage]);
}

/// Bob goes back to an old copy of his store, is delivered an old message of Alice once more, and so turns his ratchet
/// anew; judged with his store. Without the turns that python-omemo counts nobody can tell which end went back.
fn turned_anew(counts: bool) -> Diagnosis {
    let (mut alice, mut bob) = alice_and_bob(Namespace::Omemo2, client("python-omemo"));
    if counts {
        (alice.session.root_steps, bob.session.root_steps) = (Some(1), Some(2));
    }
    one_way(&mut bob, &mut alice);
    let mut old = bob.cloned();
    let again = one_way(&mut alice, &mut bob);
    for _ in 0..2 {
        round(&mut alice, &mut bob);
    }
    assert!(old.receive(&again));
    let messages: String = (0..2).map(|n| old.next_stanza(&n.to_string())).collect();
    judged(vec![alice.store()], vec![old.store()], &messages)
}

#[test]
fn the_number_of_turns_tells_which_end_went_back() {
    let found = turned_anew(true);
    assert_eq!(codes(&found), [Code::SenderRolledBack; 2], "{:?}", found.messages);
    let found = turned_anew(false);
    assert!(codes(&found).iter().all(|code| *code != Code::SenderRolledBack), "{:?}", found.messages);
}
