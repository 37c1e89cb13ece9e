//! # not-addressed
//!
//! **What happened.** The sender made no key for this device, so this device cannot read the message. Your
//! other devices perhaps can.
//!
//! **How it shows.** Conversations: "Message was not encrypted for this device". Gajim: "This message was
//! encrypted with OMEMO, but not for your device". Dino: "Your contact does not trust this device" (a guess).
//! Siskin and Beagle use the same words also for messages that *do* have a key but fail: never believe them alone.
//!
//! **Mechanism.** A sender encrypts for the devices it knows and trusts. Most often it does not trust this
//! device (very common among one's own devices), has an old device list, or this device is missing from its own list.
//!
//! **What proves it.** No key element carries our device id. The reason lies with the sender or in the device
//! list: a captured list of ours without our id proves that one.
//!
//! **Mistaken for.** [empty-message] for others (no payload: normal), [wrong-recipient-jid] (the id stands under
//! another address).
//!
//! **What to do.** Look in the *sending* client whether it lists and trusts this device. If this device is not on
//! your own list, restart its client so that it publishes itself again. Messages already sent stay unreadable here.
//!
//! **References.** XEP-0384, "Device list" and "Receiving a message".

use super::{Cause, Judgement, Scene, Whole, in_stanza};
use crate::analysis::outcome::Origin;
use crate::model::{Code, Confidence, Evidence, EvidenceKind, Finding, MessageVerdict};
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
    let list = scene.whole.published.list(own.jid.as_ref(), namespace);
    let mut judgement = Judgement::new(Confidence::Proven, format!("{} made no key for {}.", scene.sender(), scene.our_device()))
        .evidence(scene.stanza(format!("it has keys for {}, none for {own_id}", ids(&outcome.addressing.rids))));
    judgement = match list {
        Some(list) if !list.ids.contains(&own_id) => judgement
            .detail("own-device-not-listed")
            .evidence(in_stanza(&list.last.position, "our own device list does not name this device"))
            .remedy(format!("Restart {} so that it puts itself on the list again.", scene.client_name())),
        Some(list) if outcome.addressing.rids.iter().any(|r| list.ever.contains(r) && !list.ids.contains(r)) => judgement
            .detail("sender-has-old-list")
            .evidence(in_stanza(&list.last.position, "our newest device list no longer names a device that the sender wrote to"))
            .remedy("The sender's client should reload the device list: closing and opening the chat or reconnecting is often enough."),
        Some(list) if outcome.origin != Origin::OwnAccount => judgement
            .maybe_detail(outcome.addressing.rids.iter().any(|r| list.ids.contains(r)).then_some("sender-untrusts-us"))
            .evidence(in_stanza(&list.last.position, "our device list names this device"))
            .remedy("The sender should look at our devices in the sending client and trust this one."),
        _ => judgement.remedy("Look in the sending client whether it knows and trusts this device.").open_question(
            "Why there is no key: our device list (is this device on it?) and the sender's trust settings would tell.",
        ),
    };
    Some(judgement)
}

fn ids(rids: &[u32]) -> String {
    match rids {
        [] => "no device".into(),
        [one] => format!("device {one}"),
        many => format!("devices {}", many.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Our own device is missing from the newest list of ours that the capture shows.
fn whole(whole: &Whole<'_>, _verdicts: &[MessageVerdict]) -> Vec<Finding> {
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
    findings
}
