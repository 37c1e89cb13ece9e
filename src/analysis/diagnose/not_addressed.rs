//! # not-addressed
//!
//! **What happened.** The sender's client made no key for this device, so this device cannot read the message; your
//! other devices perhaps can. Usually nothing is broken and nobody is to blame: the sender's client does not know this
//! device, or does not trust it.
//!
//! **What to do.**
//! - Ask the sender to look in their client whether it lists and trusts this device. If the message came from another
//!   device of your own, look there yourself.
//! - Restart the client on this device: it should put itself on your device list and publish its bundle again.
//! - Where the verdict names a fine cause, do what stands there.
//!
//! **What is lost.** This message on this device, for ever; read it on another one, or ask for it again.
//!
//! **Fine causes.** "The owner" is whoever has the device or list that the verdict names: you, if it is yours.
//! - `own-device-not-listed`: your published device list does not name this device. Restart the client on it.
//! - `sender-has-old-list`: the sender's client goes by an old list of yours: it still writes to a device that had left
//!   the list, or its store does not know this one. Ask the sender to close and open the chat, or to reconnect, in their
//!   client.
//! - `sender-untrusts-us`: the sender's store does not trust this device. Or the sender wrote to this device before and
//!   now only to another one of yours: most often trust was taken back, sometimes the session is lost. Ask the sender to
//!   trust this device.
//! - `our-id-changed`: the sender's client writes to an id that this device had before. Ask as for
//!   `sender-has-old-list`, and take the old id off your device list.
//! - `sender-considers-us-inactive`: the sender's store says so; or the sender had written more than a hundred messages
//!   in a row without an answer from this device, and some clients then give it up. Write something to the sender from this device.
//! - `history-before-device`: the message is older than this device. No fault; read it on an older one.
//! - `muc-not-in-members`: a group chat's sender made no key for any of your devices: their client perhaps did not know
//!   that you are there. Stay in the room, or become a member of it.
//! - `bundle-missing`: the server has no bundle for the device, so nobody can begin a session. The owner starts its
//!   client once, or takes the device off the list.
//! - `bundle-unusable`: the bundle lacks a part, or its signature is wrong. The owner restarts the client there.
//! - `pep-access-denied`: the server does not let others read the list or bundle. The owner updates and restarts their
//!   client; if it stays, their server's administrator must open the node to all (access model "open").
//! - `publish-refused`: the server refused a new list or bundle because the old one has other settings
//!   (precondition-not-met). The owner restarts the client; if it stays, they ask their server's administrator.
//! - `device-list-war`: two clients of one account take each other off the list again and again. The owner updates both
//!   or closes one.
//! - `device-list-clobbered`: the list shrank to one device; somebody cleared it, or a client overwrote it. The owner
//!   restarts the other clients, so that they put themselves on it again.
//! - `devicelist-multi-item`: the list stands in several items; clients disagree on which counts. The owner clears the
//!   device list and restarts the clients.
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
//! **Mechanism.** A sender encrypts for the devices that are on the device list, whose bundle it can fetch, and that it
//! trusts. Missing trust is very common among one's own devices. Lists get lost when two clients overwrite each
//! other's, or when a client takes a failed request for an empty list (Dino, Monal).
//!
//! **What proves it.** No key element carries this device's id. The reason lies with the sender or on the server: a
//! list of yours without it from before the message, or a refused request, proves it; the sender's trust only its own
//! store (`--peer`) can show. Without such evidence no fine cause is named, and the open questions say what would settle
//! it.
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
