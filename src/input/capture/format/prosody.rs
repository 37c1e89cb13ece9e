//! Prosody's debug log with the module `stanza_debug`: `<time> <session>\t<level>\tRECV: <xml>`. It sees
//! from the server's side: what it received, the client sent. Without the module it holds only the first
//! tags of stanzas.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::input::capture::unwrap::MAX_JID;
use crate::model::{BareJid, Direction};
use std::collections::HashMap;

pub(super) const FORMAT: Format = Format {
    name: "Prosody debug log",
    score: |lines| count(lines, |l| head(l).is_some()),
    open: || Box::new(Prosody::default()),
    unit: Unit::Lines,
};

/// Client sessions whose account is remembered.
const MAX_SESSIONS: usize = 10_000;
/// Longest session token that is remembered (Prosody writes some 16 characters).
const MAX_TOKEN: usize = 64;

#[derive(Default)]
struct Prosody {
    /// Session token to account.
    accounts: HashMap<String, BareJid>,
    saw_clients: bool,
    stanzas: bool,
    /// A line that shows only the first tag of a stanza.
    only_heads: Option<(u64, u64)>,
}

struct Head<'a> {
    time: &'a str,
    source: &'a str,
    text: &'a str,
}

fn head(line: &str) -> Option<Head<'_>> {
    let mut parts = line.splitn(3, '\t');
    let (first, level, text) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, source) = first.trim_end().rsplit_once(' ')?;
    let known = matches!(level, "debug" | "info" | "warn" | "error");
    (known && clock::read(time).is_some()).then_some(Head { time, source, text })
}

/// The address after a word in a tag: enough to learn whose session it is.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let tag = tag.split('>').next()?;
    let at = tag.find(&format!(" {name}="))?;
    let rest = &tag[at + name.len() + 2..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
}

impl LogFormat for Prosody {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        let Some(head) = head(line.text) else {
            if out.is_open() {
                out.text(b"\n", line.number, line.offset);
                out.text(line.bytes, line.number, line.offset);
            }
            return;
        };
        out.of_server();
        out.end();
        let is_client = head.source.starts_with("c2s");
        if let Some(jid) = head.text.strip_prefix("Authenticated as ").and_then(BareJid::new) {
            self.learn(head.source, jid);
        }
        let (direction, xml) = match (head.text.strip_prefix("RECV: "), head.text.strip_prefix("SEND: ")) {
            (Some(xml), _) => (Direction::Outgoing, xml),
            (_, Some(xml)) => (Direction::Incoming, xml),
            _ => {
                if head.text.starts_with("Received[c2s]: <message") || head.text.starts_with("Sending[c2s]: <message") {
                    self.only_heads.get_or_insert((line.number, line.offset));
                }
                return;
            }
        };
        self.saw_clients |= is_client;
        if !is_client && self.saw_clients {
            // Between servers the same stanzas go over the wire again.
            return;
        }
        self.stanzas = true;
        if is_client {
            let full = match direction {
                Direction::Incoming => attribute(xml, "to"),
                Direction::Outgoing => attribute(xml, "from"),
            };
            if let Some(jid) = full.filter(|j| j.contains('/')).and_then(BareJid::new) {
                self.learn(head.source, jid);
            }
        }
        let direction = if is_client { Some(direction) } else { None };
        out.begin(Record {
            stream: head.source.to_owned(),
            framing: Framing::Whole,
            direction,
            time: clock::read(head.time),
            account: self.accounts.get(head.source).cloned(),
        });
        out.text(xml.as_bytes(), line.number, line.offset_of(line.text.len() - xml.len()));
    }

    fn finish(&mut self, out: &mut Records<'_>) {
        if let (Some((number, offset)), false) = (self.only_heads, self.stanzas) {
            let line = Line { bytes: b"", raw: b"", text: "", number, offset };
            let says = "this log holds only the first tags of stanzas; the module stanza_debug writes them whole";
            out.client_line("Prosody", &line, None, says);
        }
    }
}

impl Prosody {
    fn learn(&mut self, session: &str, jid: BareJid) {
        if self.accounts.len() < MAX_SESSIONS && session.len() <= MAX_TOKEN && jid.as_str().len() <= MAX_JID {
            self.accounts.insert(session.to_owned(), jid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let head = head("Nov 23 02:33:24 c2s55eedaf34150\tdebug\tSEND: <iq/>").expect("a head line");
        assert_eq!((head.source, head.text), ("c2s55eedaf34150", "SEND: <iq/>"));
        assert_eq!(attribute("<iq id='1' to='a@b/c'><x from='d'/>", "to"), Some("a@b/c"));
        assert_eq!(attribute("<iq id='1'><x to='d'/>", "to"), None);
    }
}
