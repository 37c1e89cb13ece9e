//! Android's logcat of Conversations and its relatives, in any form that `adb` and Android Studio write. Stanzas are in
//! it only in builds that log them (`[background stanza] <xml>`); logcat cuts long lines.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::When;

pub(super) const FORMAT: Format = Format {
    name: "Android log",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Logcat),
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
    if let Some(head) = brief(line) {
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

/// `PID  TID L tag : text`: the `threadtime` form.
fn threadtime(mut rest: &str) -> Option<Head<'_>> {
    for _ in 0..MAX_NUMBERS {
        let (word, after) = rest.split_once(' ')?;
        rest = after.trim_start_matches(' ');
        if is_level(word) {
            let (tag, text) = rest.split_once(':')?;
            return Some(Head { time: None, tag: tag.trim(), text: text.strip_prefix(' ').unwrap_or(text) });
        }
        if !word.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
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
        for line in [
            "10-14 09:15:10.150 W/conversations( 5211): a: b",
            "2026-10-14 09:15:10.150 5211-5230/eu.siacs.conversations W/conversations: a: b",
            "2026-10-14 09:15:10.150  5211-5230  conversations           eu.siacs.conversations  W  a: b",
            "2026-10-14 09:15:10.150  1000  5211  5230 W conversations: a: b",
        ] {
            assert_eq!(head(line), Some(("conversations".into(), "a: b".into(), true)), "{line}");
        }
        assert_eq!(head("--------- beginning of main"), None);
        assert_eq!(head("<message a/b (1): c"), None);
    }
}
