//! Any bytes as the content of a key element, in every variant and with either attribute; what is a
//! message then goes through a ratchet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::omemo::ratchet::{Implementation, SessionRecord};
use omemoscope::omemo::{IdentityKeyPair, KeyPair, Namespace, PrivateKey, wire, x3dh};
use omemoscope::secret::Secret;

fn pair(byte: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::new(Secret::new([byte; 32])))
}

fuzz_target!(|bytes: &[u8]| {
    let own = IdentityKeyPair::from_seed(&Secret::new([7; 32]));
    for namespace in Namespace::ALL {
        for flagged in [false, true] {
            let Ok(parsed) = wire::parse(namespace, bytes, flagged) else { continue };
            let Some(exchange) = parsed.content.key_exchange() else { continue };
            let session = x3dh::respond(namespace, &own, &pair(1), Some(&pair(2)), exchange);
            let mut record =
                SessionRecord { implementation: Implementation::LibsignalC, current: Some(session), archived: Vec::new() };
            let attempt = record.receive(&exchange.message);
            record.apply(&attempt);
        }
    }
});
