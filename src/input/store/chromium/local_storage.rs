//! Chromium's Local Storage: keys `_<origin> 00 <form><key>`, values `<form><text>`; form 01 is one byte a
//! character, form 00 is UTF-16 in little-endian order.

use super::{WebStorage, latin1, utf16};
use std::collections::BTreeMap;

/// Whether these are the entries of a Local Storage.
pub fn is_local_storage(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    entries.contains_key(&b"VERSION"[..]) || entries.keys().any(|key| key.starts_with(b"META:"))
}

/// One storage for each origin.
pub fn read(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<WebStorage> {
    let mut origins: BTreeMap<String, WebStorage> = BTreeMap::new();
    for (key, value) in entries {
        let Some(rest) = key.strip_prefix(b"_") else { continue };
        let Some(end) = memchr::memchr(0, rest) else { continue };
        let (origin, key) = rest.split_at(end);
        let origin = String::from_utf8_lossy(origin).into_owned();
        if let (Some(key), Some(value)) = (text(key.get(1..).unwrap_or_default()), text(value)) {
            let storage =
                origins.entry(origin.clone()).or_insert_with(|| WebStorage { origin: Some(origin), ..WebStorage::default() });
            storage.local.insert(key, value);
        }
    }
    origins.into_values().collect()
}

fn text(bytes: &[u8]) -> Option<String> {
    match bytes.split_first()? {
        (1, text) => Some(latin1(text)),
        (0, text) => Some(utf16(text, u16::from_le_bytes)),
        _ => None,
    }
}
