//! What one store copy, brought forward through the capture, says about one message.

use crate::model::Place;
use crate::omemo::ratchet::{Attempt, ChainLookup, Failure};
use crate::omemo::{IdentityKey, PublicKey};
use std::cmp::Ordering;

/// The facts of one try.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trial {
    /// Position of the copy among the stores given, 0 is the first.
    pub snapshot: usize,
    /// The session with the sender's device.
    pub session: SessionFact,
    /// The key exchange, if the message is one.
    pub exchange: Option<Box<ExchangeFact>>,
    /// What the ratchet said; `None` if no state was there to ask.
    pub ratchet: Option<RatchetFact>,
    /// The message opened, but lies further ahead than the client's library accepts: the distance.
    pub over_limit: Option<u32>,
    /// It opened with a chain key that the client had dropped when the chain ended: only this program kept it.
    /// The counter at which the chain had ended, as the sender had announced it.
    pub retired_chain: Option<u32>,
    /// A proof that only the associated data is wrong.
    pub associated_data: Option<Box<AdFact>>,
    /// A session that this copy had, and that another key exchange replaced, opens the message.
    pub replaced: Option<ReplacedFact>,
    /// The ratchet was turned, or the session begun, by an earlier message of this capture: how many
    /// messages had come before that one. The client made a ratchet key then that no copy holds.
    pub turned_at: Option<usize>,
    /// The session was begun by a key exchange of theirs in this capture.
    pub begun_here: bool,
    /// If it did not open: highest index among the receiving chains of the current state, how far their newest
    /// known chain went.
    pub newest_chain_index: Option<u32>,
    /// If it did not open: the sender's newest ratchet key that the copy knew.
    pub newest_chain: Option<PublicKey>,
    /// It opened in a session whose row spells the sender's address otherwise than the stanza, or has another one.
    pub filed: Option<Box<Filed>>,
    /// The ratchet keys that the copy knew, held against all that shows others.
    pub keys: KeyKnowledge,
}

/// How surely a copy was in step with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InStep {
    /// It was behind, or nothing is known.
    Behind,
    /// Its ratchet key was not shown before: it is not known to be behind.
    NotBehind,
    /// It holds the ratchet key that the client had shown last.
    HoldsNewest,
    /// It has the very key of the message.
    HasKey,
}

impl Trial {
    /// How surely the copy was in step with the client when a message came that it does not open.
    pub fn in_step(&self) -> InStep {
        match self.ratchet {
            Some(RatchetFact::KnownChainBadMac | RatchetFact::Padding) => InStep::HasKey,
            Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep) => match self.keys {
                KeyKnowledge { holds_newest: true, .. } => InStep::HoldsNewest,
                KeyKnowledge { behind: false, keeps_chains: true, .. } => InStep::NotBehind,
                _ => InStep::Behind,
            },
            _ => InStep::Behind,
        }
    }

    /// How surely a later copy must have been in step to say more than this one; nothing says more than a key that this
    /// one had used.
    pub fn least_better(&self) -> Option<InStep> {
        match self.ratchet {
            Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep) => Some(InStep::NotBehind),
            Some(RatchetFact::NoRatchetKey) | None => Some(InStep::HoldsNewest),
            Some(_) => None,
        }
    }
}

/// Which ratchet keys a copy knew when a message came. Answers only: the keys themselves would take
/// kilobytes a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyKnowledge {
    /// The message's own ratchet key is one of theirs that it knows.
    pub knows_chain: bool,
    /// It holds our ratchet key that the capture showed last.
    pub holds_newest: bool,
    /// It holds a key of ours that came before that one, or had turned its ratchet before that one was sent: it is older.
    pub behind: bool,
    /// It keeps chains that have ended: what it does not know is newer.
    pub keeps_chains: bool,
    /// It has the session that our last key exchange in the capture began.
    pub holds_exchange: bool,
    /// It holds a ratchet key of ours that the capture showed at any time before.
    pub holds_shown: bool,
    /// It holds the ratchet key of ours that the sender's own store received last (or that store has none).
    pub holds_received: bool,
    /// It holds some ratchet key of ours that the sender's own store received.
    pub holds_earlier_received: bool,
    /// How many steps its root chain made, against that of the sender's own store.
    pub steps: Option<Ordering>,
    /// It knows a ratchet key that the sender's own store sends with.
    pub knows_peer: bool,
}

/// Where a session lies in a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filed {
    /// The address as the store spells it.
    pub address: Box<str>,
    /// The row.
    pub place: Place,
    /// Nothing of theirs had ever been read in it.
    pub unread: bool,
}

/// The session row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SessionFact {
    /// There is none.
    Missing,
    /// It is there.
    Present {
        /// How many states, current and archived.
        states: usize,
    },
    /// Its row is damaged.
    Damaged {
        /// Where.
        place: Box<Place>,
        /// What is wrong.
        says: Box<str>,
    },
}

/// A session that a key exchange of theirs had replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplacedFact {
    /// We had begun it and nothing had answered in it: the two exchanges crossed.
    Unanswered,
    /// It was in use: the sender began anew, and the message is a late one from before.
    InUse,
}

/// A key exchange held against the copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExchangeFact {
    /// Some state was made by this very exchange: a repetition.
    pub base_key_known: bool,
    /// The identity key in the exchange.
    pub identity: IdentityKey,
    /// The identity key that the copy has for the device, if another.
    pub other_identity: Option<IdentityKey>,
    /// The signed prekey it names.
    pub signed_prekey_id: u32,
    /// Whether the copy holds it.
    pub signed_prekey: PrekeyFact,
    /// The one-time prekey it names.
    pub prekey_id: Option<u32>,
    /// Whether the copy holds it.
    pub prekey: PrekeyFact,
    /// The highest one-time prekey id the copy knows to have been given out.
    pub highest_prekey_id: Option<u32>,
}

/// Whether a prekey is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PrekeyFact {
    /// The exchange names none.
    NotNamed,
    /// Held.
    Held,
    /// Not held by the store.
    Missing,
    /// Held by the store, but an earlier key exchange in this capture used it up.
    UsedUp,
    /// Its record is damaged.
    Damaged {
        /// Where.
        place: Place,
    },
}

/// The ratchet's word, of the state that came nearest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RatchetFact {
    /// It opened.
    Opened,
    /// The chain is known, but the key was used or dropped. `index`: counter of the chain's next key;
    /// `oldest_stored`: smallest counter among the skipped keys still kept; `stored`: how many.
    Used {
        /// Counter of the chain's next key, if the chain key is still there.
        index: Option<u32>,
        /// Smallest counter among the skipped keys of this chain.
        oldest_stored: Option<u32>,
        /// How many skipped keys the whole state keeps.
        stored: usize,
    },
    /// The chain is known and gave a key, but the MAC is wrong.
    KnownChainBadMac,
    /// The ratchet key is new; a DH step with our current ratchet key gave a wrong MAC.
    NewChainBadMac {
        /// Receiver chains of the fullest state.
        chains: usize,
    },
    /// The ratchet key is new and the copy has no ratchet private key to go on with, because an earlier
    /// message in this capture already turned the ratchet.
    BeyondOneStep,
    /// The ratchet key is new and the session has no sending side (uninitialised).
    NoRatchetKey,
    /// Further ahead than this program follows.
    TooFarAhead {
        /// The distance.
        ahead: u32,
    },
    /// MAC right, padding wrong.
    Padding,
    /// The Ed25519 form of an identity key is needed and not known.
    NoAssociatedData,
}

/// The message verifies with other associated data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AdFact {
    /// The two identity keys in the other order, and who has the wrong one, where that is certain.
    Swapped(Option<Side>),
    /// Another identity key of the sender.
    OtherSender(OtherKey),
    /// Another identity key of ours.
    OtherReceiver(OtherKey),
    /// Another identity key of the sender and another one of ours.
    BothOthers(OtherKey, OtherKey),
}

/// An identity key that a message was bound to instead of the session's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherKey {
    /// The key.
    pub key: IdentityKey,
    /// Where it stands.
    pub place: Place,
    /// Whose session has the wrong key, where the owner's own store is at hand to tell.
    pub wrong: Option<Side>,
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Our device.
    Ours,
    /// The sender's device.
    Senders,
}

impl RatchetFact {
    /// The fact of the state that came nearest to opening the message.
    pub fn of(attempt: &Attempt, turned: bool) -> Option<Self> {
        if attempt.opened.is_some() {
            return Some(Self::Opened);
        }
        attempt.states.iter().filter_map(|s| Self::of_step(&s.step, turned)).max_by_key(Self::nearness)
    }

    fn of_step(step: &crate::omemo::ratchet::Step, turned: bool) -> Option<Self> {
        let known = matches!(step.lookup, Some(ChainLookup::Known { .. }));
        Some(match step.failure.as_ref()? {
            Failure::KeyUsed { index } => Self::Used { index: *index, oldest_stored: None, stored: 0 },
            Failure::Mac if known => Self::KnownChainBadMac,
            Failure::Mac => Self::NewChainBadMac { chains: 0 },
            Failure::NoRatchetKey if turned => Self::BeyondOneStep,
            Failure::NoRatchetKey => Self::NoRatchetKey,
            Failure::TooFarAhead { ahead } => Self::TooFarAhead { ahead: *ahead },
            Failure::Padding => Self::Padding,
            Failure::NoAssociatedData => Self::NoAssociatedData,
            Failure::OtherVariant => return None,
        })
    }

    /// How near a state came: a known chain says more than an unknown one.
    fn nearness(&self) -> u8 {
        match self {
            Self::Opened => 9,
            Self::Padding => 8,
            Self::KnownChainBadMac => 7,
            Self::Used { .. } => 6,
            Self::TooFarAhead { .. } => 5,
            Self::NoAssociatedData => 4,
            Self::BeyondOneStep => 3,
            Self::NewChainBadMac { .. } => 2,
            Self::NoRatchetKey => 1,
        }
    }
}
