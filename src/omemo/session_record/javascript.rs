//! The JSON records of libsignal-protocol-javascript (`version` v1 or none) and libomemo.js (v2).
//!
//! Byte values are strings with one character (U+0000 to U+00FF) per byte, also as names of members.
//! A chain's `counter` is that of the last key taken, -1 for none.

use super::json::{Field, latin1};
use super::{Parsed, RecordError};
use crate::omemo::Namespace;
use crate::omemo::curve::{KeyPair, PrivateKey, PublicKey};
use crate::omemo::identity::IdentityKey;
use crate::omemo::ratchet::{
    AssociatedData, ChainKey, Implementation, MessageKey, PendingPreKey, ReceiverChain, RootKey, SenderChain, Session,
    SessionRecord, SkippedKey,
};
use serde_json::{Map, Value};

/// Sessions that are read at most: the library keeps 40.
const SESSIONS_READ: usize = 200;

/// `indexInfo.baseKeyType` of a session that we began.
const OUR_BASE_KEY: i64 = 1;

/// `chainType` of a receiving chain.
const RECEIVING: i64 = 2;

/// Reads a session record: the object, or its text (stores hold JSON inside JSON). The record does not
/// hold our own identity key, so that has to be given.
///
/// The open session is the current one, closed ones are archived, the last closed first. An unreadable
/// session is told in the problems and the others are kept.
///
/// # Errors
/// When this is no session record at all.
pub fn session_record(local_identity: IdentityKey, record: &Value) -> Result<Parsed<SessionRecord>, RecordError> {
    const RECORD: &str = "session record";
    let unreadable = |reason: &str| RecordError::Unreadable { record: RECORD, reason: reason.into() };
    let parsed;
    let record = match record {
        Value::String(text) => {
            parsed = serde_json::from_str::<Value>(text).map_err(|_| unreadable("no readable JSON"))?;
            &parsed
        }
        other => other,
    };
    let sessions = record.get("sessions").and_then(Value::as_object).ok_or_else(|| unreadable("no object `sessions`"))?;

    let mut problems = Vec::new();
    let mut open = Vec::new();
    let mut closed = Vec::new();
    for (i, value) in sessions.values().take(SESSIONS_READ).enumerate() {
        match session(&format!("sessions[{i}]"), value, local_identity, &mut problems) {
            Ok((session, None)) => open.push(session),
            Ok((session, Some(time))) => closed.push((time, session)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if sessions.len() > SESSIONS_READ {
        problems.push(format!("sessions: only the first {SESSIONS_READ} were read"));
    }
    if open.len() > 1 {
        problems.push(format!("sessions: {} are open, expected one; the library refuses such a record", open.len()));
    }
    closed.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let mut open = open.into_iter();
    let current = open.next();
    let archived = open.chain(closed.into_iter().map(|(_, session)| session)).collect();
    Ok(Parsed { value: SessionRecord { implementation: Implementation::JavaScript, current, archived }, problems })
}

/// One session, with the time in milliseconds at which it was closed (`None`: open).
fn session(
    place: &str,
    value: &Value,
    local_identity: IdentityKey,
    problems: &mut Vec<String>,
) -> Result<(Session, Option<i64>), RecordError> {
    let root = Field { path: place.into(), value: Some(value) };
    let members = value.as_object().ok_or_else(|| root.error("an object"))?;
    let version = root.field("protocolVersion");
    let namespace = match version.value.and_then(Value::as_str) {
        None => Namespace::Legacy,
        Some(uri) => Namespace::from_uri(uri).ok_or_else(|| version.error("an OMEMO namespace"))?,
    };
    let index = root.field("indexInfo").object()?;
    let ratchet = root.field("currentRatchet").object()?;
    let pair = ratchet.field("ephemeralKeyPair").object()?;
    let (own_public, own_private) = (pair.field("pubKey"), pair.field("privKey"));
    let ratchet_key = KeyPair { private: PrivateKey::new(own_private.secret()?), public: own_public.public_key()? };
    let sending = member(members, &ratchet_key.public);
    let sender_chain = SenderChain {
        chain_key: match sending {
            Some(chain) => chain_key(&Field { path: format!("{place}.<sending chain>"), value: Some(chain) })?,
            None => None,
        },
        ratchet_key,
    };
    let last_remote = ratchet.field("lastRemoteEphemeralKey").public_key().ok();
    let pending = root.field("pendingPreKey");
    let session = Session {
        namespace,
        local_identity,
        remote_identity: remote_identity(&index)?,
        root_key: Some(RootKey::new(ratchet.field("rootKey").secret()?)),
        sender_chain: Some(sender_chain),
        receiver_chains: receiver_chains(&root, members, last_remote, problems),
        // -1 for an unused chain goes out as 4294967295.
        previous_counter: integer(&ratchet.field("previousCounter"))?.map_or(0, |counter| counter as u32),
        pending_prekey: if pending.is_null() {
            None
        } else {
            Some(PendingPreKey {
                prekey_id: pending.field("preKeyId").count()?,
                signed_prekey_id: pending.field("signedKeyId").count()?.unwrap_or(0),
                base_key: pending.field("baseKey").public_key()?,
            })
        },
        base_key: index.field("baseKey").public_key().ok(),
        initiator: integer(&index.field("baseKeyType"))?.map(|kind| kind == OUR_BASE_KEY),
        stored_associated_data: match root.field("ad") {
            ad if ad.is_null() => None,
            ad => Some(AssociatedData::stored(ad.latin1()?.expose().to_vec())),
        },
    };
    let closed = integer(&index.field("closed"))?.filter(|time| *time >= 0);
    Ok((session, closed))
}

/// The Ed25519 form beside it (libomemo.js, OMEMO 2) counts only if it is the same key.
fn remote_identity(index: &Field<'_>) -> Result<IdentityKey, RecordError> {
    let curve = IdentityKey::from_curve(index.field("remoteIdentityKey").public_key()?);
    let edwards = index.field("remoteIdentityKeyEd").latin1().ok();
    let edwards = edwards.and_then(|bytes| IdentityKey::from_edwards(bytes.expose().try_into().ok()?));
    Ok(edwards.filter(|edwards| *edwards == curve).unwrap_or(curve))
}

/// The receiving chains, oldest first: those of `oldRatchetList` in its order, then the current one.
fn receiver_chains(
    root: &Field<'_>,
    members: &Map<String, Value>,
    last_remote: Option<PublicKey>,
    problems: &mut Vec<String>,
) -> Vec<ReceiverChain> {
    let old = root.field("oldRatchetList").array().unwrap_or_default();
    let old: Vec<PublicKey> = old.iter().filter_map(|entry| entry.field("ephemeralKey").public_key().ok()).collect();
    let mut chains = Vec::new();
    for (name, value) in members {
        let Some(ratchet_key) = latin1(name).and_then(|bytes| PublicKey::from_bytes(bytes.expose())) else { continue };
        if value.get("chainType").and_then(Value::as_i64) != Some(RECEIVING) {
            continue;
        }
        let rank = old.iter().position(|key| *key == ratchet_key).unwrap_or(old.len());
        // The ratchet key is public, but as a name in a message it would only be noise.
        let field = Field { path: format!("{}.<receiving chain>", root.path), value: Some(value) };
        match receiver_chain(ratchet_key, &field, problems) {
            Ok(chain) => chains.push((rank, last_remote == Some(ratchet_key), chain)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    chains.sort_by_key(|(rank, current, _)| (*current, *rank));
    chains.into_iter().map(|(_, _, chain)| chain).collect()
}

fn receiver_chain(ratchet_key: PublicKey, field: &Field<'_>, problems: &mut Vec<String>) -> Result<ReceiverChain, RecordError> {
    let chain_key = chain_key(field)?;
    let keys = field.field("messageKeys");
    let mut skipped = Vec::new();
    for (counter, value) in keys.value.and_then(Value::as_object).into_iter().flatten() {
        let key = Field { path: format!("{}.{counter}", keys.path), value: Some(value) };
        match (counter.parse(), key.secret()) {
            (Ok(counter), Ok(seed)) => skipped.push(SkippedKey { counter, key: MessageKey::Seed(seed) }),
            (Err(_), _) => problems.push(format!("{}: a name is no counter", keys.path)),
            (_, Err(error)) => problems.push(error.to_string()),
        }
    }
    skipped.sort_by_key(|key| key.counter);
    let retired = chain_key.is_none();
    Ok(ReceiverChain { ratchet_key, chain_key, skipped, retired })
}

/// `{counter, key}`; without `key` once the chain is closed.
fn chain_key(chain: &Field<'_>) -> Result<Option<ChainKey>, RecordError> {
    let field = chain.field("chainKey");
    if field.is_null() || field.field("key").is_null() {
        return Ok(None);
    }
    let counter = field.field("counter");
    let last = integer(&counter)?.unwrap_or(-1);
    let next = last.checked_add(1).and_then(|next| u32::try_from(next).ok());
    let next = next.ok_or_else(|| counter.error("a number from -1 to 4294967294"))?;
    Ok(Some(ChainKey::new(next, field.field("key").secret()?)))
}

/// The member that a key names.
fn member<'a>(members: &'a Map<String, Value>, key: &PublicKey) -> Option<&'a Value> {
    let name: String = key.to_signal().into_iter().map(char::from).collect();
    members.get(&name)
}

fn integer(field: &Field<'_>) -> Result<Option<i64>, RecordError> {
    match field.value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| field.error("a whole number")),
    }
}
