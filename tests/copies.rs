//! Several copies of one store: what the later one shows when it is held against the earlier one.

#![allow(clippy::unwrap_used)] // A test may panic.

mod common;

use omemoscope::analysis::investigation::Question;
use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{Code, Confidence, Diagnosis, Finding};
use omemoscope::omemo::{KeyPair, PrivateKey};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example");

/// A copy of an example store, changed with SQL.
fn changed(folder: &TempDir, name: &str, sql: &str) -> PathBuf {
    let from = Path::new(EXAMPLE).join(name).join("omemo_grace@localhost.db");
    let to = folder.path().join(format!("{name}.db"));
    std::fs::copy(from, &to).unwrap();
    Connection::open(&to).unwrap().execute_batch(sql).unwrap();
    to
}

fn diagnose(copies: [&Path; 2]) -> Diagnosis {
    let stores = copies.map(|path| store::open(path, &OpenOptions::default()).unwrap()).into();
    common::diagnose(Question { stores, ..Question::default() }, &Path::new(EXAMPLE).join("gajim.log"))
}

fn findings<'a>(found: &'a Diagnosis, detail: &str) -> Vec<&'a Finding> {
    found.findings.iter().filter(|f| f.detail == Some(detail)).collect()
}

#[test]
fn a_store_that_went_back_between_two_copies() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (changed(&folder, "gajim", ""), changed(&folder, "gajim-newer", ""));
    let healthy = diagnose([&old, &new]);
    assert!(findings(&healthy, "between-copies").is_empty(), "{:?}", healthy.findings);

    // Which copy is the later one, only the order tells in which they were named.
    let back = diagnose([&new, &old]);
    let [finding] = findings(&back, "between-copies")[..] else { panic!("{:?}", back.findings) };
    assert_eq!((finding.code, finding.confidence), (Code::ReceiverRolledBack, Confidence::Likely));
    assert!(finding.remedy[0].contains("wrong order"), "{:?}", finding.remedy);

    // A restored store that lived on has newer rows than the one that was lost.
    let old = changed(&folder, "gajim", "UPDATE signed_prekeys SET timestamp = '2031-01-01 00:00:00'");
    let back = diagnose([&new, &old]);
    let [finding] = findings(&back, "between-copies")[..] else { panic!("{:?}", back.findings) };
    assert_eq!(finding.confidence, Confidence::Proven);
    assert!(!finding.remedy[0].contains("wrong order"), "{:?}", finding.remedy);
}

#[test]
fn a_session_that_a_later_copy_has_lost() {
    let folder = TempDir::new().unwrap();
    let old = changed(&folder, "gajim", "");
    let peggy = changed(&folder, "gajim-newer", "DELETE FROM sessions WHERE recipient_id = 'peggy@localhost'");
    let found = diagnose([&old, &peggy]);
    let [finding] = findings(&found, "lost-between-copies")[..] else { panic!("{:?}", found.findings) };
    assert_eq!((finding.code, finding.confidence), (Code::NoSession, Confidence::Likely));
    assert!(finding.sentence.contains("peggy@localhost") && !finding.stanza_ids.is_empty(), "{finding:?}");

    // Nobody misses a session in which nothing is written.
    let more = "UPDATE sessions SET recipient_id = 'carol@localhost' WHERE recipient_id = 'peggy@localhost'";
    let (old, new) = (changed(&folder, "gajim", more), changed(&folder, "gajim-newer", ""));
    assert!(findings(&diagnose([&old, &new]), "lost-between-copies").is_empty());
}

#[test]
fn new_keys_of_our_own_between_two_copies() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (changed(&folder, "gajim", ""), changed(&folder, "gajim-newer", ""));
    assert!(findings(&diagnose([&old, &new]), "own-key-changed").is_empty());

    let pair = KeyPair::from_private(PrivateKey::from_bytes(&[7; 32]).unwrap());
    let row = (pair.public.to_signal(), pair.private.secret().expose());
    Connection::open(&new).unwrap().execute("UPDATE secret SET public_key = ?1, private_key = ?2", row).unwrap();
    let found = diagnose([&old, &new]);
    let [finding] = findings(&found, "own-key-changed")[..] else { panic!("{:?}", found.findings) };
    assert_eq!((finding.code, finding.confidence), (Code::IdentityChanged, Confidence::Proven));
    let new = pair.public.to_string();
    assert!(finding.evidence[1].says.replace(' ', "").contains(&new), "{finding:?}");
}
