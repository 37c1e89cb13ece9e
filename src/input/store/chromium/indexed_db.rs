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
/// Index id of the lists of files that hold large values; the rest of the key is the record's.
const BLOBS: u8 = 3;
/// Wrapped values within wrapped values: a file may hold a compressed one.
const MAX_WRAPS: usize = 3;

/// Reads a file beside the database by the database's id and the file's number.
pub type BlobFile<'a> = &'a dyn Fn(u64, u64) -> Option<Vec<u8>>;

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
pub fn read(entries: &BTreeMap<Vec<u8>, Vec<u8>>, origin: Option<String>, file: BlobFile<'_>) -> (WebStorage, usize) {
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
            let index = key.len() - bytes.0.len() - 1;
            let Some(name) = record_key(&mut bytes) else { continue };
            let blob = |offset: u64| {
                let mut blobs = key.clone();
                *blobs.get_mut(index)? = BLOBS;
                file(prefix.database, blob_number(entries.get(&blobs)?, offset)?)
            };
            match record(value, &blob) {
                Some(value) => {
                    items.entry((prefix.database, prefix.store)).or_default().insert(name, value);
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
fn record(value: &[u8], blob: &dyn Fn(u64) -> Option<Vec<u8>>) -> Option<Value> {
    let mut bytes = Cursor(value);
    bytes.varint()?;
    let mut bytes = bytes.0.to_vec();
    for _ in 0..MAX_WRAPS {
        bytes = match bytes.as_slice() {
            // Size, then the place in the record's list of files.
            [0xff, 0x11, 0x01, rest @ ..] => {
                let mut rest = Cursor(rest);
                rest.varint()?;
                blob(rest.varint()?)?
            }
            [0xff, 0x11, 0x02, rest @ ..] => table_decompress(rest)?,
            bytes => return v8::read(bytes),
        };
    }
    None
}

/// The number of one file in a record's list: kind (0 is a blob), number, media type, size.
fn blob_number(list: &[u8], offset: u64) -> Option<u64> {
    let mut bytes = Cursor(list);
    for place in 0..=offset {
        let kind = bytes.byte()?;
        let number = bytes.varint()?;
        if place == offset {
            return (kind == 0).then_some(number);
        }
        text(&mut bytes)?;
        bytes.varint()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn utf16_be(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("short");
        std::iter::once(length).chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect()
    }

    #[test]
    fn large_values_lie_in_files() {
        let value = b"\xff\x15\xff\x10o\"\x01aI\x02{\x01".to_vec();
        let compressed = [vec![0xff, 0x11, 0x02], snap::raw::Encoder::new().compress_vec(&value).expect("compresses")].concat();
        let key = |index: u8, name: &str| [vec![0, 7, 1, index, 1], utf16_be(name)].concat();
        let list = [vec![0, 9], utf16_be("text/plain"), vec![5], vec![0, 12], utf16_be(""), vec![5]].concat();
        let entries = BTreeMap::from([
            (key(1, "plain"), [vec![1], value.clone()].concat()),
            (key(1, "compressed"), [vec![1], compressed.clone()].concat()),
            (key(1, "wrapped"), vec![1, 0xff, 0x11, 0x01, 80, 1]),
            (key(3, "wrapped"), list),
            (key(1, "lost"), vec![1, 0xff, 0x11, 0x01, 80, 0]),
        ]);
        let file = |database: u64, number: u64| (database == 7 && number == 12).then(|| compressed.clone());
        let (storage, unreadable) = read(&entries, None, &file);
        let items = &storage.object_stores[0].items;
        assert_eq!((items.len(), unreadable), (3, 1));
        assert!(items.values().all(|value| *value == json!({"a": 1})));
    }

    #[test]
    fn a_list_that_goes_on_for_ever_is_refused() {
        assert_eq!(blob_number(&[0, 1, 0], u64::MAX), None);
    }
}
