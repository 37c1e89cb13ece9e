//! A session record: the current state and the archived ones, and the order in which a library tries them.

use super::{Failure, Implementation, MAX_FORWARD_JUMP, MessageKey, Session, Step};
use crate::omemo::curve::PublicKey;
use crate::omemo::wire::RatchetMessage;
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
    /// The state at which the real client ended its search, when this program went on with others.
    pub client_stopped_at: Option<StateRef>,
}

impl SessionRecord {
    /// Every state with its name, the current one first, then the archived ones as the library tries them.
    pub fn states(&self) -> impl Iterator<Item = (StateRef, &Session)> {
        let archived = self.archived.iter().enumerate().map(|(i, session)| (StateRef::Archived(i), session));
        self.current.iter().map(|session| (StateRef::Current, session)).chain(archived)
    }

    /// One state.
    pub fn state(&self, state: StateRef) -> Option<&Session> {
        match state {
            StateRef::Current => self.current.as_ref(),
            StateRef::Archived(i) => self.archived.get(i),
        }
    }

    /// The state that was made by the key exchange with this base key.
    pub fn with_base_key(&self, base_key: &PublicKey) -> Option<StateRef> {
        self.states().find(|(_, session)| session.base_key.as_ref() == Some(base_key)).map(|(state, _)| state)
    }

    /// Tries the message with each state in the library's order until one opens it; the record itself
    /// stays as it is. Where the library would stop early, this goes on and says so in
    /// [`Attempt::client_stopped_at`].
    pub fn receive(&self, message: &RatchetMessage) -> Attempt {
        let limits = self.implementation.limits();
        let mut attempt = Attempt { states: Vec::new(), opened: None, over_limit: None, client_stopped_at: None };
        // One budget for all states: a forged counter costs the same however many a record has.
        let mut budget = MAX_FORWARD_JUMP;
        for state in self.order(message) {
            let Some(session) = self.state(state) else { continue };
            let (step, key_material) = session.open(message, &limits, &mut budget);
            let stops = self.stops_at(&step);
            if let Some((key_material, message_key)) = key_material.zip(step.message_key.clone()) {
                attempt.over_limit = limits.forward_jump.filter(|limit| step.skipped > *limit).map(|_| step.skipped);
                attempt.opened = Some(Opened { state, key_material, message_key });
            }
            attempt.states.push(StateAttempt { state, step });
            if attempt.opened.is_some() {
                break;
            }
            if stops && attempt.client_stopped_at.is_none() {
                attempt.client_stopped_at = Some(state);
            }
        }
        attempt
    }

    /// The order in which states are tried. The JavaScript library takes the state that knows the
    /// ratchet key, else the open one; the others follow here, though it does not try them.
    fn order(&self, message: &RatchetMessage) -> Vec<StateRef> {
        let mut order: Vec<StateRef> = self.states().map(|(state, _)| state).collect();
        if self.implementation == Implementation::JavaScript {
            let knows = |session: &Session| session.receiver_chains.iter().any(|chain| chain.ratchet_key == message.ratchet_key);
            order.sort_by_key(|state| !self.state(*state).is_some_and(knows));
        }
        order
    }

    /// Whether the library ends its search with this failed step: JavaScript never tries a second
    /// state, the others stop at a used key.
    fn stops_at(&self, step: &Step) -> bool {
        self.implementation == Implementation::JavaScript || matches!(step.failure, Some(Failure::KeyUsed { .. }))
    }

    /// Takes over the state after a message that opened. An archived state becomes the current one and
    /// the current one goes to the front of the archive, as the Signal libraries do.
    pub fn apply(&mut self, attempt: &Attempt) {
        let Some(opened) = &attempt.opened else { return };
        let tried = attempt.states.iter().find(|tried| tried.state == opened.state);
        let Some(next) = tried.and_then(|tried| tried.step.next.clone()) else { return };
        match opened.state {
            StateRef::Archived(i) if i < self.archived.len() => {
                self.archived.remove(i);
                self.begin(next);
            }
            _ => self.current = Some(next),
        }
    }

    /// Makes a new state the current one. The old one is archived, or forgotten where the library
    /// keeps no archive.
    pub fn begin(&mut self, session: Session) {
        let limit = self.implementation.limits().archived_states;
        if let Some(old) = self.current.replace(session) {
            self.archived.insert(0, old);
        }
        self.archived.truncate(limit);
    }
}
