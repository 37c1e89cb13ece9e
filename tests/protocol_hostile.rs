//! Bytes that strangers send: readers answer or refuse, they never fall over.
#![allow(clippy::unwrap_used)] // A test may panic.

mod vectors;

use omemoscope::omemo::ratchet::Implementation;
use omemoscope::omemo::session_record::{javascript, libsignal, python};
use omemoscope::omemo::{Fingerprint, IdentityKey, Namespace, PublicKey, payload, signature, uri, wire};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;
use vectors::{list, load, text, unhex};

/// Variant, `prekey`/`kex`, the bytes of a key element, and the record that opens it.
type Real = (Namespace, bool, Vec<u8>, Vec<u8>);

/// Key elements as real libraries wrote them.
static REAL: LazyLock<Vec<Real>> = LazyLock::new(|| {
    let mut real = Vec::new();
    for file in ["legacy_basic", "omemo2_basic"] {
        let vectors = load(file);
        for conversation in list(&vectors, "conversations") {
            let namespace = vectors::namespace(text(conversation, "variant"));
            let steps = list(conversation, "steps");
            for step in steps.iter().filter(|step| step["do"] == "receive" && step["expected"] == "ok") {
                let Some(record) = step["receiver_session_before"].as_str().and_then(|record| hex::decode(record).ok()) else {
                    continue;
                };
                let sent = steps.iter().find(|s| s["do"] == "send" && s["message"] == step["message"]).unwrap();
                real.push((namespace, step["prekey"] == true, unhex(sent, "wire"), record));
            }
        }
    }
    assert!(real.len() > 50);
    real
});

fn changed(mut bytes: Vec<u8>, changes: &[(usize, u8)], length: usize) -> Vec<u8> {
    for (position, value) in changes {
        let position = position % bytes.len();
        bytes[position] = *value;
    }
    bytes.truncate(length);
    bytes
}

/// JSON of any shape, with the names that the readers look for.
fn json() -> impl Strategy<Value = Value> {
    let names = [
        "double_ratchet",
        "diffie_hellman_ratchet",
        "symmetric_key_ratchet",
        "super",
        "skr",
        "smks",
        "root_chain",
        "key",
        "length",
        "skipped_message_keys",
        "own_ratchet_priv",
        "other_ratchet_pub",
        "sessions",
        "indexInfo",
        "currentRatchet",
        "ephemeralKeyPair",
        "pubKey",
        "privKey",
        "rootKey",
        "chainKey",
        "counter",
        "chainType",
        "messageKeys",
        "oldRatchetList",
        "remoteIdentityKey",
        "version",
        "own_key",
        "other_pub",
        "pub",
        "priv",
        "sending_chain",
    ];
    let key = "\u{5}".to_owned() + &"a".repeat(32);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::String(key[1..].to_owned())),
        Just(Value::String(key.clone())),
        ".{0,40}".prop_map(Value::String),
    ];
    let name = prop_oneof![proptest::sample::select(names.to_vec()).prop_map(str::to_owned), Just(key), ".{0,33}"];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_as_key_element(bytes in proptest::collection::vec(any::<u8>(), 0..300), flagged: bool) {
        for namespace in Namespace::ALL {
            if let Ok(parsed) = wire::parse(namespace, &bytes, flagged) {
                prop_assert!(parsed.content.message().ciphertext.len() >= 16);
                prop_assert_eq!(parsed.content.message().mac.len(), namespace.mac_length());
            }
        }
    }

    /// A real message with changed bytes is refused, or opens only where nothing under the MAC changed.
    #[test]
    fn changed_key_elements(
        which in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        length in prop_oneof![4 => Just(usize::MAX), 1 => 0..200usize],
        flag_right: bool,
    ) {
        let (namespace, prekey, bytes, record) = which.get(&REAL);
        let original = wire::parse(*namespace, bytes, *prekey).unwrap();
        prop_assert!(!original.flag_contradicts);
        let changed = changed(bytes.clone(), &changes, length);
        if let Ok(parsed) = wire::parse(*namespace, &changed, *prekey == flag_right) {
            prop_assert_eq!(parsed.content.key_exchange().is_some(), (*prekey == flag_right) != parsed.flag_contradicts);
            let record = libsignal::session_record(record, Implementation::LibsignalC).unwrap().value;
            if record.receive(parsed.content.message()).opened.is_some() {
                prop_assert_eq!(&parsed.content.message().authenticated, &original.content.message().authenticated);
            }
        }
    }

    #[test]
    fn changed_records(
        which in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..6),
        length in prop_oneof![4 => Just(usize::MAX), 1 => 0..2000usize],
        implementation in proptest::sample::select(vec![Implementation::LibsignalC, Implementation::Rust]),
    ) {
        let (namespace, prekey, bytes, record) = which.get(&REAL);
        let record = changed(record.clone(), &changes, length);
        if let Ok(parsed) = libsignal::session_record(&record, implementation) {
            let message = wire::parse(*namespace, bytes, *prekey).unwrap();
            let mut record = parsed.value;
            let attempt = record.receive(message.content.message());
            record.apply(&attempt);
        }
    }

    #[test]
    fn any_bytes_as_record(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = libsignal::session_record(&bytes, Implementation::LibsignalC);
        let _ = libsignal::prekey(&bytes);
        let _ = libsignal::signed_prekey(&bytes);
        let _ = libsignal::identity_key_pair(&bytes);
    }

    #[test]
    fn any_json_as_record(value in json()) {
        let local = IdentityKey::from_curve(PublicKey::new([9; 32]));
        let _ = javascript::session_record(&value, &local, Namespace::Legacy);
        let _ = python::x3dh(&value);
        if let Ok(ratchet) = python::double_ratchet(&value) {
            let _ = ratchet.into_record(python::Surroundings {
                namespace: Namespace::Omemo2,
                local_identity: local,
                remote_identity: local,
                initiator: None,
                confirmed: false,
                key_exchange: None,
                associated_data: None,
            });
        }
    }

    #[test]
    fn any_payload(
        material in proptest::collection::vec(any::<u8>(), 0..90),
        iv in proptest::collection::vec(any::<u8>(), 0..20),
        sealed in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        prop_assert!(payload::open_legacy(&material, &iv, &sealed).is_err());
        for namespace in Namespace::ALL {
            prop_assert!(payload::open_omemo(namespace, &material, &sealed).is_err());
        }
    }

    #[test]
    fn any_signature(key: [u8; 32], signed: [u8; 32], made in proptest::collection::vec(any::<u8>(), 0..70)) {
        let identity = IdentityKey::from_edwards(key).unwrap_or(IdentityKey::from_curve(PublicKey::new(key)));
        for namespace in Namespace::ALL {
            prop_assert!(!signature::verify_signed_prekey(namespace, &identity, &PublicKey::new(signed), &made));
        }
        prop_assert!(!signature::verify_label(&key, "label", &made));
    }

    #[test]
    fn fingerprints_read_back(bytes: [u8; 32], text in ".{0,80}") {
        let fingerprint = Fingerprint::new(bytes);
        prop_assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Ok(fingerprint));
        let _ = Fingerprint::parse(&text);
        let _ = Fingerprint::parse_edwards(&text);
    }

    #[test]
    fn uris_read_back(jid in "[^/]{1,30}", device_id in 1..0x7FFF_FFFFu32, bytes: [u8; 32], text in ".{0,80}") {
        let key = uri::UriKey { device_id: Some(device_id), fingerprint: Fingerprint::new(bytes) };
        let written = uri::KeyUri { jid, keys: vec![key], trust: None };
        prop_assert_eq!(uri::parse(&written.to_string()), Ok(written));
        let _ = uri::parse(&text);
        let _ = uri::parse(&format!("xmpp:{text}"));
    }

    /// Both halves of any clamped key agree in both forms.
    #[test]
    fn identity_forms_agree(seed: [u8; 32]) {
        let own = omemoscope::omemo::IdentityKeyPair::from_seed(&omemoscope::secret::Secret::new(seed));
        prop_assert!(own.is_consistent());
        let edwards = *own.public.edwards().unwrap();
        prop_assert_eq!(IdentityKey::from_edwards(edwards), Some(own.public));
        let sign = edwards[31] & 0x80 != 0;
        prop_assert_eq!(IdentityKey::from_curve(*own.public.curve()).to_edwards(sign), Some(edwards));
    }
}
