//! Rules about device lists and labels.

use super::known::{Known, MAX_KNOWN};
use super::{Breaches, EVERY, LATER, NEWEST, Rule, device_of, must, sent_by_us, should, sighting, stanza_sighting};
use crate::analysis::book::Sighting;
use crate::model::{BareJid, CapturedDeviceList, CapturedMessage, CapturedStanza, Wrapper};
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::xml::Element;
use crate::omemo::{Namespace, signature};
use std::collections::{BTreeMap, HashMap, HashSet};

const DEV_1: Rule = must("DEV-1", EVERY, "A device id is a number from 1 to 2^31-1.");
const DEV_3: Rule = must("DEV-3", EVERY, "The own device is on the own list, and is put back when somebody removes it.");
const DEV_4: Rule = should("DEV-4", EVERY, "The list is the only item of its node and has the id \u{201c}current\u{201d}.");
const DEV_5: Rule = must(
    "DEV-5",
    NEWEST,
    "The nodes of device lists and bundles are open to everybody, and the bundles' node keeps as many items as it can (max).",
);
const DEV_6: Rule =
    should("DEV-6", EVERY, "A message from a device that is not on the sender's list is a reason to fetch the list.");
const DEV_7: Rule = should("DEV-7", EVERY, "Who switches OMEMO off takes the device off the list and removes its bundle.");
const LBL_1: Rule = must("LBL-1", NEWEST, "A label has a signature that verifies with the device's identity key (since 0.9).");
const LBL_2: Rule = should("LBL-2", LATER, "A label is not longer than 53 characters.");

pub(super) const RULES: &[&Rule] = &[&DEV_1, &DEV_3, &DEV_4, &DEV_5, &DEV_6, &DEV_7, &LBL_1, &LBL_2];

/// Unlisted devices that are remembered for each account.
const MAX_UNLISTED: usize = 1_000;

/// What the checks remember.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Senders that were not on the list when they wrote.
    unlisted: HashMap<(Option<BareJid>, Namespace), BTreeMap<u32, Sighting>>,
    /// Bundles that our client removed, by device.
    removed: HashSet<u32>,
}

impl Checks {
    /// The configuration of nodes, and bundles that are removed.
    pub fn take_stanza(&mut self, stanza: &CapturedStanza, breaches: &mut Breaches) {
        let iq = &stanza.element;
        if iq.name != "iq" || iq.attribute("type") != Some("set") {
            return;
        }
        for pubsub in iq.elements().filter(|e| e.name == "pubsub") {
            let Some((node, namespace)) = pubsub.elements().find_map(omemo_node) else { continue };
            for field in pubsub.descendants().filter(|e| e.name == "field") {
                configured(field, node, namespace, &stanza_sighting(stanza), breaches);
            }
            self.removes(pubsub, node);
        }
    }

    fn removes(&mut self, pubsub: &Element, node: &str) {
        if self.removed.len() >= MAX_KNOWN {
            return;
        }
        let whole = pubsub.elements().any(|e| e.name == "delete");
        self.removed.extend(node.rsplit(':').next().filter(|_| whole).and_then(|id| id.parse::<u32>().ok()));
        let retracted = pubsub.elements().filter(|e| e.name == "retract").flat_map(Element::elements);
        self.removed.extend(retracted.filter_map(|item| item.attribute("id")?.parse::<u32>().ok()));
    }

    pub fn take_list(&mut self, list: &CapturedDeviceList, known: &Known, breaches: &mut Breaches) {
        let namespace = list.list.namespace;
        let owner = known.owner(list.owner.as_ref(), list.direction);
        let whose = owner.as_ref().map_or_else(|| "a device list".into(), |jid| format!("the device list of {jid}"));
        let seen = Sighting { position: list.position.clone(), id: list.stanza_id.clone() };
        breaches.faults(&list.list.faults, namespace, &whose, &seen);
        if let Some(id) = list.item_id.as_deref().filter(|id| *id != "current") {
            // Ids that a server makes up differ each time; one sentence is enough for all of them.
            let says = if id.len() < 12 { format!("has the item id \u{201c}{id}\u{201d}") } else { "has another item id".into() };
            breaches.note(&DEV_4, namespace, format!("{whose} {says}, expected \u{201c}current\u{201d}"), &seen);
        }
        if list.items > 1 {
            breaches.note(&DEV_4, namespace, format!("the node of {whose} has {} items, expected one", list.items), &seen);
        }
        // The list was fetched, or pushed.
        self.unlisted.remove(&(owner, namespace));
    }

    pub fn take_message(&mut self, message: &CapturedMessage, encrypted: &Encrypted, known: &Known) {
        let (Some(from), Some(sid)) = (&message.from, encrypted.sid) else { return };
        if sent_by_us(message) || message.wrapper == Wrapper::Archive || self.unlisted.len() >= MAX_KNOWN {
            return;
        }
        if known.list(Some(from), encrypted.namespace).is_some_and(|list| !list.holds(sid)) {
            let devices = self.unlisted.entry((Some(from.clone()), encrypted.namespace)).or_default();
            if devices.len() < MAX_UNLISTED {
                devices.entry(sid).or_insert_with(|| sighting(message));
            }
        }
    }

    pub fn finish(&self, known: &Known, breaches: &mut Breaches) {
        for (owner, namespace, list) in known.lists() {
            for id in known.own_devices(owner, namespace).into_iter().filter(|id| !list.holds(*id)) {
                let who = device_of(Some(id), owner);
                if !list.published_here {
                    let says = format!("{who} is not on its own list, and nothing in the capture puts it back");
                    breaches.note(&DEV_3, namespace, says, &list.seen);
                } else if !self.removed.contains(&id) {
                    breaches.note(
                        &DEV_7,
                        namespace,
                        format!("{who} was taken off the list, its bundle was not removed"),
                        &list.seen,
                    );
                }
            }
            for device in &list.devices {
                let Some(label) = &device.label else { continue };
                let who = device_of(Some(device.id), owner);
                match &device.label_signature {
                    None => breaches.note(&LBL_1, namespace, format!("the label of {who} has no signature"), &list.seen),
                    Some(signed) => {
                        let Some(identity) = known.identity(owner, device.id, namespace) else { continue };
                        let valid = identity.edwards().is_some_and(|form| signature::verify_label(form, label, signed));
                        if !valid {
                            let says = format!("the signature of the label of {who} does not verify with its identity key");
                            breaches.note(&LBL_1, namespace, says, &list.seen);
                        }
                    }
                }
            }
        }
        let mut unlisted: Vec<_> = self.unlisted.iter().collect();
        unlisted.sort_by(|a, b| a.0.cmp(b.0));
        for ((jid, namespace), devices) in unlisted {
            for (sid, seen) in devices {
                let who = device_of(Some(*sid), jid.as_ref());
                breaches.note(&DEV_6, *namespace, format!("{who} is not on the last list, and no newer list follows"), seen);
            }
        }
    }
}

/// The node of OMEMO that a PubSub action names.
fn omemo_node(action: &Element) -> Option<(&str, Namespace)> {
    let node = action.attribute("node")?;
    let of = |n: &Namespace| node.strip_prefix(n.uri()).is_some_and(|rest| rest.starts_with([':', '.']));
    Namespace::ALL.into_iter().find(of).map(|n| (node, n))
}

/// One field of a node's configuration.
fn configured(field: &Element, node: &str, namespace: Namespace, seen: &Sighting, breaches: &mut Breaches) {
    let value = field.elements().find(|e| e.name == "value").map(Element::text).unwrap_or_default();
    let value = value.trim();
    let expected = match field.attribute("var") {
        Some("pubsub#access_model") => "open",
        Some("pubsub#max_items") if node.ends_with(":bundles") => "max",
        _ => return,
    };
    if value != expected {
        let what = field.attribute("var").unwrap_or_default();
        let value = super::message::short(value);
        breaches.note(
            &DEV_5,
            namespace,
            format!("{node} is published with {what} \u{201c}{value}\u{201d}, expected \u{201c}{expected}\u{201d}"),
            seen,
        );
    }
}
