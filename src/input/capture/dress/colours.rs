//! Terminal colours (ECMA-48 control sequences).

use super::Dressed;

const ESCAPE: u8 = 0x1b;

/// Whether there are any.
pub(super) fn are_in(text: &[u8]) -> bool {
    memchr::memchr(ESCAPE, text).is_some()
}

/// Takes them out of a line.
pub(super) fn take_off(line: &mut Dressed) {
    while let Some(length) = sequence(&line.text) {
        line.skip(length);
    }
    if !are_in(&line.text) {
        return;
    }
    let mut out = Vec::with_capacity(line.text.len());
    let mut rest = line.text.as_slice();
    while let Some(at) = memchr::memchr(ESCAPE, rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[sequence(rest).unwrap_or(1)..];
    }
    out.extend_from_slice(rest);
    line.text = out;
}

/// The length of a control sequence that a text begins with; a lone escape character counts as one.
fn sequence(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(&[ESCAPE])?;
    let Some(parameters) = rest.strip_prefix(b"[") else { return Some(1) };
    let end = parameters.iter().position(|byte| (b'@'..=b'~').contains(byte));
    Some(end.map_or(text.len(), |end| 2 + end + 1))
}
