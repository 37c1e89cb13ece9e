//! The messages in view. What a message comes to rests on what came before it and on what came after, so the newest
//! ones are kept until there is enough after them; a log shorter than the window is kept whole.

use super::outcome::Outcome;
use std::collections::VecDeque;
use std::ops::Range;

/// Messages that are seen behind one before it is judged. More is known of a message the later it is judged; this many
/// are the log of months for a person, and take some ten megabytes.
const LOOK_AHEAD: usize = 1 << 14;

/// The messages that are not judged yet, and their places among all.
#[derive(Debug, Default)]
pub struct Window {
    outcomes: VecDeque<Outcome>,
    /// How many were judged.
    judged: usize,
}

impl Window {
    /// How many messages have been seen.
    pub fn end(&self) -> usize {
        self.judged + self.outcomes.len()
    }

    /// The places of the messages in view.
    pub fn orders(&self) -> Range<usize> {
        self.judged..self.end()
    }

    /// The message at this place among all, if it is in view.
    pub fn get(&self, order: usize) -> Option<&Outcome> {
        self.outcomes.get(order.checked_sub(self.judged)?)
    }

    /// The newest message.
    pub fn newest_mut(&mut self) -> Option<&mut Outcome> {
        self.outcomes.back_mut()
    }

    /// The next message comes into view.
    pub fn push(&mut self, outcome: Outcome) {
        self.outcomes.push_back(outcome);
    }

    /// How far the messages can be judged now; `None` if there is room for more.
    pub fn ripe(&self) -> Option<usize> {
        (self.outcomes.len() >= 2 * LOOK_AHEAD).then(|| self.end() - LOOK_AHEAD)
    }

    /// Lets go of the messages up to this place.
    pub fn forget(&mut self, until: usize) {
        self.outcomes.drain(..until.saturating_sub(self.judged).min(self.outcomes.len()));
        self.judged = until.max(self.judged);
    }
}
