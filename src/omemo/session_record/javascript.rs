//! The session record JSON of libsignal-protocol-javascript and libomemo.js, which Converse, Movim, JSXC
//! and web builds of other clients keep.
//!
//! Bytes are texts of one character per byte, also where they are object keys. Chain counters are the index
//! of the *last* key taken (-1: none), one less than in the other libraries. Cached message keys are seeds.
//! Seen in records of libsignal-protocol-javascript (`v1`) and libomemo.js 2.0 (`v2`).

use super::json::{ByteForm, Node, ShapeError};
use crate::omemo::curve::{KeyPair, PublicKey};
use crate::omemo::identity::IdentityKey;
use crate::omemo::namespace::Namespace;
use crate::omemo::ratchet::{
    AssociatedData, ChainKey, Implementation, MessageKey, PendingPreKey, ReceiverChain, RootKey, SenderChain, Session,
    SessionRecord, SkippedKey,
};
use serde_json::Value;

/// A session record and what it says besides the sessions.
#[derive(Debug)]
pub struct JavaScriptRecord {
    /// The sessions.
    pub record: SessionRecord,
    /// Sessions that could not be read, and contradictions.
    pub problems: Vec<ShapeError>,
    /// Property `state` that Movim adds: whether the user leaves the device switched on.
    pub state: Option<bool>,
}

/// How `chainType` and `baseKeyType` count.
const SENDING_CHAIN: i64 = 1;
const OUR_BASE_KEY: i64 = 1;

/// Reads a record. Where it does not say the variant, it is `namespace`; our own identity key is not in it.
pub fn session_record(value: &Value, local: &IdentityKey, namespace: Namespace) -> Result<JavaScriptRecord, ShapeError> {
    let node = Node::new("session", value);
    let mut problems = Vec::new();
    let mut current = None;
    let mut archived: Vec<(i64, Session)> = Vec::new();
    let sessions = node.field("sessions")?;
    for (base_key, value) in sessions.object()? {
        // The key is binary; a person finds the session by its first digits in hex.
        let short: String = base_key.chars().skip(1).take(4).map(|c| format!("{:02x}", u32::from(c))).collect();
        let entry = Node::new(format!("session.sessions[{short}]"), value);
        match session(&entry, local, namespace) {
            Ok((None, session)) if current.is_none() => current = Some(session),
            Ok((closed, session)) => {
                if closed.is_none() {
                    problems.push(entry.error("a second session is open, the library allows only one"));
                }
                archived.push((closed.unwrap_or(i64::MAX), session));
            }
            Err(problem) => problems.push(problem),
        }
    }
    archived.sort_by_key(|(closed, _)| std::cmp::Reverse(*closed));
    let archived: Vec<Session> = archived.into_iter().map(|(_, session)| session).collect();
    if current.is_none() && archived.is_empty() {
        return Err(match problems.into_iter().next() {
            Some(problem) => problem,
            None => sessions.error("there is no session in this record"),
        });
    }
    let state = node.optional("state")?.and_then(|state| state.value().as_bool());
    Ok(JavaScriptRecord {
        record: SessionRecord { implementation: Implementation::JavaScript, current, archived },
        problems,
        state,
    })
}

/// One session and when it was closed (milliseconds), if it is.
fn session(node: &Node<'_>, local: &IdentityKey, namespace: Namespace) -> Result<(Option<i64>, Session), ShapeError> {
    let form = ByteForm::Binary;
    let namespace = match node.optional("protocolVersion")? {
        // Very old records count versions instead; those are all legacy.
        Some(version) if version.value().is_string() => {
            Namespace::from_uri(version.text()?).ok_or_else(|| version.error("this variant of OMEMO is not known"))?
        }
        _ => namespace,
    };
    let info = node.field("indexInfo")?;
    let ratchet = node.field("currentRatchet")?;
    let pair = ratchet.field("ephemeralKeyPair")?;
    let own = KeyPair { public: pair.field("pubKey")?.public_key(form)?, private: pair.field("privKey")?.private_key(form)? };
    let pending = match node.optional("pendingPreKey")? {
        Some(pending) => Some(PendingPreKey {
            prekey_id: pending.optional("preKeyId")?.map(|id| id.u32()).transpose()?,
            signed_prekey_id: pending.field("signedKeyId")?.u32()?,
            base_key: pending.field("baseKey")?.public_key(form)?,
        }),
        None => None,
    };
    let closed = info.optional("closed")?.map(|closed| closed.integer()).transpose()?.filter(|closed| *closed >= 0);
    let session = Session {
        namespace,
        local_identity: *local,
        remote_identity: remote_identity(&info)?,
        root_key: Some(RootKey::new(ratchet.field("rootKey")?.secret(form)?)),
        receiver_chains: receiver_chains(node, &own.public, ratchet.optional("lastRemoteEphemeralKey")?)?,
        sender_chain: Some(SenderChain { chain_key: sending_chain(node, &own.public)?, ratchet_key: own }),
        previous_counter: previous_counter(ratchet.optional("previousCounter")?)?,
        pending_prekey: pending,
        base_key: info.optional("baseKey")?.map(|key| key.public_key(form)).transpose()?,
        initiator: match info.optional("baseKeyType")? {
            Some(kind) => Some(kind.integer()? == OUR_BASE_KEY),
            None => None,
        },
        root_steps: None,
        stored_associated_data: match node.optional("ad")? {
            Some(ad) => Some(AssociatedData::stored(ad.bytes(form)?.to_vec())),
            None => None,
        },
    };
    Ok((closed, session))
}

fn remote_identity(info: &Node<'_>) -> Result<IdentityKey, ShapeError> {
    if let Some(edwards) = info.optional("remoteIdentityKeyEd")? {
        let bytes = edwards.secret::<32>(ByteForm::Binary)?;
        if let Some(key) = IdentityKey::from_edwards(*bytes.expose()) {
            return Ok(key);
        }
    }
    Ok(IdentityKey::from_curve(info.field("remoteIdentityKey")?.public_key(ByteForm::Binary)?))
}

/// A chain whose counter never moved has -1, which goes out as an unsigned number of 32 bits.
fn previous_counter(node: Option<Node<'_>>) -> Result<u32, ShapeError> {
    match node {
        Some(node) if node.integer()? == -1 => Ok(u32::MAX),
        Some(node) => node.u32(),
        None => Ok(0),
    }
}

/// Counter of the next key and the key to make it from; `None` where the key was dropped.
fn chain_key(chain: &Node<'_>) -> Result<Option<ChainKey>, ShapeError> {
    let chain_key = chain.field("chainKey")?;
    let Some(key) = chain_key.optional("key")? else {
        return Ok(None);
    };
    let last = chain_key.field("counter")?;
    let next = last.integer()?.checked_add(1).and_then(|next| u32::try_from(next).ok());
    let next = next.ok_or_else(|| last.error("a number from -1 to 4294967294 was expected"))?;
    Ok(Some(ChainKey::new(next, key.secret(ByteForm::Binary)?)))
}

/// A passive session that never answered has the signed prekey as its ratchet key and no sending chain.
fn sending_chain(node: &Node<'_>, own: &PublicKey) -> Result<Option<ChainKey>, ShapeError> {
    for (name, value) in node.object()? {
        if chain_name(name, value).as_ref() == Some(own) {
            return chain_key(&Node::new(format!("{}.chain[{own}]", node.path()), value));
        }
    }
    Ok(None)
}

/// Chains stand among the other members, under their ratchet keys.
fn chain_name(name: &str, value: &Value) -> Option<PublicKey> {
    value.get("chainKey")?;
    PublicKey::from_bytes(&ByteForm::Binary.decode(name)?)
}

fn receiver_chains(node: &Node<'_>, own: &PublicKey, last: Option<Node<'_>>) -> Result<Vec<ReceiverChain>, ShapeError> {
    let form = ByteForm::Binary;
    // Order of the ratchet steps: the list of old chains with their times, then the chain in use.
    let mut order = Vec::new();
    for old in node.optional("oldRatchetList")?.map_or(Ok(Vec::new()), |list| list.list())? {
        order.push((old.field("added")?.integer()?, old.field("ephemeralKey")?.public_key(form)?));
    }
    order.sort_by_key(|(added, _)| *added);
    let last = last.map(|key| key.public_key(form)).transpose()?;
    let rank = |key: &PublicKey| {
        if last.as_ref() == Some(key) {
            return usize::MAX;
        }
        // A chain that is in neither comes first: it is the next one to be forgotten.
        order.iter().rposition(|(_, old)| old == key).map_or(0, |position| position + 1)
    };
    let mut chains = Vec::new();
    for (name, value) in node.object()? {
        let Some(ratchet_key) = chain_name(name, value).filter(|key| key != own) else {
            continue;
        };
        let chain = Node::new(format!("{}.chain[{ratchet_key}]", node.path()), value);
        let sending = chain.optional("chainType")?.map(|kind| kind.integer()).transpose()? == Some(SENDING_CHAIN);
        if sending {
            continue;
        }
        let chain_key = chain_key(&chain)?;
        let retired = chain_key.is_none();
        chains.push(ReceiverChain { ratchet_key, chain_key, skipped: skipped(&chain)?, retired });
    }
    chains.sort_by_key(|chain| rank(&chain.ratchet_key));
    Ok(chains)
}

fn skipped(chain: &Node<'_>) -> Result<Vec<SkippedKey>, ShapeError> {
    let Some(stored) = chain.optional("messageKeys")? else {
        return Ok(Vec::new());
    };
    let mut keys = Vec::new();
    // Browsers have written this as an object and, with few keys from 0 on, as a list with holes.
    if let Value::Array(list) = stored.value() {
        for (counter, value) in list.iter().enumerate().filter(|(_, value)| !value.is_null()) {
            let key = Node::new(format!("{}[{counter}]", stored.path()), value).secret(ByteForm::Binary)?;
            keys.push(SkippedKey { counter: u32::try_from(counter).unwrap_or(u32::MAX), key: MessageKey::Seed(key) });
        }
        return Ok(keys);
    }
    for (name, value) in stored.object()? {
        let key = Node::new(format!("{}.{name}", stored.path()), value);
        let counter = name.parse().map_err(|_| key.error("a counter was expected as the name of a message key"))?;
        keys.push(SkippedKey { counter, key: MessageKey::Seed(key.secret(ByteForm::Binary)?) });
    }
    keys.sort_by_key(|key| key.counter);
    Ok(keys)
}
