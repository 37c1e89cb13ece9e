//! What others sent to us: their chains, as the messages show them in clear.

use super::Sighting;
use super::seen::{MAX_CHAINS, MAX_SEEN, Seen, SeenBefore, Slot};
use crate::analysis::outcome::KeyFact;
use crate::bounded_map::BoundedMap;
use crate::model::Position;
use crate::omemo::wire::RatchetMessage;
use crate::omemo::{Namespace, PublicKey};
use std::collections::{HashMap, VecDeque};

type Chain = (Namespace, u32, PublicKey);

/// A chain of a sender, as its messages to us show it.
#[derive(Debug)]
struct SeenChain {
    number: u64,
    /// How many different counters came.
    counters: usize,
    /// How many messages the capture had shown before the first of this chain.
    order: usize,
    /// The smallest counter.
    first: u32,
    /// Messages of it that some store copy opened.
    opened: usize,
    /// How many messages the capture had shown before the last of this chain.
    last: usize,
    /// The last two messages of it that opened, the newest first.
    last_opened: [Option<Opening>; 2],
    /// The first message that came with other bytes under a counter that had been read.
    reused: Option<Position>,
}

/// A message that opened.
#[derive(Clone, Copy, Debug)]
struct Opening {
    /// How many messages the capture had shown before it.
    order: usize,
    counter: u32,
}

/// The newest chain of a sender.
#[derive(Clone, Copy, Debug)]
struct Newest {
    /// How many messages the capture had shown before its first one.
    order: usize,
    /// Its highest counter.
    counter: u32,
}

/// A key exchange of a device: the session that it begins, however often it is sent.
#[derive(Clone, Debug)]
pub struct SeenExchange {
    base_key: PublicKey,
    /// How many messages the capture had shown before it first came.
    pub order: usize,
    /// Some store copy opened it.
    pub opened: bool,
}

/// Key exchanges that are kept of one device, the newest ones.
const MAX_EXCHANGES: usize = 100;

/// What others sent.
#[derive(Debug)]
pub struct Theirs {
    exchanges: HashMap<(Namespace, u32), VecDeque<SeenExchange>>,
    newest: HashMap<(Namespace, u32), Newest>,
    chains: BoundedMap<Chain, SeenChain>,
    messages: BoundedMap<Slot, Seen>,
    numbered: u64,
}

impl Default for Theirs {
    fn default() -> Self {
        Self {
            exchanges: HashMap::new(),
            newest: HashMap::new(),
            chains: BoundedMap::new(MAX_CHAINS),
            messages: BoundedMap::new(MAX_SEEN),
            numbered: 0,
        }
    }
}

impl Theirs {
    /// Notes a message to us and tells whether its ratchet key and counter were used before.
    pub fn note(
        &mut self,
        namespace: Namespace,
        sid: u32,
        message: &RatchetMessage,
        sighting: &Sighting,
        order: usize,
    ) -> Option<SeenBefore> {
        let numbered = &mut self.numbered;
        let chain = self.chains.get_or_insert_with((namespace, sid, message.ratchet_key), || {
            *numbered += 1;
            SeenChain {
                number: *numbered,
                counters: 0,
                order,
                first: message.counter,
                opened: 0,
                last: order,
                last_opened: [None, None],
                reused: None,
            }
        });
        chain.last = order;
        let newest = self.newest.entry((namespace, sid)).or_insert(Newest { order: chain.order, counter: message.counter });
        if chain.order > newest.order {
            *newest = Newest { order: chain.order, counter: message.counter };
        } else if chain.order == newest.order {
            newest.counter = newest.counter.max(message.counter);
        }
        let slot = (chain.number, message.counter);
        if let Some(seen) = self.messages.get(&slot) {
            let before = seen.before(message, sighting);
            if !before.same_bytes && before.opened && chain.reused.is_none() {
                chain.reused = Some(sighting.position.clone());
            }
            return Some(before);
        }
        chain.first = chain.first.min(message.counter);
        chain.counters += 1;
        self.messages.insert(slot, Seen::new(message, sighting, order));
        None
    }

    /// Notes whether a message noted before was opened.
    pub fn note_result(&mut self, namespace: Namespace, sid: u32, message: &RatchetMessage, opened: bool, order: usize) {
        let Some(chain) = self.chains.get_mut(&(namespace, sid, message.ratchet_key)) else { return };
        let Some(seen) = self.messages.get_mut(&(chain.number, message.counter)) else { return };
        if opened && !seen.opened && seen.has_mac_of(message) {
            seen.opened = true;
            chain.opened += 1;
            let [last, _] = chain.last_opened;
            chain.last_opened = [Some(Opening { order, counter: message.counter }), last];
        }
    }

    /// Notes a key exchange, and whether a store copy opened it.
    pub fn note_exchange(&mut self, namespace: Namespace, sid: u32, base_key: PublicKey, opened: bool, order: usize) {
        let exchanges = self.exchanges.entry((namespace, sid)).or_default();
        if let Some(known) = exchanges.iter_mut().find(|known| known.base_key == base_key) {
            known.opened |= opened;
            return;
        }
        if exchanges.len() >= MAX_EXCHANGES {
            exchanges.pop_front();
        }
        exchanges.push_back(SeenExchange { base_key, order, opened });
    }

    /// The key exchange with this base key.
    pub fn exchange(&self, namespace: Namespace, sid: u32, base_key: &PublicKey) -> Option<&SeenExchange> {
        self.exchanges.get(&(namespace, sid))?.iter().find(|known| known.base_key == *base_key)
    }

    /// Whether a device began another session between two points of the capture.
    pub fn began_between(&self, namespace: Namespace, sid: u32, after: usize, before: usize) -> bool {
        let mut exchanges = self.exchanges.get(&(namespace, sid)).into_iter().flatten();
        exchanges.any(|known| known.order > after && known.order < before)
    }

    fn chain(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<&SeenChain> {
        self.chains.get(&(namespace, sid, *ratchet_key))
    }

    /// The stanza with which a sender's chain came with other bytes under a counter that had been read.
    pub fn reused(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<&Position> {
        self.chain(namespace, sid, ratchet_key)?.reused.as_ref()
    }

    /// How many messages the capture had shown before the first one of a sender's chain.
    pub fn order(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<usize> {
        self.chain(namespace, sid, ratchet_key).map(|chain| chain.order)
    }

    /// Whether a sender went on in another chain after the last message of this one: a chain that really followed would
    /// have ended the other. Two messages that opened later are a sign. A single one may just be late; it is a sign if its
    /// counter takes up the one of `key`, and lies behind the end of the chain that `key` announces.
    pub fn went_on_in(&self, namespace: Namespace, sid: u32, other: &PublicKey, key: &KeyFact) -> bool {
        let Some(this) = self.chain(namespace, sid, &key.ratchet_key) else { return false };
        let Some(other) = self.chain(namespace, sid, other) else { return false };
        if other.reused.is_some() {
            return false; // A sender that went back to an older state takes up an ended chain again.
        }
        let [last, before] = other.last_opened;
        let later = |opening: Option<Opening>| opening.filter(|o| o.order > this.last);
        let follows = |o: Opening| {
            o.counter > key.previous_counter && (o.counter == key.counter || Some(o.counter) == key.counter.checked_add(1))
        };
        later(before).is_some() || later(last).is_some_and(follows)
    }

    /// Whether a chain of a sender that nobody could read began between two points of the capture.
    pub fn unread_chain_between(&self, namespace: Namespace, sid: u32, after: usize, before: usize) -> bool {
        let of_device = |((ns, id, _), chain): (&Chain, &SeenChain)| {
            *ns == namespace && *id == sid && (after..before).contains(&chain.order) && chain.opened == 0
        };
        self.chains.iter().any(of_device)
    }

    /// How many different messages of a chain could not be opened, if none of it could.
    pub fn failed_in_chain(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> usize {
        self.chain(namespace, sid, ratchet_key).filter(|c| c.opened == 0).map_or(0, |c| c.counters)
    }

    /// How many messages of a chain some store copy opened.
    pub fn opened_in_chain(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> usize {
        self.chain(namespace, sid, ratchet_key).map_or(0, |chain| chain.opened)
    }

    /// The highest counter in the newest chain of a device: so many messages in a row had no answer of ours.
    pub fn newest_counter(&self, namespace: Namespace, sid: u32) -> Option<u32> {
        self.newest.get(&(namespace, sid)).map(|newest| newest.counter)
    }

    /// Whether a message of a chain opened later than this point of the capture.
    pub fn opened_after(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey, order: usize) -> bool {
        let chain = self.chain(namespace, sid, ratchet_key);
        chain.and_then(|chain| chain.last_opened[0]).is_some_and(|opening| opening.order > order)
    }

    /// The smallest counter of a sender's chain that the capture shows.
    pub fn first_counter(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<u32> {
        Some(self.chain(namespace, sid, ratchet_key)?.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::Arc;

    const KNOWN: PublicKey = PublicKey::new([1; 32]);
    const STRANGE: PublicKey = PublicKey::new([2; 32]);

    /// Notes messages of one device in this order: chain, counter, whether it opened.
    fn theirs(messages: &[(PublicKey, u32, bool)]) -> Theirs {
        let mut theirs = Theirs::default();
        for (order, &(ratchet_key, counter, opened)) in messages.iter().enumerate() {
            let position = Position::line(&Arc::from(Path::new("log")), 1, order as u64);
            let message = RatchetMessage {
                ratchet_key,
                counter,
                previous_counter: 0,
                ciphertext: vec![0; 48],
                mac: vec![order as u8; 8],
                authenticated: Vec::new(),
            };
            theirs.note(Namespace::Legacy, 7, &message, &Sighting { position, id: None }, order);
            theirs.note_result(Namespace::Legacy, 7, &message, opened, order);
        }
        theirs
    }

    fn went_on(messages: &[(PublicKey, u32, bool)], counter: u32, previous_counter: u32) -> bool {
        let key = KeyFact {
            flag_contradicts: false,
            ratchet_key: STRANGE,
            counter,
            previous_counter,
            exchange: None,
            unreadable_keys: 0,
        };
        theirs(messages).went_on_in(Namespace::Legacy, 7, &KNOWN, &key)
    }

    #[test]
    fn an_altered_ratchet_key_is_no_turn() {
        assert!(went_on(&[(KNOWN, 4, true), (STRANGE, 5, false), (KNOWN, 6, true)], 5, 2));
        assert!(went_on(&[(STRANGE, 0, false), (KNOWN, 1, true), (KNOWN, 2, true)], 0, 0));
    }

    #[test]
    fn a_late_message_of_the_chain_before_is_no_way_back() {
        assert!(!went_on(&[(KNOWN, 0, true), (STRANGE, 0, false), (KNOWN, 1, true)], 0, 2));
        assert!(!went_on(&[(KNOWN, 0, true), (KNOWN, 1, true), (STRANGE, 0, false)], 0, 2));
    }

    #[test]
    fn a_sender_that_reuses_its_chain_has_come_back_to_it() {
        let reused = [(KNOWN, 0, true), (STRANGE, 0, false), (KNOWN, 0, false), (KNOWN, 1, true), (KNOWN, 2, true)];
        assert!(!went_on(&reused, 0, 1));
        assert!(theirs(&reused).reused(Namespace::Legacy, 7, &KNOWN).is_some());
    }
}
