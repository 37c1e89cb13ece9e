//! What the capture shows without any key: ratchet keys, counters, base keys and identity keys stand in
//! clear in every key element. The book keeps them, a few numbers per device and chain; of single messages and of
//! chains only the newest, as many as a long log has.

mod damage;
mod exchanges;
mod ours;
mod seen;
mod theirs;

use super::branches::Connections;
use crate::bounded_map::BoundedMap;
use crate::model::{BareJid, Position};
use crate::omemo::wire::KeyExchange;
use crate::omemo::{IdentityKey, Namespace, PublicKey};
pub use damage::damaged_bits;
pub use exchanges::Exchanges;
pub use ours::{Ours, OwnKeys, OwnRatchetKey};
pub use seen::SeenBefore;
use std::collections::{BTreeMap, HashMap};
pub use theirs::Theirs;

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

/// An identity key that a device used in a key exchange.
#[derive(Clone, Debug)]
pub struct IdentityUse {
    /// The key.
    pub identity: IdentityKey,
    /// First stanza of this run of uses.
    pub first: Sighting,
}

/// Changes of identity that are kept of one device: a few show the pattern.
const MAX_IDENTITY_USES: usize = 100;

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

/// One-time prekeys whose uses are kept, the newest ones.
const MAX_PREKEYS: usize = 1 << 14;

/// Key exchanges that are kept of those that name one prekey: two are one too many.
const MAX_PREKEY_USES: usize = 10;

/// The book.
#[derive(Debug)]
pub struct Book {
    /// What we sent.
    pub ours: Ours,
    /// What others sent to us.
    pub theirs: Theirs,
    /// The sessions that others began.
    pub exchanges: Exchanges,
    connections: BTreeMap<(BareJid, u32), Connections>,
    identities: HashMap<(Namespace, Option<BareJid>, u32), Vec<IdentityUse>>,
    prekeys: BoundedMap<(Namespace, u32), Vec<PrekeyUse>>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            ours: Ours::default(),
            theirs: Theirs::default(),
            exchanges: Exchanges::default(),
            connections: BTreeMap::new(),
            identities: HashMap::new(),
            prekeys: BoundedMap::new(MAX_PREKEYS),
        }
    }
}

impl Book {
    /// Notes from which full address a live stanza of a device came.
    pub fn note_connection(&mut self, from: &BareJid, sid: u32, resource: &str, sighting: &Sighting) {
        self.connections.entry((from.clone(), sid)).or_default().note(resource, sighting);
    }

    /// The connections of all devices.
    pub fn connections(&self) -> impl Iterator<Item = (&BareJid, u32, &Connections)> {
        self.connections.iter().map(|((from, sid), connections)| (from, *sid, connections))
    }

    /// Notes a key exchange to us.
    pub fn note_exchange(
        &mut self,
        namespace: Namespace,
        from: Option<&BareJid>,
        sid: u32,
        exchange: &KeyExchange,
        sighting: &Sighting,
    ) {
        self.note_identity(namespace, from, sid, &exchange.identity_key, sighting);
        if let Some(id) = exchange.prekey_id {
            let uses = self.prekeys.get_or_insert_with((namespace, id), Vec::new);
            if uses.len() < MAX_PREKEY_USES && !uses.iter().any(|u| u.base_key == exchange.base_key) {
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
        if uses.len() < MAX_IDENTITY_USES && uses.last().is_none_or(|u| u.identity != *identity) {
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
