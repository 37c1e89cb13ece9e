//! Any bytes as a record of each library: protobuf, and JSON where they are some.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::omemo::ratchet::Implementation;
use omemoscope::omemo::session_record::{javascript, libsignal, python};
use omemoscope::omemo::{IdentityKey, Namespace, PublicKey};

fuzz_target!(|bytes: &[u8]| {
    for implementation in [Implementation::LibsignalC, Implementation::Rust] {
        let _ = libsignal::session_record(bytes, implementation);
    }
    let _ = libsignal::prekey(bytes);
    let _ = libsignal::signed_prekey(bytes);
    let _ = libsignal::identity_key_pair(bytes);
    let Ok(value) = serde_json::from_slice(bytes) else { return };
    let local = IdentityKey::from_curve(PublicKey::new([9; 32]));
    let _ = javascript::session_record(&value, &local, Namespace::Legacy);
    let _ = python::x3dh(&value);
    if let Ok(ratchet) = python::double_ratchet(&value) {
        let _ = ratchet.into_record(python::Surroundings {
            namespace: Namespace::Legacy,
            local_identity: local,
            remote_identity: local,
            initiator: None,
            confirmed: false,
            key_exchange: None,
            associated_data: None,
        });
    }
});
