//! The proof that receiver-rolled-back and beyond-snapshot share: our own ratchet went on beyond a store
//! copy. It needs no key: our own outgoing stanzas show our ratchet keys in clear.

use super::{RolledBack, Scene, altered, beyond_copy, chain_age, computed, in_stanza, in_store, newer_copy, sender_rolled_back};
use crate::analysis::trial::{RatchetFact, SessionFact, Trial};
use crate::model::{Confidence, Evidence};
use std::cmp::Ordering;

/// What shows that our ratchet went on.
pub(super) struct Moved {
    pub confidence: Confidence,
    pub evidence: Vec<Evidence>,
    /// It went on within this capture, after a message that the copy itself could read: the copy is just
    /// older than the capture, and nothing says that the client works with an old one.
    pub within_capture: bool,
}

/// Looks for the proof. Only messages in a chain that the copy does not know can be explained by it.
pub(super) fn own_ratchet_moved(scene: &Scene<'_>) -> Option<Moved> {
    let outcome = scene.outcome;
    let key = outcome.key_fact()?;
    let trial = outcome.trial()?;
    let unknown_chain = match &trial.ratchet {
        // What begins a session comes in its first chain: another ratchet key in it is no turn.
        Some(RatchetFact::NewChainBadMac { .. }) => trial.exchange.is_none(),
        Some(RatchetFact::BeyondOneStep | RatchetFact::NoRatchetKey) => true,
        None => trial.exchange.is_none() && trial.session == SessionFact::Missing && !lost_session(scene),
        Some(_) => false,
    };
    if unknown_chain && let Some(moved) = went_back_before(scene) {
        return Some(moved);
    }
    if !unknown_chain || went_on(scene, trial) || newer_copy::used_up_later(scene) || newer_copy::knows_later_chain(scene) {
        return None;
    }
    // What proves another cause of this one failure says nothing about the copy.
    let denied = outcome.comments.failure().is_some_and(|said| said.words.denies_session());
    if trial.associated_data.is_some() || denied || altered::altered(scene).is_some() || beyond_copy::client_read_on(scene) {
        return None;
    }
    let theirs = &scene.whole.book.theirs;
    let (namespace, sid) = (outcome.namespace()?, outcome.element.sid()?);
    // Other messages of this very chain open.
    if theirs.first_opener(namespace, sid, &key.ratchet_key).is_some_and(|copy| copy <= trial.snapshot) {
        return None;
    }
    // A later copy has the key, and it does not fit: what is wrong with the message has nothing to do with this one.
    let fails = |later: &Trial| later.snapshot > trial.snapshot && later.ratchet == Some(RatchetFact::KnownChainBadMac);
    if outcome.trials.iter().any(fails) {
        return None;
    }
    let within_capture = beyond_copy::began_beyond(scene);
    let mut moved = Moved { confidence: Confidence::Likely, evidence: Vec::new(), within_capture };
    let knows = |later: &&Trial| later.snapshot > trial.snapshot && later.keys.knows_chain;
    let later = outcome.trials.iter().find(knows).filter(|_| !trial.keys.holds_newest);
    if let Some(copy) = later.and_then(|later| scene.own()?.replays.get(later.snapshot)) {
        moved.proven(in_store(copy.account.sessions_place(), "a later copy of the store knows this chain"));
    }
    // Of two copies the later one has a key that nobody saw, and the earlier one is behind: that key is the newer one.
    let ahead = !trial.keys.behind && outcome.trials.iter().any(|t| t.snapshot < trial.snapshot && t.keys.behind);
    if let Some(newest) = scene.own_newest().filter(|_| !trial.keys.holds_newest && !ahead) {
        let says = format!(
            "your client sent with ratchet key {}…, which the copy does not hold",
            short(&newest.ratchet_key.to_string())
        );
        // The copy's own key was shown before the newest one: then the newest one is certainly later.
        if trial.keys.holds_shown {
            moved.confidence = Confidence::Proven;
        }
        moved.evidence.push(in_stanza(&newest.first.position, says));
    }
    // Our own key exchange in this capture began a session that the copy could not have yet.
    let began = scene.own_exchange().filter(|_| !trial.keys.holds_exchange);
    let since = theirs.order(namespace, sid, &key.ratchet_key);
    moved.within_capture |= began.is_some_and(|own| trial.ratchet.is_none() || since.is_some_and(|since| since >= own.order));
    if trial.ratchet == Some(RatchetFact::BeyondOneStep) {
        let answer = scene.own_newest().zip(trial.turned_at).map(|(own, turned)| own.order > turned);
        let several = theirs.failed_in_chain(namespace, sid, &key.ratchet_key) >= SEVERAL;
        // The sender turns its ratchet only after an answer, and the capture shows none; a damaged key looks like this.
        if answer == Some(false) && !several && key.counter > 0 && outcome.own_exchange.is_none() {
            return None;
        }
        let says = "the sender's ratchet turned twice since the copy: between the turns your client made a ratchet key that no copy holds";
        moved.evidence.push(computed(says));
        // A message alone may have been altered; several of one chain were not.
        if answer == Some(true) && several {
            moved.confidence = Confidence::Proven;
        }
        moved.within_capture |= trial.turned_at.is_some_and(|turned| scene.own_newest().is_none_or(|own| own.order >= turned));
    }
    if let Some(peer) = &outcome.peer
        && trial.ratchet.is_some()
        && !trial.keys.holds_received
        && peer.sender_ratchet_keys.contains(&key.ratchet_key)
    {
        let evidence = in_store(&peer.place, "the sender has received a ratchet key of your client that the copy does not hold");
        if sender_rolled_back::behind(scene).is_some() {
            return None;
        }
        // Our copy's key first, then this one: the sender is ahead of the copy, not behind it.
        if trial.keys.holds_earlier_received || trial.keys.steps == Some(Ordering::Less) {
            moved.proven(evidence);
        } else {
            moved.evidence.push(evidence);
        }
    }
    if moved.within_capture && beyond_copy::one_complaint(scene) {
        return None;
    }
    if sender_branched(scene) {
        // The sender's device had gone back, or runs twice: an unknown chain may be of the other branch.
        let answered = scene.own_newest().is_some() && !trial.keys.holds_newest && !ahead;
        moved.confidence = moved.confidence.min(Confidence::Likely);
        return Some(moved).filter(|moved| answered && !moved.evidence.is_empty());
    }
    moved.add_counters(scene, trial);
    if moved.evidence.is_empty() || moved.confidence == Confidence::Proven {
        return Some(moved).filter(|moved| !moved.evidence.is_empty());
    }
    // Signs count for nothing where the copy is newer than the message, or the chain an older one.
    if newer_copy::sent_later(scene) || chain_age::is_older(scene).is_some() {
        return None;
    }
    let surely = |other: &RolledBack| other.confidence > Confidence::Possible && Some(other.sid) != outcome.element.sid();
    let elsewhere = scene.whole.hindsight.rolled_back.as_ref().is_some_and(surely);
    let open = outcome.peer.is_none() && chain_age::may_be_dropped(scene, trial);
    if open && !elsewhere && !chain_age::is_newer(scene, trial) || !elsewhere && came_back(scene, trial) {
        moved.confidence = Confidence::Possible;
    }
    Some(moved)
}

/// The client itself had gone back before it failed at this message, and the store at hand is from afterwards: what the
/// client sent in between shows that it had used newer keys.
fn went_back_before(scene: &Scene<'_>) -> Option<Moved> {
    let reuse = scene.whole.book.ours.reuses().iter().find(|reuse| scene.is_after(&reuse.second.position))?;
    (scene.client_failed() && newer_copy::copy_is_newer(scene)).then(|| Moved {
        confidence: Confidence::Likely,
        evidence: vec![
            in_stanza(&reuse.first, format!("your client's ratchet key with counter {}", reuse.counter)),
            in_stanza(&reuse.second, "the same ratchet key and counter with other contents: it had gone back to an older state"),
        ],
        within_capture: false,
    })
}

/// Whether the sender's device had used one key for two messages before this one.
fn sender_branched(scene: &Scene<'_>) -> bool {
    let Some(sid) = scene.outcome.element.sid() else { return false };
    let timeline = &scene.whole.hindsight.used_up.timeline;
    let branches = timeline.branches_of(scene.outcome.header.from.as_ref(), sid);
    branches.is_some_and(|branches| scene.is_after(&branches.second.position))
}

/// The sender goes on in a chain that the copy knows, so that its ratchet has not turned: this chain was never
/// one of its newer ones.
pub(super) fn went_on(scene: &Scene<'_>, trial: &Trial) -> bool {
    let outcome = scene.outcome;
    let (Some(key), Some(namespace), Some(sid)) = (outcome.key_fact(), outcome.namespace(), outcome.element.sid()) else {
        return false;
    };
    let known_since = || scene.whole.book.theirs.order(namespace, sid, &trial.newest_chain?);
    let answer = scene.own_newest().filter(|_| !trial.keys.holds_newest);
    if answer.is_some_and(|own| known_since().is_none_or(|since| own.order >= since)) {
        // We answered with a key that the copy does not hold: our ratchet turned all the same.
        return false;
    }
    let current = outcome.peer.as_ref().is_some_and(|p| p.sender_ratchet_keys.first() == Some(&key.ratchet_key));
    let later = outcome.trials.iter().any(|t| t.snapshot > trial.snapshot && t.keys.knows_chain);
    !current && !later && trial.newest_chain.is_some_and(|known| scene.whole.book.theirs.went_on_in(namespace, sid, &known, key))
}

/// A message of the chain that the copy knows opened later. It may just be late; but a sender that had turned its
/// ratchet would not have written it.
fn came_back(scene: &Scene<'_>, trial: &Trial) -> bool {
    let (Some(namespace), Some(sid)) = (scene.outcome.namespace(), scene.outcome.element.sid()) else { return false };
    trial.newest_chain.is_some_and(|known| scene.whole.book.theirs.opened_after(namespace, sid, &known, scene.order))
}

/// The copy knows the sender's device, but has no session with it, and this capture shows none that began: it was
/// deleted. What we sent in it before proves nothing about the copy's age.
fn lost_session(scene: &Scene<'_>) -> bool {
    let outcome = scene.outcome;
    let Some(account) = scene.account() else { return false };
    let known = account
        .devices
        .iter()
        .any(|d| Some(&d.jid) == outcome.header.from.as_ref() && d.device_id.is_none_or(|id| Some(id) == outcome.element.sid()));
    known && outcome.own_exchange.is_none()
}

impl Moved {
    fn proven(&mut self, evidence: Evidence) {
        self.confidence = Confidence::Proven;
        self.evidence.push(evidence);
    }

    /// Signs in the clear: whole chains that fail, and a previous counter that does not fit the chain we know.
    fn add_counters(&mut self, scene: &Scene<'_>, trial: &Trial) -> Option<()> {
        // The sender's own store, where it is given, says more than counters; and a key exchange has no chain before it.
        let first_message = trial.exchange.as_ref().is_some_and(|e| !e.base_key_known);
        if first_message || scene.outcome.peer.is_some() || !matches!(trial.ratchet, Some(RatchetFact::NewChainBadMac { .. })) {
            return None;
        }
        let key = scene.outcome.key_fact()?;
        let failed =
            scene.whole.book.theirs.failed_in_chain(scene.outcome.namespace()?, scene.outcome.element.sid()?, &key.ratchet_key);
        let index = trial.newest_chain_index.unwrap_or(0);
        // The libsignal family writes one less than the chain's length.
        if index > key.previous_counter.saturating_add(1) {
            self.evidence.push(scene.stanza(format!(
                "the sender's previous chain had {} messages, the newest chain that the copy knows has at least {index}: it is another one",
                key.previous_counter
            )));
        } else if failed >= SEVERAL {
            let parted = if chain_age::may_be_dropped(scene, trial) { "" } else { ", the two ratchets have parted" };
            self.evidence.push(computed(format!(
                "{failed} different messages of this chain fail alike: they were not damaged one by one{parted}"
            )));
        } else if let Some(elsewhere) = scene.whole.hindsight.rolled_back.as_ref().filter(|other| other.order != scene.order) {
            let surely = elsewhere.confidence > Confidence::Possible;
            if !surely && self.evidence.is_empty() {
                self.confidence = Confidence::Possible;
            }
            let shows = if surely { "shows" } else { "may show" };
            let says = format!(
                "a message of device {} fails in the same way and {shows} that the store is an older copy",
                elsewhere.sid
            );
            self.evidence.push(in_stanza(&elsewhere.sighting.position, says));
        }
        Some(())
    }
}

/// So many messages of one chain must fail before damage on the way is out of the question.
const SEVERAL: usize = 2;

fn short(hex: &str) -> &str {
    hex.get(..8).unwrap_or(hex)
}
