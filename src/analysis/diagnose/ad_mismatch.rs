//! # ad-mismatch
//!
//! **What happened.** The message fits the session but for the identity keys: one side has a wrong identity key on file
//! for the other, or puts the two in the wrong order. Mostly a bug or a damaged store did that, not you or the sender;
//! but a wrong key on file may also be somebody else's.
//!
//! **What to do.**
//! - Compare both fingerprints with the sender over another way.
//! - If they are right, end and restart the session: the new one is bound to the right keys.
//! - If it comes back, report it to the makers of the client that has the wrong key or order (often after an import or
//!   a migration).
//!
//! **What is lost.** Nothing: omemoscope can show the text, with this warning. Your client refuses it, and what follows
//! until the session is restarted.
//!
//! **Fine causes.**
//! - `swapped`: the two identity keys stand in the other order.
//! - `other-sender-key`: bound to another identity key of the sender.
//! - `other-receiver-key`: bound to another identity key of your device.
//! - `both-other-keys`: bound to other identity keys of both sides.
//!
//! ### For those who repair clients
//!
//! **How it shows.** "Bad MAC", "No valid sessions", "Authentication tags do not match": the same as for altered bytes,
//! in every client.
//!
//! **Mistaken for.** [mac-mismatch]: there no order and no known key helps. [device-id-collision].
//!
//! **Mechanism.** The MAC covers both identity keys. Legacy: sender's, then receiver's. OMEMO 2: the initiator's, then
//! the responder's, in Ed25519 form.
//!
//! **What proves it.** The MAC verifies as soon as the keys are swapped, or one is replaced by another known one: of
//! your store, or of the sender's (`--peer`). Which side has the wrong key follows from the owner's own store, where
//! it is given.
//!
//! **References.** XEP-0384, "Key Exchange" and "Double Ratchet"; X3DH, "Sending the initial message".

use super::{Cause, Judgement, Scene, computed, in_store, nothing};
use crate::analysis::trial::{AdFact, OtherKey, Side};
use crate::model::{Code, Confidence, Evidence};

pub(super) const CAUSE: Cause = Cause { code: Code::AdMismatch, source: include_str!("ad_mismatch.rs"), judge, gather: nothing };

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
            "Compare both fingerprints with the sender over another way. If they are right, ask the sender to end and restart the session in their client: that binds it to the right keys."
        }
        _ => {
            "Compare both fingerprints with the sender over another way. If they are right, end and restart the session: that binds it to the right keys."
        }
    };
    Some(
        judgement
            .remedy(replace)
            .remedy("If it comes back, the client with the wrong key or order has a bug: report it to its makers."),
    )
}

fn general(scene: &Scene<'_>) -> String {
    format!(
        "The message from {} fits but for the identity keys: one side has a wrong one on file, or they stand in the wrong order.",
        scene.sender()
    )
}

fn swapped(scene: &Scene<'_>, wrong: Option<Side>) -> String {
    match wrong {
        Some(Side::Senders) => format!("{} put the two identity keys in the wrong order.", scene.sender()),
        Some(Side::Ours) => {
            format!("Your client's session with {} has the two identity keys in the wrong order.", scene.sender())
        }
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
        Some(Side::Ours) => {
            format!("The fault is on this side: your client's session has a wrong identity key for {}.", scene.sender())
        }
        None => general(scene),
    }
}

fn other_receiver(scene: &Scene<'_>, wrong: Option<Side>) -> String {
    match wrong {
        Some(Side::Senders) => format!(
            "The fault is on the sender's side: {} bound the message to an identity key that your device does not have.",
            scene.sender()
        ),
        Some(Side::Ours) => {
            format!(
                "The fault is on this side: your client's session with {} has another identity key of your device than its account.",
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
    found(key, "your device")
}

fn found(key: &OtherKey, whose: &str) -> [Evidence; 2] {
    let fingerprint = key.key.fingerprint().grouped();
    [
        computed(format!("the MAC verifies with another key of {whose}: {fingerprint}")),
        in_store(&key.place, "this identity key stands here"),
    ]
}
