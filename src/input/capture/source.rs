//! Opens a capture and hands it out in bounded pieces.

use super::compressed::{self, GZIP_MAGIC};
use super::dress::Dress;
use super::format::Format;
use super::refusal;
use crate::input::InputError;
use crate::model::STDIN;
use encoding_rs_io::DecodeReaderBytes;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// Longest line that is read; longer ones are skipped and reported. A line of a log holds at most a
/// few stanzas.
pub const MAX_LINE: usize = 16 << 20;

/// How much is looked at to find out the format.
pub const SAMPLE: usize = 256 << 10;

/// How a UTF-16 text begins, which Windows makes of what a console prints.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A line of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Without its end.
    pub bytes: &'a [u8],
    /// Without its line feed, but with a carriage return before it: for logs that count bytes.
    pub raw: &'a [u8],
    /// The same as text; what is no UTF-8 is replaced.
    pub text: &'a str,
    /// Number, 1 is the first.
    pub number: u64,
    /// Offset of its first byte in the file.
    pub offset: u64,
}

impl Line<'_> {
    /// The offset in the file of a part of `text` that begins at byte `at` of it.
    pub fn offset_of(&self, at: usize) -> u64 {
        self.offset.saturating_add(at as u64)
    }
}

/// An open capture.
pub struct Source<'a> {
    reader: BufReader<Box<dyn Read + 'a>>,
    /// The first bytes, which were read to find out the format.
    pub sample: Vec<u8>,
    /// The format.
    pub format: &'static Format,
    /// What must be taken off the lines before the format sees them.
    pub dress: Dress,
    taken: usize,
    /// What went wrong behind the sample.
    failure: Option<io::Error>,
}

/// Opens a file for reading, or standard input for `-`.
pub fn open(path: &Path) -> Result<Box<dyn Read>, InputError> {
    if path.as_os_str() == STDIN {
        return Ok(Box::new(io::stdin()));
    }
    let meta = std::fs::metadata(path).map_err(|e| InputError::new(path, format!("cannot be read: {e}")))?;
    if meta.is_dir() {
        return Err(InputError::new(path, "a folder, expected a capture file; give stores with --store"));
    }
    Ok(Box::new(File::open(path).map_err(|e| InputError::new(path, format!("cannot be opened: {e}")))?))
}

impl<'a> Source<'a> {
    /// From the bytes of a file, which may be compressed with gzip. `path` names it in errors.
    pub fn new(path: &Path, raw: Box<dyn Read + 'a>) -> Result<Self, InputError> {
        let unreadable = |e: io::Error| InputError::new(path, format!("cannot be read: {e}"));
        let (magic, raw) = peek(raw, GZIP_MAGIC.len()).map_err(unreadable)?;
        let raw = if magic == GZIP_MAGIC { compressed::gunzip(raw) } else { raw };
        let (mark, raw) = peek(raw, UTF_16_MARKS[0].len()).map_err(unreadable)?;
        // Places are then those of the text as UTF-8; the lines stay the same.
        let raw = if UTF_16_MARKS.contains(&mark.as_slice()) { Box::new(DecodeReaderBytes::new(raw)) } else { raw };
        let mut reader = BufReader::with_capacity(64 << 10, raw);
        let mut sample = Vec::new();
        let failure = match (&mut reader).take(SAMPLE as u64).read_to_end(&mut sample) {
            Err(error) if sample.is_empty() => return Err(unreadable(error)),
            result => result.err(),
        };
        refusal::check(path, &sample)?;
        let (dress, format) = Dress::of(&sample);
        Ok(Self { reader, sample, format, dress, taken: 0, failure })
    }

    /// Nothing but the sample.
    pub fn beginning(&self) -> Source<'static> {
        let reader = BufReader::new(Box::new(io::empty()) as Box<dyn Read>);
        let (sample, dress) = (self.sample.clone(), self.dress.clone());
        Source { reader, sample, format: self.format, dress, taken: 0, failure: None }
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.sample.len() {
            return Ok(&self.sample[self.taken..]);
        }
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.reader.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        if self.taken < self.sample.len() {
            self.taken += n;
            if self.taken >= self.sample.len() {
                self.sample = Vec::new();
                self.taken = 0;
            }
        } else {
            self.reader.consume(n);
        }
    }

    /// The next bytes as they come; `Ok(0)` at the end, otherwise how many.
    pub fn block(&mut self, buffer: &mut Vec<u8>) -> io::Result<u64> {
        buffer.clear();
        let available = self.fill()?;
        buffer.extend_from_slice(available);
        let n = buffer.len();
        self.consume(n);
        Ok(n as u64)
    }

    /// The next line with its end; `Ok(0)` at the end of the file, otherwise the number of bytes taken.
    /// A line longer than [`MAX_LINE`] leaves `buffer` empty.
    pub fn line(&mut self, buffer: &mut Vec<u8>) -> io::Result<u64> {
        buffer.clear();
        let mut taken = 0u64;
        let mut too_long = false;
        loop {
            let available = self.fill()?;
            if available.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', available).map(|i| i + 1);
            let n = end.unwrap_or(available.len());
            if !too_long {
                buffer.extend_from_slice(&available[..n]);
            }
            taken += n as u64;
            self.consume(n);
            if buffer.len() > MAX_LINE {
                too_long = true;
                *buffer = Vec::new();
            }
            if end.is_some() {
                break;
            }
        }
        Ok(taken)
    }
}

/// The first bytes, and a reader that gives them again.
pub fn peek<'a>(mut raw: Box<dyn Read + 'a>, length: usize) -> io::Result<(Vec<u8>, Box<dyn Read + 'a>)> {
    let mut magic = Vec::new();
    (&mut raw).take(length as u64).read_to_end(&mut magic)?;
    Ok((magic.clone(), Box::new(Cursor::new(magic).chain(raw))))
}
