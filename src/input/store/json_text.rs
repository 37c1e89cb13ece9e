//! JSON files that may be damaged: what can be read of them, and where the damage is.
//!
//! Clients that rewrite one JSON file in place leave half of it when they are killed. Everything before the
//! cut is sound, so the text is closed behind its last whole value and read as usual.

use serde_json::Value;

/// A JSON text, as far as it could be read.
#[derive(Debug)]
pub struct JsonText {
    /// The value, or what stands before the damage.
    pub value: Value,
    /// The damage.
    pub damage: Option<JsonDamage>,
}

/// Where a JSON text stops making sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonDamage {
    /// Offset of the first byte that was not read.
    pub byte: usize,
    /// One sentence.
    pub says: String,
}

/// Reads a JSON text; `None` if nothing at all can be made of it.
pub fn read(bytes: &[u8]) -> Option<JsonText> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => return Some(JsonText { value, damage: None }),
        Err(error) => error,
    };
    let sound = bytes.get(..sound_length(bytes, &error)).unwrap_or(bytes);
    let (length, closers) = last_whole_value(sound)?;
    let mut repaired = zeroize::Zeroizing::new(bytes.get(..length)?.to_vec());
    repaired.extend(closers.iter().rev());
    let value = serde_json::from_slice(&repaired).ok()?;
    let says = if error.is_eof() {
        format!("the file ends in the middle of a value (after {} bytes); what stands before was read", bytes.len())
    } else {
        format!("the file is no JSON from byte {} on; what stands before was read", sound.len())
    };
    Some(JsonText { value, damage: Some(JsonDamage { byte: length, says }) })
}

/// How many bytes stand before the place that the error names.
fn sound_length(bytes: &[u8], error: &serde_json::Error) -> usize {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    if error.is_eof() {
        return valid;
    }
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', bytes).nth(line - 2).map_or(0, |newline| newline + 1),
    };
    // Columns count bytes; the byte at the column is the one that was not understood.
    (line_start + error.column().saturating_sub(1)).min(valid)
}

/// Where the last whole value ends in a cut text, and the brackets that are then open.
fn last_whole_value(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let mut open: Vec<Open> = Vec::new();
    let mut best = None;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'{' => open.push(Open { closer: b'}', wants_value: false }),
            b'[' => open.push(Open { closer: b']', wants_value: true }),
            b'}' | b']' => {
                open.pop()?;
            }
            b':' => open.last_mut()?.wants_value = true,
            b',' => {
                let last = open.last_mut()?;
                last.wants_value = last.closer == b']';
            }
            b'"' => match end_of_string(text, at) {
                Some(end) => at = end,
                None => break,
            },
            b' ' | b'\t' | b'\r' | b'\n' => {}
            // A number or a word counts only when something follows it: its end may be cut off.
            _ => {
                let rest = text.get(at..)?;
                match rest.iter().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'+' | b'-' | b'.')) {
                    Some(length) if length > 0 => at += length - 1,
                    _ => break,
                }
            }
        }
        let whole = match byte {
            // An opening bracket is a whole value in so far as it can be closed at once.
            b'{' | b'[' | b'}' | b']' => true,
            b':' | b',' | b' ' | b'\t' | b'\r' | b'\n' => false,
            _ => open.last().is_none_or(|last| last.wants_value),
        };
        if whole {
            best = Some(at + 1);
        }
        at += 1;
    }
    // Every bracket counts as a whole value, so those open now were open there too.
    Some((best?, open.iter().map(|open| open.closer).collect()))
}

struct Open {
    closer: u8,
    /// In an object: behind the colon. In a list: always.
    wants_value: bool,
}

fn end_of_string(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_cut_text_keeps_its_whole_values() {
        let text = br#"{"a": {"b": [1, "x\"", 22]}, "c": tru"#;
        let read = read(text).expect("readable");
        assert_eq!(read.value, json!({"a": {"b": [1, "x\"", 22]}}));
        assert_eq!(read.damage.map(|damage| damage.byte), Some(27));
    }

    #[test]
    fn a_key_without_its_value_is_dropped() {
        for text in
            [&br#"{"a": 1, "b""#[..], br#"{"a": 1, "b":"#, br#"{"a": 1, "b"#, br#"{"a": 1, "b": "12"#, br#"{"a": 1, "b": 12"#]
        {
            assert_eq!(read(text).expect("readable").value, json!({"a": 1}), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn overwritten_bytes_end_the_reading_there() {
        let read = read(b"{\"a\": 1,\n \"b\": \0\0\0, \"c\": 2}").expect("readable");
        assert_eq!(read.value, json!({"a": 1}));
        assert!(read.damage.expect("damage").says.contains("no JSON from byte 15 on"));
    }

    #[test]
    fn a_million_brackets_are_no_work() {
        let text = "[".repeat(1_000_000);
        assert!(read(text.as_bytes()).is_none_or(|read| read.damage.is_some()));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(read(b"").is_none());
        assert!(read(b"hello").is_none());
        assert!(read(b"]").is_none());
    }

    proptest! {
        #[test]
        fn any_cut_is_readable_or_empty(cut in 0usize..60) {
            let text = br#"{"k": [1, {"x": "a\\b"}, null], "l": true, "m": {"n": -1.5e3}}"#;
            let cut = cut.min(text.len());
            let read = read(&text[..cut]);
            prop_assert_eq!(read.is_none(), cut == 0);
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn never_panics_on_json_like_text(text in "[\\[\\]{}\":,\\\\a1 ]{0,60}") {
            let _ = read(text.as_bytes());
        }
    }
}
