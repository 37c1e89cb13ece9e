//! The protobuf records of the libsignal family (libsignal-protocol-c, libomemo-c, Java, python-axolotl, omemo-dr, Rust).
//!
//! Field numbers from `LocalStorageProtocol.proto` of libomemo-c 0.5 and `storage.proto` of Rust libsignal.

mod protobuf;

use super::{Parsed, RecordError};
use crate::omemo::Namespace;
use crate::omemo::curve::{KeyPair, PrivateKey, PublicKey};
use crate::omemo::identity::{IdentityKey, IdentityKeyPair};
use crate::omemo::ratchet::{
    ChainKey, Implementation, MessageKey, PendingPreKey, ReceiverChain, RootKey, SenderChain, Session, SessionRecord, SkippedKey,
};
use crate::secret::Secret;
use prost::Message;
use protobuf::{
    Chain, IdentityKeyPairStructure, PreKeyRecordStructure, RecordStructure, SessionStructure, SignedPreKeyRecordStructure,
};

/// Archived states that are read at most: no library keeps more than 40.
const ARCHIVED_STATES_READ: usize = 200;

/// A one-time prekey record.
#[derive(Clone, Debug)]
pub struct PreKeyRecord {
    /// Its id.
    pub id: u32,
    /// Both halves.
    pub pair: KeyPair,
}

/// A signed prekey record.
#[derive(Clone, Debug)]
pub struct SignedPreKeyRecord {
    /// Its id.
    pub id: u32,
    /// Both halves.
    pub pair: KeyPair,
    /// Signature over `05‖SPK`; may be empty in a damaged record.
    pub signature: Vec<u8>,
    /// libomemo-c: signature over the bare 32 bytes.
    pub signature_omemo: Option<Vec<u8>>,
    /// When it was made: milliseconds since 1970, or what the library wrote (0 and absent: unknown).
    pub timestamp: Option<u64>,
}

/// Reads a RecordStructure: the current state and the archived ones.
///
/// A state of session version 3 is read as [`Namespace::Legacy`], 4 as [`Namespace::Omemo2`]; a fresh
/// state without keys as `None`. An unreadable state is told in the problems and the others are kept.
///
/// # Errors
/// When the bytes are no record at all.
pub fn session_record(bytes: &[u8], implementation: Implementation) -> Result<Parsed<SessionRecord>, RecordError> {
    let record: RecordStructure = decode("RecordStructure", bytes)?;
    let mut problems = Vec::new();
    let mut read = |place: String, bytes: &[u8]| match session(&place, bytes, implementation, &mut problems) {
        Ok(session) => session,
        Err(error) => {
            problems.push(error.to_string());
            None
        }
    };
    let current = record.current_session.as_deref().and_then(|bytes| read("currentSession".into(), bytes));
    let archived = record.previous_sessions.iter().take(ARCHIVED_STATES_READ).enumerate();
    let archived = archived.filter_map(|(i, bytes)| read(format!("previousSessions[{i}]"), bytes)).collect();
    if record.previous_sessions.len() > ARCHIVED_STATES_READ {
        problems.push(format!("previousSessions: only the first {ARCHIVED_STATES_READ} were read"));
    }
    Ok(Parsed { value: SessionRecord { implementation, current, archived }, problems })
}

/// Reads a PreKeyRecordStructure.
///
/// # Errors
/// When the bytes are none, or a field is missing or of a wrong length.
pub fn prekey(bytes: &[u8]) -> Result<PreKeyRecord, RecordError> {
    let record: PreKeyRecordStructure = decode("PreKeyRecordStructure", bytes)?;
    let pair = key_pair("", record.public_key.as_deref(), record.private_key.as_deref())?;
    Ok(PreKeyRecord { id: record.id.unwrap_or(0), pair })
}

/// Reads a SignedPreKeyRecordStructure.
///
/// # Errors
/// When the bytes are none, or a field is missing or of a wrong length.
pub fn signed_prekey(bytes: &[u8]) -> Result<SignedPreKeyRecord, RecordError> {
    let record: SignedPreKeyRecordStructure = decode("SignedPreKeyRecordStructure", bytes)?;
    let pair = key_pair("", record.public_key.as_deref(), record.private_key.as_deref())?;
    Ok(SignedPreKeyRecord {
        id: record.id.unwrap_or(0),
        pair,
        signature: record.signature.clone().unwrap_or_default(),
        signature_omemo: record.signature_omemo.clone(),
        timestamp: record.timestamp.filter(|timestamp| *timestamp != 0),
    })
}

/// Reads an IdentityKeyPairStructure.
///
/// # Errors
/// When the bytes are none, or a field is missing or of a wrong length.
pub fn identity_key_pair(bytes: &[u8]) -> Result<IdentityKeyPair, RecordError> {
    let record: IdentityKeyPairStructure = decode("IdentityKeyPairStructure", bytes)?;
    Ok(IdentityKeyPair {
        public: identity("publicKey", record.public_key.as_deref())?,
        private: private_key("privateKey", record.private_key.as_deref())?,
    })
}

fn decode<M: Message + Default>(record: &'static str, bytes: &[u8]) -> Result<M, RecordError> {
    M::decode(bytes).map_err(|error| RecordError::Unreadable { record, reason: format!("no readable protobuf ({error})") })
}

/// One state; `None` for a fresh one, which the libraries write before and after its life.
fn session(
    place: &str,
    bytes: &[u8],
    implementation: Implementation,
    problems: &mut Vec<String>,
) -> Result<Option<Session>, RecordError> {
    let state: SessionStructure = SessionStructure::decode(bytes).map_err(|error| RecordError::Field {
        field: place.into(),
        expected: "a SessionStructure",
        found: format!("no readable protobuf ({error})"),
    })?;
    let namespace = match state.session_version.unwrap_or(0) {
        // 2 is what a fresh state reports; nobody has spoken that version since 2014.
        0 | 2 => return Ok(None),
        3 => Namespace::Legacy,
        4 if implementation == Implementation::Rust => {
            return Err(RecordError::Foreign(format!("{place}: session version 4 of Rust libsignal is PQXDH, not OMEMO")));
        }
        4 => Namespace::Omemo2,
        other => {
            return Err(RecordError::Field {
                field: format!("{place}.sessionVersion"),
                expected: "3 (legacy OMEMO) or 4 (OMEMO 2)",
                found: other.to_string(),
            });
        }
    };
    if state.root_key.is_none() && state.sender_chain.is_none() && state.receiver_chains.is_empty() {
        return Ok(None);
    }
    let at = |field: &str| format!("{place}.{field}");
    let receiver_chains = state.receiver_chains.iter().enumerate();
    let receiver_chains = receiver_chains
        .filter_map(|(i, chain)| {
            let read = receiver_chain(&format!("{place}.receiverChains[{i}]"), chain, implementation, problems);
            kept(read, problems)
        })
        .collect();
    Ok(Some(Session {
        namespace,
        local_identity: identity(&at("localIdentityPublic"), state.local_identity_public.as_deref())?,
        remote_identity: identity(&at("remoteIdentityPublic"), state.remote_identity_public.as_deref())?,
        root_key: match state.root_key.as_deref() {
            None => None,
            Some(key) => Some(RootKey::new(secret(&at("rootKey"), Some(key))?)),
        },
        sender_chain: match &state.sender_chain {
            None => None,
            Some(chain) => sender_chain(&at("senderChain"), chain)?,
        },
        receiver_chains,
        previous_counter: state.previous_counter.unwrap_or(0),
        pending_prekey: match &state.pending_prekey {
            None => None,
            Some(pending) => Some(PendingPreKey {
                prekey_id: pending.prekey_id,
                // An int32 in the C schema: ids are never negative, so the bits are kept.
                signed_prekey_id: pending.signed_prekey_id.unwrap_or(0).cast_unsigned(),
                base_key: public_key(&at("pendingPreKey.baseKey"), pending.base_key.as_deref())?,
            }),
        },
        base_key: match state.alice_base_key.as_deref() {
            None | Some([]) => None,
            Some(key) => Some(public_key(&at("aliceBaseKey"), Some(key))?),
        },
        initiator: initiator(&state, bytes),
        root_steps: None,
        stored_associated_data: None,
    }))
}

/// Whether we began the session: libomemo-c says so in field 14; a pending prekey message proves it.
fn initiator(state: &SessionStructure, bytes: &[u8]) -> Option<bool> {
    protobuf::local_is_alice(bytes).or_else(|| state.pending_prekey.is_some().then_some(true))
}

/// Our chain; `None` for one without keys, which an archived fresh state holds.
fn sender_chain(place: &str, chain: &Chain) -> Result<Option<SenderChain>, RecordError> {
    if chain.sender_ratchet_key_private.as_deref().is_none_or(<[u8]>::is_empty) && chain.sender_ratchet_key.is_none() {
        return Ok(None);
    }
    let ratchet_key = KeyPair {
        private: private_key(&format!("{place}.senderRatchetKeyPrivate"), chain.sender_ratchet_key_private.as_deref())?,
        public: public_key(&format!("{place}.senderRatchetKey"), chain.sender_ratchet_key.as_deref())?,
    };
    Ok(Some(SenderChain { ratchet_key, chain_key: chain_key(place, chain)? }))
}

/// The part, or its error among the problems: one damaged part does not spoil the rest of a state.
fn kept<T>(part: Result<T, RecordError>, problems: &mut Vec<String>) -> Option<T> {
    part.map_err(|error| problems.push(error.to_string())).ok()
}

fn receiver_chain(
    place: &str,
    chain: &Chain,
    implementation: Implementation,
    problems: &mut Vec<String>,
) -> Result<ReceiverChain, RecordError> {
    let mut skipped: Vec<_> = chain
        .message_keys
        .iter()
        .enumerate()
        .filter_map(|(i, key)| {
            let counter = key.index.unwrap_or(0);
            kept(message_key(&format!("{place}.messageKeys[{i}]"), key), problems).map(|key| SkippedKey { counter, key })
        })
        .collect();
    if implementation == Implementation::Rust {
        // It puts new keys in front and drops them at the end.
        skipped.reverse();
    }
    Ok(ReceiverChain {
        ratchet_key: public_key(&format!("{place}.senderRatchetKey"), chain.sender_ratchet_key.as_deref())?,
        chain_key: chain_key(place, chain)?,
        skipped,
        retired: false,
    })
}

/// proto2 writes an index of 0, proto3 leaves it out.
fn chain_key(place: &str, chain: &Chain) -> Result<Option<ChainKey>, RecordError> {
    match &chain.chain_key {
        None => Ok(None),
        Some(key) => {
            Ok(Some(ChainKey::new(key.index.unwrap_or(0), secret(&format!("{place}.chainKey.key"), key.key.as_deref())?)))
        }
    }
}

fn message_key(place: &str, key: &protobuf::MessageKey) -> Result<MessageKey, RecordError> {
    if let Some(seed) = key.seed.as_deref().filter(|seed| !seed.is_empty()) {
        return secret(&format!("{place}.seed"), Some(seed)).map(MessageKey::Seed);
    }
    Ok(MessageKey::Derived {
        cipher_key: secret(&format!("{place}.cipherKey"), key.cipher_key.as_deref())?,
        mac_key: secret(&format!("{place}.macKey"), key.mac_key.as_deref())?,
        iv: Secret::from_slice(key.iv.as_deref().unwrap_or_default())
            .ok_or_else(|| RecordError::bytes(format!("{place}.iv"), "16 bytes", key.iv.as_ref().map(Vec::len)))?,
    })
}

fn key_pair(place: &str, public: Option<&[u8]>, private: Option<&[u8]>) -> Result<KeyPair, RecordError> {
    Ok(KeyPair {
        private: private_key(&format!("{place}privateKey"), private)?,
        public: public_key(&format!("{place}publicKey"), public)?,
    })
}

fn identity(field: &str, bytes: Option<&[u8]>) -> Result<IdentityKey, RecordError> {
    const EXPECTED: &str = "33 bytes beginning with 05 (Curve25519) or 32 bytes (Ed25519)";
    bytes.and_then(IdentityKey::from_record).ok_or_else(|| RecordError::bytes(field, EXPECTED, bytes.map(<[u8]>::len)))
}

fn public_key(field: &str, bytes: Option<&[u8]>) -> Result<PublicKey, RecordError> {
    const EXPECTED: &str = "33 bytes beginning with 05, or 32 bytes";
    bytes.and_then(PublicKey::from_bytes).ok_or_else(|| RecordError::bytes(field, EXPECTED, bytes.map(<[u8]>::len)))
}

fn private_key(field: &str, bytes: Option<&[u8]>) -> Result<PrivateKey, RecordError> {
    bytes.and_then(PrivateKey::from_bytes).ok_or_else(|| RecordError::bytes(field, "32 bytes", bytes.map(<[u8]>::len)))
}

fn secret(field: &str, bytes: Option<&[u8]>) -> Result<Secret<32>, RecordError> {
    bytes.and_then(Secret::from_slice).ok_or_else(|| RecordError::bytes(field, "32 bytes", bytes.map(<[u8]>::len)))
}
