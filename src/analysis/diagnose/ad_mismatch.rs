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
//! **What proves it.** The MAC verifies as soon as the keys are swapped, or one is replaced by another known one.
//!
//! **Mistaken for.** [mac-mismatch]: there no order and no known key helps. [device-id-collision].
//!
//! **What to do.**
//! - Replace the session: a new key exchange binds it to the right keys.
//! - If it comes back, report it to the makers of the client that has the wrong key or order (often after an import
//!   or a migration).
//! - The text can be shown here, with this warning.
//!
//! **Fine causes.**
//! - `swapped`: the two identity keys stand in the other order.
//! - `other-sender-key`: bound to another identity key of the sender.
//! - `other-receiver-key`: bound to another identity key of ours.
//!
//! **References.** XEP-0384, "Key Exchange" and "Double Ratchet"; X3DH, "Sending the initial message".

use super::{Cause, Judgement, Scene, computed, nothing};
use crate::analysis::trial::AdFact;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause = Cause { code: Code::AdMismatch, source: include_str!("ad_mismatch.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let fact = scene.outcome.trials.iter().find_map(|t| t.associated_data.as_deref()).filter(|_| !scene.opened_by_store())?;
    let (detail, says) = match fact {
        AdFact::Swapped => ("swapped", "the MAC verifies with the two identity keys in the other order".into()),
        AdFact::OtherSender(key) => {
            ("other-sender-key", format!("the MAC verifies with another key of the sender: {}", key.fingerprint().grouped()))
        }
        AdFact::OtherReceiver(key) => {
            ("other-receiver-key", format!("the MAC verifies with another key of ours: {}", key.fingerprint().grouped()))
        }
    };
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The message from {} is bound to other identity keys than the session.", scene.sender()),
        )
        .detail(detail)
        .evidence(computed(says))
        .remedy("Replace the session with this device: a new key exchange binds it to the right keys.")
        .remedy("If it comes back, the client with the wrong key or order has a bug: report it there."),
    )
}
