//! # unsupported-version
//!
//! **What happened.** The message is in a version of OMEMO that was given up, or that nobody has defined. The
//! sender's client is at fault, not you: it is very old, very new or faulty.
//!
//! **What to do.**
//! - Ask the sender to update their client and to send the message again.
//! - Update your client, too: perhaps it is too old for a new version.
//! - If the error remains, ask the sender to report it to the makers of their client.
//!
//! **What is lost.** This message, until the sender sends it again in a version that your client reads.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Gajim: "Unknown version". Conversations, Profanity and all clients with libsignal: "Message version …, but session
//!   version …" or SG_ERR_INVALID_VERSION (-1006), SG_ERR_LEGACY_MESSAGE (-1007).
//! - Converse: "Incompatible version number on …". Kaidan: "OMEMO envelope data format is deprecated".
//! - Clients that look at the namespace first show only the fallback text.
//!
//! **Mistaken for.** Damaged bytes ([malformed-message]): there the version is right and the rest is not. Bytes of
//! another variant ([variant-mismatch]): there they make sense when read as the other one.
//!
//! **Mechanism.** Three namespaces exist: `eu.siacs.conversations.axolotl`, `urn:xmpp:omemo:1` and `urn:xmpp:omemo:2`.
//! In the oldest one the first byte of the key element holds the version of the Signal protocol in its upper half,
//! which must be 3: a lower one was given up ("legacy", "deprecated"), a higher one is not defined.
//!
//! **What proves it.** The namespace or the version byte itself: no key is needed.
//!
//! **References.** XEP-0384, "Protocol Namespaces"; libsignal-protocol-c, `signal_message_deserialize`.

use super::{Cause, Judgement, Scene, nothing};
use crate::analysis::outcome::Element;
use crate::model::{Code, Confidence};
use crate::omemo::wire::WireError;

pub(super) const CAUSE: Cause =
    Cause { code: Code::UnsupportedVersion, source: include_str!("unsupported_version.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let found = match (&scene.outcome.element, &scene.outcome.key) {
        (Element::Unknown { uri, .. }, _) => format!("the element's namespace is {uri}, which no version of XEP-0384 defines"),
        (_, Some(Err(error @ WireError::Version(_)))) => error.to_string(),
        _ => return None,
    };
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The message from {} is in none of the known versions of OMEMO.", scene.sender()),
        )
        .evidence(scene.stanza(found))
        .remedy("Ask the sender to update their client and to send the message again; update yours, too, in case the version is newer than it. If it stays, ask the sender to report it to the makers of their client."),
    )
}
