//! `omemoscope inspect`: what is this?

use super::inputs::{self, PasswordArgs};
use super::terminal::Terminal;
use super::{Global, Outcome, Stop};
use crate::analysis::survey::Survey;
use crate::input::capture::unwrap::Unwrapper;
use crate::input::capture::{Capture, SAMPLE};
use crate::input::lone;
use crate::input::store::candidate::Candidate;
use crate::input::store::{self, OpenOptions};
use crate::model::{CaptureEvent, STDIN};
use crate::report::inspect::{CaptureSummary, Inspected, Inspection, Lone, StoreSummary, What};
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  What is in these two files?
  $ omemoscope inspect gajim gajim.log

  A key element copied from a log
  $ omemoscope inspect key.txt";

/// Say what a file is: a store, a capture, a key, a fingerprint
///
/// Looks at the content, never at the name. Of a store it tells client, version, variants, accounts and
/// counts, and what looks wrong with it; of a capture the messages by variant and sender. Also known: the
/// base64 content of a key element, a public key, a fingerprint, and an address with fingerprints.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Inspect {
    /// Files or folders; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

impl Inspect {
    /// Inspects each file; one that is nothing known does not stop the others.
    pub fn run(&self, global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let mut options = inputs::open_options(global, &self.password)?;
        let mut inspection = Inspection { inputs: Vec::new() };
        let mut attention = false;
        let mut unusable = false;
        for path in &self.files {
            let what = match look(global, terminal, path, &mut options) {
                Ok(what) => what,
                Err(Stop::Failure(error)) => {
                    terminal.error(&error);
                    unusable = true;
                    What::Unknown { error }
                }
                Err(other) => return Err(other),
            };
            attention |= needs_attention(&what);
            inspection.inputs.push(Inspected { path: path.display().to_string(), what });
        }
        terminal.show(&inspection)?;
        Ok(if unusable { Outcome::PartlyUnusable } else { Outcome::findings(attention) })
    }
}

fn needs_attention(what: &What) -> bool {
    match what {
        What::Store(store) => {
            !store.problems.is_empty() || store.accounts.iter().any(|a| !a.suspicious.is_empty() || !a.problems.is_empty())
        }
        What::Capture(capture) => capture.faulty > 0,
        What::Lone(_) | What::Nothing { .. } | What::Unknown { .. } => false,
    }
}

fn look(global: &Global, terminal: &Terminal, path: &Path, options: &mut OpenOptions) -> Result<What, Stop> {
    if path.as_os_str() != STDIN {
        match inputs::open_store(terminal, path, options) {
            Ok(store) => return Ok(What::Store(StoreSummary::from(&inputs::choose(global, store)?))),
            // A folder or a database can be nothing else, and a file that is not there nothing at all.
            Err(error) if !path.exists() || path.is_dir() || is_database(path) || is_store(path) => return Err(error.into()),
            Err(_) => {}
        }
    }
    // A lone thing comes before the capture reader, which skips whatever is no stanza.
    let capture = match Capture::open(path) {
        Ok(capture) => capture,
        Err(error) => return lone_file(path).map(|thing| What::Lone(Lone::from(&thing))).ok_or_else(|| error.into()),
    };
    let beginning = capture.beginning();
    let (empty, whole) = (beginning.is_empty(), beginning.len() < SAMPLE);
    if let Some(thing) = Some(beginning).filter(|_| whole).and_then(lone::recognise) {
        return Ok(What::Lone(Lone::from(&thing)));
    }
    let format = capture.format();
    let mut survey = Survey::default();
    let mut unwrapper = Unwrapper::default();
    let read = inputs::read_open_capture(terminal.progress(), path, capture, &mut |event| match event {
        CaptureEvent::Stanza(stanza) => {
            let items = unwrapper.items(&stanza);
            survey.stanza(&stanza, &items);
        }
        CaptureEvent::ClientLine(line) => survey.client_line(&line),
    });
    match read {
        Err(error) if error.partial && !(error.hidden && survey.client_lines == 0) => terminal.warn(&error.to_string()),
        read => read?,
    }
    if survey.stanzas == 0 && survey.client_lines == 0 {
        let says = if empty { "an empty file" } else { "nothing found: no XMPP stanza, key or fingerprint in it" };
        return Ok(What::Nothing { says: says.to_owned() });
    }
    Ok(What::Capture(Box::new(CaptureSummary::new(survey, format))))
}

/// Whether it is a known client's store, although it could not be read.
fn is_store(path: &Path) -> bool {
    Candidate::file(path).is_ok_and(|candidate| store::recognise(&candidate).is_some())
}

fn is_database(path: &Path) -> bool {
    let mut head = [0u8; 16];
    std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut head)).is_ok() && head == *b"SQLite format 3\0"
}

/// Reads a small file whole and recognises what it is.
fn lone_file(path: &Path) -> Option<lone::Lone> {
    let limit = lone::MAX_LONE as u64;
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > limit {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|f| f.take(limit).read_to_end(&mut bytes)).ok()?;
    lone::recognise(&bytes)
}
