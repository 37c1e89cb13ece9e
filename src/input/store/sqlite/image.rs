//! A database file in memory, as the last committed transaction left it.
//! Source: "Database File Format", sqlite.org/fileformat2.html.

use super::{journal, wal};
use crate::input::InputError;
use crate::input::store::describe;
use crate::model::{Part, Place, Problem, ProblemScope};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Largest database that is read into memory when nothing has to be put in place beside it.
const MAX_PLAIN: u64 = 256 * 1024 * 1024;

/// Largest database that is read into memory because pages of a `-wal` or `-journal` belong into it.
const MAX_WITH_LOG: u64 = 1024 * 1024 * 1024;

/// A cut file is filled up with zeros to the size that its header names, up to this size: behind it, only what
/// is there can be read.
const MAX_PADDED: u64 = 64 * 1024 * 1024;

/// Tries to read a database that a running client is writing to.
const READ_ATTEMPTS: usize = 5;

/// Length of the database header.
const HEADER: usize = 100;

/// What [`read`] found.
pub enum Source {
    /// The finished image.
    Memory(Image),
    /// Too large for memory, and nothing lies beside it that belongs into it.
    TooLarge,
}

/// A database file's bytes.
pub struct Image {
    path: PathBuf,
    bytes: Vec<u8>,
    page_size: usize,
    problems: Vec<Problem>,
}

/// Reads a database file and puts the pages of its `-wal` or hot `-journal` in place.
pub fn read(path: &Path) -> Result<Source, InputError> {
    let wal_path = beside(path, "-wal");
    let journal_path = beside(path, "-journal");
    let mut calm = false;
    let mut parts = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..READ_ATTEMPTS {
        let before = [stamp(path), stamp(&wal_path), stamp(&journal_path)];
        let [length, wal_length, journal_length] = before.map(|stamp| stamp.map_or(0, |(length, _)| length));
        if wal_length == 0 && journal_length == 0 && length > MAX_PLAIN {
            return Ok(Source::TooLarge);
        }
        if length > MAX_WITH_LOG || wal_length > MAX_WITH_LOG || journal_length > MAX_WITH_LOG {
            let says = format!(
                "the database and its -wal or -journal are larger than {} MiB; let the client close it, so that only one file is left",
                MAX_WITH_LOG / 1024 / 1024
            );
            return Err(InputError::new(path, says));
        }
        let bytes = read_file(path, MAX_WITH_LOG).map_err(|error| describe::unreadable(path, &error))?;
        let wal = if wal_length > 0 { read_file(&wal_path, MAX_WITH_LOG).unwrap_or_default() } else { Vec::new() };
        let journal = if journal_length > 0 { read_file(&journal_path, MAX_WITH_LOG).unwrap_or_default() } else { Vec::new() };
        parts = (bytes, wal, journal);
        calm = before == [stamp(path), stamp(&wal_path), stamp(&journal_path)];
        if calm {
            break;
        }
    }
    let (bytes, wal_bytes, journal_bytes) = parts;
    let mut image = Image::new(path, bytes)?;
    if !calm {
        image.problem(path, "it changed while it was read, because its client is running; some rows may be half written".into());
    }
    if !journal_bytes.is_empty() {
        image.apply_journal(&journal_path, &journal_bytes);
    }
    if !wal_bytes.is_empty() {
        image.apply_wal(&wal_path, &wal_bytes);
    }
    Ok(Source::Memory(image))
}

/// Length and time of change; `None` if there is no such file.
fn stamp(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

fn read_file(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Image {
    /// From a database file's bytes. The header must be there and name a possible page size.
    pub fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, InputError> {
        if bytes.len() < HEADER {
            let says = format!("an SQLite database cut to {} bytes; not even its header of {HEADER} bytes is whole", bytes.len());
            return Err(InputError::new(path, says));
        }
        let page_size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65536,
            size => usize::from(size),
        };
        if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() {
            return Err(InputError::new(path, format!("an SQLite database with a damaged header: page size {page_size}")));
        }
        Ok(Self { path: path.into(), bytes, page_size, problems: Vec::new() })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was found on the way.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Makes it a lone file that SQLite opens from memory: no write-ahead log, and as long as its header says.
    pub fn prepare(&mut self) {
        // 1 = rollback journal: an image in memory has no -wal, and none is wanted.
        self.bytes[18] = 1;
        self.bytes[19] = 1;
        self.repair_header();
        let pages_there = self.bytes.len().div_ceil(self.page_size);
        let cut_page = !self.bytes.len().is_multiple_of(self.page_size);
        let mut wanted = pages_there;
        if let Some(pages) = self.header_pages() {
            if pages > pages_there || (pages == pages_there && cut_page) {
                let says =
                    format!("the file is cut: {} of {} bytes are there", self.bytes.len(), pages as u64 * self.page_size as u64);
                self.problem(&self.path.clone(), says);
            }
            wanted = wanted.max(pages);
        }
        let padded = wanted as u64 * self.page_size as u64;
        if padded > MAX_PADDED.max(self.bytes.len() as u64 + self.page_size as u64) {
            // A header that promises far more than there is: believe the file.
            wanted = pages_there;
            self.bytes[28..32].copy_from_slice(&u32::try_from(wanted).unwrap_or(u32::MAX).to_be_bytes());
        }
        self.bytes.resize(wanted * self.page_size, 0);
    }

    /// Header fields with only a few valid values: a wrong one would make SQLite refuse the whole file.
    fn repair_header(&mut self) {
        let mut damaged = Vec::new();
        let reserved = usize::from(self.bytes[20]);
        if self.page_size - reserved < 480 {
            self.bytes[20] = 0;
            damaged.push("reserved space");
        }
        if self.bytes[21..24] != [64, 32, 32] {
            self.bytes[21..24].copy_from_slice(&[64, 32, 32]);
            damaged.push("payload fractions");
        }
        if !be32(&self.bytes, 44).is_some_and(|format| (1..=4).contains(&format)) {
            // Format 4 reads the records of the older ones too.
            self.bytes[44..48].copy_from_slice(&4u32.to_be_bytes());
            damaged.push("schema format");
        }
        if !be32(&self.bytes, 56).is_some_and(|encoding| (1..=3).contains(&encoding)) {
            self.bytes[56..60].copy_from_slice(&1u32.to_be_bytes());
            damaged.push("text encoding");
        }
        if !damaged.is_empty() {
            let says = format!("the header of the database is damaged ({}); the usual values were taken", damaged.join(", "));
            self.problem(&self.path.clone(), says);
        }
    }

    /// The size in pages that the header names, if it is valid (bytes 92 to 95 repeat the change counter).
    fn header_pages(&self) -> Option<usize> {
        let pages = be32(&self.bytes, 28)?;
        (pages != 0 && be32(&self.bytes, 24) == be32(&self.bytes, 92)).then_some(pages as usize)
    }

    fn apply_wal(&mut self, path: &Path, bytes: &[u8]) {
        let log = match wal::committed(bytes) {
            Ok(log) => log,
            Err(says) => return self.problem(path, format!("the write-ahead log was not used: {says}")),
        };
        if log.page_size != self.page_size {
            let says = format!(
                "the write-ahead log was not used: its pages have {} bytes, the database's {}",
                log.page_size, self.page_size
            );
            return self.problem(path, says);
        }
        if let Some(says) = log.cut {
            self.problem(path, says);
        }
        if let Some(pages) = log.database_pages {
            self.put_pages(log.pages.into_iter(), pages);
        }
    }

    fn apply_journal(&mut self, path: &Path, bytes: &[u8]) {
        match journal::hot(bytes, self.page_size) {
            Ok(None) => {}
            Ok(Some(journal)) => {
                if journal.super_journal.as_deref().is_some_and(|name| !Path::new(name).exists()) {
                    // The transaction over several files was committed: the journal is left over.
                    return;
                }
                self.put_pages(journal.pages.into_iter(), journal.database_pages);
            }
            Err(says) => self.problem(path, format!("the rollback journal was not used: {says}")),
        }
    }

    fn put_pages<'a>(&mut self, pages: impl Iterator<Item = (u32, &'a [u8])>, database_pages: u32) {
        let length = (database_pages as usize).saturating_mul(self.page_size);
        if length as u64 <= MAX_WITH_LOG && length >= HEADER {
            // A page that neither the file nor the log holds stays zero and is reported when it is read.
            self.bytes.resize(length, 0);
        }
        for (number, page) in pages {
            let Some(start) = (number as usize).checked_sub(1).and_then(|index| index.checked_mul(self.page_size)) else {
                continue;
            };
            if let Some(place) = self.bytes.get_mut(start..start.saturating_add(page.len())) {
                place.copy_from_slice(page);
            }
        }
    }

    fn problem(&mut self, path: &Path, says: String) {
        let place = Place { file: path.into(), part: Part::Whole };
        self.problems.push(Problem { place, says, scope: ProblemScope::Store });
    }
}

/// Four bytes, most significant first.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}
