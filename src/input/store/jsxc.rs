//! JSXC: Local Storage of the page, version 4 of its data (`jsxc2:` keys).
//!
//! Source: jsxc/jsxc @9fd311ab; no data of a running client was seen. The part of the key before `store:` is
//! not relied on: everything that shares it is one account.

use super::OpenOptions;
use super::converse::address_parts;
use super::web_storage::WebStorage;
use crate::input::store::account::AccountBuilder;
use crate::model::{
    Account, BareJid, ClientProfile, Place, PrekeyIds, ProblemScope, Refusals, Remedies, Trust, TrustLevel, TrustRule, When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::session_record::json::{Node, ShapeError};
use crate::omemo::{IdentityKey, KeyPair, Namespace, PrivateKey, PublicKey};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// JSXC.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "JSXC",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::JavaScript,
    trust_rule: TrustRule { refused: &[], marks: false, says: "JSXC shows messages whatever the trust in their device" },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: None,
    remedies: Remedies { replace_session: None, trust_device: None, reset: None },
};

/// In the names of its keys.
pub const MARK: &str = "store:25519KeypreKey:";

/// Before the names within an account.
const STORE: &str = ":store:";

/// How buffers are written into JSON.
const BUFFER: &str = "stringifiedArrayBuffer|";

/// Whether a page's storage holds JSXC's keys.
pub fn is_in(storage: &WebStorage) -> bool {
    storage.local.keys().any(|key| key.starts_with("jsxc2:") && key.ends_with(":store:identityKey"))
}

/// JSXC's accounts in a page's storage.
pub fn accounts(file: &Arc<Path>, storage: &WebStorage, options: &OpenOptions) -> Vec<Account> {
    let mut sets: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
    for (key, text) in &storage.local {
        let Some((prefix, name)) = key.split_once(STORE).filter(|_| key.starts_with("jsxc2:")) else { continue };
        sets.entry(prefix).or_default().insert(name, unwrapped(text));
    }
    sets.retain(|_, values| values.contains_key("identityKey"));
    sets.into_iter().map(|(prefix, values)| Reader { file, prefix, values }.account(options)).collect()
}

/// `{"v": "<JSON text>"}`, or the text itself.
fn unwrapped(text: &str) -> Value {
    let outer: Value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    match outer.get("v") {
        Some(Value::String(inner)) => serde_json::from_str(inner).unwrap_or_else(|_| Value::String(inner.clone())),
        Some(inner) => inner.clone(),
        None => outer,
    }
}

struct Reader<'a> {
    file: &'a Arc<Path>,
    prefix: &'a str,
    values: BTreeMap<&'a str, Value>,
}

impl Reader<'_> {
    fn place(&self, name: &str) -> Place {
        Place::key(self.file, format!("localStorage.{}{STORE}{name}", self.prefix))
    }

    fn account(self, options: &OpenOptions) -> Account {
        let mut builder = AccountBuilder::new(&PROFILE, "version 4", self.place("identityKey"));
        let name = self.values.get("deviceName").and_then(Value::as_str).and_then(BareJid::as_stored);
        builder.account().jid = name.or_else(|| options.account.clone());
        let id = self.values.get("deviceId").and_then(|id| Node::new("deviceId", id).u32().ok());
        builder.own_device_id(id, self.place("deviceId"));
        match self.values.get("identityKey").map(|value| key_pair(&Node::new("identityKey", value))) {
            Some(Ok(pair)) => {
                let public = pair.public.to_signal();
                builder.identity(Some(&public), Some(pair.private.secret().expose()), self.place("identityKey"));
            }
            Some(Err(error)) => builder.problem(self.place("identityKey"), ProblemScope::OwnKeys, error.to_string()),
            None => {}
        }
        for (name, value) in &self.values {
            if let Some(id) = name.strip_prefix("25519KeypreKey:").and_then(|id| id.parse().ok()) {
                match key_pair(&Node::new(*name, value)) {
                    Ok(pair) => builder.prekey_pair(id, pair, self.place(name)),
                    Err(error) => builder.problem(self.place(name), ProblemScope::PreKey(id), error.to_string()),
                }
            } else if let Some(id) = name.strip_prefix("25519KeysignedKey:").and_then(|id| id.parse().ok()) {
                let node = Node::new(*name, value);
                let pair = node.optional("keyPair").and_then(|pair| key_pair(&pair.unwrap_or_else(|| node.clone())));
                let signature = value.get("signature").and_then(buffer);
                match pair {
                    Ok(pair) => builder.signed_prekey_pair(id, pair, signature, None, self.place(name)),
                    Err(error) => builder.problem(self.place(name), ProblemScope::SignedPreKey(id), error.to_string()),
                }
            }
        }
        self.devices(&mut builder);
        builder.finish()
    }

    fn devices(&self, builder: &mut AccountBuilder) {
        let mut found: BTreeMap<(BareJid, u32), Option<IdentityKey>> = BTreeMap::new();
        for (name, value) in &self.values {
            if let Some(at) = name.strip_prefix("identityKey:").and_then(address_parts) {
                found.insert(at, buffer(value).and_then(|bytes| PublicKey::from_bytes(&bytes)).map(IdentityKey::from_curve));
            } else if let Some(jid) = name.strip_prefix("deviceList:").and_then(BareJid::as_stored) {
                for id in value.as_array().into_iter().flatten().filter_map(|id| Node::new(*name, id).u32().ok()) {
                    found.entry((jid.clone(), id)).or_default();
                }
            }
        }
        for (name, value) in &self.values {
            let Some((jid, id)) = name.strip_prefix("session:").and_then(address_parts) else { continue };
            let remote = self.session(name, value, &jid, id, builder);
            let known = found.entry((jid, id)).or_default();
            *known = known.or(remote);
        }
        for ((jid, id), identity) in found {
            let trust = identity.map_or_else(Trust::unknown, |key| self.trust(&jid, &key));
            let listed = self.values.get(format!("deviceList:{jid}").as_str()).and_then(Value::as_array);
            let listed = listed.map(|ids| ids.iter().any(|listed| Node::new("", listed).u32() == Ok(id)));
            let used = self.values.get(format!("lastUsed:{jid}.{id}").as_str()).and_then(Value::as_str);
            let place = self.place(&format!("session:{jid}.{id}"));
            let device = builder.device(jid, Some(id), identity, trust, place);
            device.activity.listed = listed;
            device.activity.last_message = used.and_then(|time| time.parse().ok()).map(When::at);
        }
    }

    fn session(&self, name: &str, value: &Value, jid: &BareJid, id: u32, builder: &mut AccountBuilder) -> Option<IdentityKey> {
        let record = super::converse::session_value(value).ok_or_else(|| "the session's text is no JSON".to_owned());
        builder.javascript_session(jid, id, record, self.place(name))
    }

    /// `trust:<jid>`: trust number to fingerprints.
    fn trust(&self, jid: &BareJid, key: &IdentityKey) -> Trust {
        let plain = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
        let wanted = key.fingerprint().to_string();
        let sets = self.values.get(format!("trust:{jid}").as_str()).and_then(Value::as_object);
        let level = sets.into_iter().flatten().find_map(|(level, prints)| {
            let mut prints = prints.as_array()?.iter().filter_map(Value::as_str);
            prints.any(|print| plain(print).ends_with(&wanted)).then_some(level.as_str())
        });
        let (word, level) = match level {
            Some("1") => ("recognized", TrustLevel::Trusted),
            Some("2") => ("confirmed", TrustLevel::Trusted),
            Some("3") => ("ignored", TrustLevel::Untrusted),
            _ => ("unknown", TrustLevel::Undecided),
        };
        Trust { word: word.into(), level }
    }
}

/// `stringifiedArrayBuffer|[5,12,…]`.
fn buffer(value: &Value) -> Option<Vec<u8>> {
    serde_json::from_str(value.as_str()?.strip_prefix(BUFFER)?).ok()
}

fn key_pair(node: &Node<'_>) -> Result<KeyPair, ShapeError> {
    let part = |name: &str| {
        let part = node.field(name)?;
        buffer(part.value()).map(zeroize::Zeroizing::new).ok_or_else(|| part.error("a buffer written as text was expected"))
    };
    let public = PublicKey::from_bytes(&part("pubKey")?);
    let private = PrivateKey::from_bytes(&part("privKey")?);
    public
        .zip(private)
        .map(|(public, private)| KeyPair { private, public })
        .ok_or_else(|| node.error("a pair of 33 and 32 bytes was expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_with_a_key_of_a_contact() {
        let private = [7u8; 32];
        let pair = KeyPair::from_private(PrivateKey::from_bytes(&private).expect("32 bytes"));
        let text = |bytes: &[u8]| format!("{BUFFER}{}", serde_json::to_string(bytes).expect("numbers"));
        let wrapped = |value: Value| serde_json::json!({ "v": value.to_string() }).to_string();
        let peer = KeyPair::from_private(PrivateKey::from_bytes(&[9u8; 32]).expect("32 bytes"));
        let pair_value = serde_json::json!({"pubKey": text(&pair.public.to_signal()), "privKey": text(&private)});
        let fingerprint = IdentityKey::from_curve(peer.public).fingerprint().grouped();
        let prefix = "jsxc2:uid:plugin:omemo:store:";
        let entries = [
            ("deviceId", serde_json::json!(4711)),
            ("deviceName", serde_json::json!("me@example.org")),
            ("identityKey", pair_value.clone()),
            ("25519KeypreKey:5", pair_value),
            ("identityKey:bob@example.org.12", serde_json::json!(text(&peer.public.to_signal()))),
            ("deviceList:bob@example.org", serde_json::json!([12, 13])),
            ("trust:bob@example.org", serde_json::json!({"2": [fingerprint]})),
        ];
        let local = entries.into_iter().map(|(name, value)| (format!("{prefix}{name}"), wrapped(value))).collect();
        let storage = WebStorage { local, ..WebStorage::default() };
        assert!(is_in(&storage));
        let file: Arc<Path> = Path::new("export.json").into();
        let accounts = accounts(&file, &storage, &OpenOptions::default());
        let [account] = accounts.as_slice() else { panic!("{accounts:?}") };
        assert_eq!((account.jid.clone(), account.own_device_id), (BareJid::as_stored("me@example.org"), Some(4711)));
        assert!(account.identity.as_ref().is_some_and(|identity| identity.is_consistent()));
        assert_eq!(account.prekeys.len(), 1);
        assert_eq!(account.devices.len(), 2);
        assert_eq!(account.devices[0].trust.word, "confirmed");
        assert_eq!(account.devices[1].identity, None);
        assert_eq!(account.problems, []);
    }
}
