//! Chromium's IndexedDB on LevelDB, after `content/browser/indexed_db/docs/leveldb_coding_scheme.md`.
//!
//! Every key begins with the ids of database, object store and index. Index 1 holds the records.

use super::super::leveldb::{Cursor, table_decompress};
use super::super::web_storage::{ObjectStore, WebStorage};
use super::{utf16, v8};
use serde_json::Value;
use std::collections::BTreeMap;

/// Type byte of a database's name among the global keys.
const DATABASE_NAME: u8 = 201;
/// Type byte of an object store's metadata among a database's keys; type 0 of it is the name.
const OBJECT_STORE_META: u8 = 50;
/// Index id of the records themselves.
const RECORDS: u64 = 1;

struct Prefix {
    database: u64,
    store: u64,
    index: u64,
}

/// The first byte says how long the three numbers are.
fn prefix(bytes: &mut Cursor<'_>) -> Option<Prefix> {
    let lengths = bytes.byte()?;
    let mut number = |length: u8| integer(bytes.take(usize::from(length))?);
    Some(Prefix {
        database: number((lengths >> 5 & 7) + 1)?,
        store: number((lengths >> 2 & 7) + 1)?,
        index: number((lengths & 3) + 1)?,
    })
}

/// Up to eight bytes in little-endian order.
fn integer(bytes: &[u8]) -> Option<u64> {
    let mut whole = [0u8; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(whole))
}

/// A text after its length in UTF-16 units.
fn text(bytes: &mut Cursor<'_>) -> Option<String> {
    let units = usize::try_from(bytes.varint()?).ok()?;
    Some(utf16(bytes.take(units.checked_mul(2)?)?, u16::from_be_bytes))
}

/// The storage and how many values could not be read.
pub fn read(entries: &BTreeMap<Vec<u8>, Vec<u8>>, origin: Option<String>) -> (WebStorage, usize) {
    let mut databases: BTreeMap<u64, String> = BTreeMap::new();
    let mut names: BTreeMap<(u64, u64), String> = BTreeMap::new();
    let mut items: BTreeMap<(u64, u64), BTreeMap<String, Value>> = BTreeMap::new();
    let mut unreadable = 0;
    for (key, value) in entries {
        let mut bytes = Cursor(key);
        let Some(prefix) = prefix(&mut bytes) else { continue };
        if prefix.database == 0 {
            if let (Some(name), Some(id)) = (database_name(&mut bytes), integer(value)) {
                databases.insert(id, name);
            }
        } else if prefix.store == 0 {
            if let Some(store) = object_store_name(&mut bytes) {
                names.insert((prefix.database, store), utf16(value, u16::from_be_bytes));
            }
        } else if prefix.index == RECORDS {
            let Some(key) = record_key(&mut bytes) else { continue };
            match record(value) {
                Some(value) => {
                    items.entry((prefix.database, prefix.store)).or_default().insert(key, value);
                }
                None => unreadable += 1,
            }
        }
    }
    let object_stores = items
        .into_iter()
        .map(|((database, store), items)| ObjectStore {
            database: databases.get(&database).cloned().unwrap_or_else(|| format!("database {database}")),
            name: names.get(&(database, store)).cloned().unwrap_or_else(|| format!("store {store}")),
            items,
        })
        .collect();
    (WebStorage { origin, object_stores, ..WebStorage::default() }, unreadable)
}

fn database_name(bytes: &mut Cursor<'_>) -> Option<String> {
    if bytes.byte()? != DATABASE_NAME {
        return None;
    }
    text(bytes)?;
    text(bytes)
}

fn object_store_name(bytes: &mut Cursor<'_>) -> Option<u64> {
    if bytes.byte()? != OBJECT_STORE_META {
        return None;
    }
    let store = bytes.varint()?;
    (bytes.byte()? == 0).then_some(store)
}

/// Text keys only; web clients that keep OMEMO data use no others.
fn record_key(bytes: &mut Cursor<'_>) -> Option<String> {
    (bytes.byte()? == 1).then(|| text(bytes)).flatten()
}

/// A version number, then the value in Blink's envelope.
fn record(value: &[u8]) -> Option<Value> {
    let mut bytes = Cursor(value);
    bytes.varint()?;
    match bytes.0 {
        // FF 11: a wrapped value. 02 is Snappy; 01 lies in a file of its own.
        [0xff, 0x11, 0x02, rest @ ..] => v8::read(&table_decompress(rest)?),
        [0xff, 0x11, ..] => None,
        bytes => v8::read(bytes),
    }
}
