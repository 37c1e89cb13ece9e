//! # not-addressed
//!
//! **What happened.** The sender made no key for this device, so this device cannot read the message; your other
//! devices perhaps can. Usually nothing is broken: the sender does not know or does not trust this device.
//!
//! **How it shows.**
//! - Conversations: "Message was not encrypted for this device". Monal: the same with "Please make sure the sender
//!   trusts deviceid …". Gajim: "This message was encrypted with OMEMO, but not for your device", in its log
//!   "Received message not for our device".
//! - Dino: "Your contact does not trust this device" (a guess; the reason may be any of those below).
//! - Converse: "could not be decrypted, because it was not encrypted for this device". lurch: "does not contain a key
//!   for this device". Profanity: "received a message with no corresponding key". python-omemo: MessageNotForUs.
//!   Movim: "Message not encrypted for this device".
//! - Siskin and Beagle use these words also for messages that do have a key but fail: never believe them alone. Where
//!   there is a key, this program says so.
//!
//! **Mechanism.** A sender encrypts for the devices that are on the device list, whose bundle it can fetch, and that
//! it trusts. Often it does not trust this device (very common among one's own devices), has an old list, or this
//! device is missing from its own list. Lists get lost when two clients overwrite each other's, or when a client
//! takes a failed request for an empty list (Dino, Monal).
//!
//! **What proves it.** No key element carries our device id. The reason lies with the sender or on the server: our
//! list without our id before the message came, or a refused request, proves it; the sender's trust only its own
//! store (`--peer`) can show. Without such evidence no fine cause is named, and the open questions say what would
//! settle it.
//!
//! **Mistaken for.** [empty-message] for others (no payload: normal). [wrong-recipient-jid]: there our id stands
//! under another address. [mac-mismatch] in Siskin and Beagle.
//!
//! **What to do.**
//! - Look in the sending client whether it lists and trusts this device; for one's own devices, in the other client.
//! - If this device is not on your own list, restart its client so that it publishes itself again.
//! - If the bundle is missing or locked, restart the client that owns it, or ask the server's administrator.
//! - Messages already sent stay unreadable on this device for ever; read them on another one.
//!
//! **Fine causes.**
//! - `own-device-not-listed`: our own published list does not name this device.
//! - `sender-has-old-list`: the sender still writes to a device that had left our list, or its store knows other
//!   devices of ours and not this one.
//! - `sender-untrusts-us`: the sender's store does not trust this device. Or the sender wrote to this device before,
//!   and now only to another one on the same list: most often trust was taken back, sometimes the session is lost.
//! - `our-id-changed`: the sender writes to an id under which our identity key stood before.
//! - `sender-considers-us-inactive`: the sender's store says so; or the sender had written more than a hundred
//!   messages in a row without an answer from this device, and some clients then give it up.
//! - `history-before-device`: the message is older than this device. No fault.
//! - `muc-not-in-members`: a group chat's sender has no key for any of our devices: it perhaps did not know that we
//!   are there.
//! - `bundle-missing`: the server has no bundle for the device, so nobody can begin a session.
//! - `bundle-unusable`: the bundle lacks a part, or its signature is wrong.
//! - `pep-access-denied`: the server does not let others read the list or bundle.
//! - `publish-refused`: the server refused a new list or bundle because the node has other settings
//!   (precondition-not-met).
//! - `device-list-war`: two clients take each other off the list again and again.
//! - `device-list-clobbered`: the list shrank to one device; somebody cleared it, or a client overwrote it.
//! - `devicelist-multi-item`: the list stands in several items; clients disagree on which counts.
//!
//! **References.** XEP-0384, "Device list" and "Receiving a message"; profanity-im/profanity#1051; dino/dino#1708,
//! dino/dino#1139; gkdr/lurch#83; monal-im/Monal#1614; iNPUTmice/Conversations#3499; processone/ejabberd#4103;
//! Syndace/slixmpp-omemo#3.

use super::not_addressed_reason::add_reason;
use super::{Cause, Judgement, Scene, Verdicts, Whole};
use crate::analysis::published_faults;
use crate::model::{Code, Confidence, Evidence, EvidenceKind, Finding};
use crate::omemo::Namespace;

pub(super) const CAUSE: Cause = Cause { code: Code::NotAddressed, source: include_str!("not_addressed.rs"), judge, whole };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let own = scene.own()?;
    let own_id = own.device_id?;
    let absent = outcome.addressing.ours == 0 && outcome.addressing.other_jid.is_none();
    if !absent || !outcome.element.has_payload() {
        return None;
    }
    let namespace = outcome.namespace()?;
    let judgement = Judgement::new(Confidence::Proven, format!("{} made no key for {}.", scene.sender(), scene.our_device()))
        .evidence(scene.stanza(format!("it has keys for {}, none for {own_id}", ids(&outcome.addressing.rids))));
    Some(add_reason(judgement, scene, own, own_id, namespace))
}

fn ids(rids: &[u32]) -> String {
    match rids {
        [] => "no device".into(),
        [one] => format!("device {one}"),
        many => format!("devices {}", many.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Our own device is missing from the newest list of ours that the capture shows.
fn whole(whole: &Whole<'_>, _verdicts: &Verdicts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for own in whole.own {
        let (Some(jid), Some(id)) = (&own.jid, own.device_id) else { continue };
        for namespace in Namespace::ALL {
            let speaks = own.client.is_none_or(|c| c.namespaces.contains(&namespace));
            let Some(list) = whole.published.list(Some(jid), namespace).filter(|l| speaks && !l.ids.contains(&id)) else {
                continue;
            };
            findings.push(Finding {
                code: Code::NotAddressed,
                detail: Some("own-device-not-listed"),
                confidence: if list.ever.contains(&id) { Confidence::Proven } else { Confidence::Likely },
                sentence: format!(
                    "Our device {id} is missing from the newest device list of {jid} ({namespace}): others will not write to it."
                ),
                evidence: vec![Evidence {
                    kind: EvidenceKind::Stanza,
                    place: list.last.position.to_string().into(),
                    says: format!("the list names {}", ids(&list.ids)).into(),
                }],
                remedy: vec!["Restart the client that owns the device: it should put itself on the list again.".into()],
                stanza_ids: list.last.id.iter().cloned().collect(),
            });
        }
    }
    findings.extend(published_faults::findings(whole.published));
    findings
}
