//! What shows only later in the capture: how old the store copy is, and how the client went on.

use super::beyond_copy::BeyondCopy;
use super::newer_copy::UsedUp;
use super::own_ratchet_moved::own_ratchet_moved;
use super::{Scene, Whole};
use crate::analysis::book::Sighting;
use crate::analysis::outcome::Outcome;
use crate::analysis::trial::RatchetFact;
use crate::model::{BareJid, Confidence};
use std::collections::{HashMap, VecDeque};

/// What shows only later.
#[derive(Debug, Default)]
pub struct Hindsight {
    /// Messages that came live under keys that the store copy had used up.
    pub(super) used_up: UsedUp,
    /// How the client fares with what the copy cannot open.
    pub(super) beyond_copy: BeyondCopy,
    /// The same, without the messages that are not judged yet.
    judged: BeyondCopy,
    /// A message whose failure by itself shows that our store is an older copy.
    pub(super) rolled_back: Option<RolledBack>,
    /// The last messages of each device that were read: now, or before the store copy was made.
    read: HashMap<(Option<BareJid>, u32), VecDeque<usize>>,
}

/// Messages of one device that are kept as the last that were read.
const LAST_READ: usize = 8;

/// A message that shows by itself that our store is an older copy.
#[derive(Clone, Debug)]
pub struct RolledBack {
    /// Its place among all messages.
    pub order: usize,
    /// The sender's device.
    pub sid: u32,
    /// Where it stands.
    pub sighting: Sighting,
    /// How surely it shows that.
    pub confidence: Confidence,
}

impl Hindsight {
    /// Takes the next message.
    pub fn note(&mut self, order: usize, outcome: &Outcome) {
        self.used_up.note(order, outcome);
        let read = outcome.trial().is_some_and(|trial| match trial.ratchet {
            Some(RatchetFact::Opened) => true,
            // What comes a second time was not read now.
            Some(RatchetFact::Used { .. }) => outcome.is_live(),
            _ => false,
        });
        if let Some(sid) = outcome.element.sid().filter(|_| read && outcome.seen_before.is_none()) {
            let orders = self.read.entry((outcome.header.from.clone(), sid)).or_default();
            if orders.len() >= LAST_READ {
                orders.pop_front();
            }
            orders.push_back(order);
        }
    }

    /// Whether a later message of the same device is read: whatever was wrong with the session is over.
    pub(super) fn read_later(&self, scene: &Scene<'_>) -> bool {
        let device = scene.outcome.element.sid().map(|sid| (scene.outcome.header.from.clone(), sid));
        let orders = device.and_then(|device| self.read.get(&device)).into_iter().flatten();
        // A copy of the store may open what the client itself could not.
        let refused = |order: usize| scene.whole.window.get(order).is_some_and(|later| later.comments.tell_outcome());
        orders.filter(|read| **read > scene.order).any(|read| !refused(*read))
    }

    /// This, with what the messages in view show; those before `until` are judged next. `whole` is everything with what
    /// showed before.
    pub fn look(whole: &Whole<'_>, until: usize) -> Looked {
        let mut judged = whole.hindsight.judged.clone();
        let orders = whole.window.orders();
        (orders.start..until).filter_map(|order| whole.scene(order)).for_each(|scene| judged.note(&scene));
        let mut beyond_copy = judged.clone();
        (until..orders.end).filter_map(|order| whole.scene(order)).for_each(|scene| beyond_copy.note(&scene));
        Looked { judged, beyond_copy }
    }

    /// Keeps what a look has shown.
    pub fn keep(&mut self, looked: Looked) {
        self.judged = looked.judged;
        self.beyond_copy = looked.beyond_copy;
    }

    /// Looks for a message that shows by itself that our store is an older copy; one that only may show it is taken
    /// where there is no better.
    pub fn find_rolled_back(whole: &Whole<'_>) -> Option<RolledBack> {
        let known = whole.hindsight.rolled_back.clone();
        if known.as_ref().is_some_and(|known| known.confidence > Confidence::Possible) {
            return known;
        }
        let mut possible = known;
        let signs = whole.window.orders().filter_map(|order| sign(&whole.scene(order)?));
        let surer = |found: RolledBack| match found.confidence {
            Confidence::Possible => {
                possible.get_or_insert(found);
                None
            }
            _ => Some(found),
        };
        signs.into_iter().find_map(surer).or(possible)
    }

    /// Keeps what was found.
    pub fn keep_rolled_back(&mut self, found: Option<RolledBack>) {
        self.rolled_back = found;
    }
}

/// What a look at the messages in view has shown.
#[derive(Debug)]
pub struct Looked {
    judged: BeyondCopy,
    beyond_copy: BeyondCopy,
}

fn sign(scene: &Scene<'_>) -> Option<RolledBack> {
    let outcome = scene.outcome;
    let moved = own_ratchet_moved(scene)?;
    let header = &outcome.header;
    let sighting = Sighting { position: header.position.clone(), id: header.id.as_deref().map(Into::into) };
    let old = !moved.within_capture || scene.client_failed();
    (old && outcome.opened_by.is_none()).then_some(RolledBack {
        order: scene.order,
        sid: outcome.element.sid()?,
        sighting,
        confidence: moved.confidence,
    })
}
