//! Key elements: which bytes are which message, and what an error says.
#![allow(clippy::unwrap_used)] // A test may panic.

mod vectors;

use omemoscope::omemo::wire::{self, KeyContent, WireError};
use omemoscope::omemo::{Namespace, PublicKey};
use vectors::{list, load, unhex};

/// Every key element of a file, with its attribute.
fn sent(file: &str) -> Vec<(bool, Vec<u8>)> {
    let vectors = load(file);
    let steps = list(&vectors, "conversations").iter().flat_map(|conversation| list(conversation, "steps"));
    steps.filter(|step| step["do"] == "send").map(|step| (step["prekey"] == true, unhex(step, "wire"))).collect()
}

fn malformed(namespace: Namespace, bytes: &[u8], flagged: bool) -> String {
    match wire::parse(namespace, bytes, flagged) {
        Err(WireError::Malformed(says)) => says,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_attribute_is_seen_through_and_told() {
    for (file, namespace) in [("legacy_basic", Namespace::Legacy), ("omemo2_basic", Namespace::Omemo2)] {
        for (prekey, bytes) in sent(file) {
            let right = wire::parse(namespace, &bytes, prekey).unwrap();
            let wrong = wire::parse(namespace, &bytes, !prekey).unwrap();
            assert!(!right.flag_contradicts && wrong.flag_contradicts);
            assert_eq!(right.content, wrong.content);
            assert_eq!(right.content.key_exchange().is_some(), prekey);
        }
    }
}

#[test]
fn messages_of_the_other_format_are_named() {
    let (legacy, later) = (Namespace::Legacy, Namespace::Omemo2);
    for (file, expected, found) in
        [("legacy_basic", later, legacy), ("legacy_basic", Namespace::Omemo1, legacy), ("omemo2_basic", legacy, later)]
    {
        for (prekey, bytes) in sent(file) {
            for flagged in [prekey, !prekey] {
                assert_eq!(wire::parse(expected, &bytes, flagged), Err(WireError::OtherVariant { expected, found }));
            }
        }
    }
}

#[test]
fn omemo_1_has_the_same_messages_as_omemo_2() {
    for (prekey, bytes) in sent("omemo2_basic") {
        assert_eq!(wire::parse(Namespace::Omemo1, &bytes, prekey), wire::parse(Namespace::Omemo2, &bytes, prekey));
    }
}

/// Fields of wire type 0 and 2.
fn number(tag: u8, value: u8) -> Vec<u8> {
    vec![tag << 3, value]
}

fn bytes(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
}

fn signal_message(ratchet_key: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    [vec![0x33], bytes(1, ratchet_key), number(2, 5), bytes(4, ciphertext), vec![0xEE; 8]].concat()
}

#[test]
fn a_key_exchange_without_one_time_prekey_is_read() {
    let key = PublicKey::new([9; 32]);
    let inner = signal_message(&key.to_signal(), &[1; 16]);
    let exchange = [vec![0x33], bytes(2, &key.to_signal()), bytes(3, &key.to_signal()), bytes(4, &inner), number(6, 3)].concat();
    let parsed = wire::parse(Namespace::Legacy, &exchange, true).unwrap();
    let KeyContent::KeyExchange(exchange) = parsed.content else { panic!("a key exchange") };
    assert_eq!((exchange.prekey_id, exchange.signed_prekey_id, exchange.registration_id), (None, 3, None));
    // The bytes under the MAC: version and protobuf, as received.
    assert_eq!(exchange.message.authenticated, inner[..inner.len() - 8]);
    assert_eq!((exchange.message.counter, exchange.message.previous_counter), (5, 0));
}

#[test]
fn lengths_are_checked_and_named() {
    let key = [9; 32];
    let read = |message: &[u8]| malformed(Namespace::Legacy, message, false);
    // omemo-dr and libomemo-c take ratchet keys with and without type byte.
    assert!(wire::parse(Namespace::Legacy, &signal_message(&key, &[1; 16]), false).is_ok());
    assert!(read(&signal_message(&key[1..], &[1; 16])).contains("ratchetKey is no public key"));
    assert!(read(&signal_message(&[[6].as_slice(), &key].concat(), &[1; 16])).contains("(33 bytes)"));
    assert!(read(&signal_message(&key, &[1; 15])).contains("the ciphertext has 15 bytes"));
    assert!(read(&signal_message(&key, &[])).contains("the ciphertext has 0 bytes"));
    assert!(read(&[0x33; 12]).contains("no readable protobuf"));
    assert!(read(&[0x33; 8]).contains("8 bytes are too few"));
    assert!(read(&[]).contains("0 bytes are too few"));

    let inner = [number(1, 0), number(2, 0), bytes(3, &key), bytes(4, &[1; 16])].concat();
    let outer = |mac: &[u8], inner: &[u8]| [bytes(1, mac), bytes(2, inner)].concat();
    let read = |message: &[u8]| malformed(Namespace::Omemo2, message, false);
    assert!(wire::parse(Namespace::Omemo2, &outer(&[7; 16], &inner), false).is_ok());
    assert!(read(&outer(&[7; 8], &inner)).contains("the mac has 8 bytes, expected 16"));
    assert!(read(&outer(&[7; 16], &inner[2..])).contains("field n is missing"));
    assert!(read(&outer(&[7; 16], &inner[..inner.len() - 18])).contains("field ciphertext is missing"));
    assert!(read(&bytes(1, &[7; 16])).contains("field message is missing"));
}

#[test]
fn a_version_is_only_told_of_a_message() {
    for (prekey, mut bytes) in sent("legacy_basic").into_iter().take(6) {
        bytes[0] = 0x43;
        // The version of an exchange; that of its inner message is another byte.
        assert_eq!(wire::parse(Namespace::Legacy, &bytes, prekey), Err(WireError::Version(4)));
        bytes[0] = 0x34;
        assert!(wire::parse(Namespace::Legacy, &bytes, prekey).is_ok(), "the low half is what the sender could speak");
    }
    assert!(!malformed(Namespace::Legacy, b"This is no message of any version.", false).is_empty());
}
