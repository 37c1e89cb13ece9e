//! Dino's `--print-xmpp`: records with a head line `XMPP IN [account …]`, elements one a line in a
//! notation of its own (`<{namespace}:name {namespace}:attribute='value'>`), text not escaped. Other
//! programs' lines stand between the records.

use super::text::{escaped, is_glib_line};
use super::{Format, LogFormat, Unit, count};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{BareJid, Direction};
use crate::omemo::xml::LEFT_OUT_XML;

pub(super) const FORMAT: Format = Format {
    name: "Dino --print-xmpp",
    score: |lines| count(lines, |l| head(l).is_some() || is_omemo_line(l)),
    open: || Box::new(Dino::default()),
    unit: Unit::Lines,
};

/// What stands in the place of a text of more than 1000 bytes.
const RETRACTED: &str = "[... retracted for brevity ...]";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

#[derive(Default)]
struct Dino {
    /// The line before was text, too.
    in_text: bool,
}

fn head(line: &str) -> Option<Record> {
    let rest = line.strip_prefix("XMPP ")?;
    let (way, rest) = rest.split_once(" [")?;
    let direction = match way {
        "IN" | "IN ROOT" => Direction::Incoming,
        "OUT" | "OUT ROOT" => Direction::Outgoing,
        _ => return None,
    };
    let mut words = rest.trim_end().trim_end_matches(']').split(' ');
    let account = words.next()?;
    let time = words.find(|w| w.starts_with(|c: char| c.is_ascii_digit()) && w.contains('T'));
    Some(Record {
        stream: way.to_owned(),
        framing: Framing::Whole,
        direction: Some(direction),
        time: time.and_then(clock::read),
        account: BareJid::new(account),
    })
}

fn is_omemo_line(line: &str) -> bool {
    is_glib_line(line) && line.contains("): OMEMO-")
}

impl LogFormat for Dino {
    fn line(&mut self, line: &Line<'_>, out: &mut Records<'_>) {
        if let Some(record) = head(line.text) {
            self.in_text = false;
            out.begin(record);
            return;
        }
        if is_glib_line(line.text) {
            if is_omemo_line(line.text) {
                let mut parts = line.text.splitn(5, ": ");
                let time = parts.clone().find_map(clock::read);
                let text = parts.nth(4).unwrap_or(line.text);
                out.client_line("Dino", line, time, text);
            }
            return;
        }
        if !out.is_open() {
            return;
        }
        let trimmed = line.text.trim();
        if line.text.is_empty() && !out.is_inside_stanza() {
            return out.end();
        }
        if let Some(tag) = tag(trimmed) {
            self.in_text = false;
            out.text(tag.as_bytes(), line.number, line.offset);
        } else if trimmed == RETRACTED {
            self.in_text = false;
            out.repair("Dino leaves texts of more than 1000 bytes out of this log");
            out.text(LEFT_OUT_XML.as_bytes(), line.number, line.offset);
        } else {
            if self.in_text {
                out.text(b"\n", line.number, line.offset);
            }
            self.in_text = true;
            out.text(escaped(trimmed).as_bytes(), line.number, line.offset);
        }
    }
}

/// A line that is a tag, as XML.
fn tag(line: &str) -> Option<String> {
    if let Some(rest) = line.strip_prefix("</") {
        let rest = rest.strip_suffix('>')?;
        let (_, name) = qualified(rest)?;
        return is_name(name).then(|| format!("</{name}>"));
    }
    let rest = line.strip_prefix('<')?;
    let (rest, end) = match rest.strip_suffix("/>") {
        Some(rest) => (rest, "/>"),
        None => (rest.strip_suffix('>')?, ">"),
    };
    let hidden = !rest.starts_with('{');
    let (word, mut attributes) = match rest.split_once(' ') {
        Some((word, attributes)) => (word, attributes.trim()),
        None => (rest, ""),
    };
    let (namespace, name) = qualified(word)?;
    if !is_name(name) {
        return None;
    }
    let mut out = format!("<{name}");
    if !hidden {
        out.push_str(&format!(" xmlns='{}'", escaped(namespace).replace('\'', "&apos;")));
    }
    while !attributes.is_empty() {
        let (word, rest) = attributes.split_once("='")?;
        let (value, rest) = rest.split_once('\'')?;
        attributes = rest.trim_start();
        let (of, name) = qualified(word.trim())?;
        match of {
            XMLNS => {}
            XML => out.push_str(&format!(" xml:{name}='{value}'")),
            _ if name == "xmlns" && !hidden => {}
            _ if is_name(name) => out.push_str(&format!(" {name}='{value}'")),
            _ => return None,
        }
    }
    out.push_str(end);
    Some(out)
}

/// `{namespace}:name` or a bare name.
fn qualified(word: &str) -> Option<(&str, &str)> {
    match word.strip_prefix('{') {
        Some(rest) => rest.split_once("}:"),
        None => Some(("", word)),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        assert_eq!(
            tag("<{jabber:client}:message {jabber:client}:id='1' {http://www.w3.org/XML/1998/namespace}:lang='en'>").as_deref(),
            Some("<message xmlns='jabber:client' id='1' xml:lang='en'>")
        );
        assert_eq!(
            tag("<{urn:xmpp:hints}:store {http://www.w3.org/2000/xmlns/}:xmlns='urn:xmpp:hints' />").as_deref(),
            Some("<store xmlns='urn:xmpp:hints'/>")
        );
        assert_eq!(tag("</{jabber:client}:message>").as_deref(), Some("</message>"));
        assert_eq!(tag("<message xmlns='jabber:client' id='1'>").as_deref(), Some("<message xmlns='jabber:client' id='1'>"));
        for text in ["text & <angle> \"quotes\"", "<angle is no tag", "", "<>", "< b>"] {
            assert_eq!(tag(text), None, "{text}");
        }
    }
}
