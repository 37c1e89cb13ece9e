//! Captures in gzip files and ZIP archives. Input is hostile: what unpacks to far more than it is, is
//! refused on the way.

use super::dating::{Dating, in_order};
use super::source::Source;
use crate::input::InputError;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

/// First bytes of a gzip file (RFC 1952) with deflate, the only method there is.
pub const GZIP_MAGIC: &[u8] = b"\x1f\x8b\x08";

/// First bytes of a ZIP archive.
pub const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// How many times its size a file may unpack to. Logs of stanzas shrink to a tenth or less; deflate can
/// reach 1032, but only with nothing but repetition.
const MAX_RATIO: u64 = 200;

/// What may be unpacked regardless of the ratio: small files of one repeated line are harmless.
const FREE: u64 = 16 << 20;

/// Most that is unpacked from one file.
const MAX_TOTAL: u64 = 8 << 30;

/// Most files that are read from one archive.
const MAX_MEMBERS: usize = 1000;

/// Counts what is taken from a reader.
struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.taken.set(self.taken.get().saturating_add(n as u64));
        Ok(n)
    }
}

/// Stops when too much came out for what went in.
struct Bounded<R> {
    inner: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.unpacked = self.unpacked.saturating_add(n as u64);
        let allowed = self.packed.get().saturating_mul(MAX_RATIO).saturating_add(FREE).min(MAX_TOTAL);
        if self.unpacked > allowed {
            return Err(io::Error::other(format!("it unpacks to more than {allowed} bytes, which no log does")));
        }
        Ok(n)
    }
}

/// Says in plain words that compressed data ends too early or is damaged.
struct Plain<R>(R);

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the compressed file is cut off"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::new(error.kind(), "the compressed data is damaged")
            }
            _ => error,
        })
    }
}

/// Unpacks gzip.
pub fn gunzip<'a>(raw: Box<dyn Read + 'a>) -> Box<dyn Read + 'a> {
    let packed = Rc::new(Cell::new(0));
    let counted = Counted { inner: raw, taken: packed.clone() };
    Box::new(Bounded { inner: Plain(MultiGzDecoder::new(counted)), packed, unpacked: 0 })
}

/// Hands over every text file of an archive with its path (`archive.zip/name`): dated logs of one kind in the order of
/// their times, everything else in the archive's order. Members that are no text are passed over. Errors: no archive, or
/// one without any text.
pub fn members(path: &Path, each: &mut dyn FnMut(&Path, Source<'_>) -> Result<(), InputError>) -> Result<(), InputError> {
    let file = File::open(path).map_err(|e| InputError::new(path, format!("cannot be opened: {e}")))?;
    let mut archive = zip::ZipArchive::new(file)
        .map_err(|e| InputError::new(path, format!("a ZIP archive that is cut off or damaged: {e}")))?;
    if archive.len() > MAX_MEMBERS {
        return Err(InputError::new(path, format!("a ZIP archive of more than {MAX_MEMBERS} files; unpack what matters")));
    }
    let mut found = Vec::new();
    for index in 0..archive.len() {
        open_member(path, &mut archive, index, &mut |member, source| {
            found.push((Dating::of(member, &source), index));
            Ok(())
        })?;
    }
    if found.is_empty() {
        return Err(InputError::new(path, "a ZIP archive without any text file, expected a capture"));
    }
    in_order(found).into_iter().try_for_each(|index| open_member(path, &mut archive, index, each))
}

/// Hands over one member, if it is a text.
fn open_member(
    path: &Path,
    archive: &mut zip::ZipArchive<File>,
    index: usize,
    each: &mut dyn FnMut(&Path, Source<'_>) -> Result<(), InputError>,
) -> Result<(), InputError> {
    let member = match archive.by_index(index) {
        Ok(member) if member.is_dir() => return Ok(()),
        Ok(member) => member,
        Err(e) => return Err(InputError::new(path, format!("its file number {} cannot be read: {e}", index + 1))),
    };
    let name = member.name().map_or_else(|_| format!("{}", index + 1), |n| n.into_owned());
    let name = path.join(name.trim_start_matches('/'));
    let packed = Rc::new(Cell::new(member.compressed_size()));
    let bounded = Box::new(Bounded { inner: Plain(member), packed, unpacked: 0 });
    match Source::new(&name, bounded) {
        Ok(source) => each(&name, source),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).expect("a Vec takes everything");
        encoder.finish().expect("a Vec takes everything")
    }

    #[test]
    fn gunzips() {
        let mut text = String::new();
        gunzip(Box::new(io::Cursor::new(gzip(b"<iq/>")))).read_to_string(&mut text).expect("small");
        assert_eq!(text, "<iq/>");
    }

    #[test]
    fn a_bomb_is_stopped() {
        let bomb = gzip(&vec![b' '; usize::try_from(FREE).expect("fits") + (32 << 20)]);
        let unpacked = io::copy(&mut gunzip(Box::new(io::Cursor::new(bomb))), &mut io::sink());
        assert!(unpacked.is_err_and(|e| e.to_string().contains("unpacks to more than")));
    }
}
