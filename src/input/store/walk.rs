//! Looking for stores in a folder: within limits, and never out of it.

use super::candidate::Candidate;
use super::{OpenOptions, describe, recognise};
use crate::input::InputError;
use crate::model::{Part, Place, Problem, ProblemScope, Store};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Folders below the named one that are entered (a browser profile or a whole data folder nests about five).
const MAX_DEPTH: usize = 8;

/// Files looked at in all: a folder with more is not a store's folder but somebody's whole disk.
const MAX_FILES: usize = 20_000;

/// Reads every recognised store in a folder into one [`Store`].
pub fn open_folder(path: &Path, options: &OpenOptions) -> Result<Store, InputError> {
    std::fs::read_dir(path).map_err(|error| describe::unreadable(path, &error))?;
    let mut walk = Walk {
        options,
        root: path.canonicalize().map_err(|error| describe::unreadable(path, &error))?,
        store: Store { path: path.into(), accounts: Vec::new(), problems: Vec::new() },
        read: HashSet::new(),
        looked_at: 0,
        stores: 0,
        failed: Vec::new(),
        captures: 0,
        too_deep: false,
    };
    walk.folder(path, 0);
    walk.finish()
}

struct Walk<'a> {
    options: &'a OpenOptions,
    root: PathBuf,
    store: Store,
    /// Files that were read as a part of a store already.
    read: HashSet<PathBuf>,
    looked_at: usize,
    stores: usize,
    failed: Vec<InputError>,
    captures: usize,
    /// Folders too deep to be entered were left out.
    too_deep: bool,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path, depth: usize) {
        let candidate = Candidate::folder(path);
        if self.try_candidate(&candidate) {
            return;
        }
        let mut folders = Vec::new();
        for entry in candidate.entries() {
            if self.looked_at >= MAX_FILES {
                return;
            }
            let Ok(metadata) = entry.symlink_metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.clone());
            } else if metadata.is_file() || (metadata.is_symlink() && self.links_inside(entry)) {
                self.looked_at += 1;
                self.file(entry);
            }
        }
        self.too_deep |= depth >= MAX_DEPTH && !folders.is_empty();
        if depth < MAX_DEPTH {
            for folder in folders {
                self.folder(&folder, depth + 1);
            }
        }
    }

    /// Whether a symbolic link leads to a file in the named folder. Others are not followed: a folder
    /// that a stranger sent must not make us read the rest of the disk.
    fn links_inside(&self, link: &Path) -> bool {
        link.canonicalize().is_ok_and(|target| target.starts_with(&self.root) && target.is_file())
    }

    fn file(&mut self, path: &Path) {
        if self.read.contains(&key(path)) {
            return;
        }
        match Candidate::file(path) {
            Ok(candidate) => {
                if self.try_candidate(&candidate) {
                    return;
                }
                if let Some(error) = candidate.database_error() {
                    self.failed.push(InputError::new(path, error.says.clone()));
                } else if !candidate.is_empty() && describe::not_a_store(&candidate).contains("give it as capture") {
                    self.captures += 1;
                }
            }
            Err(error) => self.failed.push(error),
        }
    }

    fn try_candidate(&mut self, candidate: &Candidate) -> bool {
        let Some(format) = recognise(candidate) else { return false };
        self.stores += 1;
        self.read.insert(key(candidate.path()));
        match (format.read)(candidate, self.options) {
            Ok(reading) => {
                self.read.extend(reading.files.iter().map(|file| key(file)));
                self.store.accounts.extend(reading.accounts);
                self.store.problems.extend(candidate.problems());
                self.store.problems.extend(reading.problems);
            }
            Err(error) => self.failed.push(error),
        }
        true
    }

    fn finish(mut self) -> Result<Store, InputError> {
        if self.store.accounts.is_empty() && self.store.problems.is_empty() {
            return Err(self.nothing_found());
        }
        for error in self.failed {
            let place = Place { file: error.path.as_path().into(), part: Part::Whole };
            let scope = if error.locked { ProblemScope::Locked } else { ProblemScope::Other };
            self.store.problems.push(Problem { place, says: error.says, scope });
        }
        Ok(self.store)
    }

    fn nothing_found(mut self) -> InputError {
        if !self.failed.is_empty() {
            return self.failed.swap_remove(0);
        }
        let path = self.store.path;
        let holds_nothing = std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
        if holds_nothing {
            return InputError::new(path, "the folder is empty; a folder with a client's store was expected");
        }
        if self.looked_at >= MAX_FILES {
            let says = format!("no known client's store among the first {MAX_FILES} files; name the store's own folder or file");
            return InputError::new(path, says);
        }
        if self.captures > 0 {
            return InputError::new(
                path,
                "no known client's store in this folder, only logs; give logs as captures, not as store",
            );
        }
        let files = if self.looked_at == 1 { "1 file".to_owned() } else { format!("{} files", self.looked_at) };
        let deep = if self.too_deep { format!(", down to {MAX_DEPTH} folders deep") } else { String::new() };
        let says = format!("no known client's store in this folder ({files} looked at{deep})");
        InputError::new(path, says)
    }
}

/// A path by which files are recognised again, whichever way they were named.
fn key(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
