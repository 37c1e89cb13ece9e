//! Simulated conversations of two devices, with their stores before, in between and afterwards: what only the order
//! of events, or the other end's store, can tell. For each cause a pair: the broken case is named, and its nearest
//! neighbour is not.

#![allow(clippy::unwrap_used)] // A test may panic.

mod common;
mod simulation;

use common::{captured, diagnose};
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{ClientProfile, Code, Diagnosis, MessageVerdict, Store};
use omemoscope::omemo::Namespace;
use simulation::conversation::{End, alice_and_bob, client};
use simulation::identity;

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

#[test]
fn an_identity_key_that_only_the_senders_store_knows_is_found_there() {
    let strange = identity(77).public;
    for namespace in VARIANTS {
        let own = |_: &mut End, bob: &mut End| bob.session.local_identity = strange;
        let ours = |_: &mut End, bob: &mut End| bob.session.remote_identity = strange;
        let both = |_: &mut End, bob: &mut End| {
            bob.session.local_identity = strange;
            bob.session.remote_identity = identity(78).public;
        };
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
        named(&both, "both-other-keys", "other identity keys", "bob@example.org, session");
        named(&on_file, "other-sender-key", "on our side", "bob@example.org, session");
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
        assert!(verdict.sentence.contains("on our side"), "{}", verdict.sentence);
        assert_eq!(last(&bound_otherwise(namespace, |_, _| {}, false)).code, Code::EmptyMessage);
    }
}
