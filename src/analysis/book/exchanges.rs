//! The sessions that others began: their key exchanges, as the capture shows them.

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
