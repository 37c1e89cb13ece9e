//! Damaged, odd and foreign records; and that none of them prints its keys.
#![allow(clippy::unwrap_used)] // A test may panic.

mod vectors;

use omemoscope::omemo::ratchet::Session;
use omemoscope::omemo::ratchet::{Implementation, MessageKey, SessionRecord};
use omemoscope::omemo::session_record::{RecordError, json::ByteForm, libsignal, python};
use omemoscope::omemo::{IdentityKey, KeyPair, Namespace, PrivateKey};
use serde_json::Value;
use vectors::{list, load, text, unhex};

/// A field of wire type 2.
fn bytes(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push((length & 0x7F) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
    out
}

/// A field of wire type 0, below 128.
fn number(tag: u8, value: u8) -> Vec<u8> {
    vec![tag << 3, value]
}

fn key(first: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes(&[first; 32]).unwrap())
}

/// A session state with one receiving chain that holds these message keys.
fn state(version: u8, message_keys: &[Vec<u8>], more: &[u8]) -> Vec<u8> {
    let chain_key = bytes(2, &[0xC1; 32]);
    let receiver =
        [bytes(1, &key(3).public.to_signal()), bytes(3, &chain_key), message_keys.iter().flat_map(|key| bytes(4, key)).collect()]
            .concat();
    let sender = [bytes(1, &key(4).public.to_signal()), bytes(2, &[4; 32]), bytes(3, &chain_key)].concat();
    [
        number(1, version),
        bytes(2, &key(1).public.to_signal()),
        bytes(3, &key(2).public.to_signal()),
        bytes(4, &[0xAA; 32]),
        bytes(6, &sender),
        bytes(7, &receiver),
        bytes(13, &key(5).public.to_signal()),
        more.to_vec(),
    ]
    .concat()
}

fn read(bytes: &[u8], implementation: Implementation) -> (SessionRecord, Vec<String>) {
    let parsed = libsignal::session_record(bytes, implementation).unwrap();
    (parsed.value, parsed.problems)
}

fn current(bytes: &[u8], implementation: Implementation) -> Session {
    let (record, problems) = read(bytes, implementation);
    assert!(problems.is_empty(), "{problems:?}");
    record.current.unwrap()
}

#[test]
fn a_state_without_optional_fields_is_read() {
    let session = current(&bytes(1, &state(3, &[], &[])), Implementation::Rust);
    assert_eq!(session.namespace, Namespace::Legacy);
    // proto3 leaves an index of 0 out.
    assert_eq!(session.receiver_chains[0].index(), Some(0));
    assert_eq!((session.previous_counter, session.initiator), (0, None));
    assert_eq!(session.base_key, Some(key(5).public));
}

#[test]
fn field_14_is_read_in_both_meanings() {
    let with = |more: &[u8]| current(&bytes(1, &state(4, &[], more)), Implementation::LibsignalC).initiator;
    assert_eq!(with(&number(14, 1)), Some(true));
    assert_eq!(with(&number(14, 0)), Some(false));
    // Rust's pending_kyber_pre_key.
    assert_eq!(with(&bytes(14, &number(1, 7))), None);
    // An unanswered key exchange of ours proves it.
    let pending = [number(1, 9), bytes(2, &key(5).public.to_signal()), number(3, 1)].concat();
    assert_eq!(with(&bytes(9, &pending)), Some(true));
}

#[test]
fn rust_message_keys_are_seeds_and_newest_first() {
    let seed = |counter, first: u8| [number(1, counter), bytes(5, &[first; 32])].concat();
    let derived = [number(1, 1), bytes(2, &[1; 32]), bytes(3, &[2; 32]), bytes(4, &[3; 16])].concat();
    let session = current(&bytes(1, &state(3, &[seed(5, 50), derived, seed(0, 10)], &[])), Implementation::Rust);
    let skipped = &session.receiver_chains[0].skipped;
    assert_eq!(skipped.iter().map(|key| key.counter).collect::<Vec<_>>(), [0, 1, 5]);
    assert!(matches!(skipped[0].key, MessageKey::Seed(_)) && matches!(skipped[1].key, MessageKey::Derived { .. }));
}

#[test]
fn fresh_states_are_none_and_foreign_versions_are_told() {
    for version in [0, 2] {
        let (record, problems) = read(&bytes(1, &state(version, &[], &[])), Implementation::LibsignalC);
        assert!(record.current.is_none() && problems.is_empty());
    }
    let (record, problems) = read(&bytes(1, &number(1, 3)), Implementation::LibsignalC);
    assert!(record.current.is_none() && problems.is_empty());
    let (record, problems) = read(&bytes(1, &state(4, &[], &[])), Implementation::Rust);
    assert!(record.current.is_none() && problems[0].contains("PQXDH"), "{problems:?}");
    let (record, problems) = read(&bytes(1, &state(9, &[], &[])), Implementation::Java);
    assert!(record.current.is_none() && problems[0].contains("found 9"), "{problems:?}");
}

#[test]
fn a_damaged_part_does_not_spoil_the_rest() {
    let good = state(3, &[], &[]);
    let mut cut = good.clone();
    cut.truncate(50);
    let record = [bytes(1, &good), bytes(2, &cut), bytes(2, &good)].concat();
    let (record, problems) = read(&record, Implementation::LibsignalC);
    assert!(record.current.is_some());
    assert_eq!(record.archived.len(), 1);
    assert!(problems.len() == 1 && problems[0].starts_with("previousSessions[0]"), "{problems:?}");

    let short = [number(1, 1), bytes(2, &[0xBB; 31]), bytes(3, &[2; 32]), bytes(4, &[3; 16])].concat();
    let (record, problems) = read(&bytes(1, &state(3, &[short], &[])), Implementation::LibsignalC);
    assert!(record.current.unwrap().receiver_chains[0].skipped.is_empty());
    assert_eq!(problems, ["currentSession.receiverChains[0].messageKeys[0].cipherKey: expected 32 bytes, found 31 bytes"]);
}

#[test]
fn errors_name_the_field_and_never_the_bytes() {
    let prekey = [number(1, 7), bytes(2, &key(6).public.to_signal()), bytes(3, &[0xBB; 33])].concat();
    let error = libsignal::prekey(&prekey).unwrap_err();
    assert_eq!(error.to_string(), "privateKey: expected 32 bytes, found 33 bytes");
    let error = libsignal::signed_prekey(&number(1, 7)).unwrap_err();
    assert!(matches!(&error, RecordError::Field { field, found, .. } if field == "privateKey" && found == "nothing"));
    let error = libsignal::identity_key_pair(&[0xFF; 5]).unwrap_err();
    assert!(matches!(error, RecordError::Unreadable { record: "IdentityKeyPairStructure", .. }));
    let pair = [bytes(1, &key(6).public.to_signal()), bytes(2, &[6; 32])].concat();
    assert!(libsignal::identity_key_pair(&pair).unwrap().is_consistent());
}

/// Every secret of a vector's store, as text that must not appear.
fn secret_forms(secret: &[u8]) -> [String; 3] {
    let decimal = format!("{:?}", &secret[..8]);
    [hex::encode(&secret[..8]), hex::encode_upper(&secret[..8]), decimal.trim_matches(['[', ']']).to_owned()]
}

fn assert_silent(printed: &str, secrets: &[Vec<u8>]) {
    for secret in secrets {
        for form in secret_forms(secret) {
            assert!(!printed.contains(&form), "a secret shows in {printed:.300}");
        }
    }
}

#[test]
fn debug_output_of_records_shows_no_secret() {
    let seed = [number(1, 5), bytes(5, &[0xD5; 32])].concat();
    let record = bytes(1, &state(3, &[seed], &[]));
    let secrets: Vec<Vec<u8>> = [0xAA, 0xC1, 0x04, 0xD5].map(|first| vec![first; 32]).to_vec();
    let parsed = libsignal::session_record(&record, Implementation::Rust).unwrap();
    assert_silent(&format!("{parsed:?} {parsed:#?}"), &secrets);

    let pair = [number(1, 7), bytes(2, &key(6).public.to_signal()), bytes(3, &[0xBB; 32])].concat();
    let (prekey, signed) = (libsignal::prekey(&pair).unwrap(), libsignal::signed_prekey(&pair).unwrap());
    let own = libsignal::identity_key_pair(&[bytes(1, &key(6).public.to_signal()), bytes(2, &[0xBB; 32])].concat());
    assert_silent(&format!("{prekey:?} {signed:?} {:?}", own.unwrap()), &[vec![0xBB; 32]]);
}

#[test]
fn debug_output_of_a_whole_conversation_shows_no_secret() {
    for file in ["legacy_basic", "omemo2_basic"] {
        let vectors = load(file);
        for conversation in list(&vectors, "conversations") {
            let namespace = vectors::namespace(text(conversation, "variant"));
            let party = |label: &str| vectors::Party { value: &conversation["parties"][label], namespace };
            let (alice, bob) = (party("alice"), party("bob"));
            let mut secrets = vec![unhex(alice.value, "identity_private"), unhex(bob.value, "identity_private")];
            let mut printed = format!("{:?} {:?}", alice.identity_pair(), bob.identity_pair());
            for step in list(conversation, "steps").iter().filter(|step| step["do"] == "receive") {
                let (me, peer) = if step["by"] == "bob" { (&bob, &alice) } else { (&alice, &bob) };
                for name in ["receiver_session_before", "receiver_session_after"] {
                    let Some(record) = Some(&step[name]).filter(|stored| *stored != "same").and_then(|s| me.session(s, peer))
                    else {
                        continue;
                    };
                    let session = record.current.as_ref().unwrap();
                    secrets.extend(session.root_key.iter().map(|key| key.secret().expose().to_vec()));
                    let sender = session.sender_chain.as_ref().unwrap();
                    secrets.push(sender.ratchet_key.private.secret().expose().to_vec());
                    let keys = session.receiver_chains.iter().filter_map(|chain| chain.chain_key.as_ref());
                    secrets.extend(keys.chain(&sender.chain_key).map(|key| key.secret().expose().to_vec()));
                    let sent = list(conversation, "steps");
                    let sent = sent.iter().find(|s| s["do"] == "send" && s["message"] == step["message"]).unwrap();
                    let parsed = omemoscope::omemo::wire::parse(namespace, &unhex(sent, "wire"), step["prekey"] == true);
                    let attempt = record.receive(parsed.unwrap().content.message());
                    if let Some(opened) = &attempt.opened {
                        secrets.push(opened.key_material.expose().to_vec());
                        let (cipher_key, mac_key, iv) = opened.message_key.cipher_keys(namespace);
                        secrets.extend([cipher_key.expose().to_vec(), mac_key.expose().to_vec(), iv.expose().to_vec()]);
                    }
                    printed += &format!("{record:?} {attempt:?}");
                }
            }
            assert!(secrets.len() > 20);
            assert_silent(&printed, &secrets);
        }
    }
}

/// A migrated store keeps the shape of DoubleRatchet 0.7 until the session is next written.
#[test]
fn the_old_python_shape_says_the_same_as_the_new_one() {
    let vectors = load("legacy_sessions");
    let mut compared = 0;
    for conversation in list(&vectors, "conversations") {
        for step in list(conversation, "steps").iter().filter(|step| step["do"] == "receive") {
            let stored = &step["receiver_session_after"]["double_ratchet"];
            if !stored.is_object() {
                continue;
            }
            let around = || python::Surroundings {
                namespace: Namespace::Legacy,
                local_identity: IdentityKey::from_curve(key(1).public),
                remote_identity: IdentityKey::from_curve(key(2).public),
                initiator: None,
                confirmed: true,
                key_exchange: None,
                associated_data: None,
            };
            let new = python::double_ratchet(stored).unwrap().into_record(around()).current.unwrap();
            let old = python::double_ratchet(&old_shape(stored)).unwrap().into_record(around()).current.unwrap();
            assert_eq!(new.root_key, old.root_key);
            assert_eq!(new.previous_counter, old.previous_counter);
            let (ours, theirs) = (new.sender_chain.unwrap(), old.sender_chain.unwrap());
            assert_eq!((ours.ratchet_key, ours.chain_key), (theirs.ratchet_key, theirs.chain_key));
            assert_eq!(new.receiver_chains.len(), old.receiver_chains.len());
            for (ours, theirs) in new.receiver_chains.iter().zip(&old.receiver_chains) {
                assert_eq!((ours.ratchet_key, &ours.chain_key), (theirs.ratchet_key, &theirs.chain_key));
                for key in &ours.skipped {
                    assert_eq!(Some(&key.key), theirs.skipped_key(key.counter).map(|skipped| &skipped.key));
                }
            }
            compared += 1;
        }
    }
    assert!(compared > 5);
}

fn old_shape(stored: &Value) -> Value {
    let base64 = |value: &Value| ByteForm::encode_base64(&ByteForm::Binary.decode(value.as_str().unwrap()).unwrap());
    let chain = |value: &Value| match value {
        Value::Null => Value::Null,
        value => serde_json::json!({"length": value["length"], "key": base64(&value["key"])}),
    };
    let dh = &stored["diffie_hellman_ratchet"];
    let symmetric = &dh["symmetric_key_ratchet"];
    let skipped = list(stored, "skipped_message_keys").iter().map(|key| {
        let name = serde_json::json!({"pub": base64(&key["ratchet_pub"]), "index": key["index"]}).to_string();
        (name, Value::String(base64(&key["message_key"])))
    });
    serde_json::json!({
        "super": {
            "super": null,
            "root_chain": chain(&dh["root_chain"]),
            "own_key": {"super": null, "priv": base64(&dh["own_ratchet_priv"]), "pub": null},
            "other_pub": {"super": null, "priv": null, "pub": base64(&dh["other_ratchet_pub"])},
        },
        "skr": {
            "super": null,
            "schain": chain(&symmetric["sending_chain"]),
            "rchain": chain(&symmetric["receiving_chain"]),
            "prev_schain_length": symmetric["previous_sending_chain_length"],
        },
        "ad": null,
        "smks": skipped.collect::<serde_json::Map<_, _>>(),
    })
}
