//! # wrong-recipient-jid
//!
//! **What happened.** The message names another recipient address than yours: your device id stands under
//! another address, or the encrypted envelope says that it was meant for somebody else.
//!
//! **How it shows.** OMEMO 2 clients say "not encrypted for this device", "SCE affix mismatch" (Converse) or
//! "Recipient of group chat message does not match SCE affix element" (QXmpp, Kaidan), or show nothing.
//!
//! **Mechanism.** OMEMO 2 groups keys by the recipient's bare address, and its envelope repeats sender and
//! recipient so that a message cannot be redirected. An account that was moved, an address spelled differently,
//! or a forwarded copy breaks this.
//!
//! **What proves it.** The `jid` of the key's group, or the decrypted `to` of the envelope.
//!
//! **Mistaken for.** [not-addressed]: there our id stands nowhere.
//!
//! **What to do.** The sender should write to the address that the message names, or remove and add the contact
//! again. If nobody moved an account, be wary: somebody may have redirected the message.
//!
//! **References.** XEP-0384, "SCE Profile" and "Receiving a message"; XEP-0420.

use super::{Cause, Judgement, Scene, nothing};
use crate::analysis::content::Payload;
use crate::analysis::trial::SessionFact;
use crate::model::{Code, Confidence};
use crate::omemo::stanza::envelope::EnvelopeFinding;

pub(super) const CAUSE: Cause =
    Cause { code: Code::WrongRecipientJid, source: include_str!("wrong_recipient_jid.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let remedy = "The sender should write to the right address; if nobody moved an account, be wary of a redirected message.";
    let addressing = &scene.outcome.addressing;
    if let (0, Some(jid)) = (addressing.ours, &addressing.other_jid) {
        let says = format!("the key for device id {} stands under {jid}", scene.own()?.device_id?);
        let judgement = Judgement::new(
            Confidence::Proven,
            format!("The key for {} is filed under {jid}, which is not our address.", scene.our_device()),
        );
        return Some(judgement.detail("keys-group").evidence(scene.stanza(says)).remedy(remedy));
    }
    if let Some(judgement) = hidden_sender(scene) {
        return Some(judgement);
    }
    match &scene.outcome.payload {
        Some(Payload::Opened(opened)) if opened.findings.iter().any(|f| matches!(f, EnvelopeFinding::ToMismatch { .. })) => Some(
            Judgement::new(
                Confidence::Proven,
                format!("The message from {} was encrypted for another recipient.", scene.sender()),
            )
            .detail("sce-affix")
            .evidence(scene.stanza("the decrypted envelope names another recipient than the stanza"))
            .remedy(remedy),
        ),
        _ => None,
    }
}

/// A room that hides real addresses: there is no telling which session to use.
fn hidden_sender(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let room = outcome.header.room.as_ref().filter(|_| outcome.header.from.is_none())?;
    let key = outcome.key_fact().filter(|_| !scene.opened())?;
    if scene.trial()?.session != SessionFact::Missing {
        return None;
    }
    let says = if key.exchange { "begins a session" } else { "continues one" };
    Some(
        Judgement::new(
            Confidence::Likely,
            format!("The real address of the sender in {room} is not known, and no session fits its device id."),
        )
        .detail("muc-sender-unknown")
        .evidence(scene.stanza(format!("neither the stanza nor an earlier presence shows a real address; the message {says}")))
        .remedy("Let the room show real addresses (non-anonymous), as OMEMO needs it; for old messages nothing helps.")
        .open_question("Whether there is a session with that member: a log that shows the room's presences, or the archive's real addresses, would tell."),
    )
}
