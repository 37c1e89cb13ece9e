//! Bytes to evidence: stores and captures, chosen by looking at their content.

pub mod capture;
pub mod lone;
pub mod store;

use std::path::PathBuf;

/// Why an input could not be used at all. One sentence that names the file and what was expected.
#[derive(Debug, thiserror::Error)]
#[error("{}: {says}", crate::model::name_of(path))]
pub struct InputError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it and what was expected.
    pub says: String,
    /// It is encrypted, and a password that was not given would open it.
    pub locked: bool,
    /// What stands before the fault was read all the same.
    pub partial: bool,
    /// It names OMEMO messages of which none could be read.
    pub hidden: bool,
}

impl InputError {
    /// An error about `path`.
    pub fn new(path: impl Into<PathBuf>, says: impl Into<String>) -> Self {
        Self { path: path.into(), says: says.into(), locked: false, partial: false, hidden: false }
    }

    /// An error about `path` behind which nothing could be read.
    pub fn partial(path: impl Into<PathBuf>, says: impl Into<String>) -> Self {
        Self { partial: true, ..Self::new(path, says) }
    }

    /// An error about `path`, in which OMEMO messages are named but could not be read.
    pub fn hidden(path: impl Into<PathBuf>, says: impl Into<String>) -> Self {
        Self { hidden: true, ..Self::partial(path, says) }
    }

    /// An error about `path`, which the right password would cure.
    pub fn locked(path: impl Into<PathBuf>, says: impl Into<String>) -> Self {
        Self { locked: true, ..Self::new(path, says) }
    }
}
