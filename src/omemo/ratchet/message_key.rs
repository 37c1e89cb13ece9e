//! Message key: `MK` of the Double Ratchet paper, with the encryption and MAC made from it.

use crate::omemo::Namespace;
use crate::omemo::identity::IdentityKey;
use crate::omemo::wire::RatchetMessage;
use crate::secret::{Secret, SecretBytes};
use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

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

impl MessageKey {
    /// AES-256 key, HMAC-SHA256 key and CBC initialisation vector: HKDF-SHA256 of the seed without
    /// salt gives the 80 bytes.
    pub fn cipher_keys(&self, namespace: Namespace) -> (Secret<32>, Secret<32>, Secret<16>) {
        let seed = match self {
            Self::Derived { cipher_key, mac_key, iv } => return (cipher_key.clone(), mac_key.clone(), iv.clone()),
            Self::Seed(seed) => seed,
        };
        let mut okm = zeroize::Zeroizing::new([0u8; 80]);
        let expanded = Hkdf::<Sha256>::new(None, seed.expose()).expand(namespace.message_key_info(), &mut *okm);
        debug_assert!(expanded.is_ok(), "80 bytes are a valid HKDF length");
        let (mut cipher_key, mut mac_key, mut iv) = ([0u8; 32], [0u8; 32], [0u8; 16]);
        cipher_key.copy_from_slice(&okm[..32]);
        mac_key.copy_from_slice(&okm[32..64]);
        iv.copy_from_slice(&okm[64..]);
        (Secret::new(cipher_key), Secret::new(mac_key), Secret::new(iv))
    }

    /// The MAC of `associated_data ‖ authenticated`, cut to the length of the variant.
    pub fn mac(&self, namespace: Namespace, associated_data: &AssociatedData, authenticated: &[u8]) -> Vec<u8> {
        let (_, mac_key, _) = self.cipher_keys(namespace);
        // HMAC takes keys of any length, so `new_from_slice` cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(mac_key.expose()).expect("HMAC takes any key length");
        mac.update(associated_data.as_bytes());
        mac.update(authenticated);
        let mut bytes = mac.finalize().into_bytes().to_vec();
        bytes.truncate(namespace.mac_length());
        bytes
    }

    /// Whether the message's MAC is that of this key and associated data. A MAC of another length never is.
    pub fn verifies(&self, namespace: Namespace, associated_data: &AssociatedData, message: &RatchetMessage) -> bool {
        self.mac(namespace, associated_data, &message.authenticated).ct_eq(&message.mac).into()
    }

    /// AES-256-CBC with PKCS#7 padding; the MAC is not looked at. `None` when the ciphertext is not
    /// whole blocks or the padding does not come off.
    pub fn decrypt(&self, namespace: Namespace, message: &RatchetMessage) -> Option<SecretBytes> {
        let (cipher_key, _, iv) = self.cipher_keys(namespace);
        decrypt_cbc(&cipher_key, &iv, &message.ciphertext)
    }
}

/// AES-256-CBC with PKCS#7, as ratchet messages and OMEMO payloads use it.
pub(in crate::omemo) fn decrypt_cbc(key: &Secret<32>, iv: &Secret<16>, ciphertext: &[u8]) -> Option<SecretBytes> {
    let mut buffer = zeroize::Zeroizing::new(ciphertext.to_vec());
    let plain = Decryptor::<Aes256>::new(key.expose().into(), iv.expose().into()).decrypt_padded::<Pkcs7>(&mut buffer).ok()?;
    Some(SecretBytes::new(plain.to_vec()))
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
