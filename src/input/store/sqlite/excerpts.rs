//! A database that is too large for memory and has pages of a `-wal` or `-journal` over its own: each table is
//! read from an excerpt of its own.

use super::excerpt::Excerpt;
use super::image::Image;
use super::pages::{Pages, READ_ATTEMPTS};
use super::{in_memory, pass_over_damage, refused};
use crate::input::InputError;
use crate::model::{Part, Place, Problem, ProblemScope};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Pages of one table and its indexes at most.
const MAX_TABLE: u64 = 256 * 1024 * 1024;

/// Pages with the newest rows of a message archive at most.
const MAX_ARCHIVE: u64 = 64 * 1024 * 1024;

/// A database whose tables are read one by one.
pub struct Excerpts {
    path: PathBuf,
    pages: Pages,
    schema: Excerpt,
    connection: Connection,
    problems: Vec<Problem>,
}

/// A table in a small database of its own.
pub struct TableExcerpt {
    /// The small database.
    pub connection: Connection,
    /// Rows that are there, where not all were asked for.
    pub rows: u64,
    /// Nothing was left out for its size.
    pub complete: bool,
    /// The numbers that its pages have in the large database, in their order.
    pub numbers: Vec<u32>,
}

impl Excerpts {
    /// Reads the table list.
    pub fn new(path: &Path, mut pages: Pages) -> Result<Self, InputError> {
        let schema = Excerpt::of_schema(&mut pages).map_err(|says| InputError::new(path, says))?;
        let mut image = Image::new(path, schema.bytes())?;
        image.prepare();
        let connection = in_memory(path, &image)?;
        let mut problems = image.into_problems();
        if schema.list_is_muddled {
            let says = "the table list is damaged (its entries lie over each other); tables may be missing".into();
            let place = Place { file: path.into(), part: Part::Whole };
            problems.push(Problem { place, says, scope: ProblemScope::Store });
        }
        Ok(Self { path: path.into(), pages, schema, connection, problems })
    }

    /// A small database with the table list and no rows.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What was found on the way; each is given once.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.extend(self.pages.take_problems());
        problems
    }

    /// A table with its indexes.
    pub fn table(&mut self, name: &str, schema_is_damaged: bool) -> Result<TableExcerpt, InputError> {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE ?1 COLLATE NOCASE IN (name, tbl_name)";
        self.settled(name, sql, u64::MAX, MAX_TABLE, schema_is_damaged)
    }

    /// The newest rows of a table, without its indexes.
    pub fn newest(&mut self, name: &str, rows: u64, schema_is_damaged: bool) -> Result<TableExcerpt, InputError> {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE";
        self.settled(name, sql, rows, MAX_ARCHIVE, schema_is_damaged)
    }

    /// Reads until nobody changed anything in between, or often enough.
    fn settled(&mut self, name: &str, roots: &str, rows: u64, bytes: u64, damaged: bool) -> Result<TableExcerpt, InputError> {
        let mut attempt = 1;
        loop {
            let table = self.excerpt(name, roots, rows, bytes, damaged)?;
            if attempt == READ_ATTEMPTS || self.pages.is_unchanged() {
                return Ok(table);
            }
            attempt += 1;
            let mut pages = Pages::open(&self.path)?;
            // The tables read before are of an earlier moment.
            pages.changed();
            let problems = self.take_problems();
            *self = Self::new(&self.path.clone(), pages)?;
            if damaged {
                pass_over_damage(&self.path, &self.connection)?;
            }
            self.problems.extend(problems);
        }
    }

    fn excerpt(&mut self, name: &str, roots: &str, rows: u64, bytes: u64, damaged: bool) -> Result<TableExcerpt, InputError> {
        let numbers = self.schema.numbers();
        let roots: Vec<u32> = {
            let mut statement = self.connection.prepare(roots).map_err(|error| refused(&self.path, &error))?;
            let found = statement.query_map([name], |row| row.get::<_, u32>(0)).map_err(|error| refused(&self.path, &error))?;
            found.flatten().filter_map(|number| numbers.get((number as usize).checked_sub(1)?).copied()).collect()
        };
        let mut excerpt = self.schema.clone();
        let extent = excerpt.keep_trees(&mut self.pages, roots, rows, bytes);
        let mut image = Image::new(&self.path, excerpt.bytes())?;
        image.prepare();
        let connection = in_memory(&self.path, &image)?;
        if damaged {
            pass_over_damage(&self.path, &connection)?;
        }
        Ok(TableExcerpt { connection, rows: extent.rows, complete: extent.complete, numbers: excerpt.numbers() })
    }
}

#[cfg(test)]
mod tests;
