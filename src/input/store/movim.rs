//! Movim's keys in the Local Storage of the pod's page.
//!
//! Keys are `<version>.<own jid>.<name>`, values JSON texts. Version 2 (August 2025) left the data of version 1
//! behind: it is dead, and the account has a new device since. Read in Movim's sources (0.20 to after 0.34);
//! legacy OMEMO only.

use super::OpenOptions;
use super::converse::{address_parts, key_pair, session_value};
use super::web_storage::WebStorage;
use crate::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Device, Place, PrekeyIds, Problem, ProblemScope, Refusals, Remedies,
    StoredPreKey, StoredSession, StoredSignedPreKey, Trust, TrustLevel, TrustRule,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::session_record::javascript;
use crate::omemo::session_record::json::{ByteForm, Node, ShapeError};
use crate::omemo::{IdentityKey, IdentityKeyPair, Namespace};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Movim.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Movim",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::JavaScript,
    trust_rule: TrustRule {
        refused: &[],
        marks: false,
        says: "Movim shows messages of every device; a device switched off only gets none",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::Reused,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: None,
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("In Movim, switch the device on in the contact's encryption settings"),
        reset: Some("Clear the site data of the Movim pod in this browser: the next login makes a new device"),
    },
};

/// In the names of its keys.
pub const MARK: &str = ".25519KeypreKey";

/// The suffix of the key that every account has.
const DEVICE_ID: &str = ".registrationId";

/// `(version, own address as written)` of an account's key.
fn account_of(key: &str) -> Option<(u32, &str)> {
    let (version, own) = key.strip_suffix(DEVICE_ID)?.split_once('.')?;
    (!own.is_empty()).then_some((version.parse().ok()?, own))
}

/// Whether a page's storage holds Movim's keys.
pub fn is_in(storage: &WebStorage) -> bool {
    storage
        .local
        .keys()
        .filter_map(|key| account_of(key))
        .any(|(version, own)| storage.local.contains_key(&format!("{version}.{own}.identityKey")))
}

/// Movim's accounts in a page's storage: of each address the newest version.
pub fn accounts(file: &Arc<Path>, storage: &WebStorage, _options: &OpenOptions) -> Vec<Account> {
    let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
    for (version, own) in storage.local.keys().filter_map(|key| account_of(key)) {
        let known = newest.entry(own).or_insert(version);
        *known = version.max(*known);
    }
    newest.into_iter().map(|(own, version)| Reader::new(file, storage, version, own).account(version)).collect()
}

struct Reader<'a> {
    file: &'a Arc<Path>,
    own: BareJidText<'a>,
    /// Names without the account's prefix.
    values: BTreeMap<&'a str, Value>,
    prefix: String,
    problems: Vec<Problem>,
}

/// The own address as the keys spell it.
struct BareJidText<'a>(&'a str);

impl<'a> Reader<'a> {
    fn new(file: &'a Arc<Path>, storage: &'a WebStorage, version: u32, own: &'a str) -> Self {
        let prefix = format!("{version}.{own}.");
        let mut reader = Self { file, own: BareJidText(own), values: BTreeMap::new(), prefix, problems: Vec::new() };
        for (key, text) in &storage.local {
            let Some(name) = key.strip_prefix(&reader.prefix) else { continue };
            match serde_json::from_str(text) {
                Ok(value) => {
                    reader.values.insert(name, value);
                }
                Err(_) => {
                    let scope = scope_of(name);
                    reader.problem(name, "this value is no JSON".into(), scope);
                }
            }
        }
        reader
    }

    fn place(&self, name: &str) -> Place {
        Place::key(self.file, format!("localStorage.{}{name}", self.prefix))
    }

    fn problem(&mut self, name: &str, says: String, scope: ProblemScope) {
        self.problems.push(Problem { place: self.place(name), says, scope });
    }

    fn account(mut self, version: u32) -> Account {
        let own_device_id = self.own("registrationId", |node| node.u32());
        let identity = self
            .own("identityKey", |node| key_pair(&node))
            .map(|pair| IdentityKeyPair { public: IdentityKey::from_curve(pair.public), private: pair.private });
        if identity.as_ref().is_none_or(|identity| !identity.is_consistent()) {
            self.problem(
                "identityKey",
                "our identity key pair is missing or its halves do not belong together".into(),
                ProblemScope::OwnKeys,
            );
        }
        let (sessions, devices) = self.sessions(identity.as_ref());
        let prekeys = self.prekeys();
        Account {
            client: &PROFILE,
            version: match version {
                1 => "storage version 1 (up to 0.31)".into(),
                2 => "storage version 2 (since August 2025)".into(),
                _ => format!("storage version {version}"),
            },
            jid: BareJid::as_stored(self.own.0),
            own_device_id,
            identity,
            devices,
            sessions,
            // The same ids are filled again at every key exchange.
            highest_prekey_id: prekeys.iter().map(|prekey| prekey.id).max(),
            prekeys,
            signed_prekeys: self.signed_prekeys(),
            place: self.place("identityKey"),
            problems: self.problems,
        }
    }

    fn own<T>(&mut self, name: &str, read: impl FnOnce(Node<'_>) -> Result<T, ShapeError>) -> Option<T> {
        match read(Node::new(name, self.values.get(name)?)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, error.to_string(), ProblemScope::OwnKeys);
                None
            }
        }
    }

    fn prekeys(&mut self) -> Vec<StoredPreKey> {
        let mut prekeys = Vec::new();
        let mut wrong = Vec::new();
        for (name, value) in &self.values {
            let Some(id) = name.strip_prefix("25519KeypreKey").and_then(|id| id.parse().ok()) else { continue };
            match key_pair(&Node::new(*name, value)) {
                Ok(pair) => prekeys.push(StoredPreKey { id, pair, namespaces: vec![Namespace::Legacy], place: self.place(name) }),
                Err(error) => wrong.push((*name, error.to_string(), ProblemScope::PreKey(id))),
            }
        }
        for (name, says, scope) in wrong {
            self.problem(name, says, scope);
        }
        prekeys.sort_by_key(|prekey| prekey.id);
        prekeys
    }

    fn signed_prekeys(&mut self) -> Vec<StoredSignedPreKey> {
        let mut found = Vec::new();
        let mut wrong = Vec::new();
        for (name, value) in &self.values {
            let Some(id) = name.strip_prefix("25519KeysignedKey").and_then(|id| id.parse().ok()) else { continue };
            let node = Node::new(*name, value);
            let read = node.field("keyPair").and_then(|pair| key_pair(&pair)).and_then(|pair| {
                let signature = node.optional("signature")?.map(|signature| signature.bytes(ByteForm::Base64)).transpose()?;
                Ok((pair, signature.map(|bytes| bytes.to_vec())))
            });
            match read {
                Ok((pair, signature)) => found.push(StoredSignedPreKey {
                    id,
                    pair,
                    signature,
                    created: None,
                    namespaces: vec![Namespace::Legacy],
                    place: self.place(name),
                }),
                Err(error) => wrong.push((*name, error.to_string(), ProblemScope::SignedPreKey(id))),
            }
        }
        for (name, says, scope) in wrong {
            self.problem(name, says, scope);
        }
        found
    }

    /// Sessions; the devices are known from them alone.
    fn sessions(&mut self, identity: Option<&IdentityKeyPair>) -> (Vec<StoredSession>, Vec<Device>) {
        let (mut sessions, mut devices, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in &self.values {
            let Some((jid, device_id)) = name.strip_prefix("session").and_then(address_parts) else { continue };
            let scope = ProblemScope::Session { jid: jid.clone(), device_id };
            let place = self.place(name);
            let mut device = Device {
                trust_place: None,
                jid: jid.clone(),
                device_id: Some(device_id),
                identity: None,
                trust: Trust::unknown(),
                activity: ActivityFacts::default(),
                label: None,
                namespaces: vec![Namespace::Legacy],
                place: place.clone(),
            };
            let read = match (session_value(value), identity) {
                (Some(value), Some(identity)) => {
                    javascript::session_record(&value, &identity.public, Namespace::Legacy).map_err(|error| error.to_string())
                }
                (None, _) => Err("the session's text is no JSON".into()),
                (_, None) => Err("without our identity key this session cannot be used".into()),
            };
            match read {
                Ok(read) => {
                    wrong.extend(read.problems.iter().map(|problem| (*name, problem.to_string(), scope.clone())));
                    let newest = read.record.current.as_ref().or_else(|| read.record.archived.first());
                    device.identity = newest.map(|session| session.remote_identity);
                    device.trust = trust(read.state);
                    sessions.push(StoredSession { jid, device_id, namespace: Namespace::Legacy, record: read.record, place });
                }
                Err(says) => wrong.push((*name, says, scope)),
            }
            devices.push(device);
        }
        for (name, says, scope) in wrong {
            self.problem(name, says, scope);
        }
        (sessions, devices)
    }
}

/// What an unreadable value concerns.
fn scope_of(name: &str) -> ProblemScope {
    if name == "registrationId" || name == "identityKey" {
        return ProblemScope::OwnKeys;
    }
    if let Some((jid, device_id)) = name.strip_prefix("session").and_then(address_parts) {
        return ProblemScope::Session { jid, device_id };
    }
    let number = |prefix: &str| name.strip_prefix(prefix).and_then(|id| id.parse().ok());
    number("25519KeypreKey")
        .map(ProblemScope::PreKey)
        .or_else(|| number("25519KeysignedKey").map(ProblemScope::SignedPreKey))
        .unwrap_or(ProblemScope::Other)
}

/// Movim has no fingerprints to verify, only a switch per device; absent means on.
fn trust(state: Option<bool>) -> Trust {
    match state {
        Some(false) => Trust { word: "state: false".into(), level: TrustLevel::Untrusted },
        _ => Trust { word: "on".into(), level: TrustLevel::Trusted },
    }
}
