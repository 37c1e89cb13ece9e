//! The JSON models of python-doubleratchet 1.x (twomemo and oldmemo), and of the library before it.
//!
//! Byte values inside the ratchet model are strings with one character (U+0000 to U+00FF) per byte.

mod old_generation;

pub use old_generation::old_session;

use super::json::Field;
pub use super::json::latin1;
use super::{Parsed, RecordError};
use crate::omemo::Namespace;
use crate::omemo::curve::{KeyPair, PrivateKey, PublicKey};
use crate::omemo::identity::IdentityKey;
use crate::omemo::ratchet::{
    AssociatedData, ChainKey, Implementation, MessageKey, PendingPreKey, ReceiverChain, RootKey, SenderChain, Session,
    SessionRecord, SkippedKey,
};
use crate::secret::Secret;
use serde_json::Value;

/// Skipped keys read at most: the libraries keep 1000, the old generation 5000.
const SKIPPED_KEYS_READ: usize = 20_000;

/// What a python-omemo store keeps about a session beside the ratchet model.
#[derive(Clone, Debug)]
pub struct SessionContext {
    /// twomemo: [`Namespace::Omemo2`], oldmemo: [`Namespace::Legacy`].
    pub namespace: Namespace,
    /// Our identity key.
    pub local_identity: IdentityKey,
    /// Their identity key: `/devices/<jid>/<id>/identity_key`, or `key_exchange/identity_key` where they began.
    pub remote_identity: IdentityKey,
    /// `initiation`: `ACTIVE` is `true`, `PASSIVE` is `false`.
    pub initiator: Option<bool>,
    /// `confirmed`.
    pub confirmed: Option<bool>,
    /// `associated_data`: initiator first, 66 bytes (oldmemo) or 64 (twomemo).
    pub associated_data: Option<Vec<u8>>,
    /// `key_exchange/*`.
    pub key_exchange: Option<KeyExchangeEntry>,
}

/// The `key_exchange/*` entries of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyExchangeEntry {
    /// `ephemeral_key`; all zeros after a migration from the old generation.
    pub ephemeral_key: PublicKey,
    /// `signed_pre_key_id`; -1 after a migration.
    pub signed_prekey_id: i64,
    /// `pre_key_id`; -1 after a migration.
    pub prekey_id: i64,
}

/// Reads the `double_ratchet` object of a session, in the stable form (with `version`) or the one
/// before it, which a migrated store keeps until its next write.
///
/// # Errors
/// When a field of the ratchet is missing or has another form. Damaged skipped keys are only problems.
pub fn double_ratchet_session(context: &SessionContext, double_ratchet: &Value) -> Result<Parsed<SessionRecord>, RecordError> {
    if double_ratchet.get("diffie_hellman_ratchet").is_none() && double_ratchet.get("super").is_some() {
        return old_session(context, double_ratchet);
    }
    let root = Field { path: "double_ratchet".into(), value: Some(double_ratchet) };
    let ratchet = root.field("diffie_hellman_ratchet").object()?;
    let chains = ratchet.field("symmetric_key_ratchet").object()?;
    let own = ratchet.field("own_ratchet_priv");
    let private = PrivateKey::from_bytes(own.latin1()?.expose()).ok_or_else(|| own.error("32 bytes"))?;
    let other = ratchet.field("other_ratchet_pub").public_key()?;

    let mut problems = Vec::new();
    let mut receiver_chains = Vec::new();
    for (i, entry) in root.field("skipped_message_keys").array()?.into_iter().take(SKIPPED_KEYS_READ).enumerate() {
        match skipped_key(&entry) {
            Ok((ratchet_key, key)) => add_skipped(&mut receiver_chains, ratchet_key, key),
            Err(error) => problems.push(format!("skipped_message_keys[{i}]: {error}")),
        }
    }
    let receiving = chain(&chains.field("receiving_chain"))?;
    close_chains(&mut receiver_chains, other, receiving);

    let session = assemble(
        context,
        Ratchet {
            root_key: ratchet.field("root_chain").object()?.field("key").secret()?,
            own_ratchet: KeyPair::from_private(private),
            sending: chain(&chains.field("sending_chain"))?,
            receiver_chains,
            previous_counter: chains.field("previous_sending_chain_length").count()?.unwrap_or(0),
        },
    );
    Ok(Parsed { value: record(session), problems })
}

/// The parts of a ratchet that both generations store.
struct Ratchet {
    root_key: Secret<32>,
    own_ratchet: KeyPair,
    sending: Option<ChainKey>,
    receiver_chains: Vec<ReceiverChain>,
    previous_counter: u32,
}

fn record(session: Session) -> SessionRecord {
    SessionRecord { implementation: Implementation::PythonDoubleRatchet, current: Some(session), archived: Vec::new() }
}

fn assemble(context: &SessionContext, ratchet: Ratchet) -> Session {
    // A migration fills what the old store did not keep with zeros and -1: unknown, not damaged.
    let exchange = context.key_exchange.as_ref().filter(|exchange| exchange.ephemeral_key.as_bytes() != &[0; 32]);
    let unanswered = context.initiator == Some(true) && context.confirmed == Some(false);
    let pending_prekey = exchange.filter(|_| unanswered).and_then(|exchange| {
        Some(PendingPreKey {
            prekey_id: u32::try_from(exchange.prekey_id).ok(),
            signed_prekey_id: u32::try_from(exchange.signed_prekey_id).ok()?,
            base_key: exchange.ephemeral_key,
        })
    });
    Session {
        namespace: context.namespace,
        local_identity: context.local_identity,
        remote_identity: context.remote_identity,
        root_key: Some(RootKey::new(ratchet.root_key)),
        sender_chain: Some(SenderChain { ratchet_key: ratchet.own_ratchet, chain_key: ratchet.sending }),
        receiver_chains: ratchet.receiver_chains,
        previous_counter: ratchet.previous_counter,
        pending_prekey,
        base_key: exchange.map(|exchange| exchange.ephemeral_key),
        initiator: context.initiator,
        stored_associated_data: context.associated_data.clone().map(AssociatedData::stored),
    }
}

/// Skipped keys stand in one queue; each goes to the chain of its ratchet key.
fn add_skipped(chains: &mut Vec<ReceiverChain>, ratchet_key: PublicKey, key: SkippedKey) {
    match chains.iter_mut().find(|chain| chain.ratchet_key == ratchet_key) {
        Some(chain) => chain.skipped.push(key),
        None => chains.push(ReceiverChain { ratchet_key, chain_key: None, skipped: vec![key], retired: true }),
    }
}

/// Puts the one open chain last. Before their first answer there is none: `other` is then the signed prekey.
fn close_chains(chains: &mut Vec<ReceiverChain>, other: PublicKey, receiving: Option<ChainKey>) {
    let Some(chain_key) = receiving else { return };
    let skipped = match chains.iter().position(|chain| chain.ratchet_key == other) {
        Some(position) => chains.remove(position).skipped,
        None => Vec::new(),
    };
    chains.push(ReceiverChain { ratchet_key: other, chain_key: Some(chain_key), skipped, retired: false });
}

fn skipped_key(entry: &Field<'_>) -> Result<(PublicKey, SkippedKey), RecordError> {
    let index = entry.field("index");
    let counter = index.count()?.ok_or_else(|| index.error("a number"))?;
    Ok((
        entry.field("ratchet_pub").public_key()?,
        SkippedKey { counter, key: MessageKey::Seed(entry.field("message_key").secret()?) },
    ))
}

/// `{length, key}` or null.
fn chain(field: &Field<'_>) -> Result<Option<ChainKey>, RecordError> {
    if field.is_null() {
        return Ok(None);
    }
    let length = field.field("length");
    let index = length.count()?.ok_or_else(|| length.error("a number"))?;
    Ok(Some(ChainKey::new(index, field.field("key").secret()?)))
}
