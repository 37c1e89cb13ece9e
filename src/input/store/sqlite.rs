//! SQLite databases, strictly read-only.
//!
//! A user's database is never opened by SQLite at its own path in a way that locks it, creates a side
//! file or touches anything: it may be open in a running client or lie on a read-only medium. Its bytes are
//! read like any file's, the committed pages of a `-wal` and the original pages of a hot `-journal` are put in
//! place by this program, and SQLite sees only the finished image in memory. Only a database that is too
//! large for memory is opened at its path, with `immutable=1`, which takes no lock and makes no file.

pub mod image;
pub mod journal;
mod rows;
pub mod wal;

pub use rows::{Row, unsigned_id};

use crate::input::InputError;
use crate::model::{Part, Place, Problem, ProblemScope};
use image::Image;
use rusqlite::{Connection, MAIN_DB, OpenFlags};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// First bytes of every SQLite 3 database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether a file's beginning is that of an SQLite database.
pub fn has_magic(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// A database, opened without touching it.
pub struct Database {
    file: Arc<Path>,
    connection: Connection,
    tables: BTreeMap<String, Table>,
    problems: RefCell<Vec<Problem>>,
    /// Read at its path, because it is too large for memory.
    in_place: bool,
}

#[derive(Debug, Default)]
struct Table {
    columns: Vec<String>,
    has_rowid: bool,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("file", &self.file).field("tables", &self.tables).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens a file with what its `-wal` or `-journal` adds.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        match image::read(path)? {
            image::Source::Memory(image) => Self::from(path, image),
            image::Source::TooLarge => Self::open_immutable(path),
        }
    }

    /// From the bytes of a whole database file.
    pub fn from_image(path: &Path, bytes: Vec<u8>) -> Result<Self, InputError> {
        Self::from(path, Image::new(path, bytes)?)
    }

    fn from(path: &Path, mut image: Image) -> Result<Self, InputError> {
        image.prepare();
        let mut connection = Connection::open_in_memory().map_err(|error| refused(path, &error))?;
        connection
            .deserialize_read_exact(MAIN_DB, image.bytes(), image.bytes().len(), true)
            .map_err(|error| refused(path, &error))?;
        Self::with(path, connection, image.into_problems())
    }

    /// Opens a file as it lies there, without what a `-wal` adds and without reading it as a whole: good enough
    /// to see which tables it has.
    pub fn open_in_place(path: &Path) -> Result<Self, InputError> {
        Self::open_immutable(path)
    }

    fn open_immutable(path: &Path) -> Result<Self, InputError> {
        let absolute = path.canonicalize().map_err(|error| super::describe::unreadable(path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(immutable_uri(&absolute), flags).map_err(|error| refused(path, &error))?;
        Ok(Self { in_place: true, ..Self::with(path, connection, Vec::new())? })
    }

    fn with(path: &Path, connection: Connection, problems: Vec<Problem>) -> Result<Self, InputError> {
        // `trusted_schema` off: functions with side effects in a stranger's schema do not run.
        connection
            .execute_batch("PRAGMA trusted_schema=OFF; PRAGMA query_only=ON; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;")
            .map_err(|error| refused(path, &error))?;
        let file: Arc<Path> = path.into();
        let mut database = Self { file, connection, tables: BTreeMap::new(), problems: RefCell::new(problems), in_place: false };
        if let Err(first) = database.read_schema() {
            // A damaged entry in the table list must not hide the other tables.
            database.connection.execute_batch("PRAGMA writable_schema=ON;").map_err(|error| refused(path, &error))?;
            database.read_schema().map_err(|_| refused(path, &first))?;
            let says = format!("the table list is damaged ({first}); tables may be missing");
            database.problem(None, says, ProblemScope::Store);
        }
        Ok(database)
    }

    fn read_schema(&mut self) -> rusqlite::Result<()> {
        // Views and virtual tables are left out: reading one runs what a stranger wrote.
        let mut tables = BTreeMap::new();
        {
            let mut list = self.connection.prepare(
                "SELECT name, wr FROM pragma_table_list WHERE schema='main' AND type='table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
            )?;
            let mut rows = list.query([])?;
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                tables.insert(name, Table { columns: Vec::new(), has_rowid: row.get::<_, i64>(1)? == 0 });
            }
            // Hidden and generated columns are left out for the same reason.
            let mut info = self.connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden=0")?;
            for (name, table) in &mut tables {
                let mut rows = info.query([name])?;
                while let Some(row) = rows.next()? {
                    table.columns.push(row.get(0)?);
                }
            }
        }
        self.tables = tables;
        Ok(())
    }

    /// Its path.
    pub fn file(&self) -> &Arc<Path> {
        &self.file
    }

    /// Names of its ordinary tables.
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// Whether it has this table with at least these columns.
    pub fn has(&self, table: &str, columns: &[&str]) -> bool {
        let Some((_, found)) = self.table(table) else { return false };
        columns.iter().all(|wanted| found.columns.iter().any(|column| column.eq_ignore_ascii_case(wanted)))
    }

    /// `PRAGMA user_version`: where many clients keep their schema's version.
    pub fn user_version(&self) -> i64 {
        self.connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap_or_default()
    }

    /// A place in this database.
    pub fn place(&self, table: &str, row: impl Into<String>) -> Place {
        Place::row(&self.file, table, row)
    }

    /// What went wrong while reading; each is given once.
    pub fn take_problems(&self) -> Vec<Problem> {
        self.problems.take()
    }

    fn table(&self, name: &str) -> Option<(&str, &Table)> {
        self.tables.iter().find(|(table, _)| table.eq_ignore_ascii_case(name)).map(|(table, found)| (table.as_str(), found))
    }

    fn problem(&self, table: Option<&str>, says: String, scope: ProblemScope) {
        let part = match table {
            Some(table) => Part::Row { table: table.into(), row: "(several)".into() },
            None => Part::Whole,
        };
        let place = Place { file: self.file.clone(), part };
        self.problems.borrow_mut().push(Problem { place, says, scope });
    }
}

fn refused(path: &Path, error: &rusqlite::Error) -> InputError {
    InputError::new(path, format!("an SQLite database that is damaged or encrypted: {error}"))
}

/// `file:` URI of an absolute path. Everything but plain ASCII is percent-encoded.
fn immutable_uri(path: &Path) -> PathBuf {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(char::from(byte)),
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    PathBuf::from(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_database_is_read_in_place_without_a_trace() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a b?#%é.db");
        let connection = Connection::open(&path).expect("a new database");
        connection
            .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 'x'), (2, 'y');")
            .expect("two rows");
        drop(connection);
        let before = std::fs::read(&path).expect("the file");
        let database = Database::open_immutable(&path).expect("opens");
        assert_eq!(database.rows("t", &["a"]).len(), 2);
        drop(database);
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(std::fs::read(&path).expect("the file"), before);
    }

    #[test]
    fn views_and_virtual_tables_are_no_tables() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).expect("a new database");
        connection
            .execute_batch(
                "CREATE TABLE t(a, g AS (zeroblob(1000000000)));
                 CREATE VIEW identities AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c;",
            )
            .expect("a schema");
        drop(connection);
        let database = Database::open(&path).expect("opens");
        assert!(database.has("T", &["A"]));
        assert!(!database.has("t", &["g"]));
        assert!(!database.has("identities", &[]));
        assert!(database.rows("identities", &["x"]).is_empty());
    }
}
