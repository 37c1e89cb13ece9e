//! The log formats. Adding one: a file here, a line in [`FORMATS`], a fixture.

mod dino;
mod gajim;
mod gajim_console;
mod profanity;
mod profanity_console;
mod text;
mod xml;

use super::records::Records;
use super::source::Line;

/// Reads one log.
pub(super) trait LogFormat {
    /// Takes the next line (or block, see [`Format::blocks`]).
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
    /// It is read in blocks regardless of lines.
    pub blocks: bool,
}

/// All formats; on equal scores the first wins.
const FORMATS: &[&Format] =
    &[&gajim::FORMAT, &gajim_console::FORMAT, &profanity::FORMAT, &profanity_console::FORMAT, &dino::FORMAT];

/// The best match, or plain XML anywhere in text.
pub(super) fn detect(sample: &[u8]) -> &'static Format {
    let text = String::from_utf8_lossy(sample);
    let lines: Vec<&str> = text.lines().collect();
    let mut best = (0, &xml::FORMAT);
    for format in FORMATS {
        let score = (format.score)(&lines);
        if score > best.0 {
            best = (score, format);
        }
    }
    best.1
}

/// Counts the lines of a sample that `matches`.
fn count(lines: &[&str], matches: impl Fn(&str) -> bool) -> usize {
    lines.iter().filter(|l| matches(l)).count()
}
