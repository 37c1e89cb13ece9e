//! Smack's debuggers: `HH:mm:ss.S RECV (0): <xml>` on the console, the same without time through
//! `java.util.logging`. Up to 4.3 a record is a piece of the stream, later a stanza over several lines.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{BareJid, Direction, When};

pub(super) const FORMAT: Format = Format {
    name: "Smack debugger",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Smack::default()),
    unit: Unit::Lines,
};

const LEVELS: [&str; 7] = ["SEVERE: ", "WARNING: ", "INFO: ", "CONFIG: ", "FINE: ", "FINER: ", "FINEST: "];
const OMEMO_WORDS: [&str; 11] = [
    "omemo",
    "decrypt",
    "session",
    "identitykey",
    "prekey",
    "device",
    "cipher",
    "transported key",
    "authenticationtag",
    "messagekey",
    "nosuch",
];

#[derive(Default)]
struct Smack {
    account: Option<BareJid>,
    /// The record's text has begun; the line end before the next line belongs to it.
    begun: bool,
}

struct Head<'a> {
    time: Option<When>,
    direction: Direction,
    connection: &'a str,
    xml: &'a str,
}

fn head(line: &str) -> Option<Head<'_>> {
    let (time, rest) = match line.strip_prefix("FINE: ") {
        Some(rest) => (None, rest),
        None => {
            let (time, rest) = line.split_once(' ').unwrap_or(("", line));
            if time.starts_with(|c: char| c.is_ascii_digit()) { (Some(clock::read(time)?), rest) } else { (None, line) }
        }
    };
    let (direction, rest) = if let Some(rest) = rest.strip_prefix("SENT (") {
        (Direction::Outgoing, rest)
    } else {
        (Direction::Incoming, rest.strip_prefix("RECV (")?)
    };
    let (connection, xml) = rest.split_once("):")?;
    connection.bytes().all(|b| b.is_ascii_digit()).then(|| Head {
        time,
        direction,
        connection,
        xml: xml.strip_prefix(' ').unwrap_or(xml),
    })
}

/// `package.Class: text`, of Smack or of the Signal library.
fn is_exception(line: &str) -> bool {
    ["org.jivesoftware.smackx.omemo.", "org.whispersystems.libsignal."].iter().any(|package| line.starts_with(package))
}

/// A line that Java wrote between the records: a level, a stack trace, a record's date and class.
fn is_other(line: &str) -> bool {
    LEVELS.iter().any(|l| line.starts_with(l))
        || line.starts_with("\tat ")
        || line.starts_with("Caused by: ")
        || is_exception(line)
        || (line.contains(" org.jivesoftware.smack") && !line.contains('<'))
        || line.split_once(' ').is_some_and(|(t, rest)| {
            t.starts_with(|c: char| c.is_ascii_digit())
                && t.contains(':')
                && ["XMPPConnection ", "User logged", "RCV PKT", "SENT PKT", "Connection "].iter().any(|p| rest.starts_with(p))
        })
}

impl LogFormat for Smack {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(head) = head(line.text) {
            out.begin(Record {
                stream: head.connection.to_owned(),
                framing: Framing::Chunk,
                direction: Some(head.direction),
                time: head.time,
                account: self.account.clone(),
            });
            self.begun = !head.xml.is_empty();
            out.text(head.xml.as_bytes(), line.number, line.offset_of(line.text.len() - head.xml.len()));
            return;
        }
        if is_other(line.text) {
            out.end();
            self.other(line, out);
            return;
        }
        if out.is_open() && (self.begun || line.text.trim_start().starts_with('<')) {
            if self.begun {
                out.text(b"\n", line.number, line.offset);
            }
            self.begun = true;
            out.text(line.bytes, line.number, line.offset);
        }
    }
}

impl Smack {
    fn other(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some((_, login)) = line.text.split_once("User logged (")
            && let Some((_, jid)) = login.split_once("): ")
        {
            // `alice@localhost:5222/Smack`
            self.account = jid.split([':', '/']).next().and_then(BareJid::new);
        }
        let exception = line.text.strip_prefix("Caused by: ").unwrap_or(line.text);
        let text = LEVELS.iter().find_map(|l| line.text.strip_prefix(l));
        let told = text.filter(|text| {
            let lower = text.to_lowercase();
            OMEMO_WORDS.iter().any(|w| lower.contains(w))
        });
        if let Some(text) = told.or_else(|| is_exception(exception).then_some(exception)) {
            out.client_line("Smack", line, None, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let head = head("15:24:41.2 RECV (0): <message>").expect("a head line");
        assert_eq!((head.connection, head.xml, head.direction), ("0", "<message>", Direction::Incoming));
        assert!(super::head("FINE: SENT (1): <iq/>").is_some_and(|h| h.direction == Direction::Outgoing));
        assert!(super::head("15:24:41.2 RECV (0):").is_some_and(|h| h.xml.is_empty()));
        assert!(super::head("15:24:41.2 RCV PKT (0): <iq/>").is_none());
        assert!(is_other("INFO: Decryption of SignalMessage failed"));
        assert!(is_other("15:24:41.2 User logged (0): alice@localhost:5222/Smack"));
        assert!(!is_other("  <body>INFO</body>"));
    }
}
