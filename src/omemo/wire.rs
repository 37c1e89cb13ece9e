//! What stands in a `<key>` element: the ratchet message, alone or in a key exchange.

mod legacy;
mod omemo;
mod protobuf;

use super::curve::PublicKey;
use super::identity::IdentityKey;
use super::namespace::Namespace;

/// A ratchet message of any variant (SignalMessage, or OMEMOAuthenticatedMessage with its OMEMOMessage).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatchetMessage {
    /// The sender's ratchet key (`DHs`, `dh_pub`).
    pub ratchet_key: PublicKey,
    /// Counter in the sending chain (`N`).
    pub counter: u32,
    /// Length of the sender's previous chain (`PN`); the libsignal family writes one less.
    pub previous_counter: u32,
    /// AES-256-CBC ciphertext of the key material.
    pub ciphertext: Vec<u8>,
    /// MAC as sent: 8 bytes legacy, 16 bytes later.
    pub mac: Vec<u8>,
    /// The bytes under the MAC after the associated data, exactly as received.
    pub authenticated: Vec<u8>,
}

/// PreKeySignalMessage or OMEMOKeyExchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyExchange {
    /// The receiver's one-time prekey (`OPK`); absent if the sender found none left.
    pub prekey_id: Option<u32>,
    /// The receiver's signed prekey (`SPK`).
    pub signed_prekey_id: u32,
    /// The sender's base key (`EK`).
    pub base_key: PublicKey,
    /// The sender's identity key (`IK`).
    pub identity_key: IdentityKey,
    /// Legacy only: device id or a random number, not trustworthy.
    pub registration_id: Option<u32>,
    /// The first (or repeated) message.
    pub message: RatchetMessage,
}

/// The content of a `<key>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyContent {
    /// An ordinary message of a session.
    Message(RatchetMessage),
    /// A key exchange with the first message inside.
    KeyExchange(KeyExchange),
}

impl KeyContent {
    /// The ratchet message, alone or inside the exchange.
    pub fn message(&self) -> &RatchetMessage {
        match self {
            Self::Message(message) => message,
            Self::KeyExchange(exchange) => &exchange.message,
        }
    }

    /// The key exchange, if it is one.
    pub fn key_exchange(&self) -> Option<&KeyExchange> {
        match self {
            Self::Message(_) => None,
            Self::KeyExchange(exchange) => Some(exchange),
        }
    }
}

/// The content and whether the `prekey`/`kex` attribute told the truth about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedKey {
    /// The content as its bytes say.
    pub content: KeyContent,
    /// The attribute said the other kind.
    pub flag_contradicts: bool,
}

/// Why the bytes of a key element are no message of their variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The version byte of a Signal message has another version than 3.
    #[error("the version byte says Signal protocol version {0}, legacy OMEMO is version 3")]
    Version(u8),
    /// No protobuf, or a required field is missing, or a key or MAC has a wrong length.
    #[error("{0}")]
    Malformed(String),
    /// The bytes are a message of another variant.
    #[error("the bytes are a message of {found}, but the element is {expected}")]
    OtherVariant {
        /// What the element claims.
        expected: Namespace,
        /// What the bytes are.
        found: Namespace,
    },
}

/// Reads the bytes of a key element. Both readings are tried: first the one the attribute claims
/// (`flagged` = `prekey` or `kex` was true), then the other. If neither fits, the bytes are tried as
/// the other variants' messages, to name a [`WireError::OtherVariant`].
pub fn parse(namespace: Namespace, bytes: &[u8], flagged: bool) -> Result<ParsedKey, WireError> {
    let first = match read(namespace, flagged, bytes) {
        Ok(content) => return Ok(ParsedKey { content, flag_contradicts: false }),
        Err(error) => error,
    };
    let second = match read(namespace, !flagged, bytes) {
        Ok(content) => return Ok(ParsedKey { content, flag_contradicts: true }),
        Err(error) => error,
    };
    // OMEMO 1 and 2 have the same messages, so the only other reading is the other format.
    let found = if namespace.is_legacy() { Namespace::Omemo2 } else { Namespace::Legacy };
    if [flagged, !flagged].into_iter().any(|exchange| read(found, exchange, bytes).is_ok()) {
        return Err(WireError::OtherVariant { expected: namespace, found });
    }
    // A version is only told by bytes that are a message otherwise, so it is the better reason.
    Err(if matches!(second, WireError::Version(_)) { second } else { first })
}

fn read(namespace: Namespace, exchange: bool, bytes: &[u8]) -> Result<KeyContent, WireError> {
    match (namespace.is_legacy(), exchange) {
        (true, false) => legacy::signal_message(bytes).map(KeyContent::Message),
        (true, true) => legacy::prekey_signal_message(bytes).map(KeyContent::KeyExchange),
        (false, false) => omemo::authenticated_message(bytes).map(KeyContent::Message),
        (false, true) => omemo::key_exchange(namespace, bytes).map(KeyContent::KeyExchange),
    }
}

/// AES block: ratchet ciphertexts are whole blocks, at least one because of the padding.
const BLOCK: usize = 16;

fn public_key(message: &str, field: &str, bytes: &[u8]) -> Result<PublicKey, WireError> {
    PublicKey::from_bytes(bytes).ok_or_else(|| {
        let length = bytes.len();
        WireError::Malformed(format!("{message}: {field} is no public key of 32 bytes, or 33 beginning with 05 ({length} bytes)"))
    })
}

fn checked_ciphertext(message: &str, ciphertext: Vec<u8>) -> Result<Vec<u8>, WireError> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        let length = ciphertext.len();
        return Err(WireError::Malformed(format!(
            "{message}: the ciphertext has {length} bytes, expected whole blocks of {BLOCK}"
        )));
    }
    Ok(ciphertext)
}
