//! What others sent to us: their chains, as the messages show them in clear.

use super::Sighting;
use super::damage::damaged_bits;
use super::seen::{MAX_CHAINS, MAX_SEEN, Seen, SeenBefore, Slot};
use crate::analysis::outcome::KeyFact;
use crate::bounded_map::BoundedMap;
use crate::model::Position;
use crate::omemo::wire::{KeyContent, RatchetMessage};
use crate::omemo::{Namespace, PublicKey};
use std::collections::{HashMap, VecDeque};

type Chain = (Namespace, u32, PublicKey);

/// A chain of a sender, as its messages to us show it.
#[derive(Debug)]
struct SeenChain {
    number: u64,
    /// Its first message began a session.
    exchange: bool,
    /// How many different counters came.
    counters: usize,
    /// How many messages the capture had shown before the first of this chain.
    order: usize,
    /// How many messages the capture had shown before the first one that came live.
    live: Option<usize>,
    /// The smallest counter.
    first: u32,
    /// The highest counter.
    end: u32,
    /// Messages of it that some store copy opened.
    opened: usize,
    /// The earliest store copy that opened one of its messages.
    first_opener: Option<usize>,
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

/// Chains whose ratchet keys are kept of one device, the newest ones.
const MAX_RECENT: usize = 64;

/// What others sent.
#[derive(Debug)]
pub struct Theirs {
    newest: HashMap<(Namespace, u32), Newest>,
    recent: HashMap<(Namespace, u32), VecDeque<PublicKey>>,
    chains: BoundedMap<Chain, SeenChain>,
    messages: BoundedMap<Slot, Seen>,
    numbered: u64,
}

impl Default for Theirs {
    fn default() -> Self {
        Self {
            newest: HashMap::new(),
            recent: HashMap::new(),
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
        content: &KeyContent,
        sighting: &Sighting,
        order: usize,
        live: bool,
    ) -> Option<SeenBefore> {
        let message = content.message();
        let (numbered, recent) = (&mut self.numbered, &mut self.recent);
        let chain = self.chains.get_or_insert_with((namespace, sid, message.ratchet_key), || {
            *numbered += 1;
            let recent = recent.entry((namespace, sid)).or_default();
            if recent.len() >= MAX_RECENT {
                recent.pop_front();
            }
            recent.push_back(message.ratchet_key);
            SeenChain {
                number: *numbered,
                exchange: content.key_exchange().is_some(),
                counters: 0,
                order,
                live: None,
                first: message.counter,
                end: message.counter,
                opened: 0,
                first_opener: None,
                last: order,
                last_opened: [None, None],
                reused: None,
            }
        });
        chain.last = order;
        chain.live = chain.live.or(live.then_some(order));
        let newest = self.newest.entry((namespace, sid)).or_insert(Newest { order: chain.order, counter: message.counter });
        if chain.order > newest.order {
            *newest = Newest { order: chain.order, counter: message.counter };
        } else if chain.order == newest.order {
            newest.counter = newest.counter.max(message.counter);
        }
        let slot = (chain.number, message.counter);
        if let Some(seen) = self.messages.get(&slot) {
            let before = seen.before(message, sighting);
            if !before.same_message && before.opened && chain.reused.is_none() {
                chain.reused = Some(sighting.position.clone());
            }
            return Some(before);
        }
        chain.first = chain.first.min(message.counter);
        chain.end = chain.end.max(message.counter);
        chain.counters += 1;
        self.messages.insert(slot, Seen::new(message, sighting, order));
        None
    }

    /// Notes which store copy opened a message noted before, if one did.
    pub fn note_result(
        &mut self,
        namespace: Namespace,
        sid: u32,
        message: &RatchetMessage,
        opened_by: Option<usize>,
        order: usize,
    ) {
        let Some(chain) = self.chains.get_mut(&(namespace, sid, message.ratchet_key)) else { return };
        let Some(seen) = self.messages.get_mut(&(chain.number, message.counter)) else { return };
        if let Some(copy) = opened_by
            && !seen.opened
            && seen.has_mac_of(message)
        {
            seen.opened = true;
            chain.first_opener = Some(chain.first_opener.map_or(copy, |first| first.min(copy)));
            chain.opened += 1;
            let [last, _] = chain.last_opened;
            chain.last_opened = [Some(Opening { order, counter: message.counter }), last];
        }
    }

    /// Whether this ratchet key is a damaged one of the device: it is nearly another one, which more messages bear. The
    /// number of bits in which they differ.
    pub fn damaged(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<u32> {
        let this = self.chain(namespace, sid, ratchet_key).filter(|chain| chain.opened == 0)?;
        let others = self.recent.get(&(namespace, sid))?.iter();
        let near = others.filter_map(|other| {
            Some((damaged_bits(ratchet_key.as_bytes(), other.as_bytes())?, self.chain(namespace, sid, other)?))
        });
        let near = near.filter(|(_, chain)| chain.opened > 0 || chain.counters > this.counters);
        near.map(|(bits, _)| bits).min()
    }

    /// How many different messages of a sender bore this ratchet key.
    pub fn messages_in(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> usize {
        self.chain(namespace, sid, ratchet_key).map_or(0, |chain| chain.counters)
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

    /// The highest counter of a sender's chain so far.
    pub fn end(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<u32> {
        self.chain(namespace, sid, ratchet_key).map(|chain| chain.end)
    }

    /// How many messages the capture had shown before the first one of a sender's chain that came live.
    pub fn live(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<usize> {
        self.chain(namespace, sid, ratchet_key)?.live
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

    /// Whether a device answered between two points of the capture: in a chain that began no session.
    pub fn answered_between(&self, namespace: Namespace, sid: u32, after: usize, before: usize) -> bool {
        let mut chains =
            self.recent.get(&(namespace, sid)).into_iter().flatten().filter_map(|key| self.chain(namespace, sid, key));
        chains.any(|chain| !chain.exchange && (after..before).contains(&chain.order))
    }

    /// How many different messages of a chain could not be opened, if none of it could.
    pub fn failed_in_chain(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> usize {
        self.chain(namespace, sid, ratchet_key).filter(|c| c.opened == 0).map_or(0, |c| c.counters)
    }

    /// How many messages of a chain some store copy opened.
    pub fn opened_in_chain(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> usize {
        self.chain(namespace, sid, ratchet_key).map_or(0, |chain| chain.opened)
    }

    /// The earliest store copy that opened a message of this chain.
    pub fn first_opener(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<usize> {
        self.chain(namespace, sid, ratchet_key)?.first_opener
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
                mac: [0x0f, 0xf0, 0x33, 0xcc, 0x55][order % 5..][..1].repeat(8),
                authenticated: Vec::new(),
            };
            theirs.note(
                Namespace::Legacy,
                7,
                &KeyContent::Message(message.clone()),
                &Sighting { position, id: None },
                order,
                true,
            );
            theirs.note_result(Namespace::Legacy, 7, &message, opened.then_some(0), order);
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
