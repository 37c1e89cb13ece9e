//! The JSON models of python-doubleratchet and python-x3dh, as oldmemo and twomemo store them.
//!
//! Since their version 1.0.0 bytes are texts of one character per byte. A model without `version` has the
//! shape from before that, with standard base64: stores keep it until the session is next written.
//! Read in DoubleRatchet 1.3.0, X3DH 1.3.0, and in omemo 0.14.0 with DoubleRatchet 0.7.0 for the old shape.

use super::json::{ByteForm, Node, ShapeError};
use crate::omemo::curve::{KeyPair, PrivateKey, PublicKey};
use crate::omemo::identity::{IdentityKey, IdentityKeyPair};
use crate::omemo::namespace::Namespace;
use crate::omemo::ratchet::{
    AssociatedData, ChainKey, Implementation, MessageKey, PendingPreKey, ReceiverChain, RootKey, SenderChain, Session,
    SessionRecord, SkippedKey,
};
use crate::secret::Secret;
use serde_json::Value;

/// Versions of the models that are known, with equal content.
const KNOWN_VERSIONS: [&str; 2] = ["1.0.0", "1.0.1"];

/// The ratchet's own part of a session.
#[derive(Debug)]
pub struct DoubleRatchet {
    own: KeyPair,
    other: PublicKey,
    root_key: RootKey,
    root_steps: u32,
    receiving: Option<ChainKey>,
    sending: Option<ChainKey>,
    previous_counter: u32,
    /// In the order in which the library drops them.
    skipped: Vec<(PublicKey, SkippedKey)>,
}

/// What a store keeps beside the ratchet of a session.
#[derive(Debug)]
pub struct Surroundings {
    /// The variant.
    pub namespace: Namespace,
    /// Our identity key.
    pub local_identity: IdentityKey,
    /// Their identity key.
    pub remote_identity: IdentityKey,
    /// Whether we began (`initiation` is `ACTIVE`); `None` if the store does not say.
    pub initiator: Option<bool>,
    /// A message was decrypted in this session.
    pub confirmed: bool,
    /// The key exchange that made the session.
    pub key_exchange: Option<KeyExchange>,
    /// Associated data, initiator first.
    pub associated_data: Option<Vec<u8>>,
}

/// A key exchange as it is kept with its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyExchange {
    /// Base key.
    pub ephemeral_key: PublicKey,
    /// One-time prekey at the receiver.
    pub prekey_id: Option<u32>,
    /// Signed prekey at the receiver.
    pub signed_prekey_id: u32,
}

impl KeyExchange {
    /// `None` for the zeros that the library fills in when it takes over a session from the old generation.
    pub fn new(ephemeral_key: PublicKey, signed_prekey_id: i64, prekey_id: i64) -> Option<Self> {
        let signed_prekey_id = u32::try_from(signed_prekey_id).ok()?;
        if ephemeral_key.as_bytes() == &[0; 32] {
            return None;
        }
        Some(Self { ephemeral_key, prekey_id: u32::try_from(prekey_id).ok(), signed_prekey_id })
    }
}

impl DoubleRatchet {
    /// Puts the session together. This library has one per device and variant, and no archive.
    pub fn into_record(self, around: Surroundings) -> SessionRecord {
        let mut chains: Vec<ReceiverChain> = Vec::new();
        let mut current =
            ReceiverChain { ratchet_key: self.other, chain_key: self.receiving, skipped: Vec::new(), retired: false };
        for (ratchet_key, key) in self.skipped {
            if ratchet_key == current.ratchet_key {
                current.skipped.push(key);
            } else if let Some(chain) = chains.iter_mut().find(|chain| chain.ratchet_key == ratchet_key) {
                chain.skipped.push(key);
            } else {
                chains.push(ReceiverChain { ratchet_key, chain_key: None, skipped: vec![key], retired: true });
            }
        }
        // Before the first answer the peer's key is its signed prekey, which names no chain.
        if current.chain_key.is_some() || !current.skipped.is_empty() {
            chains.push(current);
        }
        let pending = around.key_exchange.as_ref().filter(|_| around.initiator == Some(true) && !around.confirmed);
        let session = Session {
            namespace: around.namespace,
            local_identity: around.local_identity,
            remote_identity: around.remote_identity,
            root_key: Some(self.root_key),
            sender_chain: Some(SenderChain { ratchet_key: self.own, chain_key: self.sending }),
            receiver_chains: chains,
            previous_counter: self.previous_counter,
            pending_prekey: pending.map(|kex| PendingPreKey {
                prekey_id: kex.prekey_id,
                signed_prekey_id: kex.signed_prekey_id,
                base_key: kex.ephemeral_key,
            }),
            base_key: around.key_exchange.as_ref().map(|kex| kex.ephemeral_key),
            initiator: around.initiator,
            root_steps: Some(self.root_steps),
            stored_associated_data: around.associated_data.map(AssociatedData::stored),
        };
        SessionRecord { implementation: Implementation::PythonDoubleRatchet, current: Some(session), archived: Vec::new() }
    }
}

/// Reads a `double_ratchet` value of any generation.
pub fn double_ratchet(value: &Value) -> Result<DoubleRatchet, ShapeError> {
    let node = Node::new("double_ratchet", value);
    if is_pre_stable(&node)? { pre_stable_ratchet(&node) } else { stable_ratchet(&node) }
}

/// No `version`: the shape from before 1.0.0. The version decides, and where it was lost, the members do.
fn is_pre_stable(node: &Node<'_>) -> Result<bool, ShapeError> {
    let Some(version) = node.optional("version")? else {
        return Ok(node.object()?.contains_key("super"));
    };
    let word = version.text()?;
    if KNOWN_VERSIONS.contains(&word) {
        Ok(false)
    } else {
        Err(version.error("this version of the model is not known; 1.0.0 or 1.0.1 was expected"))
    }
}

fn stable_ratchet(node: &Node<'_>) -> Result<DoubleRatchet, ShapeError> {
    let form = ByteForm::Binary;
    let dh = node.field("diffie_hellman_ratchet")?;
    let symmetric = dh.field("symmetric_key_ratchet")?;
    let mut skipped = Vec::new();
    for entry in node.field("skipped_message_keys")?.list()? {
        let key = MessageKey::Seed(entry.field("message_key")?.secret(form)?);
        skipped.push((entry.field("ratchet_pub")?.public_key(form)?, SkippedKey { counter: entry.field("index")?.u32()?, key }));
    }
    Ok(DoubleRatchet {
        own: KeyPair::from_private(dh.field("own_ratchet_priv")?.private_key(form)?),
        other: dh.field("other_ratchet_pub")?.public_key(form)?,
        root_key: RootKey::new(dh.field("root_chain")?.field("key")?.secret(form)?),
        root_steps: dh.field("root_chain")?.field("length")?.u32()?,
        receiving: chain(symmetric.optional("receiving_chain")?, form)?,
        sending: chain(Some(symmetric.field("sending_chain")?), form)?,
        previous_counter: previous_counter(symmetric.optional("previous_sending_chain_length")?)?,
        skipped,
    })
}

fn pre_stable_ratchet(node: &Node<'_>) -> Result<DoubleRatchet, ShapeError> {
    let form = ByteForm::Base64;
    let dh = node.field("super")?;
    // The class that held the ratchet once had another one above it.
    let dh = dh.optional("super")?.unwrap_or(dh);
    let symmetric = node.field("skr")?;
    let mut skipped = Vec::new();
    if let Some(stored) = node.optional("smks")? {
        for (name, key) in stored.object()? {
            let entry = Node::new(stored.path(), key);
            let name: Value = serde_json::from_str(name).map_err(|_| entry.error("a key that is itself JSON was expected"))?;
            let name = Node::new(stored.path(), &name);
            let key = MessageKey::Seed(entry.secret(form)?);
            skipped.push((name.field("pub")?.public_key(form)?, SkippedKey { counter: name.field("index")?.u32()?, key }));
        }
    }
    Ok(DoubleRatchet {
        own: KeyPair::from_private(dh.field("own_key")?.field("priv")?.private_key(form)?),
        other: dh.field("other_pub")?.field("pub")?.public_key(form)?,
        root_key: RootKey::new(dh.field("root_chain")?.field("key")?.secret(form)?),
        root_steps: dh.field("root_chain")?.field("length")?.u32()?,
        receiving: chain(symmetric.optional("rchain")?, form)?,
        sending: chain(symmetric.optional("schain")?, form)?,
        previous_counter: previous_counter(symmetric.optional("prev_schain_length")?)?,
        skipped,
    })
}

/// `length` is the number of keys already taken, hence the counter of the next message.
fn chain(node: Option<Node<'_>>, form: ByteForm) -> Result<Option<ChainKey>, ShapeError> {
    let Some(node) = node.filter(|node| !node.value().is_null()) else {
        return Ok(None);
    };
    Ok(Some(ChainKey::new(node.field("length")?.u32()?, node.field("key")?.secret(form)?)))
}

fn previous_counter(node: Option<Node<'_>>) -> Result<u32, ShapeError> {
    node.map_or(Ok(0), |node| node.u32())
}

/// Our own keys.
#[derive(Debug)]
pub struct X3dh {
    /// Identity key pair.
    pub identity: IdentityKeyPair,
    /// Signed prekey in use.
    pub signed_prekey: SignedPreKey,
    /// The one before, kept for one more period.
    pub old_signed_prekey: Option<SignedPreKey>,
    /// One-time prekeys, in no order; their ids stand elsewhere in the store.
    pub prekeys: Vec<KeyPair>,
    /// One-time prekeys that were used while an archive was read and wait for their deletion (old shape only).
    pub hidden_prekeys: Vec<KeyPair>,
}

/// A signed prekey; its id stands elsewhere in the store.
#[derive(Debug)]
pub struct SignedPreKey {
    /// Keys.
    pub pair: KeyPair,
    /// Signature, 64 bytes.
    pub signature: Vec<u8>,
    /// Unix seconds.
    pub created: i64,
}

/// Reads an `x3dh` value of any generation.
pub fn x3dh(value: &Value) -> Result<X3dh, ShapeError> {
    let node = Node::new("x3dh", value);
    let stable = match node.optional("version")? {
        Some(version) if KNOWN_VERSIONS.contains(&version.text()?) => true,
        Some(version) => return Err(version.error("this version of the model is not known; 1.0.0 or 1.0.1 was expected")),
        None => node.object()?.contains_key("identity_key"),
    };
    if stable { stable_x3dh(&node) } else { pre_stable_x3dh(&node) }
}

fn stable_x3dh(node: &Node<'_>) -> Result<X3dh, ShapeError> {
    let form = ByteForm::Binary;
    let identity = node.field("identity_key")?;
    let secret = identity.field("secret")?.secret::<32>(form)?;
    let kind = identity.field("secret_type")?;
    let identity = match kind.text()? {
        "SEED" => identity_from_seed(secret.expose()),
        "PRIV" => identity_from_scalar(secret.expose()),
        _ => return Err(kind.error("SEED or PRIV was expected")),
    };
    let signed = |node: Node<'_>| {
        Ok(SignedPreKey {
            pair: KeyPair::from_private(node.field("priv")?.private_key(form)?),
            signature: node.field("sig")?.bytes(form)?.to_vec(),
            created: node.field("timestamp")?.integer()?,
        })
    };
    let prekeys = node.field("pre_keys")?.list()?;
    Ok(X3dh {
        identity,
        signed_prekey: signed(node.field("signed_pre_key")?)?,
        old_signed_prekey: node.optional("old_signed_pre_key")?.map(signed).transpose()?,
        prekeys: prekeys.iter().map(|key| key.private_key(form).map(KeyPair::from_private)).collect::<Result<_, _>>()?,
        hidden_prekeys: Vec::new(),
    })
}

fn pre_stable_x3dh(node: &Node<'_>) -> Result<X3dh, ShapeError> {
    let form = ByteForm::Base64;
    let signed = node.field("spk")?;
    let time = signed.field("timestamp")?;
    let seconds = time.value().as_f64().ok_or_else(|| time.error("a number of seconds was expected"))?;
    let pair = |node: &Node<'_>| node.field("priv")?.private_key(form).map(KeyPair::from_private);
    let pairs = |name: &str| match node.optional(name)? {
        Some(list) => list.list()?.iter().map(pair).collect(),
        None => Ok(Vec::new()),
    };
    Ok(X3dh {
        // The old generation stores the scalar, never a seed.
        identity: identity_from_scalar(node.field("ik")?.field("priv")?.secret::<32>(form)?.expose()),
        signed_prekey: SignedPreKey {
            pair: pair(&signed.field("key")?)?,
            signature: signed.field("signature")?.bytes(form)?.to_vec(),
            created: seconds as i64,
        },
        old_signed_prekey: None,
        prekeys: pairs("otpks")?,
        hidden_prekeys: pairs("hidden_otpks")?,
    })
}

/// The identity key pair of an Ed25519 seed.
pub fn identity_from_seed(seed: &[u8; 32]) -> IdentityKeyPair {
    IdentityKeyPair::from_seed(&Secret::new(*seed))
}

/// The identity key pair of a private scalar, with the natural sign of its Ed25519 form.
pub fn identity_from_scalar(scalar: &[u8; 32]) -> IdentityKeyPair {
    IdentityKeyPair::from_scalar_with_natural_sign(PrivateKey::new(Secret::new(*scalar)))
}
