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

use super::{Cause, Judgement, Scene, computed, nothing, rule};
use crate::analysis::content::{Opened, Payload};
use crate::model::{Code, Confidence};
use crate::omemo::payload::{Dialect, PayloadError, TagPlace};

/// Length of the initialisation vector of old clients.
const OLD_IV_LENGTH: usize = 16;

pub(super) const CAUSE: Cause =
    Cause { code: Code::PayloadAuthFailed, source: include_str!("payload_auth_failed.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    match scene.outcome.payload.as_ref()? {
        Payload::Failed(error) => Some(failed(scene, *error)),
        Payload::Opened(Opened { dialect: Some(dialect), .. }) => refused(scene, *dialect),
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

/// The payload opens, but it is packed in an old way that this client refuses.
fn refused(scene: &Scene<'_>, dialect: Dialect) -> Option<Judgement> {
    let client = scene.client()?;
    let Dialect::Legacy { tag, iv_length } = dialect else { return None };
    let (detail, says, refusal) = if client.refuses.long_iv && iv_length == OLD_IV_LENGTH {
        ("iv-16", "the initialisation vector has 16 bytes, as old clients wrote it", "takes only 12 bytes")
    } else if client.refuses.tag_in_payload && tag == TagPlace::InPayload {
        (
            "tag-in-payload",
            "the authentication tag stands behind the text, as clients before 2018 sent it",
            "wants it with the key",
        )
    } else {
        return None;
    };
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The message from {} is packed in an old way that {} does not read.", scene.sender(), client.name),
        )
        .detail(detail)
        .evidence(scene.stanza(says))
        .evidence(rule(client.name, refusal))
        .remedy("The sender should update the client. Nothing is wrong with the session."),
    )
}
