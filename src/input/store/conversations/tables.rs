//! The tables of a Conversations store, from the database or from a backup.

use super::super::sqlite::{Database, Row, unsigned_id};
use crate::model::Place;
use std::collections::HashMap;
use zeroize::Zeroizing;

const ACCOUNTS: &[&str] = &["uuid", "username", "server", "keys"];
const IDENTITIES: &[&str] = &["account", "name", "ownkey", "fingerprint", "trust", "trusted", "active", "last_activation", "key"];
const SESSIONS: &[&str] = &["account", "name", "device_id", "key"];
const PREKEYS: &[&str] = &["account", "id", "key"];
const MESSAGES: &[&str] = &["axolotl_fingerprint", "timeSent"];

/// The columns that are read of a table; `None` for a table that is passed over.
pub fn wanted(table: &str) -> Option<&'static [&'static str]> {
    match table {
        "accounts" => Some(ACCOUNTS),
        "identities" => Some(IDENTITIES),
        "sessions" => Some(SESSIONS),
        "prekeys" | "signed_prekeys" => Some(PREKEYS),
        "messages" => Some(MESSAGES),
        _ => None,
    }
}

/// The tables.
#[derive(Debug, Default)]
pub struct Tables {
    /// Accounts.
    pub accounts: Vec<Entry>,
    /// Identity keys, ours and others'.
    pub identities: Vec<Entry>,
    /// Sessions.
    pub sessions: Vec<Entry>,
    /// One-time prekeys.
    pub prekeys: Vec<Entry>,
    /// Signed prekeys.
    pub signed_prekeys: Vec<Entry>,
    /// Newest message by fingerprint, in milliseconds.
    last_messages: HashMap<String, i64>,
    /// What could not be read.
    pub problems: Vec<String>,
}

/// A row: every value as text, as backups hold them.
#[derive(Debug)]
pub struct Entry {
    values: HashMap<String, Zeroizing<String>>,
    /// Where it stands.
    pub place: Place,
}

impl Entry {
    /// A row's values; those that are NULL are left out.
    pub fn new(values: HashMap<String, Zeroizing<String>>, place: Place) -> Self {
        Self { values, place }
    }

    /// A text; `None` if it is NULL or not there.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(|value| value.as_str())
    }

    /// A whole number.
    pub fn integer(&self, column: &str) -> Option<i64> {
        self.text(column)?.trim().parse().ok()
    }

    /// A device or key id.
    pub fn id(&self, column: &str) -> Option<u32> {
        unsigned_id(self.integer(column)?)
    }
}

impl Tables {
    /// From a database.
    pub fn from_database(database: &Database) -> Self {
        let mut tables = Self::default();
        for table in ["accounts", "identities", "sessions", "prekeys", "signed_prekeys", "messages"] {
            let columns = wanted(table).unwrap_or_default();
            let rows = match table {
                "messages" => database.newest(table, "axolotl_fingerprint", "timeSent", None),
                _ => database.rows(table, columns),
            };
            for row in &rows {
                let values = columns.iter().filter_map(|column| Some(((*column).to_owned(), text(row, column)?))).collect();
                let mut entry = Entry::new(values, Place::row(database.file(), table, ""));
                entry.name_place(table, database);
                tables.push(table, entry);
            }
        }
        tables
    }

    /// Adds a row of a table.
    pub fn push(&mut self, table: &str, entry: Entry) {
        match table {
            "accounts" => self.accounts.push(entry),
            "identities" => self.identities.push(entry),
            "sessions" => self.sessions.push(entry),
            "prekeys" => self.prekeys.push(entry),
            "signed_prekeys" => self.signed_prekeys.push(entry),
            "messages" => {
                if let (Some(fingerprint), Some(time)) = (entry.text("axolotl_fingerprint"), entry.integer("timeSent")) {
                    let newest = self.last_messages.entry(fingerprint.to_owned()).or_insert(time);
                    *newest = time.max(*newest);
                }
            }
            _ => {}
        }
    }

    /// The rows of one account.
    pub fn of<'a>(&self, rows: &'a [Entry], account: &Entry) -> impl Iterator<Item = &'a Entry> {
        let uuid = account.text("uuid").map(str::to_owned);
        rows.iter().filter(move |row| row.text("account") == uuid.as_deref())
    }

    /// Whether an account has anything of OMEMO.
    pub fn uses_omemo(&self, account: &Entry) -> bool {
        account.text("keys").is_some_and(|keys| keys.contains("axolotl_reg_id"))
            || [&self.identities, &self.sessions, &self.prekeys].into_iter().any(|rows| self.of(rows, account).next().is_some())
    }

    /// Newest message by fingerprint (66 hex digits), in milliseconds.
    pub fn last_messages(&self) -> HashMap<String, i64> {
        self.last_messages.clone()
    }
}

impl Entry {
    fn name_place(&mut self, table: &str, database: &Database) {
        self.place = database.place(table, self.name(table));
    }

    /// What names the row to a person.
    pub fn name(&self, table: &str) -> String {
        let text = |column| self.text(column).unwrap_or("?").to_owned();
        match table {
            "accounts" => format!("{}@{}", text("username"), text("server")),
            "sessions" => format!("{}/{}", text("name"), text("device_id")),
            "identities" => text("name"),
            _ => text("id"),
        }
    }
}

fn text(row: &Row, column: &str) -> Option<Zeroizing<String>> {
    if let Some(text) = row.text(column) {
        return Some(Zeroizing::new(text.to_owned()));
    }
    row.integer(column).map(|number| Zeroizing::new(number.to_string()))
}
