//! # unsupported-version
//!
//! **What happened.** The message is written in a version of OMEMO, or of the Signal message format inside it, that
//! nobody has defined. It is not your fault: your client cannot read it, and no other client can either.
//!
//! **How it shows.**
//! - Gajim: "Unknown version". Conversations, Profanity and all clients with libsignal: "Message version …, but
//!   session version …" or SG_ERR_INVALID_VERSION (-1006), SG_ERR_LEGACY_MESSAGE (-1007).
//! - Converse: "Incompatible version number on …". Kaidan: "OMEMO envelope data format is deprecated".
//! - Clients that look at the namespace first show only the fallback text.
//!
//! **Mechanism.** Three namespaces exist: `eu.siacs.conversations.axolotl`, `urn:xmpp:omemo:1` and
//! `urn:xmpp:omemo:2`. In the oldest one the first byte of the key element holds the version of the Signal protocol
//! in its upper half, which must be 3.
//!
//! **What proves it.** The namespace or the version byte itself: no key is needed.
//!
//! **Mistaken for.** Damaged bytes ([malformed-message]): there the version is right and the rest is not. Bytes of
//! another variant ([variant-mismatch]): there they make sense when read as the other one.
//!
//! **What to do.**
//! - Update both clients.
//! - If it stays, report it to the makers of the sender's client. The message itself is lost here.
//!
//! **References.** XEP-0384, "Protocol Namespaces"; libsignal-protocol-c, `signal_message_deserialize`.

use super::{Cause, Judgement, Scene, nothing};
use crate::analysis::outcome::Element;
use crate::model::{Code, Confidence};
use crate::omemo::wire::WireError;

pub(super) const CAUSE: Cause =
    Cause { code: Code::UnsupportedVersion, source: include_str!("unsupported_version.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let found = match (&scene.outcome.element, &scene.outcome.key) {
        (Element::Unknown { uri, .. }, _) => format!("the element's namespace is {uri}, which no version of XEP-0384 defines"),
        (_, Some(Err(error @ WireError::Version(_)))) => error.to_string(),
        _ => return None,
    };
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The message from {} is of a version of OMEMO that nobody has defined.", scene.sender()),
        )
        .evidence(scene.stanza(found))
        .remedy("Update both clients; if it happens again, report it to the makers of the sender's client."),
    )
}
