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
//! **What proves it.** The MAC verifies as soon as the keys are swapped, or one is replaced by another known one.
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
            ("other-receiver-key", format!("the MAC verifies with another key of your device: {}", key.fingerprint().grouped()))
        }
    };
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The message from {} fits but for the identity keys: one side has a wrong one on file, or they stand in the wrong order.", scene.sender()),
        )
        .detail(detail)
        .evidence(computed(says))
        .remedy("Compare both fingerprints with the sender over another way. If they are right, end and restart the session: that binds it to the right keys.")
        .remedy("If it comes back, the client with the wrong key or order has a bug: report it to its makers."),
    )
}
