//! Stores of omemo 0.5 to 0.14 (python), class `JSONFileStorage`: Poezio up to 0.7's plugin, slixmpp-omemo
//! up to 0.9. A folder with `own_data.json`, `state.json` and a folder for each address, named by its hash.
//!
//! Read in omemo 0.14.0 with omemo-backend-signal 0.3.1; legacy OMEMO only, standard base64 everywhere.

use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data};
use super::json_text;
use super::{OpenOptions, Reading, StoreFormat, python_omemo};
use crate::input::InputError;
use crate::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Device, Place, Problem, ProblemScope, StoredPreKey, StoredSession,
    StoredSignedPreKey, Trust, TrustLevel, When,
};
use crate::omemo::ratchet::SessionRecord;
use crate::omemo::session_record::json::{ByteForm, Node, ShapeError};
use crate::omemo::session_record::python::{self, Surroundings};
use crate::omemo::{IdentityKey, KeyPair, Namespace, PublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The generation before python-omemo 1.0.
pub const PROFILE: ClientProfile =
    ClientProfile { name: "python-omemo before 1.0", namespaces: &[Namespace::Legacy], heartbeat: None, ..python_omemo::PROFILE };

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[data("poezio/omemo/*")];

/// Largest file of such a folder: a session with all 5000 skipped keys has about 1 MiB.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Length of a SHA-256 in base32 with padding.
const HASH_NAME: usize = 56;

fn detect(candidate: &Candidate) -> bool {
    if !candidate.is_folder() {
        return false;
    }
    let has = |name: &str| candidate.entries().iter().any(|path| path.file_name().is_some_and(|n| n == name));
    has("own_data.json") && has("state.json") && {
        let own = parse(&candidate.sibling("own_data.json"));
        own.is_some_and(|own| own.value.get("own_bare_jid").is_some() && own.value.get("own_device_id").is_some())
    }
}

fn parse(path: &Path) -> Option<json_text::JsonText> {
    // A link could lead out of the folder that was named.
    let metadata = path.symlink_metadata().ok()?;
    (metadata.is_file() && metadata.len() <= MAX_FILE).then(|| json_text::read(&std::fs::read(path).ok()?)).flatten()
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let mut reader = Reader { files: Vec::new(), problems: Vec::new() };
    let own_path = candidate.sibling("own_data.json");
    let own = reader.file(&own_path, ProblemScope::OwnKeys).unwrap_or_default();
    let state_path = candidate.sibling("state.json");
    let state = reader.file(&state_path, ProblemScope::OwnKeys).unwrap_or_default();
    let jid = own.get("own_bare_jid").and_then(Value::as_str).and_then(BareJid::as_stored).or_else(|| options.account.clone());
    let own_device_id =
        reader.value(&own_path, ProblemScope::OwnKeys, || Node::new("own_data", &own).field("own_device_id")?.u32());
    let written_by = state.get("version").and_then(Value::as_str);
    let state_file: Arc<Path> = state_path.as_path().into();
    let mut account = Account {
        client: &PROFILE,
        version: written_by.map_or_else(|| "(package omemo 0.5 to 0.14)".into(), |version| format!("(package omemo {version})")),
        jid: jid.clone(),
        own_device_id,
        identity: None,
        devices: Vec::new(),
        sessions: Vec::new(),
        prekeys: Vec::new(),
        signed_prekeys: Vec::new(),
        highest_prekey_id: None,
        place: Place::key(&state_file, "super.super.ik"),
        problems: Vec::new(),
    };
    let bound = reader.own_keys(&state_file, &state, &mut account);
    let known = bound.iter().map(|(jid, _)| jid.clone()).chain(jid).chain(options.account.clone());
    let names: BTreeMap<String, BareJid> = known.map(|jid| (folder_name(&jid), jid)).collect();
    let mut nameless = 0usize;
    for folder in candidate.entries() {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_folder = folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        if name.len() != HASH_NAME || !is_folder {
            continue;
        }
        let jid = names.get(name).cloned().or_else(|| {
            nameless += 1;
            // A name that can belong to nobody (RFC 2606), so that keys and trust are shown all the same.
            BareJid::as_stored(&format!("{}.invalid", name.trim_end_matches('=')))
        });
        if let Some(jid) = jid {
            reader.address(folder, jid, &bound, &mut account);
        }
    }
    if nameless > 0 {
        let whose = if nameless == 1 { "one address is".to_owned() } else { format!("{nameless} addresses are") };
        let says = format!("{whose} stored only as a hash and cannot be named; shown as <hash>.invalid");
        reader.problems.push(Problem { place: Place::whole(&candidate.path().into()), says, scope: ProblemScope::Other });
    }
    let own_device = (account.jid.clone(), account.own_device_id);
    account.devices.retain(|device| (Some(device.jid.clone()), device.device_id) != own_device);
    account.problems = reader.problems;
    Ok(Reading { accounts: vec![account], problems: Vec::new(), files: reader.files })
}

/// `<base32 of SHA-256(bare JID)>`.
fn folder_name(jid: &BareJid) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(jid.as_str());
    let (mut bits, mut count, mut name) = (0u32, 0, String::new());
    for byte in hash.iter().chain([&0]) {
        bits = (bits << 8 | u32::from(*byte)) & 0xfff;
        count += 8;
        while count >= 5 && name.len() < 52 {
            count -= 5;
            name.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
    }
    name + "===="
}

/// Passive sessions whose one-time prekey is kept: address and device.
type Bound = BTreeSet<(BareJid, u32)>;

struct Reader {
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
}

impl Reader {
    /// A file that must be readable if it is there; `null` counts as absent.
    fn file(&mut self, path: &Path, scope: ProblemScope) -> Option<Value> {
        if !path.is_file() {
            return None;
        }
        self.files.push(path.to_path_buf());
        let place = Place::whole(&path.into());
        match parse(path) {
            Some(text) => {
                if let Some(damage) = text.damage {
                    self.problems.push(Problem { place, says: damage.says, scope });
                }
                Some(text.value).filter(|value| !value.is_null())
            }
            None => {
                self.problems.push(Problem { place, says: "nothing in this JSON file can be read".into(), scope });
                None
            }
        }
    }

    fn value<T>(&mut self, path: &Path, scope: ProblemScope, read: impl FnOnce() -> Result<T, ShapeError>) -> Option<T> {
        match read() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(Problem { place: Place::key(&path.into(), error.path), says: error.says, scope });
                None
            }
        }
    }

    fn own_keys(&mut self, file: &Arc<Path>, state: &Value, account: &mut Account) -> Bound {
        let mut bound = Bound::new();
        let inner = state.get("super").unwrap_or(&Value::Null);
        let keys = inner.get("super").unwrap_or(&Value::Null);
        if let Some(x3dh) = self.value(file, ProblemScope::OwnKeys, || python::x3dh(keys)) {
            account.identity = Some(x3dh.identity);
            // 0: the bundle was never asked for yet.
            if let Some(id) = inner.get("spk_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok()) {
                account.signed_prekeys.push(StoredSignedPreKey {
                    id,
                    pair: x3dh.signed_prekey.pair,
                    signature: Some(x3dh.signed_prekey.signature),
                    created: When::from_unix_seconds(x3dh.signed_prekey.created),
                    namespaces: vec![Namespace::Legacy],
                    place: Place::key(file, "super.super.spk"),
                });
            }
            let ids = ids(inner.get("otpk_ids"));
            for pair in x3dh.prekeys.into_iter().chain(x3dh.hidden_prekeys) {
                if let Some(&id) = ids.get(&pair.public) {
                    account.prekeys.push(prekey(file, id, pair, "super.super.otpks"));
                }
            }
        }
        account.highest_prekey_id = inner.get("otpk_id_counter").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        for (jid, devices) in state.get("bound_otpks").and_then(Value::as_object).into_iter().flatten() {
            let Some(jid) = BareJid::as_stored(jid) else { continue };
            for (device, entry) in devices.as_object().into_iter().flatten() {
                bound.extend(device.parse().ok().map(|device| (jid.clone(), device)));
                let id = Node::new("id", entry.get("id").unwrap_or(&Value::Null)).u32();
                let private = Node::new("bound_otpks", entry)
                    .field("otpk")
                    .and_then(|key| key.field("priv")?.private_key(ByteForm::Base64));
                if let (Ok(id), Ok(private)) = (id, private) {
                    account.prekeys.push(prekey(file, id, KeyPair::from_private(private), "bound_otpks"));
                }
            }
        }
        account.prekeys.sort_by_key(|prekey| prekey.id);
        bound
    }

    /// Everything about one address.
    fn address(&mut self, folder: &Path, jid: BareJid, bound: &Bound, account: &mut Account) {
        let active = self.file(&folder.join("active_devices.json"), ProblemScope::Other).unwrap_or_default();
        let inactive = self.file(&folder.join("inactive_devices.json"), ProblemScope::Other).unwrap_or_default();
        let mut devices: BTreeMap<u32, ActivityFacts> = BTreeMap::new();
        for id in active.as_array().into_iter().flatten().filter_map(|id| Node::new("", id).u32().ok()) {
            devices.insert(id, ActivityFacts { listed: Some(true), ..ActivityFacts::default() });
        }
        for (id, since) in inactive.as_object().into_iter().flatten() {
            let Ok(id) = id.parse() else { continue };
            let removed = since.as_f64().and_then(|seconds| When::from_unix_seconds(seconds as i64));
            devices.insert(id, ActivityFacts { listed: Some(false), removed, ..ActivityFacts::default() });
        }
        for path in Candidate::folder(folder).entries() {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let id = name.strip_prefix("session_").or_else(|| name.strip_prefix("trust_"));
            if let Some(id) = id.and_then(|id| id.parse().ok()) {
                devices.entry(id).or_default();
            }
        }
        for (id, activity) in devices {
            self.device(folder, &jid, id, activity, bound, account);
        }
    }

    fn device(&mut self, folder: &Path, jid: &BareJid, id: u32, activity: ActivityFacts, bound: &Bound, account: &mut Account) {
        let trust_path = folder.join(format!("trust_{id}.json"));
        let stored = self.file(&trust_path, ProblemScope::Other);
        let key = stored.as_ref().and_then(|stored| {
            self.value(&trust_path, ProblemScope::Other, || Node::new("trust", stored).field("key")?.public_key(ByteForm::Base64))
        });
        let trust = match stored.as_ref().and_then(|stored| stored.get("trusted")?.as_bool()) {
            Some(true) => Trust { word: "trusted".into(), level: TrustLevel::Trusted },
            Some(false) => Trust { word: "untrusted".into(), level: TrustLevel::Untrusted },
            None => Trust { word: "undecided".into(), level: TrustLevel::Undecided },
        };
        let session_path = folder.join(format!("session_{id}.json"));
        let scope = ProblemScope::Session { jid: jid.clone(), device_id: id };
        let mut remote = None;
        if let Some(value) = self.file(&session_path, scope.clone())
            && let Some(identity) = account.identity.as_ref().map(|pair| pair.public)
        {
            let initiator = bound.contains(&(jid.clone(), id)).then_some(false);
            if let Some(record) = self.value(&session_path, scope, || session(&value, identity, initiator)) {
                remote = record.current.as_ref().map(|session| session.remote_identity);
                let place = Place::whole(&session_path.as_path().into());
                account.sessions.push(StoredSession {
                    jid: jid.clone(),
                    device_id: id,
                    namespace: Namespace::Legacy,
                    record,
                    place,
                });
            }
        }
        account.devices.push(Device {
            trust_place: None,
            jid: jid.clone(),
            device_id: Some(id),
            identity: key.map(IdentityKey::from_curve).or(remote),
            trust,
            activity,
            label: None,
            namespaces: vec![Namespace::Legacy],
            place: Place::whole(&folder.into()),
        });
    }
}

/// `{"super": <ratchet>, "other_ik": <base64>}`.
fn session(value: &Value, local: IdentityKey, initiator: Option<bool>) -> Result<SessionRecord, ShapeError> {
    let node = Node::new("session", value);
    let remote = IdentityKey::from_curve(node.field("other_ik")?.public_key(ByteForm::Base64)?);
    let ratchet = python::double_ratchet(node.field("super")?.value())?;
    Ok(ratchet.into_record(Surroundings {
        namespace: Namespace::Legacy,
        local_identity: local,
        remote_identity: remote,
        initiator,
        confirmed: true,
        key_exchange: None,
        // Stored as ours first, not initiator first; legacy computes it from the identities anyway.
        associated_data: None,
    }))
}

fn ids(map: Option<&Value>) -> BTreeMap<PublicKey, u32> {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    let id = |(key, id): (&String, &Value)| {
        Some((PublicKey::from_bytes(&ByteForm::Base64.decode(key)?)?, u32::try_from(id.as_u64()?).ok()?))
    };
    entries.filter_map(id).collect()
}

fn prekey(file: &Arc<Path>, id: u32, pair: KeyPair, path: &str) -> StoredPreKey {
    StoredPreKey { id, pair, namespaces: vec![Namespace::Legacy], place: Place::key(file, format!("{path}, id {id}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_by_hash() {
        let name = folder_name(&BareJid::as_stored("alice@localhost").expect("an address"));
        assert_eq!(name, "SPCW6RAIZ73G6CUSTLVI4OKA45J4GJ26KYRFQKXDAEHHE55XNFWA====");
        assert_eq!(name.len(), HASH_NAME);
    }
}
