//! Message key: `MK` of the Double Ratchet paper, with the encryption and MAC made from it.

use crate::omemo::identity::IdentityKey;
use crate::secret::Secret;

/// A message key as libraries keep it: the 32-byte seed, or the 80 bytes derived from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageKey {
    /// `HMAC-SHA256(ck, 01)`.
    Seed(Secret<32>),
    /// Cipher key, MAC key and IV, as the Signal record format keeps skipped keys.
    Derived {
        /// AES-256 key.
        cipher_key: Secret<32>,
        /// HMAC-SHA256 key.
        mac_key: Secret<32>,
        /// CBC initialisation vector.
        iv: Secret<16>,
    },
}

/// The bytes that are authenticated before the message itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociatedData(Vec<u8>);

impl AssociatedData {
    /// Legacy: `05‖IK_sender ‖ 05‖IK_receiver` of this message, whoever began the session.
    pub fn legacy(sender: &IdentityKey, receiver: &IdentityKey) -> Self {
        Self([sender.curve().to_signal(), receiver.curve().to_signal()].concat())
    }

    /// OMEMO 1 and 2: Ed25519 forms as transmitted, `IK_initiator ‖ IK_responder`, in both directions.
    pub fn omemo(initiator: &[u8; 32], responder: &[u8; 32]) -> Self {
        Self([*initiator, *responder].concat())
    }

    /// Bytes that a store keeps ready made.
    pub fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
