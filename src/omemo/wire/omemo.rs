//! OMEMOAuthenticatedMessage and OMEMOKeyExchange (XEP-0384 0.4.0 and later).

use super::protobuf::{OmemoAuthenticatedMessage, OmemoKeyExchange, OmemoMessage, decode, required};
use super::{KeyExchange, RatchetMessage, WireError, checked_ciphertext, public_key};
use crate::omemo::Namespace;
use crate::omemo::curve::PublicKey;
use crate::omemo::identity::IdentityKey;

/// Length in bytes of the MAC: HMAC-SHA-256 cut to its first half.
const MAC_LENGTH: usize = 16;

/// OMEMOAuthenticatedMessage with its OMEMOMessage.
pub(super) fn authenticated_message(bytes: &[u8]) -> Result<RatchetMessage, WireError> {
    const OUTER: &str = "OMEMOAuthenticatedMessage";
    const INNER: &str = "OMEMOMessage";
    let outer: OmemoAuthenticatedMessage = decode(OUTER, bytes)?;
    let mac = required(OUTER, "mac", outer.mac)?;
    if mac.len() != MAC_LENGTH {
        return Err(WireError::Malformed(format!("{OUTER}: the mac has {} bytes, expected {MAC_LENGTH}", mac.len())));
    }
    let authenticated = required(OUTER, "message", outer.message)?;
    let inner: OmemoMessage = decode(INNER, &authenticated)?;
    Ok(RatchetMessage {
        ratchet_key: public_key(INNER, "dh_pub", &required(INNER, "dh_pub", inner.dh_pub)?)?,
        counter: required(INNER, "n", inner.n)?,
        previous_counter: required(INNER, "pn", inner.pn)?,
        ciphertext: checked_ciphertext(INNER, required(INNER, "ciphertext", inner.ciphertext)?)?,
        mac,
        authenticated,
    })
}

/// OMEMOKeyExchange, an OMEMOAuthenticatedMessage in field 5.
pub(super) fn key_exchange(namespace: Namespace, bytes: &[u8]) -> Result<KeyExchange, WireError> {
    const NAME: &str = "OMEMOKeyExchange";
    let exchange: OmemoKeyExchange = decode(NAME, bytes)?;
    let ik = required(NAME, "ik", exchange.ik)?;
    Ok(KeyExchange {
        // Required by the schema, but what a sender without it left out says more than a refusal here.
        prekey_id: exchange.pk_id,
        signed_prekey_id: required(NAME, "spk_id", exchange.spk_id)?,
        base_key: public_key(NAME, "ek", &required(NAME, "ek", exchange.ek)?)?,
        identity_key: identity_key(namespace, &ik).ok_or_else(|| {
            WireError::Malformed(format!("{NAME}: ik is no Ed25519 public key of 32 bytes ({} bytes)", ik.len()))
        })?,
        registration_id: None,
        message: authenticated_message(&required(NAME, "message", exchange.message)?)?,
    })
}

/// The Ed25519 form. XEP-0384 0.4.0, the first of `urn:xmpp:omemo:1`, sent the Curve25519 form.
fn identity_key(namespace: Namespace, bytes: &[u8]) -> Option<IdentityKey> {
    IdentityKey::from_record(bytes).or_else(|| {
        let curve = PublicKey::from_bytes(bytes)?;
        (namespace == Namespace::Omemo1).then(|| IdentityKey::from_curve(curve))
    })
}
