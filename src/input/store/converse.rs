//! Converse's keys in a page's storage.
//!
//! Seen in data of Converse 12 and 14; read in the sources of 4 to 15. Up to version 13 remote identities are
//! kept under a name cut at the first dot and are often empty, so identities are taken from sessions and
//! bundles. The one doubled item `converse.omemosession-<own>-converse.omemosession-<own>` holds the keys.

use super::OpenOptions;
use super::web_storage::WebStorage;
use crate::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Device, Healing, Place, PrekeyIds, Problem, ProblemScope, Refusals, Remedies,
    StoredPreKey, StoredSession, StoredSignedPreKey, Trust, TrustLevel, TrustRule,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::session_record::javascript;
use crate::omemo::session_record::json::{ByteForm, Node, ShapeError};
use crate::omemo::{IdentityKey, IdentityKeyPair, KeyPair, Namespace};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Converse from version 14 on.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Converse",
    namespaces: &[Namespace::Legacy, Namespace::Omemo2],
    implementation: Implementation::JavaScript,
    trust_rule: TrustRule { refused: &[], marks: false, says: "Converse shows messages of every device, also of untrusted ones" },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::Reused,
    shows_edwards: true,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: Some(53),
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: false,
        says: "Converse shows an error in place of the message and repairs nothing by itself",
    }),
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("In Converse, open the contact's details and set the device to trusted under \"OMEMO Fingerprints\""),
        reset: Some("In Converse, open your profile, choose the OMEMO tab and \"Generate new keys and fingerprint\""),
    },
};

/// Converse up to version 13.
pub const PROFILE_UP_TO_13: ClientProfile =
    ClientProfile { namespaces: &[Namespace::Legacy], accepts_changed_identity: true, heartbeat: None, ..PROFILE };

/// In every key of the item that holds the keys.
pub const MARK: &str = "converse.omemosession-";

/// The item with the keys by itself.
pub fn is_key_item(value: &Value) -> bool {
    value.get("identity_keypair").is_some() && value.get("device_id").is_some()
}

/// The items of one account.
struct Items {
    owner: Option<BareJid>,
    /// Where in the file they stand, for places.
    path: String,
    items: BTreeMap<String, Value>,
}

fn items_in(storage: &WebStorage) -> Vec<Items> {
    let mut sets = Vec::new();
    for store in &storage.object_stores {
        if store.items.keys().any(|key| key.contains(MARK)) {
            let path = format!("indexedDB.{}.{}.", store.database, store.name);
            sets.push(Items { owner: BareJid::as_stored(&store.name), path, items: store.items.clone() });
        }
    }
    for (area, entries) in [("localStorage", &storage.local), ("sessionStorage", &storage.session)] {
        // `converse-persistent/<jid>/<item>`, `converse-session/<item>`, and in version 4 the item alone.
        let mut by_prefix: BTreeMap<&str, Items> = BTreeMap::new();
        for (key, text) in entries {
            let Some(at) = key.find("converse.") else { continue };
            let (prefix, item) = key.split_at(at);
            let owner =
                || prefix.trim_end_matches('/').rsplit('/').next().filter(|name| name.contains('@')).and_then(BareJid::as_stored);
            let set = by_prefix.entry(prefix).or_insert_with(|| Items {
                owner: owner(),
                path: format!("{area}.{prefix}"),
                items: BTreeMap::new(),
            });
            set.items.insert(item.to_owned(), serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())));
        }
        sets.extend(by_prefix.into_values().filter(|set| set.items.keys().any(|key| key.contains(MARK))));
    }
    sets
}

/// Whether a page's storage holds Converse's keys.
pub fn is_in(storage: &WebStorage) -> bool {
    !items_in(storage).is_empty()
}

/// Converse's accounts in a page's storage.
pub fn accounts(file: &Arc<Path>, storage: &WebStorage, options: &OpenOptions) -> Vec<Account> {
    items_in(storage).iter().flat_map(|items| account(file, items, options)).collect()
}

/// The own address: the item's name doubles it, so it need not be split at the dashes that it may contain.
fn owner_in(key: &str) -> Option<BareJid> {
    let rest = key.get(key.find(MARK)?..)?;
    let half = rest.len().checked_sub(1)? / 2;
    let (first, second) = (rest.get(..half)?, rest.get(half + 1..)?);
    (first == second).then(|| BareJid::as_stored(first.strip_prefix(MARK)?)).flatten()
}

fn account(file: &Arc<Path>, items: &Items, options: &OpenOptions) -> Option<Account> {
    let (key, value) = items.items.iter().find(|(key, value)| key.contains(MARK) && value.is_object())?;
    let keys = value.as_object()?;
    let jid = owner_in(key).or_else(|| items.owner.clone()).or_else(|| options.account.clone());
    let modern = keys.contains_key("signed_prekey_omemo2") || keys.keys().any(|name| name.starts_with("sessionv2:"));
    let mut reader = Reader { file, path: format!("{}{key}", items.path), keys, modern, problems: Vec::new() };
    let own_device_id = reader.own("device_id", |node| node.u32());
    if own_device_id.is_none() {
        reader.problem(
            "device_id",
            "there is no device id: OMEMO was never set up in this browser".into(),
            ProblemScope::OwnKeys,
        );
    }
    let identity = reader.identity();
    let (sessions, mut remote) = reader.sessions(identity.as_ref());
    let mut devices = reader.devices(items, &mut remote, &sessions);
    devices.retain(|device| !(Some(&device.jid) == jid.as_ref() && device.device_id == own_device_id));
    let prekeys = reader.prekeys();
    Some(Account {
        client: if modern { &PROFILE } else { &PROFILE_UP_TO_13 },
        version: if modern { "14 or later" } else { "13 or earlier" }.into(),
        jid,
        own_device_id,
        identity,
        devices,
        sessions,
        // Used prekeys are made anew with the same id: no id above the highest was ever given out.
        highest_prekey_id: prekeys.iter().map(|prekey| prekey.id).max(),
        prekeys,
        signed_prekeys: reader.signed_prekeys(),
        place: Place::key(file, reader.path.as_str()),
        problems: reader.problems,
    })
}

struct Reader<'a> {
    file: &'a Arc<Path>,
    path: String,
    keys: &'a Map<String, Value>,
    modern: bool,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn place(&self, name: &str) -> Place {
        Place::key(self.file, format!("{}.{name}", self.path))
    }

    fn problem(&mut self, name: &str, says: String, scope: ProblemScope) {
        self.problems.push(Problem { place: self.place(name), says, scope });
    }

    fn own<T>(&mut self, name: &str, read: impl FnOnce(Node<'a>) -> Result<T, ShapeError>) -> Option<T> {
        match read(Node::new(name, self.keys.get(name)?)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, error.to_string(), ProblemScope::OwnKeys);
                None
            }
        }
    }

    fn identity(&mut self) -> Option<IdentityKeyPair> {
        let pair = self.own("identity_keypair", |node| key_pair(&node))?;
        if !pair.is_consistent() {
            self.problem("identity_keypair", "the public key does not belong to the private one".into(), ProblemScope::OwnKeys);
        }
        let public = IdentityKey::from_curve(pair.public);
        // For OMEMO 2 the library converts its key with the sign bit 0.
        let edwards = self.modern.then(|| public.to_edwards(false)).flatten().and_then(IdentityKey::from_edwards);
        Some(IdentityKeyPair { public: edwards.unwrap_or(public), private: pair.private })
    }

    fn prekeys(&mut self) -> Vec<StoredPreKey> {
        let mut prekeys = Vec::new();
        let Some(stored) = self.own("prekeys", |node| node.object()) else { return prekeys };
        for (id, value) in stored {
            let name = format!("prekeys.{id}");
            match (id.parse(), key_pair(&Node::new(name.as_str(), value))) {
                (Ok(id), Ok(pair)) => {
                    prekeys.push(StoredPreKey { id, pair, namespaces: self.namespaces(), place: self.place(&name) });
                }
                (Ok(id), Err(error)) => self.problem(&name, error.to_string(), ProblemScope::PreKey(id)),
                (Err(_), _) => self.problem(&name, "the name of a prekey is not a number".into(), ProblemScope::Other),
            }
        }
        prekeys.sort_by_key(|prekey| prekey.id);
        prekeys
    }

    /// One-time prekeys and the identity serve both variants; signed prekeys one each.
    fn namespaces(&self) -> Vec<Namespace> {
        if self.modern { vec![Namespace::Legacy, Namespace::Omemo2] } else { vec![Namespace::Legacy] }
    }

    fn signed_prekeys(&mut self) -> Vec<StoredSignedPreKey> {
        let variants = [("signed_prekey", Namespace::Legacy), ("signed_prekey_omemo2", Namespace::Omemo2)];
        let read = |(name, namespace): (&str, Namespace)| {
            self.own(name, |node| {
                let signature = node.optional("signature")?.map(|signature| signature.bytes(ByteForm::Base64)).transpose()?;
                Ok((node.field("id")?.u32()?, key_pair(&node)?, signature))
            })
            .map(|(id, pair, signature)| StoredSignedPreKey {
                id,
                pair,
                signature: signature.map(|bytes| bytes.to_vec()),
                created: None,
                namespaces: vec![namespace],
                place: self.place(name),
            })
        };
        variants.into_iter().filter_map(read).collect()
    }

    /// Sessions, and the identities that the full-name attributes (version 14 on) and the sessions know.
    fn sessions(&mut self, identity: Option<&IdentityKeyPair>) -> (Vec<StoredSession>, BTreeMap<(BareJid, u32), IdentityKey>) {
        let mut sessions = Vec::new();
        let mut remote = BTreeMap::new();
        let keys = self.keys;
        for (name, value) in keys {
            if let Some(((jid, id), key)) = identity_attribute(name, value) {
                prefer_edwards(&mut remote, (jid, id), key);
            }
        }
        for (name, value) in keys {
            let Some(rest) = name.strip_prefix("session") else { continue };
            let (namespace, address) = match rest.strip_prefix("v2:") {
                Some(address) => (Namespace::Omemo2, address),
                None => (Namespace::Legacy, rest),
            };
            let Some((jid, device_id)) = address_parts(address) else { continue };
            let scope = ProblemScope::Session { jid: jid.clone(), device_id };
            let Some(identity) = identity else {
                self.problem(name, "without our identity key this session cannot be used".into(), scope);
                continue;
            };
            let session = session_value(value).ok_or_else(|| "the session's text is no JSON".to_owned());
            match session
                .and_then(|value| javascript::session_record(&value, &identity.public, namespace).map_err(|e| e.to_string()))
            {
                Ok(read) => {
                    for problem in read.problems {
                        self.problem(name, problem.to_string(), scope.clone());
                    }
                    // The newest word on the identity is the session's own.
                    if let Some(session) = read.record.current.as_ref().or_else(|| read.record.archived.first()) {
                        remote.insert(
                            (jid.clone(), device_id),
                            prefer(session.remote_identity, remote.get(&(jid.clone(), device_id))),
                        );
                    }
                    sessions.push(StoredSession { jid, device_id, namespace, record: read.record, place: self.place(name) });
                }
                Err(says) => self.problem(name, says, scope),
            }
        }
        (sessions, remote)
    }

    fn devices(
        &mut self,
        items: &Items,
        remote: &mut BTreeMap<(BareJid, u32), IdentityKey>,
        sessions: &[StoredSession],
    ) -> Vec<Device> {
        let mut devices: BTreeMap<(BareJid, u32), Device> = BTreeMap::new();
        let mut bundles = BTreeMap::new();
        for (key, value) in items.items.iter().filter(|(key, value)| key.contains("converse.devicelist-") && value.is_object()) {
            let node = Node::new(format!("{}{key}", items.path), value);
            let parts = node.field("jid").and_then(|jid| Ok((jid.text()?, node.field("id")?.u32()?)));
            let (jid, id) = match parts {
                Ok((jid, id)) => (BareJid::as_stored(jid), id),
                Err(error) => {
                    let place = Place::key(self.file, error.path.as_str());
                    self.problems.push(Problem { place, says: error.says, scope: ProblemScope::Other });
                    continue;
                }
            };
            let Some(jid) = jid else { continue };
            let namespace = value.get("version").and_then(Value::as_str).and_then(Namespace::from_uri);
            let namespace =
                namespace.unwrap_or(if key.ends_with(&format!("-omemo2-{id}")) { Namespace::Omemo2 } else { Namespace::Legacy });
            if let Some(identity) = bundle_identity(value) {
                prefer_edwards(&mut bundles, (jid.clone(), id), identity);
            }
            let place = Place::key(self.file, node.path());
            let device = devices.entry((jid.clone(), id)).or_insert_with(|| Device {
                trust_place: None,
                activity: ActivityFacts { listed: None, ..ActivityFacts::default() },
                trust: trust(value.get("trusted")),
                ..empty_device(jid, id, place)
            });
            if !device.namespaces.contains(&namespace) {
                device.namespaces.push(namespace);
            }
            if let Some(active) = value.get("active").and_then(Value::as_bool) {
                device.activity.listed = Some(device.activity.listed == Some(true) || active);
            }
            // Each variant keeps a trust of its own; a refusal in one is what a person must see.
            let trust = trust(value.get("trusted"));
            if trust.level == TrustLevel::Untrusted || device.trust.level == TrustLevel::Unknown {
                device.trust = trust;
            }
        }
        for session in sessions {
            let key = (session.jid.clone(), session.device_id);
            let device = devices.entry(key).or_insert_with_key(|(jid, id)| empty_device(jid.clone(), *id, session.place.clone()));
            if !device.namespaces.contains(&session.namespace) {
                device.namespaces.push(session.namespace);
            }
        }
        for (key, identity) in bundles {
            let better = remote.get(&key).map_or(identity, |known| prefer(*known, Some(&identity)));
            remote.insert(key, better);
        }
        for (key, device) in &mut devices {
            device.identity = remote.get(key).copied();
            device.namespaces.sort();
        }
        devices.into_values().collect()
    }
}

fn empty_device(jid: BareJid, id: u32, place: Place) -> Device {
    Device {
        trust_place: None,
        jid,
        device_id: Some(id),
        identity: None,
        trust: Trust::unknown(),
        activity: ActivityFacts::default(),
        label: None,
        namespaces: Vec::new(),
        place,
    }
}

/// The same key with its Ed25519 form, if the other knows it.
fn prefer(key: IdentityKey, other: Option<&IdentityKey>) -> IdentityKey {
    match other {
        Some(other) if *other == key && key.edwards().is_none() => *other,
        _ => key,
    }
}

fn prefer_edwards(map: &mut BTreeMap<(BareJid, u32), IdentityKey>, at: (BareJid, u32), key: IdentityKey) {
    let better = prefer(key, map.get(&at));
    map.insert(at, better);
}

/// `identity_key<jid>.<id>` and `identity_keyv2:<jid>.<id>` of version 14 on. Before, the name has no device
/// id and the value is often wrong or empty: those are left out.
fn identity_attribute(name: &str, value: &Value) -> Option<((BareJid, u32), IdentityKey)> {
    let rest = name.strip_prefix("identity_key")?;
    let at = address_parts(rest.strip_prefix("v2:").unwrap_or(rest))?;
    Some((at, IdentityKey::from_record(&ByteForm::Base64.decode(value.as_str()?)?)?))
}

/// In a bundle 33 bytes are the Curve25519 form (legacy), 32 the Ed25519 form (OMEMO 2).
fn bundle_identity(device: &Value) -> Option<IdentityKey> {
    IdentityKey::from_record(&ByteForm::Base64.decode(device.get("bundle")?.get("identity_key")?.as_str()?)?)
}

/// `<jid>.<device id>`, split at the last dot.
pub fn address_parts(address: &str) -> Option<(BareJid, u32)> {
    let (jid, id) = address.rsplit_once('.')?;
    Some((BareJid::as_stored(jid)?, id.parse().ok()?))
}

/// A session record is a JSON text in JSON; some exports have parsed it.
pub fn session_value(value: &Value) -> Option<Value> {
    match value.as_str() {
        Some(text) => serde_json::from_str(text).ok(),
        None => value.is_object().then(|| value.clone()),
    }
}

/// `{privKey, pubKey}` in base64.
pub fn key_pair(node: &Node<'_>) -> Result<KeyPair, ShapeError> {
    Ok(KeyPair {
        public: node.field("pubKey")?.public_key(ByteForm::Base64)?,
        private: node.field("privKey")?.private_key(ByteForm::Base64)?,
    })
}

fn trust(value: Option<&Value>) -> Trust {
    let (word, level) = match value.and_then(Value::as_i64) {
        // Shown and treated as trusted until the user decides.
        Some(0) => ("UNDECIDED", TrustLevel::Undecided),
        Some(1) => ("TRUSTED", TrustLevel::Trusted),
        Some(-1) => ("UNTRUSTED", TrustLevel::Untrusted),
        _ => return Trust::unknown(),
    };
    Trust { word: word.into(), level }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_address_may_contain_dashes() {
        let key = "converse.omemosession-a-b@c-d.org-converse.omemosession-a-b@c-d.org";
        assert_eq!(owner_in(key), BareJid::as_stored("a-b@c-d.org"));
        assert_eq!(owner_in("converse.omemosession-"), None);
        assert_eq!(owner_in("x"), None);
    }

    #[test]
    fn addresses_are_split_at_the_last_dot() {
        assert_eq!(address_parts("bob@example.org.12261"), BareJid::as_stored("bob@example.org").map(|jid| (jid, 12261)));
        assert_eq!(address_parts("bob@example"), None);
    }
}
