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
}

/// The key of a message that had not come when a later one was read.
#[derive(Clone, Debug)]
pub struct SkippedKey {
    /// The message's counter.
    pub counter: u32,
    /// Its key.
    pub key: MessageKey,
}
