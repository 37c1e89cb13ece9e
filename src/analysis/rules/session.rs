//! Rules about beginning, answering and repairing sessions.

use super::known::{Known, MAX_KNOWN};
use super::{Breaches, EVERY, LATER, NEWEST, Rule, device_of, has_text, must, sent_by_us, should, sighting};
use crate::analysis::book::Sighting;
use crate::analysis::client_words;
use crate::model::{BareJid, CapturedMessage, ClientLine, Direction, Position, Wrapper};
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::wire::{self, KeyContent};
use crate::omemo::{Namespace, PublicKey};
use std::collections::HashMap;

/// Counter from which a message must be answered with a heartbeat (XEP-0384 0.4 and later).
const HEARTBEAT: u32 = 53;

const SES_1: Rule = should("SES-1", EVERY, "A session begins with the first message, not before.");
const SES_2: Rule = must("SES-2", EVERY, "A key exchange names a one-time prekey.");
const SES_3: Rule = should("SES-3", EVERY, "A key exchange is answered with an empty message.");
const SES_6: Rule = must("SES-6", NEWEST, "No client begins a new session by itself because a message failed (since 0.7).");
const SES_7: Rule = must("SES-7", LATER, "A message with counter 53 or higher is answered with a heartbeat, an empty message.");

pub(super) const RULES: &[&Rule] = &[&SES_1, &SES_2, &SES_3, &SES_6, &SES_7];

/// The account whose client it is, the variant, and the other side's device.
type Device = (Option<BareJid>, Namespace, u32);

/// What passed between one account and one device.
#[derive(Debug, Default)]
struct Link {
    /// Whose device it is.
    jid: Option<BareJid>,
    /// Something of the device was received.
    heard: bool,
    /// Something was sent to the device.
    told: bool,
    /// The key exchange that the device repeats, and how often it came.
    exchange: Option<(PublicKey, u32, Sighting)>,
    /// A message that wants a heartbeat.
    beat: Option<Sighting>,
    /// A message that the client said it could not decrypt.
    failed: bool,
}

/// What the checks remember.
#[derive(Debug, Default)]
pub(super) struct Checks {
    links: HashMap<Device, Link>,
    /// The device whose message came last, for the lines that the client writes after it.
    last: Option<(Device, Position)>,
}

impl Checks {
    pub fn take(&mut self, message: &CapturedMessage, encrypted: &Encrypted, known: &Known, breaches: &mut Breaches) {
        let seen = sighting(message);
        let account = known.account(message);
        let own = known.own_devices(account.as_ref(), encrypted.namespace);
        self.last = None;
        for key in &encrypted.keys {
            let Ok(parsed) = wire::parse(encrypted.namespace, &key.content, key.flagged) else { continue };
            if parsed.content.key_exchange().is_some_and(|e| e.prekey_id.is_none()) {
                let who = device_of(encrypted.sid, message.from.as_ref());
                breaches.note(&SES_2, encrypted.namespace, format!("a key exchange of {who} names no one-time prekey"), &seen);
            }
            let Some(rid) = key.rid else { continue };
            if sent_by_us(message) {
                let jid =
                    key.jid.as_deref().and_then(BareJid::new).or_else(|| message.to.clone().filter(|_| message.room.is_none()));
                self.sent((account.clone(), encrypted.namespace, rid), jid, encrypted, &parsed.content, &seen, breaches);
            } else if let Some(sid) = encrypted.sid
                && own.contains(&rid)
                && message.direction == Some(Direction::Incoming)
                && message.wrapper == Wrapper::Direct
            {
                let link = (account.clone(), encrypted.namespace, sid);
                self.last = Some((link.clone(), message.position.clone()));
                self.received(link, message.from.clone(), encrypted, &parsed.content, seen.clone());
            }
        }
    }

    fn sent(
        &mut self,
        device: Device,
        jid: Option<BareJid>,
        encrypted: &Encrypted,
        content: &KeyContent,
        seen: &Sighting,
        breaches: &mut Breaches,
    ) {
        if self.links.len() >= MAX_KNOWN && !self.links.contains_key(&device) {
            return;
        }
        let (namespace, rid) = (device.1, device.2);
        let link = self.links.entry(device).or_default();
        link.jid = link.jid.take().or(jid);
        let first = content.message().counter == 0 && content.key_exchange().is_some();
        if first && !has_text(encrypted) {
            let who = device_of(Some(rid), link.jid.as_ref());
            if link.failed {
                breaches.note(&SES_6, namespace, format!("a new session with {who} right after a message of it failed"), seen);
            } else if !link.heard && !link.told {
                breaches.note(&SES_1, namespace, format!("a session with {who} is begun by a message without text"), seen);
            }
        }
        *link = Link { jid: link.jid.take(), heard: link.heard, told: true, ..Link::default() };
    }

    fn received(&mut self, device: Device, from: Option<BareJid>, encrypted: &Encrypted, content: &KeyContent, seen: Sighting) {
        if self.links.len() >= MAX_KNOWN && !self.links.contains_key(&device) {
            return;
        }
        let link = self.links.entry(device).or_default();
        link.jid = from.or_else(|| link.jid.take());
        link.heard = true;
        match content.key_exchange() {
            Some(exchange) => {
                let before = link.exchange.take().filter(|(key, ..)| *key == exchange.base_key).map_or(0, |(_, times, _)| times);
                link.exchange = Some((exchange.base_key, before.saturating_add(1), seen.clone()));
            }
            None => link.exchange = None,
        }
        // An empty message that far in a chain may itself be a heartbeat; it wants an answer all the same.
        if content.message().counter >= HEARTBEAT && !encrypted.namespace.is_legacy() {
            link.beat = Some(seen);
        }
    }

    /// A line in which the client says that it could not decrypt.
    pub fn take_line(&mut self, line: &ClientLine) {
        let Some(words) = client_words::recognise(&line.text).filter(|w| w.is_failure()) else { return };
        // Without a session, a new one is what the specification wants.
        if words.means.starts_with("there is no session") {
            return;
        }
        let Some((device, position)) = &self.last else { return };
        if position.file == line.position.file
            && let Some(link) = self.links.get_mut(device)
        {
            link.failed = true;
        }
    }

    pub fn finish(&self, known: &Known, breaches: &mut Breaches) {
        let mut links: Vec<_> = self.links.iter().collect();
        links.sort_by(|a, b| a.0.cmp(b.0));
        for ((account, namespace, id), link) in links {
            // Without any message of our own the capture may simply hold one direction.
            if !known.sends(account.as_ref(), *namespace) {
                continue;
            }
            let who = device_of(Some(*id), link.jid.as_ref());
            if let Some((_, times, seen)) = link.exchange.as_ref().filter(|(_, times, _)| *times > 1) {
                let says = format!("{who} repeats its key exchange ({times} messages), and nothing answers it");
                breaches.note(&SES_3, *namespace, says, seen);
            }
            if let Some(seen) = &link.beat {
                breaches.note(
                    &SES_7,
                    *namespace,
                    format!("{who} wrote {HEARTBEAT} messages or more, and no heartbeat answers"),
                    seen,
                );
            }
        }
    }
}
