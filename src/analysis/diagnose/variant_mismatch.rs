//! # variant-mismatch
//!
//! **What happened.** OMEMO has variants that do not understand each other. This message is in one that your client
//! cannot read, or mixes two of them. Trust and keys have nothing to do with it. Nobody is to blame (but see
//! `bytes-of-other-variant`).
//!
//! **What to do.**
//! - One of you has to use another client, so that both have a variant in common. The verdict names that of this
//!   message.
//! - Only the old (legacy) variant: Gajim, Conversations, Dino, Profanity, Monal, Siskin, Beagle,
//!   Pidgin/Finch (lurch), Movim, Prose. Only OMEMO 2: Kaidan, UWPX. Both: Converse (since version 14), Psi (built
//!   since 2026), programs with python-omemo.
//! - No trust setting and no new session helps.
//!
//! **What is lost.** This message. Ask for it again in a variant that your client reads.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above.
//! - `bytes-of-other-variant`: the message says that it is in one variant, but it is in another. The sender's client
//!   is at fault, not you. Ask the sender to update it and to report it to its makers.
//! - `client-does-not-speak`: the message is good, but your client does not know its variant. Do as above.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Gajim: "encrypted with None and could not be decrypted". python-omemo: UnknownNamespace. Psi: "The
//! incoming OMEMO wire profile is unavailable locally". Other clients show the fallback text or log a protobuf error.
//!
//! **Mistaken for.** [malformed-message] and [unsupported-version].
//!
//! **Mechanism.** Legacy OMEMO, `urn:xmpp:omemo:1` and `urn:xmpp:omemo:2` have different message formats. A client
//! that speaks both may write to some of your devices in one and to some in the other stanza. README.md has the
//! variants of each client.
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
