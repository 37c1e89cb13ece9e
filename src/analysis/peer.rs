//! The other end's store: what the sender's device really holds.

use crate::model::{BareJid, Place, Store, StoredSession};
use crate::omemo::wire::RatchetMessage;
use crate::omemo::{Namespace, PublicKey};
use crate::secret::SecretBytes;

/// What the sender's own store says about its session with us.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerFact {
    /// Where the session stands.
    pub place: Place,
    /// The sender's current ratchet keys (current state first).
    pub sender_ratchet_keys: Vec<PublicKey>,
    /// Counter of the sender's next message in its current chain.
    pub next_counter: Option<u32>,
    /// Our ratchet keys that the sender has received, newest last.
    pub our_ratchet_keys: Vec<PublicKey>,
    /// The sender began the session it uses now.
    pub began: Option<bool>,
}

/// Finds the sender's session with us in its own stores.
pub fn fact(peers: &[Store], sender: Option<&BareJid>, sid: u32, our_device: u32, namespace: Namespace) -> Option<PeerFact> {
    let session = session(peers, sender, sid, our_device, namespace)?;
    let current = session.record.current.as_ref()?;
    Some(PeerFact {
        place: session.place.clone(),
        sender_ratchet_keys: session
            .record
            .states()
            .filter_map(|(_, s)| s.sender_chain.as_ref().map(|c| c.ratchet_key.public))
            .collect(),
        next_counter: current.sender_chain.as_ref().and_then(|c| c.chain_key.as_ref()).map(|k| k.index),
        our_ratchet_keys: session.record.states().flat_map(|(_, s)| s.receiver_chains.iter().map(|c| c.ratchet_key)).collect(),
        began: current.initiator,
    })
}

/// The key material of a message, from the sending chain in the sender's own store.
pub fn key_material(
    peers: &[Store],
    sender: Option<&BareJid>,
    sid: u32,
    our_device: u32,
    namespace: Namespace,
    message: &RatchetMessage,
) -> Option<SecretBytes> {
    let session = session(peers, sender, sid, our_device, namespace)?;
    session.record.states().find_map(|(_, state)| {
        let key = state.own_message_key(message)?;
        let data = state.associated_data(false)?;
        key.verifies(namespace, &data, message).then(|| key.decrypt(namespace, message)).flatten()
    })
}

fn session<'a>(
    peers: &'a [Store],
    sender: Option<&BareJid>,
    sid: u32,
    our_device: u32,
    namespace: Namespace,
) -> Option<&'a StoredSession> {
    // A peer's store often does not know its own address; its device id tells it well enough.
    peers
        .iter()
        .flat_map(|store| &store.accounts)
        .filter(|account| {
            account.own_device_id == Some(sid) && (account.jid.is_none() || sender.is_none() || account.jid.as_ref() == sender)
        })
        .flat_map(|account| &account.sessions)
        .find(|s| s.device_id == our_device && s.namespace == namespace)
}
