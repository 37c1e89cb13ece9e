//! Where clients keep their stores when nobody told them otherwise.

use std::path::{Path, PathBuf};

/// A folder or file below one of a user's folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultPlace {
    /// Which of the user's folders.
    pub base: Base,
    /// Below it, with `/`; a `*` stands for any part of one name.
    pub path: &'static str,
    /// How many levels of folders below it may hold the store.
    pub depth: usize,
}

/// A user's folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The home folder.
    Home,
    /// `$XDG_DATA_HOME`, else `~/.local/share`.
    Data,
    /// `%APPDATA%` of Windows.
    Roaming,
    /// `%LOCALAPPDATA%` of Windows.
    Local,
}

/// Most stores lie in the client's folder or one folder below.
const DEPTH: usize = 2;

/// Names that a `*` may stand for at one level: nobody has more profiles.
const MAX_MATCHES: usize = 1000;

/// Below the home folder.
pub const fn home(path: &'static str) -> DefaultPlace {
    DefaultPlace { base: Base::Home, path, depth: DEPTH }
}

/// Below the data folder.
pub const fn data(path: &'static str) -> DefaultPlace {
    DefaultPlace { base: Base::Data, path, depth: DEPTH }
}

/// Below `%APPDATA%`.
pub const fn roaming(path: &'static str) -> DefaultPlace {
    DefaultPlace { base: Base::Roaming, path, depth: DEPTH }
}

/// Below `%LOCALAPPDATA%`.
pub const fn local(path: &'static str) -> DefaultPlace {
    DefaultPlace { base: Base::Local, path, depth: DEPTH }
}

impl DefaultPlace {
    /// The place itself and nothing below it.
    pub const fn only(self) -> Self {
        Self { depth: 0, ..self }
    }
}

/// One user's folders on this machine.
#[derive(Clone, Debug)]
pub struct UserFolders {
    home: PathBuf,
    data: PathBuf,
    roaming: PathBuf,
    local: PathBuf,
}

impl UserFolders {
    /// Below a home folder, wherever it is mounted.
    pub fn of_home(home: &Path) -> Self {
        Self {
            data: home.join(".local").join("share"),
            roaming: home.join("AppData").join("Roaming"),
            local: home.join("AppData").join("Local"),
            home: home.to_path_buf(),
        }
    }

    /// After the environment, read by `variable`; `None` if it names no home folder.
    pub fn of_environment(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        let variable = |name| variable(name).filter(|path| path.is_absolute());
        let mut folders = Self::of_home(&variable("HOME").or_else(|| variable("USERPROFILE"))?);
        folders.data = variable("XDG_DATA_HOME").unwrap_or(folders.data);
        folders.roaming = variable("APPDATA").unwrap_or(folders.roaming);
        folders.local = variable("LOCALAPPDATA").unwrap_or(folders.local);
        Some(folders)
    }

    /// The paths that exist for a place.
    pub fn existing(&self, place: &DefaultPlace) -> Vec<PathBuf> {
        let base = match place.base {
            Base::Home => &self.home,
            Base::Data => &self.data,
            Base::Roaming => &self.roaming,
            Base::Local => &self.local,
        };
        let mut paths = vec![base.clone()];
        for name in place.path.split('/') {
            paths = match name.split_once('*') {
                None => paths.into_iter().map(|path| path.join(name)).collect(),
                Some((start, end)) => paths.iter().flat_map(|path| matches(path, start, end)).collect(),
            };
        }
        paths.retain(|path| path.exists());
        paths
    }
}

fn matches(folder: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    let fits = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match end.strip_suffix('*') {
            Some(middle) => name.strip_prefix(start).is_some_and(|rest| rest.contains(middle)),
            None => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
        }
    };
    let mut found: Vec<_> = listing.flatten().map(|entry| entry.path()).filter(fits).take(MAX_MATCHES).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_a_part_of_a_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["gajim.work", "gajim.home", "gajim", "other"] {
            std::fs::create_dir_all(folder.path().join(".local/share").join(name)).expect("folders");
        }
        let folders = UserFolders::of_home(folder.path());
        let names = |place| -> Vec<_> {
            folders.existing(&place).iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect()
        };
        assert_eq!(names(data("gajim.*")), ["gajim.home", "gajim.work"]);
        assert_eq!(names(data("gajim")), ["gajim"]);
        assert_eq!(names(data("*jim.h*")), ["gajim.home"]);
        assert!(names(roaming("Gajim")).is_empty());
    }

    #[test]
    fn the_environment_may_move_folders() {
        let folders = UserFolders::of_environment(|name| match name {
            "HOME" => Some("/home/me".into()),
            "XDG_DATA_HOME" => Some("/data".into()),
            "APPDATA" => Some("relative".into()),
            _ => None,
        })
        .expect("a home");
        assert_eq!((folders.data, folders.local), (PathBuf::from("/data"), PathBuf::from("/home/me/AppData/Local")));
        assert_eq!(folders.roaming, PathBuf::from("/home/me/AppData/Roaming"));
        assert!(UserFolders::of_environment(|_| None).is_none());
    }
}
