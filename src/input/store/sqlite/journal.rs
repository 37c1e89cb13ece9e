//! The rollback journal (`-journal`): original pages of a transaction that did not end.
//! Source: "The Rollback Journal", section 3 of sqlite.org/fileformat2.html, and `pager.c`.

use super::image::be32;
use std::collections::BTreeMap;

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const HEADER: usize = 28;

/// What has to be put back.
#[derive(Debug)]
pub struct Journal<'a> {
    /// The original bytes of each page.
    pub pages: BTreeMap<u32, &'a [u8]>,
    /// The database's size in pages before the transaction.
    pub database_pages: u32,
    /// The journal of a transaction over several files that this one belongs to.
    pub super_journal: Option<String>,
}

/// Reads a journal; `None` if its transaction has ended (the header was overwritten or holds nothing).
pub fn hot(bytes: &[u8], page_size: usize) -> Result<Option<Journal<'_>>, String> {
    if !bytes.starts_with(&MAGIC) {
        return Ok(None); // a finished journal is kept with a zeroed header
    }
    let Some(database_pages) = be32(bytes, 16) else { return Ok(None) };
    if be32(bytes, 24) != Some(page_size as u32) {
        return Err(format!("its pages have {} bytes, the database's {page_size}", be32(bytes, 24).unwrap_or_default()));
    }
    let sector = be32(bytes, 20).unwrap_or_default() as usize;
    if !(32..=65536).contains(&sector) || !sector.is_power_of_two() {
        return Err(format!("its header names a sector size of {sector}"));
    }
    let mut journal = Journal { pages: BTreeMap::new(), database_pages, super_journal: super_journal(bytes) };
    let mut at = 0usize;
    // One transaction may write several segments, each with its own header at a sector's beginning.
    while let Some(header) = bytes.get(at..at.saturating_add(HEADER)) {
        if !header.starts_with(&MAGIC) {
            break;
        }
        let count = be32(header, 8).unwrap_or_default();
        let nonce = be32(header, 12).unwrap_or_default();
        at = at.saturating_add(sector);
        let record = 4 + page_size + 4;
        let there = bytes.len().saturating_sub(at) / record;
        // All ones: written without syncing, the file's length tells.
        let count = if count == u32::MAX { there } else { (count as usize).min(there) };
        for _ in 0..count {
            let (Some(number), Some(page)) = (be32(bytes, at), bytes.get(at + 4..at + 4 + page_size)) else { break };
            if be32(bytes, at + 4 + page_size) != Some(checksum(nonce, page)) {
                return Ok(Some(journal)); // SQLite stops here as well: the record was being written
            }
            // The first copy of a page is its state before the transaction.
            if number != 0 && number <= database_pages {
                journal.pages.entry(number).or_insert(page);
            }
            at += record;
        }
        at = at.div_ceil(sector) * sector;
    }
    Ok(Some(journal))
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
fn super_journal(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_suffix(&MAGIC)?;
    let length = be32(rest, rest.len().checked_sub(8)?)? as usize;
    let end = rest.len() - 8;
    let name = rest.get(end.checked_sub(length)?..end)?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
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
        assert!(super::hot(&journal, 4096).expect("no error").is_none());
        journal[..8].copy_from_slice(&super::MAGIC);
        assert!(super::hot(&journal, 4096).is_err());
    }
}
