//! SignalMessage and PreKeySignalMessage (Signal protocol version 3).

use super::protobuf::{PreKeySignalMessage, SignalMessage, decode, required};
use super::{KeyExchange, RatchetMessage, WireError, checked_ciphertext, public_key};
use crate::omemo::identity::IdentityKey;

/// Version of the Signal protocol that legacy OMEMO speaks: the high half of the version byte.
const VERSION: u8 = 3;

/// Length in bytes of the MAC that ends a SignalMessage.
const MAC_LENGTH: usize = 8;

/// `33 ‖ protobuf ‖ MAC(8)`.
pub(super) fn signal_message(bytes: &[u8]) -> Result<RatchetMessage, WireError> {
    const NAME: &str = "SignalMessage";
    let Some((authenticated, mac)) = bytes.split_last_chunk::<MAC_LENGTH>().filter(|(rest, _)| rest.len() > 1) else {
        return Err(WireError::Malformed(format!(
            "{NAME}: {} bytes are too few for a version byte, a message and a MAC of {MAC_LENGTH} bytes",
            bytes.len()
        )));
    };
    let (version, protobuf) = split_version(NAME, authenticated)?;
    let message: SignalMessage = decode(NAME, protobuf)?;
    let parsed = RatchetMessage {
        ratchet_key: public_key(NAME, "ratchetKey", &required(NAME, "ratchetKey", message.ratchet_key)?)?,
        counter: required(NAME, "counter", message.counter)?,
        previous_counter: message.previous_counter.unwrap_or(0),
        ciphertext: checked_ciphertext(NAME, required(NAME, "ciphertext", message.ciphertext)?)?,
        mac: mac.to_vec(),
        authenticated: authenticated.to_vec(),
    };
    checked_version(version).map(|()| parsed)
}

/// `33 ‖ protobuf`, a complete SignalMessage in field 4.
pub(super) fn prekey_signal_message(bytes: &[u8]) -> Result<KeyExchange, WireError> {
    const NAME: &str = "PreKeySignalMessage";
    let (version, protobuf) = split_version(NAME, bytes)?;
    let message: PreKeySignalMessage = decode(NAME, protobuf)?;
    let base_key = public_key(NAME, "baseKey", &required(NAME, "baseKey", message.base_key)?)?;
    let identity_key = public_key(NAME, "identityKey", &required(NAME, "identityKey", message.identity_key)?)?;
    let signed_prekey_id = required(NAME, "signedPreKeyId", message.signed_prekey_id)?;
    let inner = required(NAME, "message", message.message)?;
    checked_version(version)?;
    Ok(KeyExchange {
        prekey_id: message.prekey_id,
        signed_prekey_id,
        base_key,
        identity_key: IdentityKey::from_curve(identity_key),
        registration_id: message.registration_id,
        message: signal_message(&inner)?,
    })
}

/// The version byte (`message version << 4 | highest version the sender speaks`) and the rest.
fn split_version<'a>(name: &str, bytes: &'a [u8]) -> Result<(u8, &'a [u8]), WireError> {
    match bytes.split_first() {
        Some((byte, rest)) => Ok((byte >> 4, rest)),
        None => Err(WireError::Malformed(format!("{name}: there are no bytes"))),
    }
}

/// Looked at last: bytes that are no Signal message at all have no version that could be wrong.
fn checked_version(version: u8) -> Result<(), WireError> {
    if version == VERSION { Ok(()) } else { Err(WireError::Version(version)) }
}
