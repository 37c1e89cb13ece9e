//! What stands in a `<key>` element: the ratchet message, alone or in a key exchange.

mod legacy;
mod omemo;

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
    let read = |exchange: bool| match (namespace.is_legacy(), exchange) {
        (true, false) => legacy::signal_message(bytes).map(KeyContent::Message),
        (true, true) => legacy::prekey_signal_message(bytes).map(KeyContent::KeyExchange),
        (false, false) => omemo::authenticated_message(bytes).map(KeyContent::Message),
        (false, true) => omemo::key_exchange(bytes).map(KeyContent::KeyExchange),
    };
    let first = match read(flagged) {
        Ok(content) => return Ok(ParsedKey { content, flag_contradicts: false }),
        Err(error) => error,
    };
    if let Ok(content) = read(!flagged) {
        return Ok(ParsedKey { content, flag_contradicts: true });
    }
    Err(first)
}
