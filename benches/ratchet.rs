//! The two things a long capture does most: read messages of a chain, and open stored records.

#[path = "../tests/simulation/mod.rs"]
mod simulation;
#[path = "../tests/vectors/mod.rs"]
mod vectors;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use omemoscope::omemo::ratchet::Implementation;
use omemoscope::omemo::session_record::libsignal;
use omemoscope::omemo::wire::RatchetMessage;
use omemoscope::omemo::{Namespace, wire};
use sha2::Sha256;
use simulation::Sender;
use std::hint::black_box;
use vectors::{list, load, text, unhex};

const MESSAGES: u32 = 1000;

fn chain(c: &mut Criterion) {
    for namespace in [Namespace::Legacy, Namespace::Omemo2] {
        let sender = Sender::new(namespace);
        let record = sender.receiver(Implementation::LibsignalC);
        let in_order: Vec<RatchetMessage> = (0..MESSAGES).map(|counter| sender.message(counter)).collect();
        let variant = if namespace.is_legacy() { "legacy" } else { "omemo2" };
        let mut run = |name: &str, messages: &[RatchetMessage]| {
            c.bench_function(&format!("decrypt 1000 messages of a chain, {name}, {variant}"), |b| {
                b.iter_batched(
                    || record.clone(),
                    |mut record| {
                        for message in messages {
                            let attempt = record.receive(black_box(message));
                            record.apply(&attempt);
                        }
                        record
                    },
                    BatchSize::LargeInput,
                );
            });
        };
        run("in order", &in_order);
        let mut last_first = in_order.clone();
        last_first.rotate_right(1);
        run("the last first", &last_first);
    }
}

/// The primitives that 1000 messages of a chain need at least, in the same run: two HMACs for the chain, an
/// HKDF of 80 bytes, a MAC and an AES-CBC decryption each.
fn primitives(c: &mut Criterion) {
    let (text, salt) = ([7u8; 48], [0u8; 32]);
    c.bench_function("lower bound: the primitives of 1000 messages", |b| {
        b.iter(|| {
            let mut chain = [1u8; 32];
            for _ in 0..MESSAGES {
                let seed = hmac(&chain, &[1]);
                chain = hmac(&chain, &[2]);
                let mut keys = [0; 80];
                let expanded = hkdf::Hkdf::<Sha256>::new(Some(&salt), &seed).expand(b"WhisperMessageKeys", &mut keys);
                assert!(expanded.is_ok());
                black_box(hmac(&keys[32..64], &text));
                let decryptor = cbc::Decryptor::<aes::Aes256>::new_from_slices(&keys[..32], &keys[64..]);
                let mut buffer = text;
                // The padding is not right; the work is done all the same.
                let _ = black_box(decryptor.map(|d| d.decrypt_padded::<Pkcs7>(&mut buffer).is_ok()));
            }
            chain
        });
    });
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    use hmac::{KeyInit, Mac};
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// The largest record of a real library in the vectors, with 2000 skipped keys, and a common one.
fn record(c: &mut Criterion) {
    for (file, name) in [("limits", "with 2000 skipped keys"), ("legacy_sessions", "with archived states")] {
        let vectors = load(file);
        let conversations = list(&vectors, "conversations").iter();
        let records = conversations.flat_map(|conversation| list(conversation, "steps"));
        let records = records.filter_map(|step| hex::decode(step["receiver_session_before"].as_str()?).ok());
        let Some(bytes) = records.max_by_key(Vec::len) else { continue };
        c.bench_function(&format!("open a record {name} ({} bytes)", bytes.len()), |b| {
            b.iter(|| libsignal::session_record(black_box(&bytes), Implementation::LibsignalC));
        });
    }
}

fn key_element(c: &mut Criterion) {
    let vectors = load("legacy_basic");
    let conversation = &list(&vectors, "conversations")[0];
    let namespace = vectors::namespace(text(conversation, "variant"));
    let sent = &list(conversation, "steps")[0];
    let bytes = unhex(sent, "wire");
    c.bench_function("read a key exchange", |b| b.iter(|| wire::parse(namespace, black_box(&bytes), true)));
}

criterion_group!(benches, chain, primitives, record, key_element);
criterion_main!(benches);
