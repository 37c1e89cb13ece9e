//! # malformed-message
//!
//! **What happened.** The message arrived, but the part for your device is broken or carries a wrong label, so your
//! client cannot use it. Nearly always the sender's client is at fault, not you.
//!
//! **What to do.**
//! - Ask the sender to update their client and to send the message again.
//! - If it fails again, ask them to report it to the makers of their client.
//!
//! **What is lost.** With `kex-flag` nothing for good: omemoscope can usually show the text. Otherwise this message,
//! until the sender sends it again.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, do first what its line says.
//! - `kex-flag`: the part carries a wrong label, but its content is right. Send the sender any message from this
//!   device: then your client begins the next session, and not theirs.
//! - `kex-without-prekey`: the message begins a session without a one-time key of yours, and your client refuses
//!   that. Close the client on this device and start it again, so that it publishes new keys. Then send the sender
//!   any message from it.
//! - `protobuf`: the content cannot be read as a message at all. If you have a second log of the message, check it
//!   there.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Profanity: "cannot deserialize message". Gajim: "Incomplete message", "Received Pre Key Message without PreKey".
//!   Conversations: "PreKeyWhisperMessage did not contain a PreKeyId". Smack: "PreKeyMessage did not contain a
//!   preKeyId."
//! - Kaidan: "OMEMO envelope data could not be deserialized". libsignal: SG_ERR_INVALID_PROTO_BUF (-1100).
//! - python-omemo refuses the whole message if any key in it is garbage, even one for another device.
//!
//! **Mistaken for.** [no-session]: a key exchange without its attribute looks like an ordinary message.
//! [unsupported-version]. A log that cut the key element.
//!
//! **Mechanism.** A key element holds a protobuf message. The attribute `prekey` (legacy) or `kex` (OMEMO 2) says
//! whether a key exchange is around it. lurch 0.7.0 sends key exchanges without the attribute; older Profanity takes
//! only "true" and not "1", which Psi+ writes. Clients that believe the attribute fail although everything needed is
//! there.
//!
//! **What proves it.** The bytes parse in neither reading, or only in the one that the attribute denies; or the key
//! exchange names no one-time prekey. No key is needed.
//!
//! **References.** XEP-0384, "Sending a message" and "Protobuf Schema"; profanity-im/profanity#1247;
//! qxmpp-project/qxmpp#592.

use super::{Cause, Judgement, Scene, nothing, rule};
use crate::analysis::trial::PrekeyFact;
use crate::model::{Code, Confidence};
use crate::omemo::wire::WireError;

pub(super) const CAUSE: Cause =
    Cause { code: Code::MalformedMessage, source: include_str!("malformed_message.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    match scene.outcome.key.as_ref()? {
        Err(WireError::Malformed(says)) => Some(
            Judgement::new(Confidence::Proven, format!("{} in the message from {} is no OMEMO message.", part(scene), scene.sender()))
                .detail("protobuf")
                .evidence(scene.stanza(says.clone()))
                .remedy("Compare with another log of the same message; if it is the same there, ask the sender to send it again, and to report it to the makers of their client."),
        ),
        Ok(key) if key.flag_contradicts => {
            let client = scene.client();
            if client.is_some_and(|c| !c.believes_key_exchange_flag) {
                return None;
            }
            let says = if key.is_exchange() {
                "the bytes are a key exchange, but the element does not say so (prekey or kex is missing)"
            } else {
                "the element announces a key exchange, but the bytes are an ordinary message"
            };
            let name = scene.client_name();
            let mut judgement = Judgement::new(Confidence::Proven, format!("{} labels its key wrongly, so {name} reads it as something else.", scene.sender()))
                .detail("kex-flag")
                .evidence(scene.stanza(says));
            if client.is_some() {
                judgement = judgement.evidence(rule(name, "believes the attribute and does not try the other reading"));
            }
            Some(
                judgement
                    .remedy("Send the sender any message from this device: then your client begins the next session. omemoscope can mostly show the text of this one.")
                    .remedy(if key.is_exchange() && scene.outcome.namespace().is_some_and(|n| n.is_legacy()) {
                        "Ask the sender to update their client: this is a bug there (lurch is known for it)."
                    } else {
                        "Ask the sender to update their client: this is a bug there."
                    }),
            )
        }
        Ok(_) => without_prekey(scene),
        Err(_) => None,
    }
}

/// Without a device id of ours nothing tells which one is ours.
fn part(scene: &Scene<'_>) -> &'static str {
    let known = scene.own().is_some_and(|own| own.device_id.is_some());
    if known { "The part for your device" } else { "A part for some device" }
}

/// A key exchange that names no one-time prekey.
fn without_prekey(scene: &Scene<'_>) -> Option<Judgement> {
    let exchange = scene.trial()?.exchange.as_ref()?;
    let named_none = exchange.prekey == PrekeyFact::NotNamed && !exchange.base_key_known;
    let client = scene.client()?;
    let later_variant = !scene.outcome.namespace()?.is_legacy();
    if !named_none || !(later_variant || client.refuses.exchange_without_prekey) {
        return None;
    }
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("{} begins a session without any of your one-time prekeys, and {} refuses that.", scene.sender(), client.name),
        )
        .detail("kex-without-prekey")
        .evidence(scene.stanza("the key exchange has no id of a one-time prekey"))
        .evidence(rule(client.name, "takes no key exchange without a one-time prekey"))
        .remedy("Send the sender any message from this device: then your client begins the next session, and not theirs.")
        .remedy("If your bundle holds no one-time prekeys, restart the client on this device so that it publishes new ones; else this is a bug of the sender's client."),
    )
}
