//! Converse.js in the browser's console, saved to a file. 14 and later log the colour that tells sent
//! from received (`%c%s color: darkcyan <xml>`); 12 and 13 log `%c <time> DEBUG: <xml>`.

use super::stanza_lines::StanzaLines;
use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::Records;
use crate::input::capture::source::Line;
use crate::model::{Direction, When};

pub(super) const FORMAT: Format = Format {
    name: "Converse.js console",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Converse::default()),
    unit: Unit::Lines,
};

const OMEMO_WORDS: [&str; 16] = [
    "omemo",
    "invalid signature",
    "ephemeral key",
    "prekey",
    "closed session",
    "deleting chain",
    "bad mac",
    "message key not found",
    "identity key",
    "no record for",
    "signed pre",
    "messagecountererror",
    "sce ",
    "fetch bundle",
    "no session found",
    "sessionrecord",
];

#[derive(Default)]
struct Converse {
    stanzas: StanzaLines,
}

/// Where the XML begins, which way it went, and when.
fn head(line: &str) -> Option<(usize, Option<Direction>, Option<When>)> {
    let at = line.find('<').filter(|at| *at <= 120)?;
    let before = &line[..at];
    if !before.contains("%c") {
        return None;
    }
    let direction = if line.contains("color: darkcyan") {
        Some(Direction::Outgoing)
    } else if line.contains("color: darkgoldenrod") {
        Some(Direction::Incoming)
    } else {
        None
    };
    let time = before.split_ascii_whitespace().filter(|w| w.contains('T')).find_map(clock::read);
    Some((at, direction, time))
}

impl LogFormat for Converse {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some((at, direction, time)) = head(line.text) {
            return self.stanzas.begin(line, &line.text[at..], direction, time, out);
        }
        self.stanzas.further(line, out);
        let lower = line.text.to_lowercase();
        if !out.is_open() && OMEMO_WORDS.iter().any(|w| lower.contains(w)) {
            let text = line.text.strip_prefix('[').and_then(|t| t.split_once("] ")).map_or(line.text, |(_, text)| text);
            out.client_line("Converse", line, None, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let new = head("[debug] %c%s color: darkcyan <iq/>").expect("a stanza");
        assert_eq!((new.0, new.1), (29, Some(Direction::Outgoing)));
        let old = head("%c 2026-11-23T02:10:24.000Z DEBUG: <iq/> color: darkgoldenrod").expect("a stanza");
        assert_eq!(old.1, Some(Direction::Incoming));
        assert!(old.2.is_some_and(|t| t.instant.is_some()));
        assert!(head("[debug] <iq/>").is_none());
    }
}
