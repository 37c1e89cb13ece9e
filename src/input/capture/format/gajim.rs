//! Gajim's debug log: `<time> (L) <logger> | <text>`. Records of the connection hold what came from or
//! went to the socket: pieces of a stream, not stanzas.

use super::text::is_glib_line;
use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{BareJid, Direction, When};

pub(super) const FORMAT: Format = Format {
    name: "Gajim debug log",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Gajim::default()),
    unit: Unit::Lines,
};

/// Loggers that speak of OMEMO: the plugin's, the built-in module's, the libraries'.
const OMEMO_LOGGERS: [&str; 4] = ["gajim.p.omemo", "gajim.c.m.omemo", "omemo_dr", "gajim.axolotl"];

/// The logger of the parser of stanzas: it repeats what the others say, but for its warnings.
const PARSER: &str = "nbxmpp.m.omemo";

/// Empty lines in a row that are kept as part of a text.
const MAX_EMPTY_LINES: usize = 1000;

#[derive(Default)]
struct Gajim {
    /// Lines of stream data are being read.
    data: Data,
    /// Line ends held back: the last ones belong to the log, not to the data.
    held: usize,
}

#[derive(Default, PartialEq, Eq)]
enum Data {
    #[default]
    No,
    /// After the head line; an empty line follows.
    Announced,
    Yes,
}

struct Head<'a> {
    time: Option<When>,
    is_warning: bool,
    logger: &'a str,
    text: &'a str,
}

/// The parts of a record's first line.
fn head(line: &str) -> Option<Head<'_>> {
    let at = line.char_indices().take(40).map(|(i, _)| i).find(|i| {
        let rest = &line.as_bytes()[*i..];
        matches!(rest, [b' ', b'(', b'D' | b'I' | b'W' | b'E' | b'C', b')', b' ', ..])
    })?;
    let time = clock::read(&line[..at])?;
    let rest = line[at + 5..].trim_start();
    let end = rest.find(|c: char| c.is_whitespace() || c == '|').unwrap_or(rest.len());
    let (logger, text) = rest.split_at(end);
    let text = text.trim_start();
    let text = text.strip_prefix('|').unwrap_or(text).trim_start();
    let is_warning = matches!(line.as_bytes().get(at + 2), Some(b'W' | b'E' | b'C'));
    Some(Head { time: Some(time), is_warning, logger, text })
}

impl LogFormat for Gajim {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(head) = head(line.text) {
            self.data = Data::No;
            self.record(&head, line, out);
            return;
        }
        match self.data {
            Data::No => {}
            Data::Announced => {
                self.data = Data::Yes;
                if !line.text.is_empty() {
                    self.held = 0;
                    out.text(line.bytes, line.number, line.offset);
                }
            }
            Data::Yes if line.text.is_empty() || (self.held > 0 && is_glib_line(line.text)) => self.held += 1,
            Data::Yes => {
                if self.held > 0 {
                    out.text(&b"\n".repeat(self.held.min(MAX_EMPTY_LINES)), line.number, line.offset);
                }
                self.held = 1;
                out.text(line.bytes, line.number, line.offset);
            }
        }
    }
}

impl Gajim {
    fn record(&mut self, head: &Head<'_>, line: &Line<'_>, out: &mut Records<'_>) {
        let direction = match () {
            () if head.text.ends_with("::::: DATA SENT ::::") => Direction::Outgoing,
            () if head.text.ends_with("::::: DATA RECEIVED ::::") => Direction::Incoming,
            () => {
                out.end();
                let about = OMEMO_LOGGERS.iter().any(|l| head.logger.starts_with(l))
                    || head.is_warning && head.logger.starts_with(PARSER);
                if about && !head.text.is_empty() {
                    out.client_line("Gajim", line, head.time.clone(), head.text);
                }
                return;
            }
        };
        let context = head.text.strip_prefix('(').and_then(|t| t.split(')').next()).unwrap_or_default();
        let account = Some(context).filter(|c| c.contains('@')).and_then(BareJid::new);
        out.begin(Record {
            stream: context.to_owned(),
            framing: Framing::Chunk,
            direction: Some(direction),
            time: head.time.clone(),
            account,
        });
        self.data = Data::Announced;
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        for line in [
            "11/23/26 02:30:58 (I) nbxmpp.connection        |          (a@b) ::::: DATA SENT ::::",
            "2026-11-23 03:11:59 (I) nbxmpp.connection        |          (a@b) ::::: DATA SENT ::::",
            "2026-11-23 03:11:59,123 (I) nbxmpp.connection (a@b) ::::: DATA SENT ::::",
        ] {
            let head = head(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((head.logger, head.text), ("nbxmpp.connection", "(a@b) ::::: DATA SENT ::::"));
            assert!(head.time.is_some_and(|t| t.instant.is_some()));
        }
        assert!(head("<message> 02:30:58 (I) x").is_none());
        assert!(head("").is_none());
    }
}
