//! What we sent: our own ratchet keys and counters, as our own outgoing stanzas show them in clear.

use super::Sighting;
use super::seen::{MAX_CHAINS, MAX_SEEN, Seen, Slot};
use crate::analysis::branches::Branches;
use crate::bounded_map::BoundedMap;
use crate::model::Position;
use crate::omemo::wire::{KeyContent, RatchetMessage};
use crate::omemo::{Namespace, PublicKey};
use std::collections::{HashMap, VecDeque};

/// One of our ratchet keys, as our own outgoing stanzas show it.
#[derive(Clone, Debug)]
pub struct OwnRatchetKey {
    /// The key.
    pub ratchet_key: PublicKey,
    /// Highest counter sent with it.
    pub counter: u32,
    /// The base key, if it was sent with a key exchange.
    pub base_key: Option<PublicKey>,
    /// First stanza with it.
    pub first: Sighting,
    /// How many messages the capture had shown before that stanza.
    pub order: usize,
}

/// Two stanzas of ours that used one ratchet key and counter for different contents.
#[derive(Clone, Debug)]
pub struct OwnReuse {
    /// The receiving device.
    pub rid: u32,
    /// The counter.
    pub counter: u32,
    /// Where the first stanza begins.
    pub first: Position,
    /// The other one.
    pub second: Sighting,
}

/// Our own reuses that are kept: one is proof enough, a handful shows the pattern.
const MAX_REUSES: usize = 100;

/// Our ratchet keys towards one device that are kept, the newest ones.
const MAX_KEYS: usize = 1000;

/// Our ratchet keys towards a device, in the order in which the capture shows them. Each has a number that stays the
/// same when older ones are forgotten.
#[derive(Debug, Default)]
pub struct OwnKeys {
    keys: VecDeque<OwnRatchetKey>,
    /// How many older ones were forgotten.
    forgotten: usize,
    /// The number of the newest one that was sent with a key exchange.
    exchange: Option<usize>,
}

impl OwnKeys {
    /// The newest key.
    pub fn newest(&self) -> Option<&OwnRatchetKey> {
        self.keys.back()
    }

    /// The number of the newest key.
    pub fn newest_number(&self) -> Option<usize> {
        (self.forgotten + self.keys.len()).checked_sub(1)
    }

    /// The key with this number.
    pub fn get(&self, number: usize) -> Option<&OwnRatchetKey> {
        self.keys.get(number.checked_sub(self.forgotten)?)
    }

    /// The keys, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &OwnRatchetKey> {
        self.keys.iter()
    }

    /// The number of the newest key that was sent with a key exchange.
    pub fn exchange(&self) -> Option<usize> {
        self.exchange
    }

    /// The newest key exchange that was sent before a point of the capture.
    pub fn exchange_before(&self, order: usize) -> Option<&OwnRatchetKey> {
        self.keys.iter().rev().find(|key| key.base_key.is_some() && key.order <= order)
    }

    fn note(&mut self, message: &RatchetMessage, base_key: Option<PublicKey>, shown: bool, sighting: &Sighting, order: usize) {
        // Mostly it is the newest one.
        let known = if shown { self.keys.iter().rposition(|k| k.ratchet_key == message.ratchet_key) } else { None };
        let position = match known.and_then(|position| Some((position, self.keys.get_mut(position)?))) {
            Some((position, known)) => {
                known.counter = known.counter.max(message.counter);
                known.base_key = known.base_key.or(base_key);
                position
            }
            None => {
                if self.keys.len() >= MAX_KEYS {
                    self.keys.pop_front();
                    self.forgotten += 1;
                }
                self.keys.push_back(OwnRatchetKey {
                    ratchet_key: message.ratchet_key,
                    counter: message.counter,
                    base_key,
                    first: sighting.clone(),
                    order,
                });
                self.keys.len() - 1
            }
        };
        if base_key.is_some() {
            let number = self.forgotten + position;
            self.exchange = self.exchange.max(Some(number));
        }
    }
}

/// One chain of ours.
#[derive(Debug)]
struct OwnChain {
    number: u64,
    /// Its highest counter.
    end: u32,
}

/// What we sent.
#[derive(Debug)]
pub struct Ours {
    sent: HashMap<(Namespace, u32), OwnKeys>,
    chains: BoundedMap<(Namespace, u32, PublicKey), OwnChain>,
    messages: BoundedMap<Slot, Seen>,
    numbered: u64,
    reuses: Vec<OwnReuse>,
    branches: HashMap<(Namespace, u32), Branches>,
    before_copy: HashMap<u32, usize>,
}

impl Default for Ours {
    fn default() -> Self {
        Self {
            sent: HashMap::new(),
            chains: BoundedMap::new(MAX_CHAINS),
            messages: BoundedMap::new(MAX_SEEN),
            numbered: 0,
            reuses: Vec::new(),
            branches: HashMap::new(),
            before_copy: HashMap::new(),
        }
    }
}

impl Ours {
    /// Notes one key element of a stanza that we sent, made for device `rid`; `live`, if it was seen as it was sent.
    pub fn note(&mut self, namespace: Namespace, rid: u32, content: &KeyContent, sighting: &Sighting, order: usize, live: bool) {
        let message = content.message();
        let base_key = content.key_exchange().map(|e| e.base_key);
        let shown = self.showed(namespace, rid, &message.ratchet_key);
        self.note_counter(namespace, rid, message, sighting, order, live);
        self.sent.entry((namespace, rid)).or_default().note(message, base_key, shown, sighting, order);
    }

    /// The same stanza comes by several ways (sent, carbon, room, archive); other bytes are a reuse.
    fn note_counter(
        &mut self,
        namespace: Namespace,
        rid: u32,
        message: &RatchetMessage,
        sighting: &Sighting,
        order: usize,
        live: bool,
    ) {
        let numbered = &mut self.numbered;
        let chain = self.chains.get_or_insert_with((namespace, rid, message.ratchet_key), || {
            *numbered += 1;
            OwnChain { number: *numbered, end: 0 }
        });
        let slot = (chain.number, message.counter);
        let (repeated, first) = match self.messages.get(&slot) {
            Some(first) if first.is_message_of(message, sighting) => return,
            Some(first) => (true, first.position.clone()),
            None => (false, sighting.position.clone()),
        };
        if live {
            match self.branches.get_mut(&(namespace, rid)) {
                Some(branches) => branches.note(&message.ratchet_key, message.counter, repeated, sighting),
                None if repeated => {
                    let begun = Branches::begin(message.ratchet_key, message.counter, chain.end, first.clone(), sighting.clone());
                    self.branches.insert((namespace, rid), begun);
                }
                None => {}
            }
        }
        chain.end = chain.end.max(message.counter);
        if !repeated {
            self.messages.insert(slot, Seen::new(message, sighting, order));
        } else if self.reuses.len() < MAX_REUSES {
            self.reuses.push(OwnReuse { rid, counter: message.counter, first, second: sighting.clone() });
        }
    }

    /// What followed the first stanza of ours that used a key twice, for each device we wrote to.
    pub fn branches(&self) -> impl Iterator<Item = (Namespace, u32, &Branches)> {
        sorted(&self.branches)
    }

    /// Notes a live stanza of ours that the store copy had already sent: the copy is newer than all that came before.
    pub fn note_before_copy(&mut self, rid: u32, order: usize) {
        self.before_copy.insert(rid, order);
    }

    /// The last stanza to a device that the store copy had already sent.
    pub fn before_copy(&self, rid: u32) -> Option<usize> {
        self.before_copy.get(&rid).copied()
    }

    /// Stanzas of ours that used a key twice.
    pub fn reuses(&self) -> &[OwnReuse] {
        &self.reuses
    }

    /// All devices we wrote to, with our ratchet keys.
    pub fn sent(&self) -> impl Iterator<Item = (Namespace, u32, &OwnKeys)> {
        sorted(&self.sent)
    }

    /// Our ratchet keys towards a device.
    pub fn ratchet_keys(&self, namespace: Namespace, rid: u32) -> Option<&OwnKeys> {
        self.sent.get(&(namespace, rid))
    }

    /// Whether a stanza of ours to this device had this ratchet key.
    pub fn showed(&self, namespace: Namespace, rid: u32, ratchet_key: &PublicKey) -> bool {
        self.chains.get(&(namespace, rid, *ratchet_key)).is_some()
    }
}

/// The entries by variant and device.
fn sorted<T>(map: &HashMap<(Namespace, u32), T>) -> impl Iterator<Item = (Namespace, u32, &T)> {
    let mut entries: Vec<_> = map.iter().map(|((namespace, rid), value)| (*namespace, *rid, value)).collect();
    entries.sort_by_key(|(namespace, rid, _)| (*namespace, *rid));
    entries.into_iter()
}
