//! Finding stores: at the default places of the known clients, or anywhere in a folder such as an unpacked
//! backup or a mounted disk.
//!
//! Symbolic links are not followed. Most files are passed over by their name or their first bytes.

use super::candidate::Candidate;
use super::default_place::UserFolders;
use super::sqlite::{self, Database};
use super::{FORMATS, OpenOptions, recognise};
use crate::model::{BareJid, When};
use std::collections::HashSet;
use std::fs::{DirEntry, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Files and folders looked at in one search at most: a disk has some millions.
const MAX_ENTRIES: u64 = 5_000_000;

/// Folders within folders at most.
const MAX_DEPTH: usize = 64;

/// SQLite databases from this size on are looked into by their table names before they are read as a whole.
const LARGE_DATABASE: u64 = 16 * 1024 * 1024;

/// JSON files from this size on are taken for something else: an export with thousands of devices is smaller.
const LARGE_JSON: u64 = 64 * 1024 * 1024;

/// A store that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The client.
    pub client: &'static str,
    /// Its accounts: address and own device id, as far as the store says.
    pub accounts: Vec<(Option<BareJid>, Option<u32>)>,
    /// What to name as store.
    pub path: PathBuf,
    /// Bytes, with the other files that belong to it.
    pub size: u64,
    /// When one of its files was last written.
    pub modified: Option<When>,
    /// Why it could not be read.
    pub unreadable: Option<String>,
}

/// The result of a search.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The stores, in the order of their paths.
    pub found: Vec<Found>,
    /// Files and folders looked at.
    pub looked_at: u64,
    /// Folders and files that could not be looked into (no permission).
    pub closed: u64,
    /// The search ended at its limit; there may be more.
    pub limited: bool,
}

/// Looks at the default places of every known client.
pub fn at_default_places(folders: &UserFolders, options: &OpenOptions) -> Finding {
    let mut silent = |_| {};
    let mut finder = Finder::new(options, &mut silent);
    for place in FORMATS.iter().flat_map(|format| format.places) {
        for path in folders.existing(place) {
            finder.start(&path, place.depth);
        }
    }
    finder.finish()
}

/// Looks through a whole folder. `progress` is told how many files and folders were looked at.
pub fn below(folder: &Path, options: &OpenOptions, progress: &mut dyn FnMut(u64)) -> Finding {
    let mut finder = Finder::new(options, progress);
    finder.start(folder, MAX_DEPTH);
    finder.finish()
}

struct Finder<'a> {
    options: &'a OpenOptions,
    progress: &'a mut dyn FnMut(u64),
    finding: Finding,
    /// Files that belong to a store already found, and places already searched.
    seen: HashSet<PathBuf>,
}

impl<'a> Finder<'a> {
    fn new(options: &'a OpenOptions, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self { options, progress, finding: Finding::default(), seen: HashSet::new() }
    }

    fn finish(mut self) -> Finding {
        self.finding.found.sort_by(|a, b| a.path.cmp(&b.path));
        self.finding
    }

    fn start(&mut self, path: &Path, depth: usize) {
        // The named place itself may be a link: whoever named it meant where it leads.
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => self.folder(path, depth),
            Ok(metadata) if metadata.is_file() => self.file(path, &metadata),
            Ok(_) => {}
            Err(_) => self.finding.closed += 1,
        }
    }

    fn folder(&mut self, path: &Path, depth: usize) {
        let mut waiting = vec![(path.to_path_buf(), depth)];
        while let Some((folder, depth)) = waiting.pop() {
            if !self.count() {
                return;
            }
            if !self.seen.insert(folder.clone()) || self.try_candidate(&Candidate::folder(&folder)) {
                continue;
            }
            let Ok(listing) = std::fs::read_dir(&folder) else {
                self.finding.closed += 1;
                continue;
            };
            let mut entries: Vec<DirEntry> = listing.flatten().collect();
            entries.sort_by_key(DirEntry::file_name);
            for entry in entries {
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    if depth > 0 {
                        waiting.push((entry.path(), depth - 1));
                    }
                } else if kind.is_file() {
                    if !self.count() {
                        return;
                    }
                    if !is_media(&entry.path()) {
                        match entry.metadata() {
                            Ok(metadata) => self.file(&entry.path(), &metadata),
                            Err(_) => self.finding.closed += 1,
                        }
                    }
                }
            }
        }
    }

    /// Whether the search may go on.
    fn count(&mut self) -> bool {
        self.finding.looked_at += 1;
        (self.progress)(self.finding.looked_at);
        self.finding.limited |= self.finding.looked_at >= MAX_ENTRIES;
        !self.finding.limited
    }

    fn file(&mut self, path: &Path, metadata: &Metadata) {
        if metadata.len() == 0 || self.seen.contains(path) {
            return;
        }
        match first_bytes(path) {
            Some(head) if is_worth_opening(path, &head, metadata.len()) => {}
            Some(_) => return,
            None => {
                self.finding.closed += 1;
                return;
            }
        }
        if let Ok(candidate) = Candidate::file(path) {
            self.try_candidate(&candidate);
        }
    }

    fn try_candidate(&mut self, candidate: &Candidate) -> bool {
        let Some(format) = recognise(candidate) else { return false };
        let mut files = vec![candidate.path().to_path_buf()];
        let mut found = Found {
            client: format.client.name,
            accounts: Vec::new(),
            path: candidate.path().to_path_buf(),
            size: 0,
            modified: None,
            unreadable: None,
        };
        match (format.read)(candidate, self.options) {
            Ok(reading) => {
                if let Some(account) = reading.accounts.first() {
                    found.client = account.client.name;
                }
                found.accounts = reading.accounts.iter().map(|account| (account.jid.clone(), account.own_device_id)).collect();
                files.extend(reading.files);
            }
            Err(error) => found.unreadable = Some(error.says),
        }
        let metadata: Vec<Metadata> = files.iter().filter_map(|file| file.metadata().ok()).collect();
        found.size = metadata.iter().filter(|metadata| metadata.is_file()).map(Metadata::len).sum();
        found.modified = metadata.iter().filter_map(seconds).max().and_then(When::from_unix_seconds);
        self.seen.extend(files);
        self.finding.found.push(found);
        true
    }
}

fn seconds(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Endings of files that are never a store: pictures, sound, archives, programs, source.
const MEDIA: &[&str] = &[
    "7z", "a", "apk", "avi", "bin", "bmp", "bz2", "c", "class", "cpp", "css", "deb", "dll", "dylib", "epub", "exe", "flac",
    "gif", "gz", "h", "heic", "hpp", "html", "ico", "iso", "jar", "java", "jpeg", "jpg", "js", "m4a", "map", "md", "mkv", "mo",
    "mov", "mp3", "mp4", "o", "odt", "ogg", "opus", "otf", "pak", "pdf", "png", "po", "ppt", "pptx", "py", "pyc", "rar", "rlib",
    "rpm", "rs", "so", "svg", "tar", "tgz", "tif", "tiff", "ts", "ttf", "wav", "webm", "webp", "woff", "woff2", "xls", "xlsx",
    "xz", "zip", "zst",
];

fn is_media(path: &Path) -> bool {
    let Some(ending) = path.extension().and_then(|ending| ending.to_str()) else { return false };
    MEDIA.binary_search(&ending.to_ascii_lowercase().as_str()).is_ok()
}

/// First bytes of what is never a store, whatever its name.
const FOREIGN: &[&[u8]] = &[
    b"\x7fELF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"%PDF",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"RIFF",
    b"OggS",
    b"ID3",
    b"#!",
    b"<!DOCTYPE",
    b"<html",
    b"\xca\xfe\xba\xbe",
    b"!<arch>",
];

fn first_bytes(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(64);
    File::open(path).ok()?.take(64).read_to_end(&mut head).ok()?;
    Some(head)
}

fn is_worth_opening(path: &Path, head: &[u8], length: u64) -> bool {
    if FOREIGN.iter().any(|magic| head.starts_with(magic)) {
        return false;
    }
    if sqlite::has_magic(head) {
        return length < LARGE_DATABASE || has_promising_table(path);
    }
    let json = head.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'['));
    !json || length < LARGE_JSON
}

/// Words in the names of tables that hold keys, in every client's schema.
const TABLE_WORDS: &[&str] =
    &["omemo", "identit", "session", "signal", "axolotl", "prekey", "pre_key", "simple_store", "account"];

/// Whether a large database has tables that may hold keys. Browsers and mail programs have many others.
fn has_promising_table(path: &Path) -> bool {
    let Ok(database) = Database::open_in_place(path) else { return true };
    database.table_names().any(|table| {
        let table = table.to_ascii_lowercase();
        TABLE_WORDS.iter().any(|word| table.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_sorted() {
        assert!(MEDIA.is_sorted());
        assert!(is_media(Path::new("a/B.PNG")));
        assert!(!is_media(Path::new("a/omemo.db")));
        assert!(!is_media(Path::new("history")));
    }
}
