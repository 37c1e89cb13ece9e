//! The files in which docker keeps what a container wrote (`json-file`, its default): each line an object,
//! `{"log":"…\n","stream":"stderr","time":"…"}`. A line of more than 16 KiB is cut into several objects.

use super::{Dressed, prefix::nearly_all};
use serde::Deserialize;
use std::borrow::Cow;

/// How an object begins.
const KEY: &[u8] = br#"{"log":"#;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(default, borrow)]
    time: Cow<'a, str>,
}

/// Whether lines are such objects.
pub(super) fn are_in(lines: &[Dressed]) -> bool {
    nearly_all(lines, |line| line.strip_prefix(KEY).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"")))
}

/// Leaves what the container wrote, and says whether that is the end of its line. What is no such object stays.
pub(super) fn decode(line: &mut Dressed) -> bool {
    let Ok(entry) = serde_json::from_slice::<Entry<'_>>(&line.text) else { return true };
    let (end, whole) = (entry.log.strip_suffix('\n'), entry.log.ends_with('\n'));
    let text = end.unwrap_or(&entry.log).as_bytes().to_vec();
    line.time = entry.time.into_owned();
    // The string begins behind a quote, before which a blank may stand.
    line.skipped = line.text.iter().skip(KEY.len()).position(|byte| *byte == b'"').map_or(0, |at| KEY.len() + at + 1);
    line.text = text;
    whole
}
