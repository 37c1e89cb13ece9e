//! The other end's store: what the sender's device really holds.

use crate::model::{Account, BareJid, Device, Place, Store, StoredSession};
use crate::omemo::wire::RatchetMessage;
use crate::omemo::{IdentityKey, Namespace, PublicKey};
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
    /// The base key of the session it uses now.
    pub base_key: Option<PublicKey>,
    /// How many steps its root chain made in that.
    pub root_steps: Option<u32>,
    /// The sender began the session it uses now.
    pub began: Option<bool>,
    /// The sender's identity key, as its account has it.
    pub identity: Option<IdentityKey>,
    /// Every identity key that the sender may have taken for its own.
    pub own_keys: Vec<KnownKey>,
    /// Every identity key that the sender may have taken for ours.
    pub our_keys: Vec<KnownKey>,
}

/// An identity key in the sender's store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KnownKey {
    /// The key.
    pub key: IdentityKey,
    /// Where it stands.
    pub place: Place,
}

/// Identity keys that are kept of each end: a few states and devices, and bounded in a hostile store.
const MAX_KEYS: usize = 16;

/// Finds the sender's session with us in its own stores.
pub fn fact(peers: &[Store], sender: Option<&BareJid>, sid: u32, our_device: u32, namespace: Namespace) -> Option<PeerFact> {
    let (account, session) = session(peers, sender, sid, our_device, namespace)?;
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
        base_key: current.base_key,
        root_steps: current.root_steps,
        began: current.initiator,
        identity: account.identity.as_ref().map(|i| i.public),
        own_keys: own_keys(account, session),
        our_keys: our_keys(account, session),
    })
}

/// What the sender may have taken for its own identity key: that of its session with us, then its account's.
fn own_keys(account: &Account, session: &StoredSession) -> Vec<KnownKey> {
    let own = account.identity.iter().map(|i| (i.public, &account.place));
    distinct(session.record.states().map(|(_, s)| (s.local_identity, &session.place)).chain(own))
}

/// What the sender may have taken for ours: that of its session with us, then those of our devices.
fn our_keys(account: &Account, session: &StoredSession) -> Vec<KnownKey> {
    let rows = account.devices.iter().filter(|d| d.jid == session.jid).filter_map(|d| Some((d.identity?, &d.place)));
    distinct(session.record.states().map(|(_, s)| (s.remote_identity, &session.place)).chain(rows))
}

fn distinct<'a>(keys: impl Iterator<Item = (IdentityKey, &'a Place)>) -> Vec<KnownKey> {
    let mut found: Vec<KnownKey> = Vec::new();
    for (key, place) in keys {
        if found.len() < MAX_KEYS && found.iter().all(|k| k.key != key) {
            found.push(KnownKey { key, place: place.clone() });
        }
    }
    found
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
    let (_, session) = session(peers, sender, sid, our_device, namespace)?;
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
) -> Option<(&'a Account, &'a StoredSession)> {
    accounts(peers, sender, sid)
        .flat_map(|account| account.sessions.iter().map(move |session| (account, session)))
        .find(|(_, s)| s.device_id == our_device && s.namespace == namespace)
}

/// Whether one of these stores is that of the sender's device.
pub fn holds(peers: &[Store], sender: Option<&BareJid>, sid: u32) -> bool {
    accounts(peers, sender, sid).next().is_some()
}

/// The accounts of the sender's device, one a store.
fn accounts<'a>(peers: &'a [Store], sender: Option<&BareJid>, sid: u32) -> impl Iterator<Item = &'a Account> {
    // A peer's store often does not know its own address; its device id tells it well enough.
    peers.iter().flat_map(|store| &store.accounts).filter(move |account| {
        account.own_device_id == Some(sid) && (account.jid.is_none() || sender.is_none() || account.jid.as_ref() == sender)
    })
}

/// The devices whose stores these are.
pub fn names(peers: &[Store]) -> Vec<String> {
    let name = |account: &Account| {
        let device = account.own_device_id.map_or_else(|| "a device without id".into(), |id| format!("device {id}"));
        account.jid.as_ref().map_or_else(|| device.clone(), |jid| format!("{device} of {jid}"))
    };
    peers.iter().flat_map(|store| &store.accounts).map(name).collect()
}

/// What the sender's own store knows of our devices.
#[derive(Clone, Copy, Debug)]
pub struct OurDevices<'a> {
    /// The sender's account.
    pub account: &'a Account,
    /// Our device.
    pub this: Option<&'a Device>,
    /// How many others of ours it knows.
    pub others: usize,
}

/// Finds our devices in the sender's newest store.
pub fn our_devices<'a>(
    peers: &'a [Store],
    sender: Option<&BareJid>,
    sid: u32,
    our_jid: &BareJid,
    our_device: u32,
) -> Option<OurDevices<'a>> {
    let account = accounts(peers, sender, sid).last()?;
    let ours = || account.devices.iter().filter(|d| d.jid == *our_jid);
    let this = ours().find(|d| d.device_id == Some(our_device));
    Some(OurDevices { account, this, others: ours().filter(|d| d.device_id.is_some_and(|id| id != our_device)).count() })
}
