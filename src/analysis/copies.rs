//! Two copies of one store, the later held against the earlier. Ratchets only go forward, sessions stay, and so does
//! our identity key: where it is otherwise, something happened between the copies.

use super::health::newest_moment;
use super::replay::Replay;
use crate::model::{Account, BareJid, Place, StoredSession};
use crate::omemo::ratchet::{Session, SessionRecord};
use crate::omemo::{IdentityKey, Namespace, PublicKey};

/// What happened to an account between two of its copies.
#[derive(Clone, Debug)]
pub struct Between {
    /// The earlier copy's account.
    pub earlier: Place,
    /// The later copy's account.
    pub later: Place,
    /// The stores themselves tell that the later copy is the later one.
    pub order_known: bool,
    /// Sessions that stand behind where they stood.
    pub went_back: Vec<SessionBack>,
    /// Sessions that are there no more.
    pub lost: Vec<(BareJid, u32, Namespace)>,
    /// Our identity key before and after, if it is another one.
    pub own_identity: Option<(IdentityKey, IdentityKey)>,
}

/// A session that went back.
#[derive(Clone, Debug)]
pub struct SessionBack {
    /// With whom.
    pub jid: BareJid,
    /// With which device.
    pub device_id: u32,
    /// Where it stands in the later copy.
    pub place: Place,
    /// What shows it.
    pub proof: BackProof,
}

/// What shows that a session went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackProof {
    /// Counter of the next message that we send in one and the same chain.
    Sending {
        /// In the earlier copy.
        before: u32,
        /// In the later copy.
        after: u32,
    },
    /// Counter of the next message that we expect in one and the same chain of theirs.
    Receiving {
        /// In the earlier copy.
        before: u32,
        /// In the later copy.
        after: u32,
    },
    /// The later copy does not know the ratchet key with which the sender had gone on.
    Turn(PublicKey),
    /// The later copy does not know the session that had replaced its own.
    Replaced,
}

impl Between {
    /// What happened between two copies; `None` if nothing did that needs a word.
    pub fn of(earlier: &Replay, later: &Account) -> Option<Self> {
        let (mut went_back, mut lost) = (Vec::new(), Vec::new());
        for ((jid, device_id, namespace), before) in earlier.all_records() {
            let same = |after: &&StoredSession| (&after.jid, after.device_id, after.namespace) == (jid, *device_id, *namespace);
            match later.sessions.iter().filter(same).find(|after| after.record.states().next().is_some()) {
                Some(after) => {
                    let proof = went_back_in(before, &after.record);
                    went_back.extend(proof.map(|proof| SessionBack {
                        jid: after.jid.clone(),
                        device_id: after.device_id,
                        place: after.place.clone(),
                        proof,
                    }));
                }
                None => lost.push((jid.clone(), *device_id, *namespace)),
            }
        }
        let earlier = &earlier.account;
        let identities = earlier.identity.as_ref().zip(later.identity.as_ref()).map(|(a, b)| (a.public, b.public));
        let own_identity = identities.filter(|(before, after)| before != after);
        let order_known = newest_moment(earlier).zip(newest_moment(later)).is_some_and(|(before, after)| before < after);
        let quiet = went_back.is_empty() && lost.is_empty() && own_identity.is_none();
        (!quiet).then(|| Self {
            earlier: earlier.place.clone(),
            later: later.place.clone(),
            order_known,
            went_back,
            lost,
            own_identity,
        })
    }
}

/// Whether the current state of the later record is an older one than what the earlier record holds.
fn went_back_in(earlier: &SessionRecord, later: &SessionRecord) -> Option<BackProof> {
    let now = later.current.as_ref()?;
    let states = || earlier.states().map(|(_, state)| state);
    let proof = states().find_map(|before| counter_fell(before, now).or_else(|| turned_back(before, later)));
    proof.or_else(|| {
        // The state that the earlier copy uses is unknown to the later one, which still uses an archived one.
        let current = earlier.current.as_ref()?;
        let archived = earlier.archived.iter().any(|old| old.base_key.is_some() && old.base_key == now.base_key);
        let known = later.states().any(|(_, state)| state.base_key == current.base_key);
        (archived && current.base_key.is_some() && !known).then_some(BackProof::Replaced)
    })
}

fn counter_fell(before: &Session, now: &Session) -> Option<BackProof> {
    let sending = before.sender_chain.as_ref().zip(now.sender_chain.as_ref());
    let same = sending.filter(|(a, b)| a.ratchet_key.public == b.ratchet_key.public);
    let indices = same.and_then(|(a, b)| Some((a.chain_key.as_ref()?.index, b.chain_key.as_ref()?.index)));
    if let Some((before, after)) = indices.filter(|(before, after)| after < before) {
        return Some(BackProof::Sending { before, after });
    }
    now.receiver_chains.iter().find_map(|chain| {
        let old = before.receiver_chains.iter().find(|old| old.ratchet_key == chain.ratchet_key)?;
        let (before, after) = (old.chain_key.as_ref()?.index, chain.chain_key.as_ref()?.index);
        (after < before).then_some(BackProof::Receiving { before, after })
    })
}

/// The newest chain of the later copy was an older one in the earlier copy, whose newest the later one does not know.
fn turned_back(before: &Session, later: &SessionRecord) -> Option<BackProof> {
    let now = later.current.as_ref()?.receiver_chains.last()?.ratchet_key;
    let (newest, older) = before.receiver_chains.split_last()?;
    let known = later.states().flat_map(|(_, state)| &state.receiver_chains).any(|chain| chain.ratchet_key == newest.ratchet_key);
    (older.iter().any(|chain| chain.ratchet_key == now) && !known).then_some(BackProof::Turn(newest.ratchet_key))
}
