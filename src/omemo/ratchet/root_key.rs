//! Root key: `RK` of the Double Ratchet paper.

use super::ChainKey;
use crate::omemo::Namespace;
use crate::omemo::curve::{PrivateKey, PublicKey};
use crate::secret::Secret;
use hkdf::Hkdf;
use sha2::Sha256;

/// The root key of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey(Secret<32>);

impl RootKey {
    /// Takes 32 bytes over.
    pub fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    /// The bytes, for replay on request.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// `KDF_RK(rk, DH(ours, theirs))`: HKDF-SHA256 with the root key as salt gives 64 bytes,
    /// the next root key and the key of a new chain.
    pub fn step(&self, namespace: Namespace, ours: &PrivateKey, theirs: &PublicKey) -> (Self, ChainKey) {
        let shared = ours.diffie_hellman(theirs);
        let mut okm = zeroize::Zeroizing::new([0u8; 64]);
        let expanded = Hkdf::<Sha256>::new(Some(self.0.expose()), shared.expose()).expand(namespace.root_info(), &mut *okm);
        debug_assert!(expanded.is_ok(), "64 bytes are a valid HKDF length");
        let (mut root, mut chain) = ([0u8; 32], [0u8; 32]);
        root.copy_from_slice(&okm[..32]);
        chain.copy_from_slice(&okm[32..]);
        (Self(Secret::new(root)), ChainKey::new(0, Secret::new(chain)))
    }
}
