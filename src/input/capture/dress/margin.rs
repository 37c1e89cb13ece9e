//! Lines that are all indented, as people paste code.

use super::Dressed;

fn width(text: &[u8]) -> usize {
    text.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(usize::MAX)
}

/// The margin of lines that all have one; a single line has none, and may be longer than lines are read.
pub(super) fn shared(lines: &[Dressed]) -> Option<usize> {
    if lines.len() < 2 {
        return None;
    }
    lines.iter().map(|line| width(&line.text)).min().filter(|width| (1..usize::MAX).contains(width))
}

/// Takes it off, as far as there is one.
pub(super) fn take_off(margin: usize, line: &mut Dressed) {
    line.skip(width(&line.text).min(margin));
}
