//! What is surely no capture, named so that users see what they gave and what to do.

use super::compressed::{GZIP_MAGIC, ZIP_MAGIC};
use super::format;
use crate::input::InputError;
use std::path::Path;

/// First bytes, and what they are of.
const KNOWN: [(&[u8], &str); 13] = [
    (b"SQLite format 3\0", "an SQLite database; give stores with --store"),
    (b"\x89PNG", "a PNG picture, expected text"),
    (b"\xff\xd8\xff", "a JPEG picture, expected text"),
    (b"%PDF", "a PDF file, expected text"),
    (b"\x7fELF", "a program, expected text"),
    (ZIP_MAGIC, "a ZIP archive inside another archive or on standard input; unpack it first"),
    (GZIP_MAGIC, "compressed twice; unpack it first"),
    (b"\xd4\xc3\xb2\xa1", "a network capture (pcap), which holds only encrypted traffic; expected a client's log"),
    (b"\xfd7zXZ\0", "a file compressed with xz; unpack it and give the log"),
    (b"BZh", "a file compressed with bzip2; unpack it and give the log"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd; unpack it and give the log"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it and give the log"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it and give the log"),
];

/// What a tar archive has at the byte 257 of its first header.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Most lines of a mail's head, and of the heads of its parts, that are looked at.
const MAX_HEAD: usize = 200;

/// Errors for what is no text that a log could be in.
pub fn check(path: &Path, sample: &[u8]) -> Result<(), InputError> {
    let known = KNOWN.iter().find(|(magic, _)| sample.starts_with(magic)).map(|(_, says)| *says);
    let tar = sample.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1));
    let tar = tar.then_some("a tar archive; unpack it and give the log");
    let encoded =
        || encoded_mail(sample).then_some("a mail whose text is encoded for transport; save the log out of it and give that");
    match known.or(tar).or_else(|| unreadable(sample)).or_else(encoded) {
        Some(says) => Err(InputError::new(path, says)),
        None => Ok(()),
    }
}

/// Control characters that text does not have; a terminal's log has bells, backspaces and colours.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, 0x07..=0x0d | 0x1b)
}

/// A NUL or another control character may get into a log; a binary file is full of them.
fn unreadable(sample: &[u8]) -> Option<&'static str> {
    let zeros = memchr::memchr_iter(0, sample).count();
    let controls = sample.iter().filter(|byte| is_control(**byte)).count();
    let binary = (zeros * 200 > sample.len() || controls * 50 > sample.len()) && !format::is_binary_log(sample);
    // Of Latin letters in UTF-16 one byte of two is zero, always the same.
    let wide =
        |at: usize| zeros * 5 > sample.len() * 2 && sample.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count() == zeros;
    let says = if wide(0) || wide(1) {
        "a text in UTF-16 without the mark at its beginning; save it as UTF-8"
    } else {
        "a binary file of unknown kind, expected text; give stores with --store"
    };
    binary.then_some(says)
}

/// Whether a text is a mail in base64, or in quoted-printable where it breaks XML.
fn encoded_mail(sample: &[u8]) -> bool {
    let mut lines = sample.split(|byte| *byte == b'\n').take(MAX_HEAD);
    let is_field = |line: &[u8]| {
        let name = line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        name > 0 && line.get(name) == Some(&b':') || line.starts_with(b"From ")
    };
    if !lines.next().is_some_and(is_field) {
        return false;
    }
    let encoding = lines.find_map(|line| {
        let line = line.to_ascii_lowercase();
        Some(line.strip_prefix(b"content-transfer-encoding:")?.trim_ascii().to_vec())
    });
    match encoding.as_deref() {
        Some(b"base64") => true,
        Some(b"quoted-printable") => [&b"=3D'"[..], b"=3D\""].iter().any(|told| memchr::memmem::find(sample, told).is_some()),
        _ => false,
    }
}
