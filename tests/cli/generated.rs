//! The man pages and completions in the repository are those the program writes.

use super::support::{root, run};
use std::collections::BTreeMap;
use std::path::Path;

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("files have names").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("the file is text"))
        })
        .collect()
}

fn current(what: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fresh = folder.path().join(what);
    let output = run(root(), &["generate", what, &fresh.to_string_lossy()]);
    assert!(output.status.success());
    let (fresh, kept) = (files(&fresh), files(&root().join(what)));
    assert_eq!(fresh.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>());
    for (name, text) in fresh {
        assert!(kept[&name] == text, "{what}/{name} is stale: cargo run -- generate {what} {what}");
    }
}

#[test]
fn man_pages_are_current() {
    current("man");
}

#[test]
fn completions_are_current() {
    current("completions");
}

#[test]
fn the_page_of_causes_is_current() {
    current("docs");
}
