//! A chain of one of the peer's ratchet keys, with the keys that were skipped in it.

use super::{ChainKey, MessageKey};
use crate::omemo::curve::PublicKey;

/// A receiving chain.
#[derive(Clone, Debug)]
pub struct ReceiverChain {
    /// The peer's ratchet key that names the chain.
    pub ratchet_key: PublicKey,
    /// The chain key; `None` where the library drops it and keeps the skipped keys (JavaScript, python).
    pub chain_key: Option<ChainKey>,
    /// Keys of messages that were passed over, in the order in which the library drops them (oldest first).
    pub skipped: Vec<SkippedKey>,
    /// The client has dropped the chain key that stands here: a replay keeps it to open a late message
    /// that the client could not open any more (see [`super::TurnRule`]).
    pub retired: bool,
}

impl ReceiverChain {
    /// A chain that was just made by a DH step.
    pub fn new(ratchet_key: PublicKey, chain_key: ChainKey) -> Self {
        Self { ratchet_key, chain_key: Some(chain_key), skipped: Vec::new(), retired: false }
    }

    /// Counter of the next key of the chain; `None` where the chain key was dropped.
    pub fn index(&self) -> Option<u32> {
        self.chain_key.as_ref().map(|key| key.index)
    }

    /// The stored key of a message that was passed over.
    pub fn skipped_key(&self, counter: u32) -> Option<&SkippedKey> {
        self.skipped.iter().find(|key| key.counter == counter)
    }

    /// Moves the chain on so that `counter` is next, keeping the keys on the way; of more than
    /// `keep` of them only the newest, as the libraries drop the oldest.
    pub(super) fn skip_to(&mut self, counter: u32, keep: Option<usize>) {
        let Some(mut key) = self.chain_key.take() else { return };
        while key.index < counter {
            let wanted = keep.is_none_or(|keep| ((counter - key.index) as usize) <= keep);
            if wanted {
                self.skipped.push(SkippedKey { counter: key.index, key: key.message_key() });
            }
            key = key.next();
        }
        self.chain_key = Some(key);
    }
}

/// The key of a message that had not come when a later one was read.
#[derive(Clone, Debug)]
pub struct SkippedKey {
    /// The message's counter.
    pub counter: u32,
    /// Its key.
    pub key: MessageKey,
}
