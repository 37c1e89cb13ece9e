//! The write-ahead log (`-wal`): pages of transactions that are not yet in the database file.
//! Source: "WAL-mode File Format", sqlite.org/walformat.html.

use super::image::{be32, fill};
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek};

/// Length of the log's header.
pub const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The log is read in pieces of this size.
const BUFFER: usize = 256 * 1024;

/// What the log adds.
#[derive(Debug)]
pub struct Committed {
    /// Page size of the log.
    pub page_size: usize,
    /// Where in the log the newest committed bytes of each page stand.
    pub pages: BTreeMap<u32, u64>,
    /// The database's size in pages after the last commit; `None` if nothing is committed.
    pub database_pages: Option<u32>,
    /// One sentence if a frame that belongs to the log is damaged, so that later ones are lost.
    pub cut: Option<String>,
}

/// Reads the committed frames of a log. Frames after the last commit, left over from an earlier round of the
/// log (other salts), or after the first wrong checksum do not count: SQLite would not read them either. Memory
/// grows with the number of different pages only.
pub fn committed(log: &mut (impl Read + Seek)) -> Result<Committed, String> {
    log.rewind().map_err(unreadable)?;
    let mut log = BufReader::with_capacity(BUFFER, log);
    let mut header = [0u8; HEADER];
    let there = fill(&mut log, &mut header).map_err(unreadable)?;
    if there < HEADER {
        return Err(format!("it has only {there} bytes"));
    }
    let big_endian = match be32(&header, 0).unwrap_or_default() {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return Err("it does not begin as a write-ahead log does".into()),
    };
    let page_size = be32(&header, 8).unwrap_or_default() as usize;
    if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(format!("its header names a page size of {page_size}"));
    }
    let mut sum = Checksum { big_endian, s: [0, 0] };
    sum.add(&header[..24]);
    if be32(&header, 24) != Some(sum.s[0]) || be32(&header, 28) != Some(sum.s[1]) {
        return Err("the checksum of its header is wrong".into());
    }
    let mut frames = Frames { log, salts: header[16..24].to_vec(), buffer: vec![0; FRAME_HEADER + page_size] };
    let mut found = Committed { page_size, pages: BTreeMap::new(), database_pages: None, cut: None };
    let mut pending = Vec::new();
    for number in 0u64.. {
        let Some(length) = frames.next()? else { break };
        if length < frames.buffer.len() {
            found.cut = Some(format!("the write-ahead log is cut in frame {}: the newest changes are missing", number + 1));
            break;
        }
        let (frame, page) = frames.buffer.split_at(FRAME_HEADER);
        sum.add(&frame[..8]);
        sum.add(page);
        let page_number = be32(frame, 0).unwrap_or_default();
        if page_number == 0 || be32(frame, 16) != Some(sum.s[0]) || be32(frame, 20) != Some(sum.s[1]) {
            // A running client may write frames of an open transaction again without mending the checksums
            // behind them: that is no damage, since nothing of it is committed.
            if frames.hold_commit()? {
                let says = "of the write-ahead log is damaged: the changes from there on are missing";
                found.cut = Some(format!("frame {} {says}", number + 1));
            }
            break;
        }
        let start = HEADER as u64 + number * frames.buffer.len() as u64 + FRAME_HEADER as u64;
        pending.push((page_number, start));
        let commit = be32(frame, 4).unwrap_or_default();
        if commit != 0 {
            found.pages.extend(pending.drain(..));
            found.database_pages = Some(commit);
            // Pages beyond a shrunken database are gone.
            while found.pages.last_key_value().is_some_and(|(&page, _)| page > commit) {
                found.pages.pop_last();
            }
        }
    }
    Ok(found)
}

/// The frames of this round of the log, one after the other.
struct Frames<R> {
    log: R,
    salts: Vec<u8>,
    buffer: Vec<u8>,
}

impl<R: Read> Frames<R> {
    /// Reads a frame into the buffer and says how much of it is there; `None` behind the last one of this round.
    fn next(&mut self) -> Result<Option<usize>, String> {
        let length = fill(&mut self.log, &mut self.buffer).map_err(unreadable)?;
        Ok((length >= FRAME_HEADER && self.buffer[8..16] == *self.salts).then_some(length))
    }

    /// Whether this frame or a later one ended a transaction, whatever their checksums say.
    fn hold_commit(&mut self) -> Result<bool, String> {
        loop {
            if be32(&self.buffer, 4) != Some(0) {
                return Ok(true);
            }
            if self.next()?.is_none() {
                return Ok(false);
            }
        }
    }
}

fn unreadable(error: io::Error) -> String {
    format!("it cannot be read: {error}")
}

/// The log's running checksum: a Fibonacci-weighted sum over pairs of 32-bit words.
struct Checksum {
    big_endian: bool,
    s: [u32; 2],
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            self.s[0] = self.s[0].wrapping_add(self.word(&pair[..4])).wrapping_add(self.s[1]);
            self.s[1] = self.s[1].wrapping_add(self.word(&pair[4..])).wrapping_add(self.s[0]);
        }
    }

    fn word(&self, four: &[u8]) -> u32 {
        let four = [four[0], four[1], four[2], four[3]];
        if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Database;
    use super::*;
    use rusqlite::Connection;
    use std::path::Path;

    fn write(path: &Path, upto: u32) -> Connection {
        let connection = Connection::open(path).expect("a new database");
        connection
            .execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a); INSERT INTO t VALUES(0); PRAGMA wal_checkpoint(TRUNCATE);")
            .expect("a table");
        for n in 1..=upto {
            connection.execute("INSERT INTO t VALUES(?1)", [n]).expect("a row");
        }
        connection
    }

    fn count(path: &Path) -> usize {
        Database::open(path).expect("opens").rows("t", &["a"]).len()
    }

    #[test]
    fn the_log_gives_the_newer_state() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let live = folder.path().join("live.db");
        let copy = folder.path().join("copy.db");
        let _running = write(&live, 5);
        std::fs::copy(&live, &copy).expect("a copy");
        assert_eq!(count(&live), 6);
        assert_eq!(count(&copy), 1, "without its log the copy is old");
        let log = std::fs::read(folder.path().join("live.db-wal")).expect("the log");
        // Five commits of one page each: a log cut inside the fourth frame has three of them.
        let frame = FRAME_HEADER + 4096;
        std::fs::write(folder.path().join("copy.db-wal"), &log[..HEADER + 3 * frame + 100]).expect("a cut log");
        assert_eq!(count(&copy), 4);
        let mut damaged = log.clone();
        damaged[HEADER + 2 * frame + FRAME_HEADER + 7] ^= 1;
        std::fs::write(folder.path().join("copy.db-wal"), &damaged).expect("a damaged log");
        let database = Database::open(&copy).expect("opens");
        assert_eq!(database.rows("t", &["a"]).len(), 3);
        assert!(database.take_problems().iter().any(|problem| problem.says.contains("frame 3")));
    }

    #[test]
    fn nonsense_is_refused_with_words() {
        let committed = |bytes: &[u8]| super::committed(&mut std::io::Cursor::new(bytes));
        assert!(committed(b"").is_err());
        assert!(committed(&[0; 64]).is_err());
        let mut header = [0u8; 32];
        header[..4].copy_from_slice(&0x377f_0682u32.to_be_bytes());
        header[8..12].copy_from_slice(&4096u32.to_be_bytes());
        assert!(committed(&header).expect_err("a wrong checksum").contains("checksum"));
    }
}
