//! Android's logcat of Conversations and its relatives, in `threadtime` or `brief` form. Stanzas are in
//! it only in builds that log them (`[background stanza] <xml>`); logcat cuts long lines.

use super::{Format, LogFormat, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::When;

pub(super) const FORMAT: Format =
    Format { name: "Android log", score: |lines| count(lines, |l| head(l).is_some()), open: || Box::new(Logcat), blocks: false };

/// Length at which logcat cuts a line (LOGGER_ENTRY_MAX_PAYLOAD, about 4 kB with the tag).
const CUT_AT: usize = 3900;

const OMEMO_WORDS: [&str; 21] = [
    "axolotl",
    "omemo",
    "prekey",
    "pre key",
    "broken session",
    "attempt to heal",
    "keytransport",
    "auth tag",
    "blindly trusted",
    "reactivating device",
    "own device",
    "in pep was current",
    "fingerprint",
    "cryptofailedexception",
    "invalidkeyidexception",
    "invalidmessageexception",
    "duplicatemessageexception",
    "nosessionexception",
    "untrustedidentity",
    "javax.crypto",
    "identitykeypair",
];

struct Logcat;

struct Head<'a> {
    time: Option<When>,
    tag: &'a str,
    text: &'a str,
}

fn is_level(c: &str) -> bool {
    matches!(c, "V" | "D" | "I" | "W" | "E" | "F")
}

fn head(line: &str) -> Option<Head<'_>> {
    // `L/tag ( PID): text`
    if let Some((level, rest)) = line.split_once('/')
        && is_level(level)
    {
        let (tag, rest) = rest.split_once('(')?;
        let (pid, text) = rest.split_once("): ")?;
        return pid.trim().bytes().all(|b| b.is_ascii_digit()).then_some(Head { time: None, tag: tag.trim(), text });
    }
    // `MM-DD HH:MM:SS.mmm  PID  TID L tag : text`, also with the year first.
    let mut rest = line;
    let mut words = Vec::new();
    while words.len() < 6 {
        rest = rest.trim_start_matches(' ');
        let (word, after) = rest.split_once(' ')?;
        words.push(word);
        rest = after;
        if is_level(word) {
            break;
        }
    }
    let [date, clock, .., level] = words.as_slice() else { return None };
    let dated = date.bytes().all(|b| b.is_ascii_digit() || b == b'-') && date.contains('-') && clock.contains(':');
    if !is_level(level) || !dated {
        return None;
    }
    let (tag, text) = rest.split_once(':')?;
    Some(Head { time: clock::read(&format!("{date} {clock}")), tag: tag.trim(), text: text.strip_prefix(' ').unwrap_or(text) })
}

impl LogFormat for Logcat {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        let Some(head) = head(line.text) else {
            return;
        };
        let marker = ["[background stanza] <", "SENT: <", "RECV: <", "SEND: <"]
            .iter()
            .find_map(|m| head.text.find(m).map(|at| at + m.len() - 1));
        if let Some(at) = marker {
            let xml = &head.text[at..];
            out.begin(Record { time: head.time, stream: head.tag.to_owned(), ..Record::unknown(Framing::Whole) });
            if line.bytes.len() >= CUT_AT && !xml.trim_end().ends_with('>') {
                out.repair("the Android log cuts long lines; the rest of this stanza is lost");
            }
            out.text(xml.as_bytes(), line.number, line.offset_of(line.text.len() - xml.len()));
            out.end();
            return;
        }
        let lower = head.text.to_lowercase();
        if OMEMO_WORDS.iter().any(|w| lower.contains(w)) && !head.text.starts_with("\tat ") {
            out.client_line("Conversations", line, head.time, head.text);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn heads() {
        let head = |l| super::head(l).map(|h| (h.tag.to_owned(), h.text.to_owned(), h.time.is_some()));
        assert_eq!(
            head("10-05 09:14:58.018  5177  5196 D conversations: text: x"),
            Some(("conversations".into(), "text: x".into(), true))
        );
        assert_eq!(head("D/conversations( 5177): text"), Some(("conversations".into(), "text".into(), false)));
        assert_eq!(head("--------- beginning of main"), None);
        assert_eq!(head("<message a/b (1): c"), None);
    }
}
