//! The JSON view: one object with its schema's name first.

use super::View;
use super::safe::is_unsafe;
use serde::Serialize;

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

/// The value as indented JSON with a line feed at the end.
pub fn to_json<V: View>(view: &V) -> serde_json::Result<String> {
    let mut out = harmless(serde_json::to_string_pretty(&Envelope { schema: schema(V::COMMAND), value: view })?);
    out.push('\n');
    Ok(out)
}

/// One element of a list that is printed piece by piece.
pub fn to_json_item<T: Serialize>(item: &T) -> serde_json::Result<String> {
    serde_json::to_string(item).map(harmless)
}

/// Writes characters that could steer a terminal as `\u…`. They occur only inside strings, where that
/// means the same; serde_json itself escapes only those below U+0020.
fn harmless(json: String) -> String {
    let steers = |c: char| c != '\n' && is_unsafe(c);
    if !json.chars().any(steers) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len() + 16), |mut out, c| {
        if steers(c) {
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steering_characters_are_escaped_and_mean_the_same() {
        let text = "a\u{1b}\u{9b}\u{202e}\u{7f}b\n";
        let json = to_json_item(&text).expect("a string is JSON");
        assert_eq!(json, "\"a\\u001b\\u009b\\u202e\\u007fb\\n\"");
        assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), text);
    }
}
