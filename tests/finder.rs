//! Finding stores at default places and in folders.

use omemoscope::input::store::OpenOptions;
use omemoscope::input::store::default_place::UserFolders;
use omemoscope::input::store::finder::{self, Finding};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores").join(name)
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("the fixture").flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
        std::fs::copy(from, to).expect("a copy");
    }
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    copy(&fixture("poezio"), &home.path().join(".local/share/poezio/omemo"));
    copy(&fixture("converse/local-storage"), &home.path().join(".config/chromium/Default"));
    copy(&fixture("slixmpp-omemo/labels.json"), &home.path().join("bots/labels.json"));
    home
}

fn clients(finding: &Finding) -> Vec<&'static str> {
    let mut clients: Vec<_> = finding.found.iter().map(|found| found.client).collect();
    clients.sort_unstable();
    clients
}

#[test]
fn default_places() {
    let home = home();
    let finding = finder::at_default_places(&UserFolders::of_home(home.path()), &OpenOptions::default());
    assert_eq!(clients(&finding), ["Converse", "Poezio"]);
    let poezio = finding.found.iter().find(|found| found.client == "Poezio").expect("Poezio's store");
    let (jid, id) = &poezio.accounts[0];
    assert_eq!((jid.as_ref().map(|jid| jid.as_str()), *id), (Some("alice90@localhost"), Some(1_686_651_668)));
    assert_eq!(poezio.size, 43_103);
    assert!(poezio.modified.is_some() && poezio.unreadable.is_none());
}

#[test]
fn a_whole_folder() {
    let home = home();
    let mut steps = 0;
    let finding = finder::below(home.path(), &OpenOptions::default(), &mut |_| steps += 1);
    assert_eq!(clients(&finding), ["Converse", "Poezio", "python-omemo"]);
    assert_eq!(steps, finding.looked_at);
    assert!(!finding.limited);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let home = home();
    let other = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(home.path(), other.path().join("folder")).expect("a link");
    std::os::unix::fs::symlink(home.path().join("bots/labels.json"), other.path().join("file.json")).expect("a link");
    std::os::unix::fs::symlink(other.path(), other.path().join("loop")).expect("a link");
    assert!(clients(&finder::below(other.path(), &OpenOptions::default(), &mut |_| {})).is_empty());
}

#[test]
fn many_other_files_do_not_matter() {
    let home = home();
    for folder in 0..20 {
        let folder = home.path().join(format!("pictures/{folder}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        for file in 0..200 {
            let (name, content): (_, &[u8]) = match file % 4 {
                0 => (format!("{file}.jpg"), b"\xff\xd8\xff\xe0"),
                1 => (format!("{file}.json"), b"{\"name\": \"package\"}"),
                2 => (format!("{file}"), b"some text"),
                _ => (format!("{file}.db"), b"SQLite format 3\0 and no more"),
            };
            std::fs::write(folder.join(name), content).expect("a file");
        }
    }
    let finding = finder::below(home.path(), &OpenOptions::default(), &mut |_| {});
    assert_eq!(clients(&finding), ["Converse", "Poezio", "python-omemo"]);
    assert!(finding.looked_at > 4000);
}
