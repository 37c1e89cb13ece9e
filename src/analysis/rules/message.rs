//! Rules about the encrypted message and whom it is for.

use super::known::{Known, MAX_KNOWN};
use super::{Breaches, EVERY, LATER, Rule, device_of, has_text, must, sent_by_us, should, sighting, stanza_sighting};
use crate::analysis::book::Sighting;
use crate::model::{Account, BareJid, CapturedMessage, CapturedStanza, TrustLevel};
use crate::omemo::Namespace;
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::xml::Element;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const MSG_1: Rule = must(
    "MSG-1",
    EVERY,
    "A message is encrypted for all listed devices of its readers and of the own account, but not for the sending device.",
);
/// Whether a device is trusted decides, and only a store can tell that.
const MSG_1_UNSURE: Rule =
    should("MSG-1", EVERY, "A message is encrypted for the devices on the list, unless they are not trusted.");
const MSG_2: Rule = must("MSG-2", LATER, "A group of keys names the bare, real address of an account.");
const MSG_3: Rule = should("MSG-3", EVERY, "A message has a hint to store it, and says how it is encrypted (XEP-0380).");
const MSG_4: Rule = must("MSG-4", EVERY, "An encrypted message has one header with the sender's device id and the keys in it.");
const SES_9: Rule = must("SES-9", EVERY, "No text is encrypted for a device that the user has not decided about.");

pub(super) const RULES: &[&Rule] = &[&MSG_1, &MSG_1_UNSURE, &MSG_2, &MSG_3, &MSG_4, &SES_9];

type Device = (BareJid, u32, Namespace);

/// What the checks remember.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Devices that were listed and got no key, where last.
    without_key: HashMap<Device, Sighting>,
    /// Devices that got a text from our client.
    with_text: HashMap<Device, Sighting>,
}

impl Checks {
    /// What stands beside the encrypted element.
    pub fn take_stanza(&mut self, stanza: &CapturedStanza, breaches: &mut Breaches) {
        for message in stanza.element.descendants().filter(|e| e.name == "message") {
            let encrypted = message.elements().find(|e| e.name == "encrypted" && Namespace::from_uri(&e.namespace).is_some());
            let Some((encrypted, namespace)) = encrypted.and_then(|e| Some((e, Namespace::from_uri(&e.namespace)?))) else {
                continue;
            };
            if message.attribute("type") == Some("error") {
                continue;
            }
            let seen = Sighting { id: message.attribute("id").map(str::to_owned), ..stanza_sighting(stanza) };
            let who = sender(message, encrypted);
            let with_text = encrypted.elements().any(|e| e.name == "payload");
            if with_text && message.child("store", "urn:xmpp:hints").is_none() {
                breaches.note(&MSG_3, namespace, format!("messages of {who} have no hint that servers should store them"), &seen);
            }
            if message.child("encryption", "urn:xmpp:eme:0").is_none() {
                breaches.note(
                    &MSG_3,
                    namespace,
                    format!("messages of {who} do not say that they are encrypted with OMEMO"),
                    &seen,
                );
            }
        }
    }

    pub fn take(&mut self, message: &CapturedMessage, encrypted: &Encrypted, known: &Known, breaches: &mut Breaches) {
        let namespace = encrypted.namespace;
        let who = device_of(encrypted.sid, message.from.as_ref());
        let seen = sighting(message);
        breaches.faults(&encrypted.faults, namespace, &format!("a message of {who}"), &seen);
        let mut rooms: BTreeSet<BareJid> = BTreeSet::new();
        for jid in encrypted.keys.iter().filter_map(|k| k.jid.as_deref()).filter_map(BareJid::new) {
            if message.room.as_ref() == Some(&jid) {
                rooms.insert(jid);
            }
        }
        for room in rooms {
            breaches.note(&MSG_2, namespace, format!("{who} makes keys for the room {room} itself, expected its members"), &seen);
        }
        if for_itself(message, encrypted) {
            breaches.note(&MSG_1, namespace, format!("{who} encrypts for itself"), &seen);
        }
        if sent_by_us(message) && has_text(encrypted) {
            self.readers(message, encrypted, known, &seen);
        }
    }

    /// Compares the keys of our own message with the lists that were known when it went out.
    fn readers(&mut self, message: &CapturedMessage, encrypted: &Encrypted, known: &Known, seen: &Sighting) {
        let namespace = encrypted.namespace;
        let to = message.to.clone().filter(|_| message.room.is_none());
        // Legacy keys do not say whose they are: they count for everybody.
        let mut keyed: BTreeMap<Option<BareJid>, BTreeSet<u32>> = BTreeMap::new();
        for key in &encrypted.keys {
            keyed.entry(key.jid.as_deref().and_then(BareJid::new)).or_default().extend(key.rid);
        }
        let none = BTreeSet::new();
        let readers: BTreeSet<BareJid> = keyed.keys().flatten().cloned().chain(to).chain(known.account(message)).collect();
        for jid in readers {
            let whose = if namespace.is_legacy() { None } else { Some(jid.clone()) };
            let keyed = keyed.get(&whose).unwrap_or(&none);
            for id in keyed {
                put(&mut self.with_text, (jid.clone(), *id, namespace), seen);
            }
            let Some(list) = known.list(Some(&jid), namespace) else { continue };
            let listed = list.devices.iter().map(|d| d.id);
            for id in listed.filter(|id| Some(*id) != encrypted.sid && !keyed.contains(id)) {
                put(&mut self.without_key, (jid.clone(), id, namespace), seen);
            }
        }
    }

    pub fn finish(&self, accounts: &[Account], breaches: &mut Breaches) {
        let trust = |(jid, id, _): &Device| {
            let devices = accounts.iter().flat_map(|a| &a.devices);
            devices.filter(|d| d.jid == *jid && d.device_id == Some(*id)).map(|d| d.trust.level).next_back()
        };
        for (device, seen) in sorted(&self.without_key) {
            let who = device_of(Some(device.1), Some(&device.0));
            match trust(device) {
                Some(TrustLevel::Trusted) => {
                    let says = format!("no key was made for {who}, which is listed, and trusted in this copy of the store");
                    breaches.note(&MSG_1, device.2, says, seen);
                }
                None | Some(TrustLevel::Unknown) => {
                    let says = format!("no key was made for {who}, which is listed: it is not trusted, or the list was not read");
                    breaches.note(&MSG_1_UNSURE, device.2, says, seen);
                }
                Some(_) => {}
            }
        }
        for (device, seen) in sorted(&self.with_text) {
            if trust(device) == Some(TrustLevel::Undecided) {
                let who = device_of(Some(device.1), Some(&device.0));
                breaches.note(
                    &SES_9,
                    device.2,
                    format!("a text was encrypted for {who}, about which this copy of the store says that nobody has decided"),
                    seen,
                );
            }
        }
    }
}

fn put(map: &mut HashMap<Device, Sighting>, device: Device, seen: &Sighting) {
    if map.len() < MAX_KNOWN || map.contains_key(&device) {
        map.insert(device, seen.clone());
    }
}

fn sorted(map: &HashMap<Device, Sighting>) -> Vec<(&Device, &Sighting)> {
    let mut all: Vec<_> = map.iter().collect();
    all.sort_by(|a, b| a.0.cmp(b.0));
    all
}

/// A key for the sending device itself. In the legacy variant another account may have the same id.
fn for_itself(message: &CapturedMessage, encrypted: &Encrypted) -> bool {
    let Some(sid) = encrypted.sid else { return false };
    let own = |jid: &str| message.from.is_some() && BareJid::new(jid) == message.from;
    encrypted.keys.iter().any(|k| k.rid == Some(sid) && k.jid.as_deref().is_some_and(own))
}

fn sender(message: &Element, encrypted: &Element) -> String {
    let sid =
        encrypted.elements().find(|e| e.name == "header").and_then(|h| h.attribute("sid")).and_then(|s| s.trim().parse().ok());
    let group = message.attribute("type") == Some("groupchat");
    device_of(sid, message.attribute("from").filter(|_| !group).and_then(BareJid::new).as_ref())
}

/// A value of the capture, short enough for a sentence.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['\u{2026}']).collect() }
}
