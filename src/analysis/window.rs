//! The messages in view. What a message comes to rests on what came before it and on what came after, so the newest
//! ones are kept until there is enough after them; a log shorter than the window is kept whole.

use super::client_words::{Kind, Said};
use super::outcome::{Origin, Outcome};
use crate::model::{Direction, Position, Wrapper};
use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Messages that are seen behind one before it is judged. More is known of a message the later it is judged; this many
/// are the log of months for a person, and take some ten megabytes.
const LOOK_AHEAD: usize = 1 << 14;

/// The messages that are not judged yet, and their places among all.
#[derive(Debug, Default)]
pub struct Window {
    outcomes: VecDeque<Outcome>,
    /// How many were judged.
    judged: usize,
    told: Option<Told>,
    /// The first message since a client's last line: where several came at once, their lines follow in their order.
    burst: usize,
    /// A client's line came after the newest message.
    spoken: bool,
    /// How far the log at hand has come: behind the newest message, or behind one that another log held, too.
    at: usize,
}

/// What more lines of a client will be about.
#[derive(Debug)]
struct Told {
    file: Arc<Path>,
    /// The message, if it is one in view.
    order: Option<usize>,
    /// All lines are, up to the next try; else only the next one.
    trying: bool,
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

    fn get_mut(&mut self, order: usize) -> Option<&mut Outcome> {
        self.outcomes.get_mut(order.checked_sub(self.judged)?)
    }

    /// The newest message.
    pub fn newest_mut(&mut self) -> Option<&mut Outcome> {
        self.outcomes.back_mut()
    }

    /// Puts what a client said beside the message that it is about; gives it back where there is none.
    pub fn comment(&mut self, said: Said) -> Option<Said> {
        let tries = said.words.is_try();
        let order = match self.goes_on(&said) {
            Some(told) => told,
            None if tries => self.tried(&said).or_else(|| self.about(&said)),
            None => self.about(&said),
        };
        self.spoken = true;
        if tries || said.words.goes_on {
            self.told = Some(Told { file: said.position.file.clone(), order, trying: tries });
        }
        let Some(outcome) = order.and_then(|order| self.get_mut(order)) else { return Some(said) };
        if said.words.kind == Kind::Done && (said.quoted.is_none() || said.quoted != outcome.header.beside) {
            return None;
        }
        if tries {
            outcome.comments.begin(said);
        } else if said.words.is_outcome() || said.words.kind == Kind::Opened {
            outcome.comments.add(said);
        }
        None
    }

    /// What the lines before this one say that it is about.
    fn goes_on(&mut self, said: &Said) -> Option<Option<usize>> {
        let told = self.told.take_if(|told| told.file == said.position.file && !told.trying);
        if let Some(told) = told {
            return Some(told.order);
        }
        let told = self.told.as_ref().filter(|told| told.file == said.position.file && !said.words.is_try())?;
        let named = told.order.and_then(|order| Place::of(self.get(order)?, said).named);
        (named != Some(false)).then_some(told.order)
    }

    /// The message that a client begins to try: of several that came at once the first that it has not tried yet.
    fn tried(&self, said: &Said) -> Option<usize> {
        let recent = self.burst.max(self.at.saturating_sub(RECENT)).max(self.judged);
        (recent..self.at).find(|order| {
            self.get(*order).is_some_and(|outcome| {
                let place = Place::of(outcome, said);
                place.before && place.named != Some(false) && !outcome.comments.begun()
            })
        })
    }

    /// The message that a line is about.
    fn about(&self, said: &Said) -> Option<usize> {
        let recent = self.at.saturating_sub(RECENT).max(self.judged);
        let places: Vec<_> = (recent..self.at).filter_map(|order| Some(Place::of(self.get(order)?, said))).collect();
        let chosen = choose(&places, said.is_late() && said.words.is_outcome())?;
        Some(recent + chosen)
    }

    /// The next message comes into view.
    pub fn push(&mut self, outcome: Outcome) {
        self.comes_to(self.end(), &outcome.header.position.file);
        self.outcomes.push_back(outcome);
    }

    /// A message in view stands in another log, too; `false` if it is not in view any more.
    pub fn stands_also(&mut self, order: usize, position: &Position) -> bool {
        let Some(outcome) = self.get_mut(order) else { return false };
        if outcome.header.also_at.len() < MAX_LOGS {
            outcome.header.also_at.push(position.clone());
        }
        self.comes_to(order, &position.file);
        true
    }

    /// A log comes to a message.
    fn comes_to(&mut self, order: usize, file: &Arc<Path>) {
        if std::mem::take(&mut self.spoken) || order != self.at {
            self.burst = order;
        }
        self.at = order + 1;
        self.told.take_if(|told| told.file == *file);
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

/// Other logs that are named of one message.
const MAX_LOGS: usize = 4;

/// Messages before a client's line that it may be about.
const RECENT: usize = 64;

/// Whether a client's line may be about a message.
struct Place {
    /// It stands before the line, in the same log, and the client had to decrypt it.
    before: bool,
    /// The line names its sender; `None` if the line names nobody.
    named: Option<bool>,
    /// It opens, or the client has said already what became of it.
    settled: bool,
}

impl Place {
    fn of(outcome: &Outcome, said: &Said) -> Self {
        let header = &outcome.header;
        let sent = outcome.origin == Origin::ThisDevice
            && header.wrapper == Wrapper::Direct
            && header.direction == Some(Direction::Outgoing);
        let mut places = std::iter::once(&header.position).chain(&header.also_at);
        let at_hand = places.find(|at| at.file == said.position.file);
        let subject = &said.subject;
        let same_jid = subject.jid.as_ref().map(|jid| header.from.as_ref() == Some(jid) || header.room.as_ref() == Some(jid));
        let same_device = subject.device_id.map(|id| outcome.element.sid() == Some(id));
        Self {
            before: at_hand.is_some_and(|at| at.line < said.position.line) && !sent,
            named: same_device.or(same_jid),
            settled: outcome.opened_by.is_some() || outcome.comments.tell_outcome(),
        }
    }
}

/// The message that a line is about: the newest one of the device that it names, else the newest one; of a client that
/// lags behind, the newest of which nothing is known yet.
fn choose(places: &[Place], late: bool) -> Option<usize> {
    let newest = places.iter().rposition(|place| place.before)?;
    if let Some(named) = places.iter().rposition(|place| place.before && place.named == Some(true)) {
        return Some(named);
    }
    if places.get(newest)?.named == Some(false) {
        return None;
    }
    let unsettled = || places.iter().rposition(|place| place.before && !place.settled);
    Some(if late { unsettled().unwrap_or(newest) } else { newest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(named: Option<bool>, settled: bool) -> Place {
        Place { before: true, named, settled }
    }

    #[test]
    fn a_line_is_about_the_message_before_it() {
        assert_eq!(choose(&[place(None, false), place(None, false)], false), Some(1));
        assert_eq!(choose(&[], false), None);
        assert_eq!(choose(&[Place { before: false, named: None, settled: false }], false), None);
    }

    #[test]
    fn a_line_that_names_a_device_is_about_that() {
        assert_eq!(choose(&[place(Some(true), false), place(Some(false), false)], false), Some(0));
        assert_eq!(choose(&[place(Some(false), false)], false), None);
    }

    #[test]
    fn a_client_that_lags_behind_says_one_thing_of_each() {
        assert_eq!(choose(&[place(None, false), place(None, false)], true), Some(1));
        assert_eq!(choose(&[place(None, false), place(None, true)], true), Some(0));
        assert_eq!(choose(&[place(None, true), place(None, true)], true), Some(1));
    }
}
