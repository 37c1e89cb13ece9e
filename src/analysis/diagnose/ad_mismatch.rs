//! # ad-mismatch
//!
//! **What happened.** Key, counter and text fit, but the message is bound to other identity keys than the ones the
//! session has: one side has a wrong identity key on file, or puts the two in the wrong order. This is a fault of a
//! program or a damaged store, not of a person.
//!
//! **How it shows.** "Bad MAC", "No valid sessions", "Authentication tags do not match": the same as for altered
//! bytes, in every client.
//!
//! **Mechanism.** The MAC covers both identity keys. Legacy: sender's, then receiver's. OMEMO 2: the initiator's,
//! then the responder's, in Ed25519 form.
//!
//! **What proves it.** The MAC verifies as soon as the keys are swapped, or one is replaced by another known one: of
//! your store, or of the sender's (`--peer`). Which side has the wrong key follows from the owner's own store, where
//! it is given.
//!
//! **Mistaken for.** [mac-mismatch]: there no order and no known key helps. [device-id-collision].
//!
//! **What to do.**
//! - Replace the session, best from the side that has the wrong key: a new key exchange binds it to the right keys.
//! - If it comes back, report it to the makers of the client that has the wrong key or order (often after an import
//!   or a migration).
//! - The text can be shown here, with this warning.
//!
//! **Fine causes.**
//! - `swapped`: the two identity keys stand in the other order.
//! - `other-sender-key`: bound to another identity key of the sender.
//! - `other-receiver-key`: bound to another identity key of ours.
//! - `both-other-keys`: bound to other identity keys of both sides.
//!
//! **References.** XEP-0384, "Key Exchange" and "Double Ratchet"; X3DH, "Sending the initial message".

use super::{Cause, Judgement, Scene, computed, in_store, nothing};
use crate::analysis::trial::{AdFact, OtherKey, Side};
use crate::model::{Code, Confidence, Evidence};

pub(super) const CAUSE: Cause = Cause { code: Code::AdMismatch, source: include_str!("ad_mismatch.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let fact = scene.outcome.trials.iter().find_map(|t| t.associated_data.as_deref()).filter(|_| !scene.opened_by_store())?;
    let (sentence, evidence, wrong) = match fact {
        AdFact::Swapped(wrong) => {
            let evidence = vec![computed("the MAC verifies with the two identity keys in the other order")];
            (swapped(scene, *wrong), evidence, *wrong)
        }
        AdFact::OtherSender(key) => (other_sender(scene, key.wrong), of_sender(key).to_vec(), key.wrong),
        AdFact::OtherReceiver(key) => (other_receiver(scene, key.wrong), of_ours(key).to_vec(), key.wrong),
        AdFact::BothOthers(sender, ours) => {
            let wrong = sender.wrong.filter(|_| sender.wrong == ours.wrong);
            (general(scene), [of_sender(sender), of_ours(ours)].concat(), wrong)
        }
    };
    let judgement = Judgement::new(Confidence::Proven, sentence).all_evidence(evidence);
    let judgement = match fact {
        AdFact::Swapped(_) => judgement.detail("swapped"),
        AdFact::OtherSender(_) => judgement.detail("other-sender-key"),
        AdFact::OtherReceiver(_) => judgement.detail("other-receiver-key"),
        AdFact::BothOthers(..) => judgement.detail("both-other-keys"),
    };
    let replace = match wrong {
        Some(Side::Senders) => {
            "The sender should end and restart its session with us: a new key exchange binds it to the right keys."
        }
        _ => "Replace the session with this device: a new key exchange binds it to the right keys.",
    };
    Some(judgement.remedy(replace).remedy("If it comes back, the client with the wrong key or order has a bug: report it there."))
}

fn general(scene: &Scene<'_>) -> String {
    format!("The message from {} is bound to other identity keys than the session.", scene.sender())
}

fn swapped(scene: &Scene<'_>, wrong: Option<Side>) -> String {
    match wrong {
        Some(Side::Senders) => format!("{} put the two identity keys in the wrong order.", scene.sender()),
        Some(Side::Ours) => format!("Our session with {} has the two identity keys in the wrong order.", scene.sender()),
        None => general(scene),
    }
}

fn other_sender(scene: &Scene<'_>, wrong: Option<Side>) -> String {
    match wrong {
        Some(Side::Senders) => {
            format!(
                "The fault is on the sender's side: {} bound the message to an identity key that is not its own.",
                scene.sender()
            )
        }
        Some(Side::Ours) => format!("The fault is on our side: our session has a wrong identity key for {}.", scene.sender()),
        None => general(scene),
    }
}

fn other_receiver(scene: &Scene<'_>, wrong: Option<Side>) -> String {
    match wrong {
        Some(Side::Senders) => format!(
            "The fault is on the sender's side: {} bound the message to an identity key of ours that we do not have.",
            scene.sender()
        ),
        Some(Side::Ours) => {
            format!(
                "The fault is on our side: our session with {} has another identity key of ours than our account.",
                scene.sender()
            )
        }
        None => general(scene),
    }
}

fn of_sender(key: &OtherKey) -> [Evidence; 2] {
    found(key, "the sender")
}

fn of_ours(key: &OtherKey) -> [Evidence; 2] {
    found(key, "ours")
}

fn found(key: &OtherKey, whose: &str) -> [Evidence; 2] {
    let fingerprint = key.key.fingerprint().grouped();
    [
        computed(format!("the MAC verifies with another key of {whose}: {fingerprint}")),
        in_store(&key.place, "this identity key stands here"),
    ]
}
