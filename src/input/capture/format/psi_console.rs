//! Psi's XML console with its ring buffer dumped: `<!-- TS:2026-11-23T02:12:07-->` stands before each
//! stanza. Which way it went was only a colour. What is copied without the dump is plain XML.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::When;

pub(super) const FORMAT: Format = Format {
    name: "Psi XML console",
    score: |lines| count(lines, |l| stamp(l).is_some()),
    open: || Box::new(Console),
    unit: Unit::Lines,
};

struct Console;

fn stamp(line: &str) -> Option<(When, &str)> {
    let (time, rest) = line.trim_start().strip_prefix("<!-- TS:")?.split_once("-->")?;
    Some((clock::read(time)?, rest))
}

impl LogFormat for Console {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some((time, rest)) = stamp(line.text) {
            out.begin(Record { time: Some(time), ..Record::unknown(Framing::Whole) });
            out.text(rest.as_bytes(), line.number, line.offset_of(line.text.len() - rest.len()));
            out.text(b"\n", line.number, line.offset);
            return;
        }
        if !out.is_open() {
            out.begin(Record::unknown(Framing::Whole));
        }
        out.text(line.bytes, line.number, line.offset);
        out.text(b"\n", line.number, line.offset);
    }
}
