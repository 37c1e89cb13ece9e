//! What word processors and chat windows make of code: typographic quotes, and blanks that do not break.

use super::Dressed;
use memchr::memmem;

/// UTF-8 of the character, and what was typed.
const CHARACTERS: [(&str, u8); 6] = [("\u{a0}", b' '), ("\u{202f}", b' '), ("‘", b'\''), ("’", b'\''), ("“", b'"'), ("”", b'"')];

/// How stanzas look that have gone through one, and how they look otherwise.
const TELLTALE: [(&[&str], &str); 3] = [
    (&["xmlns=‘", "xmlns=’"], "xmlns='"),
    (&["xmlns=“", "xmlns=”"], "xmlns=\""),
    (&["<message\u{a0}", "<iq\u{a0}", "<presence\u{a0}"], "<message "),
];

/// Whether a text has gone through one: in the text of a message such characters are at home.
pub(super) fn is_in(lines: &[Dressed]) -> bool {
    let holds = |words: &[&str]| {
        words.iter().any(|word| {
            let finder = memmem::Finder::new(word);
            lines.iter().any(|line| finder.find(&line.text).is_some())
        })
    };
    TELLTALE.iter().any(|(told, otherwise)| holds(told) && !holds(&[otherwise]))
}

/// Puts back what was typed.
pub(super) fn undo(text: &mut Vec<u8>) {
    if text.is_ascii() {
        return;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        let typed = CHARACTERS.iter().find(|(character, _)| rest.starts_with(character.as_bytes()));
        (rest, _) = match typed {
            Some((character, typed)) => (&rest[character.len()..], out.push(*typed)),
            None => (behind, out.push(*first)),
        };
    }
    *text = out;
}
