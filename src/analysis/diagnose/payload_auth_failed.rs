//! # payload-auth-failed
//!
//! **What happened.** The part for your device can be opened, but the text does not belong to it: it was changed,
//! cut or exchanged. Mostly only the log is damaged, or the sender's client is at fault, not you. An attack is rare,
//! but cannot be excluded. The session and your keys are fine.
//!
//! **What to do.**
//! - If your client shows the message, or if a second log has it whole, only your log is damaged. Nothing is to be
//!   done.
//! - Otherwise ask the sender to send the message again. Do not end the session.
//! - If it happens again and again, tell the sender by phone or in person.
//!
//! **What is lost.** This message, until the sender sends it again. Nothing, if only your log is damaged.
//!
//! **Fine causes.** The advice above holds for all of them.
//! - `altered`: the text was changed, or it is not complete.
//! - `tag-missing`: the proof that the text is unchanged is missing. Mostly the sender's client left it out. Ask the
//!   sender to update it.
//! - `wrong-length`: the sender's client packs messages wrongly. Ask the sender to update it.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Gajim: InvalidTag or an empty warning. Profanity: "Checksum error", "invalid key length". Monal: "GCM error",
//!   "iv.length != 12". Siskin: error code -1004. Kaidan: "Message authentication code does not match expected one".
//!   Converse: "SCE HMAC verification failed", OperationError. python-omemo: "Ciphertext decryption failed.",
//!   "Authentication tag verification failed."
//! - Conversations, for old packing: "Key did not contain auth tag". lurch: "failed to decrypt payload".
//!
//! **Mistaken for.** A log that wrapped or cut the payload: suspect the capture first. [mac-mismatch]: there the key
//! itself does not open.
//!
//! **Mechanism.** The payload is encrypted once for all receivers and carries its own tag; each receiver gets the key
//! through its ratchet. Very old clients use a 16-byte IV or put the tag behind the payload: omemoscope reads both, but
//! not every client does (see `ok`, `iv-16` and `tag-in-payload`).
//!
//! **What proves it.** The ratchet's MAC verifies, the payload's does not. `tag-missing`: the key came without a
//! tag, and the payload does not end with one. `wrong-length`: key material or IV have a length that this variant
//! does not have.
//!
//! **References.** XEP-0384, "Message Decryption"; monal-im/Monal#536; dino/dino#265; profanity-im/profanity#1107.

use super::{Cause, Judgement, Scene, computed, nothing, remedies};
use crate::analysis::content::Payload;
use crate::model::{Code, Confidence};
use crate::omemo::payload::PayloadError;

pub(super) const CAUSE: Cause =
    Cause { code: Code::PayloadAuthFailed, source: include_str!("payload_auth_failed.rs"), judge, gather: nothing };

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
        format!(
            "The text of the message from {} was changed, cut or wrongly packed, or the log is damaged: its key opens.",
            scene.sender()
        ),
    )
    .detail(detail)
    .evidence(computed(format!("the ratchet layer verified; then: {error}")))
    .remedy("If your client shows the message, only your log is damaged, and nothing is to be done.")
    .remedy(remedies::SEND_AGAIN)
}
