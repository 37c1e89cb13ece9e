//! A session record: the current state and the archived ones, and the order in which a library tries them.

use super::{Implementation, MessageKey, Session, Step};
use crate::secret::SecretBytes;

/// All states with one device.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// Who keeps it, hence its rules and limits.
    pub implementation: Implementation,
    /// The current state; `None` if the record holds only archived ones.
    pub current: Option<Session>,
    /// Archived states, newest first.
    pub archived: Vec<Session>,
}

/// Which state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateRef {
    /// The current one.
    Current,
    /// The archived one at this position (0 is the newest).
    Archived(usize),
}

/// One state's try at a message.
#[derive(Clone, Debug)]
pub struct StateAttempt {
    /// Which state.
    pub state: StateRef,
    /// What it did.
    pub step: Step,
}

/// A message whose ratchet layer opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The state that opened it.
    pub state: StateRef,
    /// The key material for the payload.
    pub key_material: SecretBytes,
    /// The message key that did it.
    pub message_key: MessageKey,
}

/// What a record did with a message.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Each state tried, in order.
    pub states: Vec<StateAttempt>,
    /// The result, if one opened it.
    pub opened: Option<Opened>,
    /// The opened message lies further ahead than the library accepts (distance): the client refuses it.
    pub over_limit: Option<u32>,
}
