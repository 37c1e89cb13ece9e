//! Bundles: a device's published keys.

use super::{Fault, MAX_ID, base64, number, shorten};
use crate::omemo::Namespace;
use crate::omemo::curve::{PublicKey, SIGNAL_KEY_TYPE};
use crate::omemo::identity::IdentityKey;
use crate::omemo::xml::Element;

/// Fewest one-time prekeys: XEP-0384 0.3.0 asks for 20, 0.4.0 and later for 25.
const LEGACY_FEWEST_PREKEYS: usize = 20;
/// See [`LEGACY_FEWEST_PREKEYS`].
const FEWEST_PREKEYS: usize = 25;
/// Length of all signatures in bundles.
const SIGNATURE_LENGTH: usize = 64;

/// A bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The variant.
    pub namespace: Namespace,
    /// Identity key. In omemo:1 before XEP-0384 0.5.0 it was sent in the Curve25519 form, which cannot
    /// always be told from the Ed25519 form: it is read as Ed25519 if it can be, and the signature of
    /// the signed prekey decides.
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

/// What the parts of a bundle are called.
struct Names {
    identity_key: &'static str,
    signed_prekey: &'static str,
    signed_prekey_id: &'static str,
    signature: &'static str,
    prekey: &'static str,
    prekey_id: &'static str,
}

const LEGACY: Names = Names {
    identity_key: "identityKey",
    signed_prekey: "signedPreKeyPublic",
    signed_prekey_id: "signedPreKeyId",
    signature: "signedPreKeySignature",
    prekey: "preKeyPublic",
    prekey_id: "preKeyId",
};

const OMEMO: Names =
    Names { identity_key: "ik", signed_prekey: "spk", signed_prekey_id: "id", signature: "spks", prekey: "pk", prekey_id: "id" };

impl Bundle {
    /// Reads the element; `None` if it is not a bundle of a known variant.
    pub fn from_element(element: &Element) -> Option<Self> {
        let namespace = Namespace::from_uri(&element.namespace).filter(|_| element.name == "bundle")?;
        let names = if namespace.is_legacy() { &LEGACY } else { &OMEMO };
        let mut this = Self {
            namespace,
            identity_key: None,
            signed_prekey_id: None,
            signed_prekey: None,
            signature: None,
            prekeys: Vec::new(),
            faults: Vec::new(),
        };
        if let Some(bytes) = this.part(element, names.identity_key).and_then(|(_, text)| this.decode(&text, names.identity_key)) {
            this.identity_key = this.identity(&bytes, names.identity_key);
        }
        if let Some((signed, text)) = this.part(element, names.signed_prekey) {
            let place = format!("{}/@{}", names.signed_prekey, names.signed_prekey_id);
            this.signed_prekey_id = this.id(signed.attribute(names.signed_prekey_id), &place);
            this.signed_prekey =
                this.decode(&text, names.signed_prekey).and_then(|bytes| this.public_key(&bytes, names.signed_prekey));
        }
        if let Some((_, text)) = this.part(element, names.signature) {
            this.signature = this.decode(&text, names.signature);
            if let Some(length) = this.signature.as_ref().map(Vec::len).filter(|l| *l != SIGNATURE_LENGTH) {
                this.faults.push(Fault::fatal(names.signature, format!("{length} bytes long, expected {SIGNATURE_LENGTH}")));
            }
        }
        this.prekeys(element, names);
        // Whatever else makes a bundle useless is a missing or unreadable part of it.
        this.faults.iter_mut().filter(|f| f.fatal && f.rule.is_none()).for_each(|f| f.rule = Some("BND-1"));
        Some(this)
    }

    /// The child and its text; a missing one is a fault (BND-1).
    fn part<'a>(&mut self, element: &'a Element, name: &str) -> Option<(&'a Element, String)> {
        let found = element.child(name, self.namespace.uri());
        if found.is_none() {
            self.faults.push(Fault::fatal(name, "missing, nobody can start a session without it"));
        }
        found.map(|e| (e, e.text()))
    }

    fn decode(&mut self, text: &str, place: &str) -> Option<Vec<u8>> {
        base64::decode(text, place, &mut self.faults)
    }

    fn id(&mut self, value: Option<&str>, place: &str) -> Option<u32> {
        let text = value.unwrap_or_default();
        let id = number(text).and_then(|id| u32::try_from(id).ok());
        match id {
            None => {
                let says = format!("the id is \u{201c}{}\u{201d}, expected a number from 1 to {MAX_ID}", shorten(text));
                self.faults.push(Fault::fatal(place, says).breaks("BND-3"));
            }
            Some(id) if !(1..=MAX_ID).contains(&id) => {
                self.faults.push(
                    Fault::odd(place, format!("the id is {id}, expected 1 to {MAX_ID}; some clients refuse it")).breaks("BND-3"),
                );
            }
            Some(_) => {}
        }
        id
    }

    fn identity(&mut self, bytes: &[u8], place: &str) -> Option<IdentityKey> {
        if self.namespace.is_legacy() {
            return self.public_key(bytes, place).map(IdentityKey::from_curve);
        }
        if let Ok(edwards) = <[u8; 32]>::try_from(bytes) {
            if let Some(key) = IdentityKey::from_edwards(edwards) {
                return Some(key);
            }
            if self.namespace == Namespace::Omemo1 {
                self.faults.push(Fault::odd(place, "in the Curve25519 form, as before XEP-0384 0.5.0"));
                return Some(IdentityKey::from_curve(PublicKey::new(edwards)));
            }
            self.faults.push(Fault::fatal(place, "no point of the curve, expected an Ed25519 key"));
            return None;
        }
        let key = self.public_key(bytes, place)?;
        Some(IdentityKey::from_curve(key))
    }

    /// 33 bytes with the type byte in legacy, 32 bytes later; the other form is odd.
    fn public_key(&mut self, bytes: &[u8], place: &str) -> Option<PublicKey> {
        let expected = if self.namespace.is_legacy() { 33 } else { 32 };
        let Some(key) = PublicKey::from_bytes(bytes) else {
            let says = match bytes.first() {
                Some(first) if bytes.len() == 33 && *first != SIGNAL_KEY_TYPE => format!("the type byte is {first}, expected 5"),
                _ => format!("{} bytes long, expected {expected}", bytes.len()),
            };
            self.faults.push(Fault::fatal(place, says));
            return None;
        };
        if bytes.len() != expected {
            self.faults.push(Fault::odd(place, format!("{} bytes long, expected {expected}", bytes.len())));
        }
        Some(key)
    }

    fn prekeys(&mut self, element: &Element, names: &Names) {
        let uri = self.namespace.uri();
        let Some(list) = element.child("prekeys", uri) else {
            self.faults.push(Fault::fatal("prekeys", "missing, expected one-time prekeys").breaks("BND-2"));
            return;
        };
        let mut seen = std::collections::HashSet::new();
        for (index, prekey) in list.elements().filter(|e| e.is(names.prekey, uri)).enumerate() {
            let place = format!("prekeys/{}[{}]", names.prekey, index + 1);
            // One bad prekey does not spoil the bundle: a sender picks another.
            let before = self.faults.len();
            let id = self.id(prekey.attribute(names.prekey_id), &format!("{place}/@{}", names.prekey_id));
            let place = id.map_or_else(|| place.clone(), |id| format!("{place}, id {id}"));
            let key = self.decode(&prekey.text(), &place).and_then(|bytes| self.public_key(&bytes, &place));
            self.faults[before..].iter_mut().for_each(|f| f.fatal = false);
            if let (Some(id), Some(key)) = (id, key) {
                if !seen.insert(id) {
                    self.faults.push(Fault::odd(&place, format!("prekey {id} is there twice")).breaks("BND-3"));
                }
                self.prekeys.push((id, key));
            }
        }
        let fewest = if self.namespace.is_legacy() { LEGACY_FEWEST_PREKEYS } else { FEWEST_PREKEYS };
        if self.prekeys.is_empty() {
            self.faults.push(Fault::fatal("prekeys", "there is no usable one-time prekey").breaks("BND-2"));
        } else if self.prekeys.len() < fewest {
            let says = format!("{} one-time prekeys, at least {fewest} are expected", self.prekeys.len());
            self.faults.push(Fault::odd("prekeys", says).breaks("BND-2"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine;
    use ::base64::engine::general_purpose::STANDARD;

    fn bundle(key: usize, prekeys: usize, extra: &str) -> String {
        let b = |n: usize| {
            let mut bytes = vec![9u8; n];
            if n == 33 {
                bytes[0] = SIGNAL_KEY_TYPE;
            }
            STANDARD.encode(bytes)
        };
        let pks: String = (1..=prekeys).map(|i| format!("<preKeyPublic preKeyId='{i}'>{}</preKeyPublic>", b(33))).collect();
        format!(
            "<bundle xmlns='eu.siacs.conversations.axolotl'><signedPreKeyPublic signedPreKeyId='1'>{}</signedPreKeyPublic><signedPreKeySignature>{}</signedPreKeySignature><identityKey>{}</identityKey><prekeys>{pks}{extra}</prekeys></bundle>",
            b(33),
            b(64),
            b(key)
        )
    }

    fn read(xml: &str) -> Bundle {
        Bundle::from_element(&Element::parse(xml).expect("well-formed")).expect("a bundle")
    }

    #[test]
    fn legacy_bundle() {
        let b = read(&bundle(33, 20, ""));
        assert_eq!(b.faults, []);
        assert_eq!((b.signed_prekey_id, b.prekeys.len(), b.signature.as_ref().map(Vec::len)), (Some(1), 20, Some(64)));
        assert!(b.identity_key.is_some() && b.signed_prekey.is_some());
    }

    #[test]
    fn rules() {
        let places = |xml: &str| read(xml).faults.into_iter().map(|f| (f.fatal, f.place)).collect::<Vec<_>>();
        assert_eq!(places(&bundle(33, 19, "")), [(false, "prekeys".into())]);
        assert_eq!(places(&bundle(32, 20, "")), [(false, "identityKey".into())]);
        assert_eq!(places(&bundle(31, 20, "")), [(true, "identityKey".into())]);
        assert_eq!(places(&bundle(33, 20, "<preKeyPublic preKeyId='x'>AA==</preKeyPublic>")).iter().filter(|f| f.0).count(), 0);
        assert_eq!(places("<bundle xmlns='urn:xmpp:omemo:2'/>").iter().filter(|f| f.0).count(), 4);
    }
}
