//! The receiving ratchet with any order of messages, and a record's order of states.
#![allow(clippy::unwrap_used)] // A test may panic.

mod simulation;

use omemoscope::omemo::Namespace;
use omemoscope::omemo::ratchet::{ChainLookup, Failure, Implementation, MAX_FORWARD_JUMP, SessionRecord, StateRef};
use proptest::prelude::*;
use simulation::{Sender, pair, plaintext};
use std::collections::BTreeSet;

const LIBRARIES: [Implementation; 6] = [
    Implementation::LibsignalC,
    Implementation::Java,
    Implementation::PythonAxolotl,
    Implementation::PythonDoubleRatchet,
    Implementation::JavaScript,
    Implementation::Rust,
];

fn key_used(record: &SessionRecord, message: &omemoscope::omemo::wire::RatchetMessage) -> bool {
    let attempt = record.receive(message);
    attempt.opened.is_none() && attempt.states.iter().all(|tried| matches!(tried.step.failure, Some(Failure::KeyUsed { .. })))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Every message opens once, whatever the order; its repetition is known as such; a changed one
    /// never opens.
    #[test]
    fn any_order_within_two_chains(
        order in proptest::collection::vec((0..2usize, 0..24u32), 1..60),
        namespace in proptest::sample::select(Namespace::ALL.to_vec()),
        library in proptest::sample::select(LIBRARIES.to_vec()),
        flipped in 0..32usize,
    ) {
        let mut sender = Sender::new(namespace);
        let mut record = sender.receiver(library);
        // The first message of each chain comes first, to let the ratchet turn; the others in any order.
        let first = record.receive(&sender.exchange.message);
        prop_assert!(first.opened.is_some());
        record.apply(&first);
        let mut chains = vec![(0..24).map(|counter| sender.message(counter)).collect::<Vec<_>>()];
        let length = if library == Implementation::PythonDoubleRatchet { 24 } else { 23 };
        sender.turn(record.current.as_mut().unwrap(), length);
        chains.push((0..24).map(|counter| sender.message(counter)).collect());
        let attempt = record.receive(&chains[1][0]);
        prop_assert!(attempt.opened.is_some());
        record.apply(&attempt);

        let mut seen: BTreeSet<(usize, u32)> = [(0, 0), (1, 0)].into();
        for (chain, counter) in order {
            let message = &chains[chain][counter as usize];
            let mut changed = message.clone();
            let position = flipped % changed.ciphertext.len();
            changed.ciphertext[position] ^= 1;
            let authenticated = changed.authenticated.len() - changed.ciphertext.len() + position;
            changed.authenticated[authenticated] ^= 1;
            prop_assert!(record.receive(&changed).opened.is_none());
            if seen.insert((chain, counter)) {
                let attempt = record.receive(message);
                let opened = attempt.opened.as_ref().expect("every message opens once");
                prop_assert_eq!(opened.key_material.expose(), plaintext(message));
                prop_assert!(attempt.client_stopped_at.is_none());
                record.apply(&attempt);
            } else {
                prop_assert!(key_used(&record, message));
            }
        }
    }
}

#[test]
fn receiving_changes_nothing() {
    let sender = Sender::new(Namespace::Omemo2);
    let record = sender.receiver(Implementation::LibsignalC);
    for _ in 0..2 {
        assert!(record.receive(&sender.exchange.message).opened.is_some());
        assert!(record.current.as_ref().unwrap().receiver_chains.is_empty());
    }
}

#[test]
fn a_step_leaves_root_and_sending_chain_unknown() {
    let sender = Sender::new(Namespace::Legacy);
    let mut record = sender.receiver(Implementation::LibsignalC);
    let attempt = record.receive(&sender.message(2));
    assert_eq!(attempt.states[0].step.lookup, Some(ChainLookup::NewStep { ours: pair(5).public }));
    assert_eq!(attempt.states[0].step.skipped, 2);
    record.apply(&attempt);
    let session = record.current.as_ref().unwrap();
    assert!(session.root_key.is_none() && session.sender_chain.is_none());
    let mut other = sender.message(3);
    other.ratchet_key = pair(77).public;
    let attempt = record.receive(&other);
    assert_eq!(attempt.states[0].step.failure, Some(Failure::NoRatchetKey));
    assert!(attempt.states[0].step.lookup.is_none());
}

#[test]
fn forged_counters_cost_no_more_than_the_limit() {
    let sender = Sender::new(Namespace::Legacy);
    let mut record = sender.receiver(Implementation::LibsignalC);
    record.apply(&record.receive(&sender.message(0)));
    let mut far = sender.message(1);
    far.counter = u32::MAX;
    let step = &record.receive(&far).states[0].step;
    assert_eq!(step.failure, Some(Failure::TooFarAhead { ahead: u32::MAX - 1 }));
    assert!(step.message_key.is_none());
    far.counter = MAX_FORWARD_JUMP + 1;
    record.archived.push(record.current.clone().unwrap());
    let attempt = record.receive(&far);
    assert_eq!(attempt.states[0].step.failure, Some(Failure::Mac));
    // All states of a record share the limit.
    assert_eq!(attempt.states[1].step.failure, Some(Failure::TooFarAhead { ahead: MAX_FORWARD_JUMP }));
}

#[test]
fn beyond_the_librarys_limit_a_message_opens_and_says_so() {
    for (library, limit) in [(Implementation::LibsignalC, 2000), (Implementation::PythonDoubleRatchet, 1000)] {
        let sender = Sender::new(Namespace::Omemo2);
        let mut record = sender.receiver(library);
        record.apply(&record.receive(&sender.message(0)));
        assert_eq!(record.receive(&sender.message(limit + 1)).over_limit, None);
        let attempt = record.receive(&sender.message(limit + 2));
        assert!(attempt.opened.is_some());
        assert_eq!(attempt.over_limit, Some(limit + 1));
        // Only as many keys stay as the library keeps.
        record.apply(&attempt);
        let kept = record.current.as_ref().unwrap().receiver_chains[0].skipped.len();
        assert_eq!(kept, limit as usize);
        assert!(key_used(&record, &sender.message(1)));
        assert!(record.receive(&sender.message(2)).opened.is_some());
    }
}

#[test]
fn another_variants_mac_is_not_tried() {
    let legacy = Sender::new(Namespace::Legacy);
    let record = Sender::new(Namespace::Omemo2).receiver(Implementation::LibsignalC);
    assert_eq!(record.receive(&legacy.message(0)).states[0].step.failure, Some(Failure::OtherVariant));
}

#[test]
fn without_the_ed25519_forms_both_signs_and_orders_are_tried() {
    for (sign_of_alice, initiator) in [(false, None), (true, None), (true, Some(false))] {
        let mut sender = Sender::new(Namespace::Omemo2);
        let edwards = sender.session.local_identity.to_edwards(sign_of_alice).unwrap();
        sender.session.local_identity = omemoscope::omemo::IdentityKey::from_edwards(edwards).unwrap();
        let mut record = sender.receiver(Implementation::LibsignalC);
        let session = record.current.as_mut().unwrap();
        session.local_identity = omemoscope::omemo::IdentityKey::from_curve(*session.local_identity.curve());
        session.remote_identity = omemoscope::omemo::IdentityKey::from_curve(*session.remote_identity.curve());
        session.initiator = initiator;
        assert_eq!(session.associated_data_candidates(true).len(), if initiator.is_none() { 8 } else { 4 });
        assert!(record.receive(&sender.message(0)).opened.is_some());
        // The wrong order is no candidate once it is known who began.
        record.current.as_mut().unwrap().initiator = Some(true);
        assert_eq!(record.receive(&sender.message(0)).states[0].step.failure, Some(Failure::Mac));
    }
}

#[test]
fn the_search_goes_on_where_the_client_stops() {
    let sender = Sender::new(Namespace::Legacy);
    let mut record = sender.receiver(Implementation::LibsignalC);
    record.apply(&record.receive(&sender.message(0)));
    let earlier = record.current.clone().unwrap();
    record.apply(&record.receive(&sender.message(1)));
    record.archived.push(earlier);
    let attempt = record.receive(&sender.message(1));
    assert_eq!(attempt.client_stopped_at, Some(StateRef::Current));
    assert_eq!(attempt.opened.as_ref().unwrap().state, StateRef::Archived(0));
    // What an archived state opens becomes the current one.
    let current = record.current.clone().unwrap();
    record.apply(&attempt);
    assert_eq!(record.archived.len(), 1);
    assert_eq!(record.archived[0].receiver_chains[0].index(), current.receiver_chains[0].index());
}

#[test]
fn javascript_takes_the_state_that_knows_the_ratchet_key() {
    let sender = Sender::new(Namespace::Omemo2);
    let mut record = sender.receiver(Implementation::JavaScript);
    record.apply(&record.receive(&sender.message(0)));
    let knowing = record.current.replace(sender.receiver(Implementation::JavaScript).current.unwrap());
    record.archived.push(knowing.unwrap());
    let attempt = record.receive(&sender.message(0));
    assert_eq!(attempt.states[0].state, StateRef::Archived(0));
    assert_eq!(attempt.client_stopped_at, Some(StateRef::Archived(0)));
    assert_eq!(attempt.opened.unwrap().state, StateRef::Current);
}

#[test]
fn a_new_state_archives_the_old_one_where_the_library_does() {
    for library in LIBRARIES {
        let sender = Sender::new(Namespace::Legacy);
        let mut record = sender.receiver(library);
        for _ in 0..50 {
            record.begin(sender.receiver(library).current.unwrap());
        }
        assert_eq!(record.archived.len(), library.limits().archived_states);
        assert_eq!(record.with_base_key(&pair(3).public), Some(StateRef::Current));
        assert_eq!(record.states().count(), record.archived.len() + 1);
        assert_eq!(record.with_base_key(&pair(4).public), None);
    }
}

#[test]
fn receiver_chains_are_dropped_as_the_library_drops_them() {
    for library in LIBRARIES {
        let mut sender = Sender::new(Namespace::Legacy);
        let mut record = sender.receiver(library);
        let first = sender.message(0);
        for _ in 0..14 {
            // Message 1 of each chain comes, message 0 stays skipped.
            record.apply(&record.receive(&sender.message(1)));
            sender.turn(record.current.as_mut().unwrap(), 2);
        }
        let limits = library.limits();
        let chains = &record.current.as_ref().unwrap().receiver_chains;
        match library {
            Implementation::PythonDoubleRatchet => {
                // Skipped keys outlive their chains.
                assert_eq!(chains.len(), 14);
                assert!(chains.iter().rev().skip(1).all(|chain| chain.retired));
                assert!(record.receive(&first).opened.is_some());
            }
            _ => {
                assert_eq!(chains.len(), limits.receiver_chains, "{library:?}");
                assert!(record.receive(&first).opened.is_none());
            }
        }
    }
}

#[test]
fn an_authentic_message_with_wrong_padding_is_its_senders_fault() {
    let sender = Sender::new(Namespace::Omemo2);
    let record = sender.receiver(Implementation::LibsignalC);
    let mut message = sender.message(0);
    let last = message.ciphertext.len() - 1;
    message.ciphertext[last] ^= 0xFF;
    sender.authenticate(&mut message);
    let step = &record.receive(&message).states[0].step;
    assert_eq!(step.failure, Some(Failure::Padding));
    assert!(step.next.is_none() && step.message_key.is_some());
}
