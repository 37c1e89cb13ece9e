//! The sessions that others began: their key exchanges, as the capture shows them.

use super::damage::damaged_bits;
use crate::omemo::{Namespace, PublicKey};
use std::collections::{HashMap, VecDeque};

/// A key exchange of a device: the session that it begins, however often it is sent.
#[derive(Clone, Debug)]
pub struct SeenExchange {
    base_key: PublicKey,
    /// How many messages the capture had shown before it first came.
    pub order: usize,
    /// Some store copy opened it.
    pub opened: bool,
    /// Some store copy opened it, or has its session.
    taken: bool,
}

/// Key exchanges that are kept of one device, the newest ones.
const MAX_EXCHANGES: usize = 100;

/// The key exchanges of all devices.
#[derive(Debug, Default)]
pub struct Exchanges(HashMap<(Namespace, u32), VecDeque<SeenExchange>>);

impl Exchanges {
    /// Notes a key exchange, and whether a store copy opened it.
    pub fn note(&mut self, namespace: Namespace, sid: u32, base_key: PublicKey, taken: bool, opened: bool, order: usize) {
        let exchanges = self.0.entry((namespace, sid)).or_default();
        if let Some(known) = exchanges.iter_mut().find(|known| known.base_key == base_key) {
            known.opened |= opened;
            known.taken |= opened || taken;
            return;
        }
        if exchanges.len() >= MAX_EXCHANGES {
            exchanges.pop_front();
        }
        exchanges.push_back(SeenExchange { base_key, order, opened, taken: opened || taken });
    }

    /// The key exchange with this base key.
    pub fn get(&self, namespace: Namespace, sid: u32, base_key: &PublicKey) -> Option<&SeenExchange> {
        self.0.get(&(namespace, sid))?.iter().find(|known| known.base_key == *base_key)
    }

    /// Whether this base key is a damaged one of the device: it is nearly that of a session that a store copy took. The
    /// number of bits in which they differ.
    pub fn damaged(&self, namespace: Namespace, sid: u32, base_key: &PublicKey) -> Option<u32> {
        let taken = self.0.get(&(namespace, sid))?.iter().filter(|exchange| exchange.taken);
        taken.filter_map(|exchange| damaged_bits(base_key.as_bytes(), exchange.base_key.as_bytes())).min()
    }

    /// The last key exchange of a device before a point of the capture that some store copy took.
    pub fn taken_before(&self, namespace: Namespace, sid: u32, order: usize) -> Option<&SeenExchange> {
        self.0.get(&(namespace, sid))?.iter().rfind(|exchange| exchange.taken && exchange.order < order)
    }

    /// Whether a device began another session between two points of the capture.
    pub fn began_between(&self, namespace: Namespace, sid: u32, after: usize, before: usize) -> bool {
        let mut exchanges = self.0.get(&(namespace, sid)).into_iter().flatten();
        exchanges.any(|known| known.order > after && known.order < before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_base_key_is_known_by_that_of_a_session_that_was_taken() {
        let mut exchanges = Exchanges::default();
        exchanges.note(Namespace::Legacy, 7, PublicKey::new([1; 32]), true, false, 0);
        exchanges.note(Namespace::Legacy, 7, PublicKey::new([0x0f; 32]), false, false, 1);
        let damaged = |mut key: [u8; 32]| {
            key[3] ^= 0x40;
            exchanges.damaged(Namespace::Legacy, 7, &PublicKey::new(key))
        };
        assert_eq!(damaged([1; 32]), Some(1));
        assert_eq!(damaged([0x0f; 32]), None, "nobody took that session");
        assert_eq!(damaged([0xf0; 32]), None);
    }
}
