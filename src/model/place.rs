//! Where something was found: every finding and every error points there.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A place in a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// Where in it.
    pub part: Part,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The file as a whole.
    Whole,
    /// A line (1 is the first).
    Line(u64),
    /// A table.
    Table(String),
    /// A table row, named by its key, like `bob@localhost/4711`.
    Row {
        /// Table.
        table: String,
        /// What identifies the row to a person.
        row: String,
    },
    /// A path in a structured file: `[group] key` of a key file, a JSON key.
    Key(String),
    /// A byte offset.
    Byte(u64),
}

impl Place {
    /// The whole file.
    pub fn whole(file: &Arc<Path>) -> Self {
        Self { file: file.clone(), part: Part::Whole }
    }

    /// A table row.
    pub fn row(file: &Arc<Path>, table: &str, row: impl Into<String>) -> Self {
        Self { file: file.clone(), part: Part::Row { table: table.into(), row: row.into() } }
    }

    /// What it is a part of: the table, else the file.
    #[must_use]
    pub fn around(&self) -> Self {
        let part = match &self.part {
            Part::Table(table) | Part::Row { table, .. } => Part::Table(table.clone()),
            _ => Part::Whole,
        };
        Self { file: self.file.clone(), part }
    }

    /// A key path.
    pub fn key(file: &Arc<Path>, key: impl Into<String>) -> Self {
        Self { file: file.clone(), part: Part::Key(key.into()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.part {
            Part::Whole => write!(f, "{file}"),
            Part::Line(line) => write!(f, "{file}:{line}"),
            Part::Table(table) => write!(f, "{file}, table {table}"),
            Part::Row { table, row } => write!(f, "{file}, table {table}, row {row}"),
            Part::Key(key) => write!(f, "{file}, {key}"),
            Part::Byte(byte) => write!(f, "{file}, byte {byte}"),
        }
    }
}

/// A place in a capture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The file (`-` for standard input).
    pub file: Arc<Path>,
    /// Line, 1 is the first; in a file of records, which has no lines, the record.
    pub line: u64,
    /// Byte offset from the start of the file.
    pub byte: u64,
    /// What a person finds it by.
    pub landmark: Landmark,
}

/// What a person finds a place in a capture by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Landmark {
    /// The line.
    #[default]
    Line,
    /// The line is not enough: another stanza stands before it there.
    ByteInLine,
    /// The record.
    Record,
}

/// How standard input is named on the command line.
pub const STDIN: &str = "-";

/// What a person calls a capture.
pub fn name_of(capture: &Path) -> std::path::Display<'_> {
    if capture.as_os_str() == STDIN { Path::new("standard input").display() } else { capture.display() }
}

impl Position {
    /// A line of a file.
    pub fn line(file: &Arc<Path>, line: u64, byte: u64) -> Self {
        Self { file: file.clone(), line, byte, landmark: Landmark::Line }
    }
}

impl AsRef<Position> for Position {
    fn as_ref(&self) -> &Position {
        self
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, byte, landmark } = self;
        let file = name_of(file);
        match landmark {
            Landmark::Line => write!(f, "{file}:{line}"),
            Landmark::ByteInLine => write!(f, "{file}:{line}, byte {byte}"),
            Landmark::Record => write!(f, "{file}, record {line}, byte {byte}"),
        }
    }
}
