//! A device that used one ratchet key and counter for two messages: did it go back once and go on from there, or do
//! two copies of it write in turn? Each branch goes on exactly where it stood itself, so the counters tell.

use super::book::Sighting;
use crate::model::{Confidence, Position};
use crate::omemo::PublicKey;
use std::path::Path;
use std::sync::Arc;

/// Turns from one branch to the other that are kept: two are proof.
const MAX_TURNS: usize = 4;

/// Repetitions that are followed.
const MAX_REPETITIONS: usize = 256;

/// Ratchet keys that are followed after the first repetition.
const MAX_KEYS: usize = 16;

/// What followed the first repetition.
#[derive(Clone, Debug)]
pub struct Branches {
    /// The first use of the repeated counter.
    pub first: Position,
    /// The second use.
    pub second: Sighting,
    /// The repeated counter.
    pub counter: u32,
    /// Where a branch goes on after the other one had written.
    pub turns: Vec<Turn>,
    /// Where the later branch passes the end of the earlier one.
    pub passed: Option<Sighting>,
    /// Where a ratchet key is in use again after another one.
    pub returns: Vec<Sighting>,
    ratchet_key: PublicKey,
    /// The last counters of the earlier and of the later branch.
    ends: [u32; 2],
    /// The branch that wrote last.
    current: usize,
    /// Ratchet keys in use since, with their last counters.
    keys: Vec<(PublicKey, u32)>,
    current_key: PublicKey,
    /// Repetitions that were seen, to know their copies: the same stanza comes back from a room.
    repetitions: Vec<(u32, Option<String>)>,
}

/// A branch goes on.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The stanza.
    pub at: Sighting,
    /// Its counter.
    pub counter: u32,
    /// This counter had been used before.
    pub repeated: bool,
}

impl Branches {
    /// Begins with a repetition; the chain had come as far as `end`.
    pub fn begin(ratchet_key: PublicKey, counter: u32, end: u32, first: Position, second: Sighting) -> Self {
        Self {
            first,
            repetitions: vec![(counter, second.id.clone())],
            second,
            counter,
            turns: Vec::new(),
            passed: None,
            returns: Vec::new(),
            ratchet_key,
            ends: [end, counter],
            current: 1,
            keys: vec![(ratchet_key, counter)],
            current_key: ratchet_key,
        }
    }

    /// Notes the next stanza that is no mere copy of an earlier one.
    pub fn note(&mut self, ratchet_key: &PublicKey, counter: u32, repeated: bool, at: &Sighting) {
        if repeated {
            let repetition = (counter, at.id.clone());
            if self.repetitions.len() >= MAX_REPETITIONS || self.repetitions.contains(&repetition) {
                return;
            }
            self.repetitions.push(repetition);
        }
        self.note_key(ratchet_key, counter, at);
        if *ratchet_key != self.ratchet_key {
            return;
        }
        let follows = |end: u32| end.checked_add(1) == Some(counter);
        let other = 1 - self.current;
        // Where both could have written it, or lines are missing, it is no sign of a turn.
        let turned = !follows(self.ends[self.current]) && follows(self.ends[other]);
        if turned {
            self.current = other;
            if self.turns.len() < MAX_TURNS {
                self.turns.push(Turn { at: at.clone(), counter, repeated });
            }
        }
        self.ends[self.current] = counter;
        if self.passed.is_none() && self.current == 1 && counter > self.ends[0] {
            self.passed = Some(at.clone());
        }
    }

    fn note_key(&mut self, ratchet_key: &PublicKey, counter: u32, at: &Sighting) {
        let again = *ratchet_key != self.current_key;
        self.current_key = *ratchet_key;
        let room = self.keys.len() < MAX_KEYS;
        match self.keys.iter_mut().find(|(key, _)| key == ratchet_key) {
            Some((_, last)) => {
                if again && last.checked_add(1) == Some(counter) && self.returns.len() < MAX_TURNS {
                    self.returns.push(at.clone());
                }
                *last = counter;
            }
            None if room => self.keys.push((*ratchet_key, counter)),
            None => {}
        }
    }

    /// How surely two copies write in turn. Two turns, each exactly where the branch stood, have no other
    /// explanation; one may be a second step back, if it repeats a counter, and just missing lines, if not.
    pub fn clone_confidence(&self) -> Option<Confidence> {
        match self.turns.as_slice() {
            [] => None,
            [turn] => turn.repeated.then_some(Confidence::Likely),
            _ => Some(Confidence::Proven),
        }
    }

    /// Whether it went back once and on past the old end, and nothing of the earlier branch came any more.
    pub fn went_on(&self) -> bool {
        self.turns.is_empty() && self.returns.is_empty() && self.passed.is_some()
    }
}

/// The connections (full addresses) over which one device sends, within one log.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// Resources, the present one last.
    resources: Vec<String>,
    file: Option<Arc<Path>>,
    returns: Vec<Sighting>,
}

/// Resources of one device that are kept: many clients draw a new one for each connection.
const MAX_RESOURCES: usize = 4;

impl Connections {
    /// Notes a stanza that came live.
    pub fn note(&mut self, resource: &str, at: &Sighting) {
        if self.file.as_ref() != Some(&at.position.file) {
            // Another log may tell the same once more.
            self.file = Some(at.position.file.clone());
            self.resources.clear();
        }
        if self.resources.last().is_some_and(|last| last == resource) {
            return;
        }
        if let Some(known) = self.resources.iter().position(|r| r == resource) {
            self.resources.remove(known);
            if self.returns.len() < MAX_TURNS {
                self.returns.push(at.clone());
            }
        } else if self.resources.len() >= MAX_RESOURCES {
            self.resources.remove(0);
        }
        self.resources.push(resource.to_owned());
    }

    /// Where a resource sends again after another one; one return may be a client that could not get its usual one.
    pub fn returns(&self) -> &[Sighting] {
        &self.returns
    }
}
