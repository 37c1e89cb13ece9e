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
pub use source::SAMPLE;
use source::{Line, MAX_LINE, Source};
use std::path::Path;
use std::sync::Arc;

/// An open capture, its beginning read to find out its format.
pub struct Capture {
    path: Arc<Path>,
    source: Source,
    format: &'static format::Format,
}

impl Capture {
    /// Opens a file, or standard input for `-`. Errors: a folder, cannot be read, or is no text.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let source = Source::open(path)?;
        let format = format::detect(&source.sample);
        Ok(Self { path: Arc::from(path), source, format })
    }

    /// The format its first bytes look like, in a person's words.
    pub const fn format(&self) -> &'static str {
        self.format.name
    }

    /// Its first bytes; all of them if there are fewer than [`SAMPLE`].
    pub fn beginning(&self) -> &[u8] {
        &self.source.sample
    }

    /// Hands over what it holds, in order. Memory does not grow with the file's size. `progress` is told
    /// how many bytes have been read. Text without any stanza is read all the same and yields nothing.
    pub fn read(mut self, progress: &mut dyn FnMut(u64), sink: &mut dyn FnMut(CaptureEvent)) -> Result<(), InputError> {
        let (source, format) = (&mut self.source, self.format);
        let mut reader = (format.open)();
        let mut records = Records::new(self.path.clone(), sink);
        let failed = |e: std::io::Error| InputError::new(&*self.path, format!("cannot be read further: {e}"));
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
                let bytes = if format.blocks { buffer.as_slice() } else { without_end(&buffer) };
                let text = if format.blocks { "".into() } else { String::from_utf8_lossy(bytes) };
                reader.line(&Line { bytes, text: &text, number, offset }, &mut records);
            }
            number += if format.blocks { memchr::memchr_iter(b'\n', &buffer).count() as u64 } else { 1 };
            offset += taken;
            progress(offset);
        }
        reader.finish(&mut records);
        records.finish();
        Ok(())
    }
}

/// Opens and reads one capture.
pub fn read(path: &Path, progress: &mut dyn FnMut(u64), sink: &mut dyn FnMut(CaptureEvent)) -> Result<(), InputError> {
    Capture::open(path)?.read(progress, sink)
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
