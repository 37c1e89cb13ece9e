//! Captures: XML streams, lone stanzas and clients' logs, chosen by looking; one file a log format.

mod clock;
mod compressed;
mod dating;
mod dress;
mod format;
mod hidden;
mod records;
mod refusal;
mod source;
pub mod splitter;
pub mod unwrap;

use super::InputError;
use crate::model::{CaptureEvent, STDIN};
use compressed::ZIP_MAGIC;
pub use dating::{Dating, in_order};
use format::Unit;
use records::Records;
pub use source::SAMPLE;
use source::{Line, MAX_LINE, Source};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// An open capture, its beginning read to find out its format.
pub struct Capture {
    path: Arc<Path>,
    content: Content,
}

enum Content {
    /// A text, perhaps compressed.
    Text(Source<'static>),
    /// An archive of texts, which is opened when it is read.
    Archive,
}

impl Capture {
    /// Opens a file, or standard input for `-`. Errors: a folder, cannot be read, or is no text.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let unreadable = |e: std::io::Error| InputError::new(path, format!("cannot be read: {e}"));
        let (magic, raw) = source::peek(source::open(path)?, ZIP_MAGIC.len()).map_err(unreadable)?;
        if magic == ZIP_MAGIC && path.as_os_str() != STDIN {
            return Ok(Self { path: Arc::from(path), content: Content::Archive });
        }
        Self::from_reader(path, raw)
    }

    /// Opens what a reader gives; `path` names it. Errors: cannot be read, or is no text.
    pub fn from_reader(path: &Path, reader: Box<dyn Read>) -> Result<Self, InputError> {
        Ok(Self { path: Arc::from(path), content: Content::Text(Source::new(path, reader)?) })
    }

    /// The format its first bytes look like, in a person's words.
    pub fn format(&self) -> &'static str {
        match &self.content {
            Content::Text(source) => source.format.name,
            Content::Archive => "ZIP archive",
        }
    }

    /// Its first bytes, unpacked; all of them if there are fewer than [`SAMPLE`]. Of an archive only what shows it is one.
    pub fn beginning(&self) -> &[u8] {
        match &self.content {
            Content::Text(source) => &source.sample,
            Content::Archive => ZIP_MAGIC,
        }
    }

    /// Its kind, and when it begins.
    pub fn dating(&self) -> Dating {
        match &self.content {
            Content::Text(source) => Dating::of(&self.path, source),
            Content::Archive => Dating::unknown(),
        }
    }

    /// Hands over what it holds, in order. Memory does not grow with the file's size. `progress` is told
    /// how many bytes have been read. Text without any stanza is read all the same and yields nothing.
    /// Errors: it cannot be read to its end, or unpacks to more than a log does; what stands before was handed over then.
    pub fn read(self, progress: &mut dyn FnMut(u64), sink: &mut dyn FnMut(CaptureEvent)) -> Result<(), InputError> {
        match self.content {
            Content::Text(source) => read_text(&self.path, source, progress, sink).map(|_| ()),
            Content::Archive => {
                let (mut before, mut hidden) = (0, None);
                compressed::members(&self.path, &mut |name, source| {
                    match read_text(&Arc::from(name), source, &mut |bytes| progress(before + bytes), sink) {
                        // Another file of the archive may show what this one does not.
                        Err(error) if error.hidden => hidden = hidden.take().or(Some(error)),
                        length => before += length?,
                    }
                    Ok(())
                })?;
                hidden.map_or(Ok(()), Err)
            }
        }
    }
}

/// The formats that are recognised, in a person's words.
pub fn formats() -> impl Iterator<Item = &'static str> {
    format::names()
}

/// Opens and reads one capture.
pub fn read(path: &Path, progress: &mut dyn FnMut(u64), sink: &mut dyn FnMut(CaptureEvent)) -> Result<(), InputError> {
    Capture::open(path)?.read(progress, sink)
}

/// Reads one text and returns its length in bytes.
fn read_text(
    path: &Arc<Path>,
    mut source: Source<'_>,
    progress: &mut dyn FnMut(u64),
    sink: &mut dyn FnMut(CaptureEvent),
) -> Result<u64, InputError> {
    let format = source.format;
    let by_line = format.unit == Unit::Lines || source.dress.is_by_line();
    let mut reader = (format.open)();
    let mut records = Records::new(path.clone(), format.unit == Unit::Records, sink);
    records.wrapped = source.dress.is_wrapped();
    let mut undressing = std::mem::take(&mut source.dress).open(format);
    let mut buffer = Vec::new();
    let (mut number, mut offset) = (1u64, 0u64);
    let mut failure = None;
    loop {
        let taken = if by_line { source.line(&mut buffer) } else { source.block(&mut buffer) };
        let taken = taken.unwrap_or_else(|error| {
            failure = Some(error);
            0
        });
        if taken == 0 {
            break;
        }
        if buffer.is_empty() {
            records.too_long(number, offset, MAX_LINE);
        } else if by_line {
            undressing.line(&buffer, number, offset, &mut |line, time| {
                records.hidden.look(line.bytes);
                records.carried_at(time);
                reader.line(line, &mut records);
            });
        } else {
            records.hidden.look(&buffer);
            reader.line(&Line { bytes: &buffer, raw: &buffer, text: "", number, offset }, &mut records);
        }
        number += if by_line { 1 } else { memchr::memchr_iter(b'\n', &buffer).count() as u64 };
        offset += taken;
        progress(offset);
    }
    undressing.finish(&mut |line, time| {
        records.hidden.look(line.bytes);
        records.carried_at(time);
        reader.line(line, &mut records);
    });
    reader.finish(&mut records);
    records.finish();
    match (failure, records.hidden.says()) {
        (Some(error), _) => Err(InputError::partial(&**path, format!("only its first {number} lines were read: {error}"))),
        (None, Some(says)) => Err(InputError::hidden(&**path, says)),
        (None, None) => Ok(offset),
    }
}
