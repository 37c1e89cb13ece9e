//! Chain key: `CK` of the Double Ratchet paper.

use super::MessageKey;
use crate::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A chain key and the counter of the next message key it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainKey {
    /// Counter of the message key that comes next (0 for a fresh chain).
    pub index: u32,
    key: Secret<32>,
}

impl ChainKey {
    /// A chain key whose next message key has the counter `index`.
    pub fn new(index: u32, key: Secret<32>) -> Self {
        Self { index, key }
    }

    /// The bytes, for replay on request.
    pub fn secret(&self) -> &Secret<32> {
        &self.key
    }

    /// `HMAC-SHA256(ck, 01)`: the seed of the message key with this index.
    pub fn message_key(&self) -> MessageKey {
        MessageKey::Seed(self.hmac(0x01))
    }

    /// `HMAC-SHA256(ck, 02)`: the chain key after it.
    pub fn next(&self) -> Self {
        Self { index: self.index.wrapping_add(1), key: self.hmac(0x02) }
    }

    /// The chain key `steps` further on.
    pub fn advance(&self, steps: u32) -> Self {
        (0..steps).fold(self.clone(), |key, _| key.next())
    }

    fn hmac(&self, constant: u8) -> Secret<32> {
        // HMAC takes keys of any length, so `new_from_slice` cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose()).expect("HMAC takes any key length");
        mac.update(&[constant]);
        Secret::new(mac.finalize().into_bytes().into())
    }
}
