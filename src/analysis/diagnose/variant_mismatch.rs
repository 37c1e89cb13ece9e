//! # variant-mismatch
//!
//! **What happened.** Two variants of OMEMO were mixed up: the message is in a variant that your client does not
//! speak, or its bytes belong to another variant than the element around them. Trust and keys have nothing to do with
//! it.
//!
//! **How it shows.** Gajim: "encrypted with None and could not be decrypted". python-omemo: UnknownNamespace. Psi:
//! "The incoming OMEMO wire profile is unavailable locally". Other clients show the fallback text or log a protobuf
//! error.
//!
//! **Mechanism.** Legacy OMEMO, `urn:xmpp:omemo:1` and `urn:xmpp:omemo:2` have different message formats. Gajim,
//! Conversations, Dino and Profanity speak only the legacy variant, Kaidan only OMEMO 2. A client that speaks both
//! may write to some of our devices in one and to some in the other stanza.
//!
//! **What proves it.** The bytes parse as the other variant's message; or the client's known abilities.
//!
//! **Mistaken for.** [malformed-message] and [unsupported-version].
//!
//! **What to do.**
//! - Choose clients with a variant in common; no trust setting and no reset helps.
//! - Mixed bytes are a bug of the sender's client: report it there.
//!
//! **Fine causes.**
//! - `bytes-of-other-variant`: the element says one variant, the bytes are another's.
//! - `client-does-not-speak`: a good message in a variant that this client does not have.
//!
//! **References.** XEP-0384, "Protocol Namespaces"; conversejs/converse.js#4100.

use super::{Cause, Judgement, Scene, nothing, rule};
use crate::model::{Code, Confidence};
use crate::omemo::wire::WireError;

pub(super) const CAUSE: Cause =
    Cause { code: Code::VariantMismatch, source: include_str!("variant_mismatch.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if let Some(Err(error @ WireError::OtherVariant { .. })) = &scene.outcome.key {
        return Some(
            Judgement::new(Confidence::Proven, format!("The message from {} mixes two variants of OMEMO.", scene.sender()))
                .detail("bytes-of-other-variant")
                .evidence(scene.stanza(error.to_string()))
                .remedy("This is a bug of the sender's client: report it there."),
        );
    }
    let (namespace, client) = (scene.outcome.namespace()?, scene.client()?);
    if client.namespaces.contains(&namespace) || scene.opened() {
        return None;
    }
    let spoken: Vec<&str> = client.namespaces.iter().map(|n| n.uri()).collect();
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The message is in a variant ({namespace}) that {} does not speak.", client.name),
        )
        .detail("client-does-not-speak")
        .evidence(scene.stanza(format!("the element is {namespace}")))
        .evidence(rule(client.name, format!("speaks {}", spoken.join(" and "))))
        .remedy("Use clients that have a variant in common."),
    )
}
