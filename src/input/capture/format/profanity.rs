//! Profanity's log: `<time>: [<pid>: ]<area>: <LVL>: <text>`; stanzas as `SENT: <xml>` and `RECV: <xml>`.
//! A text may hold line ends: a record goes on until the next line that begins with a time.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{Direction, When};

pub(super) const FORMAT: Format = Format {
    name: "Profanity log",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Profanity),
    unit: Unit::Lines,
};

struct Profanity;

struct Head<'a> {
    time: Option<When>,
    text: &'a str,
}

fn head(line: &str) -> Option<Head<'_>> {
    let (time, rest) = line.split_once(": ")?;
    if !time.starts_with(|c: char| c.is_ascii_digit()) || !time.contains('T') || time.len() > 40 {
        return None;
    }
    let (first, after) = rest.split_once(": ")?;
    let rest = if first.bytes().all(|b| b.is_ascii_digit()) { after } else { rest };
    let (area, rest) = rest.split_once(": ")?;
    let (level, text) = rest.split_once(':')?;
    let known = matches!(level, "DBG" | "INF" | "WRN" | "ERR") && area.len() <= 16;
    known.then(|| Head { time: clock::read(time), text: text.strip_prefix(' ').unwrap_or(text) })
}

impl LogFormat for Profanity {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        let Some(head) = head(line.text) else {
            if out.is_open() {
                out.text(b"\n", line.number, line.offset);
                out.text(line.bytes, line.number, line.offset);
            }
            return;
        };
        out.end();
        let (direction, xml) = match (head.text.strip_prefix("SENT: "), head.text.strip_prefix("RECV: ")) {
            (Some(xml), _) => (Direction::Outgoing, xml),
            (_, Some(xml)) => (Direction::Incoming, xml),
            _ => {
                // Up to 0.10 without brackets. Anywhere else in a line it would be somebody's text.
                if head.text.starts_with("[OMEMO]") || head.text.starts_with("OMEMO: ") {
                    out.client_line("Profanity", line, head.time, head.text);
                }
                return;
            }
        };
        out.begin(Record {
            stream: String::new(),
            framing: Framing::Whole,
            direction: Some(direction),
            time: head.time,
            account: None,
        });
        out.text(xml.as_bytes(), line.number, line.offset_of(line.text.len() - xml.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions() {
        for line in [
            "2026-11-23T02:05:25.984736Z: conn: DBG: SENT: <iq/>",
            "2026-11-23T02:05:25.984736+02: 00001234: conn: DBG: SENT: <iq/>",
        ] {
            let head = head(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(head.text, "SENT: <iq/>");
            assert!(head.time.is_some_and(|t| t.instant.is_some()), "{line}");
        }
        assert!(head("<body>2026: x: DBG: y").is_none());
    }
}
