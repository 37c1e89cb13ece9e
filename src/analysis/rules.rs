//! The rules of XEP-0384 that a capture can break, each a [`Rule`] with its check. Nothing here judges why a
//! message does not decrypt: that is [`super::diagnose`]'s work.
//!
//! Not checked, because no capture and no single store can tell for sure: SES-4 (that a new key exchange
//! replaces the session: whether it was read at all is not known), SES-5 (that a client is silent about
//! duplicates), SES-8 (what a client keeps while it catches up), OPT-1 (whether the user has agreed to
//! plaintext; the verdict on the message says what is to be done).

mod bundle;
mod device_list;
pub mod envelope;
mod known;
mod message;
mod room;
mod session;

use super::book::Sighting;
use crate::model::{Account, BareJid, CapturedMessage, CapturedStanza, ClientLine, Direction, EncryptedPart, Item, Position};
use crate::omemo::Namespace;
use crate::omemo::stanza::Fault;
use crate::omemo::stanza::encrypted::Encrypted;
use known::Known;
use std::collections::HashMap;

/// Different breaches that are kept: a hostile capture must not fill the memory.
const MAX_BREACHES: usize = 5_000;

/// How strict a rule is (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// MUST or MUST NOT.
    Must,
    /// SHOULD, SHOULD NOT or RECOMMENDED.
    Should,
}

impl Level {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
        }
    }
}

/// A rule of the specification.
#[derive(Debug)]
pub struct Rule {
    /// Its name here, like `DEV-1`. A rule that is a MUST in one case and a SHOULD in another has two entries.
    pub id: &'static str,
    /// How strict it is.
    pub level: Level,
    /// The variants it holds for.
    pub variants: &'static [Namespace],
    /// What it asks, one sentence.
    pub says: &'static str,
}

const EVERY: &[Namespace] = &Namespace::ALL;
/// The variants of XEP-0384 0.4 and later.
const LATER: &[Namespace] = &[Namespace::Omemo1, Namespace::Omemo2];
const NEWEST: &[Namespace] = &[Namespace::Omemo2];

const fn must(id: &'static str, variants: &'static [Namespace], says: &'static str) -> Rule {
    Rule { id, level: Level::Must, variants, says }
}

const fn should(id: &'static str, variants: &'static [Namespace], says: &'static str) -> Rule {
    Rule { id, level: Level::Should, variants, says }
}

/// Every rule that is checked.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [device_list::RULES, bundle::RULES, session::RULES, message::RULES, envelope::RULES, room::RULES]
        .into_iter()
        .flatten()
        .copied()
}

/// A rule by its id; of two levels the stricter one.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    all().find(|r| r.id == id)
}

/// A rule that was broken.
#[derive(Clone, Debug)]
pub struct Breach {
    /// The rule.
    pub rule: &'static Rule,
    /// What breaks it, one sentence without full stop.
    pub says: String,
    /// Where it was seen first: in the capture, or in the store.
    pub place: Seen,
    /// How often.
    pub times: usize,
}

/// Where a breach was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// In a stanza.
    Capture(Sighting),
    /// In a store.
    Store(String),
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Capture(sighting) => sighting.position.fmt(f),
            Self::Store(place) => f.write_str(place),
        }
    }
}

impl Breach {
    /// Where the stanza begins, if it was one.
    pub fn position(&self) -> Option<&Position> {
        if let Seen::Capture(sighting) = &self.place { Some(&sighting.position) } else { None }
    }

    /// The stanza's id.
    pub fn stanza_id(&self) -> Option<&str> {
        if let Seen::Capture(sighting) = &self.place { sighting.id.as_deref() } else { None }
    }
}

/// Breaches, repeated ones counted.
#[derive(Debug, Default)]
struct Breaches {
    list: Vec<Breach>,
    index: HashMap<(&'static str, String), usize>,
}

impl Breaches {
    /// Notes a breach, if the rule holds for the variant.
    fn note(&mut self, rule: &'static Rule, namespace: Namespace, says: impl Into<String>, seen: &Sighting) {
        if rule.variants.contains(&namespace) {
            self.put(rule, says.into(), Seen::Capture(seen.clone()));
        }
    }

    fn put(&mut self, rule: &'static Rule, says: String, place: Seen) {
        let key = (rule.id, says);
        if let Some(breach) = self.index.get(&key).and_then(|i| self.list.get_mut(*i)) {
            breach.times += 1;
        } else if self.list.len() < MAX_BREACHES {
            self.list.push(Breach { rule, says: key.1.clone(), place, times: 1 });
            self.index.insert(key, self.list.len() - 1);
        }
    }

    /// The faults that the readers of the elements have found already.
    fn faults(&mut self, faults: &[Fault], namespace: Namespace, whose: &str, seen: &Sighting) {
        for fault in faults {
            if let Some(rule) = fault.rule.and_then(by_id) {
                self.note(rule, namespace, format!("{whose}: {} ({})", fault.says, fault.place), seen);
            }
        }
    }
}

/// Takes what a capture holds, in order, and yields the rules it breaks.
#[derive(Debug)]
pub struct RuleBook {
    known: Known,
    breaches: Breaches,
    device_lists: device_list::Checks,
    bundles: bundle::Checks,
    sessions: session::Checks,
    messages: message::Checks,
    rooms: room::Checks,
}

impl RuleBook {
    /// Begins; with our own address and device id, where somebody told them.
    pub fn new(own: Option<BareJid>, device: Option<u32>) -> Self {
        Self {
            known: Known::new(own, device),
            breaches: Breaches::default(),
            device_lists: device_list::Checks::default(),
            bundles: bundle::Checks::default(),
            sessions: session::Checks::default(),
            messages: message::Checks::default(),
            rooms: room::Checks::default(),
        }
    }

    /// Takes a stanza as a whole, before its items: what stands around the OMEMO elements.
    pub fn take_stanza(&mut self, stanza: &CapturedStanza) {
        if stanza.error.is_some() {
            return;
        }
        self.device_lists.take_stanza(stanza, &mut self.breaches);
        self.messages.take_stanza(stanza, &mut self.breaches);
        envelope::take_stanza(stanza, &mut self.breaches);
        self.rooms.take_stanza(stanza);
    }

    /// Takes what a stanza turned out to be.
    pub fn take(&mut self, item: &Item) {
        match item {
            Item::DeviceList(list) => {
                self.device_lists.take_list(list, &self.known, &mut self.breaches);
                self.known.take_list(list);
            }
            Item::Bundle(bundle) => {
                self.bundles.take(bundle, &self.known, &mut self.breaches);
                self.known.take_bundle(bundle);
            }
            Item::Message(message) => self.message(message),
            Item::Envelope(_) | Item::PubsubFailure(_) => {}
        }
    }

    fn message(&mut self, message: &CapturedMessage) {
        let EncryptedPart::Known(encrypted) = &message.encrypted else { return };
        self.known.take_message(message, encrypted);
        self.device_lists.take_message(message, encrypted, &self.known);
        self.bundles.take_message(message, encrypted, &self.known);
        self.sessions.take(message, encrypted, &self.known, &mut self.breaches);
        self.messages.take(message, encrypted, &self.known, &mut self.breaches);
        self.rooms.take_message(message, encrypted, &self.known, &mut self.breaches);
    }

    /// Takes a line in which the client itself says something.
    pub fn take_line(&mut self, line: &ClientLine) {
        self.sessions.take_line(line);
    }

    /// What only the whole can tell, and what only a store can tell. The strict rules come first.
    pub fn finish(mut self, accounts: &[Account]) -> Vec<Breach> {
        self.device_lists.finish(&self.known, &mut self.breaches);
        self.bundles.finish(accounts, &self.known, &mut self.breaches);
        self.sessions.finish(&self.known, &mut self.breaches);
        self.messages.finish(accounts, &mut self.breaches);
        self.rooms.finish(&mut self.breaches);
        let mut list = self.breaches.list;
        list.sort_by_key(|b| b.rule.level == Level::Should);
        list
    }
}

/// `device 5 of bob@example.org`.
fn device_of(device: Option<u32>, jid: Option<&BareJid>) -> String {
    let device = device.map_or_else(|| "an unnamed device".to_owned(), |id| format!("device {id}"));
    jid.map_or_else(|| device.clone(), |jid| format!("{device} of {jid}"))
}

/// Whether this very client sent it (not a carbon of another own client).
fn sent_by_us(message: &CapturedMessage) -> bool {
    message.direction == Some(Direction::Outgoing) && message.wrapper == crate::model::Wrapper::Direct
}

fn sighting(message: &CapturedMessage) -> Sighting {
    Sighting { position: message.position.clone(), id: message.id.clone() }
}

fn stanza_sighting(stanza: &CapturedStanza) -> Sighting {
    Sighting { position: stanza.position.clone(), id: stanza.element.attribute("id").map(str::to_owned) }
}

/// Whether the message has a payload, be it readable or not.
fn has_text(encrypted: &Encrypted) -> bool {
    encrypted.payload.is_some() || encrypted.payload_left_out || encrypted.faults.iter().any(|f| f.place == "payload")
}
