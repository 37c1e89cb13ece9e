//! Times as logs write them. Without zone they are taken for UTC; without date there is no moment.

use crate::model::When;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Any of the notations below; `None` if it is none of them.
pub fn read(text: &str) -> Option<When> {
    let text = text.trim();
    let first = text.bytes().next()?;
    if !first.is_ascii_digit() && !first.is_ascii_alphabetic() {
        return None;
    }
    let instant = iso(text).or_else(|| with_format(text));
    (instant.is_some() || is_clock(text)).then(|| When { instant, text: text.to_owned() })
}

/// `2026-11-23T02:25:30.686002Z`, `2026-11-23 03:11:58,123`, offset with or without colon or minutes.
fn iso(text: &str) -> Option<Timestamp> {
    if !text.get(..5)?.ends_with('-') {
        return None;
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let text = text.replacen(',', ".", 1);
    for format in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"] {
        if let Ok(instant) = Timestamp::strptime(format, &text) {
            return Some(instant);
        }
    }
    // `+02` alone, as GLib writes a whole hour.
    if let Some(at) = text.rfind(['+', '-']).filter(|at| *at > 10 && text.len() - at == 3)
        && let Ok(instant) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", format!("{text}00"))
    {
        let _ = at;
        return Some(instant);
    }
    text.parse::<DateTime>().ok().and_then(utc)
}

fn with_format(text: &str) -> Option<Timestamp> {
    // C locale of strftime %x %X and %c, English locales of %c.
    [
        "%m/%d/%y %H:%M:%S",
        "%a %b %d %H:%M:%S %Y",
        "%a %d %b %Y %I:%M:%S %p",
        "%a %d %b %Y %H:%M:%S",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y, %I:%M:%S %p",
    ]
    .iter()
    .find_map(|format| DateTime::strptime(format, text).ok())
    .and_then(utc)
}

fn utc(time: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

/// A time of day somewhere in a short text.
fn is_clock(text: &str) -> bool {
    text.len() <= 40
        && text.as_bytes().windows(5).any(|w| w[2] == b':' && [w[0], w[1], w[3], w[4]].iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        for text in [
            "2026-11-23T02:25:30Z",
            "2026-11-23 02:25:30",
            "2026-11-23 02:25:30,000",
            "2026-11-23T02:25:30+0000",
            "2026-11-23T03:25:30+01",
            "2026-11-23T04:25:30.000000+02:00",
            "11/23/26 02:25:30",
            "Mon Nov 23 02:25:30 2026",
        ] {
            let when = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(when.instant.map(|i| i.to_string()).as_deref(), Some("2026-11-23T02:25:30Z"), "{text}");
            assert_eq!(when.text, text);
        }
        assert_eq!(read("02:25:30"), Some(When { instant: None, text: "02:25:30".into() }));
        assert_eq!(read("Nov 23 02:25:30").map(|w| w.instant), Some(None));
        assert_eq!(read("no time"), None);
        assert_eq!(read(""), None);
        assert_eq!(read("ééééé"), None);
    }
}
