//! The write-ahead log (`-wal`): pages of transactions that are not yet in the database file.
//! Source: "WAL-mode File Format", sqlite.org/walformat.html.

use super::image::be32;
use std::collections::BTreeMap;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What the log adds.
#[derive(Debug)]
pub struct Committed<'a> {
    /// Page size of the log.
    pub page_size: usize,
    /// The newest committed bytes of each page.
    pub pages: BTreeMap<u32, &'a [u8]>,
    /// The database's size in pages after the last commit; `None` if nothing is committed.
    pub database_pages: Option<u32>,
    /// One sentence if a frame that belongs to the log is damaged, so that later ones are lost.
    pub cut: Option<String>,
}

/// Reads the committed frames of a log. Frames after the last commit, left over from an earlier round of the
/// log (other salts), or after the first wrong checksum do not count: SQLite would not read them either.
pub fn committed(bytes: &[u8]) -> Result<Committed<'_>, String> {
    let header = bytes.get(..HEADER).ok_or_else(|| format!("it has only {} bytes", bytes.len()))?;
    let magic = be32(header, 0).unwrap_or_default();
    let big_endian = match magic {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return Err("it does not begin as a write-ahead log does".into()),
    };
    let page_size = be32(header, 8).unwrap_or_default() as usize;
    if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(format!("its header names a page size of {page_size}"));
    }
    let mut sum = Checksum { big_endian, s: [0, 0] };
    sum.add(&header[..24]);
    if be32(header, 24) != Some(sum.s[0]) || be32(header, 28) != Some(sum.s[1]) {
        return Err("the checksum of its header is wrong".into());
    }
    let salts = &header[16..24];
    let mut log = Committed { page_size, pages: BTreeMap::new(), database_pages: None, cut: None };
    let mut pending = BTreeMap::new();
    let mut rest = &bytes[HEADER..];
    let mut number = 0u64;
    while rest.len() >= FRAME_HEADER {
        let (frame, after) = rest.split_at(FRAME_HEADER);
        if &frame[8..16] != salts {
            break; // left over from before the last checkpoint
        }
        let Some(page) = after.get(..page_size) else {
            log.cut = Some(format!("the write-ahead log is cut in frame {}: the newest changes are missing", number + 1));
            break;
        };
        sum.add(&frame[..8]);
        sum.add(page);
        if be32(frame, 16) != Some(sum.s[0]) || be32(frame, 20) != Some(sum.s[1]) {
            // A running client may write frames of an open transaction again without mending the checksums
            // behind them: that is no damage, since nothing of it is committed.
            if holds_commit(rest, salts, page_size) {
                let says = "of the write-ahead log is damaged: the changes from there on are missing";
                log.cut = Some(format!("frame {} {says}", number + 1));
            }
            break;
        }
        let page_number = be32(frame, 0).unwrap_or_default();
        let commit = be32(frame, 4).unwrap_or_default();
        pending.insert(page_number, page);
        if commit != 0 {
            log.pages.append(&mut pending);
            log.database_pages = Some(commit);
            // Pages beyond a shrunken database are gone.
            log.pages.retain(|&page, _| page <= commit);
        }
        rest = &after[page_size..];
        number += 1;
    }
    Ok(log)
}

/// Whether one of these frames ended a transaction, whatever their checksums say.
fn holds_commit(frames: &[u8], salts: &[u8], page_size: usize) -> bool {
    let of_this_round = |frame: &&[u8]| frame.get(8..16) == Some(salts);
    frames
        .chunks(FRAME_HEADER + page_size)
        .take_while(of_this_round)
        .any(|frame| be32(frame, 4).is_some_and(|commit| commit != 0))
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
        assert!(committed(b"").is_err());
        assert!(committed(&[0; 64]).is_err());
        let mut header = [0u8; 32];
        header[..4].copy_from_slice(&0x377f_0682u32.to_be_bytes());
        header[8..12].copy_from_slice(&4096u32.to_be_bytes());
        assert!(committed(&header).expect_err("a wrong checksum").contains("checksum"));
    }
}
