//! Identity keys in both curve forms, and the fingerprints people compare.
//!
//! Legacy OMEMO sends the Curve25519 form, OMEMO since XEP-0384 0.5.0 the Ed25519 form. The sign of
//! the Ed25519 form is lost in the Curve25519 form, so equality is always tested on the latter.

use super::curve::{KeyPair, PrivateKey, PublicKey};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use std::fmt;

/// An identity key. Equal when the Curve25519 forms are equal.
#[derive(Clone, Copy, Debug)]
pub struct IdentityKey {
    curve: PublicKey,
    edwards: Option<[u8; 32]>,
}

impl IdentityKey {
    /// From the Curve25519 form.
    pub const fn from_curve(curve: PublicKey) -> Self {
        Self { curve, edwards: None }
    }

    /// From the 32 bytes of the Ed25519 form; `None` if they are no point of the curve.
    pub fn from_edwards(bytes: [u8; 32]) -> Option<Self> {
        let point = CompressedEdwardsY(bytes).decompress()?;
        Some(Self { curve: PublicKey::new(point.to_montgomery().to_bytes()), edwards: Some(bytes) })
    }

    /// As libomemo-c reads a stored identity key: 33 bytes are Curve25519, 32 bytes Ed25519.
    pub fn from_record(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            33 => PublicKey::from_bytes(bytes).map(Self::from_curve),
            32 => Self::from_edwards(bytes.try_into().ok()?),
            _ => None,
        }
    }

    /// The Curve25519 form.
    pub const fn curve(&self) -> &PublicKey {
        &self.curve
    }

    /// The Ed25519 form as it was received or stored, sign bit included; `None` if only the
    /// Curve25519 form is known.
    pub const fn edwards(&self) -> Option<&[u8; 32]> {
        self.edwards.as_ref()
    }

    /// The Ed25519 form with the given sign bit, computed from the Curve25519 form.
    pub fn to_edwards(&self, sign: bool) -> Option<[u8; 32]> {
        MontgomeryPoint(*self.curve.as_bytes()).to_edwards(u8::from(sign)).map(|p| p.compress().to_bytes())
    }

    /// What people compare: the Curve25519 form in hex.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(*self.curve.as_bytes())
    }
}

impl PartialEq for IdentityKey {
    fn eq(&self, other: &Self) -> bool {
        self.curve == other.curve
    }
}

impl Eq for IdentityKey {}

impl std::hash::Hash for IdentityKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.curve.hash(state);
    }
}

/// Our own identity key with its private half.
#[derive(Clone, Debug)]
pub struct IdentityKeyPair {
    /// The public key as the store has it (with the Ed25519 form where known).
    pub public: IdentityKey,
    /// The private scalar.
    pub private: PrivateKey,
}

impl IdentityKeyPair {
    /// Whether the two halves belong together.
    pub fn is_consistent(&self) -> bool {
        self.private.public() == *self.public.curve()
    }

    /// The Curve25519 pair.
    pub fn key_pair(&self) -> KeyPair {
        KeyPair { private: self.private.clone(), public: *self.public.curve() }
    }
}

/// A fingerprint: the 32 bytes of the Curve25519 identity key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Eight groups of eight lower-case digits with blanks between, as XEP-0384 advises.
    pub fn grouped(&self) -> String {
        let hex = self.to_string();
        (0..8).map(|i| &hex[i * 8..i * 8 + 8]).collect::<Vec<_>>().join(" ")
    }
}

/// 64 lower-case hex digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
