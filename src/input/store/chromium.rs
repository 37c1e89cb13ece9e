//! Web storage in the profile of a Chromium browser (also Chrome, Edge, Brave, Electron apps):
//! `Local Storage/leveldb` and `IndexedDB/<origin>.indexeddb.leveldb`.

mod indexed_db;
mod local_storage;
mod v8;

use super::leveldb::{self, LevelDb};
use super::web_storage::WebStorage;
use std::path::PathBuf;

/// The pages' storage in a LevelDB folder of either kind, and what could not be read of it.
#[derive(Debug, Default)]
pub struct ChromiumStorage {
    /// One for each origin.
    pub origins: Vec<WebStorage>,
    /// File (or folder) and one sentence.
    pub problems: Vec<(PathBuf, String)>,
    /// Files read.
    pub files: Vec<PathBuf>,
}

/// Reads a LevelDB folder with these files. Which kind it is, its keys say.
pub fn read(folder: &std::path::Path, paths: &[PathBuf]) -> ChromiumStorage {
    let LevelDb { entries, mut problems, files } = leveldb::read(paths);
    let origins = if local_storage::is_local_storage(&entries) {
        local_storage::read(&entries)
    } else {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (storage, unreadable) = indexed_db::read(&entries, origin(name));
        if unreadable > 0 {
            let says = format!(
                "{unreadable} values of this IndexedDB are in a form that cannot be read; an export from the page holds them"
            );
            problems.push((folder.into(), says));
        }
        vec![storage]
    };
    ChromiumStorage { origins, problems, files }
}

/// `https_example.org_0.indexeddb.leveldb` is the folder of `https://example.org`.
fn origin(folder_name: &str) -> Option<String> {
    let (scheme, rest) = folder_name.strip_suffix(".indexeddb.leveldb")?.split_once('_')?;
    let (host, port) = rest.rsplit_once('_')?;
    Some(if port == "0" { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

/// UTF-16 in either byte order; unpaired surrogates are replaced.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| Some(unit(pair.try_into().ok()?)));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// One character per byte.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_tell_the_origin() {
        assert_eq!(origin("http_127.0.0.1_15291.indexeddb.leveldb").as_deref(), Some("http://127.0.0.1:15291"));
        assert_eq!(origin("https_a_b.org_0.indexeddb.leveldb").as_deref(), Some("https://a_b.org"));
        assert_eq!(origin("leveldb"), None);
    }
}
