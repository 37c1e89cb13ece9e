//! slixmpp's debug lines (poezio, slidge, programs with slixmpp-omemo): `SEND: <xml>` and `RECV: <xml>`
//! behind whatever prefix the program's logging is set to. python-omemo speaks in the same log.

use super::stanza_lines::StanzaLines;
use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::Records;
use crate::input::capture::source::Line;
use crate::model::{Direction, When};

pub(super) const FORMAT: Format = Format {
    name: "slixmpp debug log",
    score: |lines| count(lines, |l| prefix(l).is_some()),
    open: || Box::new(Slixmpp::default()),
    unit: Unit::Lines,
};

/// Words that show that a line without stanza is about OMEMO.
const OMEMO_WORDS: [&str; 7] = ["omemo", "decrypt", "key exchange", "device list", "bundle", "prekey", "pre key"];

#[derive(Default)]
struct Slixmpp {
    stanzas: StanzaLines,
    /// The time of the record that complains, while the lines of its exception follow.
    trouble: Option<Option<When>>,
}

/// Levels whose records an exception may follow.
const TROUBLE: [&str; 3] = ["WARNING", "ERROR", "CRITICAL"];

/// The parts of a line of Python's logging: time (if there is one), level, and the text behind level and logger.
/// Programs set their own form; the level, padded or with colons, is what they share.
fn prefix(line: &str) -> Option<(Option<When>, &'static str, &str)> {
    const LONGEST: usize = 120;
    for level in ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] {
        let Some(at) = line.find(level).filter(|at| *at <= LONGEST) else { continue };
        let (before, rest) = (&line[..at], &line[at + level.len()..]);
        let time = time(before);
        if before.contains(['<', '\t']) || (at > 0 && time.is_none() && !names_library(before)) {
            continue;
        }
        // `DEBUG:module:text`; `DEBUG    text`, padded to eight characters; the logger before the level.
        let text = if let Some(rest) = rest.strip_prefix(':') {
            rest.split_once(':')?.1
        } else if rest.starts_with([' ', ']', '|', '-']) {
            let padded = level.len() + (rest.len() - rest.trim_start_matches(' ').len()) >= 8;
            let text = rest.trim_start_matches([' ', ']', '|', '-']);
            let own = padded || names_library(before) || text.split(' ').next().is_some_and(names_library);
            own.then_some(text)?
        } else {
            continue;
        };
        let marker = ["SEND: <", "RECV: <"].iter().find_map(|m| text.find(m).filter(|at| *at <= LONGEST));
        return Some((time, level, marker.and_then(|at| text.get(at..)).unwrap_or(text)));
    }
    None
}

/// Whether a piece of a prefix is a logger of the libraries.
fn names_library(text: &str) -> bool {
    ["slixmpp", "omemo", "twomemo", "oldmemo", "poezio"].iter().any(|name| text.contains(name))
}

/// The time at the beginning: two words (date and time) or one.
fn time(before: &str) -> Option<When> {
    let before = before.trim_start_matches('[');
    let clean = |text: &str| clock::read(text.trim_end_matches([' ', '-', '[', ']', ':', '|']));
    let mut ends = before.match_indices(' ').map(|(i, _)| i).chain([before.len()]);
    let (first, second) = (ends.next()?, ends.next());
    second.and_then(|end| clean(&before[..end])).or_else(|| clean(&before[..first]))
}

impl LogFormat for Slixmpp {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        let Some((time, level, text)) = prefix(line.text) else {
            return self.further(line, out);
        };
        self.trouble = TROUBLE.contains(&level).then(|| time.clone());
        let (direction, xml) = match (text.strip_prefix("SEND: "), text.strip_prefix("RECV: ")) {
            (Some(xml), _) => (Direction::Outgoing, xml),
            (_, Some(xml)) => (Direction::Incoming, xml),
            _ => {
                out.end();
                let lower = text.to_lowercase();
                if OMEMO_WORDS.iter().any(|w| lower.contains(w)) && !text.starts_with("NOT SENT") {
                    out.client_line("python-omemo", line, time, text);
                }
                return;
            }
        };
        self.stanzas.begin(line, xml, Some(direction), time, out);
    }
}

impl Slixmpp {
    /// A line without prefix: of a stanza, or of the exception that a record tells of.
    fn further(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        self.stanzas.further(line, out);
        if let Some(time) = self.trouble.as_ref().filter(|_| !out.is_open() && is_exception(line.text)) {
            out.client_line("python-omemo", line, time.clone(), line.text);
        }
    }
}

/// `module.Class` or `module.Class: text` at the beginning of a line: how a traceback ends.
fn is_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let qualified = name.contains('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
    let class = name.rsplit('.').next().unwrap_or_default();
    qualified && class.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_told_from_the_lines_of_a_traceback() {
        for line in ["omemo.backend.DecryptionFailed: Key material decryption failed.", "omemo.session_manager.NoSession"] {
            assert!(is_exception(line), "{line}");
        }
        for line in ["Traceback (most recent call last):", "  File \"x.py\", line 3", "KeyError: (b'x', 3)", "example.org: y"] {
            assert!(!is_exception(line), "{line}");
        }
    }

    #[test]
    fn prefixes() {
        for line in [
            "2026-11-23 02:18:16,519 DEBUG:xmlstream:SEND: <iq/>",
            "DEBUG:slixmpp.xmlstream.xmlstream:SEND: <iq/>",
            "DEBUG    SEND: <iq/>",
            "2026-11-23 02:18:16,519 - DEBUG:x:SEND: <iq/>",
            "2026-11-23 02:18:16,519 slixmpp.xmlstream.xmlstream    DEBUG    SEND: <iq/>",
            "[02:18:16] DEBUG slixmpp.xmlstream.xmlstream: SEND: <iq/>",
        ] {
            assert_eq!(prefix(line).map(|p| p.2), Some("SEND: <iq/>"), "{line}");
        }
        assert!(prefix("\tcls=<class 'x'>").is_none());
        assert!(
            prefix("2026-11-23 02:18:16,519 slixmpp.x    DEBUG    SEND: <iq/>")
                .is_some_and(|p| p.0.is_some_and(|t| t.instant.is_some()))
        );
        assert!(prefix("DEBUG [aparte::core] SEND: <iq/>").is_none());
    }
}
