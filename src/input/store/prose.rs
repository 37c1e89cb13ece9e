//! Prose: the SQLite file `ProseDB.sqlite` of native builds, the IndexedDB database `ProseDB` of web builds.
//!
//! Source: prose-im/prose-core-client @197d18d4; no file of a running client was seen. Every collection is
//! a table (or object store) of JSON values; bytes are lists of numbers.

use super::account::AccountBuilder;
use super::candidate::Candidate;
use super::web_storage::WebStorage;
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    Account, BareJid, ClientProfile, Healing, Place, PrekeyIds, ProblemScope, Refusals, Remedies, Trust, TrustLevel, TrustRule,
    When,
};
use crate::omemo::curve::{KeyPair, PrivateKey, PublicKey};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Prose, native builds (Rust libsignal).
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Prose",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::Rust,
    trust_rule: TrustRule { refused: &[], marks: false, says: "Prose shows messages whatever the trust in their device" },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: true,
        builds_missing: true,
        says: "Prose marks the session as broken after any key that does not decrypt and begins a new one with an empty message",
    }),
    remedies: Remedies { replace_session: None, trust_device: None, reset: None },
};

/// Prose in the browser (JavaScript libsignal).
pub const PROFILE_WEB: ClientProfile = ClientProfile { implementation: Implementation::JavaScript, ..PROFILE };

/// How the native store is recognised and read. The application chooses the folder.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: &[], read };

/// The collection that every store has.
pub const MARK: &str = "omemo_local_device";
const COLLECTIONS: [&str; 5] = [MARK, "omemo_signed_pre_key", "omemo_pre_key", "omemo_session_record", "omemo_user_device"];

/// Collection to key to value.
type Collections = BTreeMap<&'static str, BTreeMap<String, Value>>;

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| database.has(MARK, &["key", "data"]))
}

fn read(candidate: &Candidate, _options: &OpenOptions) -> Result<Reading, InputError> {
    let Some(database) = candidate.database() else {
        return Err(InputError::new(candidate.path(), "no readable SQLite database"));
    };
    let mut collections = Collections::new();
    for name in COLLECTIONS {
        for row in database.rows(name, &["key", "data"]) {
            let value = row.text("data").and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
            collections.entry(name).or_default().insert(row.text("key").unwrap_or("?").to_owned(), value);
        }
    }
    Ok(Reading { accounts: read_accounts(database.file(), &collections, &PROFILE), ..Reading::default() })
}

/// Whether a page's storage holds Prose's keys.
pub fn is_in(storage: &WebStorage) -> bool {
    storage.object_stores.iter().any(|store| store.name == MARK)
}

/// Prose's accounts in a page's storage.
pub fn accounts(file: &Arc<Path>, storage: &WebStorage, _options: &OpenOptions) -> Vec<Account> {
    let mut collections = Collections::new();
    for store in &storage.object_stores {
        if let Some(name) = COLLECTIONS.into_iter().find(|name| *name == store.name) {
            collections.entry(name).or_default().extend(store.items.clone());
        }
    }
    read_accounts(file, &collections, &PROFILE_WEB)
}

fn read_accounts(file: &Arc<Path>, collections: &Collections, profile: &'static ClientProfile) -> Vec<Account> {
    let devices = collections.get(MARK).into_iter().flatten();
    devices.map(|(key, value)| Reader { file, collections, account: key }.read(value, profile)).collect()
}

struct Reader<'a> {
    file: &'a Arc<Path>,
    collections: &'a Collections,
    account: &'a str,
}

impl<'a> Reader<'a> {
    fn place(&self, collection: &str, key: &str) -> Place {
        Place::row(self.file, collection, key)
    }

    /// The account's entries of a collection.
    fn entries(&self, collection: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        let account = self.account;
        let entries = self.collections.get(collection).into_iter().flatten();
        // `<account>.<...>`; the value says it too where the address could be the start of another one.
        entries.filter(move |(key, value)| match value.get("account").and_then(Value::as_str) {
            Some(owner) => owner == account,
            None => key.strip_prefix(account).is_some_and(|rest| rest.starts_with('.')),
        })
    }

    fn read(&self, own: &Value, profile: &'static ClientProfile) -> Account {
        let place = self.place(MARK, self.account);
        let mut builder = AccountBuilder::new(profile, "", place.clone());
        builder.account().jid = BareJid::as_stored(self.account);
        builder.own_device_id(number(own.get("device_id")), place.clone());
        let pair = own.get("identity_key_pair");
        let part = |name: &str| pair.and_then(|pair| bytes(pair.get(name)?));
        let (public, private) = (part("identity_key"), part("private_key"));
        builder.identity(public.as_ref().map(|key| key.as_slice()), private.as_ref().map(|key| key.as_slice()), place);
        for (key, value) in self.entries("omemo_pre_key") {
            let place = self.place("omemo_pre_key", key);
            match (number(value.get("pre_key_id")), key_pair(value)) {
                (Some(id), Some(pair)) => builder.prekey_pair(id, pair, place),
                (id, _) => builder.problem(place, ProblemScope::PreKey(id.unwrap_or_default()), "this prekey cannot be read"),
            }
        }
        for (key, value) in self.entries("omemo_signed_pre_key") {
            let place = self.place("omemo_signed_pre_key", key);
            let signature = value.get("signature").and_then(bytes).map(|bytes| bytes.to_vec());
            // Web builds write 0.
            let created =
                value.get("timestamp").and_then(Value::as_i64).filter(|time| *time > 0).and_then(When::from_unix_millis);
            match (number(value.get("pre_key_id")), key_pair(value)) {
                (Some(id), Some(pair)) => builder.signed_prekey_pair(id, pair, signature, created, place),
                (id, _) => {
                    builder.problem(
                        place,
                        ProblemScope::SignedPreKey(id.unwrap_or_default()),
                        "this signed prekey cannot be read",
                    );
                }
            }
        }
        for (key, value) in self.entries("omemo_session_record") {
            self.session(key, value, &mut builder);
        }
        self.listed_only(&mut builder);
        builder.finish()
    }

    fn session(&self, key: &str, value: &Value, builder: &mut AccountBuilder) {
        let place = self.place("omemo_session_record", key);
        let at = value.get("user_id").and_then(Value::as_str).and_then(BareJid::as_stored).zip(number(value.get("device_id")));
        let Some((jid, device_id)) = at else {
            return builder.problem(place, ProblemScope::Other, "this entry names no address and device");
        };
        let stored = value.get("identity").and_then(bytes).and_then(|key| IdentityKey::from_record(&key));
        let record = value.get("data").and_then(bytes);
        let remote = match record.as_ref().map(|record| record.as_slice()) {
            None | Some([]) => None,
            Some(record @ [b'{', ..]) => self.web_session(&jid, device_id, record, place.clone(), builder),
            Some(record) => builder.session(&jid, device_id, Some(record), place.clone()),
        };
        let word = value.get("trust").and_then(Value::as_str).unwrap_or("unknown");
        let trust = Trust { word: word.into(), level: trust_level(word) };
        let device = builder.device(jid, Some(device_id), stored.or(remote), trust, place);
        device.activity.listed = value.get("is_active").and_then(Value::as_bool);
    }

    /// In web builds the record is the text of a JavaScript session, in UTF-8.
    fn web_session(
        &self,
        jid: &BareJid,
        id: u32,
        record: &[u8],
        place: Place,
        builder: &mut AccountBuilder,
    ) -> Option<IdentityKey> {
        let record = serde_json::from_slice(record).map_err(|_| "the session's text is no JSON".to_owned());
        builder.javascript_session(jid, id, record, place)
    }

    /// Devices on the server's list that have no entry of their own yet, and everyone's labels.
    fn listed_only(&self, builder: &mut AccountBuilder) {
        for (key, value) in self.entries("omemo_user_device") {
            // `<account>.<jid>.<device>`.
            let rest = key.strip_prefix(self.account).and_then(|rest| rest.strip_prefix('.'));
            let jid = rest.and_then(|rest| BareJid::as_stored(rest.rsplit_once('.')?.0));
            let Some((jid, id)) = jid.zip(number(value.get("device_id"))) else { continue };
            if !builder.account().devices.iter().any(|device| device.jid == jid && device.device_id == Some(id)) {
                let device = builder.device(jid, Some(id), None, Trust::unknown(), self.place("omemo_user_device", key));
                device.activity.listed = Some(true);
            }
        }
    }
}

fn number(value: Option<&Value>) -> Option<u32> {
    let value = value?;
    value.as_u64().and_then(|number| u32::try_from(number).ok()).or_else(|| value.as_str()?.parse().ok())
}

/// A list of numbers; an export of a typed array is an object with the numbers under `"0"`, `"1"` and so on.
fn bytes(value: &Value) -> Option<Zeroizing<Vec<u8>>> {
    let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    let bytes: Option<Vec<u8>> = match value {
        Value::Array(list) => list.iter().map(byte).collect(),
        Value::Object(object) => (0..object.len()).map(|place| byte(object.get(&place.to_string())?)).collect(),
        _ => None,
    };
    bytes.map(Zeroizing::new)
}

fn key_pair(value: &Value) -> Option<KeyPair> {
    Some(KeyPair {
        public: PublicKey::from_bytes(&bytes(value.get("public_key")?)?)?,
        private: PrivateKey::from_bytes(&bytes(value.get("private_key")?)?)?,
    })
}

fn trust_level(word: &str) -> TrustLevel {
    match word {
        "Trusted" | "Verified" => TrustLevel::Trusted,
        "Untrusted" => TrustLevel::Untrusted,
        "Undecided" => TrustLevel::Undecided,
        _ => TrustLevel::Unknown,
    }
}
