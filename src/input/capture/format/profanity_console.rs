//! Profanity's XML console as copied from the screen: `HH:MM:SS - RECV:`, then the stanza wrapped at the
//! window's width, further lines indented to the text column. The breaks are taken out again.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::Direction;

pub(super) const FORMAT: Format = Format {
    name: "Profanity XML console",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Console::default()),
    unit: Unit::Lines,
};

/// Elements whose text is base64: a break there stands for nothing, elsewhere for a blank.
const BASE64: [&str; 11] = [
    "key",
    "payload",
    "iv",
    "ik",
    "spk",
    "spks",
    "pk",
    "identityKey",
    "preKeyPublic",
    "signedPreKeyPublic",
    "signedPreKeySignature",
];

#[derive(Default)]
struct Console {
    /// The end of what was read, from the last tag on.
    tail: String,
}

fn head(line: &str) -> Option<(&str, Direction)> {
    let (time, rest) = line.trim_end().rsplit_once(" - ")?;
    let direction = match rest {
        "SENT:" => Direction::Outgoing,
        "RECV:" => Direction::Incoming,
        _ => return None,
    };
    (time.len() <= 40 && !time.contains('<')).then_some((time, direction))
}

impl LogFormat for Console {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some((time, direction)) = head(line.text) {
            self.tail.clear();
            out.begin(Record {
                stream: String::new(),
                framing: Framing::Whole,
                direction: Some(direction),
                time: clock::read(time),
                account: None,
            });
            return;
        }
        if !out.is_open() {
            return;
        }
        // The first line of a stanza has the time before it, an empty one ends it.
        let text = match line.text.split_once(" - ") {
            Some((time, rest)) if time.len() <= 40 && !time.contains('<') && clock::read(time).is_some() => {
                if rest.trim().is_empty() {
                    return out.end();
                }
                rest.trim_end()
            }
            _ if line.text.trim().is_empty() || line.text.trim().ends_with(" -") => return out.end(),
            _ => line.text.trim(),
        };
        if !self.tail.is_empty() && self.joins_with_blank() {
            out.text(b" ", line.number, line.offset);
        }
        if !self.tail.is_empty() {
            out.repair("line breaks of the window were taken out");
        }
        out.text(text.as_bytes(), line.number, line.offset);
        let from = text.rfind('<').unwrap_or(0);
        if from > 0 || text.starts_with('<') {
            self.tail.clear();
        }
        self.tail.push_str(&text[from..]);
    }
}

impl Console {
    fn joins_with_blank(&self) -> bool {
        let Some((tag, _)) = self.tail.split_once('>') else { return true };
        let name = tag.trim_start_matches('<').split(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default();
        !BASE64.contains(&name)
    }
}
