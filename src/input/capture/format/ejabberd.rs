//! ejabberd's debug log: `… Received XML on stream = <<"…">>`. The XML is an Erlang binary: a string
//! with escapes, or a list of byte values, perhaps wrapped over several lines. It sees from the server's
//! side: what it received, the client sent.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::Direction;

pub(super) const FORMAT: Format = Format {
    name: "ejabberd log",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Ejabberd::default()),
    unit: Unit::Lines,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Not in a binary.
    #[default]
    Outside,
    /// Between `<<` and a string or number, or after one.
    Binary,
    /// In a string.
    Text,
    /// After a backslash.
    Escape,
    /// In `\x{…}`; the value so far.
    Hex(u32),
    /// In a byte value; the value so far.
    Number(u32),
}

#[derive(Default)]
struct Ejabberd {
    state: State,
}

struct Head<'a> {
    direction: Direction,
    stream: &'a str,
    binary: usize,
}

fn head(line: &str) -> Option<Head<'_>> {
    let at = line.find(" XML on stream = <<")?;
    let before = &line[..at];
    let direction = if before.ends_with("Received") {
        Direction::Outgoing
    } else if before.ends_with("Send") {
        Direction::Incoming
    } else {
        return None;
    };
    // `(tcp|<0.562.0>)` names the connection.
    let stream = before.rsplit_once('(').and_then(|(_, s)| s.split(')').next()).unwrap_or_default();
    Some(Head { direction, stream, binary: at + " XML on stream = ".len() })
}

impl LogFormat for Ejabberd {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(head) = head(line.text) {
            out.of_server();
            let time = line.text.get(..23).and_then(clock::read).or_else(|| line.text.split(" [").next().and_then(clock::read));
            out.begin(Record {
                stream: head.stream.to_owned(),
                framing: Framing::Chunk,
                direction: Some(head.direction),
                time,
                account: None,
            });
            self.state = State::Binary;
            self.take(&line.text[head.binary + 2..], line, out);
        } else if self.state != State::Outside {
            self.take(line.text, line, out);
        }
    }
}

impl Ejabberd {
    fn take(&mut self, text: &str, line: &Line<'_>, out: &mut Records<'_>) {
        let mut bytes = Vec::new();
        let mut one = |c: char| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        for c in text.chars() {
            self.state = match (self.state, c) {
                (State::Outside, _) => break,
                (State::Binary, '"') => State::Text,
                (State::Binary, '>') => State::Outside,
                (State::Binary, c) if c.is_ascii_digit() => State::Number(c.to_digit(10).unwrap_or_default()),
                (State::Binary, _) => State::Binary,
                (State::Text, '"') => State::Binary,
                (State::Text, '\\') => State::Escape,
                (State::Text, c) => {
                    one(c);
                    State::Text
                }
                (State::Escape, 'x') => State::Hex(0),
                (State::Escape, c) => {
                    one(match c {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        's' => ' ',
                        other => other,
                    });
                    State::Text
                }
                (State::Hex(value), '}') => {
                    one(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
                    State::Text
                }
                (State::Hex(value), c) => match c.to_digit(16) {
                    Some(digit) => State::Hex(value.saturating_mul(16).saturating_add(digit)),
                    None => State::Hex(value),
                },
                (State::Number(value), c) => match c.to_digit(10) {
                    Some(digit) => State::Number(value.saturating_mul(10).saturating_add(digit)),
                    None => {
                        // A byte value is less than 256; what is not was no list of bytes.
                        out_byte(value, line, out);
                        if c == '>' { State::Outside } else { State::Binary }
                    }
                },
            };
        }
        out.text(&bytes, line.number, line.offset);
    }
}

fn out_byte(value: u32, line: &Line<'_>, out: &mut Records<'_>) {
    if let Ok(byte) = u8::try_from(value) {
        out.text(&[byte], line.number, line.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CaptureEvent;
    use std::path::Path;
    use std::sync::Arc;

    fn read(log: &str) -> Vec<(String, Option<Direction>)> {
        let mut found = Vec::new();
        let mut sink = |event: CaptureEvent| {
            if let CaptureEvent::Stanza(s) = event {
                found.push((s.element.to_xml(), s.direction));
            }
        };
        let mut out = Records::new(Arc::from(Path::new("t")), false, &mut sink);
        let mut reader = Ejabberd::default();
        for (i, text) in log.lines().enumerate() {
            reader.line(&Line { bytes: text.as_bytes(), raw: text.as_bytes(), text, number: i as u64 + 1, offset: 0 }, &mut out);
        }
        out.finish();
        found
    }

    #[test]
    fn strings_lists_and_chunks() {
        let log = r#"2020-01-17 14:52:12.904 [info] <0.562.0> (tcp|<0.562.0>) Received XML on stream = <<"<message to=\"a@b\"><bo">>
2020-01-17 14:52:12.905 [info] <0.562.0> (tcp|<0.562.0>) Send XML on stream = <<60,105,113,47,62>>
2020-01-17 14:52:12.906 [info] <0.562.0> (tcp|<0.562.0>) Received XML on stream = <<"dy>x\ny</body>"
     "</message>">>"#;
        assert_eq!(
            read(log),
            [
                ("<iq/>".to_owned(), Some(Direction::Incoming)),
                ("<message to='a@b'><body>x\ny</body></message>".to_owned(), Some(Direction::Outgoing))
            ]
        );
    }
}
