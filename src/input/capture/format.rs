//! The log formats. Adding one: a file here, a line in [`FORMATS`], a fixture.

mod beagle_console;
mod converse;
mod dino;
mod ejabberd;
mod gajim;
mod gajim_console;
mod har;
mod kaidan;
mod libpurple;
mod logcat;
mod monal;
mod profanity;
mod profanity_console;
mod prosody;
mod psi_console;
mod qxmpp;
mod slixmpp;
mod smack;
mod stanza_lines;
mod text;
mod xml;

use super::records::Records;
use super::source::Line;

/// Reads one log.
pub(super) trait LogFormat {
    /// Takes the next line (or block, see [`Unit`]).
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>);
    /// The log ends.
    fn finish(&mut self, _out: &mut Records<'_>) {}
}

/// A log format.
pub(super) struct Format {
    /// What it is, in a person's words.
    pub name: &'static str,
    /// How many lines of a sample look like it.
    pub score: fn(&[&str]) -> usize,
    /// Starts reading.
    pub open: fn() -> Box<dyn LogFormat>,
    /// What it is read in.
    pub unit: Unit,
}

/// What a log is read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Lines.
    Lines,
    /// Blocks of any size, regardless of lines.
    Blocks,
    /// Blocks, of a file that has records instead of lines.
    Records,
}

/// All formats that are told apart by their lines; on equal scores the first wins.
const FORMATS: &[&Format] = &[
    &gajim::FORMAT,
    &gajim_console::FORMAT,
    &profanity::FORMAT,
    &profanity_console::FORMAT,
    &dino::FORMAT,
    &slixmpp::FORMAT,
    &kaidan::FORMAT,
    &qxmpp::FORMAT,
    &prosody::FORMAT,
    &ejabberd::FORMAT,
    &beagle_console::FORMAT,
    &psi_console::FORMAT,
    &libpurple::FORMAT,
    &logcat::FORMAT,
    &converse::FORMAT,
    &har::FORMAT,
    &smack::FORMAT,
    &stanza_lines::FORMAT,
];

/// The names of all formats, for people.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().copied().chain([&monal::FORMAT, &xml::FORMAT]).map(|f| f.name)
}

/// The best match, or plain XML anywhere in text, and how many lines of the sample look like it.
pub(super) fn detect(sample: &[u8]) -> (usize, &'static Format) {
    if monal::is_rawlog(sample) {
        return (1, &monal::FORMAT);
    }
    let text = String::from_utf8_lossy(sample);
    best(&text.lines().collect::<Vec<&str>>())
}

/// The same of lines.
pub(super) fn best(lines: &[&str]) -> (usize, &'static Format) {
    let mut best = (0, &xml::FORMAT);
    for format in FORMATS {
        let score = (format.score)(lines);
        if score > best.0 {
            best = (score, format);
        }
    }
    best
}

/// Whether a file full of zero bytes is a log all the same.
pub(super) fn is_binary_log(sample: &[u8]) -> bool {
    monal::is_rawlog(sample)
}

/// Counts the lines of a sample that `matches`.
fn count(lines: &[&str], matches: impl Fn(&str) -> bool) -> usize {
    lines.iter().filter(|l| matches(l)).count()
}
