//! Tables read from excerpts against what SQLite itself reads.

use super::super::{Database, Row};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::Path;

/// How a database is made.
#[derive(Clone, Debug)]
struct Recipe {
    page_size: u32,
    auto_vacuum: u8,
    encoding: &'static str,
    rows: u32,
    longest: u32,
    seed: u32,
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let page_size = prop_oneof![Just(512u32), Just(1024), Just(4096), Just(65536)];
    let encoding = prop_oneof![4 => Just("UTF-8"), 1 => Just("UTF-16le"), 1 => Just("UTF-16be")];
    (page_size, 0u8..3, encoding, 0u32..300, prop_oneof![Just(20u32), Just(700), Just(9000)], any::<u32>()).prop_map(
        |(page_size, auto_vacuum, encoding, rows, longest, seed)| Recipe {
            page_size,
            auto_vacuum,
            encoding,
            rows,
            longest,
            seed,
        },
    )
}

/// A table whose name and definition do not fit on a small page.
const LONG_NAME: &str =
    "a_table_whose_name_is_so_long_that_the_number_of_its_first_page_stands_on_another_page_than_the_row_of_the_list";

/// Bytes of a database and of the `-wal` beside it, in the midst of a transaction.
fn parts(recipe: &Recipe) -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let connection = Connection::open(&path).expect("a new database");
    let Recipe { page_size, auto_vacuum, encoding, rows, longest, seed } = recipe;
    let long = "x".repeat(700);
    let setup = format!(
        "PRAGMA page_size={page_size}; PRAGMA auto_vacuum={auto_vacuum}; PRAGMA encoding='{encoding}';
         PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=5;
         CREATE TABLE other(x); CREATE INDEX other_x ON other(x); CREATE VIEW v AS SELECT 1 AS one;
         CREATE TABLE t(a INTEGER PRIMARY KEY, n, b, c UNIQUE); CREATE INDEX t_n ON t(n, b);
         CREATE TABLE w(k TEXT PRIMARY KEY, b) WITHOUT ROWID;
         CREATE TABLE {LONG_NAME}(a, b DEFAULT '{long}');"
    );
    connection.execute_batch(&setup).expect("tables");
    let fill = |from: u32| {
        // Numbers that look random and are the same each time.
        let some = format!("abs(({seed} % 1000003 + x * 2654435761) % {longest})");
        let sql = format!(
            "WITH RECURSIVE c(x) AS (SELECT {from} UNION ALL SELECT x+1 FROM c WHERE x<{from}+{rows}) INSERT INTO other SELECT zeroblob({some}) FROM c;
             WITH RECURSIVE c(x) AS (SELECT {from} UNION ALL SELECT x+1 FROM c WHERE x<{from}+{rows})
                INSERT OR REPLACE INTO t SELECT x * 3, {some}, zeroblob({some}), x || hex(zeroblob({some} / 2)) FROM c;
             INSERT OR REPLACE INTO w SELECT c, b FROM t WHERE n % 3 = 0;
             INSERT INTO {LONG_NAME}(a) SELECT b FROM t WHERE n % 5 = 1;"
        );
        connection.execute_batch(&sql).expect("rows");
    };
    fill(0);
    connection
        .execute_batch("DELETE FROM other; DELETE FROM t WHERE n % 7 = 0; PRAGMA wal_checkpoint(TRUNCATE);")
        .expect("a checkpoint");
    fill(rows / 2);
    let change = format!(
        "ALTER TABLE t ADD COLUMN d DEFAULT 'x'; DELETE FROM w WHERE length(b) % 4 = 0; UPDATE {LONG_NAME} SET a = 7 WHERE rowid % 3 = 0;"
    );
    connection.execute_batch(&change).expect("changes");
    connection.execute_batch("BEGIN; UPDATE t SET b = 'not committed'; DELETE FROM w;").expect("a transaction");
    let wal = std::fs::read(folder.path().join("x.db-wal")).expect("the log");
    (std::fs::read(&path).expect("the file"), wal)
}

const COLUMNS: &[(&str, &[&str])] =
    &[("t", &["a", "n", "b", "c", "d"]), ("w", &["k", "b"]), (LONG_NAME, &["a", "b"]), ("other", &["x"])];

/// What SQLite reads of these files.
fn by_sqlite(database: &[u8], wal: &[u8], table: &str, columns: &[&str]) -> Vec<Vec<Value>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    std::fs::write(&path, database).expect("the file");
    std::fs::write(folder.path().join("x.db-wal"), wal).expect("the log");
    let connection = Connection::open(&path).expect("opens");
    let sql = format!("SELECT {} FROM {table} ORDER BY 1", columns.join(", "));
    let mut statement = connection.prepare(&sql).expect("a query");
    let rows = statement.query_map([], |row| (0..columns.len()).map(|index| row.get(index)).collect()).expect("rows");
    rows.collect::<Result<_, _>>().expect("whole rows")
}

fn value(row: &Row, column: &str) -> Value {
    match (row.bytes(column), row.integer(column)) {
        (Some(bytes), _) => Value::Blob(bytes.to_vec()),
        (None, Some(number)) => Value::Integer(number),
        (None, None) => Value::Null,
    }
}

fn same(row: &[Value], other: &Row, columns: &[&str]) -> bool {
    row.iter().zip(columns).all(|(expected, column)| match (expected, value(other, column)) {
        (Value::Text(text), Value::Blob(bytes)) => text.as_bytes() == bytes,
        (expected, found) => *expected == found,
    })
}

fn all_values(database: &Database) -> Vec<Vec<(i64, Vec<Value>)>> {
    let table = |&(table, columns): &(&str, &[&str])| {
        let rows = database.rows(table, columns);
        rows.iter().map(|row| (row.rowid, columns.iter().map(|column| value(row, column)).collect())).collect()
    };
    COLUMNS.iter().map(table).collect()
}

const PLACE: &str = "x.db";

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_are_those_that_sqlite_reads(recipe in recipe()) {
        let (bytes, wal) = parts(&recipe);
        let database = Database::from_parts(Path::new(PLACE), bytes.clone(), wal.clone()).expect("opens");
        for (table, columns) in COLUMNS {
            let mut rows = database.rows(table, columns);
            if *table != "t" && *table != "w" {
                rows.sort_by_key(|row| row.rowid);
            }
            let mut expected = by_sqlite(&bytes, &wal, table, columns);
            prop_assert_eq!(rows.len(), expected.len(), "{}", table);
            for row in &rows {
                let found = expected.iter().position(|other| same(other, row, columns));
                prop_assert!(found.is_some(), "{} row {}: {:?} {:?}", table, row.rowid, columns.iter().map(|c| value(row, c)).collect::<Vec<_>>(), expected);
                expected.swap_remove(found.unwrap_or_default());
            }
        }
        prop_assert!(database.take_problems().is_empty());
    }

    /// Rows that damage has taken away, or added, are never missing without a word.
    #[test]
    fn damage_is_told(recipe in recipe(), damage in prop::collection::vec((any::<u32>(), any::<u8>(), 1usize..40), 1..12)) {
        let (mut bytes, _) = parts(&Recipe { auto_vacuum: 0, ..recipe });
        for (at, byte, length) in damage {
            // Not the header, which is mended in other places.
            let at = 100 + at as usize % (bytes.len() - 100);
            let end = bytes.len().min(at + length);
            bytes[at..end].fill(byte);
        }
        let whole = Database::from_image(Path::new(PLACE), bytes.clone());
        let excerpt = Database::from_parts(Path::new(PLACE), bytes, Vec::new());
        if let (Ok(whole), Ok(excerpt)) = (whole, excerpt) {
            let same = all_values(&whole) == all_values(&excerpt);
            prop_assert!(same || !excerpt.take_problems().is_empty(), "{:#?}", whole.take_problems());
        }
    }

    #[test]
    fn any_bytes_end_in_rows_or_an_error(recipe in recipe(), damage in prop::collection::vec((any::<u32>(), any::<u8>()), 0..30), cut in any::<u32>(), in_wal in any::<bool>()) {
        let (mut bytes, mut wal) = parts(&Recipe { page_size: 512, ..recipe });
        for (at, byte) in damage {
            let at = at as usize % bytes.len();
            bytes[at] = byte;
        }
        if in_wal {
            wal.truncate(cut as usize % wal.len());
        } else {
            bytes.truncate(cut as usize % bytes.len());
        }
        if let Ok(database) = Database::from_parts(Path::new(PLACE), bytes, wal) {
            all_values(&database);
            database.newest("t", "n", "a", None);
        }
    }
}
