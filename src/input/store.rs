//! Clients' stores: one file a client. [`open`] finds out which client's a file or folder is, from its
//! content, and reads it without changing a byte beside it.
//!
//! Adding a client: one file with a `FORMAT`, and one line in [`FORMATS`].

pub mod account;
pub mod aparte;
pub mod browser_profile;
pub mod candidate;
pub mod chatsecure;
mod chromium;
pub mod conversations;
pub mod converse;
pub mod default_place;
pub mod describe;
pub mod dino;
pub mod finder;
mod firefox;
pub mod gajim;
pub mod json_file_storage;
pub mod json_text;
pub mod jsxc;
pub mod kaidan;
pub mod key_file;
mod leveldb;
pub mod libervia;
pub mod lurch;
pub mod monal;
pub mod movim;
pub mod profanity;
pub mod prose;
pub mod psi;
pub mod python_omemo;
pub mod siskin;
pub mod smack;
pub mod sqlite;
pub mod uwpx;
mod walk;
pub mod web_export;
pub mod web_storage;

use super::InputError;
use crate::model::{Account, BareJid, ClientProfile, Problem, Store};
use crate::secret::Plaintext;
use candidate::Candidate;
use default_place::DefaultPlace;
use std::path::{Path, PathBuf};

/// What a reader may need besides the files.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The account, where the store does not know its own address.
    pub account: Option<BareJid>,
    /// Passwords for encrypted backups, each tried in turn.
    pub passwords: Vec<Plaintext>,
}

/// How one client's store is recognised and read.
#[derive(Clone, Copy, Debug)]
pub struct StoreFormat {
    /// The client.
    pub client: &'static ClientProfile,
    /// Whether this file or folder is such a store, or a part of one. Looks at the content, not at the
    /// name; the name may only tell which of two readable parts is which.
    pub detect: fn(&Candidate) -> bool,
    /// Where the client keeps it by default, on every system.
    pub places: &'static [DefaultPlace],
    /// Reads it, together with the other files that belong to it.
    pub read: fn(&Candidate, &OpenOptions) -> Result<Reading, InputError>,
}

/// What a reader found.
#[derive(Debug, Default)]
pub struct Reading {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// What could not be read and belongs to no account.
    pub problems: Vec<Problem>,
    /// Further files that belong to this store and were read with it (absolute or as the candidate's path).
    pub files: Vec<PathBuf>,
}

/// All known stores. The order does not matter: each file is recognised by exactly one.
// One line each, so that a new client is one new line.
#[rustfmt::skip]
pub const FORMATS: &[StoreFormat] = &[
    aparte::FORMAT,
    browser_profile::FORMAT,
    chatsecure::FORMAT,
    conversations::FORMAT,
    conversations::BACKUP_FORMAT,
    dino::FORMAT,
    firefox::FORMAT,
    gajim::FORMAT,
    json_file_storage::FORMAT,
    kaidan::FORMAT,
    libervia::FORMAT,
    lurch::FORMAT,
    monal::FORMAT,
    profanity::FORMAT,
    prose::FORMAT,
    psi::FORMAT,
    psi::CORE_FORMAT,
    python_omemo::FORMAT,
    siskin::FORMAT,
    siskin::BEAGLE_FORMAT,
    smack::FORMAT,
    uwpx::FORMAT,
    web_export::FORMAT,
];

/// The format that recognises a file or folder.
pub fn recognise(candidate: &Candidate) -> Option<&'static StoreFormat> {
    FORMATS.iter().find(|format| (format.detect)(candidate))
}

/// Opens a store: a file or a folder of any known client. Every recognised store in a folder is read
/// into one [`Store`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Store, InputError> {
    let metadata = std::fs::metadata(path).map_err(|error| describe::unreadable(path, &error))?;
    if metadata.is_dir() {
        walk::open_folder(path, options)
    } else if metadata.is_file() {
        open_file(path, options)
    } else {
        Err(InputError::new(path, "this is a device or a pipe, not a file; a client's store (a file or folder) was expected"))
    }
}

fn open_file(path: &Path, options: &OpenOptions) -> Result<Store, InputError> {
    let candidate = Candidate::file(path)?;
    let Some(format) = recognise(&candidate) else {
        return Err(InputError::new(path, describe::not_a_store(&candidate)));
    };
    let reading = (format.read)(&candidate, options)?;
    let mut problems = candidate.problems();
    problems.extend(reading.problems);
    Ok(Store { path: path.into(), accounts: reading.accounts, problems })
}
