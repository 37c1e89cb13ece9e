//! Simulated conversations of two devices, with their stores before, in between and afterwards: what only the order
//! of events, or the other end's store, can tell. For each cause a pair: the broken case is named, and its nearest
//! neighbour is not.

use crate::common::{captured, diagnose};
use crate::pairs::{Pair, finding_pair, pair};
use crate::simulation::conversation::{End, alice_and_bob, client, one_way, round};
use crate::simulation::identity;
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{ClientProfile, Code, Confidence, Diagnosis, MessageVerdict, Store};
use omemoscope::omemo::Namespace;
use omemoscope::omemo::wire::RatchetMessage;

pub const PAIRS: &[Pair] = &[
    pair(
        Code::AdMismatch,
        "both-other-keys",
        || bound_otherwise(Namespace::Legacy, bound_to_others, true),
        || bound_otherwise(Namespace::Legacy, |_, bob| bob.session.local_identity = identity(77).public, true),
        (Code::AdMismatch, Some("other-sender-key")),
    ),
    pair(Code::DuplicateMessage, "ended-chain", ended_chain, dropped_chain, (Code::MessageKeyEvicted, Some("chain-dropped"))),
    pair(
        Code::SenderRolledBack,
        "clone",
        || theirs(Namespace::Legacy, "aababab"),
        || theirs(Namespace::Legacy, "aaabbbbb"),
        (Code::SenderRolledBack, None),
    ),
    finding_pair(Code::ReceiverRolledBack, "own-rolled-back", || ours("aaabbbbb"), || ours("aababab")),
    finding_pair(
        Code::DeviceIdCollision,
        "two-connections",
        || sent_from(&["phone", "tablet", "phone", "tablet"]),
        || sent_from(&["phone", "phone-2", "phone"]),
    ),
];

const VARIANTS: [Namespace; 2] = [Namespace::Legacy, Namespace::Omemo2];

/// A client that speaks the variant.
fn speaker(namespace: Namespace) -> &'static ClientProfile {
    client(if namespace.is_legacy() { "Gajim" } else { "python-omemo" })
}

fn judged(stores: Vec<Store>, peers: Vec<Store>, capture: &str) -> Diagnosis {
    diagnose(Question { stores, peers, ..Question::default() }, captured(capture).path())
}

fn last(found: &Diagnosis) -> &MessageVerdict {
    found.messages.last().unwrap()
}

// ---- associated data

/// Bob writes one message after `change` was made; judged with his store or without.
fn bound_otherwise(namespace: Namespace, change: impl Fn(&mut End, &mut End), peer: bool) -> Diagnosis {
    let (mut alice, mut bob) = alice_and_bob(namespace, speaker(namespace));
    change(&mut alice, &mut bob);
    let before = alice.store();
    let message = bob.send();
    judged(vec![before], if peer { vec![bob.store()] } else { Vec::new() }, &bob.stanza("a", &message))
}

fn bound_to_others(_: &mut End, bob: &mut End) {
    bob.session.local_identity = identity(77).public;
    bob.session.remote_identity = identity(78).public;
}

#[test]
fn an_identity_key_that_only_the_senders_store_knows_is_found_there() {
    let strange = identity(77).public;
    for namespace in VARIANTS {
        let own = |_: &mut End, bob: &mut End| bob.session.local_identity = strange;
        let ours = |_: &mut End, bob: &mut End| bob.session.remote_identity = strange;
        let on_file = |alice: &mut End, _: &mut End| alice.session.remote_identity = strange;
        let named = |change: &dyn Fn(&mut End, &mut End), detail: &'static str, side: &str, place: &str| {
            let found = bound_otherwise(namespace, change, true);
            let verdict = last(&found);
            assert_eq!((verdict.code, verdict.detail), (Code::AdMismatch, Some(detail)), "{verdict:?}");
            assert!(verdict.sentence.contains(side), "{}", verdict.sentence);
            assert!(verdict.evidence.iter().any(|e| e.place.contains(place)), "{:?}", verdict.evidence);
            // Without that store nothing knows the key.
            assert_eq!(last(&bound_otherwise(namespace, change, false)).code, Code::MacMismatch);
        };
        named(&own, "other-sender-key", "on the sender's side", "bob@example.org, session");
        named(&ours, "other-receiver-key", "on the sender's side", "bob@example.org, session");
        named(&bound_to_others, "both-other-keys", "but for the identity keys", "bob@example.org, session");
        named(&on_file, "other-sender-key", "on this side", "bob@example.org, session");
    }
}

#[test]
fn an_altered_message_is_bound_to_no_key() {
    for namespace in VARIANTS {
        let (alice, mut bob) = alice_and_bob(namespace, speaker(namespace));
        let mut message = bob.send();
        message.mac[0] ^= 1;
        let found = judged(vec![alice.store()], vec![bob.store()], &bob.stanza("a", &message));
        assert_eq!(last(&found).code, Code::MacMismatch, "{:?}", last(&found));
    }
}

/// Our own account has the key, our session another one: no other store is needed to see who is wrong.
#[test]
fn a_session_with_another_key_of_ours_than_our_account_is_our_fault() {
    for namespace in VARIANTS {
        let stale = |alice: &mut End, _: &mut End| alice.session.local_identity = identity(77).public;
        let found = bound_otherwise(namespace, stale, false);
        let verdict = last(&found);
        assert_eq!((verdict.code, verdict.detail), (Code::AdMismatch, Some("other-receiver-key")), "{verdict:?}");
        assert!(verdict.sentence.contains("on this side"), "{}", verdict.sentence);
        assert_eq!(last(&bound_otherwise(namespace, |_, _| {}, false)).code, Code::EmptyMessage);
    }
}

// ---- chains that the copy does not know

/// Enough rounds for every receiving chain of the libsignal family.
const MANY: usize = 7;

/// Alice and Bob after so many rounds; two messages of Bob's first chain are on their way all the time.
fn two_late(namespace: Namespace, rounds: usize) -> (End, End, [RatchetMessage; 2]) {
    let (mut alice, mut bob) = alice_and_bob(namespace, speaker(namespace));
    one_way(&mut bob, &mut alice);
    let late = [bob.send(), bob.send()];
    one_way(&mut alice, &mut bob);
    (0..rounds).for_each(|_| round(&mut alice, &mut bob));
    (alice, bob, late)
}

/// Alice's store is copied, both write on, and Alice goes back to the copy; two messages of Bob's newest chain.
fn rolled_back(namespace: Namespace, rounds: usize) -> (End, End, [RatchetMessage; 2]) {
    let (mut alice, mut bob, _) = two_late(namespace, rounds);
    let copy = alice.clone();
    (0..2).for_each(|_| round(&mut alice, &mut bob));
    one_way(&mut bob, &mut alice);
    let newer = [bob.send(), bob.send()];
    (copy, bob, newer)
}

fn firsts(found: &Diagnosis) -> (Code, Option<&'static str>, Confidence) {
    let [one, two] = [&found.messages[0], found.messages[1..].iter().find(|m| m.code != Code::OwnMessage).unwrap()];
    assert_eq!((one.code, one.detail, one.confidence), (two.code, two.detail, two.confidence), "{:?}", found.messages);
    (one.code, one.detail, one.confidence)
}

#[test]
fn late_messages_of_a_dropped_chain_are_no_proof_of_an_old_store() {
    let (alice, bob, late) = two_late(Namespace::Legacy, MANY);
    let capture = [bob.stanza("a", &late[0]), bob.stanza("b", &late[1])].concat();
    let found = judged(vec![alice.store()], Vec::new(), &capture);
    assert_eq!(firsts(&found), (Code::ReceiverRolledBack, None, Confidence::Possible));
    assert!(last(&found).open_questions.iter().any(|q| q.contains("message-key-evicted") && q.contains("--peer")));
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    // With few chains nothing was dropped: then the two ratchets have parted.
    let (copy, bob, newer) = rolled_back(Namespace::Legacy, 1);
    let capture = [bob.stanza("a", &newer[0]), bob.stanza("b", &newer[1])].concat();
    let found = judged(vec![copy.store()], Vec::new(), &capture);
    assert_eq!(firsts(&found), (Code::ReceiverRolledBack, None, Confidence::Likely));
}

#[test]
fn a_store_that_went_back_is_named_where_the_order_of_events_tells() {
    let (mut copy, bob, newer) = rolled_back(Namespace::Legacy, MANY);
    let store = copy.store();
    let answer = copy.send();
    let capture = [bob.stanza("a", &newer[0]), copy.stanza("o", &answer), bob.stanza("b", &newer[1])].concat();
    let found = judged(vec![store.clone()], Vec::new(), &capture);
    assert_eq!(firsts(&found), (Code::ReceiverRolledBack, None, Confidence::Likely));
    // The same two in one go.
    let capture = [bob.stanza("a", &newer[0]), bob.stanza("b", &newer[1]), copy.stanza("o", &answer)].concat();
    let found = judged(vec![store], Vec::new(), &capture);
    assert_eq!(firsts(&found).2, Confidence::Possible);
}

/// Two late messages of a chain that Alice's client has dropped, and one of a newer chain.
fn dropped_chain() -> Diagnosis {
    let (alice, mut bob, late) = two_late(Namespace::Legacy, MANY);
    let (mut old, store) = (alice.clone(), alice.store());
    one_way(&mut old, &mut bob);
    let next = bob.send();
    let stanzas = [bob.stanza("a", &late[0]), bob.stanza("b", &late[1]), bob.stanza("c", &next)].concat();
    judged(vec![store], Vec::new(), &stanzas)
}

/// The same with a library that keeps what it has not read: the late messages were read.
fn ended_chain() -> Diagnosis {
    let (mut alice, mut bob) = alice_and_bob(Namespace::Omemo2, client("python-omemo"));
    let read = [one_way(&mut bob, &mut alice), one_way(&mut bob, &mut alice)];
    (0..MANY).for_each(|_| round(&mut alice, &mut bob));
    one_way(&mut alice, &mut bob);
    let next = bob.send();
    let stanzas = [bob.stanza("a", &read[0]), bob.stanza("b", &read[1]), bob.stanza("c", &next)].concat();
    judged(vec![alice.store()], Vec::new(), &stanzas)
}

#[test]
fn a_newer_chain_that_opens_shows_that_the_other_is_an_old_one() {
    let found = dropped_chain();
    assert_eq!(firsts(&found), (Code::MessageKeyEvicted, Some("chain-dropped"), Confidence::Likely));
    assert_eq!(last(&found).code, Code::EmptyMessage);
    assert_eq!(firsts(&ended_chain()), (Code::DuplicateMessage, Some("ended-chain"), Confidence::Likely));
}

#[test]
fn what_the_archive_delivers_is_dated_by_its_stamps() {
    let (alice, mut bob, late) = two_late(Namespace::Legacy, MANY);
    let current = bob.send();
    let delayed = |hours: [u8; 3]| {
        let stamp = |hour| format!("2026-01-01T{hour:02}:00:00Z");
        [
            bob.delayed("a", &stamp(hours[0]), &late[0]),
            bob.delayed("b", &stamp(hours[1]), &late[1]),
            bob.delayed("c", &stamp(hours[2]), &current),
        ]
        .concat()
    };
    let older = judged(vec![alice.store()], Vec::new(), &delayed([1, 2, 3]));
    assert_eq!(firsts(&older), (Code::MessageKeyEvicted, Some("chain-dropped"), Confidence::Likely));
    let newer = judged(vec![alice.store()], Vec::new(), &delayed([2, 3, 1]));
    assert_eq!(firsts(&newer), (Code::MessageKeyEvicted, Some("chain-dropped"), Confidence::Possible));
    assert!(newer.messages[0].open_questions[0].contains("receiver-rolled-back"));
}

/// The first message of a chain was altered on its way, and a later one of the same chain opens.
#[test]
fn an_altered_message_is_of_no_older_chain_than_its_neighbour() {
    for namespace in VARIANTS {
        let (alice, mut bob) = alice_and_bob(namespace, speaker(namespace));
        let (mut first, second) = (bob.send(), bob.send());
        first.mac[0] ^= 1;
        let stanzas =
            [bob.delayed("a", "2026-01-01T01:00:00Z", &first), bob.delayed("b", "2026-01-01T02:00:00Z", &second)].concat();
        let found = judged(vec![alice.store()], Vec::new(), &stanzas);
        let codes: Vec<Code> = found.messages.iter().map(|m| m.code).collect();
        assert_eq!(codes, [Code::MacMismatch, Code::EmptyMessage], "{:?}", found.messages);
    }
}

#[test]
fn a_copy_that_had_sent_what_we_sent_later_is_newer_than_the_message() {
    let (mut alice, bob, late) = two_late(Namespace::Legacy, MANY);
    let before = alice.store();
    let sent = alice.send();
    let capture = [bob.stanza("a", &late[0]), bob.stanza("b", &late[1]), alice.stanza("o", &sent)].concat();
    let newer = judged(vec![alice.store()], Vec::new(), &capture);
    assert_eq!(firsts(&newer), (Code::DuplicateMessage, Some("before-the-copy"), Confidence::Likely));
    let older = judged(vec![before], Vec::new(), &capture);
    assert_eq!(firsts(&older).0, Code::ReceiverRolledBack);
}

// ---- used keys

/// Bob writes four messages that Alice reads; the copies are Bob before the second one, and Alice after all.
fn four_read(namespace: Namespace) -> (End, End, End, [RatchetMessage; 4]) {
    let (mut alice, mut bob) = alice_and_bob(namespace, speaker(namespace));
    let first = one_way(&mut bob, &mut alice);
    let old = bob.cloned();
    let rest = [(); 3].map(|()| one_way(&mut bob, &mut alice));
    let [second, third, fourth] = rest;
    (alice, bob, old, [first, second, third, fourth])
}

#[test]
fn a_second_delivery_is_not_blamed_on_the_sender() {
    for namespace in VARIANTS {
        let (mut alice, mut bob, _, read) = four_read(namespace);
        let store = alice.store();
        let (sent, next) = (alice.send(), bob.send());
        // The first copy came before the log begins. The copy of the store is older than the log.
        let capture = [alice.stanza("o", &sent), bob.stanza("b", &read[1]), bob.stanza("n", &next)].concat();
        let found = judged(vec![store.clone()], Vec::new(), &capture);
        assert_eq!((found.messages[1].code, found.messages[1].confidence), (Code::DuplicateMessage, Confidence::Likely));
        assert_eq!(last(&found).code, Code::EmptyMessage);
        assert!(found.findings.is_empty(), "{:?}", found.findings);
        // Two of them, and nothing after them.
        let capture = [alice.stanza("o", &sent), bob.stanza("b", &read[1]), bob.stanza("c", &read[2])].concat();
        let found = judged(vec![store], Vec::new(), &capture);
        assert!(found.messages[1..].iter().all(|m| m.code == Code::DuplicateMessage), "{:?}", found.messages);
    }
}

#[test]
fn a_sender_that_goes_through_its_chain_again_is_named_as_surely_as_the_log_allows() {
    for namespace in VARIANTS {
        let (mut alice, _, mut old, _) = four_read(namespace);
        let store = alice.store();
        let sent = alice.send();
        let again: String = (0..4).map(|n| old.next_stanza(&n.to_string())).collect();
        let with_ours = [alice.stanza("o", &sent), again.clone()].concat();
        let found = judged(vec![store.clone()], Vec::new(), &with_ours);
        assert!(
            found.messages[1..4].iter().all(|m| (m.code, m.confidence) == (Code::SenderRolledBack, Confidence::Likely)),
            "{:?}",
            found.messages
        );
        assert!(found.findings.iter().any(|f| f.code == Code::SenderRolledBack));
        // Without a sign that the copy is older, it may have been made in between.
        let found = judged(vec![store], Vec::new(), &again);
        assert_eq!((found.messages[0].code, found.messages[0].confidence), (Code::SenderRolledBack, Confidence::Possible));
        assert!(found.messages[0].open_questions[0].contains("duplicate-message"));
        assert!(found.findings.is_empty(), "{:?}", found.findings);
        // A copy that had sent what we sent later is newer for certain.
        let newer = judged(vec![alice.store()], Vec::new(), &[again, alice.stanza("o", &sent)].concat());
        assert_eq!(newer.messages[0].code, Code::DuplicateMessage, "{:?}", newer.messages[0]);
    }
}

// ---- one device, two branches

/// Stanzas of `one` and `two` in this order.
fn in_turn(one: &mut End, two: &mut End, order: &str) -> String {
    let lines = order.chars().enumerate().map(|(n, who)| {
        let end = if who == 'a' { &mut *one } else { &mut *two };
        end.next_stanza(&n.to_string())
    });
    lines.collect()
}

fn findings(found: &Diagnosis) -> Vec<(Code, Option<&'static str>, Confidence)> {
    found.findings.iter().map(|f| (f.code, f.detail, f.confidence)).collect()
}

/// Two copies of Alice's store write in this order.
fn ours(order: &str) -> Diagnosis {
    let (mut alice, _) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let store = alice.store();
    let mut copy = alice.cloned();
    judged(vec![store], Vec::new(), &in_turn(&mut alice, &mut copy, order))
}

/// Two copies of Bob's store write in this order.
fn theirs(namespace: Namespace, order: &str) -> Diagnosis {
    let (alice, mut bob) = alice_and_bob(namespace, speaker(namespace));
    let mut copy = bob.cloned();
    judged(vec![alice.store()], Vec::new(), &in_turn(&mut bob, &mut copy, order))
}

#[test]
fn our_own_device_that_went_back_once_is_told_from_one_that_runs_twice() {
    let clone = ours("aababab");
    assert_eq!(findings(&clone), [(Code::DeviceIdCollision, Some("clone"), Confidence::Proven)], "{:?}", clone.findings);
    let places: Vec<&str> = clone.findings[0].evidence.iter().map(|e| &*e.place).collect();
    assert!(places.len() >= 4 && places.iter().all(|p| p.contains(".xml:")), "{places:?}");
    let once = ours("aaabbbbb");
    assert_eq!(findings(&once), [(Code::ReceiverRolledBack, Some("own-rolled-back"), Confidence::Likely)]);
    // It stops before the old end: both readings fit.
    let open = ours("aaabb");
    assert_eq!(findings(&open), [(Code::ReceiverRolledBack, Some("own-state-reused"), Confidence::Proven)]);
    assert_eq!(findings(&ours("aaaa")), []);
}

#[test]
fn a_sender_that_went_back_once_is_told_from_one_that_runs_twice() {
    for namespace in VARIANTS {
        let clone = theirs(namespace, "aababab");
        assert_eq!(findings(&clone), [(Code::DeviceIdCollision, Some("clone"), Confidence::Proven)], "{:?}", clone.findings);
        assert!(clone.messages.iter().any(|m| (m.code, m.detail) == (Code::SenderRolledBack, Some("clone"))));
        let once = theirs(namespace, "aaabbbbb");
        assert_eq!(findings(&once), [(Code::SenderRolledBack, None, Confidence::Proven)], "{:?}", once.findings);
        assert_eq!(last(&once).code, Code::EmptyMessage);
    }
}

/// A room sends each stanza back, and that comes a little later: it hides no turn and makes none.
#[test]
fn copies_of_both_branches_are_nothing_new() {
    let (mut alice, _) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let (store, mut copy) = (alice.store(), alice.cloned());
    let old: Vec<String> = (0..3).map(|n| alice.next_stanza(&n.to_string())).collect();
    let new: Vec<String> = (3..8).map(|n| copy.next_stanza(&n.to_string())).collect();
    let judge = |lines: &[&[String]]| findings(&judged(vec![store.clone()], Vec::new(), &lines.concat().concat()));
    let once = judge(&[&old, &new, &new, &old]);
    assert_eq!(once, [(Code::ReceiverRolledBack, Some("own-rolled-back"), Confidence::Likely)]);
    let clone = judge(&[&old[..2], &new[..1], &old[2..], &new[..1], &new[1..]]);
    assert_eq!(clone, [(Code::DeviceIdCollision, Some("clone"), Confidence::Proven)]);
}

/// Bob writes from these resources, one after the other.
fn sent_from(resources: &[&str]) -> Diagnosis {
    let (alice, mut bob) = alice_and_bob(Namespace::Legacy, client("Gajim"));
    let lines = resources.iter().enumerate().map(|(n, resource)| {
        let message = bob.send();
        bob.stanza_with(&n.to_string(), resource, &message, "")
    });
    judged(vec![alice.store()], Vec::new(), &lines.collect::<String>())
}

#[test]
fn one_device_on_two_connections_in_turn_is_told_from_one_that_reconnects() {
    let two = sent_from(&["phone", "tablet", "phone", "tablet"]);
    assert_eq!(findings(&two), [(Code::DeviceIdCollision, Some("two-connections"), Confidence::Possible)]);
    assert_eq!(findings(&sent_from(&["one", "two", "three", "four"])), []);
    assert_eq!(findings(&sent_from(&["phone", "phone-2", "phone"])), []);
}
