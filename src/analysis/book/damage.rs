//! Damage on the way: what differs from another thing in a few bits was that thing. Two keys or MACs that have nothing to
//! do with each other differ in about half of theirs.

/// Of the 256 bits of a key.
const MAX_KEY_BITS: u32 = 24;

/// Of the 64 or 128 bits of a MAC.
const MAX_MAC_BITS: u32 = 8;

/// In how many bits a key differs from another one that it must have been before it was damaged.
pub fn damaged_bits(key: &[u8; 32], other: &[u8; 32]) -> Option<u32> {
    let bits = differing(key, other);
    (1..=MAX_KEY_BITS).contains(&bits).then_some(bits)
}

/// Whether two MACs are one, though one of them may be damaged.
pub(super) fn is_one_mac(mac: &[u8; 16], other: &[u8; 16]) -> bool {
    differing(mac, other) <= MAX_MAC_BITS
}

fn differing(one: &[u8], other: &[u8]) -> u32 {
    one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum()
}
