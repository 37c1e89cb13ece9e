//! The proof that receiver-rolled-back and beyond-snapshot share: our own ratchet went on beyond a store
//! copy. It needs no key: our own outgoing stanzas show our ratchet keys in clear.

use super::{Scene, computed, in_stanza, in_store};
use crate::analysis::trial::{RatchetFact, SessionFact};
use crate::model::{Confidence, Evidence};

/// What proves that our ratchet went on.
pub(super) struct Moved {
    pub confidence: Confidence,
    pub evidence: Vec<Evidence>,
}

/// Looks for the proof. Only messages in a chain that the copy does not know can be explained by it.
pub(super) fn own_ratchet_moved(scene: &Scene<'_>) -> Option<Moved> {
    let outcome = scene.outcome;
    let key = outcome.key_fact()?;
    let trial = outcome.trials.first()?;
    let unknown_chain = match &trial.ratchet {
        Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep | RatchetFact::NoRatchetKey) => true,
        None => trial.exchange.is_none() && trial.session == SessionFact::Missing,
        Some(_) => false,
    };
    if !unknown_chain {
        return None;
    }
    let mut moved = Moved { confidence: Confidence::Likely, evidence: Vec::new() };
    if let Some(later) = outcome.trials.iter().skip(1).find(|t| t.their_ratchet_keys.contains(&key.ratchet_key)) {
        moved.confidence = Confidence::Proven;
        moved.evidence.push(in_store(format!("store {}", later.snapshot + 1), "a later copy of the store knows this chain"));
    }
    if let Some(newest) = outcome.own_newest.as_ref().filter(|n| !trial.own_ratchet_keys.contains(&n.ratchet_key)) {
        // The copy's own key was shown before the newest one: then the newest one is certainly later.
        let copy_shown = outcome.own_seen.iter().any(|k| trial.own_ratchet_keys.contains(k));
        if copy_shown || trial.ratchet == Some(RatchetFact::BeyondOneStep) {
            moved.confidence = Confidence::Proven;
        }
        let says = format!("we sent with ratchet key {}…, which the copy does not hold", short(&newest.ratchet_key.to_string()));
        moved.evidence.push(in_stanza(&newest.first, says));
    }
    if trial.ratchet == Some(RatchetFact::BeyondOneStep) {
        moved.confidence = Confidence::Proven;
        moved.evidence.push(computed("the sender's ratchet turned twice since the copy: between the turns our client made a ratchet key that no copy holds"));
    }
    if let Some(peer) = &outcome.peer {
        let known = |k| trial.own_ratchet_keys.contains(k);
        if peer.our_ratchet_keys.last().is_some_and(|k| !known(k)) && peer.sender_ratchet_keys.contains(&key.ratchet_key) {
            moved.confidence = Confidence::Proven;
            moved
                .evidence
                .push(in_store(&peer.place, "the sender has received a ratchet key of ours that the copy does not hold"));
        }
    }
    (!moved.evidence.is_empty()).then_some(moved)
}

fn short(hex: &str) -> &str {
    hex.get(..8).unwrap_or(hex)
}
