//! `<encrypted>`: the message element of all variants (XEP-0384, section 5.x "Sending a message").

use super::Fault;
use crate::omemo::Namespace;

/// An `<encrypted>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The variant.
    pub namespace: Namespace,
    /// `sid`: the sender's device id; `None` when missing or no number in 1..=2^31-1 (see `faults`).
    pub sid: Option<u32>,
    /// The `<key>` elements in document order.
    pub keys: Vec<KeyElement>,
    /// `<iv>` (legacy), decoded.
    pub iv: Option<Vec<u8>>,
    /// `<payload>`, decoded; `None` when there is none (an empty message).
    pub payload: Option<Vec<u8>>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// One `<key>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyElement {
    /// `jid` of the `<keys>` around it (not legacy).
    pub jid: Option<String>,
    /// `rid`: the receiving device's id; `None` when missing or no number in 1..=2^31-1.
    pub rid: Option<u32>,
    /// `prekey` or `kex` is true.
    pub flagged: bool,
    /// The content, decoded; empty when it could not be (see `faults`).
    pub content: Vec<u8>,
}

impl Encrypted {
    /// Whether a receiver could use it.
    pub fn is_usable(&self) -> bool {
        !self.faults.iter().any(|f| f.fatal)
    }
}
