//! # not-addressed
//!
//! **What happened.** The sender's client made no part for this device, so this device cannot read the message. Your
//! other devices perhaps can. Usually nobody is to blame: the sender's client does not know or trust this device.
//!
//! **What to do.**
//! - If the verdict has a word behind the slash, go to that word below.
//! - Otherwise tell the sender the fingerprint of this device by phone or in person, not in this chat. Ask whether
//!   their client lists and trusts this device. If you wrote the message yourself on another device, look there.
//! - Close your client on this device and start it again. It should then put itself on your device list.
//!
//! **What is lost.** This message on this device, for good. Read it on another device, or ask for it again.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above. "The
//! owner" is you, if the device or list that the verdict names is yours.
//! - `own-device-not-listed`: your device list lacks this device. Close your client on it and start it again.
//! - `sender-has-old-list`: the sender's client goes by an old list of your devices. Ask the sender to close
//!   their client and start it again.
//! - `sender-untrusts-us`: the sender's client does not trust this device, or (more rarely) lost its session with
//!   it. Compare its fingerprint with the sender by phone or in person, not in this chat; then ask them to trust it.
//! - `our-id-changed`: the sender's client writes to the former id of this device. Ask the sender to close their
//!   client and start it again, and take the old id off your device list (`omemoscope explain words` says how).
//! - `sender-considers-us-inactive`: the sender's client takes this device for unused. Write to the sender from it.
//! - `history-before-device`: the message is older than this device. Nobody is to blame. Read it on an older device.
//! - `muc-not-in-members`: the sender's client perhaps did not know that you are in the group chat. Stay in it with
//!   this device, or become a member of it.
//! - `bundle-missing`: the server has no keys of the device. The owner starts its client, or takes it off the list.
//! - `bundle-unusable`: the published keys of the device are wrong or incomplete. The owner restarts its client.
//! - `pep-access-denied`: the server does not let everybody read the list or the keys. The owner updates and
//!   restarts their client, or asks the people who run the server (the provider) to let everybody read the list
//!   and the keys (access model "open").
//! - `publish-refused`: the server refused the new list or keys. The owner restarts their client. If that does not
//!   help, they do as for `pep-access-denied`.
//! - `device-list-war`: two clients take each other off the list. The owner updates both, or closes one.
//! - `device-list-clobbered`: all devices but one vanished from the list. The owner restarts the other clients.
//! - `devicelist-multi-item`: the server holds several lists. The owner clears the list and restarts the clients.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Conversations: "Message was not encrypted for this device". Monal: the same with "Please make sure the sender
//!   trusts deviceid …". Gajim: "This message was encrypted with OMEMO, but not for your device", in its log "Received
//!   message not for our device".
//! - Dino: "Your contact does not trust this device" (a guess; the reason may be any of those below).
//! - Converse: "could not be decrypted, because it was not encrypted for this device". lurch: "does not contain a key
//!   for this device". Profanity: "received a message with no corresponding key". python-omemo: MessageNotForUs. Movim:
//!   "Message not encrypted for this device".
//! - Siskin and Beagle use these words also for messages that do have a key but fail: never believe them alone. Where
//!   there is a key, omemoscope says so.
//!
//! **Mistaken for.** [empty-message] for others (no payload: normal). [wrong-recipient-jid]: there this device's id
//! stands under another address. [mac-mismatch] in Siskin and Beagle.
//!
//! **Mechanism.** A sender encrypts for the devices that are on the device list, whose bundle it can fetch, and that
//! it trusts. Missing trust is very common among one's own devices. Lists get lost when two clients overwrite each
//! other's, or when a client takes a failed request for an empty list (Dino, Monal). Some clients give up a silent
//! device: Kaidan after 106 unanswered stanzas, Smack after 400, Gajim after 2000.
//!
//! **What proves it.** No key element carries this device's id. The reason lies with the sender or on the server: a
//! list of yours without it from before the message, or a refused request, proves it; the sender's trust only its
//! own store (`--peer`) can show. Without such evidence no fine cause is named, and the open questions say what
//! would settle it. `publish-refused` is the answer precondition-not-met; `devicelist-multi-item` is a node with
//! several items.
//!
//! **References.** XEP-0384, "Device list" and "Receiving a message"; profanity-im/profanity#1051; dino/dino#1708,
//! dino/dino#1139; gkdr/lurch#83; monal-im/Monal#1614; iNPUTmice/Conversations#3499; processone/ejabberd#4103;
//! Syndace/slixmpp-omemo#3.

use super::not_addressed_reason::add_reason;
use super::{Cause, Judgement, Scene, Whole, at_the_end};
use crate::analysis::published_faults;
use crate::model::{Code, Confidence, Evidence, EvidenceKind, Finding};
use crate::omemo::Namespace;

pub(super) const CAUSE: Cause =
    Cause { code: Code::NotAddressed, source: include_str!("not_addressed.rs"), judge, gather: || at_the_end(whole) };

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
fn whole(whole: &Whole<'_>) -> Vec<Finding> {
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
                    "Your device {id} is missing from the newest device list of {jid} ({namespace}): others will not write to it."
                ),
                evidence: vec![Evidence {
                    kind: EvidenceKind::Stanza,
                    place: list.last.position.to_string().into(),
                    says: format!("the list names {}", ids(&list.ids)).into(),
                }],
                remedy: vec!["Restart the client on that device of yours: it should put itself on the list again.".into()],
                stanza_ids: list.last.id.iter().cloned().collect(),
            });
        }
    }
    findings.extend(published_faults::findings(whole.published));
    findings
}
