//! The built program on a store whose client is running and holds it locked: it reads the committed state,
//! leaves nothing behind, changes nothing and does not disturb the writer.
#![allow(clippy::unwrap_used)] // A test may panic.

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// A fixture's database, copied to a folder of its own.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores/gajim/built-in/store");
    let file = std::fs::read_dir(from).unwrap().flatten().next().unwrap();
    let to = folder.path().join(file.file_name());
    std::fs::copy(file.path(), &to).unwrap();
    (folder, to)
}

/// What the program says of the store's devices.
fn devices(store: &Path) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_omemoscope"))
        .args(["devices", "--format", "json", "--store"])
        .arg(store)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

/// A file's bytes, whether it may not be written, and its time of change.
type FileState = (Vec<u8>, bool, SystemTime);

/// Every file's name, bytes, mode and time of change; and the folder's own time, which a file made and
/// removed again would change.
fn listing(folder: &Path) -> (SystemTime, BTreeMap<PathBuf, FileState>) {
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|entry| {
        let metadata = entry.metadata().unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        (entry.path(), (bytes, metadata.permissions().readonly(), metadata.modified().unwrap()))
    });
    (std::fs::metadata(folder).unwrap().modified().unwrap(), files.collect())
}

const CHANGE: &str = "INSERT INTO identities(recipient_id, public_key, trust) \
    SELECT 'new' || hex(randomblob(400)) || '@example.org', public_key, 2 FROM identities, \
    (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<200) SELECT x FROM c);";

/// While a client holds its lock in the middle of a change, the state before the change is read.
fn locked(journal_mode: &str) {
    let (folder, store) = copy();
    let writer = Connection::open(&store).unwrap();
    // A small cache: the change is written out before it is committed.
    let setup = format!("PRAGMA journal_mode={journal_mode}; PRAGMA cache_size=2; PRAGMA wal_autocheckpoint=0;");
    writer.execute_batch(&setup).unwrap();
    writer.execute_batch("UPDATE identities SET trust=1;").unwrap();
    let committed = devices(&store);
    writer.execute_batch(&format!("BEGIN EXCLUSIVE; {CHANGE}")).unwrap();
    let before = listing(folder.path());
    assert!(before.1.len() > 1, "a journal or a log lies beside it");
    assert_eq!(devices(&store), committed, "{journal_mode}: what is not committed was read");
    assert!(listing(folder.path()) == before, "{journal_mode}: something changed");
    writer.execute_batch("COMMIT;").unwrap();
    let after = devices(&store);
    assert!(after.contains("new") && after != committed, "{journal_mode}: the commit is seen");
    drop(writer);
    let check = Connection::open(&store).unwrap();
    let whole: String = check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

#[test]
fn a_store_locked_in_rollback_mode_is_read_as_committed() {
    locked("DELETE");
}

#[test]
fn a_store_locked_in_wal_mode_is_read_as_committed() {
    locked("WAL");
}

#[test]
fn a_store_at_rest_has_nothing_beside_it_afterwards() {
    let (folder, store) = copy();
    for journal_mode in ["DELETE", "WAL"] {
        let client = Connection::open(&store).unwrap();
        client.execute_batch(&format!("PRAGMA journal_mode={journal_mode}; UPDATE identities SET trust=1;")).unwrap();
        drop(client);
        let before = listing(folder.path());
        assert_eq!(before.1.len(), 1);
        devices(&store);
        assert!(listing(folder.path()) == before, "{journal_mode}: something changed");
    }
}

/// Root may write all the same: so the listing is held against the one before.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_without_write_permission_is_enough() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = copy();
    let mode = |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o444)).unwrap();
    mode(0o555);
    let before = listing(folder.path());
    assert!(devices(&store).contains("omemoscope/devices/1"));
    assert!(listing(folder.path()) == before);
    mode(0o755);
}
