//! A file or folder that may be a store, examined by content and only as far as somebody asks.

use super::describe;
use super::key_file::KeyFile;
use super::sqlite::{self, Database};
use crate::input::InputError;
use crate::model::Problem;
use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How much of a file's beginning is looked at to tell what it is.
const HEAD_LENGTH: u64 = 64 * 1024;

/// Largest text or JSON store that is read (a python-omemo file with thousands of devices has a few MiB).
pub const MAX_FILE: u64 = 256 * 1024 * 1024;

/// Names looked at in one folder at most.
const MAX_FOLDER_ENTRIES: usize = 20_000;

/// A file or folder that may be a store.
#[derive(Debug)]
pub struct Candidate {
    file: Arc<Path>,
    is_folder: bool,
    length: u64,
    head: OnceCell<Zeroizing<Vec<u8>>>,
    bytes: OnceCell<Option<Zeroizing<Vec<u8>>>>,
    database: OnceCell<Option<Result<Database, InputError>>>,
    json: OnceCell<Option<serde_json::Value>>,
    key_file: OnceCell<Option<KeyFile>>,
    entries: OnceCell<Vec<PathBuf>>,
}

impl Candidate {
    /// A file on disk. Nothing is read yet.
    pub fn file(path: &Path) -> Result<Self, InputError> {
        let metadata = std::fs::metadata(path).map_err(|error| describe::unreadable(path, &error))?;
        File::open(path).map_err(|error| describe::unreadable(path, &error))?;
        Ok(Self { length: metadata.len(), ..Self::empty(path, false) })
    }

    /// A folder on disk.
    pub fn folder(path: &Path) -> Self {
        Self::empty(path, true)
    }

    /// Bytes in memory, as if they were the whole file `path`; nothing is read from disk but siblings.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Self {
        let head: Vec<u8> = bytes.iter().copied().take(HEAD_LENGTH as usize).collect();
        let database = sqlite::has_magic(&head).then(|| Database::from_image(path, bytes.clone()));
        Self {
            length: bytes.len() as u64,
            head: OnceCell::from(Zeroizing::new(head)),
            bytes: OnceCell::from(Some(Zeroizing::new(bytes))),
            database: OnceCell::from(database),
            ..Self::empty(path, false)
        }
    }

    fn empty(path: &Path, is_folder: bool) -> Self {
        Self {
            file: path.into(),
            is_folder,
            length: 0,
            head: OnceCell::new(),
            bytes: OnceCell::new(),
            database: OnceCell::new(),
            json: OnceCell::new(),
            key_file: OnceCell::new(),
            entries: OnceCell::new(),
        }
    }

    /// Its path as it was named.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Its path, shared for [`crate::model::Place`]s.
    pub fn place_file(&self) -> &Arc<Path> {
        &self.file
    }

    /// The last part of its path; empty if that is not UTF-8.
    pub fn name(&self) -> &str {
        self.file.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// Length in bytes; 0 for a folder.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        if self.is_folder { self.entries().is_empty() } else { self.length == 0 }
    }

    /// A file beside it (or in it, if it is a folder).
    pub fn sibling(&self, name: &str) -> PathBuf {
        self.folder_path().join(name)
    }

    /// The files and folders beside it (or in it, if it is a folder), sorted by name.
    pub fn entries(&self) -> &[PathBuf] {
        self.entries.get_or_init(|| {
            let Ok(listing) = std::fs::read_dir(self.folder_path()) else { return Vec::new() };
            let mut paths: Vec<_> = listing.flatten().take(MAX_FOLDER_ENTRIES).map(|entry| entry.path()).collect();
            paths.sort();
            paths
        })
    }

    /// The folder it lies in, or itself.
    pub fn folder_path(&self) -> PathBuf {
        if self.is_folder {
            return self.file.to_path_buf();
        }
        match self.file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        }
    }

    /// The file's beginning, up to 64 KiB; empty for a folder or if it cannot be read.
    pub fn head(&self) -> &[u8] {
        self.head.get_or_init(|| Zeroizing::new(self.read(HEAD_LENGTH).unwrap_or_default()))
    }

    /// The whole file; `None` for a folder, if it is larger than [`MAX_FILE`] or cannot be read.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes
            .get_or_init(|| {
                let bytes = (self.length <= MAX_FILE).then(|| self.read(MAX_FILE)).flatten();
                bytes.map(Zeroizing::new)
            })
            .as_ref()
            .map(|bytes| bytes.as_slice())
    }

    /// A stream of the file from byte `start` on, for formats that may be too large for [`Self::bytes`].
    pub fn reader_from(&self, start: u64) -> io::Result<Box<dyn Read + '_>> {
        if let Some(Some(bytes)) = self.bytes.get() {
            let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
            return Ok(Box::new(rest));
        }
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Box::new(BufReader::new(file)))
    }

    /// The whole file as UTF-8 text, without a byte order mark.
    pub fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.bytes()?).ok()?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// As an SQLite database, with what its `-wal` or `-journal` adds; `None` if it is none or cannot be opened.
    pub fn database(&self) -> Option<&Database> {
        self.open_database().and_then(|database| database.as_ref().ok())
    }

    /// Why a file with SQLite's magic bytes could not be opened as a database.
    pub fn database_error(&self) -> Option<&InputError> {
        self.open_database().and_then(|database| database.as_ref().err())
    }

    fn open_database(&self) -> Option<&Result<Database, InputError>> {
        self.database.get_or_init(|| sqlite::has_magic(self.head()).then(|| Database::open(&self.file))).as_ref()
    }

    /// Whether the first visible character begins a JSON object or array. Also true of a damaged JSON file.
    pub fn looks_like_json(&self) -> bool {
        let head = self.head();
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    /// As JSON; `None` if it is none or damaged ([`Self::text`] gives what there is).
    pub fn json(&self) -> Option<&serde_json::Value> {
        self.json.get_or_init(|| self.looks_like_json().then(|| serde_json::from_str(self.text()?).ok()).flatten()).as_ref()
    }

    /// As a GLib key file (`[group]`, `key=value`); `None` if its first line of content is no group.
    pub fn key_file(&self) -> Option<&KeyFile> {
        self.key_file
            .get_or_init(|| {
                (!self.is_folder && KeyFile::looks_like(self.head())).then(|| self.bytes().map(KeyFile::parse)).flatten()
            })
            .as_ref()
    }

    /// What examining it brought up so far (a database's damaged pages, a cut `-wal`).
    pub fn problems(&self) -> Vec<Problem> {
        match self.database.get() {
            Some(Some(Ok(database))) => database.take_problems(),
            _ => Vec::new(),
        }
    }

    fn read(&self, limit: u64) -> Option<Vec<u8>> {
        if self.is_folder {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(&self.file).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}
