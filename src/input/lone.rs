//! Small things that people paste: a fingerprint, an address with fingerprints, the base64 text of a
//! key element, a public key. What they are is told by looking.

use crate::omemo::identity::IdentityKeyPair;
use crate::omemo::ratchet::{Implementation, SessionRecord};
use crate::omemo::session_record::libsignal::{self, PreKeyRecord, SignedPreKeyRecord};
use crate::omemo::wire::{self, ParsedKey};
use crate::omemo::{Fingerprint, IdentityKey, Namespace, PublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest text that is looked at: a session record with 40 archived states stays well below.
pub const MAX_LONE: usize = 4 << 20;

/// A small thing.
#[derive(Clone, Debug)]
pub enum Lone {
    /// A fingerprint: 64 hex digits, with or without blanks, colons or the type byte 05 before them.
    Fingerprint(Fingerprint),
    /// `xmpp:jid?omemo-sid-ID=HEX` (as XEP-0384 0.8.0 and clients write it) or its older form.
    Uri {
        /// The address.
        jid: String,
        /// Device ids with fingerprints.
        devices: Vec<(Option<u32>, Fingerprint)>,
    },
    /// The content of a key element.
    Key {
        /// The variant that its bytes fit.
        namespace: Namespace,
        /// The content.
        parsed: Box<ParsedKey>,
    },
    /// A public key of 32 bytes, or 33 with its type byte.
    PublicKey(PublicKey),
    /// A session record of the libsignal family.
    Session(Box<SessionRecord>),
    /// A one-time prekey record: holds a private key.
    PreKey(Box<PreKeyRecord>),
    /// A signed prekey record: holds a private key.
    SignedPreKey(Box<SignedPreKeyRecord>),
    /// An identity key pair: holds a private key.
    IdentityKeyPair(Box<IdentityKeyPair>),
}

/// Finds out what some bytes are, if they are a small thing we know.
pub fn recognise(bytes: &[u8]) -> Option<Lone> {
    if bytes.len() > MAX_LONE {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok().map(str::trim);
    if let Some(text) = text {
        if let Some(uri) = uri(text) {
            return Some(uri);
        }
        if let Some(fingerprint) = fingerprint(text) {
            return Some(Lone::Fingerprint(fingerprint));
        }
        let joined: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        if let Ok(decoded) = STANDARD.decode(joined) {
            return binary(&decoded);
        }
        return None;
    }
    binary(bytes)
}

/// 64 hex digits, however they are grouped; 66 with the type byte 05.
fn fingerprint(text: &str) -> Option<Fingerprint> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '\n' | '\r' | '\t' | '-')).collect();
    let bytes = hex::decode(digits).ok()?;
    if !matches!(bytes.len(), 32 | 33) {
        return None;
    }
    PublicKey::from_bytes(&bytes).map(|key| IdentityKey::from_curve(key).fingerprint())
}

fn uri(text: &str) -> Option<Lone> {
    let uri = crate::omemo::uri::parse(text).ok().filter(|uri| !uri.jid.is_empty() && !uri.keys.is_empty())?;
    let devices = uri.keys.into_iter().map(|key| (key.device_id, key.fingerprint)).collect();
    Some(Lone::Uri { jid: uri.jid, devices })
}

fn binary(bytes: &[u8]) -> Option<Lone> {
    if matches!(bytes, [0x05, ..] if bytes.len() == 33) || bytes.len() == 32 {
        return PublicKey::from_bytes(bytes).map(Lone::PublicKey);
    }
    Namespace::ALL
        .into_iter()
        .filter(|n| *n != Namespace::Omemo1) // the same bytes as OMEMO 2
        .find_map(|namespace| {
            let parsed = Box::new(wire::parse(namespace, bytes, false).ok()?);
            Some(Lone::Key { namespace, parsed })
        })
        .or_else(|| record(bytes))
}

/// The records of the libsignal family. Which library wrote one cannot be told from the bytes. The
/// halves of a key pair must belong together: that no other protobuf does by chance.
fn record(bytes: &[u8]) -> Option<Lone> {
    if let Ok(record) = libsignal::signed_prekey(bytes)
        && record.signature.len() == 64
        && record.pair.is_consistent()
    {
        return Some(Lone::SignedPreKey(Box::new(record)));
    }
    if let Ok(record) = libsignal::prekey(bytes)
        && record.pair.is_consistent()
    {
        return Some(Lone::PreKey(Box::new(record)));
    }
    if let Ok(pair) = libsignal::identity_key_pair(bytes)
        && pair.is_consistent()
    {
        return Some(Lone::IdentityKeyPair(Box::new(pair)));
    }
    let record = libsignal::session_record(bytes, Implementation::LibsignalC).ok()?.value;
    (record.current.is_some() || !record.archived.is_empty()).then(|| Lone::Session(Box::new(record)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "b0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a6b7c8d9e2f";

    fn shown(text: &str) -> Option<String> {
        match recognise(text.as_bytes())? {
            Lone::Fingerprint(f) => Some(f.to_string()),
            _ => None,
        }
    }

    #[test]
    fn fingerprints_in_all_spellings() {
        let spaced = HEX.as_bytes().chunks(8).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join(" ");
        for text in [HEX.to_owned(), HEX.to_uppercase(), spaced.clone(), format!("{spaced}\n"), format!("05{HEX}")] {
            assert_eq!(shown(&text).as_deref(), Some(HEX), "{text}");
        }
        assert_eq!(shown(&HEX[2..]), None);
    }

    #[test]
    fn uri_with_two_devices() {
        let text = format!("xmpp:juliet@capulet.lit?omemo-sid-4711={HEX};omemo-sid-31415={HEX}");
        let Some(Lone::Uri { jid, devices }) = recognise(text.as_bytes()) else { panic!("no uri") };
        assert_eq!(jid, "juliet@capulet.lit");
        assert_eq!(devices.iter().map(|d| d.0).collect::<Vec<_>>(), [Some(4711), Some(31415)]);
    }

    /// `PreKeyRecordStructure`: id, public key, private key.
    fn prekey_record(private: [u8; 32], public: [u8; 33]) -> Vec<u8> {
        [&[0x08, 7, 0x12, 33][..], &public, &[0x1a, 32], &private].concat()
    }

    #[test]
    fn a_record_with_its_own_halves_and_not_with_strange_ones() {
        let private = crate::omemo::PrivateKey::from_bytes(&[0x48; 32]).expect("32 bytes");
        let record = prekey_record([0x48; 32], private.public().to_signal());
        assert!(matches!(recognise(&record), Some(Lone::PreKey(r)) if r.id == 7));
        assert!(matches!(recognise(STANDARD.encode(&record).as_bytes()), Some(Lone::PreKey(_))));
        let strange = prekey_record([0x48; 32], PublicKey::new([9; 32]).to_signal());
        assert!(recognise(&strange).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = recognise(&bytes);
            let _ = recognise(STANDARD.encode(&bytes).as_bytes());
        }
    }

    #[test]
    fn other_text_is_nothing() {
        for text in ["", "hello world", "xmpp:a@b", "xmpp:?omemo-sid-1=00", "aGVsbG8="] {
            assert!(recognise(text.as_bytes()).is_none(), "{text}");
        }
    }
}
