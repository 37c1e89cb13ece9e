//! Reading `fixtures/vectors`: see `fixtures/README.md` for where they come from.
#![allow(dead_code)] // Each test binary uses a part of this.
#![allow(clippy::unwrap_used)] // A test may panic.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use omemoscope::omemo::ratchet::{Implementation, SessionRecord};
use omemoscope::omemo::session_record::json::ByteForm;
use omemoscope::omemo::session_record::python::{self, KeyExchange, Surroundings};
use omemoscope::omemo::session_record::{Parsed, libsignal};
use omemoscope::omemo::{IdentityKey, IdentityKeyPair, KeyPair, Namespace, PrivateKey, PublicKey};
use serde_json::Value;

/// One file of the fixtures.
pub fn load(name: &str) -> Value {
    let path = format!("{}/fixtures/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is a string"))
}

pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is an array"))
}

pub fn number(value: &Value, name: &str) -> u32 {
    u32::try_from(value[name].as_u64().unwrap()).unwrap()
}

pub fn unhex(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(value, name)).unwrap()
}

pub fn array<const N: usize>(value: &Value, name: &str) -> [u8; N] {
    unhex(value, name).try_into().unwrap()
}

pub fn public(value: &Value, name: &str) -> PublicKey {
    PublicKey::new(array(value, name))
}

pub fn private(value: &Value, name: &str) -> PrivateKey {
    PrivateKey::from_bytes(&unhex(value, name)).unwrap()
}

pub fn urlsafe(value: &Value, name: &str) -> Vec<u8> {
    URL_SAFE.decode(text(value, name)).unwrap()
}

pub fn namespace(variant: &str) -> Namespace {
    match variant {
        "legacy" => Namespace::Legacy,
        "omemo2" => Namespace::Omemo2,
        uri => Namespace::from_uri(uri).unwrap(),
    }
}

/// One end of a conversation.
pub struct Party<'a> {
    pub value: &'a Value,
    pub namespace: Namespace,
}

impl Party<'_> {
    pub fn identity(&self) -> IdentityKey {
        IdentityKey::from_edwards(array(self.value, "identity_ed25519")).unwrap()
    }

    pub fn identity_pair(&self) -> IdentityKeyPair {
        IdentityKeyPair { public: self.identity(), private: private(self.value, "identity_private") }
    }

    pub fn is_python(&self) -> bool {
        text(self.value, "store") == "python-omemo-json"
    }

    pub fn implementation(&self) -> Implementation {
        match text(self.value, "implementation") {
            name if name.starts_with("omemo-dr") => Implementation::PythonAxolotl,
            name if name.contains("doubleratchet") => Implementation::PythonDoubleRatchet,
            _ => Implementation::LibsignalC,
        }
    }

    /// A session as the party's store holds it; `None` where it holds none.
    pub fn session(&self, stored: &Value, peer: &Party<'_>) -> Option<SessionRecord> {
        let parsed = match stored {
            Value::Null => return None,
            Value::String(record) => libsignal::session_record(&hex::decode(record).unwrap(), self.implementation()).unwrap(),
            stored => {
                let around = Surroundings {
                    namespace: self.namespace,
                    local_identity: self.identity(),
                    remote_identity: peer.identity(),
                    initiator: Some(text(stored, "initiation") == "ACTIVE"),
                    confirmed: stored["confirmed"].as_bool().unwrap(),
                    associated_data: Some(urlsafe(stored, "associated_data")),
                    key_exchange: KeyExchange::new(
                        PublicKey::from_bytes(&urlsafe(stored, "key_exchange/ephemeral_key")).unwrap(),
                        stored["key_exchange/signed_pre_key_id"].as_i64().unwrap(),
                        stored["key_exchange/pre_key_id"].as_i64().unwrap(),
                    ),
                };
                Parsed::clean(python::double_ratchet(&stored["double_ratchet"]).unwrap().into_record(around))
            }
        };
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        Some(parsed.value)
    }

    /// The private half of a one-time prekey that the party still has at this step.
    pub fn prekey(&self, step: &Value, id: u32) -> Option<KeyPair> {
        if self.is_python() {
            let x3dh = &step["receiver_x3dh_before"];
            return python_pair(&entry(x3dh, "pre_key_ids")?, list(&entry(x3dh, "x3dh")?, "pre_keys"), id);
        }
        let there = list(step, "pre_key_ids_before").iter().any(|known| *known == id);
        there.then(|| {
            let record = libsignal::prekey(&unhex(&self.value["pre_key_records"], &id.to_string())).unwrap();
            assert_eq!(record.id, id);
            assert!(record.pair.is_consistent());
            record.pair
        })
    }

    /// The private half of a signed prekey that the party still has at this step.
    pub fn signed_prekey(&self, step: &Value, id: u32) -> Option<KeyPair> {
        if self.is_python() {
            let x3dh = &step["receiver_x3dh_before"];
            let model = entry(x3dh, "x3dh")?;
            let keys: Vec<Value> =
                ["signed_pre_key", "old_signed_pre_key"].iter().map(|name| model[*name]["priv"].clone()).collect();
            return python_pair(&entry(x3dh, "signed_pre_key_ids")?, &keys, id);
        }
        let there = list(step, "signed_pre_key_ids_before").iter().any(|known| *known == id);
        there.then(|| {
            let record = libsignal::signed_prekey(&unhex(&self.value["signed_pre_key_records"], &id.to_string())).unwrap();
            assert_eq!(record.id, id);
            assert_eq!(record.signature.len(), 64);
            assert!(record.pair.is_consistent());
            record.pair
        })
    }
}

/// Entries stand under their last name, sometimes with their path.
fn entry(entries: &Value, name: &str) -> Option<Value> {
    entries.as_object()?.iter().find(|(key, _)| key.rsplit('/').next() == Some(name)).map(|(_, value)| value.clone())
}

/// python-omemo keeps ids beside public keys, and private keys without either.
fn python_pair(ids: &Value, privates: &[Value], id: u32) -> Option<KeyPair> {
    let (wanted, _) = ids.as_object()?.iter().find(|(_, known)| **known == id)?;
    let wanted = STANDARD.decode(wanted).unwrap();
    privates.iter().filter_map(Value::as_str).find_map(|key| {
        let pair = KeyPair::from_private(PrivateKey::from_bytes(&ByteForm::Binary.decode(key)?)?);
        (pair.public.as_bytes().as_slice() == wanted).then_some(pair)
    })
}
