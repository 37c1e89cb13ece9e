//! Sessions of python-omemo before 1.0 (DoubleRatchet 0.7): the shape of nested `super` objects.
//! Byte values are standard base64 here.

use super::{Ratchet, SKIPPED_KEYS_READ, SessionContext, add_skipped, assemble, close_chains, record};
use crate::omemo::curve::{KeyPair, PrivateKey, PublicKey};
use crate::omemo::ratchet::{ChainKey, MessageKey, SessionRecord, SkippedKey};
use crate::omemo::session_record::json::Field;
use crate::omemo::session_record::{Parsed, RecordError};
use crate::secret::{Secret, SecretBytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Length of `05‖IK ‖ 05‖IK`.
const ASSOCIATED_DATA_LENGTH: usize = 66;

/// Reads a session as `session_<id>.json` of the old generation holds it. Its `ad` is own key first,
/// whoever began: it is turned to initiator first here, when the context says who that was, and
/// otherwise left to the identities.
///
/// # Errors
/// When a field of the ratchet is missing or has another form. Damaged skipped keys are only problems.
pub fn old_session(context: &SessionContext, session: &Value) -> Result<Parsed<SessionRecord>, RecordError> {
    let outer = Field { path: "session".into(), value: Some(session) };
    // The outermost object adds the peer's identity key; a migrated store may lack that layer.
    let root = if outer.field("skr").is_null() { outer.field("super").object()? } else { outer };
    let ratchet = root.field("super").object()?;
    let own = ratchet.field("own_key").object()?;
    let own_private = own.field("priv");
    let private = PrivateKey::from_bytes(base64(&own_private)?.expose()).ok_or_else(|| own_private.error("32 bytes"))?;
    let other = public_key(&ratchet.field("other_pub").object()?.field("pub"))?;
    let chains = root.field("skr").object()?;

    let mut problems = Vec::new();
    let mut receiver_chains = Vec::new();
    if let Some(Value::Object(keys)) = root.field("smks").value {
        for (i, (name, key)) in keys.iter().take(SKIPPED_KEYS_READ).enumerate() {
            match skipped_key(name, key) {
                Ok((ratchet_key, key)) => add_skipped(&mut receiver_chains, ratchet_key, key),
                Err(error) => problems.push(format!("smks[{i}]: {error}")),
            }
        }
    }
    let receiving = chain(&chains.field("rchain"))?;
    close_chains(&mut receiver_chains, other, receiving);

    let mut context = context.clone();
    if context.associated_data.is_none() {
        let stored = root.field("ad");
        context.associated_data = if stored.is_null() { None } else { initiator_first(&base64(&stored)?, context.initiator) };
    }
    let session = assemble(
        &context,
        Ratchet {
            root_key: secret(&ratchet.field("root_chain").object()?.field("key"))?,
            own_ratchet: KeyPair::from_private(private),
            sending: chain(&chains.field("schain"))?,
            receiver_chains,
            previous_counter: chains.field("prev_schain_length").count()?.unwrap_or(0),
        },
    );
    Ok(Parsed { value: record(session), problems })
}

fn initiator_first(own_first: &SecretBytes, we_began: Option<bool>) -> Option<Vec<u8>> {
    let bytes = own_first.expose();
    if bytes.len() != ASSOCIATED_DATA_LENGTH {
        return None;
    }
    let (own, other) = bytes.split_at(ASSOCIATED_DATA_LENGTH / 2);
    match we_began? {
        true => Some(bytes.to_vec()),
        false => Some([other, own].concat()),
    }
}

/// The name is itself JSON: `{"pub": base64, "index": number}`.
fn skipped_key(name: &str, key: &Value) -> Result<(PublicKey, SkippedKey), RecordError> {
    let name: Value = serde_json::from_str(name).unwrap_or(Value::Null);
    let name = Field { path: "name".into(), value: Some(&name) }.object()?;
    let index = name.field("index");
    let counter = index.count()?.ok_or_else(|| index.error("a number"))?;
    let key = secret(&Field { path: "key".into(), value: Some(key) })?;
    Ok((public_key(&name.field("pub"))?, SkippedKey { counter, key: MessageKey::Seed(key) }))
}

fn chain(field: &Field<'_>) -> Result<Option<ChainKey>, RecordError> {
    if field.is_null() {
        return Ok(None);
    }
    let length = field.field("length");
    let index = length.count()?.ok_or_else(|| length.error("a number"))?;
    Ok(Some(ChainKey::new(index, secret(&field.field("key"))?)))
}

fn base64(field: &Field<'_>) -> Result<SecretBytes, RecordError> {
    let text = field.value.and_then(Value::as_str).ok_or_else(|| field.error("base64"))?;
    STANDARD.decode(text).map(SecretBytes::new).map_err(|_| field.error("base64"))
}

fn secret(field: &Field<'_>) -> Result<Secret<32>, RecordError> {
    Secret::from_slice(base64(field)?.expose()).ok_or_else(|| field.error("32 bytes in base64"))
}

fn public_key(field: &Field<'_>) -> Result<PublicKey, RecordError> {
    PublicKey::from_bytes(base64(field)?.expose()).ok_or_else(|| field.error("32 bytes in base64"))
}
