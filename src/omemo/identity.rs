//! Identity keys in both curve forms, and the fingerprints people compare.
//!
//! Legacy OMEMO sends the Curve25519 form, OMEMO since XEP-0384 0.5.0 the Ed25519 form. The sign of
//! the Ed25519 form is lost in the Curve25519 form, so equality is always tested on the latter.

mod fingerprint;

pub use fingerprint::{Fingerprint, FingerprintError, FingerprintForm};

use super::curve::{KeyPair, PrivateKey, PublicKey};
use crate::secret::Secret;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::clamp_integer;
use sha2::{Digest, Sha512};

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
        Fingerprint::new(*self.curve.as_bytes())
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
    /// From a private scalar; the Ed25519 form stays unknown (libraries send it with either sign).
    pub fn from_scalar(private: PrivateKey) -> Self {
        Self { public: IdentityKey::from_curve(private.public()), private }
    }

    /// From an Ed25519 seed (RFC 8032), as python-omemo keeps it: the scalar is the clamped first half
    /// of its SHA-512, and the Ed25519 form has its natural sign.
    pub fn from_seed(seed: &Secret<32>) -> Self {
        let mut hash = zeroize::Zeroizing::new([0u8; 64]);
        hash.copy_from_slice(&Sha512::digest(seed.expose()));
        let mut scalar = [0u8; 32];
        scalar.copy_from_slice(&hash[..32]);
        let scalar = Secret::new(clamp_integer(scalar));
        let edwards = ed25519_dalek::SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes();
        let private = PrivateKey::new(scalar);
        Self { public: IdentityKey { curve: private.public(), edwards: Some(edwards) }, private }
    }

    /// From a private scalar whose Ed25519 form is sent with its natural sign (python-omemo).
    pub fn from_scalar_with_natural_sign(private: PrivateKey) -> Self {
        let edwards = EdwardsPoint::mul_base_clamped(*private.secret().expose()).compress().to_bytes();
        Self { public: IdentityKey { curve: private.public(), edwards: Some(edwards) }, private }
    }

    /// Whether the two halves belong together.
    pub fn is_consistent(&self) -> bool {
        self.private.public() == *self.public.curve()
    }

    /// The Curve25519 pair.
    pub fn key_pair(&self) -> KeyPair {
        KeyPair { private: self.private.clone(), public: *self.public.curve() }
    }
}
