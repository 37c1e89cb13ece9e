//! Signatures of signed prekeys and labels: libsignal's scheme, XEdDSA and plain Ed25519.

use super::Namespace;
use super::curve::PublicKey;
use super::identity::IdentityKey;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};

/// The rule by which a signature verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Bit 7 of the last byte is the sign of the signer's Ed25519 key, which is computed from the
    /// Curve25519 form. Fits libsignal's own signatures and XEdDSA, whose sign is always 0.
    SignInSignature,
    /// Plain Ed25519 with the key as it was sent.
    Ed25519,
}

/// Whether the signature of a signed prekey is that of the identity key.
pub fn verify_signed_prekey(namespace: Namespace, identity: &IdentityKey, signed_prekey: &PublicKey, signature: &[u8]) -> bool {
    signed_prekey_scheme(namespace, identity, signed_prekey, signature).is_some()
}

/// The rule by which the signature of a signed prekey verifies, `None` if by none that clients of the
/// variant use.
///
/// Legacy signs the 33 bytes `05‖SPK`, later variants the bare 32. OMEMO 2 wants plain Ed25519, but
/// libomemo-c falls back on its own rule for keys in Curve25519 form and for signatures with a sign
/// bit. OMEMO 1 sent the identity key in Curve25519 form before XEP-0384 0.5.0, where 32 bytes could
/// be either: both readings are tried.
pub fn signed_prekey_scheme(
    namespace: Namespace,
    identity: &IdentityKey,
    signed_prekey: &PublicKey,
    signature: &[u8],
) -> Option<Scheme> {
    let signature: &[u8; 64] = signature.try_into().ok()?;
    let (short, long) = (signed_prekey.as_bytes().as_slice(), signed_prekey.to_signal());
    if namespace == Namespace::Legacy {
        return verify_sign_in_signature(identity, &long, signature).then_some(Scheme::SignInSignature);
    }
    if let Some(edwards) = identity.edwards()
        && verify_ed25519(edwards, short, signature)
    {
        return Some(Scheme::Ed25519);
    }
    let sign_bit = signature[63] & 0x80 != 0;
    if (identity.edwards().is_none() || sign_bit) && verify_sign_in_signature(identity, short, signature) {
        return Some(Scheme::SignInSignature);
    }
    if namespace == Namespace::Omemo1 {
        // The bytes we took for the Ed25519 form may have been the Curve25519 form.
        let reread = identity.edwards().map(|bytes| IdentityKey::from_curve(PublicKey::new(*bytes)));
        let reread = reread.as_ref().unwrap_or(identity);
        if [short, &long].into_iter().any(|message| verify_sign_in_signature(reread, message, signature)) {
            return Some(Scheme::SignInSignature);
        }
    }
    None
}

/// Whether `labelsig` is the Ed25519 signature of the label's UTF-8 bytes by the identity key as sent
/// in the bundle (XEP-0384 0.9.0).
pub fn verify_label(identity: &[u8; 32], label: &str, signature: &[u8]) -> bool {
    signature.try_into().is_ok_and(|signature| verify_ed25519(identity, label.as_bytes(), signature))
}

/// libsignal's rule: the sign of the key stands in bit 7 of the last byte of the signature.
fn verify_sign_in_signature(identity: &IdentityKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let sign = signature[63] & 0x80 != 0;
    let mut plain = *signature;
    plain[63] &= 0x7F;
    identity.to_edwards(sign).is_some_and(|edwards| verify_ed25519(&edwards, message, &plain))
}

fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify(message, &Signature::from_bytes(signature)).is_ok())
}
