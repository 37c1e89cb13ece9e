//! Evidence of many messages, put together: what says the same in several places is said once.

use super::shared::EvidenceView;
use crate::model::{Evidence, EvidenceKind};
use std::collections::HashMap;
use std::sync::Arc;

/// Places that are named for one piece of evidence.
const SHOWN_PLACES: usize = 3;

/// One thing that is said, and where.
#[derive(Debug)]
struct Piece {
    kind: EvidenceKind,
    says: Arc<str>,
    places: Vec<Box<str>>,
    last: Box<str>,
    /// How many places there are.
    count: usize,
}

/// Pieces that are kept apart; of a thousand messages with a thousand reasons nobody reads all.
const MAX_PIECES: usize = 100;

/// The pieces.
#[derive(Debug, Default)]
pub struct JoinedEvidence {
    pieces: Vec<Piece>,
    known: HashMap<(EvidenceKind, Arc<str>), usize>,
    /// Pieces that are not kept.
    more: usize,
}

impl JoinedEvidence {
    /// Adds a piece.
    pub fn add(&mut self, evidence: &Evidence) {
        let key = (evidence.kind, evidence.says.clone());
        if let Some(piece) = self.known.get(&key).and_then(|number| self.pieces.get_mut(*number)) {
            piece.add(&evidence.place);
        } else if self.pieces.len() < MAX_PIECES {
            let (places, last) = (vec![evidence.place.clone()], evidence.place.clone());
            self.known.insert(key, self.pieces.len());
            self.pieces.push(Piece { kind: evidence.kind, says: evidence.says.clone(), places, last, count: 1 });
        } else {
            self.more += 1;
        }
    }

    /// The first pieces, and how many more there are.
    pub fn pieces(&self, shown: usize) -> (Vec<EvidenceView>, usize) {
        let more = self.pieces.len().saturating_sub(shown) + self.more;
        (self.pieces.iter().take(shown).map(Piece::view).collect(), more)
    }
}

impl Piece {
    /// Messages come in order, so a place that comes again mostly comes at once.
    fn add(&mut self, place: &str) {
        if *self.last == *place || self.places.iter().any(|known| **known == *place) {
            return;
        }
        self.count += 1;
        self.last = place.into();
        if self.places.len() < SHOWN_PLACES {
            self.places.push(place.into());
        }
    }

    fn view(&self) -> EvidenceView {
        let mut place = self.places.join(", ");
        if self.count > self.places.len() {
            place.push_str(&format!(" and {} more", self.count - self.places.len()));
        }
        EvidenceView { kind: self.kind.as_str(), place, says: self.says.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(place: &str, says: &str) -> Evidence {
        Evidence { kind: EvidenceKind::Stanza, place: place.into(), says: says.into() }
    }

    #[test]
    fn what_says_the_same_is_said_once() {
        let mut joined = JoinedEvidence::default();
        for place in ["a", "b", "a", "c", "d", "e"] {
            joined.add(&evidence(place, "same"));
        }
        joined.add(&evidence("a", "other"));
        let (pieces, more) = joined.pieces(1);
        assert_eq!((pieces.len(), more), (1, 1));
        assert_eq!(pieces[0].place, "a, b, c and 2 more");
    }
}
