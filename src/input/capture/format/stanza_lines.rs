//! Programs that log one stanza a record behind a marker: `SEND: <xml>`, `RECV: <xml>` and the like
//! (Aparte, Smack through SLF4J or Android's log, Martin in Siskin and Beagle, and unknown ones).

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{Direction, When};

pub(super) const FORMAT: Format = Format {
    name: "log with stanzas behind SEND and RECV",
    score: |lines| count(lines, |l| marked(l).is_some()),
    open: || Box::new(Marked::default()),
    unit: Unit::Lines,
};

/// What stands before a stanza, and which way it went.
const MARKERS: [(&str, Direction); 9] = [
    ("SEND: <", Direction::Outgoing),
    ("SENT: <", Direction::Outgoing),
    ("RECV: <", Direction::Incoming),
    ("RECEIVED: <", Direction::Incoming),
    ("sending stanza: <", Direction::Outgoing),
    ("received stanza: <", Direction::Incoming),
    (" SENT <", Direction::Outgoing),
    (" RECEIVED <", Direction::Incoming),
    (" RECV <", Direction::Incoming),
];

/// Longest prefix of a log line.
const MAX_PREFIX: usize = 200;

/// Collects a record that holds whole stanzas and may go over several lines.
#[derive(Default)]
pub(super) struct StanzaLines;

impl StanzaLines {
    /// A record begins with this XML, which is the end of the line.
    pub(super) fn begin(
        &mut self,
        line: &Line<'_>,
        xml: &str,
        direction: Option<Direction>,
        time: Option<When>,
        out: &mut Records<'_>,
    ) {
        out.begin(Record { stream: String::new(), framing: Framing::Whole, direction, time, account: None });
        out.text(xml.as_bytes(), line.number, line.offset_of(line.text.len().saturating_sub(xml.len())));
    }

    /// A line without prefix: it belongs to the stanza, if one is under way.
    pub(super) fn further(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if !out.is_open() {
            return;
        }
        if !out.is_inside_stanza() {
            return out.end();
        }
        out.text(b"\n", line.number, line.offset);
        out.text(line.bytes, line.number, line.offset);
    }
}

#[derive(Default)]
struct Marked {
    stanzas: StanzaLines,
}

/// The marker in a line: where the XML begins, and the direction.
fn marked(line: &str) -> Option<(usize, Direction)> {
    let first = memchr::memchr(b'<', line.as_bytes()).filter(|at| *at <= MAX_PREFIX)?;
    // Process ids are written like `<0.5.0>`: the marker may stand behind one.
    let head_end = line.char_indices().map(|(i, _)| i).find(|i| *i > first.max(MAX_PREFIX)).unwrap_or(line.len());
    let head = &line[..head_end];
    MARKERS.iter().filter_map(|(m, d)| head.find(m).map(|at| (at + m.len() - 1, *d))).min_by_key(|(at, _)| *at)
}

impl LogFormat for Marked {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        match marked(line.text) {
            Some((at, direction)) => {
                let time = line.text.split(['[', ']', '|']).find_map(clock::read).or_else(|| {
                    let words: Vec<&str> = line.text[..at].splitn(3, ' ').collect();
                    words.get(..2).and_then(|w| clock::read(&w.join(" "))).or_else(|| words.first().and_then(|w| clock::read(w)))
                });
                self.stanzas.begin(line, &line.text[at..], Some(direction), time, out);
            }
            None => {
                self.stanzas.further(line, out);
                if !out.is_open() && line.text.to_lowercase().contains("omemo") {
                    out.client_line("client", line, None, line.text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        for (line, xml) in [
            ("DEBUG [aparte::core] SEND: <iq/>", "<iq/>"),
            ("10:00:00 DEBUG SMACK - RECV: <message>", "<message>"),
            ("a@b - sending stanza: <message/>", "<message/>"),
            ("Mon Nov 23 02:10:24 2026 RECEIVED <iq/>", "<iq/>"),
        ] {
            assert_eq!(marked(line).map(|(at, _)| &line[at..]), Some(xml), "{line}");
        }
        assert_eq!(marked("text <b> SEND"), None);
        assert_eq!(marked(&("é".repeat(300) + "SEND: <iq/>")), None);
    }
}
