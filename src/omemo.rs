//! The protocol: types and arithmetic of OMEMO in all its variants. No file, no clock, no printing.
//!
//! Sources: XEP-0384 0.3.0 (legacy), 0.4.0 to 0.7.0 (`urn:xmpp:omemo:1`), 0.8.0 to 0.9.1
//! (`urn:xmpp:omemo:2`); the Signal papers "The Double Ratchet Algorithm", "The X3DH Key Agreement
//! Protocol" and "The XEdDSA and VXEdDSA Signature Schemes".

pub mod curve;
pub mod identity;
pub mod namespace;
pub mod payload;
pub mod ratchet;
pub mod session_record;
pub mod signature;
pub mod stanza;
pub mod uri;
pub mod wire;
pub mod x3dh;
pub mod xml;

pub use curve::{KeyPair, PrivateKey, PublicKey};
pub use identity::{Fingerprint, IdentityKey, IdentityKeyPair};
pub use namespace::Namespace;
