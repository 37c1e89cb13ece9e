//! What a file is that is no store: one sentence that names what was found and what was expected.

use super::candidate::Candidate;
use crate::input::InputError;
use std::io;
use std::path::Path;

/// What a user should give instead, at the end of most sentences.
const EXPECTED: &str = "a client's store was expected (a database, key file or folder of an XMPP client)";

/// An error of the operating system, in a person's words.
pub fn unreadable(path: &Path, error: &io::Error) -> InputError {
    let says = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "no permission to read it; copy it with the rights of its owner and name the copy".to_owned()
        }
        io::ErrorKind::NotADirectory => "a part of this path is a file, not a folder".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    InputError::new(path, says)
}

/// Says what a file is that no reader recognises.
pub fn not_a_store(candidate: &Candidate) -> String {
    if candidate.is_empty() {
        return format!("the file is empty (0 bytes); {EXPECTED}");
    }
    let head = candidate.head();
    if let Some(error) = candidate.database_error() {
        return error.says.clone();
    }
    if let Some(database) = candidate.database() {
        let mut tables: Vec<_> = database.table_names().collect();
        if tables.is_empty() {
            return format!("an SQLite database without any table; {EXPECTED}");
        }
        tables.sort_unstable();
        let shown = tables.iter().take(6).copied().collect::<Vec<_>>().join(", ");
        let more = if tables.len() > 6 { ", …" } else { "" };
        return format!("an SQLite database of no known client (tables {shown}{more}); {EXPECTED}");
    }
    if let Some(says) = binary(candidate, head) {
        return says;
    }
    if candidate.looks_like_json() {
        return match candidate.json() {
            Some(_) => format!("JSON, but not of a known client; {EXPECTED}"),
            None => format!("damaged JSON of no known client; {EXPECTED}"),
        };
    }
    if is_text(head) {
        return text(head);
    }
    format!("a binary file of an unknown kind; {EXPECTED}")
}

fn binary(candidate: &Candidate, head: &[u8]) -> Option<String> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"\x89PNG\r\n", "a picture (PNG)"),
        (b"\xff\xd8\xff", "a picture (JPEG)"),
        (b"GIF8", "a picture (GIF)"),
        (b"%PDF", "a PDF document"),
        (b"\x7fELF", "a program (ELF)"),
        (b"MZ", "a program (Windows)"),
    ];
    const PACKED: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "a gzip file"),
        (b"BZh", "a bzip2 file"),
        (b"\xfd7zXZ", "an xz file"),
        (b"7z\xbc\xaf", "a 7z archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
    ];
    if head.starts_with(&[0x37, 0x7f, 0x06, 0x82]) || head.starts_with(&[0x37, 0x7f, 0x06, 0x83]) {
        return Some("the write-ahead log (-wal) of an SQLite database; name the database beside it".into());
    }
    if head.starts_with(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]) {
        return Some("the rollback journal of an SQLite database; name the database beside it".into());
    }
    if candidate.name().ends_with("-shm") {
        return Some("the shared-memory index (-shm) of an SQLite database; name the database beside it".into());
    }
    if head.len() > 257 + 5 && &head[257..262] == b"ustar" {
        return Some(format!("a tar archive; unpack it first, {EXPECTED}"));
    }
    if let Some((_, kind)) = PACKED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(format!("{kind}; unpack it first, {EXPECTED}"));
    }
    if let Some((_, kind)) = KINDS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(format!("{kind}; {EXPECTED}"));
    }
    if head.iter().all(|&byte| byte == 0) {
        return Some(format!("the file holds only zero bytes (a damaged copy?); {EXPECTED}"));
    }
    if candidate.len() >= 1024 && candidate.len().is_multiple_of(512) && !is_text(head) && entropy(head) > 7.9 {
        return Some(
            "it looks encrypted, perhaps an SQLCipher database; a readable store was expected: export or decrypt it with its client first"
                .into(),
        );
    }
    None
}

fn text(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let stanzas = ["<message", "<iq", "<presence", "<stream:", "SENT:", "RECV:", "XMPP IN", "XMPP OUT", "DATA RECEIVED"];
    if start.starts_with('<') && !start.starts_with("<!DOCTYPE html") && !start.starts_with("<html") {
        return "it looks like XML, perhaps captured stanzas; give it as capture, not as store".into();
    }
    if stanzas.iter().any(|word| text.contains(word)) {
        return "it looks like a log; give it as capture, not as store".into();
    }
    let dated = text.lines().take(20).filter(|line| line.chars().take(20).filter(char::is_ascii_digit).count() >= 6).count();
    if dated >= 3 {
        return "it looks like a log; give it as capture, not as store".into();
    }
    format!("a text file of no known client; {EXPECTED}")
}

/// Whether the bytes are text: UTF-8 (perhaps cut within a character) without NUL.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && !head.contains(&0)
}

/// Bits per byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len().max(1) as f64;
    let used = counts.iter().filter(|&&count| count > 0);
    used.map(|&count| f64::from(count) / total).map(|share| -share * share.log2()).sum()
}
