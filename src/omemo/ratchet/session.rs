//! One session state: `state` of the Double Ratchet paper.

use super::{AssociatedData, ChainKey, MessageKey, ReceiverChain, RootKey};
use crate::omemo::Namespace;
use crate::omemo::curve::{KeyPair, PublicKey};
use crate::omemo::identity::IdentityKey;

/// A session state with one device.
#[derive(Clone, Debug)]
pub struct Session {
    /// The variant whose constants it uses.
    pub namespace: Namespace,
    /// Our identity key as the state holds it.
    pub local_identity: IdentityKey,
    /// Their identity key as the state holds it.
    pub remote_identity: IdentityKey,
    /// The root key; `None` after a replayed DH step, whose second half needs a random key only the client knew.
    pub root_key: Option<RootKey>,
    /// Our sending chain with our current ratchet key pair; `None` when the state has none
    /// (uninitialised) or after a replayed DH step.
    pub sender_chain: Option<SenderChain>,
    /// Receiving chains, oldest first.
    pub receiver_chains: Vec<ReceiverChain>,
    /// Our `pn` as it goes out with the next message of the sending chain.
    pub previous_counter: u32,
    /// Set while our key exchange has not been answered.
    pub pending_prekey: Option<PendingPreKey>,
    /// The base key (`EK`) of the key exchange that made this state, ours or theirs.
    pub base_key: Option<PublicKey>,
    /// Whether we began the session; `None` where the store does not say.
    pub initiator: Option<bool>,
    /// How many keys the root chain has given, if the library counts them (python-doubleratchet): two a turn, alike at
    /// both ends.
    pub root_steps: Option<u32>,
    /// Associated data that the store keeps ready made (initiator first), instead of computing it from the identities.
    pub stored_associated_data: Option<AssociatedData>,
}

/// Our sending chain.
#[derive(Clone, Debug)]
pub struct SenderChain {
    /// Our current ratchet key pair (`DHs`).
    pub ratchet_key: KeyPair,
    /// `CKs` and the counter of the next message we send; `None` where nothing was sent yet and the
    /// library makes the chain later.
    pub chain_key: Option<ChainKey>,
}

/// The part of our key exchange that is repeated until the peer answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPreKey {
    /// One-time prekey of theirs, if there was one.
    pub prekey_id: Option<u32>,
    /// Signed prekey of theirs.
    pub signed_prekey_id: u32,
    /// Our base key.
    pub base_key: PublicKey,
}

/// Where a state looked for a message's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainLookup {
    /// The sender's ratchet key names a chain we have.
    Known {
        /// Position in [`Session::receiver_chains`].
        chain: usize,
        /// Counter of the next key of that chain; `None` where the chain key was dropped.
        index: Option<u32>,
        /// Whether the message's key was among the skipped ones.
        skipped: bool,
    },
    /// The ratchet key is new: one DH step with our current ratchet key was made.
    NewStep {
        /// Our ratchet key that took part.
        ours: PublicKey,
    },
}

/// Why a state could not open a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The counter lies behind the chain and its key is not stored: used, or dropped.
    KeyUsed {
        /// Counter of the chain's next key; `None` where the chain key was dropped.
        index: Option<u32>,
    },
    /// More keys would have to be skipped than even this program derives for one message
    /// ([`super::MAX_FORWARD_JUMP`], shared by all states of a record).
    TooFarAhead {
        /// Distance from the chain index.
        ahead: u32,
    },
    /// The ratchet key is new and we have no ratchet private key to make the step with.
    NoRatchetKey,
    /// The state speaks another variant.
    OtherVariant,
    /// The MAC does not verify.
    Mac,
    /// The MAC verifies but the padding does not come off: damaged by its sender.
    Padding,
    /// Associated data needs a form of an identity key that is not known.
    NoAssociatedData,
}

/// What one state did with one message.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where the key was looked for; `None` if the state was not even fit for that.
    pub lookup: Option<ChainLookup>,
    /// The message key, when one could be derived (also when the MAC then failed: proofs need it).
    pub message_key: Option<MessageKey>,
    /// How many keys had to be skipped on the way.
    pub skipped: u32,
    /// The state after the message, when it opened.
    pub next: Option<Session>,
    /// Why it did not open.
    pub failure: Option<Failure>,
}

/// Forward jump this program follows at most: bounds the work that a forged counter can cause.
pub const MAX_FORWARD_JUMP: u32 = 100_000;
