//! Values as SpiderMonkey's structured clone writes them (`js/src/vm/StructuredClone.cpp`), turned into JSON
//! as far as JSON goes: words of 8 bytes, the upper half of each a tag or the start of a floating-point number.

use serde_json::{Number, Value};

const FLOAT_MAX: u32 = 0xfff0_0000;
const HEADER: u32 = 0xfff1_0000;
const NULL: u32 = 0xffff_0000;
const UNDEFINED: u32 = 0xffff_0001;
const BOOLEAN: u32 = 0xffff_0002;
const INT32: u32 = 0xffff_0003;
const STRING: u32 = 0xffff_0004;
const DATE_OBJECT: u32 = 0xffff_0005;
const ARRAY_OBJECT: u32 = 0xffff_0007;
const OBJECT_OBJECT: u32 = 0xffff_0008;
const END_OF_KEYS: u32 = 0xffff_0013;

/// Set in a string's length where its characters are one byte each.
const LATIN1: u32 = 1 << 31;

/// How deep values may nest: no web client nests a tenth of it.
const MAX_DEPTH: usize = 64;

/// Reads a value; `None` if it is cut or holds something that has no place in JSON.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader(bytes);
    let (mut tag, mut data) = reader.pair()?;
    if tag == HEADER {
        (tag, data) = reader.pair()?;
    }
    reader.value(tag, data, 0)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Tag and data of the next word.
    fn pair(&mut self) -> Option<(u32, u32)> {
        let word = u64::from_le_bytes(self.take(8)?.try_into().ok()?);
        Some(((word >> 32) as u32, word as u32))
    }

    fn value(&mut self, tag: u32, data: u32, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match tag {
            NULL | UNDEFINED => Value::Null,
            BOOLEAN => Value::Bool(data != 0),
            INT32 => Value::from(data as i32),
            STRING => Value::String(self.text(data)?),
            DATE_OBJECT => {
                let (tag, data) = self.pair()?;
                double(tag, data)
            }
            OBJECT_OBJECT => Value::Object(self.members(depth)?.into_iter().collect()),
            // Its members are numbered; holes are left out.
            ARRAY_OBJECT => Value::Array(self.members(depth)?.into_iter().map(|(_, value)| value).collect()),
            tag if tag <= FLOAT_MAX => double(tag, data),
            _ => return None,
        })
    }

    fn members(&mut self, depth: usize) -> Option<Vec<(String, Value)>> {
        let mut members = Vec::new();
        loop {
            let (tag, data) = self.pair()?;
            if tag == END_OF_KEYS {
                return Some(members);
            }
            let name = match tag {
                STRING => self.text(data)?,
                INT32 => (data as i32).to_string(),
                _ => return None,
            };
            let (tag, data) = self.pair()?;
            members.push((name, self.value(tag, data, depth + 1)?));
        }
    }

    /// Padded to whole words.
    fn text(&mut self, data: u32) -> Option<String> {
        let length = usize::try_from(data & !LATIN1).ok()?;
        let width = if data & LATIN1 == 0 { 2 } else { 1 };
        let bytes = length.checked_mul(width)?;
        let padded = self.take(bytes.checked_next_multiple_of(8)?)?;
        let text = padded.get(..bytes)?;
        if width == 1 {
            return Some(text.iter().map(|&byte| char::from(byte)).collect());
        }
        let units = text.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
        Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    }
}

fn double(tag: u32, data: u32) -> Value {
    let number = f64::from_bits(u64::from(tag) << 32 | u64::from(data));
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// For tests here and in the reader.
#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// A value as the browser writes it, after the same source.
    pub fn write(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        pair(&mut out, HEADER, 0);
        put(&mut out, value);
        out
    }

    fn pair(out: &mut Vec<u8>, tag: u32, data: u32) {
        out.extend((u64::from(tag) << 32 | u64::from(data)).to_le_bytes());
    }

    fn put_text(out: &mut Vec<u8>, text: &str) {
        let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        let (flag, bytes) = match latin1 {
            Some(bytes) => (LATIN1 | u32::try_from(bytes.len()).expect("short"), bytes),
            None => {
                let units: Vec<u16> = text.encode_utf16().collect();
                (u32::try_from(units.len()).expect("short"), units.into_iter().flat_map(u16::to_le_bytes).collect())
            }
        };
        pair(out, STRING, flag);
        let padding = bytes.len().next_multiple_of(8) - bytes.len();
        out.extend(bytes);
        out.extend(vec![0; padding]);
    }

    fn put(out: &mut Vec<u8>, value: &Value) {
        match value {
            Value::Null => pair(out, NULL, 0),
            Value::Bool(value) => pair(out, BOOLEAN, u32::from(*value)),
            Value::Number(number) => match number.as_i64().and_then(|number| i32::try_from(number).ok()) {
                Some(number) => pair(out, INT32, number as u32),
                None => out.extend(number.as_f64().expect("a number").to_bits().to_le_bytes()),
            },
            Value::String(text) => put_text(out, text),
            Value::Array(list) => {
                pair(out, ARRAY_OBJECT, u32::try_from(list.len()).expect("short"));
                for (place, value) in list.iter().enumerate() {
                    pair(out, INT32, u32::try_from(place).expect("short"));
                    put(out, value);
                }
                pair(out, END_OF_KEYS, 0);
            }
            Value::Object(members) => {
                pair(out, OBJECT_OBJECT, 0);
                for (name, value) in members {
                    put_text(out, name);
                    put(out, value);
                }
                pair(out, END_OF_KEYS, 0);
            }
        }
    }

    #[test]
    fn values_come_back() {
        let value = json!({"a": [1, -2, 3.5, 1795400534097i64], "é": "ÿ", "😀": "漢字", "n": null, "t": true, "o": {}});
        assert_eq!(read(&write(&value)), Some(value));
    }

    #[test]
    fn unknown_tags_are_refused() {
        let mut bytes = Vec::new();
        pair(&mut bytes, HEADER, 0);
        pair(&mut bytes, 0xffff_0017, 0);
        assert_eq!(read(&bytes), None);
    }

    proptest! {
        #[test]
        fn never_panics(words in proptest::collection::vec((0xfff0_0000u32.., any::<u32>()), 0..20)) {
            let mut bytes = Vec::new();
            for (tag, data) in words {
                pair(&mut bytes, tag, data % 100);
            }
            let _ = read(&bytes);
        }
    }
}
