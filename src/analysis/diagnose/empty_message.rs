//! # empty-message
//!
//! **What happened.** The message carries no text, on purpose. Clients send each other such messages to begin a
//! session or to keep it up; nobody wrote anything. Nobody is to blame, and nothing is wrong.
//!
//! **What to do.** Nothing.
//!
//! **What is lost.** Nothing.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Not at all. Clients with a bug show a phantom "could not be decrypted". lurch logs "received
//! keytransportmsg", Conversations "received OMEMO key transport message", Monal "KeyTransportElement received".
//!
//! **Mistaken for.** A lost text: a message with text always has a payload. A log that left the payload out says so.
//!
//! **Mechanism.** After a key exchange the receiver should answer with an empty message. From counter 53 on, OMEMO 2
//! clients send one (heartbeat), so that a one-sided conversation stays safe. In OMEMO 2 the key material of an empty
//! message is 32 zero bytes.
//!
//! **What proves it.** There is no payload.
//!
//! **References.** XEP-0384, "Business Rules" (heartbeat) and "Receiving a message"; profanity-im/profanity#2129;
//! tigase/beagle-im#64.

use super::{Cause, Judgement, Scene, nothing, rule};
use crate::analysis::content::Payload;
use crate::model::{Code, Confidence};

/// Counter from which XEP-0384 (0.4 and later) wants a heartbeat.
const HEARTBEAT: u32 = 53;

pub(super) const CAUSE: Cause =
    Cause { code: Code::EmptyMessage, source: include_str!("empty_message.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    if outcome.element.has_payload() {
        return None;
    }
    let namespace = outcome.namespace()?;
    // A heartbeat answers a long one-sided chain, and begins a new one of its own.
    let unanswered = outcome.own_counter.filter(|n| *n >= HEARTBEAT && !namespace.is_legacy());
    let purpose = match (outcome.key_fact(), unanswered) {
        (Some(key), _) if key.is_exchange() => "it begins a session",
        (Some(_), Some(_)) => "a heartbeat, since you had sent many messages without an answer",
        (Some(key), None) if key.counter >= HEARTBEAT => "it keeps the ratchet turning after many one-sided messages",
        (Some(_), None) => "it completes a session or keeps the ratchet turning",
        (None, _) => "it is meant for other devices",
    };
    let mut judgement =
        Judgement::new(Confidence::Proven, format!("The message from {} carries no text: {purpose}.", scene.sender()))
            .evidence(scene.stanza("there is no payload"));
    if let Some(counter) = unanswered {
        let says = format!(
            "your device had sent it messages up to counter {counter}; from {HEARTBEAT} on the receiver must send a heartbeat"
        );
        judgement = judgement.evidence(rule("XEP-0384, heartbeat", says));
    }
    match outcome.payload.as_deref() {
        Some(Payload::Empty { regular: false }) => {
            let says = "its key material is not what this variant wants for an empty message";
            judgement = judgement.evidence(scene.stanza(says));
        }
        Some(Payload::Empty { regular: true }) if !namespace.is_legacy() => {
            judgement = judgement
                .evidence(scene.stanza("its key material is 32 zero bytes, the mark of a message that is empty on purpose"));
        }
        _ => {}
    }
    Some(judgement)
}
