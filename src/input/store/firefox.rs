//! Web clients' stores in a Firefox profile: `storage/default/<origin>/ls/data.sqlite` (Local Storage) and
//! `storage/default/<origin>/idb/<name>.sqlite` (IndexedDB).
//!
//! Written after Firefox's `dom/localstorage` and `dom/indexedDB`; no profile with OMEMO data was seen.

mod structured_clone;

use super::browser_profile::accounts;
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, home, roaming};
use super::leveldb::table_decompress;
use super::sqlite::{Database, Row};
use super::web_storage::{ObjectStore, WebStorage};
use super::{OpenOptions, Reading, StoreFormat, converse, jsxc, movim, prose};
use crate::input::InputError;
use crate::model::{Place, Problem, ProblemScope};
use std::collections::BTreeMap;

/// The format. Which web client it is, the accounts say.
pub const FORMAT: StoreFormat = StoreFormat { client: &converse::PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[
    home(".mozilla/firefox/*/storage/default/*"),
    home("snap/firefox/common/.mozilla/firefox/*/storage/default/*"),
    home(".var/app/org.mozilla.firefox/.mozilla/firefox/*/storage/default/*"),
    home("Library/Application Support/Firefox/Profiles/*/storage/default/*"),
    roaming("Mozilla/Firefox/Profiles/*/storage/default/*"),
];

fn is_local_storage(database: &Database) -> bool {
    database.has("data", &["key", "value"]) && database.has("database", &["origin"])
}

fn is_indexed_db(database: &Database) -> bool {
    database.has("object_data", &["object_store_id", "key", "data"]) && database.has("object_store", &["id", "name"])
}

fn detect(candidate: &Candidate) -> bool {
    let Some(database) = candidate.database() else { return false };
    if is_local_storage(database) {
        let marks = [converse::MARK, movim::MARK, jsxc::MARK];
        return database.rows("data", &["key"]).iter().any(|row| {
            let key = row.text("key").unwrap_or_default();
            marks.iter().any(|mark| key.contains(mark))
        });
    }
    is_indexed_db(database) && {
        let (storage, _) = indexed_db(database, true);
        converse::is_in(&storage) || prose::is_in(&storage)
    }
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let Some(database) = candidate.database() else {
        return Err(InputError::new(candidate.path(), "no readable SQLite database"));
    };
    let (storage, unreadable) = if is_local_storage(database) { local_storage(database) } else { indexed_db(database, false) };
    let mut reading = Reading { accounts: accounts(database.file(), &storage, options), ..Reading::default() };
    if unreadable > 0 {
        let says =
            format!("{unreadable} values of this storage are in a form that cannot be read; an export from the page holds them");
        // Other programs of the same page may keep what JSON cannot hold; without an account it matters.
        let scope = if reading.accounts.is_empty() { ProblemScope::Store } else { ProblemScope::Other };
        reading.problems.push(Problem { place: Place::whole(database.file()), says, scope });
    }
    Ok(reading)
}

fn origin(database: &Database) -> Option<String> {
    database.rows("database", &["origin"]).first().and_then(|row| row.text("origin").map(str::to_owned))
}

/// The storage and how many values could not be read.
fn local_storage(database: &Database) -> (WebStorage, usize) {
    let mut storage = WebStorage { origin: origin(database), ..WebStorage::default() };
    let mut unreadable = 0;
    // `compressed` and texts in older schemas, `compression_type` and `conversion_type` in newer ones.
    for row in database.rows("data", &["key", "value", "compression_type", "conversion_type", "compressed"]) {
        let key = row.text("key").map(str::to_owned);
        match key.zip(local_value(&row)) {
            Some((key, value)) => {
                storage.local.insert(key, value);
            }
            None => unreadable += 1,
        }
    }
    (storage, unreadable)
}

fn local_value(row: &Row) -> Option<String> {
    let bytes = row.bytes("value")?;
    let compressed = row.integer("compression_type").or_else(|| row.integer("compressed")).unwrap_or_default() == 1;
    let bytes = if compressed { table_decompress(bytes)? } else { bytes.to_vec() };
    // Conversion 1 is UTF-8; 0 leaves the browser's own UTF-16. Older schemas had texts only.
    if row.integer("conversion_type") == Some(0) {
        let units = bytes.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
        return Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect());
    }
    String::from_utf8(bytes).ok()
}

/// The storage and how many values could not be read. With `names_only` all values are null.
fn indexed_db(database: &Database, names_only: bool) -> (WebStorage, usize) {
    let mut stores: BTreeMap<i64, ObjectStore> = BTreeMap::new();
    let name = database.rows("database", &["name"]).first().and_then(|row| row.text("name").map(str::to_owned));
    for row in database.rows("object_store", &["id", "name"]) {
        if let Some((id, store)) = row.integer("id").zip(row.text("name")) {
            let database = name.clone().unwrap_or_default();
            stores.insert(id, ObjectStore { database, name: store.to_owned(), items: BTreeMap::new() });
        }
    }
    let mut unreadable = 0;
    let columns: &[&str] = if names_only { &["object_store_id", "key"] } else { &["object_store_id", "key", "data"] };
    for row in database.rows("object_data", columns) {
        let store = row.integer("object_store_id").and_then(|id| stores.get_mut(&id));
        let (Some(store), Some(key)) = (store, row.bytes("key").and_then(text_key)) else { continue };
        let value = if names_only {
            Some(serde_json::Value::Null)
        } else {
            row.bytes("data").and_then(table_decompress).and_then(|bytes| structured_clone::read(&bytes))
        };
        match value {
            Some(value) => {
                store.items.insert(key, value);
            }
            None => unreadable += 1,
        }
    }
    let object_stores = stores.into_values().collect();
    (WebStorage { origin: origin(database), object_stores, ..WebStorage::default() }, unreadable)
}

/// A text key: 0x30, then each character plus one; above U+007E two bytes, above U+407E three.
fn text_key(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes.strip_prefix(&[0x30])?;
    let mut units = Vec::new();
    while let Some((&first, next)) = rest.split_first() {
        rest = match (first, next) {
            (0, _) => break,
            (1..=0x7f, _) => {
                units.push(u16::from(first) - 1);
                next
            }
            (0x80..=0xbf, [second, next @ ..]) => {
                units.push((u16::from_be_bytes([first, *second]) & 0x3fff) + 0x7f);
                next
            }
            (0xc0.., [second, third, next @ ..]) => {
                let bits = u32::from_be_bytes([0, first, *second, *third]) >> 6;
                units.push(u16::try_from(bits & 0xffff).ok()?);
                next
            }
            _ => return None,
        };
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use serde_json::Value;

    /// Object stores and Local Storage of the export fixtures, written as Firefox writes them.
    fn export(name: &str) -> Value {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores").join(name);
        serde_json::from_slice(&std::fs::read(path).expect("the fixture")).expect("JSON")
    }

    fn snappy(bytes: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(bytes).expect("compresses")
    }

    fn open(path: &std::path::Path) -> crate::model::Account {
        let mut store = super::super::open(path, &OpenOptions::default()).expect("a store");
        assert_eq!((store.accounts.len(), &store.problems), (1, &Vec::new()));
        store.accounts.remove(0)
    }

    #[test]
    fn movim_in_local_storage() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("data.sqlite");
        let database = Connection::open(&path).expect("a new database");
        database
            .execute_batch(
                "CREATE TABLE database(origin TEXT NOT NULL, usage INTEGER);
                 CREATE TABLE data(key TEXT PRIMARY KEY, utf16_length INTEGER, conversion_type INTEGER, compression_type INTEGER, last_access_time INTEGER, value BLOB);
                 INSERT INTO database VALUES('https://movim.example', 1);",
            )
            .expect("a schema");
        for (number, (key, text)) in
            export("movim/export.json")["localStorage"].as_object().expect("an object").iter().enumerate()
        {
            let text = text.as_str().expect("a text");
            let (conversion, bytes) = match number % 2 {
                0 => (1, text.as_bytes().to_vec()),
                _ => (0, text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            };
            let (compression, bytes) = if number % 3 == 0 { (1, snappy(&bytes)) } else { (0, bytes) };
            database
                .execute("INSERT INTO data VALUES(?1, 0, ?2, ?3, 0, ?4)", (key, conversion, compression, bytes))
                .expect("a row");
        }
        drop(database);
        let account = open(&path);
        assert_eq!((account.client.name, account.own_device_id), ("Movim", Some(4883)));
        assert_eq!((account.sessions.len(), account.prekeys.len(), account.problems.len()), (6, 51, 0));
    }

    #[test]
    fn converse_in_indexed_db() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("1.sqlite");
        let database = Connection::open(&path).expect("a new database");
        database
            .execute_batch(
                "CREATE TABLE database(name TEXT, origin TEXT, version INTEGER);
                 CREATE TABLE object_store(id INTEGER PRIMARY KEY, auto_increment INTEGER, name TEXT, key_path TEXT);
                 CREATE TABLE object_data(object_store_id INTEGER, key BLOB, index_data_values BLOB, file_ids TEXT, data BLOB);
                 INSERT INTO database VALUES('converse-persistent', 'https://chat.example', 2);
                 INSERT INTO object_store VALUES(3, 0, 'alice478@localhost', NULL);",
            )
            .expect("a schema");
        let export = export("converse/indexeddb-export.json");
        let items = export["indexedDB"]["converse-persistent"]["alice478@localhost"].as_object().expect("items");
        for (key, value) in items {
            let key: Vec<u8> = std::iter::once(0x30).chain(key.bytes().map(|byte| byte + 1)).collect();
            let data = snappy(&structured_clone::tests::write(value));
            database.execute("INSERT INTO object_data VALUES(3, ?1, NULL, NULL, ?2)", (key, data)).expect("a row");
        }
        drop(database);
        let account = open(&path);
        assert_eq!((account.client.name, account.own_device_id), ("Converse", Some(16_056)));
        assert_eq!((account.sessions.len(), account.prekeys.len(), account.problems.len()), (1, 100, 0));
    }

    #[test]
    fn keys_beyond_ascii() {
        assert_eq!(text_key(b"\x30bc\0").as_deref(), Some("ab"));
        // U+00E9 - 0x7F = 0x6A.
        assert_eq!(text_key(b"\x30\x80\x6a").as_deref(), Some("é"));
        assert_eq!(text_key(b"\x10ab"), None);
        assert_eq!(text_key(b"\x30\x80"), None);
    }
}
