//! Monal's raw log: records of a big-endian length and a JSON object. Stanzas stand in the messages
//! `RECV Stanza: <xml>` and `SEND: <xml>`; the raw bytes beside them repeat the same traffic.

use super::{Format, LogFormat, Unit};
use crate::input::capture::clock;
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::Direction;
use serde_json::Value;

pub(super) const FORMAT: Format =
    Format { name: "Monal raw log", score: |_| 0, open: || Box::new(Monal::default()), unit: Unit::Records };

/// Longest record that Monal writes (its limit is 2^26; far shorter in practice).
const MAX_RECORD: usize = 1 << 26;

/// What stands before stanzas.
const MARKERS: [(&str, Direction); 5] = [
    ("RECV Stanza: ", Direction::Incoming),
    ("delayedReplay of Stanza: ", Direction::Incoming),
    ("SEND: ", Direction::Outgoing),
    ("IDEMPOTENT_SEND: ", Direction::Outgoing),
    ("NOT ADDING STANZA TO SEND QUEUE: ", Direction::Outgoing),
];

const OMEMO_WORDS: [&str; 8] = [
    "omemo",
    "deviceid",
    "keytransport",
    "encrypted for this device",
    "obtain key",
    "bundle",
    "session repair",
    "repair session",
];

/// Whether a file begins like a raw log.
pub(super) fn is_rawlog(sample: &[u8]) -> bool {
    let Some((length, rest)) = sample.split_first_chunk::<4>() else { return false };
    (2..MAX_RECORD).contains(&(u32::from_be_bytes(*length) as usize))
        && rest.starts_with(b"{\"")
        && memchr::memmem::find(rest, b"\"message\"").is_some()
}

#[derive(Default)]
struct Monal {
    buffer: Vec<u8>,
    /// Line and byte of the buffer's beginning.
    start: (u64, u64),
    begun: bool,
}

impl LogFormat for Monal {
    fn line(&mut self, block: &Line<'_>, out: &mut Records<'_>) {
        if !self.begun {
            self.start = (block.number, block.offset);
            self.begun = true;
        }
        self.buffer.extend_from_slice(block.bytes);
        let mut used = 0;
        while let Some((length, rest)) = self.buffer[used..].split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            if length >= MAX_RECORD {
                // Not a record: nothing after it can be found again.
                out.too_long(self.start.0, self.start.1, MAX_RECORD);
                used = self.buffer.len();
                break;
            }
            let Some(record) = rest.get(..length) else { break };
            read(record, self.start, out);
            let whole = 4 + length;
            // A person counts records, not line ends, in a file without lines.
            self.start = (self.start.0 + 1, self.start.1.saturating_add(whole as u64));
            used += whole;
        }
        self.buffer.drain(..used);
    }
}

fn read(record: &[u8], (line, byte): (u64, u64), out: &mut Records<'_>) {
    let Ok(Value::Object(object)) = serde_json::from_slice(record) else { return };
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let Some(message) = text("message") else { return };
    let time = text("timestamp").and_then(|stamp| {
        // A colon stands before the milliseconds.
        let (seconds, millis) = stamp.rsplit_once(':')?;
        clock::read(&format!("{seconds}.{millis}"))
    });
    for (marker, direction) in MARKERS {
        let Some(xml) = message.strip_prefix(marker).filter(|x| x.starts_with('<')) else { continue };
        out.begin(Record { stream: String::new(), framing: Framing::Whole, direction: Some(direction), time, account: None });
        out.text(xml.as_bytes(), line, byte);
        out.end();
        return;
    }
    let file = text("file").unwrap_or_default();
    let lower = message.to_lowercase();
    let about = file.contains("OMEMO") || file.contains("MLSignalStore") || OMEMO_WORDS.iter().any(|w| lower.contains(w));
    if about && !message.starts_with("RECV(") && !message.contains("<message") {
        out.client_line("Monal", &Line { bytes: b"", raw: b"", text: "", number: line, offset: byte }, time, message);
    }
}
