//! Stores of clients of which no real file was at hand, made after their documented schema; and stores that
//! are recognised but not read.

use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{Account, TrustLevel};
use omemoscope::omemo::{KeyPair, PrivateKey};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes(&[seed; 32]).expect("32 bytes"))
}

/// Protobuf: bytes in a field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).expect("short")], bytes].concat()
}

fn open(path: &Path) -> Account {
    let mut store = store::open(path, &OpenOptions::default()).expect("a store");
    assert_eq!((store.accounts.len(), store.problems.len()), (1, 0));
    store.accounts.remove(0)
}

fn refusal(path: &Path) -> String {
    store::open(path, &OpenOptions::default()).expect_err("not readable").says
}

#[test]
fn aparte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("storage.sqlite");
    let database = Connection::open(&path).expect("a new database");
    database
        .execute_batch(
            "CREATE TABLE omemo_own_device(own_device_pk INTEGER PRIMARY KEY, account VARCHAR UNIQUE, id BIGINT, identity BLOB);
             CREATE TABLE omemo_contact_device(contact_device_pk INTEGER PRIMARY KEY, account VARCHAR, contact VARCHAR, id BIGINT);
             CREATE TABLE omemo_identity(identity_pk INTEGER PRIMARY KEY, account VARCHAR, user_id VARCHAR, device_id BIGINT, identity BLOB);
             CREATE TABLE omemo_session(session_pk INTEGER PRIMARY KEY, account VARCHAR, user_id VARCHAR, device_id BIGINT, session BLOB);
             CREATE TABLE omemo_pre_key(pre_key_pk INTEGER PRIMARY KEY, account VARCHAR, pre_key_id BIGINT, pre_key BLOB);
             INSERT INTO omemo_contact_device(account, contact, id) VALUES
                ('me@example.org/x', 'bob@example.org', 12), ('me@example.org/x', 'bob@example.org', 13), ('other@example.org/x', 'eve@example.org', 1);",
        )
        .expect("a schema");
    let (own, bob, prekey) = (pair(1), pair(2), pair(3));
    let halves = |pair: &KeyPair, first: u8| {
        [field(first, &pair.public.to_signal()), field(first + 1, pair.private.secret().expose())].concat()
    };
    let account = "me@example.org/x";
    database
        .execute("INSERT INTO omemo_own_device(account, id, identity) VALUES(?1, 77, ?2)", (account, halves(&own, 1)))
        .expect("a row");
    database
        .execute(
            "INSERT INTO omemo_identity(account, user_id, device_id, identity) VALUES(?1, 'bob@example.org', 12, ?2)",
            (account, bob.public.to_signal()),
        )
        .expect("a row");
    let record = [vec![1 << 3, 9], halves(&prekey, 2)].concat();
    database
        .execute("INSERT INTO omemo_pre_key(account, pre_key_id, pre_key) VALUES(?1, 9, ?2)", (account, record))
        .expect("a row");
    drop(database);
    let account = open(&path);
    assert_eq!(account.client.name, "Aparté");
    assert_eq!(account.jid.as_ref().map(|jid| jid.as_str()), Some("me@example.org"));
    assert_eq!(account.own_device_id, Some(77));
    assert_eq!(account.identity.as_ref().map(|identity| *identity.public.curve()), Some(own.public));
    assert_eq!(account.prekeys.iter().map(|prekey| prekey.id).collect::<Vec<_>>(), [9]);
    let devices: Vec<_> =
        account.devices.iter().map(|device| (device.device_id, device.identity.is_some(), device.trust.level)).collect();
    assert_eq!(devices, [(Some(12), true, TrustLevel::Trusted), (Some(13), false, TrustLevel::Unknown)]);
    assert_eq!(account.problems, []);
}

fn numbers(bytes: &[u8]) -> Value {
    json!(bytes)
}

/// Collection, key, value.
fn prose_entries(session: &[u8]) -> Vec<(&'static str, &'static str, Value)> {
    let (own, prekey) = (pair(1), pair(3));
    vec![
        (
            "omemo_local_device",
            "me@example.org",
            json!({
                "id": "me@example.org",
                "device_id": 77,
                "identity_key_pair": {"identity_key": numbers(&own.public.to_signal()), "private_key": numbers(own.private.secret().expose())},
            }),
        ),
        (
            "omemo_pre_key",
            "me@example.org.9",
            json!({"pre_key_id": 9, "public_key": numbers(&prekey.public.to_signal()), "private_key": numbers(prekey.private.secret().expose())}),
        ),
        (
            "omemo_session_record",
            "me@example.org.bob@example.org.12",
            json!({"account": "me@example.org", "user_id": "bob@example.org", "device_id": 12, "trust": "Untrusted", "is_active": true, "data": numbers(session), "identity": null}),
        ),
        ("omemo_user_device", "me@example.org.bob@example.org.13", json!({"device_id": 13, "label": null})),
    ]
}

fn assert_prose(account: &Account, sessions: usize) {
    assert_eq!(account.client.name, "Prose");
    assert_eq!(account.own_device_id, Some(77));
    assert!(account.identity.as_ref().is_some_and(|identity| identity.is_consistent()));
    assert_eq!((account.prekeys.len(), account.sessions.len()), (1, sessions));
    let devices: Vec<_> =
        account.devices.iter().map(|device| (device.device_id, device.trust.level, device.activity.listed)).collect();
    assert_eq!(devices, [(Some(12), TrustLevel::Untrusted, Some(true)), (Some(13), TrustLevel::Unknown, Some(true))]);
}

#[test]
fn prose_native() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ProseDB.sqlite");
    let database = Connection::open(&path).expect("a new database");
    for (collection, key, value) in prose_entries(&[0xff]) {
        database
            .execute_batch(&format!("CREATE TABLE IF NOT EXISTS \"{collection}\"(key TEXT PRIMARY KEY, data TEXT)"))
            .expect("a table");
        database.execute(&format!("INSERT INTO \"{collection}\" VALUES(?1, ?2)"), (key, value.to_string())).expect("a row");
    }
    drop(database);
    let account = open(&path);
    assert_prose(&account, 0);
    // The session's one byte is no record.
    assert_eq!(account.problems.len(), 1);
}

#[test]
fn prose_in_the_browser() {
    let export = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores/movim/export.json");
    let export: Value = serde_json::from_slice(&std::fs::read(export).expect("the fixture")).expect("JSON");
    let local = export["localStorage"].as_object().expect("an object");
    let session = local.iter().find(|(key, _)| key.contains(".sessionbob@")).map(|(_, text)| text.as_str().expect("a text"));
    let session: String = serde_json::from_str(session.expect("a session")).expect("a text in JSON");
    let mut stores = json!({});
    for (collection, key, value) in prose_entries(session.as_bytes()) {
        stores[collection][key] = value;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("export.json");
    std::fs::write(&path, json!({"indexedDB": {"ProseDB": stores}}).to_string()).expect("a file");
    let account = open(&path);
    assert_prose(&account, 1);
    assert_eq!(account.problems, []);
}

#[test]
fn chatsecure_is_explained() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ChatSecureYap.sqlite");
    let noise: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(&path, noise).expect("a file");
    assert!(refusal(&path).contains("SQLCipher"));
}

#[test]
fn libervia_is_explained() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("sat.db");
    let database = Connection::open(&path).expect("a new database");
    database
        .execute_batch(
            "CREATE TABLE private_ind_bin(namespace TEXT, key TEXT, profile_id INTEGER, value BLOB);
             INSERT INTO private_ind_bin VALUES('XEP-0384', 'STATE', 1, x'80');",
        )
        .expect("a schema");
    drop(database);
    assert!(refusal(&path).contains("pickled"));
}
