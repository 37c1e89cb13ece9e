//! Captures: XML streams, lone stanzas and clients' logs, chosen by looking; one file a log format.

mod clock;
mod format;
mod records;
mod source;
pub mod splitter;
pub mod unwrap;

use super::InputError;
use crate::model::CaptureEvent;
use records::Records;
use source::{Line, MAX_LINE, Source};
use std::path::Path;
use std::sync::Arc;

/// Reads one capture (`-` is standard input) and hands over what it holds, in order. Memory does not
/// grow with the file's size. `progress` is told how many bytes have been read.
///
/// A text file without any stanza is read all the same and yields nothing. Errors: the file is a folder,
/// cannot be read, or is no text.
pub fn read(path: &Path, progress: &mut dyn FnMut(u64), sink: &mut dyn FnMut(CaptureEvent)) -> Result<(), InputError> {
    let mut source = Source::open(path)?;
    let format = format::detect(&source.sample);
    let mut reader = (format.open)();
    let mut records = Records::new(Arc::from(path), sink);
    let failed = |e: std::io::Error| InputError::new(path, format!("cannot be read further: {e}"));
    let mut buffer = Vec::new();
    let (mut number, mut offset) = (1u64, 0u64);
    loop {
        let taken = if format.blocks {
            source.block(&mut buffer).map_err(failed)?;
            buffer.len() as u64
        } else {
            source.line(&mut buffer).map_err(failed)?
        };
        if taken == 0 {
            break;
        }
        if buffer.is_empty() {
            records.too_long(number, offset, MAX_LINE);
        } else {
            let bytes = if format.blocks { buffer.as_slice() } else { buffer.strip_suffix(b"\n").unwrap_or(&buffer) };
            let text = if format.blocks { "".into() } else { String::from_utf8_lossy(bytes) };
            let text = text.strip_suffix('\r').unwrap_or(&text);
            reader.line(&Line { bytes, text, number, offset }, &mut records);
        }
        number += if format.blocks { memchr::memchr_iter(b'\n', &buffer).count() as u64 } else { 1 };
        offset += taken;
        progress(offset);
    }
    reader.finish(&mut records);
    records.finish();
    Ok(())
}

/// The format a capture's first bytes look like, in a person's words.
pub fn describe(path: &Path) -> Result<&'static str, InputError> {
    Ok(format::detect(&Source::open(path)?.sample).name)
}
