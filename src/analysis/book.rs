//! What the capture shows without any key: ratchet keys, counters, base keys and identity keys stand in
//! clear in every key element. The book keeps them, a few numbers per device, chain and message.

use super::branches::{Branches, Connections};
use crate::model::{BareJid, Position};
use crate::omemo::wire::{KeyContent, RatchetMessage};
use crate::omemo::{IdentityKey, Namespace, PublicKey};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A stanza to point at.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Where it begins.
    pub position: Position,
    /// Its id.
    pub id: Option<String>,
}

impl AsRef<Position> for Sighting {
    fn as_ref(&self) -> &Position {
        &self.position
    }
}

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

/// A message's key element, seen before.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The stanza.
    position: Position,
    /// How many messages the capture had shown before it.
    order: usize,
    /// Its stanza id, hashed: enough to know it again.
    id: Option<u64>,
    /// Its bytes.
    mark: Mark,
    /// Whether it opened.
    opened: bool,
}

/// What tells two messages with one ratchet key and counter apart, in little space: the MAC and the
/// ciphertext's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// 8 bytes in legacy OMEMO, 16 in OMEMO 2; filled up with zeros.
    mac: [u8; 16],
    ciphertext_length: u32,
}

impl Mark {
    fn of(message: &RatchetMessage) -> Self {
        let mut mac = [0; 16];
        mac.iter_mut().zip(&message.mac).for_each(|(place, byte)| *place = *byte);
        Self { mac, ciphertext_length: u32::try_from(message.ciphertext.len()).unwrap_or(u32::MAX) }
    }
}

impl Seen {
    fn new(message: &RatchetMessage, sighting: &Sighting, order: usize) -> Self {
        Self { position: sighting.position.clone(), order, id: hashed(sighting), mark: Mark::of(message), opened: false }
    }
}

fn hashed(sighting: &Sighting) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    sighting.id.as_ref()?.hash(&mut hasher);
    Some(hasher.finish())
}

/// An earlier stanza with the same ratchet key and counter.
#[derive(Clone, Debug)]
pub struct SeenBefore {
    /// Where the earlier stanza begins.
    pub position: Position,
    /// How many messages the capture had shown before it.
    pub order: usize,
    /// Whether both have the same stanza id.
    pub same_id: bool,
    /// Whether its bytes were the same.
    pub same_bytes: bool,
    /// Whether it opened.
    pub opened: bool,
}

/// An identity key that a device used in a key exchange.
#[derive(Clone, Debug)]
pub struct IdentityUse {
    /// The key.
    pub identity: IdentityKey,
    /// First stanza of this run of uses.
    pub first: Sighting,
}

/// Use of one of our one-time prekeys.
#[derive(Clone, Debug)]
pub struct PrekeyUse {
    /// Base key of the exchange that used it.
    pub base_key: PublicKey,
    /// By whom.
    pub from: Option<BareJid>,
    /// Which device.
    pub sid: u32,
    /// Where.
    pub sighting: Sighting,
}

type Chain = (Namespace, u32, PublicKey);

/// A chain of a sender, as its messages to us show it.
#[derive(Debug)]
struct SeenChain {
    counters: HashMap<u32, Seen>,
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

/// What we sent to a device.
#[derive(Debug, Default)]
struct OwnSent {
    /// Our ratchet keys, in the order in which the capture shows them.
    keys: Vec<OwnRatchetKey>,
    /// The first of them that was sent with a key exchange.
    exchange: Option<usize>,
}

/// The newest chain of a sender.
#[derive(Clone, Copy, Debug)]
struct Newest {
    /// How many messages the capture had shown before its first one.
    order: usize,
    /// Its highest counter.
    counter: u32,
}

/// The book.
#[derive(Debug, Default)]
pub struct Book {
    own_sent: HashMap<(Namespace, u32), OwnSent>,
    own_messages: HashMap<Chain, HashMap<u32, Seen>>,
    own_reuses: Vec<OwnReuse>,
    own_branches: HashMap<(Namespace, u32), Branches>,
    connections: BTreeMap<(BareJid, u32), Connections>,
    sent_before_copy: HashMap<u32, usize>,
    newest: HashMap<(Namespace, u32), Newest>,
    seen: HashMap<Chain, SeenChain>,
    identities: HashMap<(Namespace, Option<BareJid>, u32), Vec<IdentityUse>>,
    prekeys: HashMap<(Namespace, u32), Vec<PrekeyUse>>,
}

impl Book {
    /// Notes one key element of a stanza that we sent, made for device `rid`; `live`, if it was seen as it was sent.
    pub fn note_own(
        &mut self,
        namespace: Namespace,
        rid: u32,
        content: &KeyContent,
        sighting: &Sighting,
        order: usize,
        live: bool,
    ) {
        let message = content.message();
        let base_key = content.key_exchange().map(|e| e.base_key);
        let shown = self.showed_own(namespace, rid, &message.ratchet_key);
        self.note_own_counter(namespace, rid, message, sighting, order, live);
        let sent = self.own_sent.entry((namespace, rid)).or_default();
        // Mostly it is the newest one.
        let known = if shown { sent.keys.iter().rposition(|k| k.ratchet_key == message.ratchet_key) } else { None };
        let position = known.unwrap_or(sent.keys.len());
        match sent.keys.get_mut(position) {
            Some(known) => {
                known.counter = known.counter.max(message.counter);
                known.base_key = known.base_key.or(base_key);
            }
            None => sent.keys.push(OwnRatchetKey {
                ratchet_key: message.ratchet_key,
                counter: message.counter,
                base_key,
                first: sighting.clone(),
                order,
            }),
        }
        if base_key.is_some() {
            sent.exchange = Some(sent.exchange.map_or(position, |first| first.min(position)));
        }
    }

    /// The same stanza comes by several ways (sent, carbon, room, archive); other bytes are a reuse.
    fn note_own_counter(
        &mut self,
        namespace: Namespace,
        rid: u32,
        message: &RatchetMessage,
        sighting: &Sighting,
        order: usize,
        live: bool,
    ) {
        let counters = self.own_messages.entry((namespace, rid, message.ratchet_key)).or_default();
        let (repeated, first) = match counters.get(&message.counter) {
            Some(first) if first.mark.mac == Mark::of(message).mac => return,
            Some(first) => (true, first.position.clone()),
            None => (false, sighting.position.clone()),
        };
        if live {
            match self.own_branches.get_mut(&(namespace, rid)) {
                Some(branches) => branches.note(&message.ratchet_key, message.counter, repeated, sighting),
                None if repeated => {
                    let end = counters.keys().copied().max().unwrap_or_default();
                    let begun = Branches::begin(message.ratchet_key, message.counter, end, first.clone(), sighting.clone());
                    self.own_branches.insert((namespace, rid), begun);
                }
                None => {}
            }
        }
        if !repeated {
            counters.insert(message.counter, Seen::new(message, sighting, order));
        } else if self.own_reuses.len() < MAX_REUSES {
            self.own_reuses.push(OwnReuse { rid, counter: message.counter, first, second: sighting.clone() });
        }
    }

    /// Notes from which full address a live stanza of a device came.
    pub fn note_connection(&mut self, from: &BareJid, sid: u32, resource: &str, sighting: &Sighting) {
        self.connections.entry((from.clone(), sid)).or_default().note(resource, sighting);
    }

    /// The connections of all devices.
    pub fn connections(&self) -> impl Iterator<Item = (&BareJid, u32, &Connections)> {
        self.connections.iter().map(|((from, sid), connections)| (from, *sid, connections))
    }

    /// What followed the first stanza of ours that used a key twice, for each device we wrote to.
    pub fn own_branches(&self) -> impl Iterator<Item = (Namespace, u32, &Branches)> {
        let mut branches: Vec<_> = self.own_branches.iter().map(|((namespace, rid), b)| (*namespace, *rid, b)).collect();
        branches.sort_by_key(|(namespace, rid, _)| (*namespace, *rid));
        branches.into_iter()
    }

    /// Notes a live stanza of ours that the store copy had already sent: the copy is newer than all that came before.
    pub fn note_sent_before_copy(&mut self, rid: u32, order: usize) {
        self.sent_before_copy.insert(rid, order);
    }

    /// The last stanza to a device that the store copy had already sent.
    pub fn sent_before_copy(&self, rid: u32) -> Option<usize> {
        self.sent_before_copy.get(&rid).copied()
    }

    /// Stanzas of ours that used a key twice.
    pub fn own_reuses(&self) -> &[OwnReuse] {
        &self.own_reuses
    }

    /// All devices we wrote to, with our ratchet keys.
    pub fn own_sent(&self) -> impl Iterator<Item = (Namespace, u32, &[OwnRatchetKey])> {
        let mut sent: Vec<_> =
            self.own_sent.iter().map(|((namespace, rid), sent)| (*namespace, *rid, sent.keys.as_slice())).collect();
        sent.sort_by_key(|(namespace, rid, _)| (*namespace, *rid));
        sent.into_iter()
    }

    /// Our ratchet keys towards a device, in the order in which the capture shows them.
    pub fn own_ratchet_keys(&self, namespace: Namespace, rid: u32) -> &[OwnRatchetKey] {
        self.own_sent.get(&(namespace, rid)).map_or(&[], |sent| sent.keys.as_slice())
    }

    /// The first of [`Self::own_ratchet_keys`] that was sent with a key exchange.
    pub fn own_exchange(&self, namespace: Namespace, rid: u32) -> Option<usize> {
        self.own_sent.get(&(namespace, rid))?.exchange
    }

    /// Whether a stanza of ours to this device had this ratchet key.
    pub fn showed_own(&self, namespace: Namespace, rid: u32, ratchet_key: &PublicKey) -> bool {
        self.own_messages.contains_key(&(namespace, rid, *ratchet_key))
    }

    /// Notes a message to us and tells whether its ratchet key and counter were used before.
    pub fn note_received(
        &mut self,
        namespace: Namespace,
        sid: u32,
        message: &RatchetMessage,
        sighting: &Sighting,
        order: usize,
    ) -> Option<SeenBefore> {
        let chain = self.seen.entry((namespace, sid, message.ratchet_key)).or_insert_with(|| SeenChain {
            counters: HashMap::new(),
            order,
            first: message.counter,
            opened: 0,
            last: order,
            last_opened: [None, None],
            reused: None,
        });
        chain.last = order;
        let newest = self.newest.entry((namespace, sid)).or_insert(Newest { order: chain.order, counter: message.counter });
        if chain.order > newest.order {
            *newest = Newest { order: chain.order, counter: message.counter };
        } else if chain.order == newest.order {
            newest.counter = newest.counter.max(message.counter);
        }
        match chain.counters.get(&message.counter) {
            Some(seen) => {
                let same_bytes = seen.mark == Mark::of(message);
                if !same_bytes && seen.opened && chain.reused.is_none() {
                    chain.reused = Some(sighting.position.clone());
                }
                let same_id = seen.id.is_some() && seen.id == hashed(sighting);
                Some(SeenBefore { position: seen.position.clone(), order: seen.order, same_id, same_bytes, opened: seen.opened })
            }
            None => {
                chain.first = chain.first.min(message.counter);
                chain.counters.insert(message.counter, Seen::new(message, sighting, order));
                None
            }
        }
    }

    /// Notes whether a message noted before was opened.
    pub fn note_result(&mut self, namespace: Namespace, sid: u32, message: &RatchetMessage, opened: bool, order: usize) {
        let Some(chain) = self.seen.get_mut(&(namespace, sid, message.ratchet_key)) else { return };
        let Some(seen) = chain.counters.get_mut(&message.counter) else { return };
        if opened && !seen.opened && seen.mark.mac == Mark::of(message).mac {
            seen.opened = true;
            chain.opened += 1;
            let [last, _] = chain.last_opened;
            chain.last_opened = [Some(Opening { order, counter: message.counter }), last];
        }
    }

    /// The stanza with which a sender's chain came with other bytes under a counter that had been read.
    pub fn chain_reused(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<&Position> {
        self.seen.get(&(namespace, sid, *ratchet_key))?.reused.as_ref()
    }

    /// How many messages the capture had shown before the first one of a sender's chain.
    pub fn chain_order(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<usize> {
        self.seen.get(&(namespace, sid, *ratchet_key)).map(|chain| chain.order)
    }

    /// Whether a sender went on in another chain after the last message of this one: a chain that really followed would
    /// have ended the other. Two messages that opened later are a sign. A single one may just be late; it is a sign if its
    /// counter takes up the one of `key`, and lies behind the end of the chain that `key` announces.
    pub fn went_on_in(&self, namespace: Namespace, sid: u32, other: &PublicKey, key: &super::outcome::KeyFact) -> bool {
        let Some(this) = self.seen.get(&(namespace, sid, key.ratchet_key)) else { return false };
        let Some(other) = self.seen.get(&(namespace, sid, *other)) else { return false };
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
        self.seen.iter().any(of_device)
    }

    /// How many different messages of a chain could not be opened, if none of it could.
    pub fn failed_in_chain(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> usize {
        let chain = self.seen.get(&(namespace, sid, *ratchet_key));
        chain.filter(|c| c.opened == 0).map_or(0, |c| c.counters.len())
    }

    /// How many messages of a chain some store copy opened.
    pub fn opened_in_chain(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> usize {
        self.seen.get(&(namespace, sid, *ratchet_key)).map_or(0, |chain| chain.opened)
    }

    /// The highest counter in the newest chain of a device: so many messages in a row had no answer of ours.
    pub fn newest_counter(&self, namespace: Namespace, sid: u32) -> Option<u32> {
        self.newest.get(&(namespace, sid)).map(|newest| newest.counter)
    }

    /// Whether a message of a chain opened later than this point of the capture.
    pub fn opened_after(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey, order: usize) -> bool {
        let chain = self.seen.get(&(namespace, sid, *ratchet_key));
        chain.and_then(|chain| chain.last_opened[0]).is_some_and(|opening| opening.order > order)
    }

    /// The smallest counter of a sender's chain that the capture shows.
    pub fn first_counter(&self, namespace: Namespace, sid: u32, ratchet_key: &PublicKey) -> Option<u32> {
        Some(self.seen.get(&(namespace, sid, *ratchet_key))?.first)
    }

    /// Notes a key exchange to us.
    pub fn note_exchange(
        &mut self,
        namespace: Namespace,
        from: Option<&BareJid>,
        sid: u32,
        exchange: &crate::omemo::wire::KeyExchange,
        sighting: &Sighting,
    ) {
        self.note_identity(namespace, from, sid, &exchange.identity_key, sighting);
        if let Some(id) = exchange.prekey_id {
            let uses = self.prekeys.entry((namespace, id)).or_default();
            if !uses.iter().any(|u| u.base_key == exchange.base_key) {
                uses.push(PrekeyUse { base_key: exchange.base_key, from: from.cloned(), sid, sighting: sighting.clone() });
            }
        }
    }

    /// Notes that a device used an identity key (in a key exchange, or in a session that opened).
    pub fn note_identity(
        &mut self,
        namespace: Namespace,
        from: Option<&BareJid>,
        sid: u32,
        identity: &IdentityKey,
        sighting: &Sighting,
    ) {
        let uses = self.identities.entry((namespace, from.cloned(), sid)).or_default();
        if uses.last().is_none_or(|u| u.identity != *identity) {
            uses.push(IdentityUse { identity: *identity, first: sighting.clone() });
        }
    }

    /// The identity keys that a device used, each change a new entry.
    pub fn identities(&self, namespace: Namespace, from: Option<&BareJid>, sid: u32) -> &[IdentityUse] {
        self.identities.get(&(namespace, from.cloned(), sid)).map_or(&[], Vec::as_slice)
    }

    /// Key exchanges that named one of our one-time prekeys.
    pub fn prekey_uses(&self, namespace: Namespace, prekey_id: u32) -> &[PrekeyUse] {
        self.prekeys.get(&(namespace, prekey_id)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::outcome::KeyFact;
    use std::path::Path;
    use std::sync::Arc;

    const KNOWN: PublicKey = PublicKey::new([1; 32]);
    const STRANGE: PublicKey = PublicKey::new([2; 32]);

    /// Notes messages of one device in this order: chain, counter, whether it opened.
    fn book(messages: &[(PublicKey, u32, bool)]) -> Book {
        let mut book = Book::default();
        for (order, &(ratchet_key, counter, opened)) in messages.iter().enumerate() {
            let position = Position { file: Arc::from(Path::new("log")), line: 1, byte: order as u64 };
            let message = RatchetMessage {
                ratchet_key,
                counter,
                previous_counter: 0,
                ciphertext: vec![0; 48],
                mac: vec![order as u8; 8],
                authenticated: Vec::new(),
            };
            book.note_received(Namespace::Legacy, 7, &message, &Sighting { position, id: None }, order);
            book.note_result(Namespace::Legacy, 7, &message, opened, order);
        }
        book
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
        book(messages).went_on_in(Namespace::Legacy, 7, &KNOWN, &key)
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
        assert!(book(&reused).chain_reused(Namespace::Legacy, 7, &KNOWN).is_some());
    }
}
