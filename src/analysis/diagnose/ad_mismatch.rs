//! # ad-mismatch
//!
//! **What happened.** Your client or the sender's has a wrong identity key saved for one of the two devices, or
//! mixes up the two keys. Everything else about the message is right. This is probably nobody's fault: mostly an
//! error in a program or a damaged store did it. But a wrong key may also be that of a stranger, so compare.
//!
//! **What to do.**
//! - Compare two fingerprints with the sender by phone or in person, not in this chat: that of the sender's device
//!   and that of yours.
//! - If both are right, end and restart the session: in the sender's client if the verdict blames the sender's side,
//!   otherwise in yours. If your client has no command for it, ask the sender to do it in theirs.
//!   `omemoscope explain words` says how.
//! - If one is wrong, do not trust that device, and write nothing secret in this chat.
//! - If the error comes back, report it to the makers of the client that the verdict blames. It can come from moving
//!   keys to another program.
//!
//! **What is lost.** Nothing for good: omemoscope can show the text, with this warning. Your client refuses this
//! message, and later ones until the session is restarted.
//!
//! **Fine causes.** They say which key is wrong. The advice above holds for all of them.
//! - `swapped`: one client puts the two keys in the wrong order.
//! - `other-sender-key`: the two clients have different identity keys for the sender's device.
//! - `other-receiver-key`: the two clients have different identity keys for your device.
//! - `both-other-keys`: the two clients have different identity keys for both devices.
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
            "If both are right, ask the sender to end and restart the session in their client: that binds it to the right keys."
        }
        _ => {
            "If both are right, end and restart the session in your client: that binds it to the right keys. If your client has no command for it, ask the sender to do it in theirs."
        }
    };
    Some(
        judgement
            .remedy("Compare two fingerprints with the sender by phone or in person, not in this chat: that of their device, as your client shows it, and that of this device, as theirs shows it.")
            .remedy(replace)
            .remedy("If one is wrong, do not trust that device, and write nothing secret in this chat.")
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
