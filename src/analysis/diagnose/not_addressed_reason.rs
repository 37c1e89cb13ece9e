//! Why a sender made no key for us, as far as the files show it. A reason is only named where something shows
//! it: the sender's own store, a list as it was when the message came, a refused request. A missing key alone
//! accuses nobody.

use super::{Judgement, Scene, computed, in_stanza, in_store, rule};
use crate::analysis::book::Sighting;
use crate::analysis::outcome::Origin;
use crate::analysis::own_device::OwnDevice;
use crate::analysis::peer;
use crate::analysis::published::{ListHistory, ListVersion, Refusal};
use crate::model::{Confidence, Place, TrustLevel};
use crate::omemo::Namespace;

/// Adds the finer cause, its evidence and what to do about it.
pub(super) fn add_reason(
    judgement: Judgement,
    scene: &Scene<'_>,
    own: &OwnDevice,
    own_id: u32,
    namespace: Namespace,
) -> Judgement {
    let history = scene.whole.published.list(own.jid.as_ref(), namespace);
    let list = history.and_then(|h| list_then(scene, h));
    let judgement = history
        .and_then(|h| before_device(&judgement, scene, h, own_id))
        .or_else(|| old_id(&judgement, scene, own, own_id, namespace))
        .or_else(|| senders_store(&judgement, scene, own, own_id))
        .or_else(|| not_listed(&judgement, scene, list?, history?, own_id))
        .or_else(|| bundle(&judgement, scene, own, own_id, namespace))
        .or_else(|| given_up(&judgement, scene))
        .or_else(|| by_the_list(&judgement, scene, list?, history?, own_id))
        .unwrap_or_else(|| unknown(scene, judgement, list.filter(|l| l.ids.contains(&own_id))));
    // That there is no key is certain; a reason with an open question is not.
    let guessed = judgement.detail.is_some() && !judgement.open_questions.is_empty();
    if guessed { Judgement { confidence: Confidence::Likely, ..judgement } } else { judgement }
}

/// Our device list as it was when the message was sent.
fn list_then<'a>(scene: &Scene<'_>, history: &'a ListHistory) -> Option<&'a ListVersion> {
    let sent = scene.outcome.header.time.as_ref().and_then(|t| t.instant);
    let before = |version: &&ListVersion| {
        let seen = version.time.as_ref().and_then(|t| t.instant);
        let in_time = !scene.outcome.is_delayed() || seen.zip(sent).is_some_and(|(seen, sent)| seen <= sent);
        version.order <= scene.order && in_time
    };
    history.versions.iter().rev().find(before)
}

fn unknown(scene: &Scene<'_>, judgement: Judgement, list: Option<&ListVersion>) -> Judgement {
    let question = match list {
        Some(_) => {
            "Why there is no key, although your list names this device: the sender's store (--peer) would tell what it knows of this device and whether it trusts it."
        }
        None => {
            "Why there is no key: the sender's store (--peer) would tell what it knows of this device and whether it trusts it; your device list, as the log shows it before the message, would tell whether this device was on it."
        }
    };
    judgement
        .all_evidence(list.map(|list| in_stanza(&list.seen, "your device list names this device")))
        .remedy(format!(
            "Ask the sender to look in their client whether it lists and trusts this device{} (or look yourself, if you sent it from another device).",
            fingerprint(scene)
        ))
        .open_question(question)
}

/// By what somebody else knows this device.
fn fingerprint(scene: &Scene<'_>) -> String {
    let own = scene.account().and_then(|account| account.identity.as_ref());
    own.map_or_else(String::new, |own| format!(", whose fingerprint is {}", own.public.fingerprint().grouped()))
}

/// The sender's own store says how it stands with our device.
fn senders_store(judgement: &Judgement, scene: &Scene<'_>, own: &OwnDevice, own_id: u32) -> Option<Judgement> {
    let (from, sid) = (scene.outcome.header.from.as_ref(), scene.outcome.element.sid()?);
    let known = peer::our_devices(scene.whole.peers, from, sid, own.jid.as_ref()?, own_id)?;
    let judgement = judgement.clone();
    let Some(device) = known.this else {
        let says = format!("the sender's store knows {} other devices of yours, not this one", known.others);
        return (known.others > 0).then(|| {
            judgement
                .detail("sender-has-old-list")
                .evidence(in_store(Place::whole(&known.account.place.file), says))
                .remedy(RELOAD)
        });
    };
    if matches!(device.trust.level, TrustLevel::Untrusted | TrustLevel::Compromised) {
        let says = format!("the sender's store says of this device: {}", device.trust.word);
        let trust = known.account.client.remedies.trust_device;
        return Some(
            judgement
                .detail("sender-untrusts-us")
                .evidence(in_store(device.trust_place(), says))
                .remedy("Ask the sender to compare the fingerprint of this device with you by phone or in person, and then to trust it in their client.")
                .all_remedies(trust),
        );
    }
    let silent = device.activity.unanswered.zip(known.account.client.unanswered_limit).is_some_and(|(n, limit)| n >= limit);
    let inactive = device.activity.listed == Some(false);
    (silent || inactive).then(|| {
        let says = if silent {
            format!("the sender's store counts {} messages without an answer", device.activity.unanswered.unwrap_or_default())
        } else {
            "the sender's store holds this device for inactive".to_owned()
        };
        judgement.detail("sender-considers-us-inactive").evidence(in_store(&device.place, says)).remedy(ANSWER)
    })
}

const RELOAD: &str = "Ask the sender to let their client reload your device list: closing the chat or the client and opening it again is often enough.";
const ANSWER: &str = "Write something to the sender from this device: an answer makes it active again.";

/// Our own list did not name us.
fn not_listed(
    judgement: &Judgement,
    scene: &Scene<'_>,
    list: &ListVersion,
    history: &ListHistory,
    own_id: u32,
) -> Option<Judgement> {
    let back = history.ids.contains(&own_id);
    (!list.ids.contains(&own_id)).then(|| {
        let judgement = judgement
            .clone()
            .detail("own-device-not-listed")
            .evidence(in_stanza(&list.seen, "your own device list does not name this device"));
        if back {
            judgement
                .evidence(in_stanza(&history.last, "a later list names it again"))
                .remedy("Nothing more: this device is on the list again. Ask the sender to send the message once more.")
        } else {
            judgement.remedy(format!(
                "Restart {} on this device, so that it puts itself on your device list again.",
                scene.client_name()
            ))
        }
    })
}

/// What the ids in the message say, held against our list.
fn by_the_list(
    judgement: &Judgement,
    scene: &Scene<'_>,
    list: &ListVersion,
    history: &ListHistory,
    own_id: u32,
) -> Option<Judgement> {
    let rids = &scene.outcome.addressing.rids;
    let left =
        |rid: &u32| !list.ids.contains(rid) && history.versions.iter().any(|v| v.order <= list.order && v.ids.contains(rid));
    if rids.iter().any(left) {
        let says = "your device list no longer names a device that the sender wrote to";
        return Some(judgement.clone().detail("sender-has-old-list").evidence(in_stanza(&list.seen, says)).remedy(RELOAD));
    }
    let listed = |id: &u32| *id != own_id && list.ids.contains(id);
    let judgement = judgement.clone().evidence(in_stanza(&list.seen, "your device list names this device"));
    let another = rids.iter().any(listed) && scene.outcome.origin != Origin::OwnAccount;
    // It has our bundle, and knows that we are there: what is left is its own decision.
    if another && scene.outcome.heard.is_some() {
        return Some(
            judgement
                .detail("sender-untrusts-us")
                .evidence(scene.stanza("the sender wrote to another device of yours on that list"))
                .evidence(computed("earlier messages of the same device did have a key for this device"))
                .remedy(format!(
                    "Ask the sender to compare this device{} with you by phone or in person, not in this chat, and then to trust it in their client.",
                    fingerprint(scene)
                ))
                .open_question("Why the sender leaves out this device by now (no trust, given up for silence, session lost): the sender's store (--peer) would tell."),
        );
    }
    if scene.outcome.header.room.is_some() && list.ids.iter().any(|id| *id != own_id) && !rids.iter().any(listed) {
        return Some(
            judgement
                .detail("muc-not-in-members")
                .evidence(scene.stanza("a group chat's message without a key for any of your listed devices"))
                .remedy("Stay in the group chat with this device, or become a member of it: some clients write only to those who are present.")
                .open_question(
                    "Whether the sender's client knew that you are in the group chat: the sender's log with the members it saw would tell.",
                ),
        );
    }
    None
}

/// The message was sent before our device came to its list.
fn before_device(judgement: &Judgement, scene: &Scene<'_>, list: &ListHistory, own_id: u32) -> Option<Judgement> {
    let (added, sighting) = list.added.get(&own_id)?;
    let sent = scene.outcome.header.time.as_ref().filter(|_| scene.outcome.is_delayed())?;
    // A key for us had come before: then it only came back to the list.
    if scene.outcome.heard.is_some() {
        return None;
    }
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

/// Nobody could begin a session with us. Who has one needs no bundle.
fn bundle(judgement: &Judgement, scene: &Scene<'_>, own: &OwnDevice, own_id: u32, namespace: Namespace) -> Option<Judgement> {
    if scene.outcome.heard.is_some() {
        return None;
    }
    let published = scene.whole.published;
    let restart = format!("Restart {} on this device, so that it publishes its bundle again.", scene.client_name());
    let failure = published.refused_bundle(own.jid.as_ref(), own_id, namespace);
    if let Some(failure) = failure.filter(|f| scene.is_after(&f.position)) {
        let sighting = Sighting { position: failure.position.clone(), id: failure.stanza_id.clone() };
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
    let seen = published.bundle(own.jid.as_ref(), own_id, namespace).filter(|b| scene.is_after(&b.last.position))?;
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
fn given_up(judgement: &Judgement, scene: &Scene<'_>) -> Option<Judgement> {
    let highest = scene.outcome.heard.filter(|c| *c >= SILENCE)?;
    Some(
        judgement
            .clone()
            .detail("sender-considers-us-inactive")
            .evidence(computed(format!(
                "messages of this sender to your device had reached counter {highest}: so many in a row without an answer from it"
            )))
            .evidence(rule("silent devices", "Kaidan gives up after 106 unanswered stanzas, Smack after 400, Gajim after 2000"))
            .remedy(ANSWER)
            .open_question(
                "Whether the sender gave this device up, or does not trust it: the sender's store (--peer) would tell.",
            ),
    )
}
