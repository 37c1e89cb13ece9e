//! QXmpp's own log file: `<Qt date> SENT|RECEIVED|DEBUG|INFO|WARNING <text>`.

use super::kaidan::OMEMO_WORDS;
use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{Direction, When};

pub(super) const FORMAT: Format = Format {
    name: "QXmpp log file",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Qxmpp),
    unit: Unit::Lines,
};

struct Qxmpp;

struct Head<'a> {
    time: When,
    level: &'a str,
    text: &'a str,
}

fn head(line: &str) -> Option<Head<'_>> {
    let (at, level) = ["SENT", "RECEIVED", "DEBUG", "INFO", "WARNING"]
        .iter()
        .filter_map(|level| line.find(&format!(" {level} ")).filter(|at| *at <= 40).map(|at| (at, *level)))
        .min_by_key(|(at, _)| *at)?;
    // `Mon Nov 23 02:10:24 2026`: Qt's text date, five words.
    let time = line.get(..at)?;
    if time.split_ascii_whitespace().count() < 4 {
        return None;
    }
    Some(Head { time: clock::read(time)?, level, text: line.get(at + level.len() + 2..)? })
}

impl LogFormat for Qxmpp {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        let Some(head) = head(line.text) else {
            if out.is_open() {
                out.text(b"\n", line.number, line.offset);
                out.text(line.bytes, line.number, line.offset);
            }
            return;
        };
        out.end();
        let direction = match head.level {
            "SENT" => Direction::Outgoing,
            "RECEIVED" => Direction::Incoming,
            _ => {
                let lower = head.text.to_lowercase();
                if OMEMO_WORDS.iter().any(|w| lower.contains(w)) {
                    out.client_line("QXmpp", line, Some(head.time), head.text);
                }
                return;
            }
        };
        out.begin(Record {
            stream: String::new(),
            framing: Framing::Chunk,
            direction: Some(direction),
            time: Some(head.time),
            account: None,
        });
        out.text(head.text.as_bytes(), line.number, line.offset_of(line.text.len() - head.text.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let head = head("Mon Nov 23 02:10:24 2026 SENT <iq/>").expect("a head line");
        assert_eq!((head.level, head.text), ("SENT", "<iq/>"));
        assert!(head.time.instant.is_some());
        assert!(super::head("10:24 SENT <iq/>").is_none());
    }
}
