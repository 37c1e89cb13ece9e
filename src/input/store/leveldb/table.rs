//! LevelDB's sorted table: blocks of entries, an index of the blocks, a footer.

use super::{Cursor, Gathered};

const FOOTER: usize = 48;
const MAGIC: u64 = 0xdb47_7524_8b80_fb57;
/// Compression type (1 byte) and CRC (4) behind each block.
const TRAILER: usize = 5;
/// Largest block after decompression: LevelDB makes them of 4 KiB, one value may be as large as a site's quota.
const MAX_BLOCK: usize = 64 * 1024 * 1024;

/// Reads a table. Returns what is wrong with it.
pub fn read(bytes: &[u8], gathered: &mut Gathered) -> Option<String> {
    let Some(index) = index(bytes) else {
        return Some("this table has no footer or index that can be read".into());
    };
    let mut broken = 0usize;
    let whole = entries(&index, |_, handle| {
        if read_block(bytes, handle, gathered).is_none() {
            broken += 1;
        }
    });
    let broken = broken + usize::from(whole.is_none());
    (broken > 0).then(|| format!("{broken} blocks of this table cannot be read"))
}

fn index(bytes: &[u8]) -> Option<Vec<u8>> {
    let footer = bytes.get(bytes.len().checked_sub(FOOTER)?..)?;
    if footer.get(40..)? != MAGIC.to_le_bytes() {
        return None;
    }
    let mut handles = Cursor(footer);
    // The metaindex comes first: offset and size.
    handles.varint()?;
    handles.varint()?;
    block(bytes, handles.0)
}

fn read_block(bytes: &[u8], handle: &[u8], gathered: &mut Gathered) -> Option<()> {
    let block = block(bytes, handle)?;
    entries(&block, |key, value| {
        // The key's last 8 bytes: sequence number and whether it is a deletion.
        let Some((key, tag)) = key.len().checked_sub(8).and_then(|length| key.split_at_checked(length)) else { return };
        let tag = u64::from_le_bytes(tag.try_into().unwrap_or_default());
        gathered.put(key, tag >> 8, (tag & 0xff == 1).then_some(value));
    })
}

/// A block by its handle (offset and size), decompressed.
fn block(bytes: &[u8], handle: &[u8]) -> Option<Vec<u8>> {
    let mut handle = Cursor(handle);
    let offset = usize::try_from(handle.varint()?).ok()?;
    let size = usize::try_from(handle.varint()?).ok()?;
    let end = offset.checked_add(size)?;
    let stored = bytes.get(offset..end)?;
    match bytes.get(end..end.checked_add(TRAILER)?)?.first()? {
        0 => Some(stored.to_vec()),
        1 => decompress(stored),
        _ => None,
    }
}

/// Snappy, with a look at the length before anything is allocated.
pub fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    (snap::raw::decompress_len(bytes).ok()? <= MAX_BLOCK).then(|| snap::raw::Decoder::new().decompress_vec(bytes).ok()).flatten()
}

/// Entries share the beginning of their keys with the entry before. `None` if the block breaks off.
fn entries(block: &[u8], mut each: impl FnMut(&[u8], &[u8])) -> Option<()> {
    let restarts = block.get(block.len().checked_sub(4)?..)?;
    let restarts = usize::try_from(u32::from_le_bytes(restarts.try_into().ok()?)).ok()?;
    let end = block.len().checked_sub(restarts.checked_mul(4)?.checked_add(4)?)?;
    let mut bytes = Cursor(block.get(..end)?);
    let mut key = Vec::new();
    while !bytes.0.is_empty() {
        let shared = usize::try_from(bytes.varint()?).ok()?;
        let unshared = usize::try_from(bytes.varint()?).ok()?;
        let length = usize::try_from(bytes.varint()?).ok()?;
        if shared > key.len() {
            return None;
        }
        key.truncate(shared);
        key.extend_from_slice(bytes.take(unshared)?);
        each(&key, bytes.take(length)?);
    }
    Some(())
}
