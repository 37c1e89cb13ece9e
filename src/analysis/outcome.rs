//! Everything known about one message, before a cause is looked for.

use super::book::SeenBefore;
use super::client_words::Comments;
use super::content::Payload;
use super::peer::PeerFact;
use super::trial::{InStep, RatchetFact, Trial};
use crate::model::{BareJid, Direction, Place, Position, Trust, When, Wrapper};
use crate::omemo::stanza::Fault;
use crate::omemo::wire::WireError;
use crate::omemo::xml::XmlError;
use crate::omemo::{Fingerprint, IdentityKey, Namespace, PublicKey};
use std::cmp::Reverse;
use std::sync::Arc;

/// One message and all facts about it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The stanza.
    pub header: Header,
    /// The encrypted element.
    pub element: Element,
    /// Which own device it is judged for (position among the own devices).
    pub own: usize,
    /// Who sent it, seen from us.
    pub origin: Origin,
    /// Whether and how it is addressed to us.
    pub addressing: Arc<Addressing>,
    /// The key element for us, read.
    pub key: Option<Result<KeyFact, WireError>>,
    /// What each store copy said.
    pub trials: Arc<[Trial]>,
    /// Who opened the ratchet layer.
    pub opened_by: Option<OpenedBy>,
    /// The payload, if the ratchet layer opened.
    pub payload: Option<Box<Payload>>,
    /// An earlier stanza with the same ratchet key and counter.
    pub seen_before: Option<Box<SeenBefore>>,
    /// Trust in the sender's device.
    pub trust: Option<Arc<SenderTrust>>,
    /// The newest of our own ratchet keys towards the sender's device that the capture showed before this
    /// message: its number among [`OwnKeys`](super::book::OwnKeys).
    pub own_newest: Option<usize>,
    /// The highest counter that it had been sent with before this message.
    pub own_counter: Option<u32>,
    /// A key exchange of ours with that device, seen before this message: its number there.
    pub own_exchange: Option<usize>,
    /// The highest counter in the newest chain that the sender's device had used towards us before this message;
    /// `None` if the capture had shown none.
    pub heard: Option<u32>,
    /// The highest counter that its chain had reached before this message.
    pub chain_end: Option<u32>,
    /// What the sender's own store says.
    pub peer: Option<Arc<PeerFact>>,
    /// What the log's reader had to repair.
    pub repairs: Box<[String]>,
    /// What the client itself said of it.
    pub comments: Comments,
}

/// The stanza around it.
#[derive(Clone, Debug)]
pub struct Header {
    /// Stanza id.
    pub id: Option<Box<str>>,
    /// Sender.
    pub from: Option<BareJid>,
    /// The sender is the account in whose log it stands.
    pub of_log_owner: bool,
    /// As written, where the sender's own address is not known.
    pub from_full: Option<Box<str>>,
    /// The room it went through.
    pub room: Option<BareJid>,
    /// How it was wrapped.
    pub wrapper: Wrapper,
    /// It has a delay stamp.
    pub delayed: bool,
    /// When it was sent, as the delay stamp says, else when the log saw it.
    pub time: Option<When>,
    /// Which way.
    pub direction: Option<Direction>,
    /// Where it begins.
    pub position: Position,
    /// Where it stands in other logs.
    pub also_at: Vec<Position>,
    /// The text that stands beside the encrypted one, hashed.
    pub beside: Option<u64>,
    /// Which clients write its fallback text.
    pub fallback_of: Option<&'static str>,
}

/// The encrypted element.
#[derive(Clone, Debug)]
pub enum Element {
    /// Read.
    Known {
        /// Variant.
        namespace: Namespace,
        /// Sender's device.
        sid: Option<u32>,
        /// What is wrong with it.
        faults: Box<[Fault]>,
        /// Whether there is a payload.
        has_payload: bool,
        /// Its bytes, hashed: enough to tell two copies apart.
        payload: u64,
    },
    /// Its version is not defined.
    Unknown {
        /// Namespace.
        uri: Box<str>,
        /// Sender's device.
        sid: Option<u32>,
    },
    /// Its XML broke.
    Broken {
        /// How.
        error: Box<XmlError>,
        /// Variant, if it came that far.
        namespace: Option<Namespace>,
        /// Sender's device, if it came that far.
        sid: Option<u32>,
    },
}

impl Element {
    /// The sender's device.
    pub fn sid(&self) -> Option<u32> {
        match self {
            Self::Known { sid, .. } | Self::Unknown { sid, .. } | Self::Broken { sid, .. } => *sid,
        }
    }

    /// The variant.
    pub fn namespace(&self) -> Option<Namespace> {
        match self {
            Self::Known { namespace, .. } => Some(*namespace),
            Self::Unknown { .. } => None,
            Self::Broken { namespace, .. } => *namespace,
        }
    }

    /// Whether two copies of a message carry one text.
    pub fn has_text_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known { payload: one, .. }, Self::Known { payload: other, .. }) => one == other,
            _ => true,
        }
    }

    /// Whether there is a payload.
    pub fn has_payload(&self) -> bool {
        matches!(self, Self::Known { has_payload: true, .. })
    }
}

/// Who sent a message, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This very device.
    ThisDevice,
    /// Somebody else who uses our device id.
    OurIdElsewhere,
    /// Another device of our account.
    OwnAccount,
    /// Somebody else.
    Contact,
}

/// Whether and how a message is addressed to us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Addressing {
    /// Keys with our device id under our address (or under no address).
    pub ours: usize,
    /// An address other than ours under which our device id stands.
    pub other_jid: Option<String>,
    /// All device ids it has keys for.
    pub rids: Vec<u32>,
}

/// The key element, read.
#[derive(Clone, Debug)]
pub struct KeyFact {
    /// The attribute says the other kind.
    pub flag_contradicts: bool,
    /// Sender's ratchet key.
    pub ratchet_key: PublicKey,
    /// Counter.
    pub counter: u32,
    /// Previous counter.
    pub previous_counter: u32,
    /// What only a key exchange has.
    pub exchange: Option<Box<ExchangeKeys>>,
    /// How many other key elements for our device id are no messages, where this one opened.
    pub unreadable_keys: usize,
}

/// The keys that a key exchange names.
#[derive(Clone, Debug)]
pub struct ExchangeKeys {
    /// Base key.
    pub base_key: PublicKey,
    /// Identity key.
    pub identity: IdentityKey,
}

impl KeyFact {
    /// It is a key exchange.
    pub fn is_exchange(&self) -> bool {
        self.exchange.is_some()
    }

    /// Base key, in an exchange.
    pub fn base_key(&self) -> Option<PublicKey> {
        self.exchange.as_ref().map(|keys| keys.base_key)
    }

    /// Identity key, in an exchange.
    pub fn identity(&self) -> Option<IdentityKey> {
        self.exchange.as_ref().map(|keys| keys.identity)
    }
}

/// Who opened a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenedBy {
    /// The store copy of this trial.
    Trial(usize),
    /// Our own sending chain.
    OwnChain,
    /// The sender's own store.
    Peer,
}

/// Trust in the sender's device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SenderTrust {
    /// The client's word.
    pub trust: Trust,
    /// The key it is about.
    pub fingerprint: Option<Fingerprint>,
    /// Where it stands.
    pub place: Place,
}

impl Outcome {
    /// The trial that a verdict rests on.
    pub fn trial(&self) -> Option<&Trial> {
        self.trials.get(self.judged_by())
    }

    /// The store copy that a verdict rests on: the one that opened the message, else one that was in step with the
    /// client when the message came, else the first, which has lived through the whole capture.
    pub fn judged_by(&self) -> usize {
        match self.opened_by {
            Some(OpenedBy::Trial(index)) => index,
            _ => {
                // Where a later copy had used its key, the client had read it, and the first copy is older.
                let read = self.trials.iter().any(|trial| matches!(trial.ratchet, Some(RatchetFact::Used { .. })));
                let least = self.trials.first().and_then(Trial::least_better);
                let Some(least) = least.map(|least| if read { InStep::HasKey } else { least }) else { return 0 };
                let better = self.trials.iter().enumerate().filter(|(_, trial)| trial.in_step() >= least);
                better.max_by_key(|(index, trial)| (trial.in_step(), Reverse(*index))).map_or(0, |(index, _)| index)
            }
        }
    }

    /// The variant.
    pub fn namespace(&self) -> Option<Namespace> {
        self.element.namespace()
    }

    /// The key element's facts, if it could be read.
    pub fn key_fact(&self) -> Option<&KeyFact> {
        self.key.as_ref()?.as_ref().ok()
    }

    /// Whether the stanza came as it was sent: neither a copy, nor from the archive or with a delay stamp.
    pub fn is_live(&self) -> bool {
        self.header.wrapper == Wrapper::Direct && !self.is_delayed()
    }

    /// Whether the stanza may be old: from the archive or with a delay stamp.
    pub fn is_delayed(&self) -> bool {
        self.header.wrapper == Wrapper::Archive || self.header.delayed
    }
}
