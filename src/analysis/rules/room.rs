//! Rules about group chats.

use super::known::{Known, MAX_KNOWN};
use super::{Breaches, EVERY, Rule, device_of, has_text, must, should, sighting, stanza_sighting};
use crate::analysis::book::Sighting;
use crate::model::{BareJid, CapturedMessage, CapturedStanza, Direction, Wrapper};
use crate::omemo::Namespace;
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::xml::Element;
use std::collections::{BTreeMap, BTreeSet};

const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";

/// Members that are remembered for each room.
const MAX_MEMBERS: usize = 10_000;

const MUC_1: Rule = must("MUC-1", EVERY, "A room that uses OMEMO shows its members' real addresses to everybody.");
const MUC_1_MEMBERS: Rule = should("MUC-1", EVERY, "A room that uses OMEMO lets only members in.");
const MUC_2: Rule =
    must("MUC-2", EVERY, "A message in a room is encrypted for all members, admins and owners, also those who are away.");
/// A member without a known list may have no device that speaks this variant.
const MUC_2_UNSURE: Rule = should("MUC-2", EVERY, "A message in a room is encrypted for every member who uses OMEMO.");
const MUC_3: Rule = must("MUC-3", EVERY, "Device lists and bundles of members are fetched from their real addresses.");

pub(super) const RULES: &[&Rule] = &[&MUC_1, &MUC_1_MEMBERS, &MUC_2, &MUC_2_UNSURE, &MUC_3];

/// What the capture shows of a room.
#[derive(Debug, Default)]
struct Room {
    /// Real addresses of members, admins and owners.
    members: BTreeSet<BareJid>,
    /// Where it showed that real addresses are hidden.
    hidden: Option<Sighting>,
    /// Where it showed that anybody may enter.
    open: Option<Sighting>,
    /// A request for OMEMO data to an occupant's address.
    asked_occupant: Option<Sighting>,
    /// The variant of the messages in it.
    variant: Option<Namespace>,
}

/// What the checks remember.
#[derive(Debug, Default)]
pub(super) struct Checks {
    rooms: BTreeMap<BareJid, Room>,
}

impl Checks {
    fn room(&mut self, jid: BareJid) -> Option<&mut Room> {
        if self.rooms.len() >= MAX_KNOWN && !self.rooms.contains_key(&jid) {
            return None;
        }
        Some(self.rooms.entry(jid).or_default())
    }

    pub fn take_stanza(&mut self, stanza: &CapturedStanza) {
        let element = &stanza.element;
        let seen = stanza_sighting(stanza);
        match element.name.as_str() {
            "presence" | "message" => self.occupant(element, &seen),
            "iq" => {
                self.asked(element, &seen);
                self.told(element, &seen);
            }
            _ => {}
        }
    }

    /// An occupant's presence, or a change of affiliation.
    fn occupant(&mut self, element: &Element, seen: &Sighting) {
        let Some(x) = element.child("x", MUC_USER) else { return };
        let Some(jid) = element.attribute("from").and_then(BareJid::new) else { return };
        let (Some(room), items) = (self.room(jid), x.elements().filter(|e| e.name == "item")) else { return };
        for item in items {
            affiliation(room, item);
            let someone_else = !x.elements().any(|e| e.name == "status" && e.attribute("code") == Some("110"));
            if element.name == "presence"
                && element.attribute("type").is_none()
                && item.attribute("jid").is_none()
                && someone_else
            {
                room.hidden.get_or_insert_with(|| seen.clone());
            }
        }
    }

    /// Answers of the room: its features, its lists.
    fn told(&mut self, iq: &Element, seen: &Sighting) {
        if iq.attribute("type") != Some("result") {
            return;
        }
        let Some(jid) = iq.attribute("from").filter(|from| !from.contains('/')).and_then(BareJid::new) else { return };
        if let Some(query) = iq.child("query", MUC_ADMIN) {
            let Some(room) = self.room(jid) else { return };
            query.elements().filter(|e| e.name == "item").for_each(|item| affiliation(room, item));
        } else if let Some(query) = iq.child("query", DISCO_INFO) {
            let has = |name: &str| query.elements().any(|e| e.name == "feature" && e.attribute("var") == Some(name));
            let (hidden, shown) = (has("muc_semianonymous") || has("muc_anonymous"), has("muc_nonanonymous"));
            let (open, closed) = (has("muc_open"), has("muc_membersonly"));
            if !(hidden || shown || open || closed) {
                return;
            }
            let Some(room) = self.room(jid) else { return };
            room.hidden = hidden.then(|| seen.clone());
            room.open = open.then(|| seen.clone());
        }
    }

    /// Requests for lists and bundles that go to an occupant.
    fn asked(&mut self, iq: &Element, seen: &Sighting) {
        if iq.attribute("type") != Some("get") {
            return;
        }
        let nodes = iq.elements().filter(|e| e.name == "pubsub").flat_map(Element::elements).filter_map(|e| e.attribute("node"));
        let omemo = nodes.into_iter().any(|node| Namespace::ALL.iter().any(|n| node.starts_with(n.uri())));
        let Some(room) = iq.attribute("to").filter(|to| omemo && to.contains('/')).and_then(BareJid::new) else { return };
        if let Some(room) = self.room(room) {
            room.asked_occupant.get_or_insert_with(|| seen.clone());
        }
    }

    pub fn take_message(&mut self, message: &CapturedMessage, encrypted: &Encrypted, known: &Known, breaches: &mut Breaches) {
        let Some(jid) = &message.room else { return };
        let namespace = encrypted.namespace;
        let Some(room) = self.room(jid.clone()) else { return };
        room.variant = Some(namespace);
        if message.wrapper == Wrapper::Archive || !has_text(encrypted) {
            return;
        }
        let sender =
            message.from.clone().or_else(|| known.account(message).filter(|_| message.direction == Some(Direction::Outgoing)));
        let Some(sender) = sender else { return };
        let named: BTreeSet<BareJid> = encrypted.keys.iter().filter_map(|k| k.jid.as_deref().and_then(BareJid::new)).collect();
        let rids: BTreeSet<u32> = encrypted.keys.iter().filter_map(|k| k.rid).collect();
        for member in room.members.iter().filter(|m| **m != sender) {
            let list = known.list(Some(member), namespace);
            let keyed = if namespace.is_legacy() {
                // Only the member's list tells which keys are for it.
                list.is_none_or(|l| l.devices.iter().any(|d| rids.contains(&d.id)))
            } else {
                named.contains(member)
            };
            if keyed || list.is_some_and(|l| l.devices.is_empty()) {
                continue;
            }
            let who = device_of(encrypted.sid, Some(&sender));
            let says = format!("{who} made no key for {member}, who is a member of {jid}");
            breaches.note(if list.is_some() { &MUC_2 } else { &MUC_2_UNSURE }, namespace, says, &sighting(message));
        }
    }

    pub fn finish(&self, breaches: &mut Breaches) {
        for (jid, room) in &self.rooms {
            let Some(variant) = room.variant else { continue };
            if let Some(seen) = &room.hidden {
                let says =
                    format!("the room {jid} hides the real addresses of its members: nobody can find their devices and keys");
                breaches.note(&MUC_1, variant, says, seen);
            }
            if let Some(seen) = &room.open {
                breaches.note(
                    &MUC_1_MEMBERS,
                    variant,
                    format!("anybody may enter the room {jid}, and cannot read what is written"),
                    seen,
                );
            }
            if let Some(seen) = &room.asked_occupant {
                breaches.note(&MUC_3, variant, format!("devices were asked for at an occupant's address in {jid}"), seen);
            }
        }
    }
}

/// Members, admins and owners come and go.
fn affiliation(room: &mut Room, item: &Element) {
    let Some(jid) = item.attribute("jid").and_then(BareJid::new) else { return };
    match item.attribute("affiliation") {
        Some("member" | "admin" | "owner") if room.members.len() < MAX_MEMBERS => {
            room.members.insert(jid);
        }
        Some("none" | "outcast") => {
            room.members.remove(&jid);
        }
        _ => {}
    }
}
