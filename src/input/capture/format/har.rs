//! HAR files, as browsers export their network panel: WebSocket messages (`_webSocketMessages`) and BOSH
//! requests. Read without taking the whole JSON into memory: all that counts stands in objects that
//! hold no others.

use super::{Format, LogFormat, Unit, count};
use crate::input::capture::records::{Framing, Record, Records};
use crate::input::capture::source::Line;
use crate::model::{Direction, When};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub(super) const FORMAT: Format = Format {
    name: "HAR (browser network log)",
    score: |lines| {
        let begins = lines.iter().take(50).any(|l| l.contains("\"log\"") && l.trim_start().starts_with(['{', '"']));
        if begins {
            count(lines, |l| l.contains("\"_webSocketMessages\"") || l.contains("\"creator\"") || l.contains("\"entries\""))
        } else {
            0
        }
    },
    open: || Box::new(Har::default()),
    unit: Unit::Blocks,
};

/// Longest object that is looked at: one message or one answer of a server.
const MAX_OBJECT: usize = 16 << 20;

#[derive(Default)]
struct Har {
    /// The innermost object under way, from its brace on.
    object: Vec<u8>,
    /// Where it begins.
    start: (u64, u64),
    in_object: bool,
    in_text: bool,
    escaped: bool,
}

impl LogFormat for Har {
    fn line(&mut self, block: &Line<'_>, out: &mut Records<'_>) {
        let mut line = block.number;
        for (i, b) in block.bytes.iter().enumerate() {
            if self.in_object {
                self.object.push(*b);
                if self.object.len() > MAX_OBJECT {
                    out.too_long(self.start.0, self.start.1, MAX_OBJECT);
                    self.in_object = false;
                    self.object = Vec::new();
                }
            }
            match b {
                b'\n' => line += 1,
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' => {
                    self.object.clear();
                    self.object.push(b'{');
                    self.in_object = true;
                    self.start = (line, block.offset_of(i));
                }
                b'}' if std::mem::take(&mut self.in_object) => self.leaf(out),
                _ => {}
            }
        }
    }
}

impl Har {
    fn leaf(&mut self, out: &mut Records<'_>) {
        let Ok(Value::Object(object)) = serde_json::from_slice(&self.object) else { return };
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let (direction, data) = match (text("type"), text("data"), text("text")) {
            (Some("send"), Some(data), _) => (Direction::Outgoing, data.to_owned()),
            (Some("receive"), Some(data), _) => (Direction::Incoming, data.to_owned()),
            // BOSH: `postData` has no size, the answer's `content` has one.
            (_, _, Some(body)) if object.contains_key("mimeType") => {
                let decoded = if text("encoding") == Some("base64") {
                    STANDARD.decode(body).ok().and_then(|b| String::from_utf8(b).ok()).unwrap_or_default()
                } else {
                    body.to_owned()
                };
                if !decoded.trim_start().starts_with("<body") {
                    return;
                }
                (if object.contains_key("size") { Direction::Incoming } else { Direction::Outgoing }, decoded)
            }
            _ => return,
        };
        #[allow(clippy::cast_possible_truncation)] // Seconds since 1970: a saturating cast is what is wanted.
        let time = object.get("time").and_then(Value::as_f64).and_then(|s| When::from_unix_millis((s * 1000.0) as i64));
        out.begin(Record { stream: String::new(), framing: Framing::Whole, direction: Some(direction), time, account: None });
        out.text(data.as_bytes(), self.start.0, self.start.1);
        out.end();
    }
}
