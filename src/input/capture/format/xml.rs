//! XML anywhere in text: stream dumps, stanzas one after the other, captures wrapped in any element,
//! logs of unknown programs. Directions and times are not known.

use super::{Format, LogFormat, Unit};
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;

pub(super) const FORMAT: Format = Format { name: "XML", score: |_| 0, open: || Box::new(Xml), unit: Unit::Blocks };

struct Xml;

impl LogFormat for Xml {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if !out.is_open() {
            out.begin(Record::unknown(Framing::Chunk));
        }
        out.text(line.bytes, line.number, line.offset);
    }
}
