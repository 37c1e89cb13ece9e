//! When a capture begins. What one client wrote into several files is read in the order in which it happened, however
//! the files were named.

use super::source::Source;
use super::{CaptureEvent, read_text};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// The kind of a capture, and its first moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dating {
    format: &'static str,
    first: Option<Timestamp>,
}

impl Dating {
    /// Looks at the beginning of a capture.
    pub(super) fn of(source: &Source<'_>) -> Self {
        let mut first = None;
        let mut note = |event| {
            let time = match event {
                CaptureEvent::Stanza(stanza) => stanza.time,
                CaptureEvent::ClientLine(line) => line.time,
            };
            first = first.or(time.and_then(|time| time.instant));
        };
        // What is wrong with it, reading it will show.
        let _ = read_text(&Arc::from(Path::new("")), source.beginning(), &mut |_| {}, &mut note);
        Self { format: source.format.name, first }
    }

    /// Of a capture that could not be opened.
    pub const fn unknown() -> Self {
        Self { format: "", first: None }
    }
}

/// Puts captures of one kind that have a date into the order of their dates. Clocks of different clients, and of logs
/// without zone, cannot be compared; nor is anything known of captures without date: they stay where they are.
pub fn in_order<T>(captures: Vec<(Dating, T)>) -> Vec<T> {
    let mut order: Vec<usize> = (0..captures.len()).collect();
    for format in captures.iter().map(|(dating, _)| dating.format) {
        let places: Vec<usize> = order
            .iter()
            .enumerate()
            .filter(|(_, at)| captures.get(**at).is_some_and(|(d, _)| d.format == format && d.first.is_some()))
            .map(|(place, _)| place)
            .collect();
        let mut sorted: Vec<usize> = places.iter().filter_map(|place| order.get(*place).copied()).collect();
        sorted.sort_by_key(|at| captures.get(*at).and_then(|(dating, _)| dating.first));
        for (place, at) in places.into_iter().zip(sorted) {
            order[place] = at;
        }
    }
    let mut captures: Vec<Option<T>> = captures.into_iter().map(|(_, capture)| Some(capture)).collect();
    order.into_iter().filter_map(|at| captures.get_mut(at)?.take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dated_captures_of_one_kind_are_put_in_order() {
        let dating = |format, second: Option<i64>| Dating { format, first: second.and_then(|s| Timestamp::from_second(s).ok()) };
        let captures = vec![
            (dating("gajim", Some(3)), "g3"),
            (dating("xml", None), "x"),
            (dating("dino", Some(1)), "d1"),
            (dating("gajim", None), "g"),
            (dating("gajim", Some(2)), "g2"),
        ];
        assert_eq!(in_order(captures), ["g2", "x", "d1", "g", "g3"]);
    }
}
