//! When a capture begins. What one client wrote into several files is read in the order in which it happened, however
//! the files were named.

use super::source::Source;
use super::{CaptureEvent, read_text};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// The kind of a capture, its first moment, and its place among files of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dating {
    format: &'static str,
    first: Option<Timestamp>,
    series: Series,
}

/// The place of a file among those that a client wrote one after the other: `log`, `log-2`, `log-3`, or `log.2`, `log.1`,
/// `log`, as tools call them that put old logs away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Series {
    name: String,
    number: i64,
}

impl Series {
    fn of(path: &Path) -> Self {
        let number = |digits: &str| digits.parse::<u16>().ok().map(i64::from);
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (stem, ending) = file.rsplit_once('.').unwrap_or((&file, ""));
        if let Some(n) = number(ending) {
            return Self { name: stem.to_owned(), number: -n };
        }
        match stem.rsplit_once(['-', '_']).and_then(|(stem, digits)| Some((stem, number(digits)?))) {
            Some((stem, number)) => Self { name: format!("{stem}.{ending}"), number },
            None => Self { number: 1, name: file },
        }
    }
}

impl Dating {
    /// Looks at the beginning of a capture.
    pub(super) fn of(path: &Path, source: &Source<'_>) -> Self {
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
        Self { format: source.format.name, first, series: Series::of(path) }
    }

    /// Of a capture that could not be opened.
    pub const fn unknown() -> Self {
        Self { format: "", first: None, series: Series { name: String::new(), number: 0 } }
    }
}

/// Puts captures of one kind that have a date into the order of their dates, and those without that are of one series into
/// its order. Clocks of different clients, and of logs without zone, cannot be compared: nothing else changes its place.
pub fn in_order<T>(captures: Vec<(Dating, T)>) -> Vec<T> {
    let (datings, captures): (Vec<Dating>, Vec<Option<T>>) =
        captures.into_iter().map(|(dating, capture)| (dating, Some(capture))).unzip();
    let mut order: Vec<usize> = (0..datings.len()).collect();
    for like in &datings {
        let dated = |d: &Dating| d.format == like.format && d.first.is_some();
        sort_among(&mut order, &datings, dated, |d| d.first);
        let undated = |d: &Dating| d.format == like.format && d.first.is_none() && d.series.name == like.series.name;
        sort_among(&mut order, &datings, undated, |d| d.series.number);
    }
    let mut captures = captures;
    order.into_iter().filter_map(|at| captures.get_mut(at)?.take()).collect()
}

/// Sorts those that belong together, in the places that they have.
fn sort_among<K: Ord>(order: &mut [usize], datings: &[Dating], belongs: impl Fn(&Dating) -> bool, key: impl Fn(&Dating) -> K) {
    let places: Vec<usize> = (0..order.len()).filter(|place| belongs(&datings[order[*place]])).collect();
    let mut sorted: Vec<usize> = places.iter().map(|place| order[*place]).collect();
    sorted.sort_by_key(|at| key(&datings[*at]));
    for (place, at) in places.into_iter().zip(sorted) {
        order[place] = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dated_captures_of_one_kind_are_put_in_order() {
        let dating = |format, second: Option<i64>| Dating {
            format,
            first: second.and_then(|s| Timestamp::from_second(s).ok()),
            series: Series::default(),
        };
        let captures = vec![
            (dating("gajim", Some(3)), "g3"),
            (dating("xml", None), "x"),
            (dating("dino", Some(1)), "d1"),
            (dating("gajim", None), "g"),
            (dating("gajim", Some(2)), "g2"),
        ];
        assert_eq!(in_order(captures), ["g2", "x", "d1", "g", "g3"]);
    }

    #[test]
    fn undated_captures_of_one_series_are_put_in_order() {
        let ordered = |names: &[&str]| {
            let dating = |name: &str| Dating { format: "log", first: None, series: Series::of(Path::new(name)) };
            in_order(names.iter().map(|name| (dating(name), (*name).to_owned())).collect())
        };
        assert_eq!(
            ordered(&["debug-10.log", "debug-2.log", "x.xml", "debug.log"]),
            ["debug.log", "debug-2.log", "x.xml", "debug-10.log"]
        );
        assert_eq!(ordered(&["log", "log.1", "log.2"]), ["log.2", "log.1", "log"]);
        assert_eq!(ordered(&["b.log", "a.log"]), ["b.log", "a.log"]);
    }
}
