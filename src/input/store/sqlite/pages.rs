//! The pages of a database as the last committed transaction left them: those of the file with those of its
//! `-wal` and hot `-journal` over them. Only where each page stands is kept in memory.

use super::image::{self, HEADER, read_at};
use super::{journal, wal};
use crate::input::InputError;
use crate::input::store::describe;
use crate::model::{Part, Place, Problem, ProblemScope};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Largest `-wal` or `-journal` that is read through.
const MAX_LOG: u64 = 4 * 1024 * 1024 * 1024;

/// Tries to read a database that a running client is writing to.
pub const READ_ATTEMPTS: usize = 5;

/// A file, or bytes in memory.
trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

/// The pages of a database.
pub struct Pages {
    path: PathBuf,
    file: Box<dyn Bytes>,
    length: u64,
    page_size: usize,
    count: u32,
    /// The later ones count.
    logs: Vec<Log>,
    /// How the files looked; `None` for bytes in memory, which nobody changes.
    state: Option<State>,
    problems: Vec<Problem>,
}

/// Pages that belong over those of the file.
struct Log {
    bytes: Box<dyn Bytes>,
    starts: BTreeMap<u32, u64>,
}

/// Length and time of change; `None` if there is no such file.
type Stamp = Option<(u64, Option<SystemTime>)>;

/// How the files of a database look.
#[derive(PartialEq)]
struct State {
    database: Stamp,
    journal: Stamp,
    wal: Stamp,
    wal_header: Vec<u8>,
}

impl State {
    fn of(path: &Path) -> Self {
        let wal_path = beside(path, "-wal");
        let mut wal_header = Vec::new();
        // What cannot be read stays empty.
        let _ = File::open(&wal_path).and_then(|file| file.take(wal::HEADER as u64).read_to_end(&mut wal_header));
        Self { database: stamp(path), journal: stamp(&beside(path, "-journal")), wal: stamp(&wal_path), wal_header }
    }
}

impl Pages {
    /// Opens a database with what lies beside it. Nothing is locked, and nothing but read.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let unreadable = |error| describe::unreadable(path, &error);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let state = State::of(path);
            let file = File::open(path).map_err(unreadable)?;
            let mut pages = Self::new(path, Box::new(file), length(state.database))?;
            for (suffix, stamp) in [("-journal", state.journal), ("-wal", state.wal)] {
                if length(stamp) > MAX_LOG {
                    let says = format!(
                        "its {suffix} is larger than {} MiB; let the client close the database, so that only one file is left",
                        MAX_LOG / 1024 / 1024
                    );
                    return Err(InputError::new(path, says));
                }
                if length(stamp) > 0 {
                    pages.put_over(&beside(path, suffix), suffix == "-journal", length(stamp));
                }
            }
            let calm = state == State::of(path);
            if calm || attempt == READ_ATTEMPTS {
                pages.finish();
                pages.state = Some(state);
                if !calm {
                    pages.changed();
                }
                return Ok(pages);
            }
        }
    }

    /// From the bytes of a database and of its `-wal`.
    pub fn from_bytes(path: &Path, database: Vec<u8>, wal: Vec<u8>) -> Result<Self, InputError> {
        let length = database.len() as u64;
        let mut pages = Self::new(path, Box::new(Cursor::new(database)), length)?;
        pages.put_wal(&beside(path, "-wal"), Cursor::new(wal));
        pages.finish();
        Ok(pages)
    }

    fn new(path: &Path, mut file: Box<dyn Bytes>, length: u64) -> Result<Self, InputError> {
        let mut header = [0; HEADER];
        let there = read_at(&mut *file, 0, &mut header).map_err(|error| describe::unreadable(path, &error))?;
        let page_size = image::page_size(path, &header[..there])?;
        let count = u32::try_from(length.div_ceil(page_size as u64)).unwrap_or(u32::MAX);
        let count = count.max(image::header_pages(&header).unwrap_or_default());
        Ok(Self { path: path.into(), file, length, page_size, count, logs: Vec::new(), state: None, problems: Vec::new() })
    }

    fn put_over(&mut self, path: &Path, is_journal: bool, length: u64) {
        match File::open(path) {
            Ok(file) if is_journal => self.put_journal(path, file, length),
            Ok(file) => self.put_wal(path, file),
            Err(error) => self.problem(path, format!("it was not used, because it cannot be read: {error}")),
        }
    }

    fn put_wal(&mut self, path: &Path, mut bytes: impl Bytes + 'static) {
        let log = match wal::committed(&mut bytes) {
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
        if let Some(count) = log.database_pages {
            self.count = count;
            self.logs.push(Log { bytes: Box::new(bytes), starts: log.pages });
        }
    }

    fn put_journal(&mut self, path: &Path, mut bytes: impl Bytes + 'static, length: u64) {
        match journal::hot(&mut bytes, length, self.page_size) {
            Ok(None) => {}
            Ok(Some(journal)) => {
                if journal.super_journal.as_deref().is_some_and(|name| !Path::new(name).exists()) {
                    // The transaction over several files was committed: the journal is left over.
                    return;
                }
                self.count = journal.database_pages;
                self.logs.push(Log { bytes: Box::new(bytes), starts: journal.pages });
            }
            Err(says) => self.problem(path, format!("the rollback journal was not used: {says}")),
        }
    }

    /// Says where pages are neither in the file nor in a log.
    fn finish(&mut self) {
        let whole = u32::try_from(self.length / self.page_size as u64).unwrap_or(u32::MAX);
        if self.logs.is_empty() || whole >= self.count {
            return;
        }
        let mut elsewhere: Vec<u32> =
            self.logs.iter().flat_map(|log| log.starts.range(whole + 1..=self.count).map(|(&number, _)| number)).collect();
        elsewhere.sort_unstable();
        elsewhere.dedup();
        if (elsewhere.len() as u64) < u64::from(self.count - whole) {
            let says = format!("the file is cut: {} of {} bytes are there", self.length, self.size());
            self.problem(&self.path.clone(), says);
        }
    }

    /// Bytes that [`Self::read_all`] takes.
    pub fn whole_size(&self) -> u64 {
        if self.logs.is_empty() { self.length } else { self.length.max(self.size()) }
    }

    /// Length in bytes that the database should have.
    fn size(&self) -> u64 {
        u64::from(self.count) * self.page_size as u64
    }

    /// How many pages it has.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether nothing belongs over the pages of the file.
    pub fn is_lone_file(&self) -> bool {
        self.logs.is_empty()
    }

    /// Whether what was read since [`Self::open`] belongs together. A client may have gone on writing its `-wal`:
    /// what is committed there stays in its place until it begins the log anew.
    pub fn is_unchanged(&self) -> bool {
        self.state.as_ref().is_none_or(|state| {
            let now = State::of(&self.path);
            now.database == state.database
                && now.journal == state.journal
                && now.wal_header == state.wal_header
                && length(now.wal) >= length(state.wal)
        })
    }

    /// Notes that it changed in the meantime.
    pub fn changed(&mut self) {
        let says = "it changed while it was read, because its client is running; some rows may be half written";
        if !self.problems.iter().any(|problem| problem.says == says) {
            self.problem(&self.path.clone(), says.into());
        }
    }

    /// A page, 1 is the first. What is not there is zero: SQLite takes such a page for damaged when it reads it.
    pub fn read(&mut self, number: u32) -> Vec<u8> {
        let mut page = vec![0; self.page_size];
        let read = match self.logs.iter_mut().rev().find_map(|log| Some((*log.starts.get(&number)?, log))) {
            Some((start, log)) => read_at(&mut *log.bytes, start, &mut page),
            None => read_at(&mut *self.file, u64::from(number.saturating_sub(1)) * self.page_size as u64, &mut page),
        };
        if let Err(error) = read
            && self.problems.len() < MAX_READ_ERRORS
        {
            page.fill(0);
            self.problem(&self.path.clone(), format!("page {number} cannot be read: {error}"));
        }
        page
    }

    /// The whole database.
    pub fn read_all(&mut self) -> Result<Vec<u8>, InputError> {
        let unreadable = |error| describe::unreadable(&self.path, &error);
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or(usize::MAX)];
        let there = read_at(&mut *self.file, 0, &mut bytes).map_err(unreadable)?;
        bytes.truncate(there);
        if !self.logs.is_empty() {
            bytes.resize((self.count as usize).saturating_mul(self.page_size).max(HEADER), 0);
        }
        for log in &mut self.logs {
            for (&number, &start) in &log.starts {
                let at = (number as usize - 1).saturating_mul(self.page_size);
                if let Some(place) = bytes.get_mut(at..at.saturating_add(self.page_size)) {
                    read_at(&mut *log.bytes, start, place).map_err(unreadable)?;
                }
            }
        }
        Ok(bytes)
    }

    /// What was found on the way; each is given once.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    fn problem(&mut self, path: &Path, says: String) {
        let place = Place { file: path.into(), part: Part::Whole };
        self.problems.push(Problem { place, says, scope: ProblemScope::Store });
    }
}

/// Pages that cannot be read are named up to this number.
const MAX_READ_ERRORS: usize = 10;

fn length(stamp: Stamp) -> u64 {
    stamp.map_or(0, |(length, _)| length)
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
