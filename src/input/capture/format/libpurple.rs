//! Pidgin's and Finch's debug output: `(HH:MM:SS) category: text`. What was received stands there as raw
//! pieces of the stream with their exact length in bytes: `jabber: Recv (ssl)(392): …`. lurch speaks in
//! the same log.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{BareJid, Direction};

pub(super) const FORMAT: Format = Format {
    name: "libpurple debug log",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Purple::default()),
    unit: Unit::Lines,
};

#[derive(Default)]
struct Purple {
    mode: Mode,
    /// The account that sent last; received pieces do not name one.
    account: Option<BareJid>,
}

#[derive(Default)]
enum Mode {
    #[default]
    No,
    /// So many bytes of received data still come.
    Received(usize),
    /// Sent text goes on until the next record.
    Sent,
}

struct Head<'a> {
    time: &'a str,
    category: &'a str,
    text: &'a str,
}

fn head(line: &str) -> Option<Head<'_>> {
    let (time, rest) = line.strip_prefix('(')?.split_once(") ")?;
    let clock = time.rsplit(' ').next()?;
    let digits =
        clock.len() == 8 && clock.bytes().enumerate().all(|(i, b)| if i % 3 == 2 { b == b':' } else { b.is_ascii_digit() });
    let (category, text) = rest.split_once(": ")?;
    (digits && time.len() <= 24 && !category.contains(['<', ' '])).then_some(Head { time, category, text })
}

/// `Recv (ssl)(392): ` and what comes after it: the length, and where the data begins.
fn received(text: &str) -> Option<(usize, usize)> {
    let rest = text.strip_prefix("Recv ")?;
    let rest = rest.strip_prefix("(ssl)").unwrap_or(rest);
    let (length, data) = rest.strip_prefix('(')?.split_once("): ")?;
    Some((length.parse().ok()?, text.len() - data.len()))
}

/// `Sending (ssl) (alice@localhost/finch): `.
fn sent(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix("Sending ")?;
    let rest = rest.strip_prefix("(ssl) ").unwrap_or(rest);
    let (account, data) = rest.strip_prefix('(')?.split_once("): ")?;
    Some((account, text.len() - data.len()))
}

impl LogFormat for Purple {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        let head = head(line.text);
        let begins =
            head.as_ref().is_some_and(|h| h.category == "jabber" && (received(h.text).is_some() || sent(h.text).is_some()));
        if let Mode::Received(left) = self.mode
            && left > 0
            && !begins
        {
            // The line end before this line is part of the data, too.
            out.text(b"\n", line.number, line.offset);
            self.data(line.raw, left - 1, line.number, line.offset, out);
            return;
        }
        match head {
            Some(head) => self.record(&head, line, out),
            None if matches!(self.mode, Mode::Sent) => {
                out.text(b"\n", line.number, line.offset);
                out.text(line.raw, line.number, line.offset);
            }
            None => {}
        }
    }
}

impl Purple {
    fn record(&mut self, head: &Head<'_>, line: &Line<'_>, out: &mut Records<'_>) {
        self.mode = Mode::No;
        let mut record = Record {
            stream: String::new(),
            framing: Framing::Chunk,
            direction: Some(Direction::Incoming),
            time: clock::read(head.time),
            account: None,
        };
        let start = line.text.len() - head.text.len();
        if head.category == "jabber"
            && let Some((length, at)) = received(head.text)
        {
            record.account.clone_from(&self.account);
            out.begin(record);
            // The prefix is ASCII, so its length is the same in the raw bytes.
            let bytes = line.raw.get(start + at..).unwrap_or_default();
            self.data(bytes, length, line.number, line.offset_of(start + at), out);
        } else if head.category == "jabber"
            && let Some((account, at)) = sent(head.text)
        {
            self.account = BareJid::new(account);
            record.direction = Some(Direction::Outgoing);
            record.stream = account.to_owned();
            record.account.clone_from(&self.account);
            out.begin(record);
            self.mode = Mode::Sent;
            out.text(line.raw.get(start + at..).unwrap_or_default(), line.number, line.offset_of(start + at));
        } else {
            out.end();
            if head.category == "lurch" {
                out.client_line("lurch", line, record.time, head.text);
            }
        }
    }

    fn data(&mut self, bytes: &[u8], left: usize, line: u64, byte: u64, out: &mut Records<'_>) {
        let n = bytes.len().min(left);
        out.text(&bytes[..n], line, byte);
        self.mode = Mode::Received(left - n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        assert!(head("(02:09:47) jabber: Recv (12): <a>").is_some_and(|h| h.category == "jabber"));
        assert!(head("(02:09) x: y").is_none());
        assert_eq!(received("Recv (ssl)(392): <a>"), Some((392, 17)));
        assert_eq!(received("Recv (443): <a>"), Some((443, 12)));
        assert_eq!(sent("Sending (ssl) (a@b/c): <a>"), Some(("a@b/c", 23)));
        assert_eq!(sent("Sending (a@b/c): <a>"), Some(("a@b/c", 17)));
    }
}
