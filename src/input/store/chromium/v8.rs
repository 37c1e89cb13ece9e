//! Values in V8's serialization (`ValueSerializer`) within Blink's envelope, turned into JSON as far as JSON goes.

use super::super::leveldb::Cursor;
use super::{latin1, utf16};
use serde_json::{Map, Number, Value};

/// How deep values may nest: no web client nests a tenth of it.
const MAX_DEPTH: usize = 64;

/// Values in one record, repeated ones counted each time: bounds what back references can blow up.
const MAX_NODES: usize = 1_000_000;

/// Reads a value; `None` if it is cut or holds something that has no place in JSON.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { bytes: Cursor(bytes), seen: Vec::new(), nodes: 0 };
    reader.envelope()?;
    reader.value(0)
}

struct Reader<'a> {
    bytes: Cursor<'a>,
    /// Objects in the order in which they began, for references back to them.
    seen: Vec<Option<Value>>,
    nodes: usize,
}

impl Reader<'_> {
    /// `FF <version>` once for Blink (perhaps with a trailer's offset and size) and once for V8.
    fn envelope(&mut self) -> Option<()> {
        while let [0xff, rest @ ..] = self.bytes.0 {
            self.bytes.0 = rest;
            self.bytes.varint()?;
            if let [0xfe, rest @ ..] = self.bytes.0 {
                self.bytes.0 = rest;
                self.bytes.take(12)?;
            }
        }
        Some(())
    }

    fn tag(&mut self) -> Option<u8> {
        loop {
            match self.bytes.byte()? {
                // Padding before texts of two bytes a character.
                0 => {}
                // A count of objects for verification.
                b'?' => drop(self.bytes.varint()?),
                tag => return Some(tag),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let tag = self.tag()?;
        self.tagged(tag, depth)
    }

    fn tagged(&mut self, tag: u8, depth: usize) -> Option<Value> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return None;
        }
        Some(match tag {
            b'_' | b'0' | b'-' => Value::Null,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'y' | b'x' => self.remember(Value::Bool(tag == b'y')),
            b'I' => {
                let zigzag = self.bytes.varint()?;
                Value::from((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
            }
            b'U' => Value::from(self.bytes.varint()?),
            b'N' => self.double()?,
            b'D' | b'n' => {
                let number = self.double()?;
                self.remember(number)
            }
            b'S' => Value::String(String::from_utf8_lossy(self.bytes.prefixed()?).into_owned()),
            b'"' => Value::String(latin1(self.bytes.prefixed()?)),
            b'c' => Value::String(utf16(self.bytes.prefixed()?, u16::from_le_bytes)),
            b's' => {
                let text = self.value(depth + 1)?;
                self.remember(text)
            }
            b'^' => self.reference()?,
            b'o' => {
                let place = self.begin();
                let members = self.members(b'{', 1, depth)?;
                self.end(place, Value::Object(members))
            }
            b'A' => {
                let place = self.begin();
                let list = self.dense(depth)?;
                self.end(place, list)
            }
            b'a' => {
                let place = self.begin();
                self.bytes.varint()?;
                let members = self.members(b'@', 2, depth)?;
                self.end(place, sparse(members))
            }
            b';' => {
                let place = self.begin();
                let members = self.members(b':', 1, depth)?;
                self.end(place, Value::Object(members))
            }
            b'\'' => {
                let place = self.begin();
                let list = self.set(depth)?;
                self.end(place, list)
            }
            _ => return None,
        })
    }

    fn double(&mut self) -> Option<Value> {
        let number = f64::from_le_bytes(self.bytes.take(8)?.try_into().ok()?);
        // Times in milliseconds and the like are whole numbers for everyone who reads them.
        if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
            return Some(Value::from(number as i64));
        }
        Some(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn begin(&mut self) -> usize {
        self.seen.push(None);
        self.seen.len() - 1
    }

    fn end(&mut self, place: usize, value: Value) -> Value {
        if let Some(seen) = self.seen.get_mut(place) {
            *seen = Some(value.clone());
        }
        value
    }

    fn remember(&mut self, value: Value) -> Value {
        let place = self.begin();
        self.end(place, value)
    }

    /// An object that came before; one that is still open (a cycle) has no place in JSON.
    fn reference(&mut self) -> Option<Value> {
        let place = usize::try_from(self.bytes.varint()?).ok()?;
        let value = self.seen.get(place)?.clone()?;
        self.nodes = self.nodes.saturating_add(count(&value));
        (self.nodes <= MAX_NODES).then_some(value)
    }

    /// Names and values up to the closing tag, which has some numbers behind it.
    fn members(&mut self, closing: u8, numbers: usize, depth: usize) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        loop {
            let tag = self.tag()?;
            if tag == closing {
                for _ in 0..numbers {
                    self.bytes.varint()?;
                }
                return Some(members);
            }
            let name = match self.tagged(tag, depth + 1)? {
                Value::String(name) => name,
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            let value = self.value(depth + 1)?;
            members.insert(name, value);
        }
    }

    fn dense(&mut self, depth: usize) -> Option<Value> {
        let length = self.bytes.varint()?;
        let mut list = Vec::new();
        for _ in 0..length {
            list.push(self.value(depth + 1)?);
        }
        // A list may have named members besides; no client uses that.
        self.members(b'$', 2, depth)?;
        Some(Value::Array(list))
    }

    fn set(&mut self, depth: usize) -> Option<Value> {
        let mut list = Vec::new();
        loop {
            let tag = self.tag()?;
            if tag == b',' {
                self.bytes.varint()?;
                return Some(Value::Array(list));
            }
            list.push(self.tagged(tag, depth + 1)?);
        }
    }
}

/// A list with holes: by number if all names are numbers, in their order.
fn sparse(members: Map<String, Value>) -> Value {
    let mut numbered: Vec<(u64, Value)> = Vec::new();
    for (name, value) in &members {
        match name.parse() {
            Ok(number) => numbered.push((number, value.clone())),
            Err(_) => return Value::Object(members),
        }
    }
    numbered.sort_by_key(|(number, _)| *number);
    Value::Array(numbered.into_iter().map(|(_, value)| value).collect())
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_object_in_its_envelope() {
        let bytes = b"\xff\x15\xfe\0\0\0\0\0\0\0\0\0\0\0\0\xff\x10o\"\x01aI\x05\"\x01bA\x02T\"\x01\xe9$\0\x02\"\x01cc\x04\x3d\xd8\0\xde{\x03";
        assert_eq!(read(bytes), Some(json!({"a": -3, "b": [true, "é"], "c": "😀"})));
    }

    #[test]
    fn references_are_copies_and_cycles_are_refused() {
        assert_eq!(read(b"\xff\x10A\x02o\"\x01xI\x02{\x01^\x01$\0\x02"), Some(json!([{"x": 1}, {"x": 1}])));
        assert_eq!(read(b"\xff\x10o\"\x01x^\0{\x01"), None);
    }

    #[test]
    fn references_cannot_blow_up() {
        let mut bytes = b"\xff\x10".to_vec();
        for _ in 0..40 {
            bytes.extend(b"A\x02");
        }
        bytes.extend(b"A\0$\0\0");
        // Each closed list is repeated once by the list around it.
        for place in (1..=40u8).rev() {
            bytes.extend([b'^', place]);
            bytes.extend(b"$\0\x02");
        }
        assert_eq!(read(&bytes), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&bytes);
        }
    }
}
