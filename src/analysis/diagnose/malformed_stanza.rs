//! # malformed-stanza
//!
//! **What happened.** The outer shell of the message is broken or incomplete, so no client can even begin to decrypt
//! it. The sender's client or a server on the way is at fault, not you; or only your log is damaged.
//!
//! **What to do.**
//! - If your client shows the message, or if a second log has it whole, only your log is damaged. Nothing is to be
//!   done.
//! - Otherwise ask the sender to send the message again. If it fails again, ask them to update their client and to
//!   report it to its makers. On this device there is nothing to repair.
//!
//! **What is lost.** This message, until the sender sends it again. Nothing, if only your log is damaged.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above.
//! - `dtd`: the message contains something that XMPP forbids and that an attacker might use. omemoscope does not
//!   follow it. Do nothing. If more of them come, tell the people who run your server.
//! - `cut-off`: the message ends in the middle. Perhaps only your log has cut it. Do as above.
//! - `id-out-of-range`: a device list names a device id that no device may have. Its owner (you, if the device is
//!   yours) makes new OMEMO keys on it (messages not yet read are lost), and takes the old id off the device list.
//!   `omemoscope explain words` says how.
//! - `id-too-high`: the message names a device id that is too high for your client. Its owner does as for
//!   `id-out-of-range`.
//! - `garbage-key`: one of the parts for your device is broken and another is right, but programs with python-omemo
//!   then refuse the whole message. The sender's client is at fault, not you. Ask the sender to update it.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Mostly not at all: clients drop such a stanza or show only the fallback text.
//! - Conversations: "invalid omemo message received". Dino: "Can't parse OMEMO node: No header node / No sid / No iv".
//!   lurch: "failed import msg for decryption". Profanity: nothing of its own.
//! - Conversations and Dino drop the whole stanza when one device id in it is above 2^31-1: one bad device breaks a
//!   message for all their users. UWPX and aTalk have published ids out of range (cmeng-git/atalk-android#193).
//!
//! **Mistaken for.** A log that cut or wrapped the stanza: compare with another log of the same message first. Dino's
//! own log cuts texts above 1000 bytes.
//!
//! **Mechanism.** Needed are: a header, a sender id (`sid`) and receiver ids (`rid`) between 1 and 2^31-1, base64 in
//! every key, an `iv` for a legacy payload, and a `jid` on every `keys` group of OMEMO 2. The order of elements and
//! their prefixes do not matter. `dtd` is a document type declaration or an entity; omemoscope never expands them.
//!
//! **What proves it.** The stanza itself. Where only the log may have cut it, the verdict says `likely`.
//!
//! **References.** XEP-0384, "XML Schema" and "Business Rules"; RFC 6120, "Restrictions" on XML; psi-im/plugins#111;
//! profanity-im/profanity#658.

use super::{Cause, Judgement, Scene, Whole, at_the_end, in_stanza, rule};
use crate::analysis::outcome::Element;
use crate::analysis::trial::SessionFact;
use crate::model::{Code, Confidence, Finding};
use crate::omemo::stanza::MAX_ID;
use crate::omemo::xml::XmlErrorKind;

pub(super) const CAUSE: Cause =
    Cause { code: Code::MalformedStanza, source: include_str!("malformed_stanza.rs"), judge, gather: || at_the_end(whole) };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let (detail, confidence, found) = match &scene.outcome.element {
        Element::Broken { error, .. } => match error.kind {
            XmlErrorKind::Doctype | XmlErrorKind::Entity(_) => (Some("dtd"), Confidence::Proven, vec![error.to_string()]),
            // A log can cut a stanza as well as a sender can.
            XmlErrorKind::CutOff => (Some("cut-off"), Confidence::Likely, vec![error.to_string()]),
            _ => (None, Confidence::Likely, vec![error.to_string()]),
        },
        Element::Known { faults, .. } => {
            let fatal: Vec<String> = faults.iter().filter(|f| f.fatal).map(|f| format!("{}: {}", f.place, f.says)).collect();
            if fatal.is_empty() {
                return high_ids(scene).or_else(|| sender_id(scene)).or_else(|| garbage_key(scene));
            }
            // What the log did to the stanza may be the fault.
            let sure = scene.outcome.repairs.is_empty();
            (None, if sure { Confidence::Proven } else { Confidence::Likely }, fatal)
        }
        Element::Unknown { .. } => return None,
    };
    let remedy = if detail == Some("dtd") {
        "Do nothing: the message contains something that XMPP forbids. If more of them come, tell the people who run your server."
    } else {
        "If another log of the message has the same, ask the sender to send it again, and to report it to the makers of their client. You can repair nothing on this device."
    };
    let judgement = Judgement::new(confidence, format!("The stanza from {} is XML that a receiver cannot use.", scene.sender()))
        .maybe_detail(detail)
        .all_evidence(found.into_iter().map(|f| scene.stanza(f)))
        .remedy(remedy);
    Some(match confidence {
        Confidence::Proven => judgement,
        _ => judgement
            .open_question("The log itself may have cut or wrapped the stanza: another log of the same message would tell."),
    })
}

/// One of several keys for us is no message. Some receivers take the right one, some throw the stanza away.
fn garbage_key(scene: &Scene<'_>) -> Option<Judgement> {
    let client = scene.client().filter(|c| c.refuses.garbage_key)?;
    let unreadable = scene.outcome.key_fact()?.unreadable_keys;
    if unreadable == 0 || scene.outcome.namespace()?.is_legacy() {
        return None;
    }
    Some(
        Judgement::new(
            Confidence::Proven,
            format!(
                "A key that {} made for your device is no message, and {} throws such a stanza away.",
                scene.sender(),
                client.name
            ),
        )
        .detail("garbage-key")
        .evidence(scene.stanza(format!("{unreadable} of the keys for your device id cannot be read; another one opens")))
        .evidence(rule(client.name, "refuses an OMEMO 2 stanza as a whole when one key in it is garbage"))
        .remedy("Ask the sender to update their client and to send the message again. This device is fine."),
    )
}

/// An id that some receivers cannot read: they throw the whole stanza away, for all its readers.
fn high_ids(scene: &Scene<'_>) -> Option<Judgement> {
    let client = scene.client().filter(|c| c.refuses.high_ids)?;
    let mut ids = scene.outcome.addressing.rids.iter().copied().chain(scene.outcome.element.sid());
    let id = ids.find(|id| *id > MAX_ID)?;
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("The stanza from {} names the device id {id}, and {} throws such a stanza away.", scene.sender(), client.name),
        )
        .detail("id-too-high")
        .evidence(scene.stanza(format!("device id {id}; the highest allowed is {MAX_ID}")))
        .evidence(rule(client.name, "reads ids as signed numbers of 32 bits and drops the whole stanza when one does not fit"))
        .remedy("The owner of that device (you, if it is yours) makes new OMEMO keys on it, which gives it a new id, and then takes the old id off the device list."),
    )
}

/// No device may have the sender's id. Where there is a session all the same, it does no harm.
fn sender_id(scene: &Scene<'_>) -> Option<Judgement> {
    let id = scene.outcome.element.sid().filter(|id| *id > MAX_ID)?;
    let stranger = scene.trial().is_some_and(|trial| trial.session == SessionFact::Missing) && !scene.opened();
    stranger.then(|| {
        Judgement::new(Confidence::Likely, format!("The stanza from {} names a sender id that no device may have.", scene.sender()))
            .detail("id-too-high")
            .evidence(scene.stanza(format!("device id {id}; the highest allowed is {MAX_ID}")))
            .remedy("The owner of that device makes new OMEMO keys on it, which gives it a new id, and then takes the old id off the device list.")
            .open_question("Whether the client reads such ids, and only its session is not in this copy of the store (beyond-snapshot): the client's own log would tell.")
    })
}

/// Ids that some clients cannot read: one such device breaks messages for all their users.
fn whole(whole: &Whole<'_>) -> Vec<Finding> {
    let mut found: Vec<_> = whole
        .published
        .lists()
        .filter_map(|(owner, namespace, list)| {
            let id = list.ids.iter().find(|id| !(1..=MAX_ID).contains(*id))?;
            Some((owner, namespace, *id, list))
        })
        .collect();
    found.sort_by_key(|(owner, namespace, ..)| (*owner, *namespace));
    found
        .into_iter()
        .map(|(owner, namespace, id, list)| Finding {
            code: Code::MalformedStanza,
            detail: Some("id-out-of-range"),
            confidence: Confidence::Proven,
            sentence: format!(
                "The device list of {} ({namespace}) names the id {id}, which no device may have: Conversations and Dino throw away every stanza that is encrypted for it.",
                owner.map_or_else(|| "an unknown account".into(), ToString::to_string)
            ),
            evidence: vec![in_stanza(&list.last, format!("device id {id}, allowed are 1 to {MAX_ID}"))],
            remedy: vec!["The owner of that device (you, if it is yours) makes new OMEMO keys on it, which gives it a new id, and then takes the old id off the device list.".into()],
            stanza_ids: list.last.id.iter().cloned().collect(),
        })
        .collect()
}
