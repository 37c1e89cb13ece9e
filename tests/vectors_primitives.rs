//! Keys, signatures, key schedule, payloads, labels, fingerprints: against the libraries' own results.
#![allow(clippy::unwrap_used)] // A test may panic.

mod vectors;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omemoscope::omemo::identity::FingerprintForm;
use omemoscope::omemo::payload::{self, Dialect, PayloadError, TagPlace};
use omemoscope::omemo::ratchet::{ChainKey, RootKey};
use omemoscope::omemo::signature::{self, Scheme};
use omemoscope::omemo::{Fingerprint, IdentityKey, IdentityKeyPair, KeyPair, Namespace, uri, x3dh};
use omemoscope::secret::Secret;
use serde_json::Value;
use vectors::{array, list, load, namespace, number, private, public, text, unhex};

#[test]
fn key_pairs_and_both_curve_forms() {
    let vectors = load("keys");
    assert_eq!(list(&vectors, "key_pairs").len(), 8);
    for pair in list(&vectors, "key_pairs") {
        let curve = public(pair, "curve25519_public");
        let scalar = private(pair, "private_scalar_clamped");
        assert_eq!(scalar.public(), curve);
        assert_eq!(curve.to_signal().as_slice(), unhex(pair, "signal_public"));
        let identity = IdentityKey::from_edwards(array(pair, "ed25519_public")).unwrap();
        assert_eq!(identity, IdentityKey::from_curve(curve));
        assert_eq!(identity.fingerprint().to_string(), text(pair, "fingerprint"));
        for (sign, name) in [(false, "ed25519_from_curve25519_sign_0"), (true, "ed25519_from_curve25519_sign_1")] {
            assert_eq!(IdentityKey::from_curve(curve).to_edwards(sign).unwrap().as_slice(), unhex(pair, name));
        }
        let natural = IdentityKeyPair::from_scalar_with_natural_sign(scalar.clone());
        assert_eq!(natural.public.edwards(), Some(&array(pair, "ed25519_public")));
        assert!(natural.is_consistent());
        if pair["ed25519_seed"].is_string() {
            let own = IdentityKeyPair::from_seed(&Secret::new(array(pair, "ed25519_seed")));
            assert_eq!(own.private, scalar);
            assert_eq!(own.public.edwards(), Some(&array(pair, "ed25519_public")));
            assert!(own.is_consistent());
        }
    }
    for conversion in list(&vectors, "public_conversions") {
        let converted = IdentityKey::from_curve(public(conversion, "curve25519_public")).to_edwards(false);
        // The libraries compute a y for this u too, but no point of the curve has it, so nobody's key has.
        let off_the_curve = text(conversion, "note").contains("top bit");
        let expected = (!off_the_curve).then(|| array(conversion, "ed25519_sign_0"));
        assert_eq!(converted, expected, "{}", conversion["note"]);
    }
}

#[test]
fn signatures_of_every_scheme() {
    let vectors = load("keys");
    let pairs = list(&vectors, "key_pairs");
    let mut sign_bits = 0;
    for entry in list(&vectors, "signatures") {
        let pair = &pairs[number(entry, "key_pair") as usize];
        let natural = IdentityKey::from_edwards(array(pair, "ed25519_public")).unwrap();
        let curve_only = IdentityKey::from_curve(public(pair, "curve25519_public"));
        let sign_0 = IdentityKey::from_edwards(array(pair, "ed25519_from_curve25519_sign_0")).unwrap();
        let (message, made) = (unhex(entry, "message"), unhex(entry, "signature"));
        let signed = omemoscope::omemo::PublicKey::from_bytes(&message).unwrap();
        let valid = |rule: &str| entry["valid"][rule].as_bool().unwrap();
        let (by_libsignal, by_natural, by_sign_0) =
            (valid("libsignal_rule_on_curve25519"), valid("eddsa_on_natural_ed25519"), valid("eddsa_on_sign_0_ed25519"));
        let top_bit = entry["byte_63_top_bit"] == 1;
        sign_bits += usize::from(top_bit);
        let verify = |variant, identity| signature::signed_prekey_scheme(variant, identity, &signed, &made);
        let what = format!("{} {} by key {}", text(entry, "scheme"), text(entry, "what"), entry["key_pair"]);
        if message.len() == 33 {
            for identity in [&natural, &curve_only, &sign_0] {
                assert_eq!(verify(Namespace::Legacy, identity), by_libsignal.then_some(Scheme::SignInSignature), "{what}");
            }
            assert!(verify(Namespace::Omemo2, &natural).is_none(), "{what}");
            continue;
        }
        assert!(verify(Namespace::Legacy, &natural).is_none(), "{what}");
        let fallback = (top_bit && by_libsignal).then_some(Scheme::SignInSignature);
        assert_eq!(verify(Namespace::Omemo2, &natural), by_natural.then_some(Scheme::Ed25519).or(fallback), "{what}");
        assert_eq!(verify(Namespace::Omemo2, &sign_0), by_sign_0.then_some(Scheme::Ed25519).or(fallback), "{what}");
        assert_eq!(verify(Namespace::Omemo2, &curve_only), by_libsignal.then_some(Scheme::SignInSignature), "{what}");
        // XEP-0384 0.4.0: 32 bytes that may be either form.
        assert!(verify(Namespace::Omemo1, &natural).is_some() || !by_natural, "{what}");
        let bytes = array(pair, "curve25519_public");
        let unclear = IdentityKey::from_edwards(bytes).unwrap_or(IdentityKey::from_curve(public(pair, "curve25519_public")));
        assert_eq!(verify(Namespace::Omemo1, &unclear).is_some(), by_libsignal, "{what}");
    }
    assert!(sign_bits > 0, "the vectors have signatures with a sign bit");
    for entry in list(&vectors, "verifications") {
        let pair = &pairs[number(entry, "key_pair") as usize];
        let identity = IdentityKey::from_edwards(array(pair, "ed25519_public")).unwrap();
        let message = unhex(entry, "message");
        let made = unhex(entry, "signature");
        match omemoscope::omemo::PublicKey::from_bytes(&message) {
            Some(signed) => assert!(
                Namespace::ALL.iter().all(|variant| !signature::verify_signed_prekey(*variant, &identity, &signed, &made)),
                "{}",
                entry["note"]
            ),
            None => assert!(message.len() > 32, "no key at all"),
        }
    }
}

#[test]
fn x3dh_on_both_sides() {
    let vectors = load("x3dh");
    for case in list(&vectors, "cases") {
        let (keys, publics) = (&case["private"], &case["public_curve25519"]);
        for variant in ["legacy", "omemo2"] {
            let expected = &case[variant];
            for (with_prekey, expected) in [(true, expected), (false, &expected["without_one_time_pre_key"])] {
                let theirs = x3dh::agree_as_responder(
                    namespace(variant),
                    &private(keys, "ik_b"),
                    &private(keys, "spk_b"),
                    with_prekey.then(|| private(keys, "opk_b")).as_ref(),
                    &public(publics, "ik_a"),
                    &public(publics, "ek_a"),
                );
                let ours = x3dh::agree_as_initiator(
                    namespace(variant),
                    &private(keys, "ik_a"),
                    &private(keys, "ek_a"),
                    &public(publics, "ik_b"),
                    &public(publics, "spk_b"),
                    with_prekey.then(|| public(publics, "opk_b")).as_ref(),
                );
                assert_eq!(ours, theirs);
                assert_eq!(ours.root_key, RootKey::new(Secret::new(array(expected, "root_key"))));
                assert_eq!(ours.chain_key, ChainKey::new(0, Secret::new(array(expected, "first_chain_key"))));
            }
        }
        // The associated data of a session that Alice begins.
        let pair = |name: &str| KeyPair::from_private(private(keys, name));
        let own = |name: &str, edwards: &str| {
            let public = IdentityKey::from_edwards(array(&case["omemo2"], edwards)).unwrap();
            IdentityKeyPair { public, private: private(keys, name) }
        };
        for variant in ["legacy", "omemo2"] {
            let bob = own("ik_b", "ed25519_ik_b");
            let bundle = x3dh::PickedBundle { identity: bob.public, signed_prekey: (1, &pair("spk_b").public), prekey: None };
            let alice = own("ik_a", "ed25519_ik_a");
            let session = x3dh::initiate(namespace(variant), &alice, &pair("ek_a"), &pair("opk_b"), &bundle);
            let expected = unhex(&case[variant], "associated_data_alice_bob");
            assert_eq!(session.associated_data(false).unwrap().as_bytes(), expected, "{variant}");
        }
    }
}

#[test]
fn chains_and_root_steps() {
    let vectors = load("kdf");
    for chain in list(&vectors, "chain") {
        let variant = namespace(text(chain, "variant"));
        assert_eq!(variant.message_key_info(), text(chain, "info").as_bytes());
        for step in list(chain, "steps") {
            let key = ChainKey::new(number(step, "index"), Secret::new(array(step, "chain_key")));
            let (cipher_key, mac_key, iv) = key.message_key().cipher_keys(variant);
            assert_eq!(cipher_key, Secret::new(array(step, "cipher_key")));
            assert_eq!(mac_key, Secret::new(array(step, "mac_key")));
            assert_eq!(iv, Secret::new(array(step, "iv")));
            assert_eq!(key.next(), ChainKey::new(key.index + 1, Secret::new(array(step, "next_chain_key"))));
        }
        let steps = list(chain, "steps");
        let (first, last) = (&steps[0], &steps[steps.len() - 1]);
        let walked = ChainKey::new(0, Secret::new(array(first, "chain_key"))).advance(number(last, "index"));
        assert_eq!(walked, ChainKey::new(number(last, "index"), Secret::new(array(last, "chain_key"))));
    }
    for step in list(&vectors, "root") {
        let root = RootKey::new(Secret::new(array(step, "root_key")));
        let (next, chain) = root.step(
            namespace(text(step, "variant")),
            &private(step, "our_ratchet_private"),
            &public(step, "their_ratchet_public"),
        );
        assert_eq!(next, RootKey::new(Secret::new(array(step, "next_root_key"))));
        assert_eq!(chain, ChainKey::new(0, Secret::new(array(step, "chain_key"))));
    }
}

#[test]
fn legacy_payloads() {
    let vectors = load("payload");
    for entry in list(&vectors, "legacy") {
        let (material, iv, sealed) = (unhex(entry, "key_material"), unhex(entry, "iv"), unhex(entry, "payload"));
        let opened = payload::open_legacy(&material, &iv, &sealed);
        if entry["valid"] == true {
            let opened = opened.unwrap();
            assert_eq!(opened.content.expose(), text(entry, "plaintext").as_bytes());
            let tag = if material.len() == 16 { TagPlace::InPayload } else { TagPlace::WithKey };
            assert_eq!(opened.dialect, Dialect::Legacy { tag, iv_length: iv.len() });
        } else {
            assert_eq!(opened.unwrap_err(), PayloadError::Authentication);
        }
    }
    let short = |material: &[u8], iv: &[u8], sealed: &[u8]| payload::open_legacy(material, iv, sealed).unwrap_err();
    assert_eq!(short(&[0; 15], &[0; 12], &[0; 40]), PayloadError::KeyLength(15));
    assert_eq!(short(&[0; 24], &[0; 12], &[0; 40]), PayloadError::KeyLength(24));
    assert_eq!(short(&[0; 32], &[0; 13], &[0; 40]), PayloadError::IvLength(13));
    assert_eq!(short(&[0; 16], &[0; 12], &[0; 15]), PayloadError::TooShort(15));
}

#[test]
fn omemo_payloads() {
    let vectors = load("payload");
    for entry in list(&vectors, "omemo2") {
        let (material, sealed) = (unhex(entry, "key_material"), unhex(entry, "payload"));
        let opened = payload::open_omemo(Namespace::Omemo2, &material, &sealed);
        let opened_as_1 = payload::open_omemo(Namespace::Omemo1, &material, &sealed);
        match &entry["valid"] {
            Value::Bool(true) => {
                let (opened, opened_as_1) = (opened.unwrap(), opened_as_1.unwrap());
                assert_eq!(opened.content.expose(), text(entry, "plaintext").as_bytes());
                assert_eq!(opened.dialect, Dialect::Omemo { hmac_length: 16 });
                assert_eq!(opened_as_1.content.expose(), opened.content.expose());
            }
            Value::Bool(_) => {
                assert_eq!(opened.unwrap_err(), PayloadError::Authentication);
                assert_eq!(opened_as_1.unwrap_err(), PayloadError::Authentication);
            }
            old => {
                assert_eq!(old, "version-0.4-to-0.6");
                assert_eq!(opened.unwrap_err(), PayloadError::KeyLength(64));
                assert_eq!(opened_as_1.unwrap().dialect, Dialect::Omemo { hmac_length: 32 });
            }
        }
        assert_eq!(
            payload::open_omemo(Namespace::Legacy, &material, &sealed).unwrap_err(),
            PayloadError::KeyLength(material.len())
        );
        assert!(!payload::is_empty_message(Namespace::Omemo2, &material));
    }
    assert!(payload::is_empty_message(Namespace::Omemo2, &unhex(&vectors["omemo2_empty_message"], "key_material")));
    assert!(!payload::is_empty_message(Namespace::Omemo2, &[1; 32]));
    assert!(payload::is_empty_message(Namespace::Legacy, &[1; 32]));
    assert_eq!(payload::open_omemo(Namespace::Omemo2, &[0; 48], &[0; 17]).unwrap_err(), PayloadError::TooShort(17));
}

/// The HMAC is looked at first: wrong padding under a right HMAC is its sender's fault.
#[test]
fn an_authentic_payload_with_wrong_padding_is_told_apart() {
    use hmac::{Hmac, KeyInit, Mac};
    let vectors = load("payload");
    let entry = &list(&vectors, "omemo2")[1];
    let mut sealed = unhex(entry, "payload");
    *sealed.last_mut().unwrap() ^= 0xFF;
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&unhex(entry, "authentication_key")).unwrap();
    mac.update(&sealed);
    let material = [unhex(entry, "key"), mac.finalize().into_bytes()[..16].to_vec()].concat();
    assert_eq!(payload::open_omemo(Namespace::Omemo2, &material, &sealed).unwrap_err(), PayloadError::Padding);
}

#[test]
fn labels() {
    let vectors = load("labels");
    let mut valid = 0;
    for entry in list(&vectors, "labels") {
        let identity = array(entry, "identity_key_ed25519");
        let Some(made) = entry["labelsig"].as_str() else { continue };
        let verified =
            STANDARD.decode(made).is_ok_and(|signature| signature::verify_label(&identity, text(entry, "label"), &signature));
        assert_eq!(verified, entry["valid"] == true, "{}", entry["note"]);
        valid += usize::from(verified);
    }
    assert!(valid > 5 && valid < list(&vectors, "labels").len());
}

#[test]
fn fingerprint_forms_and_uris() {
    let vectors = load("fingerprints");
    for entry in list(&vectors, "fingerprints") {
        let fingerprint = Fingerprint::new(array(entry, "curve25519_public"));
        let groups: Vec<_> = list(entry, "groups").iter().map(|group| group.as_str().unwrap()).collect();
        let forms = [
            (FingerprintForm::Plain, text(entry, "plain").to_owned()),
            (FingerprintForm::Grouped, text(entry, "spaced").to_owned()),
            (FingerprintForm::GroupedUpper, text(entry, "spaced").to_uppercase()),
            (FingerprintForm::Lines, text(entry, "four_per_line").to_owned()),
            (FingerprintForm::LinesUpper, text(entry, "gajim").to_owned()),
            (FingerprintForm::Dashed, groups.join("-")),
        ];
        for (form, expected) in forms {
            assert_eq!(fingerprint.form(form), expected);
            assert_eq!(Fingerprint::parse(&expected), Ok(fingerprint));
        }
        let edwards = IdentityKey::from_curve(public(entry, "curve25519_public")).to_edwards(true).unwrap();
        assert_eq!(Fingerprint::parse_edwards(&hex::encode(edwards)), Ok(fingerprint));

        let sid = uri::parse(text(entry, "uri_sid")).unwrap();
        assert_eq!(sid.jid, text(entry, "jid"));
        assert_eq!(sid.keys, [uri::UriKey { device_id: Some(number(entry, "device_id")), fingerprint }]);
        assert_eq!(sid.to_string(), text(entry, "uri_sid"));
        assert_eq!(uri::parse(text(entry, "uri_message")).unwrap(), sid);
        let trust = uri::parse(text(entry, "uri_trust_message_omemo2")).unwrap();
        assert_eq!(trust.to_string(), text(entry, "uri_trust_message_omemo2"));
        let trust = trust.trust.unwrap();
        assert_eq!(trust.encryption.as_deref(), Some("urn:xmpp:omemo:2"));
        assert!(trust.trust[0].is(&IdentityKey::from_curve(public(entry, "curve25519_public"))));
    }
}
