//! # variant-mismatch
//!
//! **What happened.** OMEMO has variants that do not understand each other, and this message is in one that your client
//! does not speak, or mixes two of them. Nobody did anything wrong by that; trust and keys have nothing to do with it.
//!
//! **What to do.**
//! - You and the sender: choose clients with a variant in common. Gajim, Conversations, Dino, Profanity and Monal speak
//!   the legacy variant, Kaidan and UWPX only OMEMO 2, Converse and programs with python-omemo both; README.md has
//!   more.
//! - Mixed variants (`bytes-of-other-variant`) are a bug of the sender's client: ask them to update and to report it.
//!
//! **What is lost.** This message; ask for it again in a variant that your client speaks.
//!
//! **Fine causes.**
//! - `bytes-of-other-variant`: the element says one variant, the bytes are another's.
//! - `client-does-not-speak`: a good message in a variant that your client does not have.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Gajim: "encrypted with None and could not be decrypted". python-omemo: UnknownNamespace. Psi: "The
//! incoming OMEMO wire profile is unavailable locally". Other clients show the fallback text or log a protobuf error.
//!
//! **Mistaken for.** [malformed-message] and [unsupported-version].
//!
//! **Mechanism.** Legacy OMEMO, `urn:xmpp:omemo:1` and `urn:xmpp:omemo:2` have different message formats. A client that
//! speaks both may write to some of your devices in one and to some in the other stanza.
//!
//! **What proves it.** The bytes parse as the other variant's message; or the client's known abilities.
//!
//! **References.** XEP-0384, "Protocol Namespaces"; conversejs/converse.js#4100.

use super::{Cause, Judgement, Scene, nothing, rule};
use crate::model::{Code, Confidence};
use crate::omemo::wire::WireError;

pub(super) const CAUSE: Cause =
    Cause { code: Code::VariantMismatch, source: include_str!("variant_mismatch.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if let Some(Err(error @ WireError::OtherVariant { .. })) = &scene.outcome.key {
        return Some(
            Judgement::new(Confidence::Proven, format!("The message from {} mixes two variants of OMEMO.", scene.sender()))
                .detail("bytes-of-other-variant")
                .evidence(scene.stanza(error.to_string()))
                .remedy("This is a bug of the sender's client: ask the sender to update it and to report it to its makers."),
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
        .remedy("Agree with the sender on clients that have a variant in common; no trust setting and no new session helps."),
    )
}
