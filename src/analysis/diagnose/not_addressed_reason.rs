//! Why a sender made no key for us, as far as the capture shows it.

use super::{Judgement, Scene, computed, in_stanza, in_store, rule};
use crate::analysis::outcome::Origin;
use crate::analysis::own_device::OwnDevice;
use crate::analysis::published::{ListHistory, Refusal};
use crate::omemo::Namespace;

/// Adds the finer cause, its evidence and what to do about it.
pub(super) fn add_reason(
    judgement: Judgement,
    scene: &Scene<'_>,
    own: &OwnDevice,
    own_id: u32,
    namespace: Namespace,
) -> Judgement {
    let published = scene.whole.published;
    let list = published.list(own.jid.as_ref(), namespace);
    if let Some(list) = list
        && let Some(judgement) = before_device(&judgement, scene, list, own_id)
    {
        return judgement;
    }
    if let Some(judgement) = old_id(&judgement, scene, own, own_id, namespace) {
        return judgement;
    }
    if let Some(list) = list.filter(|l| !l.ids.contains(&own_id)) {
        return judgement
            .detail("own-device-not-listed")
            .evidence(in_stanza(&list.last, "your own device list does not name this device"))
            .remedy(format!(
                "Restart {} on this device, so that it puts itself on your device list again.",
                scene.client_name()
            ));
    }
    if let Some(judgement) = bundle(&judgement, scene, own, own_id, namespace) {
        return judgement;
    }
    if let Some(judgement) = given_up(&judgement, scene, namespace) {
        return judgement;
    }
    let rids = &scene.outcome.addressing.rids;
    let Some(list) = list else { return unknown(judgement) };
    let listed = |id: &u32| *id != own_id && list.ids.contains(id);
    if rids.iter().any(|r| list.ever.contains(r) && !list.ids.contains(r)) {
        return judgement
            .detail("sender-has-old-list")
            .evidence(in_stanza(&list.last, "your newest device list no longer names a device that the sender wrote to"))
            .remedy("Ask the sender to let their client reload your device list: closing and opening the chat or reconnecting is often enough.");
    }
    let judgement = judgement.evidence(in_stanza(&list.last, "your device list names this device"));
    if rids.iter().any(listed) && scene.outcome.origin != Origin::OwnAccount {
        return judgement
            .detail("sender-untrusts-us")
            .evidence(scene.stanza("the sender wrote to another device of yours on that list"))
            .remedy("Ask the sender to look at your devices in their client and to trust this one.")
            .open_question("Why the sender leaves out this device (no trust, given up for silence, no session): the sender's store (--peer) would tell.");
    }
    if scene.outcome.header.room.is_some() && list.ids.iter().any(|id| *id != own_id) && !rids.iter().any(listed) {
        return judgement
            .detail("muc-not-in-members")
            .evidence(scene.stanza("a group chat's message without a key for any of your listed devices"))
            .remedy(
                "Stay in the room with this device, or become a member of it: some clients write only to those who are present.",
            )
            .open_question(
                "Whether the sender's client knew that you are in the room: the sender's log with the members it saw would tell.",
            );
    }
    unknown(judgement)
}

fn unknown(judgement: Judgement) -> Judgement {
    judgement
        .remedy("Ask the sender to look in their client whether it lists and trusts this device (or look yourself, if you sent it from another device).")
        .open_question("Why there is no key: your device list (is this device on it?) and the sender's trust settings would tell.")
}

/// The message was sent before our device came to its list.
fn before_device(judgement: &Judgement, scene: &Scene<'_>, list: &ListHistory, own_id: u32) -> Option<Judgement> {
    let (added, sighting) = list.added.get(&own_id)?;
    let sent = scene.outcome.header.time.as_ref().filter(|_| scene.outcome.header.delayed)?;
    (sent.instant? < added.as_ref()?.instant?).then(|| {
        judgement
            .clone()
            .detail("history-before-device")
            .evidence(in_stanza(sighting, "this device came to your device list only with this stanza"))
            .evidence(scene.stanza(format!("the message was sent before that, {sent}")))
            .remedy("Nothing is to be repaired: read it on a device that existed then.")
    })
}

/// The sender wrote to an id under which our own identity key was published before.
fn old_id(judgement: &Judgement, scene: &Scene<'_>, own: &OwnDevice, own_id: u32, namespace: Namespace) -> Option<Judgement> {
    let identity = own.identity()?;
    let rids = scene.outcome.addressing.rids.iter().filter(|r| **r != own_id);
    rids.filter_map(|r| Some((r, scene.whole.published.bundle(own.jid.as_ref(), *r, namespace)?)))
        .find(|(_, bundle)| bundle.identity.is_some_and(|i| i.fingerprint() == identity.fingerprint()))
        .map(|(rid, bundle)| {
            let store = own.replays.first().map_or_else(|| "store".into(), |r| r.account.place.to_string());
            judgement
                .clone()
                .detail("our-id-changed")
                .evidence(in_stanza(&bundle.last, format!("device {rid} had the identity key of this device")))
                .evidence(in_store(store, format!("the id of this device is {own_id} now")))
                .remedy("Ask the sender to let their client reload your device list, and take the old id off that list in your client.")
        })
}

/// Nobody could begin a session with us.
fn bundle(judgement: &Judgement, scene: &Scene<'_>, own: &OwnDevice, own_id: u32, namespace: Namespace) -> Option<Judgement> {
    let published = scene.whole.published;
    let restart = format!("Restart {} on this device, so that it publishes its bundle again.", scene.client_name());
    if let Some(failure) = published.refused_bundle(own.jid.as_ref(), own_id, namespace) {
        let sighting = super::Sighting { position: failure.position.clone(), id: failure.stanza_id.clone() };
        let says = format!("the server refused your bundle with {}", failure.condition);
        let judgement = judgement.clone().evidence(in_stanza(&sighting, says));
        return match Refusal::of(&failure.condition) {
            Refusal::Missing => Some(judgement.detail("bundle-missing").remedy(restart)),
            Refusal::Denied => Some(judgement.detail("pep-access-denied").remedy(
                "Update and restart your client; if it stays, ask your server's administrator to make your bundle readable for all (access model \u{201c}open\u{201d}).",
            )),
            Refusal::Other => None,
        };
    }
    let seen = published.bundle(own.jid.as_ref(), own_id, namespace)?;
    let why = seen.unusable.as_ref()?;
    Some(
        judgement
            .clone()
            .detail("bundle-unusable")
            .evidence(in_stanza(&seen.last, format!("your bundle: {why}")))
            .remedy(restart),
    )
}

/// Unanswered messages after which a silent device may be given up: the lowest limit known (Kaidan: 106).
const SILENCE: u32 = 105;

/// The sender had written to us for long without an answer.
fn given_up(judgement: &Judgement, scene: &Scene<'_>, namespace: Namespace) -> Option<Judgement> {
    let highest = scene.whole.book.highest_counter(namespace, scene.outcome.element.sid()?).filter(|c| *c >= SILENCE)?;
    Some(
        judgement
            .clone()
            .detail("sender-considers-us-inactive")
            .evidence(computed(format!(
                "messages of this sender to your device had reached counter {highest}: so many in a row without an answer from it"
            )))
            .evidence(rule("silent devices", "Kaidan gives up after 106 unanswered stanzas, Smack after 400, Gajim after 2000"))
            .remedy("Write something to the sender from this device: an answer makes it active again.")
            .open_question(
                "Whether the sender gave this device up, or does not trust it: the sender's store (--peer) would tell.",
            ),
    )
}
