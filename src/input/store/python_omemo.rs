//! Stores of python-omemo 1.x and 2.x with twomemo and oldmemo: slixmpp-omemo bots, Poezio.
//!
//! One flat JSON object per account; the keys are paths like `/devices/<jid>/<id>/active`. The account's
//! own address has no key of its own: it is the owner of the device whose id is `/own_device_id`.
//! Three encodings stand side by side: URL-safe base64 (values), standard base64 (keys of id maps) and
//! texts of one character per byte (models). Read in OMEMO, Twomemo, Oldmemo 2.1.0 and Poezio's plugin 0.9.

use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data, home};
use super::json_text;
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Device, Healing, Label, LabelSignature, Part, Place, PrekeyIds, Problem,
    ProblemScope, Refusals, Remedies, SignedPreKeyRotation, StoredPreKey, StoredSession, StoredSignedPreKey, Trust, TrustLevel,
    TrustRule, When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::session_record::json::{ByteForm, Node, ShapeError};
use crate::omemo::session_record::python::{self, KeyExchange, Surroundings};
use crate::omemo::{IdentityKey, IdentityKeyPair, Namespace, PublicKey};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Namespaces that packages of this family speak; none does `urn:xmpp:omemo:1`.
const NAMESPACES: &[Namespace] = &[Namespace::Legacy, Namespace::Omemo2];

/// Applications that use the library and cannot be told apart by their store.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "python-omemo",
    namespaces: NAMESPACES,
    implementation: Implementation::PythonDoubleRatchet,
    trust_rule: TrustRule {
        refused: &[TrustLevel::Untrusted],
        marks: false,
        says: "python-omemo refuses to decrypt messages of a device whose key is DISTRUSTED",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals { garbage_key: true, exchange_without_prekey: true, ..Refusals::NONE },
    signed_prekey_rotation: Some(SignedPreKeyRotation {
        days: 7,
        kept: "The previous signed prekey is kept for one more period.",
    }),
    unanswered_limit: None,
    heartbeat: Some(53),
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: false,
        says: "python-omemo reports the failure to the program and never replaces a session by itself",
    }),
    remedies: Remedies {
        replace_session: Some(
            "To end and restart a session with python-omemo: let the program call `replace_sessions` for the contact's device",
        ),
        trust_device: Some("With python-omemo, let the program set the trust level of the device's key to TRUSTED"),
        reset: Some("Stop the program with python-omemo and move its OMEMO store file away: the next start makes a new device"),
    },
};

/// slixmpp-omemo: bots and the example client.
pub const SLIXMPP: ClientProfile = ClientProfile { name: "slixmpp-omemo", ..PROFILE };

/// Poezio with its OMEMO plugin.
pub const POEZIO: ClientProfile = ClientProfile {
    name: "Poezio",
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("Answer the trust question that Poezio asks before it encrypts"),
        reset: Some("Quit Poezio and move its file in ~/.local/share/poezio/omemo away: the next start makes a new device"),
    },
    ..PROFILE
};

/// The format.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[data("poezio/omemo"), home("omemo-echo-client.json").only()];

/// Keys of which a store has at least two (a damaged one at least one, in its text).
const CERTAIN_KEYS: [&str; 3] = ["/own_device_id", "/ikp/is_seed", "/ikp/key"];

fn detect(candidate: &Candidate) -> bool {
    if candidate.is_folder() || !candidate.looks_like_json() {
        return false;
    }
    match candidate.json() {
        Some(value) => CERTAIN_KEYS.iter().filter(|key| value.get(**key).is_some()).count() >= 2,
        // Damaged: the keys stand near the beginning, as the first run writes them first.
        None => {
            let head = String::from_utf8_lossy(candidate.head());
            CERTAIN_KEYS.iter().any(|key| head.contains(&format!("\"{key}\"")))
        }
    }
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let file = candidate.place_file();
    let bytes = candidate.bytes().ok_or_else(|| InputError::new(candidate.path(), "the file cannot be read as a whole"))?;
    let text =
        json_text::read(bytes).ok_or_else(|| InputError::new(candidate.path(), "nothing in this JSON file can be read"))?;
    let Some(map) = text.value.as_object() else {
        return Err(InputError::new(candidate.path(), "a JSON object with keys like /own_device_id was expected"));
    };
    let mut account = read_map(file, map, profile(candidate.name(), map), options);
    if let Some(damage) = text.damage {
        let place = Place { file: file.clone(), part: Part::Byte(damage.byte as u64) };
        account.problems.insert(0, Problem { place, says: damage.says, scope: ProblemScope::Store });
    }
    Ok(Reading { accounts: vec![account], ..Reading::default() })
}

/// Poezio names its files by a hash of the account; slixmpp-omemo notes its subscriptions.
fn profile(file_name: &str, map: &Map<String, Value>) -> &'static ClientProfile {
    if file_name.strip_suffix(".json").is_some_and(|stem| ByteForm::Base64Url.decode(stem).is_some_and(|hash| hash.len() == 32)) {
        return &POEZIO;
    }
    if map.keys().any(|key| key.starts_with("/slixmpp/")) { &SLIXMPP } else { &PROFILE }
}

/// Reads the flat map, wherever it was kept.
pub fn read_map(file: &Arc<Path>, map: &Map<String, Value>, client: &'static ClientProfile, options: &OpenOptions) -> Account {
    let mut reader = Reader { file, map, problems: Vec::new() };
    let own_device_id = reader.value("/own_device_id", |node| node.u32());
    if own_device_id.is_none() && !map.contains_key("/own_device_id") {
        reader.problem(
            "/own_device_id",
            "the own device id is missing: the first run was interrupted, or the file is damaged",
            ProblemScope::OwnKeys,
        );
    }
    let identity = reader.identity();
    let mut devices = reader.devices();
    let jid = reader.own_jid(&devices, own_device_id, identity.as_ref(), options);
    let mut account = Account {
        client,
        version: reader.version(),
        jid: jid.clone(),
        own_device_id,
        identity: identity.clone(),
        devices: Vec::new(),
        sessions: Vec::new(),
        prekeys: Vec::new(),
        signed_prekeys: Vec::new(),
        highest_prekey_id: None,
        place: Place::key(file, "/ikp/key"),
        problems: Vec::new(),
    };
    for &namespace in NAMESPACES {
        reader.own_keys(namespace, &mut account);
        reader.sessions(namespace, &mut account, &devices);
    }
    devices.retain(|device| !(Some(&device.jid) == jid.as_ref() && device.device_id == own_device_id));
    account.devices = devices;
    account.problems = reader.problems;
    account
}

struct Reader<'a> {
    file: &'a Arc<Path>,
    map: &'a Map<String, Value>,
    problems: Vec<Problem>,
}

/// Trust, and where it stands, by address and Curve25519 form of the key.
type Decisions = BTreeMap<(BareJid, [u8; 32]), (Trust, Place)>;

impl<'a> Reader<'a> {
    fn problem(&mut self, key: &str, says: impl Into<String>, scope: ProblemScope) {
        self.problems.push(Problem { place: Place::key(self.file, key), says: says.into(), scope });
    }

    /// The value of a key, which may be absent.
    fn node(&self, key: &str) -> Option<Node<'a>> {
        self.map.get(key).map(|value| Node::new(key, value))
    }

    /// The value of a key of our own; a wrong one is a problem with our own keys.
    fn value<T>(&mut self, key: &str, read: impl FnOnce(Node<'a>) -> Result<T, ShapeError>) -> Option<T> {
        match read(self.node(key)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(key, error.to_string(), ProblemScope::OwnKeys);
                None
            }
        }
    }

    fn identity(&mut self) -> Option<IdentityKeyPair> {
        let is_seed = self.value("/ikp/is_seed", |node| node.boolean());
        let secret = self.value("/ikp/key", |node| node.secret::<32>(ByteForm::Base64Url));
        match (secret, is_seed) {
            (Some(secret), Some(true)) => Some(python::identity_from_seed(secret.expose())),
            (Some(secret), Some(false)) => Some(python::identity_from_scalar(secret.expose())),
            _ => {
                // The models hold a copy of the identity key.
                let copy = NAMESPACES.iter().find_map(|ns| python::x3dh(self.map.get(&format!("/{ns}/x3dh"))?).ok());
                self.problem("/ikp/key", "our identity key pair (/ikp/key, /ikp/is_seed) cannot be read", ProblemScope::OwnKeys);
                copy.map(|x3dh| x3dh.identity)
            }
        }
    }

    /// `with oldmemo (legacy) and twomemo (urn:xmpp:omemo:2)`: the major version cannot be told from the store.
    fn version(&self) -> String {
        let with = |namespace: Namespace| self.map.contains_key(&format!("/{namespace}/x3dh"));
        let variants = match (with(Namespace::Legacy), with(Namespace::Omemo2)) {
            (true, true) => " with oldmemo and twomemo",
            (true, false) => " with oldmemo",
            (false, true) => " with twomemo",
            (false, false) => "",
        };
        format!("python-omemo 1.0 or later{variants}")
    }

    /// Every device that has a key of its own or stands on a list.
    fn devices(&mut self) -> Vec<Device> {
        // Addresses as written: they are parts of other keys.
        let mut found: BTreeSet<(&str, u32)> = BTreeSet::new();
        let mut strange = Vec::new();
        for (key, value) in self.map {
            let Some((jid, rest)) = key.strip_prefix("/devices/").and_then(|rest| rest.split_once('/')) else { continue };
            if rest == "list" {
                let ids = Node::new(key.as_str(), value)
                    .list()
                    .and_then(|list| list.iter().map(|id| id.u32()).collect::<Result<Vec<_>, _>>());
                match ids {
                    Ok(ids) => found.extend(ids.into_iter().map(|id| (jid, id))),
                    Err(error) => strange.push((key.clone(), error)),
                }
            } else if let Some(id) = rest.split('/').next().and_then(|id| id.parse().ok()) {
                found.insert((jid, id));
            }
        }
        for (key, error) in strange {
            self.problem(&key, error.to_string(), ProblemScope::Other);
        }
        let trust = self.trust();
        let mut devices: Vec<Device> = found.into_iter().filter_map(|(jid, id)| self.device(jid, id, &trust)).collect();
        devices.extend(self.keys_without_device(&trust, &devices));
        devices
    }

    /// Keys that trust was decided for, but that no device of the address has any more.
    fn keys_without_device(&self, trust: &Decisions, devices: &[Device]) -> Vec<Device> {
        let known = |jid: &BareJid, key: &IdentityKey| devices.iter().any(|d| d.jid == *jid && d.identity.as_ref() == Some(key));
        trust
            .iter()
            .map(|((jid, key), decision)| (jid, IdentityKey::from_curve(PublicKey::new(*key)), decision))
            .filter(|(jid, key, _)| !known(jid, key))
            .map(|(jid, key, (trust, place))| Device {
                jid: jid.clone(),
                device_id: None,
                identity: Some(key),
                trust: trust.clone(),
                activity: ActivityFacts::default(),
                label: None,
                namespaces: Vec::new(),
                place: place.clone(),
                trust_place: None,
            })
            .collect()
    }

    fn device(&mut self, jid: &str, id: u32, trust: &Decisions) -> Option<Device> {
        let path = format!("/devices/{jid}/{id}");
        let jid = BareJid::as_stored(jid)?;
        let mut problems = Vec::new();
        let mut note = |key: &str, error: ShapeError| problems.push((format!("{path}/{key}"), error));
        let identity = match self.node(&format!("{path}/identity_key")).map(|node| edwards_key(&node)) {
            Some(Ok(key)) => Some(key),
            Some(Err(error)) => {
                note("identity_key", error);
                None
            }
            None => None,
        };
        let active = self.node(&format!("{path}/active")).filter(|node| !node.value().is_null());
        let listed = match active.as_ref().map(Node::object) {
            Some(Ok(active)) => Some(active.values().any(|listed| listed.as_bool() == Some(true))),
            Some(Err(error)) => {
                note("active", error);
                None
            }
            None => None,
        };
        let uris = self.node(&format!("{path}/namespaces")).and_then(|node| node.value().as_array());
        let uris = uris.into_iter().flatten().filter_map(Value::as_str);
        let label = self.node(&format!("{path}/label")).and_then(|node| node.value().as_str());
        // Trust hangs on the address and the key; nothing stored means that nobody has decided.
        let decision = identity.and_then(|key| trust.get(&(jid.clone(), *key.curve().as_bytes())).cloned());
        let (trust, trust_place) = match decision {
            Some((trust, place)) => (trust, Some(place)),
            None => (Trust { word: "UNDECIDED".into(), level: TrustLevel::Undecided }, None),
        };
        let device = Device {
            trust,
            trust_place,
            jid,
            device_id: Some(id),
            identity,
            activity: ActivityFacts { listed, ..ActivityFacts::default() },
            // Only labels whose signature verified are stored, the signature itself is not.
            label: label.map(|text| Label { text: text.into(), signature: LabelSignature::Unchecked }),
            namespaces: uris.filter_map(Namespace::from_uri).collect(),
            place: Place::key(self.file, path.as_str()),
        };
        for (key, error) in problems {
            self.problem(&key, error.to_string(), ProblemScope::Other);
        }
        Some(device)
    }

    /// What was decided about keys.
    fn trust(&self) -> Decisions {
        let mut trust = BTreeMap::new();
        for (path, value) in self.map {
            let Some((jid, key)) = path.strip_prefix("/trust/").and_then(|rest| rest.split_once('/')) else { continue };
            let bytes = ByteForm::Base64Url.decode(key).and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
            let identity = bytes.and_then(IdentityKey::from_edwards);
            if let (Some(jid), Some(identity), Some(word)) = (BareJid::as_stored(jid), identity, value.as_str()) {
                let place = Place::key(self.file, path.as_str());
                trust.insert((jid, *identity.curve().as_bytes()), (Trust { word: word.into(), level: trust_level(word) }, place));
            }
        }
        trust
    }

    /// The owner of the device with our id and our key; where that fails, what the file's name or the user says.
    fn own_jid(
        &self,
        devices: &[Device],
        own_id: Option<u32>,
        identity: Option<&IdentityKeyPair>,
        options: &OpenOptions,
    ) -> Option<BareJid> {
        let name = self.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let named =
            |jid: &BareJid| ByteForm::Base64Url.decode(name).is_some_and(|hash| hash[..] == Sha256::digest(jid.as_str())[..]);
        let with_id = || devices.iter().filter(|device| own_id.is_some() && device.device_id == own_id);
        let ours = |device: &&Device| device.identity.is_some() && device.identity.as_ref() == identity.map(|pair| &pair.public);
        let by_name = devices.iter().map(|device| &device.jid).find(|jid| named(jid));
        let by_key = || with_id().find(ours).map(|device| &device.jid);
        // An interrupted first run has the id but not yet the key.
        let by_id = || match with_id().map(|device| &device.jid).collect::<BTreeSet<_>>() {
            owners if owners.len() == 1 => owners.into_iter().next(),
            _ => None,
        };
        by_name.or_else(by_key).or_else(by_id).cloned().or_else(|| options.account.clone())
    }

    fn own_keys(&mut self, namespace: Namespace, account: &mut Account) {
        let key = format!("/{namespace}/x3dh");
        let Some(value) = self.map.get(&key) else { return };
        let x3dh = match python::x3dh(value) {
            Ok(x3dh) => x3dh,
            Err(error) => return self.problem(&key, error.to_string(), ProblemScope::OwnKeys),
        };
        if account.identity.as_ref().is_some_and(|identity| identity.public != x3dh.identity.public) {
            self.problem(&key, "the identity key in this model is another one than /ikp/key", ProblemScope::OwnKeys);
        }
        let signed_ids = self.ids(&format!("/{namespace}/signed_pre_key_ids"));
        let signed = std::iter::once(x3dh.signed_prekey).chain(x3dh.old_signed_prekey);
        for (signed, part) in signed.zip(["signed_pre_key", "old_signed_pre_key"]) {
            let place = Place::key(self.file, format!("{key}.{part}"));
            let Some(&id) = signed_ids.get(&signed.pair.public) else {
                // The map is written apart from the keys; without it nobody can ask for this key.
                self.problem(&key, format!("{part} has no id in /{namespace}/signed_pre_key_ids"), ProblemScope::OwnKeys);
                continue;
            };
            account.signed_prekeys.push(StoredSignedPreKey {
                id,
                pair: signed.pair,
                signature: Some(signed.signature),
                created: When::from_unix_seconds(signed.created),
                namespaces: vec![namespace],
                place,
            });
        }
        let ids = self.ids(&format!("/{namespace}/pre_key_ids"));
        let mut nameless = 0usize;
        for pair in x3dh.prekeys.into_iter().chain(x3dh.hidden_prekeys) {
            match ids.get(&pair.public) {
                Some(&id) => {
                    let place = Place::key(self.file, format!("{key}.pre_keys, id {id}"));
                    account.prekeys.push(StoredPreKey { id, pair, namespaces: vec![namespace], place });
                }
                None => nameless += 1,
            }
        }
        if nameless > 0 {
            let says = format!("{nameless} one-time prekeys have no id in /{namespace}/pre_key_ids");
            self.problem(&key, says, ProblemScope::OwnKeys);
        }
        account.prekeys.sort_by_key(|prekey| prekey.id);
        let counter = self.value(&format!("/{namespace}/pre_key_id_counter"), |node| node.u32());
        account.highest_prekey_id = account.highest_prekey_id.max(counter);
    }

    /// An id map: standard base64 of the public key to its id.
    fn ids(&mut self, key: &str) -> BTreeMap<PublicKey, u32> {
        let entries = self.value(key, |node| {
            let path = node.path().to_owned();
            node.object()?
                .iter()
                .map(|(public, id)| Ok((public.clone(), Node::new(path.as_str(), id).u32()?)))
                .collect::<Result<Vec<_>, _>>()
        });
        let decode = |public: &str| PublicKey::from_bytes(&ByteForm::Base64.decode(public)?);
        entries.into_iter().flatten().filter_map(|(public, id)| Some((decode(&public)?, id))).collect()
    }

    fn sessions(&mut self, namespace: Namespace, account: &mut Account, devices: &[Device]) {
        let prefix = format!("/{namespace}/");
        // Every device of which the namespace keeps anything, also where its ratchet is lost.
        let mut with: BTreeSet<(&str, u32)> = BTreeSet::new();
        for (key, value) in self.map {
            let Some((jid, rest)) = key.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) else { continue };
            match rest.split_once('/') {
                Some((id, _)) => with.extend(id.parse().ok().map(|id| (jid, id))),
                None if rest == "device_ids" => {
                    let ids = value.as_array().into_iter().flatten().filter_map(Value::as_u64);
                    with.extend(ids.filter_map(|id| Some((jid, u32::try_from(id).ok()?))));
                }
                None => {}
            }
        }
        for (jid, device_id) in with {
            let path = format!("{prefix}{jid}/{device_id}");
            let Some(jid) = BareJid::as_stored(jid) else { continue };
            let place = Place::key(self.file, format!("{path}/double_ratchet"));
            let device = devices.iter().find(|device| device.jid == jid && device.device_id == Some(device_id));
            match self.session(namespace, &path, account, device) {
                Ok(record) => account.sessions.push(StoredSession { jid, device_id, namespace, record, place }),
                Err(error) => self.problem(&error.path.clone(), error.says, ProblemScope::Session { jid, device_id }),
            }
        }
    }

    fn session(
        &mut self,
        namespace: Namespace,
        path: &str,
        account: &Account,
        device: Option<&Device>,
    ) -> Result<crate::omemo::ratchet::SessionRecord, ShapeError> {
        let missing =
            |what: &str| ShapeError { path: format!("{path}/{what}"), says: "this part of the session is missing".into() };
        let node = |what: &str| self.node(&format!("{path}/{what}"));
        let form = ByteForm::Base64Url;
        let ratchet = node("double_ratchet").ok_or_else(|| missing("double_ratchet"))?;
        let ratchet = python::double_ratchet(ratchet.value())
            .map_err(|error| ShapeError { path: format!("{path}/{}", error.path), says: error.says })?;
        let initiation = node("initiation").ok_or_else(|| missing("initiation"))?;
        let initiator = match initiation.text()? {
            "ACTIVE" => true,
            "PASSIVE" => false,
            _ => return Err(initiation.error("ACTIVE or PASSIVE was expected")),
        };
        let associated = node("associated_data").ok_or_else(|| missing("associated_data"))?;
        let bytes = associated.bytes(form)?;
        let (first, second) = identities(namespace, &bytes).ok_or_else(|| {
            let length = if namespace.is_legacy() { 66 } else { 64 };
            associated.error(format_args!("two identity keys ({length} bytes) were expected, there are {} bytes", bytes.len()))
        })?;
        let (local, remote) = if initiator { (first, second) } else { (second, first) };
        let number = |what: &str| node(what).map_or(Ok(-1), |node| node.integer());
        let key_exchange = match node("key_exchange/ephemeral_key") {
            Some(key) => KeyExchange::new(
                key.public_key(form)?,
                number("key_exchange/signed_pre_key_id")?,
                number("key_exchange/pre_key_id")?,
            ),
            None => None,
        };
        let confirmed = node("confirmed").map_or(Ok(false), |node| node.boolean())?;
        // The same keys elsewhere in the store carry their Ed25519 form.
        let fuller = |key: IdentityKey, known: Option<IdentityKey>| known.filter(|known| *known == key).unwrap_or(key);
        let around = Surroundings {
            namespace,
            local_identity: fuller(local, account.identity.as_ref().map(|pair| pair.public)),
            remote_identity: fuller(remote, device.and_then(|device| device.identity)),
            initiator: Some(initiator),
            confirmed,
            key_exchange,
            associated_data: Some(bytes.to_vec()),
        };
        if device.and_then(|device| device.identity).is_some_and(|known| known != remote) {
            let says = "the session was made with another identity key than the one stored for this device";
            self.problem(&format!("{path}/associated_data"), says, ProblemScope::Other);
        }
        Ok(ratchet.into_record(around))
    }
}

fn edwards_key(node: &Node<'_>) -> Result<IdentityKey, ShapeError> {
    let bytes = node.secret::<32>(ByteForm::Base64Url)?;
    IdentityKey::from_edwards(*bytes.expose()).ok_or_else(|| node.error("these 32 bytes are no Ed25519 public key"))
}

/// Initiator's and responder's identity keys from associated data.
fn identities(namespace: Namespace, bytes: &[u8]) -> Option<(IdentityKey, IdentityKey)> {
    let length = if namespace.is_legacy() { 33 } else { 32 };
    if bytes.len() != 2 * length {
        return None;
    }
    let (first, second) = bytes.split_at_checked(length)?;
    // A lone record of 33 bytes is Curve25519, of 32 bytes Ed25519: just as it is written here.
    Some((IdentityKey::from_record(first)?, IdentityKey::from_record(second)?))
}

/// Words of slixmpp-omemo and Poezio; other applications may use others.
fn trust_level(word: &str) -> TrustLevel {
    match word {
        "TRUSTED" | "BLINDLY_TRUSTED" => TrustLevel::Trusted,
        "DISTRUSTED" => TrustLevel::Untrusted,
        "UNDECIDED" => TrustLevel::Undecided,
        _ => TrustLevel::Unknown,
    }
}
