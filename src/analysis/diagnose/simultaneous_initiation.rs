//! # simultaneous-initiation
//!
//! **What happened.** Both sides began a session at the same moment. Each now holds the session that the other
//! one began, so neither reads the other.
//!
//! **How it shows.** From the first contact on, messages fail with "tags do not match" or "Bad MAC". Clients of
//! the libsignal family keep both sessions and recover by themselves; python-omemo keeps one and does not.
//!
//! **Mechanism.** OMEMO 2 says that a new key exchange replaces the session. When two exchanges cross, each side
//! replaces its own session by the other's.
//!
//! **What proves it.** Our own key exchange and theirs cross in the capture, and the message opens with the
//! session that was replaced.
//!
//! **Mistaken for.** [receiver-rolled-back], [mac-mismatch].
//!
//! **What to do.** One side should replace the session once more (in clients without such a command: remove the
//! device or its session, then write). Only one side, not both at once.
//!
//! **References.** XEP-0384 section 5.4; the Signal paper on Sesame, section 3.

use super::{Cause, Judgement, Scene, computed, in_stanza, nothing};
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::SimultaneousInitiation, source: include_str!("simultaneous_initiation.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let trial = scene.trial().filter(|t| t.replaced_session_opens)?;
    let mut judgement = Judgement::new(
        Confidence::Proven,
        format!(
            "Both sides began a session at once; {} answers in the one that {} no longer has.",
            scene.sender(),
            scene.client_name()
        ),
    )
    .evidence(computed("the message opens with the session that their key exchange replaced"));
    if let Some(own) = scene.outcome.own_newest.as_ref().filter(|o| o.base_key.is_some()) {
        judgement = judgement.evidence(in_stanza(&own.first, "our own key exchange went out, crossing theirs"));
    }
    debug_assert!(trial.opened.is_some(), "a replaced session that opens gives key material");
    let replace = scene.client().and_then(|c| c.remedies.replace_session);
    Some(judgement.remedy(replace.unwrap_or("One side, not both, should replace the session with this device and write again.")))
}
