//! Text from inputs is hostile to terminals: escape sequences can hide lines, change the window's title
//! or make the terminal answer with input of its own. Everything printed goes through [`safe`].

use std::borrow::Cow;

/// Whether a character could steer a terminal or reorder a line: control characters (C0, DEL, C1),
/// line separators, and the invisible marks that turn the reading direction.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether it joins or parts the character before it and the next one, which the spelling of some scripts and of
/// composed emoji asks for. Behind ASCII it only hides that two words differ.
fn is_joiner_of(c: char, before: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}') && !before.is_ascii() && !is_unsafe(before)
}

/// The text with every unsafe character written as an escape, like `\u{1b}`.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        if is_unsafe(c) && !is_joiner_of(c, before) {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
        before = c;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(safe("a\u{1b}[31mb\u{7}\r\n"), "a\\u{1b}[31mb\\u{7}\\r\\n");
        assert_eq!(safe("\u{9b}2J\u{202e}"), "\\u{9b}2J\\u{202e}");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in ["grüße, 你好 👋", "👩\u{200d}💻", "می\u{200c}خواهم"] {
            assert_eq!(safe(text), text);
        }
    }

    #[test]
    fn a_joiner_that_joins_nothing_becomes_visible() {
        assert_eq!(safe("bo\u{200d}b\u{200c} é\u{200d}\u{200d}"), "bo\\u{200d}b\\u{200c} é\u{200d}\\u{200d}");
    }
}
