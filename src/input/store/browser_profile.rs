//! Web clients' stores as they lie in the profile of a Chromium browser: the profile (or a copied part of it)
//! with `IndexedDB` or `Local Storage`, or one of the LevelDB folders in them by itself.

use super::candidate::Candidate;
use super::default_place::{DefaultPlace, home, local};
use super::web_storage::WebStorage;
use super::{OpenOptions, Reading, StoreFormat, chromium, converse, describe, jsxc, leveldb, movim, prose, web_export};
use crate::input::InputError;
use crate::model::{Account, Place, Problem, ProblemScope};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The format. Which web client it is, the accounts say.
pub const FORMAT: StoreFormat = StoreFormat { client: &converse::PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[
    // Chromium and its relatives: the folder of each profile.
    home(".config/chromium/*").only(),
    home(".config/google-chrome/*").only(),
    home(".config/BraveSoftware/Brave-Browser/*").only(),
    home(".config/microsoft-edge/*").only(),
    home(".config/vivaldi/*").only(),
    home("snap/chromium/common/chromium/*").only(),
    home(".var/app/*/config/chromium/*").only(),
    home(".var/app/*/config/google-chrome/*").only(),
    home("Library/Application Support/Google/Chrome/*").only(),
    home("Library/Application Support/Chromium/*").only(),
    home("Library/Application Support/BraveSoftware/Brave-Browser/*").only(),
    home("Library/Application Support/Microsoft Edge/*").only(),
    local("Google/Chrome/User Data/*").only(),
    local("Chromium/User Data/*").only(),
    local("BraveSoftware/Brave-Browser/User Data/*").only(),
    local("Microsoft/Edge/User Data/*").only(),
];

/// Texts in the keys of the web clients' entries.
const MARKS: [&str; 4] = [converse::MARK, movim::MARK, prose::MARK, jsxc::MARK];

/// Origins with an IndexedDB of their own in one profile, looked at at most.
const MAX_FOLDERS: usize = 2000;

/// Longest value that may be the name of an object store, in bytes.
const MAX_NAME: usize = 256;

fn detect(candidate: &Candidate) -> bool {
    candidate.is_folder() && databases(candidate).iter().any(|(_, paths)| is_marked(paths))
}

/// LevelDB folders that may be meant: the folder itself, or where a profile keeps them.
fn databases(candidate: &Candidate) -> Vec<(PathBuf, Vec<PathBuf>)> {
    if leveldb::is_leveldb(candidate.entries()) {
        return vec![(candidate.path().into(), candidate.entries().to_vec())];
    }
    // A link could lead out of the folder that was named.
    let is_real_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let has =
        |name: &str| candidate.entries().iter().any(|path| path.file_name().is_some_and(|n| n == name) && is_real_folder(path));
    let mut folders = Vec::new();
    if has("Local Storage") {
        folders.push(candidate.path().join("Local Storage").join("leveldb"));
    }
    if has("IndexedDB") {
        folders.extend(Candidate::folder(&candidate.path().join("IndexedDB")).entries().iter().take(MAX_FOLDERS).cloned());
    }
    let listed = folders.into_iter().filter(is_real_folder).map(|folder| {
        let entries = Candidate::folder(&folder).entries().to_vec();
        (folder, entries)
    });
    listed.filter(|(_, entries)| leveldb::is_leveldb(entries)).collect()
}

/// Whether keys (or the names of object stores, which are values) are those of a web client. The files
/// themselves cannot be searched: tables leave out what a key shares with the one before, and compress.
/// Keys of IndexedDB are UTF-16 in big-endian order, those of Local Storage one byte a character.
fn is_marked(paths: &[PathBuf]) -> bool {
    let wide = |mark: &str| -> Vec<u8> { mark.encode_utf16().flat_map(u16::to_be_bytes).collect() };
    let marks: Vec<Vec<u8>> = MARKS.iter().flat_map(|mark| [mark.as_bytes().to_vec(), wide(mark)]).collect();
    let finders: Vec<memchr::memmem::Finder<'_>> = marks.iter().map(memchr::memmem::Finder::new).collect();
    let marked = |bytes: &[u8]| finders.iter().any(|finder| finder.find(bytes).is_some());
    let entries = leveldb::read(paths).entries;
    entries.iter().any(|(key, value)| marked(key) || (value.len() <= MAX_NAME && marked(value)))
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    std::fs::read_dir(candidate.path()).map_err(|error| describe::unreadable(candidate.path(), &error))?;
    let mut reading = Reading::default();
    for (folder, paths) in databases(candidate) {
        if !is_marked(&paths) {
            continue;
        }
        let file: Arc<Path> = folder.as_path().into();
        let storage = chromium::read(&folder, &paths);
        let found: Vec<Account> = storage.origins.iter().flat_map(|origin| accounts(&file, origin, options)).collect();
        if storage.unreadable > 0 {
            // Other programs of the same page may keep what JSON cannot hold; without an account it matters.
            let scope = if found.is_empty() { ProblemScope::Store } else { ProblemScope::Other };
            let says =
                format!("{} values are in a form that cannot be read; an export from the page holds them", storage.unreadable);
            reading.problems.push(Problem { place: Place::whole(&file), says, scope });
        }
        reading.accounts.extend(found);
        reading.problems.extend(storage.problems.into_iter().map(|(path, says)| Problem {
            place: Place::whole(&path.as_path().into()),
            says,
            scope: ProblemScope::Store,
        }));
        reading.files.extend(storage.files);
    }
    with_exports(candidate, options, &mut reading);
    if reading.accounts.is_empty() && reading.problems.is_empty() {
        let says =
            "this browser profile has traces of a web client, but no OMEMO keys (logged out, or the site's data was cleared)";
        return Err(InputError::new(candidate.path(), says));
    }
    Ok(reading)
}

/// Every web client's accounts in a page's storage.
pub fn accounts(file: &Arc<Path>, storage: &WebStorage, options: &OpenOptions) -> Vec<Account> {
    let mut accounts = converse::accounts(file, storage, options);
    accounts.extend(movim::accounts(file, storage, options));
    accounts.extend(prose::accounts(file, storage, options));
    accounts.extend(jsxc::accounts(file, storage, options));
    accounts
}

/// An export beside the profile is another copy of the same accounts. An account that the profile gave is
/// not listed twice; one that it did not give is taken from the export.
fn with_exports(candidate: &Candidate, options: &OpenOptions, reading: &mut Reading) {
    for path in candidate.entries() {
        let Ok(export) = Candidate::file(path) else { continue };
        if !(web_export::FORMAT.detect)(&export) {
            continue;
        }
        let Ok(more) = (web_export::FORMAT.read)(&export, options) else { continue };
        reading.files.push(path.clone());
        for account in more.accounts {
            let same = |known: &&mut Account| {
                known.client.name == account.client.name
                    && known.jid == account.jid
                    && known.own_device_id == account.own_device_id
            };
            match reading.accounts.iter_mut().find(same) {
                Some(known) if account.sessions.len() > known.sessions.len() => *known = account,
                Some(_) => {}
                None => reading.accounts.push(account),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::store;
    use std::collections::BTreeMap;

    /// Chromium compacts its log into tables with shared and compressed keys.
    #[test]
    fn keys_in_a_compressed_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores/converse/local-storage-export.json");
        let export: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("the fixture")).expect("JSON");
        let mut entries = BTreeMap::from([(b"VERSION".to_vec(), Some(b"1".to_vec()))]);
        for (key, text) in export["localStorage"].as_object().expect("an object") {
            let latin1 = |text: &str| -> Option<Vec<u8>> { text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect() };
            let text = text.as_str().expect("a text");
            let value = match latin1(text) {
                Some(bytes) => [vec![1], bytes].concat(),
                None => [vec![0], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
            };
            let key = [b"_https://chat.example\0\x01", latin1(key).expect("a plain key").as_slice()].concat();
            entries.insert(key, Some(value));
        }
        let table = leveldb::tests::table_of(7, &entries.into_iter().collect::<Vec<_>>(), true);
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes) in [("CURRENT", &b"MANIFEST-000009\n"[..]), ("MANIFEST-000009", b""), ("000005.ldb", &table)] {
            std::fs::write(folder.path().join(name), bytes).expect("a file");
        }
        let store = store::open(folder.path(), &OpenOptions::default()).expect("a store");
        let [account] = store.accounts.as_slice() else { panic!("{store:?}") };
        assert_eq!((account.own_device_id, account.sessions.len(), account.prekeys.len()), (Some(13_596), 1, 100));
        assert!(account.problems.is_empty() && store.problems.is_empty());
    }

    #[test]
    fn other_pages_are_no_stores() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let table = leveldb::tests::table_of(7, &[(b"_https://x\0\x01theme".to_vec(), Some(b"\x01dark".to_vec()))], true);
        for (name, bytes) in [("CURRENT", &b"MANIFEST-000009\n"[..]), ("MANIFEST-000009", b""), ("000005.ldb", &table)] {
            std::fs::write(folder.path().join(name), bytes).expect("a file");
        }
        assert!(!detect(&Candidate::folder(folder.path())));
    }
}
