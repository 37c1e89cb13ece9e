//! AES-GCM over a file of any size, in constant memory (NIST SP 800-38D, 96-bit IV, no additional data): the
//! file is read once to check its tag and once more to be decrypted, so nothing of it is believed before all
//! of it has been checked.

use aes::cipher::{KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use ctr::Ctr32BE;
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use std::io::{self, Read};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Length of the IV.
pub const IV: usize = 12;

/// Length of the tag behind the ciphertext.
pub const TAG: usize = 16;

/// Bytes taken at a time; a multiple of the block length.
const PIECE: usize = 64 * 1024;

/// The keystream of a key of 16 or 32 bytes.
enum Keystream {
    Short(Ctr32BE<Aes128>),
    Long(Ctr32BE<Aes256>),
}

impl Keystream {
    /// From a first counter block; `None` if the key has another length.
    fn new(key: &[u8], block: &[u8; 16]) -> Option<Self> {
        match key.len() {
            16 => Ctr32BE::new_from_slices(key, block).ok().map(Self::Short),
            32 => Ctr32BE::new_from_slices(key, block).ok().map(Self::Long),
            _ => None,
        }
    }

    fn apply(&mut self, bytes: &mut [u8]) {
        match self {
            Self::Short(stream) => stream.apply_keystream(bytes),
            Self::Long(stream) => stream.apply_keystream(bytes),
        }
    }

    /// The next 16 bytes of the stream itself.
    fn block(&mut self) -> Zeroizing<[u8; 16]> {
        let mut block = Zeroizing::new([0; 16]);
        self.apply(&mut *block);
        block
    }
}

/// The keystream for the tag and then the text: its counter begins at 1.
fn from_iv(key: &[u8], iv: &[u8; IV]) -> Option<Keystream> {
    let mut block = [0; 16];
    block[..IV].copy_from_slice(iv);
    block[15] = 1;
    Keystream::new(key, &block)
}

/// Whether the tag at the end of `sealed`, behind `length` bytes of ciphertext, belongs to this key.
pub fn verifies(key: &[u8], iv: &[u8; IV], sealed: &mut dyn Read, length: u64) -> io::Result<bool> {
    let (Some(mut hash_key), Some(mut stream)) = (Keystream::new(key, &[0; 16]), from_iv(key, iv)) else { return Ok(false) };
    let mut hash = GHash::new((&*hash_key.block()).into());
    let mut piece = vec![0; PIECE];
    let mut left = length;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let part = &mut piece[..wanted];
        sealed.read_exact(part)?;
        // Only the last piece can end within a block.
        hash.update_padded(part);
        left -= wanted as u64;
    }
    let mut lengths = [0; 16];
    lengths[8..].copy_from_slice(&length.saturating_mul(8).to_be_bytes());
    hash.update_padded(&lengths);
    let mut tag = [0; TAG];
    sealed.read_exact(&mut tag)?;
    stream.apply(&mut tag);
    Ok(hash.finalize().as_slice().ct_eq(&tag).into())
}

/// The text of a ciphertext whose tag was found right.
pub struct Opened<R> {
    ciphertext: R,
    stream: Keystream,
}

impl<R: Read> Opened<R> {
    /// From a reader that ends with the ciphertext; `None` if the key has an impossible length.
    pub fn new(key: &[u8], iv: &[u8; IV], ciphertext: R) -> Option<Self> {
        let mut stream = from_iv(key, iv)?;
        stream.block().zeroize();
        Some(Self { ciphertext, stream })
    }
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.ciphertext.read(buffer)?;
        if let Some(read) = buffer.get_mut(..count) {
            self.stream.apply(read);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes_gcm::aead::{Aead, KeyInit};
    use aes_gcm::{Aes128Gcm, Aes256Gcm};

    /// Held against the one-shot implementation, around block and piece lengths.
    #[test]
    fn any_length_opens_as_at_once() {
        let iv = [7; IV];
        for length in [0, 1, 15, 16, 17, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let text: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            for key in [vec![3; 16], vec![4; 32]] {
                let sealed = match key.len() {
                    16 => Aes128Gcm::new_from_slice(&key).expect("16 bytes").encrypt(&iv.into(), &*text),
                    _ => Aes256Gcm::new_from_slice(&key).expect("32 bytes").encrypt(&iv.into(), &*text),
                }
                .expect("encrypts");
                let length = length as u64;
                assert!(verifies(&key, &iv, &mut &*sealed, length).expect("whole"));
                let mut opened = Vec::new();
                Opened::new(&key, &iv, sealed.take_front(length)).expect("a key").read_to_end(&mut opened).expect("reads");
                assert_eq!(opened, text);
                let mut bent = sealed.clone();
                bent[sealed.len() / 2] ^= 1;
                assert!(!verifies(&key, &iv, &mut &*bent, length).expect("whole"));
                assert!(!verifies(&[9; 16], &iv, &mut &*sealed, length).expect("whole"));
                assert!(verifies(&key, &iv, &mut &sealed[1..], length).is_err());
            }
        }
    }

    trait TakeFront {
        fn take_front(&self, length: u64) -> io::Take<&[u8]>;
    }

    impl TakeFront for Vec<u8> {
        fn take_front(&self, length: u64) -> io::Take<&[u8]> {
            self.as_slice().take(length)
        }
    }
}
