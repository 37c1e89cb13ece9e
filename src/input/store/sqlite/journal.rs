//! The rollback journal (`-journal`): original pages of a transaction that did not end.
//! Source: "The Rollback Journal", section 3 of sqlite.org/fileformat2.html, and `pager.c`.

use super::image::{be32, read_at};
use std::collections::BTreeMap;
use std::io::{Read, Seek};

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const HEADER: usize = 28;

/// Longest name of another journal that is read.
const MAX_NAME: u32 = 4096;

/// Parts of one transaction that are read: each time the page cache overflows a new one begins.
const MAX_SEGMENTS: usize = 100_000;

/// What has to be put back.
#[derive(Debug)]
pub struct Journal {
    /// Where in the journal the original bytes of each page stand.
    pub pages: BTreeMap<u32, u64>,
    /// The database's size in pages before the transaction.
    pub database_pages: u32,
    /// The journal of a transaction over several files that this one belongs to.
    pub super_journal: Option<String>,
}

/// Reads a journal of `length` bytes; `None` if its transaction has ended (the header was overwritten or holds
/// nothing). Memory grows with the number of different pages only.
pub fn hot(journal: &mut (impl Read + Seek), length: u64, page_size: usize) -> Result<Option<Journal>, String> {
    let mut header = [0u8; HEADER];
    let failed = |error| format!("it cannot be read: {error}");
    // A finished journal is kept with a zeroed header.
    if read_at(journal, 0, &mut header).map_err(failed)? < HEADER || !header.starts_with(&MAGIC) {
        return Ok(None);
    }
    let database_pages = be32(&header, 16).unwrap_or_default();
    if be32(&header, 24) != Some(page_size as u32) {
        return Err(format!("its pages have {} bytes, the database's {page_size}", be32(&header, 24).unwrap_or_default()));
    }
    let sector = u64::from(be32(&header, 20).unwrap_or_default());
    if !(32..=65536).contains(&sector) || !sector.is_power_of_two() {
        return Err(format!("its header names a sector size of {sector}"));
    }
    let mut found = Journal { pages: BTreeMap::new(), database_pages, super_journal: super_journal(journal, length) };
    let mut record = vec![0u8; 4 + page_size + 4];
    let mut at = 0u64;
    // One transaction may write several segments, each with its own header at a sector's beginning.
    for _ in 0..MAX_SEGMENTS {
        if read_at(journal, at, &mut header).map_err(failed)? < HEADER || !header.starts_with(&MAGIC) {
            break;
        }
        let count = be32(&header, 8).unwrap_or_default();
        let nonce = be32(&header, 12).unwrap_or_default();
        at += sector;
        let there = length.saturating_sub(at) / record.len() as u64;
        // All ones: written without syncing, the file's length tells.
        let count = if count == u32::MAX { there } else { there.min(count.into()) };
        for _ in 0..count {
            if read_at(journal, at, &mut record).map_err(failed)? < record.len() {
                break;
            }
            let (Some(number), page) = (be32(&record, 0), &record[4..4 + page_size]) else { break };
            if be32(&record, 4 + page_size) != Some(checksum(nonce, page)) {
                return Ok(Some(found)); // SQLite stops here as well: the record was being written
            }
            // The first copy of a page is its state before the transaction.
            if number != 0 && number <= database_pages {
                found.pages.entry(number).or_insert(at + 4);
            }
            at += record.len() as u64;
        }
        at = at.div_ceil(sector) * sector;
    }
    Ok(Some(found))
}

/// Nonce plus every 200th byte from the end.
fn checksum(nonce: u32, page: &[u8]) -> u32 {
    let mut sum = nonce;
    let mut at = page.len().saturating_sub(200);
    while at > 0 {
        sum = sum.wrapping_add(u32::from(page[at]));
        at = at.saturating_sub(200);
    }
    sum
}

/// The name at the end of the journal: name, its length, its checksum, the magic bytes.
fn super_journal(journal: &mut (impl Read + Seek), length: u64) -> Option<String> {
    let mut end = [0u8; 16];
    let at = length.checked_sub(16)?;
    let whole = read_at(journal, at, &mut end).ok()? == 16 && end[8..] == MAGIC;
    let name_length = be32(&end, 0).filter(|name| whole && (1..=MAX_NAME).contains(name))?;
    let mut name = vec![0u8; name_length as usize];
    (read_at(journal, at.checked_sub(name_length.into())?, &mut name).ok()? == name.len())
        .then(|| String::from_utf8_lossy(&name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Database;
    use rusqlite::Connection;

    /// A copy of database and journal in the midst of a transaction that was spilled to the file.
    #[test]
    fn a_hot_journal_brings_the_old_pages_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let live = folder.path().join("live.db");
        let copy = folder.path().join("copy.db");
        let connection = Connection::open(&live).expect("a new database");
        connection.execute_batch("PRAGMA cache_size=10; CREATE TABLE t(a, b);").expect("a table");
        connection.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<500) INSERT INTO t SELECT x, 'old'||hex(zeroblob(200)) FROM c", []).expect("rows");
        connection
            .execute_batch("BEGIN; UPDATE t SET b = 'new' || hex(zeroblob(200)); DELETE FROM t WHERE a > 250;")
            .expect("a transaction");
        std::fs::copy(&live, &copy).expect("a copy");
        let spilled = Database::open(&copy).expect("opens");
        let changed =
            spilled.rows("t", &["b"]).iter().filter(|row| row.text("b").is_some_and(|text| text.starts_with("new"))).count();
        assert!(changed > 0, "the transaction must have reached the file for this test to mean anything");
        std::fs::copy(folder.path().join("live.db-journal"), folder.path().join("copy.db-journal")).expect("the journal");
        let restored = Database::open(&copy).expect("opens");
        let rows = restored.rows("t", &["a", "b"]);
        assert_eq!(rows.len(), 500);
        assert!(rows.iter().all(|row| row.text("b").is_some_and(|text| text.starts_with("old"))));
        assert!(restored.take_problems().is_empty());
    }

    #[test]
    fn a_finished_journal_changes_nothing() {
        let mut journal = vec![0u8; 4096];
        let hot = |bytes: &[u8]| super::hot(&mut std::io::Cursor::new(bytes), bytes.len() as u64, 4096);
        assert!(hot(&journal).expect("no error").is_none());
        journal[..8].copy_from_slice(&super::MAGIC);
        assert!(hot(&journal).is_err());
    }
}
