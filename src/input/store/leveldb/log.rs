//! LevelDB's log: blocks of 32 KiB with records, each a batch of writes.

use super::{Cursor, Gathered};

const BLOCK: usize = 32 * 1024;
/// CRC (4 bytes), length (2), type (1).
const HEADER: usize = 7;

/// Reads a write-ahead log. Returns what is wrong with it.
pub fn read(bytes: &[u8], gathered: &mut Gathered) -> Option<String> {
    let (records, damage) = records(bytes);
    let mut broken = 0usize;
    for record in records {
        if batch(&record, gathered).is_none() {
            broken += 1;
        }
    }
    damage.or_else(|| (broken > 0).then(|| format!("{broken} batches of this log break off")))
}

/// The records, put together from their fragments, and what is wrong with the log.
pub fn records(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<String>) {
    let (mut records, mut open, mut damage) = (Vec::new(), None::<Vec<u8>>, None);
    for (number, block) in bytes.chunks(BLOCK).enumerate() {
        let mut rest = block;
        while let Some((header, body)) = rest.split_at_checked(HEADER) {
            let (length, kind) = match header {
                [_, _, _, _, low, high, kind] => (usize::from(u16::from_le_bytes([*low, *high])), *kind),
                _ => break,
            };
            if kind == 0 && length == 0 {
                // Space that was reserved and not written.
                break;
            }
            let Some((fragment, next)) = body.split_at_checked(length) else {
                damage.get_or_insert(format!("the log breaks off in its block {}", number + 1));
                break;
            };
            rest = next;
            match kind {
                1 => records.push(fragment.to_vec()),
                2 => open = Some(fragment.to_vec()),
                3 | 4 => {
                    if let Some(record) = open.as_mut() {
                        record.extend_from_slice(fragment);
                    }
                    if kind == 4 {
                        records.extend(open.take());
                    }
                }
                _ => {
                    damage.get_or_insert(format!("a record of unknown type {kind} in block {} of this log", number + 1));
                    break;
                }
            }
        }
    }
    // A record without its end was being written when the copy was made: LevelDB drops it too.
    (records, damage)
}

/// Sequence number, count, then puts and deletions.
fn batch(record: &[u8], gathered: &mut Gathered) -> Option<()> {
    let mut bytes = Cursor(record);
    let first = u64::from_le_bytes(bytes.take(8)?.try_into().ok()?);
    let count = u32::from_le_bytes(bytes.take(4)?.try_into().ok()?);
    for number in 0..u64::from(count) {
        let kind = bytes.byte()?;
        let key = bytes.prefixed()?;
        let value = match kind {
            0 => None,
            1 => Some(bytes.prefixed()?),
            _ => return None,
        };
        gathered.put(key, first.wrapping_add(number), value);
    }
    Some(())
}
