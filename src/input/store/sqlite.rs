//! SQLite databases, strictly read-only.
//!
//! A user's database is never opened by SQLite at its own path in a way that locks it, creates a side
//! file or touches anything: it may be open in a running client or lie on a read-only medium. Its bytes are
//! read like any file's, the committed pages of a `-wal` and the original pages of a hot `-journal` are put in
//! place by this program, and SQLite sees only the finished image in memory. Of a database that is too large
//! for memory it sees one table at a time, in a small image with only that table's pages; or, where nothing
//! lies beside it, the file itself, opened with `immutable=1`, which takes no lock and makes no file.

mod excerpt;
mod excerpts;
mod image;
pub mod journal;
mod node;
mod pages;
mod rows;
pub mod wal;

pub use rows::{Row, unsigned_id};

use crate::input::InputError;
use crate::model::{Part, Place, Problem, ProblemScope};
use excerpts::Excerpts;
use image::Image;
use pages::{Pages, READ_ATTEMPTS};
use rusqlite::{Connection, MAIN_DB, OpenFlags};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest database that is read into memory as a whole.
const MAX_WHOLE: u64 = 256 * 1024 * 1024;

/// First bytes of every SQLite 3 database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether a file's beginning is that of an SQLite database.
pub fn has_magic(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// A database, opened without touching it.
pub struct Database {
    file: Arc<Path>,
    access: Access,
    tables: BTreeMap<String, Table>,
    problems: RefCell<Vec<Problem>>,
    /// An entry of its table list is damaged.
    schema_is_damaged: bool,
}

/// How SQLite gets at the tables.
enum Access {
    /// The whole database is in memory.
    Whole(Connection),
    /// It is read at its path.
    InPlace(Connection),
    /// Each table is brought into memory when it is asked for.
    Excerpts(Box<RefCell<Excerpts>>),
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
        Self::open_within(path, MAX_WHOLE)
    }

    /// Opens a file and reads it as a whole if it has at most so many bytes.
    fn open_within(path: &Path, most: u64) -> Result<Self, InputError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut pages = Pages::open(path)?;
            if pages.whole_size() > most {
                return if pages.is_lone_file() {
                    Self::open_immutable(path, pages.take_problems())
                } else {
                    Self::in_excerpts(path, pages)
                };
            }
            let bytes = pages.read_all()?;
            let is_settled = pages.is_unchanged();
            if is_settled || attempt == READ_ATTEMPTS {
                if !is_settled {
                    pages.changed();
                }
                return Self::whole(path, Image::new(path, bytes)?, pages.take_problems());
            }
        }
    }

    /// From the bytes of a whole database file.
    pub fn from_image(path: &Path, bytes: Vec<u8>) -> Result<Self, InputError> {
        Self::whole(path, Image::new(path, bytes)?, Vec::new())
    }

    /// From the bytes of a database file and of its `-wal`, read table by table like a large one.
    pub fn from_parts(path: &Path, bytes: Vec<u8>, wal: Vec<u8>) -> Result<Self, InputError> {
        Self::in_excerpts(path, Pages::from_bytes(path, bytes, wal)?)
    }

    fn whole(path: &Path, mut image: Image, mut problems: Vec<Problem>) -> Result<Self, InputError> {
        image.prepare();
        let connection = in_memory(path, &image)?;
        problems.extend(image.into_problems());
        Self::with(path, Access::Whole(connection), problems)
    }

    fn in_excerpts(path: &Path, pages: Pages) -> Result<Self, InputError> {
        let mut excerpts = Excerpts::new(path, pages)?;
        let problems = excerpts.take_problems();
        Self::with(path, Access::Excerpts(Box::new(RefCell::new(excerpts))), problems)
    }

    /// Opens a file as it lies there, without what a `-wal` adds and without reading it as a whole: good enough
    /// to see which tables it has.
    pub fn open_in_place(path: &Path) -> Result<Self, InputError> {
        Self::open_immutable(path, Vec::new())
    }

    fn open_immutable(path: &Path, problems: Vec<Problem>) -> Result<Self, InputError> {
        let absolute = path.canonicalize().map_err(|error| super::describe::unreadable(path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(immutable_uri(&absolute), flags).map_err(|error| refused(path, &error))?;
        guard(path, &connection)?;
        Self::with(path, Access::InPlace(connection), problems)
    }

    fn with(path: &Path, access: Access, problems: Vec<Problem>) -> Result<Self, InputError> {
        let file: Arc<Path> = path.into();
        let mut database =
            Self { file, access, tables: BTreeMap::new(), problems: RefCell::new(problems), schema_is_damaged: false };
        match database.of_schema(tables) {
            Ok(tables) => database.tables = tables,
            Err(first) => {
                // A damaged entry in the table list must not hide the other tables.
                database.of_schema(|connection| pass_over_damage(path, connection))?;
                database.tables = database.of_schema(tables).map_err(|_| refused(path, &first))?;
                database.schema_is_damaged = true;
                let says = format!("the table list is damaged ({first}); tables may be missing");
                database.problem(None, says, ProblemScope::Store);
            }
        }
        Ok(database)
    }

    /// Asks something that needs no more than the table list.
    fn of_schema<T>(&self, ask: impl FnOnce(&Connection) -> T) -> T {
        match &self.access {
            Access::Whole(connection) | Access::InPlace(connection) => ask(connection),
            Access::Excerpts(excerpts) => ask(excerpts.borrow().connection()),
        }
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
        self.of_schema(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0))).unwrap_or_default()
    }

    /// A place in this database.
    pub fn place(&self, table: &str, row: impl Into<String>) -> Place {
        Place::row(&self.file, table, row)
    }

    /// What went wrong while reading; each is given once.
    pub fn take_problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.take();
        if let Access::Excerpts(excerpts) = &self.access {
            problems.extend(excerpts.borrow_mut().take_problems());
        }
        problems
    }

    fn table(&self, name: &str) -> Option<(&str, &Table)> {
        self.tables.iter().find(|(table, _)| table.eq_ignore_ascii_case(name)).map(|(table, found)| (table.as_str(), found))
    }

    fn problem(&self, table: Option<&str>, says: String, scope: ProblemScope) {
        let part = match table {
            Some(table) => Part::Table(table.into()),
            None => Part::Whole,
        };
        let place = Place { file: self.file.clone(), part };
        self.problems.borrow_mut().push(Problem { place, says, scope });
    }
}

/// The tables that a connection sees.
fn tables(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Table>> {
    // Views and virtual tables are left out: reading one runs what a stranger wrote.
    let mut tables = BTreeMap::new();
    let mut list = connection.prepare(
        "SELECT name, wr FROM pragma_table_list WHERE schema='main' AND type='table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    )?;
    let mut rows = list.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        tables.insert(name, Table { columns: Vec::new(), has_rowid: row.get::<_, i64>(1)? == 0 });
    }
    // Hidden and generated columns are left out for the same reason.
    let mut info = connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden=0")?;
    for (name, table) in &mut tables {
        let mut rows = info.query([name])?;
        while let Some(row) = rows.next()? {
            table.columns.push(row.get(0)?);
        }
    }
    Ok(tables)
}

/// Gives SQLite a finished image.
fn in_memory(path: &Path, image: &Image) -> Result<Connection, InputError> {
    let mut connection = Connection::open_in_memory().map_err(|error| refused(path, &error))?;
    connection
        .deserialize_read_exact(MAIN_DB, image.bytes(), image.bytes().len(), true)
        .map_err(|error| refused(path, &error))?;
    guard(path, &connection)?;
    Ok(connection)
}

/// `trusted_schema` off: functions with side effects in a stranger's schema do not run.
fn guard(path: &Path, connection: &Connection) -> Result<(), InputError> {
    connection
        .execute_batch("PRAGMA trusted_schema=OFF; PRAGMA query_only=ON; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;")
        .map_err(|error| refused(path, &error))
}

/// Makes SQLite go on behind damaged entries of a table list.
fn pass_over_damage(path: &Path, connection: &Connection) -> Result<(), InputError> {
    connection.execute_batch("PRAGMA writable_schema=ON;").map_err(|error| refused(path, &error))
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
        let database = Database::open_in_place(&path).expect("opens");
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
