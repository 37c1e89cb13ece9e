//! Kaidan's standard error: `im.kaidan.core: [incoming] <<<…`, then the stanza over several lines.
//! Kaidan 0.12 cuts off the last character of what it prints; later versions colour the XML.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{BareJid, Direction};

pub(super) const FORMAT: Format = Format {
    name: "Kaidan log",
    score: |lines| count(lines, |l| head(l).is_some() || l.contains("im.kaidan.")),
    open: || Box::new(Kaidan::default()),
    unit: Unit::Lines,
};

/// What QXmpp speaks of OMEMO in.
pub(super) const OMEMO_WORDS: [&str; 9] =
    ["omemo", "pre key", "decrypt", "sce ", "session", "authentication code", "device", "envelope", "trust"];

#[derive(Default)]
struct Kaidan {
    /// The category before the colon of the record under way.
    category: String,
    /// The last character that was not white space, and where its line is.
    last: Option<(char, u64, u64)>,
}

struct Head {
    category: String,
    record: Record,
}

/// `[<time> ]<category>: [<account> ][incoming] <<<<`.
fn head(line: &str) -> Option<Head> {
    let line = line.trim_end();
    let (rest, direction) = if let Some(rest) = line.strip_suffix("<<<<<<<<<<") {
        (rest.trim_end_matches('<'), Direction::Incoming)
    } else {
        (line.strip_suffix(">>>>>>>>>>")?.trim_end_matches('>'), Direction::Outgoing)
    };
    let word = if direction == Direction::Incoming { "[incoming]" } else { "[outgoing]" };
    let rest = rest.trim_end().strip_suffix(word)?.trim_end();
    let (category, account) = rest.rsplit_once(':')?;
    let name = category.rsplit(' ').next().unwrap_or(category);
    let time = category.strip_suffix(name).and_then(clock::read);
    let account = account.trim();
    Some(Head {
        category: name.to_owned(),
        record: Record {
            stream: account.to_owned(),
            framing: Framing::Whole,
            direction: Some(direction),
            time,
            account: Some(account).filter(|a| a.contains('@')).and_then(BareJid::new),
        },
    })
}

/// Whether a line begins with a Qt logging category.
fn category(line: &str) -> Option<&str> {
    let (category, _) = line.split_once(": ")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (category.contains('.') && category.chars().all(plain)).then_some(category)
}

impl LogFormat for Kaidan {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(head) = head(line.text) {
            self.end(out);
            self.category = head.category;
            out.begin(head.record);
            return;
        }
        if let Some(category) = category(line.text)
            && (category == self.category || !out.is_inside_stanza())
        {
            self.end(out);
            let text = line.text.split_once(": ").map_or("", |(_, text)| text);
            let lower = text.to_lowercase();
            if text.contains("[client]") && OMEMO_WORDS.iter().any(|w| lower.contains(w)) {
                out.client_line("Kaidan", line, None, text);
            }
            return;
        }
        if out.is_open() {
            if self.last.is_some() {
                out.text(b"\n", line.number, line.offset);
            }
            out.text(line.bytes, line.number, line.offset);
            if let Some(last) = line.text.trim_end().chars().last() {
                self.last = Some((last, line.number, line.offset));
            }
        }
    }

    fn finish(&mut self, out: &mut Records<'_>) {
        self.end(out);
    }
}

impl Kaidan {
    fn end(&mut self, out: &mut Records<'_>) {
        if let Some((last, line, byte)) = self.last.take()
            && last != '>'
        {
            out.repair("Kaidan cut off the last character of this stanza, a > was put back");
            out.text(b">", line, byte);
        }
        out.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let old = format!("im.kaidan.core: [outgoing] {} ", ">".repeat(70));
        assert!(head(&old).is_some_and(|h| h.record.direction == Some(Direction::Outgoing) && h.category == "im.kaidan.core"));
        let new = format!("2026-11-23T02:10:24 im.kaidan.xmpp: a@b [incoming] {}", "<".repeat(70));
        let head = head(&new).expect("a head line");
        assert_eq!((head.category.as_str(), head.record.account), ("im.kaidan.xmpp", BareJid::new("a@b")));
        assert!(head.record.time.is_some());
    }
}
