//! The JSON view: one object with its schema's name first.

use super::View;
use super::safe::is_unsafe;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// Version of the JSON shapes. It rises when a field is renamed, removed or changes its meaning.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: String,
    #[serde(flatten)]
    value: &'a T,
}

/// `omemoscope/<command>/<version>`.
pub fn schema(command: &str) -> String {
    format!("omemoscope/{command}/{VERSION}")
}

/// Writes the value as indented JSON with a line feed at the end, piece by piece: a diagnosis of a long log is
/// larger as text than in memory. `out` should be buffered.
pub fn write_json<V: View>(view: &V, mut out: impl Write) -> serde_json::Result<()> {
    let envelope = Envelope { schema: schema(V::COMMAND), value: view };
    envelope.serialize(&mut Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new())))?;
    out.write_all(b"\n").map_err(serde_json::Error::io)
}

/// An object whose first list is written item by item, because it may be longer than memory; the other fields follow.
#[derive(Debug)]
pub struct ListWriter {
    items: usize,
}

impl ListWriter {
    /// Begins the object of a command with its list.
    pub fn begin(command: &str, list: &str, out: &mut impl Write) -> io::Result<Self> {
        write!(out, "{{\n  \"schema\": \"{}\",\n  \"{list}\": [", schema(command))?;
        Ok(Self { items: 0 })
    }

    /// Writes the next item.
    pub fn item<T: Serialize>(&mut self, item: &T, out: &mut impl Write) -> serde_json::Result<()> {
        let before: &[u8] = if self.items == 0 { b"\n    " } else { b",\n    " };
        self.items += 1;
        out.write_all(before).map_err(serde_json::Error::io)?;
        write_indented(&to_json(item)?, out).map_err(serde_json::Error::io)
    }

    /// Ends the list and writes the other fields, those of `rest`.
    pub fn end<T: Serialize>(self, rest: &T, out: &mut impl Write) -> serde_json::Result<()> {
        let rest = to_json(rest)?;
        let fields = rest.strip_prefix(b"{\n").unwrap_or(b"}");
        let end: &[u8] = if self.items == 0 { b"]" } else { b"\n  ]" };
        let comma: &[u8] = if fields == b"}" { b"\n" } else { b",\n" };
        [end, comma, fields, b"\n"].into_iter().try_for_each(|part| out.write_all(part)).map_err(serde_json::Error::io)
    }
}

/// A value as indented JSON.
fn to_json<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new())))?;
    Ok(out)
}

/// Moves JSON to the place of an item. Line feeds stand only between its parts: inside a string they are escaped.
fn write_indented(json: &[u8], out: &mut impl Write) -> io::Result<()> {
    let mut lines = json.split(|byte| *byte == b'\n');
    out.write_all(lines.next().unwrap_or_default())?;
    lines.try_for_each(|line| {
        out.write_all(b"\n    ")?;
        out.write_all(line)
    })
}

/// Writes characters that could steer a terminal as `\u…`. They occur only inside strings, where that
/// means the same; serde_json itself escapes only those below U+0020.
struct Harmless<F>(F);

impl<F: Formatter> Formatter for Harmless<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| is_unsafe(c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Page;

    #[test]
    fn steering_characters_are_escaped_and_mean_the_same() {
        let text = "a\u{1b}\u{9b}\u{202e}\u{7f}b\n";
        let json = String::from_utf8(to_json(&text).expect("a string is JSON")).expect("UTF-8");
        assert_eq!(json, "\"a\\u001b\\u009b\\u202e\\u007fb\\n\"");
        assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), text);
    }

    #[derive(Serialize)]
    struct Sample<'a> {
        list: Vec<&'a str>,
        none: [u8; 0],
    }

    impl View for Sample<'_> {
        const COMMAND: &'static str = "sample";

        fn text(&self, _: &mut Page) {}
    }

    #[test]
    fn it_is_laid_out_as_indented_json() {
        let mut out = Vec::new();
        write_json(&Sample { list: vec!["ü", "\u{9b}"], none: [] }, &mut out).expect("it is written");
        let expected =
            "{\n  \"schema\": \"omemoscope/sample/1\",\n  \"list\": [\n    \"ü\",\n    \"\\u009b\"\n  ],\n  \"none\": []\n}\n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }

    #[test]
    fn a_list_is_written_item_by_item() {
        #[derive(Serialize)]
        struct Rest {
            none: [u8; 0],
        }
        let write = |items: &[Sample<'_>], rest: bool| {
            let mut out = Vec::new();
            let mut list = ListWriter::begin("sample", "items", &mut out).expect("it is written");
            items.iter().for_each(|item| list.item(item, &mut out).expect("it is written"));
            if rest { list.end(&Rest { none: [] }, &mut out) } else { list.end(&serde_json::json!({}), &mut out) }
                .expect("it is written");
            String::from_utf8(out).expect("UTF-8")
        };
        let sample = || Sample { list: vec!["x\ny"], none: [] };
        assert_eq!(write(&[], false), "{\n  \"schema\": \"omemoscope/sample/1\",\n  \"items\": []\n}\n");
        let item = "\n    {\n      \"list\": [\n        \"x\\ny\"\n      ],\n      \"none\": []\n    }";
        let expected =
            format!("{{\n  \"schema\": \"omemoscope/sample/1\",\n  \"items\": [{item},{item}\n  ],\n  \"none\": []\n}}\n");
        assert_eq!(write(&[sample(), sample()], true), expected);
    }

    #[test]
    fn a_full_disk_or_a_closed_pipe_is_still_known_as_one() {
        let error = write_json(&Sample { list: vec!["x"; 100], none: [] }, &mut [0u8; 64][..]).expect_err("no room");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::WriteZero);
    }
}
