//! Gajim's XML console: `<!-- Incoming <date> (<account>) -->`, then the stanza, indented.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{BareJid, Direction};

pub(super) const FORMAT: Format = Format {
    name: "Gajim XML console",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Console),
    unit: Unit::Lines,
};

struct Console;

fn head(line: &str) -> Option<Record> {
    let inner = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    let (way, rest) = inner.split_once(' ')?;
    let direction = match way {
        "Incoming" => Direction::Incoming,
        "Outgoing" => Direction::Outgoing,
        _ => return None,
    };
    let (time, label) = rest.rsplit_once(" (").unwrap_or((rest, ""));
    let label = label.trim_end_matches(')');
    Some(Record {
        stream: label.to_owned(),
        framing: Framing::Whole,
        direction: Some(direction),
        time: clock::read(time),
        account: Some(label).filter(|l| l.contains('@')).and_then(BareJid::new),
    })
}

impl LogFormat for Console {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(record) = head(line.text) {
            out.begin(record);
            return;
        }
        if !out.is_open() {
            // What was copied may begin in the middle of a stanza.
            out.begin(Record::unknown(Framing::Whole));
        }
        out.text(line.bytes, line.number, line.offset);
        out.text(b"\n", line.number, line.offset);
    }
}
