//! # own-message
//!
//! **What happened.** This very device sent the message. It came back as a copy, from the server's archive or from a
//! group chat, or it is your client's own record of sending it. Nobody is to blame, and nothing is wrong.
//!
//! **What to do.** Nothing.
//!
//! **What is lost.** Nothing, if your client still has its chat history. After a restored backup or a new
//! installation what you sent in between may be missing, and nobody can decrypt it on this device: ask the other
//! person for it.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Gajim: "Received previously sent message by us", "Can't decrypt own group chat message". Conversations: "Reflected
//!   omemo message received".
//! - Kaidan: "Error decrypting message." during archive queries.
//! - Badly written clients show the fallback text beside the message they sent, often after a restart.
//!
//! **Mistaken for.** [device-id-collision]: another installation that uses the same id. There the log shows ratchet
//! keys that your store never made.
//!
//! **Mechanism.** A device makes no key for itself, so it can never decrypt what it sent; it must remember the text.
//!
//! **What proves it.** The sender id is that of this device, and the message comes from its own account. In a room that
//! hides addresses only the id speaks for it: then the verdict says `likely`.
//!
//! **References.** XEP-0384, "Sending a message"; XEP-0280; XEP-0045; tigase/siskin-im#9; tigase/beagle-im#167;
//! profanity-im/profanity#2052.

use super::{Cause, Judgement, Scene, in_stanza, nothing};
use crate::analysis::outcome::Origin;
use crate::model::{Code, Confidence, Direction, Wrapper};

pub(super) const CAUSE: Cause = Cause { code: Code::OwnMessage, source: include_str!("own_message.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if let Some(judgement) = under_another_address(scene) {
        return Some(judgement);
    }
    if scene.outcome.origin != Origin::ThisDevice {
        return None;
    }
    let header = &scene.outcome.header;
    let way = match (header.wrapper, header.direction, &header.room) {
        (Wrapper::CarbonSent | Wrapper::CarbonReceived, ..) => "a carbon of it",
        (Wrapper::Archive, ..) => "a copy from the archive",
        (_, Some(Direction::Incoming), Some(_)) => "the group chat's reflection of it",
        (_, Some(Direction::Outgoing), _) => "it as it went out",
        _ => "a copy of it",
    };
    let judgement =
        Judgement::new(Confidence::Proven, format!("{} sent this message itself; this is {way}.", scene.our_device()))
            .evidence(scene.stanza("the sender's device id is that of this device, on its own account"));
    // In a room that hides addresses only the id speaks for it.
    let hidden = header.from.is_none() && header.direction != Some(Direction::Outgoing);
    Some(if hidden {
        Judgement { confidence: Confidence::Likely, ..judgement }.open_question(
            "The group chat hides real addresses: another member with the same device id is possible, if very unlikely.",
        )
    } else {
        judgement
    })
}

/// The account is named wrongly: a bundle in the capture shows that the device of the other address has our own identity key.
fn under_another_address(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let from = outcome.header.from.as_ref().filter(|_| outcome.origin == Origin::OurIdElsewhere)?;
    let own = scene.own()?;
    let bundle = scene.whole.published.bundle(Some(from), own.device_id?, outcome.namespace()?)?;
    let same = bundle.identity?.fingerprint() == own.identity()?.fingerprint();
    let account = own.jid.as_ref().filter(|_| same)?;
    Some(
        Judgement::new(
            Confidence::Likely,
            format!(
                "{} sent this message itself, under the address {from}: {account} seems to be the wrong account.",
                scene.our_device()
            ),
        )
        .evidence(in_stanza(&bundle.last, format!("the bundle of {from} for this device id has your own identity key")))
        .remedy(format!("Ask again with --account {from}.")),
    )
}
