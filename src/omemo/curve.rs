//! Curve25519 keys: ratchet keys, prekeys, base keys and the Curve25519 form of identity keys.

use crate::secret::Secret;
use std::fmt;
use x25519_dalek::{StaticSecret, x25519};

/// First byte of a public key in Signal's 33-byte form (`DJB_TYPE`).
pub const SIGNAL_KEY_TYPE: u8 = 0x05;

/// A Curve25519 public key (the u coordinate, little-endian).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// From the bare 32 bytes.
    pub const fn new(u: [u8; 32]) -> Self {
        Self(u)
    }

    /// From 33 bytes with the type byte 05 or from bare 32 bytes; anything else is `None`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [SIGNAL_KEY_TYPE, rest @ ..] if rest.len() == 32 => rest.try_into().ok().map(Self),
            _ => bytes.try_into().ok().map(Self),
        }
    }

    /// The bare 32 bytes, as OMEMO 2 writes them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 05 and the 32 bytes, as the Signal protocol writes them.
    pub fn to_signal(self) -> [u8; 33] {
        let mut out = [SIGNAL_KEY_TYPE; 33];
        out[1..].copy_from_slice(&self.0);
        out
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A Curve25519 private key: 32 bytes, little-endian; clamped when used, as X25519 does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKey(Secret<32>);

impl PrivateKey {
    /// Takes a scalar over.
    pub const fn new(scalar: Secret<32>) -> Self {
        Self(scalar)
    }

    /// From the 32 bytes a store holds.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Secret::from_slice(bytes).map(Self)
    }

    /// The bytes, for signing and for export on request.
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(x25519_dalek::PublicKey::from(&StaticSecret::from(*self.0.expose())).to_bytes())
    }

    /// X25519 (RFC 7748) with their public key.
    pub fn diffie_hellman(&self, their: &PublicKey) -> Secret<32> {
        Secret::new(x25519(*self.0.expose(), their.0))
    }
}

/// A private key and its public half as a store or message wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The private half.
    pub private: PrivateKey,
    /// The public half as written beside it: may contradict the private one in a damaged store.
    pub public: PublicKey,
}

impl KeyPair {
    /// Computes the public half.
    pub fn from_private(private: PrivateKey) -> Self {
        let public = private.public();
        Self { private, public }
    }

    /// Whether the two halves belong together.
    pub fn is_consistent(&self) -> bool {
        self.private.public() == self.public
    }
}
