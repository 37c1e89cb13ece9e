//! Takes carbons, archive results and PubSub off a stanza and keeps what concerns OMEMO.

mod fallback;
mod pubsub;

use super::clock;
use crate::bounded_map::BoundedMap;
use crate::mark::mark;
use crate::model::{BareJid, CapturedEnvelope, CapturedMessage, CapturedStanza, Direction, EncryptedPart, Item, When, Wrapper};
use crate::omemo::Namespace;
use crate::omemo::namespace::is_unknown_version;
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::stanza::envelope::Envelope;
use crate::omemo::stanza::opt_out::OptOut;
use crate::omemo::xml::{Element, XmlError, XmlErrorKind};

const CLIENT: &str = "jabber:client";
const CARBONS: [&str; 2] = ["urn:xmpp:carbons:2", "urn:xmpp:carbons:1"];
const FORWARD: &str = "urn:xmpp:forward:0";
const ARCHIVE_PREFIX: &str = "urn:xmpp:mam:";
const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
const STANZA_IDS: &str = "urn:xmpp:sid:0";
const EME: &str = "urn:xmpp:eme:0";
const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// Room occupants whose real address is remembered.
const MAX_OCCUPANTS: usize = 50_000;
/// PubSub requests that wait for an answer.
const MAX_REQUESTS: usize = 10_000;
/// Longest address that is remembered: three parts of 1023 bytes (RFC 7622).
pub(super) const MAX_JID: usize = 3071;
/// How deep messages may be forwarded in messages.
const MAX_WRAPPERS: usize = 4;

/// Remembers what later stanzas need: room occupants' real addresses, PubSub requests by id, our own
/// address once the server told it.
#[derive(Debug)]
pub struct Unwrapper {
    occupants: BoundedMap<String, BareJid>,
    requests: BoundedMap<String, pubsub::Request>,
    own: Option<BareJid>,
}

impl Default for Unwrapper {
    fn default() -> Self {
        Self { occupants: BoundedMap::new(MAX_OCCUPANTS), requests: BoundedMap::new(MAX_REQUESTS), own: None }
    }
}

/// What was taken off on the way to a message.
#[derive(Clone)]
struct Wrapping {
    wrapper: Wrapper,
    sent: Option<When>,
    archive_ids: Vec<String>,
    notes: Vec<String>,
    depth: usize,
}

impl Unwrapper {
    /// An unwrapper that knows our own address, for logs that do not tell it.
    pub fn for_account(own: Option<BareJid>) -> Self {
        Self { own, ..Self::default() }
    }

    /// The OMEMO items of one stanza.
    pub fn items(&mut self, stanza: &CapturedStanza) -> Vec<Item> {
        let mut items = Vec::new();
        let element = &stanza.element;
        self.learn_own_address(stanza);
        match element.name.as_str() {
            "presence" => self.presence(element),
            "message" => {
                let wrapping =
                    Wrapping { wrapper: Wrapper::Direct, sent: None, archive_ids: Vec::new(), notes: Vec::new(), depth: 0 };
                self.message(stanza, element, &wrapping, &mut items);
            }
            "iq" => self.iq(stanza, element, &mut items),
            "encrypted" => items.extend(alone(stanza, element)),
            _ => {
                items.extend(in_clear(stanza, element, element, false));
                self.published(stanza, element, None, &mut items);
            }
        }
        items
    }

    /// Whose connection it is: as the log tells, as the stanza is addressed, or as was learnt before.
    fn account(&self, stanza: &CapturedStanza) -> Option<BareJid> {
        let end = match stanza.direction {
            Some(Direction::Incoming) => stanza.element.attribute("to"),
            Some(Direction::Outgoing) => stanza.element.attribute("from"),
            None => None,
        };
        stanza.account.clone().or_else(|| end.and_then(BareJid::new)).or_else(|| self.own.clone())
    }

    /// What comes in is addressed to the full JID of the connection, at least now and then.
    fn learn_own_address(&mut self, stanza: &CapturedStanza) {
        if self.own.is_none() && stanza.account.is_none() && stanza.direction == Some(Direction::Incoming) {
            self.own = stanza.element.attribute("to").filter(|to| to.contains('/')).and_then(BareJid::new);
        }
    }

    /// Occupant presences of rooms that show real addresses (XEP-0045, 7.2.3).
    fn presence(&mut self, presence: &Element) {
        if let (Some(occupant), Some(real)) = (presence.attribute("from"), real_jid(presence))
            && occupant.len() <= MAX_JID
            && real.as_str().len() <= MAX_JID
        {
            self.occupants.insert(occupant.to_owned(), real);
        }
    }

    fn message(&mut self, stanza: &CapturedStanza, message: &Element, wrapping: &Wrapping, items: &mut Vec<Item>) {
        if wrapping.depth < MAX_WRAPPERS {
            for child in message.elements() {
                self.wrapped(stanza, message, child, wrapping, items);
            }
        }
        items.extend(message.elements().filter_map(|child| in_clear(stanza, child, message, true)));
        // A bounce repeats what we sent; it was never received by anybody.
        if message.attribute("type") != Some("error")
            && let Some(encrypted) = encrypted_part(stanza, message)
        {
            items.push(Item::Message(Box::new(self.captured(stanza, message, wrapping, encrypted))));
        }
    }

    /// A child of a message that holds another message or PubSub items.
    fn wrapped(
        &mut self,
        stanza: &CapturedStanza,
        message: &Element,
        child: &Element,
        wrapping: &Wrapping,
        items: &mut Vec<Item>,
    ) {
        let mut inner = Wrapping { depth: wrapping.depth + 1, ..wrapping.clone() };
        if CARBONS.contains(&child.namespace.as_str()) && matches!(child.name.as_str(), "sent" | "received") {
            let wrapper = if child.name == "sent" { Wrapper::CarbonSent } else { Wrapper::CarbonReceived };
            if inner.wrapper == Wrapper::Direct {
                inner.wrapper = wrapper;
            }
            inner.notes.extend(self.forged_carbon(stanza, message));
        } else if child.name == "result" && child.namespace.starts_with(ARCHIVE_PREFIX) {
            if inner.wrapper == Wrapper::Direct {
                inner.wrapper = Wrapper::Archive;
            }
            inner.archive_ids.extend(child.attribute("id").map(str::to_owned));
        } else if child.is("event", PUBSUB_EVENT) {
            self.published(stanza, child, message.attribute("from"), items);
            // Rooms that send to people who are not in them (MUC/Sub) put messages into items.
            let in_items = child.elements().filter(|e| e.name == "items").flat_map(Element::elements);
            for nested in in_items.filter(|e| e.name == "item").flat_map(Element::elements).filter(|e| e.is("message", CLIENT)) {
                self.message(stanza, nested, &inner, items);
            }
            return;
        } else {
            return;
        }
        let Some(forwarded) = child.child("forwarded", FORWARD) else { return };
        inner.sent = delay(forwarded).or(inner.sent);
        for nested in forwarded.elements().filter(|e| e.is("message", CLIENT)) {
            self.message(stanza, nested, &inner, items);
        }
    }

    /// Carbons of anybody but our own account are forged (XEP-0280, section 11).
    fn forged_carbon(&self, stanza: &CapturedStanza, outer: &Element) -> Option<String> {
        let from = outer.attribute("from").and_then(BareJid::new)?;
        let to = outer.attribute("to").and_then(BareJid::new);
        let own = self.account(stanza).or(to)?;
        (from != own).then(|| format!("a carbon copy that comes from {from}, not from our own account: clients must ignore it"))
    }

    fn captured(
        &self,
        stanza: &CapturedStanza,
        message: &Element,
        wrapping: &Wrapping,
        encrypted: EncryptedPart,
    ) -> CapturedMessage {
        let from_full = message.attribute("from").map(str::to_owned);
        let from_bare = from_full.as_deref().and_then(BareJid::new);
        let mut to = message.attribute("to").and_then(BareJid::new);
        let group = message.attribute("type") == Some("groupchat");
        let occupant = from_full.as_deref().filter(|f| f.contains('/')).and_then(|f| self.occupants.get(f));
        let by_us = match (stanza.direction, wrapping.wrapper) {
            (Some(Direction::Outgoing), Wrapper::Direct) => true,
            // Our own message to a room, whose keys are for our other devices among others: no room has devices.
            (None, Wrapper::Direct) if group && names(&encrypted, from_bare.as_ref()) => true,
            (None, Wrapper::Direct) => from_full.is_none(),
            (_, Wrapper::CarbonSent) => from_full.is_none(),
            _ => false,
        };
        let mut room = None;
        let from = if group && by_us {
            room.clone_from(&to);
            self.account(stanza).or(from_bare)
        } else if group {
            room.clone_from(&from_bare);
            real_jid(message).or_else(|| occupant.cloned())
        } else if by_us {
            from_bare.or_else(|| self.account(stanza))
        } else {
            occupant.cloned().or(from_bare).or_else(|| self.account(stanza))
        };
        if to.is_none() && !by_us {
            to = self.account(stanza);
        }
        let mut archive_ids = wrapping.archive_ids.clone();
        for id in message.elements().filter(|e| e.is("stanza-id", STANZA_IDS)).filter_map(|e| e.attribute("id")) {
            if !archive_ids.iter().any(|known| known == id) {
                archive_ids.push(id.to_owned());
            }
        }
        CapturedMessage {
            position: stanza.position.clone(),
            time: stanza.time.clone(),
            direction: stanza.direction,
            account: self.account(stanza),
            server: stanza.server,
            id: message.attribute("id").map(str::to_owned),
            origin_id: message.child("origin-id", STANZA_IDS).and_then(|e| e.attribute("id")).map(str::to_owned),
            archive_ids,
            from,
            from_full,
            to,
            room,
            wrapper: wrapping.wrapper,
            sent: delay(message).or_else(|| wrapping.sent.clone()),
            encrypted,
            beside: message.child("body", CLIENT).map(|body| mark(body.text().as_str())),
            fallback_of: message.child("body", CLIENT).and_then(|body| fallback::writer(&body.text())),
            repairs: stanza.repairs.iter().chain(&wrapping.notes).cloned().collect(),
        }
    }

    fn iq(&mut self, stanza: &CapturedStanza, iq: &Element, items: &mut Vec<Item>) {
        let bound = iq.child("bind", BIND).and_then(|b| b.child("jid", BIND)).and_then(|j| BareJid::new(&j.text()));
        if stanza.account.is_none() && bound.is_some() {
            self.own = bound;
        }
        self.pubsub(stanza, iq, items);
    }
}

/// The OMEMO part of a message, if it has one.
fn encrypted_part(stanza: &CapturedStanza, message: &Element) -> Option<EncryptedPart> {
    let named = |e: &&Element| e.name == "encrypted";
    let known = message.elements().filter(named).find_map(Encrypted::from_element);
    if let Some(error) = &stanza.error {
        if let Some(header) = cut_by_the_log(stanza, error, message) {
            return Some(EncryptedPart::Known(header));
        }
        let announced = message
            .elements()
            .any(|e| e.is("encryption", EME) && e.attribute("namespace").is_some_and(|n| Namespace::from_uri(n).is_some()));
        return (known.is_some() || announced).then(|| EncryptedPart::Broken { error: error.clone(), partial: known });
    }
    if let Some(known) = known {
        return Some(EncryptedPart::Known(known));
    }
    message.elements().filter(named).find(|e| is_unknown_version(&e.namespace)).map(unknown)
}

/// What stands before a text in which the log is known to have cut the stanza: the keys are whole.
fn cut_by_the_log(stanza: &CapturedStanza, error: &XmlError, message: &Element) -> Option<Encrypted> {
    let cut = error.kind == XmlErrorKind::CutOff && !stanza.repairs.is_empty();
    let element = message.elements().find(|e| e.name == "encrypted" && e.elements().any(|e| e.name == "payload"))?;
    let mut header = Encrypted::from_element(element).filter(|_| cut)?;
    header.payload = None;
    header.payload_left_out = true;
    header.faults.retain(|fault| fault.place != "payload");
    Some(header)
}

fn unknown(element: &Element) -> EncryptedPart {
    let sid =
        element.elements().find(|e| e.name == "header").and_then(|h| h.attribute("sid")).and_then(|s| s.trim().parse().ok());
    EncryptedPart::UnknownNamespace { uri: element.namespace.clone(), sid }
}

/// Whether there are keys for the devices of an account.
fn names(encrypted: &EncryptedPart, jid: Option<&BareJid>) -> bool {
    let EncryptedPart::Known(encrypted) = encrypted else { return false };
    jid.is_some() && encrypted.keys.iter().any(|k| k.jid.as_deref().and_then(BareJid::new).as_ref() == jid)
}

/// An `<encrypted>` that somebody pasted without its message.
fn alone(stanza: &CapturedStanza, element: &Element) -> Option<Item> {
    let encrypted = match (&stanza.error, Encrypted::from_element(element)) {
        (Some(error), partial @ Some(_)) => EncryptedPart::Broken { error: error.clone(), partial },
        (None, Some(known)) => EncryptedPart::Known(known),
        (_, None) if is_unknown_version(&element.namespace) => unknown(element),
        (_, None) => return None,
    };
    Some(Item::Message(Box::new(CapturedMessage {
        position: stanza.position.clone(),
        time: stanza.time.clone(),
        direction: stanza.direction,
        account: stanza.account.clone(),
        server: stanza.server,
        id: None,
        origin_id: None,
        archive_ids: Vec::new(),
        from: None,
        from_full: None,
        to: None,
        room: None,
        wrapper: Wrapper::Direct,
        sent: None,
        encrypted,
        beside: None,
        fallback_of: None,
        repairs: stanza.repairs.clone(),
    })))
}

/// An envelope or opt-out that nobody has encrypted.
fn in_clear(stanza: &CapturedStanza, element: &Element, around: &Element, sent: bool) -> Option<Item> {
    let namespace = match (element.name.as_str(), element.namespace.as_str()) {
        ("content", "urn:xmpp:sce:0") => Namespace::Omemo1,
        ("envelope", "urn:xmpp:sce:1") => Namespace::Omemo2,
        ("opt-out", uri) => Namespace::from_uri(uri)?,
        _ => return None,
    };
    let envelope = Envelope::from_element(element, namespace);
    let opt_out = envelope.as_ref().map_or_else(|| OptOut::from_element(element), Envelope::opt_out);
    (envelope.is_some() || opt_out.is_some()).then(|| {
        Item::Envelope(Box::new(CapturedEnvelope {
            position: stanza.position.clone(),
            time: stanza.time.clone(),
            direction: stanza.direction,
            stanza_id: around.attribute("id").map(str::to_owned),
            sent,
            namespace,
            envelope,
            opt_out,
        }))
    })
}

/// The real address a room gives in a presence or archived message.
fn real_jid(element: &Element) -> Option<BareJid> {
    element.child("x", MUC_USER)?.child("item", MUC_USER)?.attribute("jid").and_then(BareJid::new)
}

/// The stamp of delayed delivery (XEP-0203, before that XEP-0091).
fn delay(element: &Element) -> Option<When> {
    let delay = element.child("delay", "urn:xmpp:delay").or_else(|| element.child("x", "jabber:x:delay"))?;
    clock::read(delay.attribute("stamp")?)
}

#[cfg(test)]
mod tests;
