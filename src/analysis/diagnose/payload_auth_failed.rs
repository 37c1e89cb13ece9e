//! # payload-auth-failed
//!
//! **What happened.** The key for us opened, but the encrypted text does not belong to it: it was changed, cut or
//! exchanged on the way. The session is fine, and your keys are.
//!
//! **How it shows.**
//! - Gajim: InvalidTag or an empty warning. Profanity: "Checksum error", "invalid key length". Monal: "GCM error",
//!   "iv.length != 12". Siskin: error code -1004. Kaidan: "Message authentication code does not match expected one".
//!   Converse: "SCE HMAC verification failed", OperationError. python-omemo: "Ciphertext decryption failed.",
//!   "Authentication tag verification failed."
//! - Conversations, for old packing: "Key did not contain auth tag". lurch: "failed to decrypt payload".
//!
//! **Mechanism.** The payload is encrypted once for all receivers and carries its own tag; each receiver gets the key
//! through its ratchet. Very old clients use a 16-byte IV or put the tag behind the payload: both are read here, but
//! not by every client (see `ok`, `iv-16` and `tag-in-payload`).
//!
//! **What proves it.** The ratchet's MAC verifies, the payload's does not.
//!
//! **Mistaken for.** A log that wrapped or cut the payload: suspect the capture first. [mac-mismatch]: there the key
//! itself does not open.
//!
//! **What to do.**
//! - Compare with another log of the same message.
//! - Ask the sender to send it again; an old client should be updated. Do not reset the session.
//!
//! **Fine causes.**
//! - `altered`: the tag does not verify, or the payload is cut.
//! - `tag-missing`: the key came without a tag, and the payload does not end with one.
//! - `wrong-length`: key material or IV have a length that this variant does not have.
//!
//! **References.** XEP-0384, "Message Decryption"; monal-im/Monal#536; dino/dino#265; profanity-im/profanity#1107.

use super::{Cause, Judgement, Scene, computed, nothing};
use crate::analysis::content::Payload;
use crate::model::{Code, Confidence};
use crate::omemo::payload::PayloadError;

pub(super) const CAUSE: Cause =
    Cause { code: Code::PayloadAuthFailed, source: include_str!("payload_auth_failed.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    match scene.outcome.payload.as_deref()? {
        Payload::Failed(error) => Some(failed(scene, *error)),
        _ => None,
    }
}

fn failed(scene: &Scene<'_>, error: PayloadError) -> Judgement {
    let detail = match error {
        PayloadError::TagMissing => "tag-missing",
        PayloadError::IvLength(_) | PayloadError::KeyLength(_) => "wrong-length",
        PayloadError::Authentication | PayloadError::TooShort(_) | PayloadError::Padding => "altered",
    };
    Judgement::new(
        Confidence::Proven,
        format!("The key that {} made for us opens, but the text does not belong to it.", scene.sender()),
    )
    .detail(detail)
    .evidence(computed(format!("the ratchet layer verified; then: {error}")))
    .remedy("Compare with another log of the same message: the log may have changed it.")
    .remedy("The session is fine: ask the sender to send the message again.")
}
