//! # unsupported-version
//!
//! **What happened.** The message is written in a version of OMEMO, or of the Signal message format inside
//! it, that nobody has defined. Your client cannot read it, and no other client can either.
//!
//! **How it shows.** Clients that look at the namespace show only the fallback text. Clients that look at the
//! version byte log "Unknown version", "Message version 2, but session version 3" or SG_ERR_INVALID_VERSION (-1006).
//!
//! **Mechanism.** Three namespaces exist (`eu.siacs.conversations.axolotl`, `urn:xmpp:omemo:1`, `urn:xmpp:omemo:2`).
//! In the legacy variant the first byte of the key element holds the Signal protocol version in its upper half,
//! which must be 3.
//!
//! **What proves it.** The namespace or the version byte itself: no key is needed.
//!
//! **Mistaken for.** Damaged bytes ([malformed-message]), or the bytes of another variant ([variant-mismatch]).
//!
//! **What to do.** The sender's client is newer than everything known, experimental, or damaged the message.
//! Update both clients; if it stays, report it to the sender's client.
//!
//! **References.** XEP-0384, "Protocol Namespaces"; libsignal-protocol-c `signal_message_deserialize`.

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
