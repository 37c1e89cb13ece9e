//! # untrusted-device
//!
//! **What happened.** The message can be opened, but your client hides it or marks it, because it does not trust the
//! device that sent it. You decided that, or your client did it by itself. Nobody is to blame, and nothing is
//! broken: your client waits for your decision.
//!
//! **What to do.**
//! - Compare the fingerprint of that device with the sender by phone or in person, not in this chat.
//!   `omemoscope explain words` says how.
//! - If it is right, trust the device in your client.
//! - If it is wrong, do not trust the device, and do not rely on what the message says. Tell the sender by phone or
//!   in person.
//! - If the verdict says that the device is marked as compromised, read first: `omemoscope explain compromised`.
//!
//! **What is lost.** Nothing: omemoscope can show the text. Do not rely on it before you have compared. If your
//! client does not show the message afterwards, ask the sender to send it again.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Dino: "has been using an untrusted device. You won't see messages from devices that you do not trust".
//!   python-omemo: SenderDistrusted. UWPX: "since we do not trust the sender".
//! - Conversations refuses only keys that were marked as compromised. Gajim and Profanity decrypt and only mark the
//!   message.
//!
//! **Mistaken for.** A broken session: there the message does not open. [not-addressed]: that is missing trust on the
//! sender's side.
//!
//! **Mechanism.** Trust belongs to an identity key. Blind trust ends with the first manual verification; every later
//! device then needs a decision.
//!
//! **What proves it.** The trust entry in the store, and the message opening.
//!
//! **References.** XEP-0384, "Security Considerations"; dino/dino#857, dino/dino#947; iNPUTmice/Conversations#3261.

use super::{Cause, Judgement, Scene, in_store, nothing, rule};
use crate::model::{Code, Confidence, TrustLevel};

pub(super) const CAUSE: Cause =
    Cause { code: Code::UntrustedDevice, source: include_str!("untrusted_device.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let (client, known) = (scene.client()?, scene.outcome.trust.as_ref()?);
    if !client.trust_rule.refused.contains(&known.trust.level) || !scene.opened_by_store() || !scene.outcome.element.has_payload()
    {
        return None;
    }
    let why = match known.trust.level {
        TrustLevel::Compromised => "is marked as compromised",
        TrustLevel::Undecided => "waits for your decision",
        _ => "is not trusted",
    };
    let fate = if client.trust_rule.marks { "is shown with a mark" } else { "is not shown" };
    let mut judgement = Judgement::new(
        Confidence::Proven,
        format!("The message decrypts, but {fate} in {}: {} {why}.", client.name, scene.sender()),
    )
    .evidence(in_store(&known.place, format!("trust is {} ({})", known.trust.word, known.trust.level.as_str())))
    .evidence(rule(client.name, client.trust_rule.says));
    if let Some(fingerprint) = known.fingerprint {
        judgement = judgement.remedy(format!(
            "Compare the fingerprint with the sender by phone or in person, not in this chat: {}",
            fingerprint.grouped()
        ));
    }
    if known.trust.level == TrustLevel::Compromised {
        return Some(
            judgement
                .remedy("Ask the sender, by phone or in person, whether this device is theirs. If it is, ask them to make new OMEMO keys on it, and remove the old key in your client.")
                .remedy("If it is not, go on refusing it."),
        );
    }
    Some(judgement.remedy("If it is right, trust the device in your client.").all_remedies(client.remedies.trust_device).remedy(
        "If it is not, do not trust it, do not rely on what the message says, and tell the sender by phone or in person.",
    ))
}
