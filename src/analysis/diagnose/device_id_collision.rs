//! # device-id-collision
//!
//! **What happened.** Two devices use the same device id. Messages of one are taken for messages of the other.
//!
//! **How it shows.** Gajim takes a message whose sender id equals its own for its own and drops it. Otherwise
//! messages fail in turn, or "identity key changed" appears again and again.
//!
//! **Mechanism.** Ids are random and unique only by luck; some clients draw them from a small range (Converse:
//! 0 to 16383, Kaidan: 1 to 16380). A cloned profile or phone gives two devices with one id *and* one identity key.
//! The legacy header has no address beside the ids, so ids of different accounts clash too.
//!
//! **What proves it.** A foreign sender with our id; or one id used with two identity keys in turn, where the first
//! comes back (after a reinstallation it would not).
//!
//! **Mistaken for.** [identity-changed] (the old key never comes back), [own-message].
//!
//! **What to do.** Make new OMEMO keys on one of the two installations. Never run two copies of one profile.
//!
//! **References.** XEP-0384, "Setup" and "Business Rules" (device ids).

use super::{Cause, Judgement, Scene, in_stanza, nothing};
use crate::analysis::outcome::Origin;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::DeviceIdCollision, source: include_str!("device_id_collision.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let sid = outcome.element.sid()?;
    if outcome.origin == Origin::OurIdElsewhere {
        return Some(
            Judgement::new(
                Confidence::Proven,
                format!("{} has the same id as {}.", capital(&scene.sender()), scene.our_device()),
            )
            .detail("id-clash-across-accounts")
            .evidence(scene.stanza(format!("the sender id {sid} is ours, but the sender is another account")))
            .remedy("Make new OMEMO keys on one of the two devices, best on the one that is newer."),
        );
    }
    // One id, two identity keys, and the first one comes back.
    let identity = outcome.key_fact()?.identity?;
    let known = outcome.trials.first()?.exchange.as_ref()?.other_identity?;
    let uses = scene.whole.book.identities(outcome.namespace()?, outcome.header.from.as_ref(), sid);
    let first = uses.iter().position(|u| u.identity == identity)?;
    let back = uses[first..].iter().find(|u| u.identity == known)?;
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("Two devices of the sender use the id {sid}, each with its own identity key."),
        )
        .detail("id-clash-same-account")
        .evidence(scene.stanza(format!("here the identity key is {}", identity.fingerprint().grouped())))
        .evidence(in_stanza(
            &back.first.position,
            format!("afterwards the known key {} is in use again", known.fingerprint().grouped()),
        ))
        .remedy("The sender should make new OMEMO keys on one of the two installations."),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
