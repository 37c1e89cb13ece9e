//! A database file in memory, as the last committed transaction left it.
//! Source: "Database File Format", sqlite.org/fileformat2.html.

use crate::input::InputError;
use crate::model::{Part, Place, Problem, ProblemScope};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A cut file is filled up with zeros to the size that its header names, up to this size: behind it, only what
/// is there can be read.
const MAX_PADDED: u64 = 64 * 1024 * 1024;

/// Length of the database header.
pub(super) const HEADER: usize = 100;

/// A database file's bytes.
pub struct Image {
    path: PathBuf,
    bytes: Vec<u8>,
    page_size: usize,
    problems: Vec<Problem>,
}

/// The page size that a database's header names. The header must be there and the size a possible one.
pub(super) fn page_size(path: &Path, header: &[u8]) -> Result<usize, InputError> {
    if header.len() < HEADER {
        let says = format!("an SQLite database cut to {} bytes; not even its header of {HEADER} bytes is whole", header.len());
        return Err(InputError::new(path, says));
    }
    let page_size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65536,
        size => usize::from(size),
    };
    if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(InputError::new(path, format!("an SQLite database with a damaged header: page size {page_size}")));
    }
    Ok(page_size)
}

/// The size in pages that a database's header names, if it is valid (bytes 92 to 95 repeat the change counter).
pub(super) fn header_pages(header: &[u8]) -> Option<u32> {
    let pages = be32(header, 28)?;
    (pages != 0 && be32(header, 24) == be32(header, 92)).then_some(pages)
}

/// Bytes of a page that SQLite uses; `None` if the reserved space that the header names is no possible one.
pub(super) fn usable(header: &[u8], page_size: usize) -> Option<usize> {
    page_size.checked_sub(usize::from(*header.get(20)?)).filter(|&usable| usable >= 480)
}

impl Image {
    /// From a database file's bytes. The header must be there and name a possible page size.
    pub fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, InputError> {
        let page_size = page_size(path, &bytes)?;
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
        if let Some(pages) = header_pages(&self.bytes).map(|pages| pages as usize) {
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
        if usable(&self.bytes, self.page_size).is_none() {
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

/// Reads from a place until the buffer is full or the end is reached, and says how much was read.
pub(super) fn read_at(from: &mut (impl Read + Seek + ?Sized), at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    from.seek(SeekFrom::Start(at))?;
    fill(from, buffer)
}

/// Reads until the buffer is full or the end is reached, and says how much was read.
pub(super) fn fill(from: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
