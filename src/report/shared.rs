//! Pieces that several views share.

pub use crate::analysis::number::number as count;
use crate::model::{Evidence, Landmark, Position, Problem, When};
use serde::Serialize;

/// `{"file","line","byte"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionView {
    /// The file as it was named; `-` is standard input.
    pub file: String,
    /// Line, 1 is the first.
    pub line: u64,
    /// Byte offset from the start.
    pub byte: u64,
    #[serde(skip)]
    position: Position,
}

impl From<&Position> for PositionView {
    fn from(p: &Position) -> Self {
        Self { file: p.file.display().to_string(), line: p.line, byte: p.byte, position: p.clone() }
    }
}

impl PositionView {
    /// In a person's words, to the byte.
    pub fn to_the_byte(&self) -> Position {
        let mut position = self.position.clone();
        if position.landmark == Landmark::Line {
            position.landmark = Landmark::ByteInLine;
        }
        position
    }
}

impl std::fmt::Display for PositionView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.position.fmt(f)
    }
}

/// `{"kind","where","says"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceView {
    /// store, stanza, computation, client-log or rule.
    pub kind: &'static str,
    /// File and row, line, or stanza.
    #[serde(rename = "where")]
    pub place: String,
    /// What it says.
    pub says: String,
}

impl From<&Evidence> for EvidenceView {
    fn from(e: &Evidence) -> Self {
        Self { kind: e.kind.as_str(), place: e.place.to_string(), says: e.says.to_string() }
    }
}

/// `{"where","says"}`: something of a store that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemView {
    /// Where.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong.
    pub says: String,
}

impl From<&Problem> for ProblemView {
    fn from(p: &Problem) -> Self {
        Self { place: p.place.to_string(), says: p.says.clone() }
    }
}

/// A moment as a string: RFC 3339 where it is known, else as the log wrote it.
pub fn time(when: &When) -> String {
    when.instant.map_or_else(|| when.text.clone(), |instant| instant.to_string())
}

/// Items joined like `a, b and c`.
pub fn and_list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// A variant's name as people say it.
pub fn variant(namespace: crate::omemo::Namespace) -> &'static str {
    use crate::omemo::Namespace;
    match namespace {
        Namespace::Legacy => "legacy OMEMO",
        Namespace::Omemo1 => "OMEMO 1",
        Namespace::Omemo2 => "OMEMO 2",
    }
}

/// A public key shortened to its first eight hex digits.
pub fn abbreviated(key: &crate::omemo::PublicKey) -> String {
    let mut hex = key.to_string();
    hex.truncate(8);
    hex.push('…');
    hex
}

/// A fingerprint in groups of eight digits, `per_line` groups a line.
pub fn grouped(hex: &str, per_line: usize) -> String {
    let groups: Vec<&str> = (0..hex.len()).step_by(8).filter_map(|i| hex.get(i..i + 8)).collect();
    groups.chunks(per_line.max(1)).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n")
}

/// `Gajim schema 12`; a version that begins with the client's name stands alone.
pub fn client_and_version(client: &str, version: &str) -> String {
    if version.starts_with(client) { version.to_owned() } else { format!("{client} {version}").trim_end().to_owned() }
}
