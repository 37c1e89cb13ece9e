//! # payload-auth-failed
//!
//! **What happened.** The key for us opened, but the encrypted text does not belong to it: it was changed, cut or
//! exchanged on the way.
//!
//! **How it shows.** InvalidTag (Gajim), "Checksum error" (Profanity), "GCM error" (Monal), -1004 (Siskin), "Message
//! authentication code does not match" (Kaidan), "SCE HMAC verification failed" (Converse).
//!
//! **Mechanism.** The payload is encrypted once for all receivers and carries its own tag; each receiver gets the key
//! through its ratchet. Very old clients use a 16-byte IV or put the tag behind the payload; that is read here.
//!
//! **What proves it.** The ratchet's MAC verifies, the payload's does not.
//!
//! **Mistaken for.** A log that wrapped or cut the payload: suspect the capture first.
//!
//! **What to do.** Compare with another log of the same message. The session is fine; ask the sender to send it again.
//!
//! **References.** XEP-0384, "Message Decryption".

use super::{Cause, Judgement, Scene, computed, nothing};
use crate::analysis::content::Payload;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::PayloadAuthFailed, source: include_str!("payload_auth_failed.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let Some(Payload::Failed(error)) = &scene.outcome.payload else { return None };
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The key that {} made for us opens, but the text does not belong to it.", scene.sender()),
        )
        .evidence(computed(format!("the ratchet layer verified; then: {error}")))
        .remedy("Compare with another log of the same message: the log may have changed it.")
        .remedy("The session is fine: ask the sender to send the message again."),
    )
}
