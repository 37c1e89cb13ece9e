//! A client that is well and went on beyond the store copy at hand: nothing of that is a fault.

use crate::common::{captured, diagnose};
use crate::conversation::{Conversation, client as profile, our_bundle};
use crate::pairs::{Pair, pair};
use crate::simulation::conversation::{alice_and_bob, client, one_way, round};
use crate::simulation::{identity, pair as key_pair};
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{Code, Confidence, Diagnosis, Store};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    pair(
        Code::SignedPrekeyMissing,
        "store-older-than-bundle",
        || signed_prekey(2, false),
        || signed_prekey(0, false),
        (Code::SignedPrekeyMissing, None),
    ),
    // Our client published it in this log: then the copy is older, and nothing is missing.
    pair(
        Code::SignedPrekeyMissing,
        "store-older-than-bundle",
        || signed_prekey(2, false),
        || signed_prekey(2, true),
        (Code::BeyondSnapshot, None),
    ),
    // A bundle of ours with one used key among held ones is stale; one with more unknown keys is newer than the copy.
    pair(
        Code::PrekeyMissing,
        "bundle-stale-on-server",
        || offered(&[3, 50]),
        || offered(&[49, 50, 51]),
        (Code::BeyondSnapshot, None),
    ),
];

/// A line of Gajim's log.
fn line(level: char, logger: &str, says: &str) -> String {
    format!("11/23/26 02:32:04 ({level}) {logger:<22} |          (alice@example.org) {says}\n")
}

/// A stanza in Gajim's log, and what Gajim says of it.
fn logged(way: &str, stanza: &str, complaint: bool) -> String {
    let mut text = line('I', "nbxmpp.connection", &format!("::::: DATA {way} ::::")) + "\n" + stanza + "\n";
    text += &line('I', "nbxmpp.connection", "Signal: data-received");
    if complaint {
        text += &line('W', "gajim.p.omemo", "No valid sessionsBad Mac!");
    }
    text
}

fn judged(store: Store, capture: &str) -> Diagnosis {
    diagnose(Question { stores: vec![store], ..Question::default() }, captured(capture).path())
}

fn codes(found: &Diagnosis) -> Vec<Code> {
    found.messages.iter().map(|m| m.code).filter(|code| *code != Code::OwnMessage).collect()
}

/// Bob and Alice talk on after the copy was made, and one message is altered on its way. Which of the last ones Gajim
/// complains of.
fn altered(complaints: &[bool]) -> Diagnosis {
    let (mut alice, mut bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let store = alice.store();
    let mut log = String::new();
    for n in 0..2 {
        let theirs = one_way(&mut bob, &mut alice);
        log += &logged("RECEIVED", &bob.stanza(&format!("b{n}"), &theirs), false);
        let ours = one_way(&mut alice, &mut bob);
        log += &logged("SENT", &alice.stanza(&format!("a{n}"), &ours), false);
    }
    for (n, complaint) in complaints.iter().enumerate() {
        let mut message = bob.send();
        if n == 0 {
            message.mac[0] ^= 1;
        }
        log += &logged("RECEIVED", &bob.stanza(&format!("c{n}"), &message), *complaint);
    }
    judged(store, &log)
}

#[test]
fn one_altered_message_beyond_the_copy_shows_no_old_store() {
    let found = altered(&[true, false]);
    assert_eq!(codes(&found)[1..], [Code::BeyondSnapshot, Code::MacMismatch, Code::BeyondSnapshot], "{:?}", found.messages);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    // A single complaint says no more, even where nothing comes after it.
    assert_eq!(codes(&altered(&[true])).last(), Some(&Code::MacMismatch));
    // The client fails at all of them: now it works with an old copy.
    let found = altered(&[true, true]);
    assert_eq!(codes(&found)[2..], [Code::ReceiverRolledBack; 2], "{:?}", found.messages);
}

/// Alice's client begins a new session after the copy was made. The log shows it, or it was before the log.
fn new_session(shown: bool) -> Diagnosis {
    let (mut alice, mut bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    (0..7).for_each(|_| round(&mut alice, &mut bob));
    let store = alice.store();
    let (mut alice, bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let mut bob = bob.cloned();
    let first = alice.send();
    let exchange = alice.exchange_stanza("a", &first);
    assert!(bob.receive(&first));
    round(&mut alice, &mut bob);
    let messages: String = (0..2).map(|n| bob.next_stanza(&format!("b{n}"))).collect();
    judged(store, &if shown { exchange + &messages } else { messages })
}

#[test]
fn a_session_that_our_client_began_in_the_log_is_just_newer_than_the_copy() {
    let found = new_session(true);
    assert_eq!(codes(&found), [Code::BeyondSnapshot; 2], "{:?}", found.messages);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert_eq!(codes(&new_session(false)), [Code::ReceiverRolledBack; 2]);
}

/// A key exchange for this signed prekey of ours; the store holds number 1.
fn signed_prekey(id: u32, published: bool) -> Diagnosis {
    let mut conversation = Conversation::new(profile("Dino"), Namespace::Legacy);
    conversation.alice.exchange.signed_prekey_id = id;
    if published {
        conversation.heard(
            publish(&[2, 3]).replace("<prekeys>", "<signedPreKeyPublic signedPreKeyId='2'>AAAA</signedPreKeyPublic><prekeys>"),
        );
    }
    conversation.begins("a", 0).diagnose()
}

/// A key exchange for prekey 50 after our client published these. The store holds 2 and 3.
fn offered(ids: &[u32]) -> Diagnosis {
    let mut conversation = Conversation::new(profile("Dino"), Namespace::Legacy);
    conversation.alice.exchange.prekey_id = Some(50);
    conversation.heard(publish(ids));
    conversation.begins("a", 0).diagnose()
}

/// Our client publishes its bundle with these one-time prekeys.
fn publish(ids: &[u32]) -> String {
    let keys: Vec<_> = ids.iter().map(|id| (*id, key_pair(6).public)).collect();
    let event = our_bundle(Namespace::Legacy, &keys);
    let (_, items) = event.split_once("<items ").unwrap();
    let (item, _) = items.split_once("</items>").unwrap();
    format!(
        "<iq xmlns='jabber:client' type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish {item}</publish></pubsub></iq>\n"
    )
}

#[test]
fn what_is_bound_to_other_keys_shows_no_old_store() {
    let (alice, mut bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let store = alice.store();
    bob.session.local_identity = identity(77).public;
    let knows = |store: &Store| {
        let mut store = store.clone();
        let strange = crate::conversation::device("bob@example.org", 23, 77, Namespace::Legacy);
        store.accounts[0].devices.push(strange);
        store
    };
    let stanzas: String = (0..2).map(|n| bob.next_stanza(&n.to_string())).collect();
    assert_eq!(codes(&judged(knows(&store), &stanzas)), [Code::AdMismatch; 2]);
    assert_eq!(codes(&judged(store, &stanzas)), [Code::ReceiverRolledBack; 2]);
}

/// Of Bob's messages these are in the log, in an older chain or in the one that goes on after Alice's store was copied.
fn from_the_middle(older: bool, first: usize) -> Diagnosis {
    let (mut alice, mut bob) = alice_and_bob(Namespace::Omemo2, client("python-omemo"));
    let before = one_way(&mut bob, &mut alice);
    one_way(&mut alice, &mut bob);
    let read: Vec<_> = (0..4).map(|_| one_way(&mut bob, &mut alice)).collect();
    let store = alice.store();
    let old = if older { bob.stanza("before", &before) } else { String::new() };
    let used: String = read.iter().enumerate().skip(first).map(|(n, message)| bob.stanza(&n.to_string(), message)).collect();
    let next: String = (4..6).map(|n| bob.next_stanza(&n.to_string())).collect();
    judged(store, &(old + &used + &next))
}

#[test]
fn a_copy_from_the_middle_of_the_log_accuses_nobody() {
    for (older, first) in [(true, 1), (false, 0)] {
        let found = from_the_middle(older, first);
        let (used, next) = found.messages.split_at(found.messages.len() - 2);
        assert!(used.iter().all(|m| m.code == Code::DuplicateMessage), "{used:?}");
        assert!(next.iter().all(|m| m.code == Code::EmptyMessage), "{next:?}");
    }
    // Neither an older chain nor the beginning of this one: a sender that went back looks the same.
    let found = from_the_middle(false, 1);
    assert_eq!((found.messages[0].code, found.messages[0].confidence), (Code::SenderRolledBack, Confidence::Possible));
}

/// Bob begins a session with a prekey that the copy of Alice's store does not hold, and Alice answers in it, or not.
fn answered(answers: bool) -> Diagnosis {
    let (mut bob, mut alice) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let mut store = alice.store();
    store.accounts[0].sessions.clear();
    let first = bob.send();
    assert!(alice.receive(&first));
    let mut log = bob.exchange_stanza("b", &first);
    let answer = one_way(&mut alice, &mut bob);
    if answers {
        log += &alice.stanza("a", &answer);
    }
    log += &bob.next_stanza("c");
    judged(store, &log)
}

#[test]
fn an_answer_shows_that_our_client_took_their_key_exchange() {
    let found = answered(true);
    assert_eq!(codes(&found), [Code::BeyondSnapshot; 2], "{:?}", found.messages);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert_eq!(codes(&answered(false)), [Code::SignedPrekeyMissing, Code::NoSession]);
}
