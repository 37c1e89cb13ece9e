//! # ok
//!
//! **What happened.** The message decrypts, and your client would show it.
//!
//! **How it shows.** As a message.
//!
//! **What proves it.** It opened, and its text verified.
//!
//! **What to do.** Nothing.

use super::{Cause, Judgement, Scene, nothing, rule};
use crate::analysis::content::Payload;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause = Cause { code: Code::Ok, source: include_str!("ok.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if !scene.opened() && !scene.outcome.trials.is_empty() {
        return None;
    }
    if !scene.opened() {
        let sentence = format!("Nothing in the clear speaks against the message from {}.", scene.sender());
        return Some(
            Judgement::new(Confidence::Possible, sentence)
                .detail("not-tried")
                .open_question("Whether it decrypts: a copy of our client's store (--store) would tell."),
        );
    }
    let judgement = Judgement::new(Confidence::Proven, format!("The message from {} decrypts.", scene.sender()));
    if matches!(scene.outcome.payload, Some(Payload::LeftOut)) {
        let sentence = format!("The key that {} made for us opens; the log has left out the text.", scene.sender());
        return Some(
            Judgement::new(Confidence::Likely, sentence)
                .detail("text-not-in-log")
                .open_question("Whether the text is whole: another log of the same message would tell."),
        );
    }
    Some(match scene.outcome.key_fact() {
        Some(key) if key.flag_contradicts => {
            judgement.evidence(rule("prekey/kex", "the attribute contradicts the bytes; this client reads it all the same"))
        }
        _ => judgement,
    })
}
