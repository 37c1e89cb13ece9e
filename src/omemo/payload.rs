//! Payload encryption: AES-128-GCM (legacy), AES-256-CBC with HMAC-SHA256 (OMEMO 1 and 2).

use super::Namespace;
use super::ratchet::decrypt_cbc;
use crate::secret::{Secret, SecretBytes};
use aes_gcm::AesGcm;
use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Nonce};
use aes_gcm::aes::Aes128;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// AES-128 key of a legacy payload.
const LEGACY_KEY_LENGTH: usize = 16;
/// Authentication tag of AES-GCM.
const GCM_TAG_LENGTH: usize = 16;
/// Key of an OMEMO 1 or 2 payload, before the HMAC that follows it.
const OMEMO_KEY_LENGTH: usize = 32;
/// HMAC cut to half: XEP-0384 0.7.0 and later.
const HMAC_LENGTH: usize = 16;
/// HMAC in full: XEP-0384 0.4.0 to 0.6.0, hence only `urn:xmpp:omemo:1`.
const FULL_HMAC_LENGTH: usize = 32;
/// HKDF info of a payload key.
const PAYLOAD_INFO: &[u8] = b"OMEMO Payload";

/// A decrypted payload.
#[derive(Clone, Debug)]
pub struct OpenedPayload {
    /// Legacy: the UTF-8 body. OMEMO 1 and 2: the SCE envelope.
    pub content: SecretBytes,
    /// How it was packed.
    pub dialect: Dialect,
}

/// What senders do differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// AES-128-GCM.
    Legacy {
        /// Where the authentication tag stood.
        tag: TagPlace,
        /// Length of the IV in bytes: 12, or 16 from old clients.
        iv_length: usize,
    },
    /// AES-256-CBC with HMAC.
    Omemo {
        /// Length in bytes of the HMAC after the key: 16, or 32 before XEP-0384 0.7.0.
        hmac_length: usize,
    },
}

/// Where the authentication tag of a legacy payload stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagPlace {
    /// After the key, inside the ratchet message.
    WithKey,
    /// At the end of the payload, as clients before 2018 sent it.
    InPayload,
}

/// Why a payload does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The ratchet message carried key material of a length that the variant does not have.
    #[error("the key material has {0} bytes, which is no length of this variant")]
    KeyLength(usize),
    /// The IV is neither 12 nor 16 bytes long.
    #[error("the iv has {0} bytes, expected 12 or 16")]
    IvLength(usize),
    /// The key came without a tag, and the payload does not end with one.
    #[error("the key came without an authentication tag, and the end of the payload is none either")]
    TagMissing,
    /// Too short to hold a tag, or no whole blocks.
    #[error("the payload has {0} bytes, too few or no whole blocks")]
    TooShort(usize),
    /// The tag or HMAC does not verify.
    #[error("the payload's authentication tag does not verify")]
    Authentication,
    /// The HMAC verifies but the padding does not come off: damaged by its sender.
    #[error("the payload is authentic, but its padding is wrong")]
    Padding,
}

/// Opens a legacy payload. Key material of 32 bytes or more is key and tag, 16 bytes are the key alone
/// and the tag ends the payload. AES-GCM without associated data.
pub fn open_legacy(key_material: &[u8], iv: &[u8], payload: &[u8]) -> Result<OpenedPayload, PayloadError> {
    let wrong_length = PayloadError::KeyLength(key_material.len());
    let (key, rest) = key_material.split_at_checked(LEGACY_KEY_LENGTH).ok_or(wrong_length)?;
    let tag = match rest.len() {
        0 => TagPlace::InPayload,
        GCM_TAG_LENGTH.. => TagPlace::WithKey,
        _ => return Err(wrong_length),
    };
    let sealed = [payload, rest].concat();
    if sealed.len() < GCM_TAG_LENGTH {
        return Err(PayloadError::TooShort(payload.len()));
    }
    let content = match iv.len() {
        12 => open_gcm::<U12>(key, iv, &sealed),
        16 => open_gcm::<U16>(key, iv, &sealed),
        other => return Err(PayloadError::IvLength(other)),
    };
    let content = content.map_err(|error| match (tag, error) {
        (TagPlace::InPayload, PayloadError::Authentication) => PayloadError::TagMissing,
        (_, other) => other,
    })?;
    Ok(OpenedPayload { content, dialect: Dialect::Legacy { tag, iv_length: iv.len() } })
}

fn open_gcm<N: ArraySize>(key: &[u8], iv: &[u8], sealed: &[u8]) -> Result<SecretBytes, PayloadError> {
    let cipher = AesGcm::<Aes128, N>::new_from_slice(key).map_err(|_| PayloadError::KeyLength(key.len()))?;
    let nonce = <&Nonce<AesGcm<Aes128, N>>>::try_from(iv).map_err(|_| PayloadError::IvLength(iv.len()))?;
    cipher.decrypt(nonce, sealed).map(SecretBytes::new).map_err(|_| PayloadError::Authentication)
}

/// Opens a payload of OMEMO 1 or 2. Key material is 32 bytes of key and 16 bytes of HMAC; OMEMO 1 may
/// have 32 bytes of HMAC. The HMAC is checked before the padding.
pub fn open_omemo(namespace: Namespace, key_material: &[u8], payload: &[u8]) -> Result<OpenedPayload, PayloadError> {
    let wrong_length = PayloadError::KeyLength(key_material.len());
    let (key, hmac) = key_material.split_at_checked(OMEMO_KEY_LENGTH).ok_or(wrong_length)?;
    let fits = match namespace {
        Namespace::Legacy => false,
        Namespace::Omemo1 => matches!(hmac.len(), HMAC_LENGTH | FULL_HMAC_LENGTH),
        Namespace::Omemo2 => hmac.len() == HMAC_LENGTH,
    };
    if !fits {
        return Err(wrong_length);
    }
    if payload.is_empty() || !payload.len().is_multiple_of(16) {
        return Err(PayloadError::TooShort(payload.len()));
    }
    let mut okm = zeroize::Zeroizing::new([0u8; 80]);
    let expanded = Hkdf::<Sha256>::new(None, key).expand(PAYLOAD_INFO, &mut *okm);
    debug_assert!(expanded.is_ok(), "80 bytes are a valid HKDF length");
    let (mut encryption_key, mut iv) = ([0u8; 32], [0u8; 16]);
    encryption_key.copy_from_slice(&okm[..32]);
    iv.copy_from_slice(&okm[64..]);
    let (encryption_key, iv) = (Secret::new(encryption_key), Secret::new(iv));

    // HMAC takes keys of any length, so `new_from_slice` cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&okm[32..64]).expect("HMAC takes any key length");
    mac.update(payload);
    let full = mac.finalize().into_bytes();
    if !bool::from(full[..hmac.len()].ct_eq(hmac)) {
        return Err(PayloadError::Authentication);
    }
    let content = decrypt_cbc(&encryption_key, &iv, payload).ok_or(PayloadError::Padding)?;
    Ok(OpenedPayload { content, dialect: Dialect::Omemo { hmac_length: hmac.len() } })
}

/// Whether the key material of a message **without** payload is that of a proper empty message:
/// legacy any key (16 bytes) or key and tag (32), later 32 zero bytes.
pub fn is_empty_message(namespace: Namespace, key_material: &[u8]) -> bool {
    match namespace {
        Namespace::Legacy => matches!(key_material.len(), LEGACY_KEY_LENGTH | 32),
        Namespace::Omemo1 | Namespace::Omemo2 => key_material.ct_eq(&[0u8; OMEMO_KEY_LENGTH]).into(),
    }
}
