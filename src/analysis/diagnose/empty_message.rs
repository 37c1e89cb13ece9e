//! # empty-message
//!
//! **What happened.** The message carries no text, on purpose: it completes a session, keeps the ratchet turning
//! (heartbeat) or hands over a key. Nothing is lost and nothing is wrong.
//!
//! **How it shows.** Not at all. Clients with a bug show a phantom "could not be decrypted". lurch logs "received
//! keytransportmsg", Conversations "received OMEMO key transport message", Monal "KeyTransportElement received".
//!
//! **Mechanism.** After a key exchange the receiver should answer with an empty message. From counter 53 on, OMEMO 2
//! clients send one (heartbeat), so that a one-sided conversation stays safe. In OMEMO 2 the key material of an empty
//! message is 32 zero bytes.
//!
//! **What proves it.** There is no payload.
//!
//! **Mistaken for.** A lost text: a message with text always has a payload. A log that left the payload out says so.
//!
//! **What to do.** Nothing.
//!
//! **References.** XEP-0384, "Business Rules" (heartbeat) and "Receiving a message"; profanity-im/profanity#2129;
//! tigase/beagle-im#64.

use super::{Cause, Judgement, Scene, nothing};
use crate::analysis::content::Payload;
use crate::model::{Code, Confidence};

/// Counter from which XEP-0384 (0.4 and later) wants a heartbeat.
const HEARTBEAT: u32 = 53;

pub(super) const CAUSE: Cause =
    Cause { code: Code::EmptyMessage, source: include_str!("empty_message.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    if outcome.element.has_payload() || outcome.namespace().is_none() {
        return None;
    }
    let purpose = match outcome.key_fact() {
        Some(key) if key.exchange => "it begins a session",
        Some(key) if key.counter >= HEARTBEAT => "a heartbeat after many one-sided messages",
        Some(_) => "it completes a session or keeps the ratchet turning",
        None => "it is meant for other devices",
    };
    let mut judgement =
        Judgement::new(Confidence::Proven, format!("The message from {} carries no text: {purpose}.", scene.sender()))
            .evidence(scene.stanza("there is no payload"));
    if let Some(Payload::Empty { regular: false }) = outcome.payload {
        judgement = judgement.evidence(scene.stanza("its key material is not what this variant wants for an empty message"));
    }
    Some(judgement)
}
