//! Cases of `fixtures/diagnosis`, and captures made by a test.

#![allow(clippy::unwrap_used, dead_code)] // A test may panic, and no test uses all of it.

use omemoscope::analysis::investigation::{Investigation, Question};
use omemoscope::input::capture;
use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{BareJid, Diagnosis};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// One folder: stores, capture and truth.
pub struct Case {
    pub folder: PathBuf,
    pub truth: Value,
}

impl Case {
    pub fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/diagnosis");
        let folders = |path: &Path| -> Vec<PathBuf> {
            let mut found: Vec<PathBuf> = path.read_dir().unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
            found.sort();
            found
        };
        folders(&root).iter().flat_map(|client| folders(client)).map(Self::load).collect()
    }

    pub fn load(folder: PathBuf) -> Self {
        let truth = serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
        Self { folder, truth }
    }

    pub fn named(name: &str) -> Self {
        Self::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/diagnosis").join(name))
    }

    pub fn diagnose(&self) -> Diagnosis {
        self.diagnose_with(|_| {})
    }

    pub fn diagnose_with(&self, change: impl Fn(&mut Question)) -> Diagnosis {
        self.diagnose_capture(&self.folder.join("capture.xml"), change)
    }

    /// The case's store, another capture.
    pub fn diagnose_text(&self, text: &str) -> Diagnosis {
        let file = captured(text);
        self.diagnose_capture(file.path(), |_| {})
    }

    fn diagnose_capture(&self, path: &Path, change: impl Fn(&mut Question)) -> Diagnosis {
        let account = BareJid::new(self.truth["account"].as_str().unwrap());
        let options = OpenOptions { account: account.clone(), ..OpenOptions::default() };
        let stores = vec![store::open(&self.folder.join("store"), &options).unwrap()];
        let peer = self.folder.join("peer");
        let peers = if peer.is_dir() { vec![store::open(&peer, &OpenOptions::default()).unwrap()] } else { Vec::new() };
        let mut question = Question { stores, peers, account, ..Question::default() };
        change(&mut question);
        diagnose(question, path)
    }

    pub fn name(&self) -> String {
        self.folder.file_name().unwrap().to_string_lossy().into_owned()
    }
}

pub fn codes(truth: &Value) -> Vec<&str> {
    truth["codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect()
}

/// A capture on disk.
pub fn captured(text: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".xml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// What a question makes of a capture.
pub fn diagnose(question: Question, path: &Path) -> Diagnosis {
    diagnose_all(question, [path])
}

/// What a question makes of several captures, one after the other.
pub fn diagnose_all<'a>(question: Question, paths: impl IntoIterator<Item = &'a Path>) -> Diagnosis {
    let mut events = Vec::new();
    for path in paths {
        capture::read(path, &mut |_| {}, &mut |event| events.push(event)).unwrap();
    }
    Investigation::new(question).diagnose(events)
}
