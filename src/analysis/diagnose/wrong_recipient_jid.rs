//! # wrong-recipient-jid
//!
//! **What happened.** The message names an address that is not yours, or it comes from a group chat that hides its
//! members' addresses. The word behind the slash says which. Your keys are fine. This is probably nobody's fault.
//!
//! **What to do.**
//! - Another address (`keys-group`, `sce-affix`): ask the sender, by phone or in person, whether they meant you. If
//!   it is an old address of yours, ask them to remove it from their contacts, to add your present one and to send
//!   the message again.
//! - If nobody can explain the address, somebody may have redirected the message. Then do not rely on what it says.
//! - A hidden sender (`muc-sender-unknown`): ask the owner of the group chat to make it show its members' addresses
//!   (the setting is called "non-anonymous"). All members then see your address, too.
//!
//! **What is lost.** With `sce-affix` nothing: omemoscope can show the text. Otherwise this message. Ask for it
//! again.
//!
//! **Fine causes.** The advice above says for each of them what to do.
//! - `keys-group`: the part for your device stands under another address. The verdict names it.
//! - `sce-affix`: the inside of the message names another recipient.
//! - `muc-sender-unknown`: the group chat hides who wrote the message, so nobody can tell which session it needs.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Converse: "SCE affix mismatch". Kaidan: "Recipient of group chat message does not match SCE affix element". Other
//!   OMEMO 2 clients say "not encrypted for this device" or show nothing.
//! - Hidden senders: Gajim "Unable to find jid for group chat message", "can not be mapped to a real jid"; Profanity
//!   "cannot find MUC message sender fulljid"; lurch "is the room anonymous?"; Dino "Received message from unknown
//!   entity with device id"; Smack "Senders Jid is null"; Monal "Could not get muc participant jid".
//!
//! **Mistaken for.** [not-addressed]: there this device's id stands nowhere. [no-session]: there the sender is known.
//!
//! **Mechanism.** OMEMO 2 groups keys by the recipient's bare address, and its envelope repeats sender and recipient so
//! that a message cannot be redirected. An account that was moved, an address spelled differently, or a forwarded copy
//! breaks this. In rooms the session belongs to the sender's real address, which an anonymous room, or an archive
//! without real addresses, does not show.
//!
//! **What proves it.** The `jid` of the key's group, or the decrypted `to` of the envelope. A hidden sender: a group
//! chat without any real address for it, in which no session fits the device id.
//!
//! **References.** XEP-0384, "SCE Profile" and "Receiving a message"; XEP-0420; omemo/gajim-omemo#137; gkdr/lurch#81;
//! conversejs/converse.js#1481.

use super::{Cause, Judgement, Scene, nothing, remedies};
use crate::analysis::content::Payload;
use crate::analysis::trial::SessionFact;
use crate::model::{Code, Confidence};
use crate::omemo::stanza::envelope::EnvelopeFinding;

pub(super) const CAUSE: Cause =
    Cause { code: Code::WrongRecipientJid, source: include_str!("wrong_recipient_jid.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let remedy = "Ask the sender whether they wrote to that address, and to send to your present one. If nobody can explain it, the message may have been redirected: tell the sender by phone or in person, and do not rely on what it says.";
    let addressing = &scene.outcome.addressing;
    if let (0, Some(jid)) = (addressing.ours, &addressing.other_jid) {
        let says = format!("the key for device id {} stands under {jid}", scene.own()?.device_id?);
        let judgement = Judgement::new(
            Confidence::Proven,
            format!("The key for {} is filed under {jid}, which is not your address.", scene.our_device()),
        );
        return Some(judgement.detail("keys-group").evidence(scene.stanza(says)).remedy(remedy));
    }
    if let Some(judgement) = hidden_sender(scene) {
        return Some(judgement);
    }
    match scene.outcome.payload.as_deref() {
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
    let says = if key.is_exchange() { "begins a session" } else { "continues one" };
    Some(
        Judgement::new(
            Confidence::Likely,
            format!("The real address of the sender in {room} is not known, and no session fits its device id."),
        )
        .detail("muc-sender-unknown")
        .evidence(scene.stanza(format!("neither the stanza nor an earlier presence shows a real address; the message {says}")))
        .remedy(remedies::SHOW_ADDRESSES)
        .open_question("Whether there is a session with that member: a log that shows the room's presences, or the archive's real addresses, would tell."),
    )
}
