//! Device lists and bundles in PubSub (XEP-0060, XEP-0163): published, pushed, fetched, refused.

use super::{MAX_JID, Unwrapper};
use crate::model::{BareJid, CapturedBundle, CapturedDeviceList, CapturedStanza, Direction, Item, PubsubFailure};
use crate::omemo::Namespace;
use crate::omemo::stanza::bundle::Bundle;
use crate::omemo::stanza::device_list::DeviceList;
use crate::omemo::xml::Element;

const PUBSUB: [&str; 2] = ["http://jabber.org/protocol/pubsub", "http://jabber.org/protocol/pubsub#owner"];
const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
const LEGACY_BUNDLES: &str = "eu.siacs.conversations.axolotl.bundles:";

/// A request that may be answered by an error which repeats nothing.
#[derive(Clone, Debug)]
pub(super) struct Request {
    owner: Option<BareJid>,
    node: String,
}

/// Whether a node is one of OMEMO's.
fn is_omemo(node: &str) -> bool {
    Namespace::ALL.iter().any(|n| node.strip_prefix(n.uri()).is_some_and(|rest| rest.starts_with(['.', ':'])))
}

impl Unwrapper {
    /// The PubSub part of an iq.
    pub(super) fn pubsub(&mut self, stanza: &CapturedStanza, iq: &Element, items: &mut Vec<Item>) {
        let pubsub = iq.elements().find(|e| e.name == "pubsub" && PUBSUB.contains(&e.namespace.as_str()));
        let node = pubsub.and_then(|p| p.elements().find_map(|e| e.attribute("node"))).filter(|n| is_omemo(n));
        let id = iq.attribute("id");
        match iq.attribute("type") {
            Some("error") => items.extend(self.refused(stanza, iq, node)),
            Some(kind @ ("get" | "set")) => {
                // The owner of what is fetched is the addressee, of what is published the sender; a
                // request without address goes to the own account.
                let of = if kind == "get" || iq.attribute("to").is_some() { "to" } else { "from" };
                let owner = iq.attribute(of).and_then(BareJid::new).or_else(|| self.account(stanza));
                let short = |text: &str| text.len() <= MAX_JID;
                if let (Some(id), Some(node)) = (id.filter(|i| short(i)), node.filter(|n| short(n))) {
                    let owner = owner.clone().filter(|o| short(o.as_str()));
                    self.requests.insert(id.to_owned(), Request { owner, node: node.to_owned() });
                }
                if kind == "set"
                    && let Some(pubsub) = pubsub
                {
                    self.listed(stanza, pubsub, "publish", owner.as_ref(), items);
                }
            }
            _ => {
                let Some(pubsub) = pubsub else { return };
                let asked = id.and_then(|id| self.requests.get(id)).and_then(|r| r.owner.clone());
                let owner = iq.attribute("from").and_then(BareJid::new).or(asked).or_else(|| self.account(stanza));
                self.listed(stanza, pubsub, "items", owner.as_ref(), items);
            }
        }
    }

    /// What an event, or a fragment that somebody pasted, publishes.
    pub(super) fn published(&self, stanza: &CapturedStanza, element: &Element, from: Option<&str>, items: &mut Vec<Item>) {
        let own = || self.account(stanza).filter(|_| element.name == "event");
        let owner = from.and_then(BareJid::new).or_else(own);
        match element.name.as_str() {
            "event" => self.listed(stanza, element, "items", owner.as_ref(), items),
            "items" => item_list(stanza, element, owner.as_ref(), items),
            _ => content(stanza, element, &Around { owner: None, node: None, item_id: None, items: 1 }, items),
        }
    }

    fn listed(&self, stanza: &CapturedStanza, around: &Element, name: &str, owner: Option<&BareJid>, items: &mut Vec<Item>) {
        for list in around.elements().filter(|e| e.name == name && e.namespace == around.namespace) {
            item_list(stanza, list, owner, items);
        }
    }

    fn refused(&self, stanza: &CapturedStanza, iq: &Element, node: Option<&str>) -> Option<Item> {
        let request = iq.attribute("id").and_then(|id| self.requests.get(id));
        let node = node.map(str::to_owned).or_else(|| request.map(|r| r.node.clone()))?;
        let error = iq.elements().find(|e| e.name == "error")?;
        let condition = error
            .elements()
            .find(|e| e.namespace == PUBSUB_ERRORS)
            .or_else(|| error.elements().find(|e| e.namespace == STANZA_ERRORS && e.name != "text"))
            .map_or("undefined-condition", |e| e.name.as_str());
        Some(Item::PubsubFailure(PubsubFailure {
            position: stanza.position.clone(),
            time: stanza.time.clone(),
            stanza_id: iq.attribute("id").map(str::to_owned),
            owner: iq.attribute("from").and_then(BareJid::new).or_else(|| request.and_then(|r| r.owner.clone())),
            node: Some(node),
            condition: condition.to_owned(),
        }))
    }
}

/// What stands around a list or bundle.
struct Around<'a> {
    owner: Option<&'a BareJid>,
    node: Option<&'a str>,
    item_id: Option<&'a str>,
    items: usize,
}

fn item_list(stanza: &CapturedStanza, list: &Element, owner: Option<&BareJid>, items: &mut Vec<Item>) {
    let all: Vec<&Element> = list.elements().filter(|e| e.name == "item").collect();
    for item in &all {
        let around = Around { owner, node: list.attribute("node"), item_id: item.attribute("id"), items: all.len() };
        for element in item.elements() {
            content(stanza, element, &around, items);
        }
    }
}

fn content(stanza: &CapturedStanza, element: &Element, around: &Around<'_>, items: &mut Vec<Item>) {
    // What is cut off in the middle says nothing reliable about a device or a key.
    if stanza.error.is_some() {
        return;
    }
    let stanza_id = stanza.element.attribute("id").map(str::to_owned);
    if let Some(list) = DeviceList::from_element(element) {
        items.push(Item::DeviceList(CapturedDeviceList {
            position: stanza.position.clone(),
            time: stanza.time.clone(),
            direction: direction(stanza),
            stanza_id,
            owner: around.owner.cloned(),
            list,
            item_id: around.item_id.map(str::to_owned),
            items: around.items,
        }));
    } else if let Some(bundle) = Bundle::from_element(element) {
        let id =
            if bundle.namespace.is_legacy() { around.node.and_then(|n| n.strip_prefix(LEGACY_BUNDLES)) } else { around.item_id };
        items.push(Item::Bundle(Box::new(CapturedBundle {
            position: stanza.position.clone(),
            time: stanza.time.clone(),
            direction: direction(stanza),
            stanza_id,
            owner: around.owner.cloned(),
            device_id: id.and_then(|id| id.trim().parse().ok()),
            bundle,
        })));
    }
}

/// Where the log does not tell: only the owner's own client sends a request to publish.
fn direction(stanza: &CapturedStanza) -> Option<Direction> {
    let publishes = stanza.element.name == "iq" && stanza.element.attribute("type") == Some("set");
    stanza.direction.or(publishes.then_some(Direction::Outgoing))
}
