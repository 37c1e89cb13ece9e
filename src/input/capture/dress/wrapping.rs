//! Lines that were broken at a width, by a mail program or a terminal: between words, or anywhere.

use super::Dressed;

/// Widths at which texts are broken: 72 to 80 columns, and what reply marks leave or terminals have beyond.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=100;

/// How a text was broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrapping {
    width: usize,
    /// Between words, if they are not longer than a line.
    at_words: bool,
}

impl Wrapping {
    /// Looks at the lines of a sample. A key of OMEMO alone is longer than the widths in question: what has no longer line
    /// and many of just the same length was broken. `is_head` tells lines with which records begin.
    pub(super) fn of(lines: &[Dressed], is_head: &dyn Fn(&[u8]) -> bool) -> Option<Self> {
        let width = lines.iter().map(|line| columns(&line.text)).max().filter(|width| WIDTHS.contains(width))?;
        let (mut full, mut short) = (0, 0);
        for pair in lines.windows(2) {
            let [first, second] = pair else { continue };
            // A client's own way to break lines indents them.
            if second.text.starts_with(b"  ") || is_head(&second.text) {
                continue;
            }
            if columns(&first.text) == width {
                full += 1;
            } else if !fits(&first.text, &second.text, width) && !are_tags(&first.text, &second.text) {
                short += 1;
            }
        }
        (full >= 3 && full * 50 >= lines.len()).then_some(Self { width, at_words: short * 20 > full })
    }

    /// What stood between two lines before they were broken apart; `None` if they never were one.
    pub(super) fn joint(self, first: &[u8], second: &[u8]) -> Option<&'static [u8]> {
        if first.is_empty() || second.is_empty() {
            return None;
        }
        let is_full = columns(first) == self.width;
        if !self.at_words {
            return is_full.then_some(b"");
        }
        let word = columns(last_word(first)) + columns(first_word(second));
        match is_full {
            true if word > self.width && !parts_attribute(first, second) => Some(b""),
            true => Some(b" "),
            // Between tags a blank says nothing; either may as well have had a line of its own.
            false => (!fits(first, second, self.width) && !are_tags(first, second)).then_some(b" "),
        }
    }
}

/// Whether a tag, or a row of brackets, ends the first line and a tag begins the second.
fn are_tags(first: &[u8], second: &[u8]) -> bool {
    let begins = matches!(second, [b'<', next, ..] if next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?'));
    begins && matches!(first, [.., b'<' | b'>'])
}

/// Whether the second line begins with an attribute, which cannot follow the end of the first without a blank: an
/// element's name or another attribute's value.
fn parts_attribute(first: &[u8], second: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
    let name = second.iter().take_while(|byte| is_name(byte)).count();
    let begins = name > 0 && matches!(second.get(name..), Some([b'=', b'\'' | b'"', ..]));
    let end = first.len() - first.iter().rev().take_while(|byte| is_name(byte)).count();
    begins && matches!(first.get(..end), Some([.., b'<' | b'\'' | b'"']))
}

/// Whether the next line's first word would have had room.
fn fits(first: &[u8], second: &[u8], width: usize) -> bool {
    columns(first) + 1 + columns(first_word(second)) <= width
}

/// Characters of UTF-8.
fn columns(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

fn first_word(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b' ').next().unwrap_or_default()
}

fn last_word(line: &[u8]) -> &[u8] {
    line.rsplit(|byte| *byte == b' ').next().unwrap_or_default()
}
