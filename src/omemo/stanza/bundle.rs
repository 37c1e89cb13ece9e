//! Bundles: a device's published keys.

use super::Fault;
use crate::omemo::Namespace;
use crate::omemo::curve::PublicKey;
use crate::omemo::identity::IdentityKey;

/// A bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The variant.
    pub namespace: Namespace,
    /// Identity key.
    pub identity_key: Option<IdentityKey>,
    /// Signed prekey id.
    pub signed_prekey_id: Option<u32>,
    /// Signed prekey.
    pub signed_prekey: Option<PublicKey>,
    /// Its signature, decoded.
    pub signature: Option<Vec<u8>>,
    /// One-time prekeys.
    pub prekeys: Vec<(u32, PublicKey)>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}
