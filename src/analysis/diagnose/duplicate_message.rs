//! # duplicate-message
//!
//! **What happened.** The message was read before; this is another copy of it. Its key was used up by the first one.
//!
//! **How it shows.** Usually not at all. Badly written clients show the fallback text again. "Received duplicated
//! message" (Gajim), SG_ERR_DUPLICATE_MESSAGE (-1001), "already received" (Kaidan), MessageCounterError (Converse).
//!
//! **Mechanism.** The same message comes from the archive, as a carbon, from a room's history or twice after a
//! broken connection. Every key works once.
//!
//! **What proves it.** The same bytes earlier in the capture. Otherwise: the chain has passed its counter, and
//! nothing says that the sender reused it.
//!
//! **Mistaken for.** [sender-rolled-back] (other bytes under the same counter), [message-key-evicted] (the message was
//! never read).
//!
//! **What to do.** Nothing.
//!
//! **References.** XEP-0384, "Business Rules"; The Double Ratchet Algorithm, "Out-of-order messages".

use super::{Cause, Judgement, Scene, computed, in_stanza, nothing};
use crate::analysis::trial::RatchetFact;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::DuplicateMessage, source: include_str!("duplicate_message.rs"), judge, whole: nothing };

/// The certain case, decided before anything that a used-up key could be mistaken for.
pub(super) const SAME_BYTES: Cause =
    Cause { code: Code::DuplicateMessage, source: include_str!("duplicate_message.rs"), judge: judge_same_bytes, whole: nothing };

fn judge_same_bytes(scene: &Scene<'_>) -> Option<Judgement> {
    let seen = scene.outcome.seen_before.as_ref().filter(|s| s.same_bytes && s.opened)?;
    if scene.opened_by_store() {
        return None;
    }
    Some(
        Judgement::new(Confidence::Proven, "This is another copy of a message that was already read.")
            .maybe_detail(detail(scene))
            .evidence(in_stanza(&seen.position, "the same bytes came before")),
    )
}

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let Some(RatchetFact::Used { index, .. }) = scene.trial()?.ratchet else { return None };
    if scene.opened_by_store() {
        return None;
    }
    let counter = scene.outcome.key_fact()?.counter;
    let says = index.map_or_else(
        || format!("the key of counter {counter} is gone from its chain"),
        |index| format!("the chain stands at {index}, the message has counter {counter} and its key is no longer kept"),
    );
    Some(
        Judgement::new(Confidence::Likely, "The key of this message was used before: it was read already.")
            .maybe_detail(detail(scene))
            .evidence(computed(says))
            .open_question("If the sender restored an old copy of its store, this is a new text under a used key: the sender's store, or an earlier log with this counter, would tell."),
    )
}

fn detail(scene: &Scene<'_>) -> Option<&'static str> {
    use crate::model::Wrapper;
    match scene.outcome.header.wrapper {
        Wrapper::Archive => Some("archive-replay"),
        Wrapper::CarbonReceived | Wrapper::CarbonSent => Some("carbon"),
        Wrapper::Direct => None,
    }
}
