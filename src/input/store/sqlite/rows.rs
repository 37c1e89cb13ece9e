//! Reading a table row by row, past damaged pages.

use super::excerpts::{Excerpts, TableExcerpt};
use super::{Access, Database, Table};
use crate::input::InputError;
use crate::model::ProblemScope;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use std::rc::Rc;
use zeroize::Zeroizing;

/// Rows read from one table at most: no client keeps more devices or sessions; a forged file could.
const MAX_ROWS: usize = 1_000_000;

/// Largest single value: session records stay below 1 MiB even with thousands of stored keys.
const MAX_VALUE: usize = 16 * 1024 * 1024;

/// All values of one table at most.
const MAX_TOTAL: usize = 512 * 1024 * 1024;

/// Rows of a message archive that are looked at in a database too large for memory: the newest ones. All of
/// them would take time in proportion to the messages.
const MAX_ARCHIVE_ROWS: u64 = 20_000;

/// Damaged places that are stepped over in one table.
const MAX_GAPS: usize = 1000;

/// A row. Columns the table does not have read as absent.
pub struct Row {
    /// SQLite's row number; 0 in a table without one.
    pub rowid: i64,
    columns: Rc<[String]>,
    cells: Vec<Cell>,
}

enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Zeroizing<Vec<u8>>),
    Blob(Zeroizing<Vec<u8>>),
}

impl Row {
    /// The bytes of a blob, or of a text: some clients stored bytes as text.
    pub fn bytes(&self, column: &str) -> Option<&[u8]> {
        match self.cell(column)? {
            Cell::Blob(bytes) | Cell::Text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A text (or a blob that is UTF-8).
    pub fn text(&self, column: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(column)?).ok()
    }

    /// A whole number, also when it was stored as text or as a real number.
    pub fn integer(&self, column: &str) -> Option<i64> {
        match self.cell(column)? {
            Cell::Integer(number) => Some(*number),
            // Seconds with fractions are cut; numbers beyond i64 saturate, which no reader takes for valid.
            Cell::Real(number) => number.is_finite().then_some(*number as i64),
            Cell::Text(_) => self.text(column)?.trim().parse().ok(),
            _ => None,
        }
    }

    /// A device or key id: libraries write ids from 2^31 as negative numbers.
    pub fn id(&self, column: &str) -> Option<u32> {
        unsigned_id(self.integer(column)?)
    }

    /// Whether a column is there and not NULL.
    pub fn has(&self, column: &str) -> bool {
        !matches!(self.cell(column), None | Some(Cell::Null))
    }

    fn cell(&self, column: &str) -> Option<&Cell> {
        let index = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column))?;
        self.cells.get(index)
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row {} ({} columns)", self.rowid, self.columns.len())
    }
}

/// An id as the protocol means it: signed 32-bit numbers are taken as unsigned, others must fit.
pub fn unsigned_id(number: i64) -> Option<u32> {
    match i32::try_from(number) {
        Ok(signed) => Some(signed as u32),
        Err(_) => u32::try_from(number).ok(),
    }
}

impl Database {
    /// All rows of a table that can be read, with those of the named columns that exist. Damage is noted
    /// among [`Database::take_problems`], and the rows after it are read all the same. Empty if there is no
    /// such table.
    pub fn rows(&self, table: &str, columns: &[&str]) -> Vec<Row> {
        let Some((name, found)) = self.table(table) else { return Vec::new() };
        let columns: Rc<[String]> = columns
            .iter()
            .filter(|wanted| found.columns.iter().any(|column| column.eq_ignore_ascii_case(wanted)))
            .map(|wanted| (*wanted).to_owned())
            .collect();
        let scope = ProblemScope::Store;
        let Some(source) = self.source(name, &scope, |excerpts| excerpts.table(name, self.schema_is_damaged)) else {
            return Vec::new();
        };
        let mut reader =
            Reader { source: &source, database: self, table: name, columns, rows: Vec::new(), total: 0, damaged: false, scope };
        if reader.source.is_cut() {
            reader.note("the table holds more than any client keeps; the rest was left out".into());
        }
        reader.run(found);
        if !reader.damaged {
            reader.check();
        }
        reader.rows
    }

    /// For each value of the column `key` the largest of the column `time`, as rows of these two columns: when
    /// something of a key was last in a message archive, without reading the archive's texts. `only` keeps
    /// the rows where a column has a value. Empty if a column is not there. Of a database too large for memory
    /// only the rows written last are looked at. Damage is noted as something no message depends on.
    pub fn newest(&self, table: &str, key: &str, time: &str, only: Option<(&str, i64)>) -> Vec<Row> {
        let filter_column = only.map(|(column, _)| column);
        let needed: Vec<&str> = [key, time].into_iter().chain(filter_column).collect();
        let Some((name, found)) = self.table(table).filter(|_| self.has(table, &needed)) else { return Vec::new() };
        let is_large = !matches!(self.access, Access::Whole(_));
        if is_large && !found.has_rowid {
            return Vec::new();
        }
        let scope = ProblemScope::Other;
        let newest = |excerpts: &mut Excerpts| excerpts.newest(name, MAX_ARCHIVE_ROWS, self.schema_is_damaged);
        let Some(source) = self.source(name, &scope, newest) else { return Vec::new() };
        let from = if is_large {
            let columns: Vec<String> = needed.iter().map(|column| quote(column)).collect();
            let rows = source.rows().min(MAX_ARCHIVE_ROWS);
            // Not by an index, of which an excerpt has nothing.
            format!("(SELECT {} FROM {} NOT INDEXED ORDER BY rowid DESC LIMIT {rows})", columns.join(", "), quote(name))
        } else {
            quote(name)
        };
        let filter = only.map_or_else(String::new, |(column, value)| format!(" AND {} = {value}", quote(column)));
        let sql =
            format!("SELECT 0, {0}, max({1}) FROM {from} WHERE {0} IS NOT NULL{filter} GROUP BY {0}", quote(key), quote(time));
        let columns = [key.to_owned(), time.to_owned()].into();
        let mut reader =
            Reader { source: &source, database: self, table: name, columns, rows: Vec::new(), total: 0, damaged: false, scope };
        if let Err(error) = reader.read(&sql, None) {
            reader.note(format!("the table is damaged ({error}); times of last messages may be missing"));
        }
        reader.rows
    }

    /// Where SQLite reads a table: `excerpt` brings it into memory, if that has to be.
    fn source(
        &self,
        table: &str,
        scope: &ProblemScope,
        excerpt: impl FnOnce(&mut Excerpts) -> Result<TableExcerpt, InputError>,
    ) -> Option<Source<'_>> {
        match &self.access {
            Access::Whole(connection) | Access::InPlace(connection) => Some(Source::Database(connection)),
            Access::Excerpts(excerpts) => match excerpt(&mut excerpts.borrow_mut()) {
                Ok(table) => Some(Source::Excerpt(Box::new(table))),
                Err(error) => {
                    self.problem(Some(table), format!("the table cannot be read: {}", error.says), scope.clone());
                    None
                }
            },
        }
    }
}

/// Where SQLite reads a table.
enum Source<'a> {
    Database(&'a Connection),
    Excerpt(Box<TableExcerpt>),
}

impl Source<'_> {
    fn connection(&self) -> &Connection {
        match self {
            Self::Database(connection) => connection,
            Self::Excerpt(table) => &table.connection,
        }
    }

    /// Rows that are there at most.
    fn rows(&self) -> u64 {
        match self {
            Self::Database(_) => u64::MAX,
            Self::Excerpt(table) => table.rows,
        }
    }

    /// Whether the table was too large.
    fn is_cut(&self) -> bool {
        matches!(self, Self::Excerpt(table) if !table.complete)
    }

    /// What SQLite says, with the numbers that pages have in the file.
    fn in_file(&self, says: &str) -> String {
        let Self::Excerpt(table) = self else { return says.to_owned() };
        let mut names_page = false;
        let words = says.split(' ').map(|word| {
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
            let number = digits.parse::<usize>().ok().filter(|_| names_page);
            names_page = matches!(word, "Tree" | "page" | "Page");
            match number.and_then(|number| table.numbers.get(number.checked_sub(1)?)) {
                Some(number) => format!("{number}{}", &word[digits.len()..]),
                None => word.to_owned(),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

struct Reader<'a> {
    source: &'a Source<'a>,
    database: &'a Database,
    table: &'a str,
    columns: Rc<[String]>,
    rows: Vec<Row>,
    total: usize,
    damaged: bool,
    scope: ProblemScope,
}

impl<'a> Reader<'a> {
    fn connection(&self) -> &'a Connection {
        self.source.connection()
    }

    fn run(&mut self, table: &Table) {
        if !table.has_rowid {
            let sql = format!("SELECT 0{} FROM {}", self.column_list(), quote(self.table));
            if let Err(error) = self.read(&sql, None) {
                self.note(format!("the table is damaged ({error}); rows may be missing"));
            }
            return;
        }
        let sql = format!("SELECT rowid{0} FROM {1} WHERE rowid > ?1 ORDER BY rowid", self.column_list(), quote(self.table));
        let mut after = i64::MIN;
        for _ in 0..MAX_GAPS {
            let Err(error) = self.read(&sql, Some(after)) else { return };
            if self.full() {
                return;
            }
            let last = self.rows.last().map(|row| row.rowid);
            let from = last.unwrap_or(after).max(after);
            let Some(next) = self.after_damage(&sql, from) else {
                let place = last.map_or_else(|| "at its beginning".into(), |rowid| format!("after row {rowid}"));
                return self.note(format!("the table is damaged {place} ({error}); nothing behind it could be read"));
            };
            let place = last.map_or_else(|| "before".into(), |rowid| format!("between row {rowid} and"));
            self.note(format!("the table is damaged {place} row {} ({error}); rows there are missing", next.saturating_add(1)));
            after = next;
        }
    }

    /// Reads on from a row; the rows read before an error stay.
    fn read(&mut self, sql: &str, after: Option<i64>) -> rusqlite::Result<()> {
        let connection = self.connection();
        let mut statement = connection.prepare(sql)?;
        let mut rows = match after {
            Some(after) => statement.query(params![after])?,
            None => statement.query([])?,
        };
        while let Some(row) = rows.next()? {
            let rowid: i64 = row.get(0)?;
            if after.is_some() && self.rows.last().is_some_and(|last| last.rowid >= rowid) {
                // Rows out of order: a damaged tree that leads in circles.
                return Err(rusqlite::Error::InvalidQuery);
            }
            if self.full() {
                self.note("the table holds more than any client keeps; the rest was left out".into());
                return Err(rusqlite::Error::InvalidQuery);
            }
            let mut cells = Vec::with_capacity(self.columns.len());
            for index in 0..self.columns.len() {
                let cell = match row.get_ref(index + 1)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(number) => Cell::Integer(number),
                    ValueRef::Real(number) => Cell::Real(number),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() > MAX_VALUE => {
                        let says = format!(
                            "row {rowid}, column {}: {} bytes are more than any client writes",
                            self.columns[index],
                            bytes.len()
                        );
                        self.note(says);
                        Cell::Null
                    }
                    ValueRef::Text(bytes) => Cell::Text(Zeroizing::new(bytes.to_vec())),
                    ValueRef::Blob(bytes) => Cell::Blob(Zeroizing::new(bytes.to_vec())),
                };
                if let Cell::Text(bytes) | Cell::Blob(bytes) = &cell {
                    self.total = self.total.saturating_add(bytes.len());
                }
                cells.push(cell);
            }
            self.rows.push(Row { rowid, columns: self.columns.clone(), cells });
        }
        Ok(())
    }

    fn full(&self) -> bool {
        self.rows.len() >= MAX_ROWS || self.total >= MAX_TOTAL
    }

    /// The smallest row number found behind a damaged page: reading works again after it.
    fn after_damage(&self, sql: &str, from: i64) -> Option<i64> {
        // Row numbers begin at 1; a table damaged at its very first page is searched from there.
        let from = from.max(0);
        let (mut bad, mut step) = (from, 1i64);
        let mut good = loop {
            let probe = from.checked_add(step)?;
            if self.readable(sql, probe)? {
                break probe;
            }
            bad = probe;
            step = step.checked_mul(2)?;
        };
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2;
            if self.readable(sql, middle)? { good = middle } else { bad = middle }
        }
        Some(good)
    }

    /// Whether the first row after `after` can be read; `None` if the statement cannot run at all.
    fn readable(&self, sql: &str, after: i64) -> Option<bool> {
        let mut statement = self.connection().prepare(sql).ok()?;
        let mut rows = statement.query(params![after]).ok()?;
        Some(rows.next().is_ok())
    }

    /// Damage that reading in order did not run into.
    fn check(&mut self) {
        let mut found = None;
        let pragma = format!("PRAGMA quick_check({})", quote(self.table));
        if let Ok(mut statement) = self.connection().prepare(&pragma)
            && let Ok(mut rows) = statement.query([])
        {
            while let Ok(Some(row)) = rows.next() {
                let says = row.get::<_, String>(0).unwrap_or_default();
                // The check also speaks of values of another type than declared, which clients do write.
                if says.contains("Tree") || says.contains("Page ") || says.contains("malformed") {
                    found = Some(says);
                    break;
                }
            }
        }
        if let Some(says) = found {
            self.note(format!(
                "the table is damaged: {}",
                self.source.in_file(says.replace('\n', " ").trim_start_matches("*** in database main *** "))
            ));
        }
    }

    fn column_list(&self) -> String {
        self.columns.iter().map(|column| format!(", {}", quote(column))).collect()
    }

    fn note(&mut self, says: String) {
        self.damaged = true;
        self.database.problem(Some(self.table), says, self.scope.clone());
    }
}

/// An identifier in SQL.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn rows_behind_a_damaged_page_are_still_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).expect("a new database");
        connection.execute_batch("CREATE TABLE t(a INTEGER, b);").expect("a table");
        connection.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<1000) INSERT INTO t SELECT x, zeroblob(100) FROM c", []).expect("rows");
        drop(connection);
        let whole = std::fs::read(&path).expect("the file");
        for page in 2..whole.len() / 4096 {
            let mut damaged = whole.clone();
            damaged[page * 4096..(page + 1) * 4096].fill(0);
            let database = Database::from_image(&path, damaged).expect("opens");
            let rows = database.rows("t", &["a"]);
            assert!((900..1000).contains(&rows.len()), "page {page}: {} rows", rows.len());
            assert!(rows.iter().all(|row| row.integer("a") == Some(row.rowid)));
            assert_eq!(database.take_problems().len(), 1);
        }
    }

    #[test]
    fn the_newest_time_of_each_key_is_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).expect("a new database");
        connection
            .execute_batch("CREATE TABLE m(k, t, e); INSERT INTO m VALUES('a', 5, 1), ('a', 9, 0), ('b', 7, 1), (NULL, 8, 1);")
            .expect("rows");
        drop(connection);
        let database = Database::open(&path).expect("opens");
        let told = |only| -> Vec<_> {
            database.newest("m", "k", "t", only).iter().map(|row| (row.text("k").map(str::to_owned), row.integer("t"))).collect()
        };
        let a = Some("a".to_owned());
        let b = Some("b".to_owned());
        assert_eq!(told(None), [(a.clone(), Some(9)), (b.clone(), Some(7))]);
        assert_eq!(told(Some(("e", 1))), [(a, Some(5)), (b, Some(7))]);
        assert!(database.newest("m", "k", "absent", None).is_empty());
        assert!(database.take_problems().is_empty());
    }

    #[test]
    fn of_a_large_archive_only_the_newest_rows_are_looked_at() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).expect("a new database");
        let rows = format!(
            "CREATE TABLE m(k, t); INSERT INTO m VALUES('old', 1);
             WITH RECURSIVE c(x) AS (SELECT 2 UNION ALL SELECT x+1 FROM c WHERE x<={MAX_ARCHIVE_ROWS}) INSERT INTO m SELECT 'new', x FROM c;"
        );
        connection.execute_batch(&rows).expect("rows");
        drop(connection);
        let keys = |database: Database| -> Vec<_> {
            database.newest("m", "k", "t", None).iter().filter_map(|row| row.text("k").map(str::to_owned)).collect()
        };
        assert_eq!(keys(Database::open(&path).expect("opens")), ["new", "old"]);
        assert_eq!(keys(Database::open_in_place(&path).expect("opens")), ["new"]);
    }

    #[test]
    fn values_are_read_whatever_their_type() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).expect("a new database");
        connection
            .execute_batch("CREATE TABLE t(n, x); INSERT INTO t VALUES(' 12 ', x'00ff'), (-5, 'text'), (1.5e3, NULL);")
            .expect("rows");
        drop(connection);
        let database = Database::open(&path).expect("opens");
        let rows = database.rows("t", &["n", "x", "absent"]);
        assert_eq!(rows.iter().map(|row| row.integer("n")).collect::<Vec<_>>(), [Some(12), Some(-5), Some(1500)]);
        assert_eq!(rows[0].bytes("x"), Some(&[0u8, 255][..]));
        assert_eq!(rows[0].text("x"), None);
        assert_eq!(rows[1].text("x"), Some("text"));
        assert_eq!(rows[1].id("n"), Some(4_294_967_291));
        assert!(!rows[2].has("x") && !rows[2].has("absent"));
    }
}
