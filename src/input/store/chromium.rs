//! Web storage in the profile of a Chromium browser (also Chrome, Edge, Brave, Electron apps):
//! `Local Storage/leveldb` and `IndexedDB/<origin>.indexeddb.leveldb`.

mod indexed_db;
mod local_storage;
mod v8;

use super::leveldb::{self, LevelDb};
use super::web_storage::WebStorage;
use std::path::{Path, PathBuf};

/// The pages' storage in a LevelDB folder of either kind, and what could not be read of it.
#[derive(Debug, Default)]
pub struct ChromiumStorage {
    /// One for each origin.
    pub origins: Vec<WebStorage>,
    /// Values that are in a form that cannot be read.
    pub unreadable: usize,
    /// File and one sentence.
    pub problems: Vec<(PathBuf, String)>,
    /// Files read.
    pub files: Vec<PathBuf>,
}

/// Largest value in a file of its own: web clients keep some hundred KiB in one.
const MAX_BLOB: u64 = 64 * 1024 * 1024;

/// Reads a LevelDB folder with these files. Which kind it is, its keys say.
pub fn read(folder: &Path, paths: &[PathBuf]) -> ChromiumStorage {
    let LevelDb { entries, problems, files } = leveldb::read(paths);
    if local_storage::is_local_storage(&entries) {
        return ChromiumStorage { origins: local_storage::read(&entries), unreadable: 0, problems, files };
    }
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let blobs = name.strip_suffix(".leveldb").map(|name| folder.with_file_name(format!("{name}.blob")));
    let file = |database: u64, number: u64| blob(blobs.as_deref()?, database, number);
    let (storage, unreadable) = indexed_db::read(&entries, origin(name), &file);
    ChromiumStorage { origins: vec![storage], unreadable, problems, files }
}

/// `<database>/<second-lowest byte of the number>/<number>`, all in hex.
fn blob(folder: &Path, database: u64, number: u64) -> Option<Vec<u8>> {
    let path = folder.join(format!("{database:x}")).join(format!("{:02x}", number >> 8 & 0xff)).join(format!("{number:x}"));
    // No link on the way may lead out of the profile.
    let real = path.canonicalize().ok()?.starts_with(folder.canonicalize().ok()?);
    let metadata = path.symlink_metadata().ok()?;
    (real && metadata.is_file() && metadata.len() <= MAX_BLOB).then(|| std::fs::read(path).ok()).flatten()
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
