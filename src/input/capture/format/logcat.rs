//! Android's logcat of Conversations and its relatives, in any form that `adb` and Android Studio write. Stanzas are in
//! it only in builds that log them (`[background stanza] <xml>`); logcat cuts long lines.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::When;

pub(super) const FORMAT: Format = Format {
    name: "Android log",
    score: |lines| count(lines, |l| head(l).is_some() || long(l).is_some()),
    open: || Box::new(Logcat::default()),
    unit: Unit::Lines,
};

/// Length at which logcat cuts a line (LOGGER_ENTRY_MAX_PAYLOAD, about 4 kB with the tag).
const CUT_AT: usize = 3900;

const OMEMO_WORDS: [&str; 26] = [
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
    "precondition",
    "pre condition",
    "invalidversionexception",
    "legacymessageexception",
    "invalidkeyexception",
];

#[derive(Default)]
struct Logcat {
    /// The head line of the `long` form, whose text stands in the lines below it.
    long: Option<(Option<When>, String)>,
}

struct Head<'a> {
    time: Option<When>,
    tag: &'a str,
    text: &'a str,
}

fn is_level(c: &str) -> bool {
    matches!(c, "V" | "D" | "I" | "W" | "E" | "F")
}

fn head(line: &str) -> Option<Head<'_>> {
    if let Some(head) = brief(line).or_else(|| tag_only(line)).or_else(|| process(line)) {
        return Some(head);
    }
    // `MM-DD HH:MM:SS.mmm`, also with the year first.
    let (date, rest) = line.split_once(' ')?;
    let (clock, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    if !date.contains('-') || !date.bytes().all(|b| b.is_ascii_digit() || b == b'-') || !clock.contains(':') {
        return None;
    }
    let time = clock::read(&format!("{date} {clock}"));
    let rest = rest.trim_start_matches(' ');
    let head = brief(rest).or_else(|| threadtime(rest)).or_else(|| studio(rest)).or_else(|| old_studio(rest))?;
    Some(Head { time, ..head })
}

/// `L/tag ( PID): text`: the `brief` form, and behind date and time the `time` form.
fn brief(line: &str) -> Option<Head<'_>> {
    let (level, rest) = line.split_once('/')?;
    let (tag, rest) = rest.split_once('(').filter(|_| is_level(level))?;
    let (pid, text) = rest.split_once("): ")?;
    pid.trim().bytes().all(|b| b.is_ascii_digit()).then_some(Head { time: None, tag: tag.trim(), text })
}

/// `L/tag: text`: the `tag` form.
fn tag_only(line: &str) -> Option<Head<'_>> {
    let (_, rest) = line.split_once('/').filter(|(level, _)| is_level(level))?;
    let (tag, text) = rest.split_once(':')?;
    let tag = tag.trim_end();
    let is_tag = !tag.is_empty() && !tag.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '<' | '('));
    is_tag.then(|| Head { time: None, tag, text: text.strip_prefix(' ').unwrap_or(text) })
}

/// `L(PID) text  (tag)`: the `process` form.
fn process(line: &str) -> Option<Head<'_>> {
    let (_, rest) = line.split_once('(').filter(|(level, _)| is_level(level))?;
    let (pid, rest) = rest.split_once(") ")?;
    let (text, tag) = rest.trim_end().strip_suffix(')')?.rsplit_once("  (")?;
    is_number(pid.trim()).then_some(Head { time: None, tag, text })
}

/// `[ MM-DD HH:MM:SS.mmm PID:TID L/tag ]`: the head line of the `long` form.
fn long(line: &str) -> Option<Head<'_>> {
    let inner = line.strip_prefix("[ ")?.trim_end().strip_suffix(']')?;
    let (before, tag) = inner.split_once('/')?;
    let (before, _) = before.rsplit_once(' ').filter(|(_, level)| is_level(level))?;
    let mut words = before.split_ascii_whitespace();
    let (date, time) = (words.next()?, words.next()?);
    time.contains(':').then(|| Head { time: clock::read(&format!("{date} {time}")), tag: tag.trim(), text: "" })
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// `PID  TID L tag : text`: the `threadtime` form; `-v uid` puts the user's name or number before it.
fn threadtime(mut rest: &str) -> Option<Head<'_>> {
    if let Some((user, after)) = rest.split_once(' ')
        && user.starts_with(|c: char| c.is_ascii_lowercase())
        && user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        rest = after.trim_start_matches(' ');
        is_number(rest.split(' ').next()?).then_some(())?;
    }
    for _ in 0..MAX_NUMBERS {
        let (word, after) = rest.split_once(' ')?;
        rest = after.trim_start_matches(' ');
        if is_level(word) {
            let (tag, text) = rest.split_once(':')?;
            return Some(Head { time: None, tag: tag.trim(), text: text.strip_prefix(' ').unwrap_or(text) });
        }
        is_number(word).then_some(())?;
    }
    None
}

/// Numbers (user, process, thread) before the level.
const MAX_NUMBERS: usize = 4;

/// `PID-TID  tag  package  L  text`: as Android Studio copies it.
fn studio(rest: &str) -> Option<Head<'_>> {
    let (ids, rest) = rest.split_once(' ')?;
    if !ids.contains('-') || !ids.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return None;
    }
    let (tag, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let (package, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let (level, text) = rest.trim_start_matches(' ').split_once(' ')?;
    (package.contains('.') && is_level(level)).then(|| Head { time: None, tag, text: text.trim_start_matches(' ') })
}

/// `PID-TID/package L/tag: text`: as Android Studio copied it before 2022.
fn old_studio(rest: &str) -> Option<Head<'_>> {
    let (ids, rest) = rest.split_once(' ')?;
    let (level, rest) = rest.split_once('/').filter(|_| ids.contains('-') && ids.contains('/'))?;
    let (tag, text) = rest.split_once(": ").filter(|_| is_level(level))?;
    Some(Head { time: None, tag, text })
}

impl LogFormat for Logcat {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(head) = long(line.text) {
            self.long = Some((head.time, head.tag.to_owned()));
            return;
        }
        let head = match (&self.long, head(line.text)) {
            (Some((time, tag)), _) => Head { time: time.clone(), tag, text: line.text },
            (None, Some(head)) => head,
            (None, None) => return,
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
        for line in [
            "10-14 09:15:10.150 W/conversations( 5211): a: b",
            "2026-10-14 09:15:10.150 5211-5230/eu.siacs.conversations W/conversations: a: b",
            "2026-10-14 09:15:10.150  5211-5230  conversations           eu.siacs.conversations  W  a: b",
            "2026-10-14 09:15:10.150  1000  5211  5230 W conversations: a: b",
            "10-14 09:15:10.150 u0_a123  5211  5230 W conversations: a: b",
        ] {
            assert_eq!(head(line), Some(("conversations".into(), "a: b".into(), true)), "{line}");
        }
        for line in ["W/conversations: a: b", "W( 5211) a: b  (conversations)"] {
            assert_eq!(head(line), Some(("conversations".into(), "a: b".into(), false)), "{line}");
        }
        let long =
            super::long("[ 10-14 09:15:10.150  5211: 5230 W/conversations ]").map(|h| (h.tag.to_owned(), h.time.is_some()));
        assert_eq!(long, Some(("conversations".into(), true)));
        assert_eq!(head("--------- beginning of main"), None);
        assert_eq!(head("<message a/b (1): c"), None);
    }
}
