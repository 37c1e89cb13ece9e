//! Evidence of many messages, put together: what says the same in several places is said once.

use super::shared::EvidenceView;
use crate::model::{Evidence, EvidenceKind};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Places that are named for one piece of evidence.
const SHOWN_PLACES: usize = 3;

/// One thing that is said, and where.
#[derive(Debug)]
struct Piece {
    kind: EvidenceKind,
    says: Arc<str>,
    places: Vec<Box<str>>,
    /// All places, hashed: enough to count them.
    seen: HashSet<u64>,
}

/// The pieces.
#[derive(Debug, Default)]
pub struct JoinedEvidence {
    pieces: Vec<Piece>,
    known: HashMap<(EvidenceKind, Arc<str>), usize>,
}

impl JoinedEvidence {
    /// Adds a piece.
    pub fn add(&mut self, evidence: &Evidence) {
        let number = *self.known.entry((evidence.kind, evidence.says.clone())).or_insert(self.pieces.len());
        if number == self.pieces.len() {
            let says = evidence.says.clone();
            self.pieces.push(Piece { kind: evidence.kind, says, places: Vec::new(), seen: HashSet::new() });
        }
        let Some(piece) = self.pieces.get_mut(number) else { return };
        if piece.seen.insert(hashed(&evidence.place)) && piece.places.len() < SHOWN_PLACES {
            piece.places.push(evidence.place.clone());
        }
    }

    /// The first pieces, and how many more there are.
    pub fn pieces(self, shown: usize) -> (Vec<EvidenceView>, usize) {
        let more = self.pieces.len().saturating_sub(shown);
        (self.pieces.into_iter().take(shown).map(Piece::view).collect(), more)
    }
}

impl Piece {
    fn view(self) -> EvidenceView {
        let mut place = self.places.join(", ");
        if self.seen.len() > self.places.len() {
            place.push_str(&format!(" and {} more", self.seen.len() - self.places.len()));
        }
        EvidenceView { kind: self.kind.as_str(), place, says: self.says.to_string() }
    }
}

fn hashed(place: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    hasher.finish()
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
