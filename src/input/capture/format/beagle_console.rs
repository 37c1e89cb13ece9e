//! Beagle's XML console: `<!--   2026-11-23T02:10:24Z   <<<<   -->`, then the stanza, pretty-printed.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::Direction;

pub(super) const FORMAT: Format = Format {
    name: "Beagle XML console",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Console),
    unit: Unit::Lines,
};

struct Console;

fn head(line: &str) -> Option<Record> {
    let inner = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    let (time, arrows) = inner.rsplit_once(' ')?;
    let direction = match arrows {
        "<<<<" => Direction::Incoming,
        ">>>>" => Direction::Outgoing,
        _ => return None,
    };
    Some(Record {
        stream: String::new(),
        framing: Framing::Whole,
        direction: Some(direction),
        time: clock::read(time),
        account: None,
    })
}

impl LogFormat for Console {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(record) = head(line.text) {
            out.begin(record);
            return;
        }
        if !out.is_open() {
            out.begin(Record::unknown(Framing::Whole));
        }
        out.text(line.bytes, line.number, line.offset);
        out.text(b"\n", line.number, line.offset);
    }
}
