//! Characters as a web form, a ticket system or a page's source shows them: `&lt;message to=&quot;…`.

use super::Dressed;
use memchr::memmem;

/// How stanzas begin, also in Dino's notation.
const STARTS: [&[u8]; 5] = [b"message", b"encrypted", b"iq", b"presence", b"{jabber:client}:"];

/// Longest entity that is read.
const LONGEST: usize = 10;

/// Whether stanzas begin with entities, and none without: a message's text may well speak of `&lt;message`.
pub(super) fn are_in(lines: &[Dressed]) -> bool {
    let begins = |opening: &[u8]| {
        let finder = memmem::Finder::new(opening);
        lines.iter().any(|line| {
            finder.find_iter(&line.text).any(|at| {
                let rest = line.text.get(at + opening.len()..).unwrap_or_default();
                STARTS.iter().any(|start| rest.starts_with(start))
            })
        })
    };
    begins(b"&lt;") && !begins(b"<")
}

/// Puts the characters back; what is no entity stays as it is.
pub(super) fn decode(text: &mut Vec<u8>) {
    if memchr::memchr(b'&', text).is_none() {
        return;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_slice();
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let (character, length) = entity(rest).unwrap_or(('&', 1));
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[length..];
    }
    out.extend_from_slice(rest);
    *text = out;
}

/// The character of an entity that a text begins with, and its length.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    let end = text.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(text.get(1..end)?).ok()?;
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, end + 1))
}
