//! Several copies of one store: what the later one shows when it is held against the earlier one.

use crate::common;
use crate::pairs::{Pair, finding_pair};
use omemoscope::analysis::investigation::Question;
use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{Code, Confidence, Diagnosis, Finding};
use omemoscope::omemo::{KeyPair, PrivateKey};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Pairs of copies, with their neighbours.
pub const PAIRS: &[Pair] = &[
    finding_pair(Code::ReceiverRolledBack, "between-copies", went_back, went_on),
    finding_pair(Code::NoSession, "lost-between-copies", lost_session, went_on),
    finding_pair(Code::IdentityChanged, "own-key-changed", new_keys, went_on),
];

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

/// Two copies; the SQL makes the later one.
fn copies(earlier: &str, later: &str, sql: &str) -> Diagnosis {
    let folder = TempDir::new().unwrap();
    diagnose([&changed(&folder, earlier, ""), &changed(&folder, later, sql)])
}

fn went_on() -> Diagnosis {
    copies("gajim", "gajim-newer", "")
}

fn went_back() -> Diagnosis {
    copies("gajim-newer", "gajim", "")
}

fn lost_session() -> Diagnosis {
    copies("gajim", "gajim-newer", "DELETE FROM sessions WHERE recipient_id = 'peggy@localhost'")
}

fn new_keys() -> Diagnosis {
    let pair = KeyPair::from_private(PrivateKey::from_bytes(&[7; 32]).unwrap());
    let hex = |bytes: &[u8]| format!("x'{}'", hex::encode(bytes));
    let (public, private) = (hex(&pair.public.to_signal()), hex(pair.private.secret().expose()));
    copies("gajim", "gajim-newer", &format!("UPDATE secret SET public_key = {public}, private_key = {private}"))
}

#[test]
fn whether_the_order_of_the_copies_is_known_decides_how_sure_it_is() {
    let back = went_back();
    let [finding] = findings(&back, "between-copies")[..] else { panic!("{:?}", back.findings) };
    assert_eq!(finding.confidence, Confidence::Likely);
    assert!(finding.remedy[0].contains("wrong order"), "{:?}", finding.remedy);

    // A restored store that lived on has newer rows than the one that was lost.
    let back = copies("gajim-newer", "gajim", "UPDATE signed_prekeys SET timestamp = '2031-01-01 00:00:00'");
    let [finding] = findings(&back, "between-copies")[..] else { panic!("{:?}", back.findings) };
    assert_eq!(finding.confidence, Confidence::Proven);
    assert!(!finding.remedy[0].contains("wrong order"), "{:?}", finding.remedy);
}

#[test]
fn a_lost_session_matters_only_where_somebody_writes_in_it() {
    let found = lost_session();
    let [finding] = findings(&found, "lost-between-copies")[..] else { panic!("{:?}", found.findings) };
    assert!(finding.sentence.contains("peggy@localhost") && !finding.stanza_ids.is_empty(), "{finding:?}");

    let folder = TempDir::new().unwrap();
    let unused = "UPDATE sessions SET recipient_id = 'carol@localhost' WHERE recipient_id = 'peggy@localhost'";
    let copies = [changed(&folder, "gajim", unused), changed(&folder, "gajim-newer", "")];
    assert!(findings(&diagnose([&copies[0], &copies[1]]), "lost-between-copies").is_empty());
}
