//! LevelDB folders, read and never opened: no lock is taken, no log is replayed into a table, nothing is
//! written. Of every key the entry with the highest sequence number counts, as it does for LevelDB.
//!
//! Layout after LevelDB's `doc/log_format.md`, `doc/table_format.md` and `db/version_edit.cc`.

mod log;
mod table;

pub use table::decompress as table_decompress;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Files read of one folder at most: a browser compacts long before.
const MAX_FILES: usize = 4096;

/// Bytes read of all files together. Browsers cap a site's Local Storage at some 10 MiB.
const MAX_TOTAL: u64 = 512 * 1024 * 1024;

/// A LevelDB folder's live entries.
#[derive(Default)]
pub struct LevelDb {
    /// Key to value, without deleted keys.
    pub entries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What could not be read: file and one sentence.
    pub problems: Vec<(PathBuf, String)>,
    /// Files that were read.
    pub files: Vec<PathBuf>,
}

impl std::fmt::Debug for LevelDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be keys of an account.
        f.debug_struct("LevelDb").field("entries", &self.entries.len()).field("problems", &self.problems).finish_non_exhaustive()
    }
}

/// Whether these names are those of a LevelDB folder.
pub fn is_leveldb(entries: &[PathBuf]) -> bool {
    let names = || entries.iter().filter_map(|path| path.file_name()?.to_str());
    names().any(|name| name == "CURRENT") && names().any(|name| name.starts_with("MANIFEST-"))
}

/// The newest state of a key, while files are gathered in any order.
struct Newest {
    sequence: u64,
    /// `None`: deleted.
    value: Option<Vec<u8>>,
}

/// All entries, gathered.
#[derive(Default)]
struct Gathered(BTreeMap<Vec<u8>, Newest>);

impl Gathered {
    fn put(&mut self, key: &[u8], sequence: u64, value: Option<&[u8]>) {
        match self.0.get_mut(key) {
            Some(newest) if newest.sequence > sequence => {}
            Some(newest) => *newest = Newest { sequence, value: value.map(<[u8]>::to_vec) },
            None => {
                self.0.insert(key.to_vec(), Newest { sequence, value: value.map(<[u8]>::to_vec) });
            }
        }
    }
}

/// Reads a LevelDB folder with these files in it.
pub fn read(paths: &[PathBuf]) -> LevelDb {
    let mut database = LevelDb::default();
    let mut gathered = Gathered::default();
    let mut left = MAX_TOTAL;
    let live = live_files(paths, &mut left);
    for path in paths.iter().take(MAX_FILES) {
        let Some((number, kind)) = numbered(path) else { continue };
        if live.as_ref().is_some_and(|live| !live.contains(number, kind)) {
            continue;
        }
        let Some(bytes) = read_file(path, &mut left) else {
            database.problems.push((path.clone(), "this file of a LevelDB folder cannot be read or is too large".into()));
            continue;
        };
        let says = match kind {
            Kind::Log => log::read(&bytes, &mut gathered),
            Kind::Table => table::read(&bytes, &mut gathered),
        };
        database.problems.extend(says.map(|says| (path.clone(), says)));
        database.files.push(path.clone());
    }
    database.entries = gathered.0.into_iter().filter_map(|(key, newest)| Some((key, newest.value?))).collect();
    database
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Log,
    Table,
}

fn numbered(path: &Path) -> Option<(u64, Kind)> {
    let kind = match path.extension()?.to_str()? {
        "log" => Kind::Log,
        "ldb" | "sst" => Kind::Table,
        _ => return None,
    };
    Some((path.file_stem()?.to_str()?.parse().ok()?, kind))
}

fn read_file(path: &Path, left: &mut u64) -> Option<Zeroizing<Vec<u8>>> {
    // A link could lead out of the folder that was named.
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = *left;
    File::open(path).ok()?.take(limit.saturating_add(1)).read_to_end(&mut bytes).ok()?;
    let length = bytes.len() as u64;
    *left = limit.checked_sub(length)?;
    Some(bytes)
}

/// What the manifest counts as live.
struct Live {
    tables: BTreeSet<u64>,
    log_number: u64,
    previous_log: u64,
}

impl Live {
    fn contains(&self, number: u64, kind: Kind) -> bool {
        match kind {
            Kind::Log => number >= self.log_number || number == self.previous_log,
            Kind::Table => self.tables.contains(&number),
        }
    }
}

/// Live files after `CURRENT` and its manifest; `None` (all files) where they cannot be understood.
fn live_files(paths: &[PathBuf], left: &mut u64) -> Option<Live> {
    let named = |name: &str| paths.iter().find(|path| path.file_name().is_some_and(|n| n == name));
    let current = read_file(named("CURRENT")?, left)?;
    let manifest = read_file(named(std::str::from_utf8(&current).ok()?.trim())?, left)?;
    let mut live = Live { tables: BTreeSet::new(), log_number: 0, previous_log: 0 };
    let (records, damage) = log::records(&manifest);
    for record in &records {
        apply_edit(record, &mut live)?;
    }
    (damage.is_none() && !records.is_empty()).then_some(live)
}

/// One `VersionEdit`.
fn apply_edit(record: &[u8], live: &mut Live) -> Option<()> {
    let mut bytes = Cursor(record);
    while !bytes.0.is_empty() {
        match bytes.varint()? {
            // Comparator.
            1 => drop(bytes.prefixed()?),
            2 => live.log_number = bytes.varint()?,
            // Next file, last sequence.
            3 | 4 => drop(bytes.varint()?),
            // Compact pointer: level and key.
            5 => {
                bytes.varint()?;
                bytes.prefixed()?;
            }
            // Deleted file: level and number.
            6 => {
                bytes.varint()?;
                live.tables.remove(&bytes.varint()?);
            }
            // New file: level, number, size, smallest key, largest key.
            7 => {
                bytes.varint()?;
                live.tables.insert(bytes.varint()?);
                bytes.varint()?;
                bytes.prefixed()?;
                bytes.prefixed()?;
            }
            9 => live.previous_log = bytes.varint()?,
            _ => return None,
        }
    }
    Some(())
}

/// Reads numbers and strings off the front of bytes.
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next bytes; `None` if there are fewer.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// Little-endian base-128 number.
    pub fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A string after its length.
    pub fn prefixed(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }
}

/// For tests here and of what reads these folders.
#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }

    /// A record of a log in one fragment; nobody checks the CRC.
    fn record(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_le_bytes();
        [&[0; 4][..], &length, &[1], content].concat()
    }

    /// Sequence number, then keys with a value or a deletion.
    fn batch(sequence: u64, entries: &[(&str, Option<&str>)]) -> Vec<u8> {
        let mut out = sequence.to_le_bytes().to_vec();
        out.extend(u32::try_from(entries.len()).expect("few").to_le_bytes());
        for (key, value) in entries {
            out.push(u8::from(value.is_some()));
            for text in std::iter::once(*key).chain(*value) {
                out.extend(varint(text.len() as u64));
                out.extend(text.bytes());
            }
        }
        out
    }

    fn block(entries: &[(Vec<u8>, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut before: &[u8] = &[];
        for (key, value) in entries {
            let shared = key.iter().zip(before).take_while(|(a, b)| a == b).count();
            for number in [shared, key.len() - shared, value.len()] {
                out.extend(varint(number as u64));
            }
            out.extend(&key[shared..]);
            out.extend(*value);
            before = key;
        }
        out.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        out
    }

    /// Appends a block and returns its handle.
    fn append(table: &mut Vec<u8>, block: &[u8], snappy: bool) -> Vec<u8> {
        let stored = if snappy { snap::raw::Encoder::new().compress_vec(block).expect("compresses") } else { block.to_vec() };
        let handle = [varint(table.len() as u64), varint(stored.len() as u64)].concat();
        table.extend(stored);
        table.extend([u8::from(snappy), 0, 0, 0, 0]);
        handle
    }

    fn table(sequence: u64, entries: &[(&str, Option<&str>)], snappy: bool) -> Vec<u8> {
        let bytes = |(key, value): &(&str, Option<&str>)| (key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()));
        table_of(sequence, &entries.iter().map(bytes).collect::<Vec<_>>(), snappy)
    }

    /// A table with one block. The keys must be sorted.
    pub fn table_of(sequence: u64, entries: &[(Vec<u8>, Option<Vec<u8>>)], snappy: bool) -> Vec<u8> {
        let entries: Vec<(Vec<u8>, &[u8])> = entries
            .iter()
            .map(|(key, value)| {
                let tag = sequence << 8 | u64::from(value.is_some());
                ([key, &tag.to_le_bytes()[..]].concat(), value.as_deref().unwrap_or_default())
            })
            .collect();
        let mut table = Vec::new();
        let data = append(&mut table, &block(&entries), snappy);
        let meta = append(&mut table, &block(&[]), false);
        let index = append(&mut table, &block(&[(b"zzz".to_vec(), &data)]), snappy);
        let mut footer = [meta, index].concat();
        footer.resize(40, 0);
        footer.extend(0xdb47_7524_8b80_fb57u64.to_le_bytes());
        table.extend(footer);
        table
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a temporary folder"))
        }

        fn file(&self, name: &str, bytes: &[u8]) -> &Self {
            std::fs::write(self.0.path().join(name), bytes).expect("a file");
            self
        }

        fn read(&self) -> LevelDb {
            let mut paths: Vec<_> = std::fs::read_dir(self.0.path()).expect("the folder").flatten().map(|e| e.path()).collect();
            paths.sort();
            read(&paths)
        }
    }

    fn texts(database: &LevelDb) -> Vec<(String, String)> {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        database.entries.iter().map(|(key, value)| (text(key), text(value))).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_highest_sequence_number_counts() {
        for snappy in [false, true] {
            let folder = Folder::new();
            folder
                .file(
                    "000005.ldb",
                    &table(3, &[("key-a", Some("old")), ("key-b", Some("kept")), ("key-c", Some("gone"))], snappy),
                )
                .file("000006.log", &record(&batch(8, &[("key-a", Some("new")), ("key-c", None)])));
            let database = folder.read();
            assert_eq!(texts(&database), pairs(&[("key-a", "new"), ("key-b", "kept")]));
            assert_eq!(database.problems, []);
        }
    }

    #[test]
    fn tables_that_the_manifest_dropped_do_not_count() {
        let new_file = |number: u64| [vec![7, 0], varint(number), vec![9, 1, b'a', 1, b'z']].concat();
        let edit = [vec![1, 1, b'c'], vec![2, 6], new_file(4), new_file(5)].concat();
        let later = vec![6, 0, 4];
        let folder = Folder::new();
        folder
            .file("CURRENT", b"MANIFEST-000001\n")
            .file("MANIFEST-000001", &[record(&edit), record(&later)].concat())
            .file("000003.log", &record(&batch(1, &[("z", Some("from an old log"))])))
            .file("000004.ldb", &table(1, &[("a", Some("dropped"))], false))
            .file("000005.ldb", &table(2, &[("b", Some("live"))], false));
        assert_eq!(texts(&folder.read()), pairs(&[("b", "live")]));
    }

    #[test]
    fn damage_is_told_and_the_rest_read() {
        let whole = record(&batch(1, &[("a", Some("1"))]));
        let cut = record(&batch(2, &[("b", Some("22222222"))]));
        let folder = Folder::new();
        folder.file("000001.log", &[whole, cut[..cut.len() - 3].to_vec()].concat()).file("000002.ldb", b"no table");
        let database = folder.read();
        assert_eq!(texts(&database), pairs(&[("a", "1")]));
        assert_eq!(database.problems.len(), 2);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut gathered = Gathered::default();
            let _ = log::read(&bytes, &mut gathered);
            let _ = table::read(&bytes, &mut gathered);
        }

        #[test]
        fn a_changed_byte_never_panics(place in 0usize..200, byte in any::<u8>(), snappy in any::<bool>()) {
            let mut bytes = table(3, &[("key-a", Some("value")), ("key-b", Some("other"))], snappy);
            let place = place % bytes.len();
            bytes[place] = byte;
            let _ = table::read(&bytes, &mut Gathered::default());
        }
    }
}
