//! X3DH: the key agreement that begins a session.
//!
//! Names as in the paper: `IK` identity key, `SPK` signed prekey, `OPK` one-time prekey, `EK` the
//! initiator's ephemeral key, which the Signal formats call base key.

use super::curve::{KeyPair, PrivateKey, PublicKey};
use super::identity::{IdentityKey, IdentityKeyPair};
use super::namespace::Namespace;
use super::ratchet::{ChainKey, PendingPreKey, ReceiverChain, RootKey, SenderChain, Session};
use super::wire::KeyExchange;
use crate::secret::{Secret, SecretBytes};
use hkdf::Hkdf;
use sha2::Sha256;

/// What X3DH yields: `RK0` and the key of the first chain (`CK0`; python-x3dh asks for `RK0` only).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSecret {
    /// The first root key.
    pub root_key: RootKey,
    /// The initiator's first receiving chain, under the signed prekey: no OMEMO client ever uses it.
    pub chain_key: ChainKey,
}

/// The responder's side: `SPK_B` and the rest of our keys with their `IK_A` and `EK_A`.
pub fn agree_as_responder(
    namespace: Namespace,
    identity: &PrivateKey,
    signed_prekey: &PrivateKey,
    prekey: Option<&PrivateKey>,
    their_identity: &PublicKey,
    their_base_key: &PublicKey,
) -> SharedSecret {
    let mut agreements = vec![
        signed_prekey.diffie_hellman(their_identity),
        identity.diffie_hellman(their_base_key),
        signed_prekey.diffie_hellman(their_base_key),
    ];
    agreements.extend(prekey.map(|key| key.diffie_hellman(their_base_key)));
    derive(namespace, &agreements)
}

/// The initiator's side: our `IK_A` and `EK_A` with the keys of their bundle.
pub fn agree_as_initiator(
    namespace: Namespace,
    identity: &PrivateKey,
    base_key: &PrivateKey,
    their_identity: &PublicKey,
    their_signed_prekey: &PublicKey,
    their_prekey: Option<&PublicKey>,
) -> SharedSecret {
    let mut agreements = vec![
        identity.diffie_hellman(their_signed_prekey),
        base_key.diffie_hellman(their_identity),
        base_key.diffie_hellman(their_signed_prekey),
    ];
    agreements.extend(their_prekey.map(|key| base_key.diffie_hellman(key)));
    derive(namespace, &agreements)
}

/// `HKDF(FF*32 ‖ DH1 ‖ DH2 ‖ DH3 [‖ DH4])` with a salt of zeros.
fn derive(namespace: Namespace, agreements: &[Secret<32>]) -> SharedSecret {
    let mut input = vec![0xFF; 32];
    // Room for all four from the start: a vector that grows would leave copies behind.
    input.reserve_exact(4 * 32);
    for agreement in agreements {
        input.extend_from_slice(agreement.expose());
    }
    let input = SecretBytes::new(input);
    let mut okm = zeroize::Zeroizing::new([0u8; 64]);
    let expanded = Hkdf::<Sha256>::new(None, input.expose()).expand(namespace.x3dh_info(), &mut *okm);
    debug_assert!(expanded.is_ok(), "64 bytes are a valid HKDF length");
    let (mut root, mut chain) = ([0u8; 32], [0u8; 32]);
    root.copy_from_slice(&okm[..32]);
    chain.copy_from_slice(&okm[32..]);
    SharedSecret { root_key: RootKey::new(Secret::new(root)), chain_key: ChainKey::new(0, Secret::new(chain)) }
}

/// The state in which we, the responder, [receive](Session::receive) the message inside the exchange.
/// Our ratchet key is the signed prekey until that message turns the ratchet.
pub fn respond(
    namespace: Namespace,
    own: &IdentityKeyPair,
    signed_prekey: &KeyPair,
    prekey: Option<&KeyPair>,
    exchange: &KeyExchange,
) -> Session {
    let shared = agree_as_responder(
        namespace,
        &own.private,
        &signed_prekey.private,
        prekey.map(|pair| &pair.private),
        exchange.identity_key.curve(),
        &exchange.base_key,
    );
    Session {
        namespace,
        local_identity: own.public,
        remote_identity: exchange.identity_key,
        root_key: Some(shared.root_key),
        sender_chain: Some(SenderChain { ratchet_key: signed_prekey.clone(), chain_key: None }),
        receiver_chains: Vec::new(),
        previous_counter: 0,
        pending_prekey: None,
        base_key: Some(exchange.base_key),
        initiator: Some(false),
        root_steps: None,
        stored_associated_data: None,
    }
}

/// The keys of a bundle that an initiator picks.
#[derive(Clone, Copy, Debug)]
pub struct PickedBundle<'a> {
    /// Their identity key.
    pub identity: IdentityKey,
    /// Their signed prekey with its id.
    pub signed_prekey: (u32, &'a PublicKey),
    /// The one-time prekey taken, with its id.
    pub prekey: Option<(u32, &'a PublicKey)>,
}

/// The state of an initiator before the first message, with the random keys given: the base key and
/// the first ratchet key.
pub fn initiate(
    namespace: Namespace,
    own: &IdentityKeyPair,
    base_key: &KeyPair,
    ratchet_key: &KeyPair,
    bundle: &PickedBundle<'_>,
) -> Session {
    let (signed_prekey_id, signed_prekey) = bundle.signed_prekey;
    let shared = agree_as_initiator(
        namespace,
        &own.private,
        &base_key.private,
        bundle.identity.curve(),
        signed_prekey,
        bundle.prekey.map(|(_, key)| key),
    );
    let (root_key, chain_key) = shared.root_key.step(namespace, &ratchet_key.private, signed_prekey);
    Session {
        namespace,
        local_identity: own.public,
        remote_identity: bundle.identity,
        root_key: Some(root_key),
        sender_chain: Some(SenderChain { ratchet_key: ratchet_key.clone(), chain_key: Some(chain_key) }),
        receiver_chains: vec![ReceiverChain::new(*signed_prekey, shared.chain_key)],
        previous_counter: 0,
        pending_prekey: Some(PendingPreKey {
            prekey_id: bundle.prekey.map(|(id, _)| id),
            signed_prekey_id,
            base_key: base_key.public,
        }),
        base_key: Some(base_key.public),
        initiator: Some(true),
        root_steps: None,
        stored_associated_data: None,
    }
}
