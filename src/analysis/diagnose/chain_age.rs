//! Whether a chain that the copy does not know is an older one that the client had dropped, or one that it never
//! had. Clients keep few receiving chains; where they are full, a message of a chain before them fails exactly as
//! one of a chain that came after the copy. Only the order of events tells the two apart.

use super::{Scene, in_stanza};
use crate::analysis::book::Sighting;
use crate::analysis::branches::Branches;
use crate::analysis::outcome::{KeyFact, OpenedBy, Origin, Outcome};
use crate::analysis::trial::{RatchetFact, Trial};
use crate::bounded_map::BoundedMap;
use crate::model::{BareJid, Evidence, Position};
use crate::omemo::PublicKey;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// Log times often lack the zone: they are held against delay stamps only with this distance.
const ZONES: SignedDuration = SignedDuration::from_hours(14);

/// Messages that lie so far apart were not delivered a second time in one go.
const ONE_GO: SignedDuration = SignedDuration::from_secs(60);

/// Chains of which something is kept.
const MAX_CHAINS: usize = 1 << 16;

type Chain = (u32, PublicKey);

/// What happened in which order.
#[derive(Debug)]
pub struct Timeline {
    /// Chains of which live messages fail.
    failing: BoundedMap<Chain, Run>,
    /// The highest counter of each chain so far.
    ends: BoundedMap<Chain, u32>,
    /// The last message of ours to each device.
    answered: HashMap<u32, usize>,
    /// The last message of each device with which a chain began that opens in the session of the copy.
    begun: HashMap<u32, (usize, Position)>,
    /// The last times at which a device used chains that the copy knows.
    known: HashMap<u32, Latest>,
    /// Devices that used a ratchet key and counter twice, and what followed.
    branches: BTreeMap<(Option<BareJid>, u32), Branches>,
    /// From here on the capture shows what the copy of this own device did not have yet.
    after_copy: HashMap<usize, usize>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            failing: BoundedMap::new(MAX_CHAINS),
            ends: BoundedMap::new(MAX_CHAINS),
            answered: HashMap::new(),
            begun: HashMap::new(),
            known: HashMap::new(),
            branches: BTreeMap::new(),
            after_copy: HashMap::new(),
        }
    }
}

/// Live messages of one chain that fail.
#[derive(Debug)]
struct Run {
    last: usize,
    last_counter: u32,
    first_time: Option<Timestamp>,
    /// They came one after the other, and not in one go.
    spread: bool,
}

#[derive(Debug, Default)]
struct Latest {
    stamped: Option<Timestamp>,
    logged: Option<Timestamp>,
    /// The message with the later stamp.
    at: Option<Position>,
}

impl Timeline {
    /// Takes the next message.
    pub fn note(&mut self, order: usize, outcome: &Outcome) {
        let live = outcome.is_live();
        if outcome.origin == Origin::ThisDevice {
            if live {
                self.answered.extend(outcome.addressing.rids.iter().map(|rid| (*rid, order)));
                if outcome.opened_by == Some(OpenedBy::OwnChain) {
                    self.note_after_copy(outcome, order);
                }
            }
            return;
        }
        let (Some(sid), Some(key)) = (outcome.element.sid(), outcome.key_fact()) else { return };
        let chain = (sid, key.ratchet_key);
        let end = self.ends.get(&chain).copied();
        if live {
            self.note_branches(outcome, sid, key, end);
        }
        self.ends.insert(chain, end.unwrap_or_default().max(key.counter));
        let Some(trial) = outcome.trials.first() else { return };
        let first = end.is_none();
        let opened = outcome.opened_by == Some(OpenedBy::Trial(0)) && trial.retired_chain.is_none();
        let same_session = trial.exchange.as_ref().is_none_or(|e| e.base_key_known) && !trial.begun_here;
        if opened && live {
            self.note_after_copy(outcome, order);
        }
        if same_session && (opened || trial.keys.knows_chain) {
            self.known.entry(sid).or_default().note(outcome);
        }
        if same_session && opened && live && first && !trial.keys.knows_chain {
            self.begun.insert(sid, (order, outcome.header.position.clone()));
        }
        if live && matches!(trial.ratchet, Some(RatchetFact::NewChainBadMac { .. })) {
            self.note_failure(outcome, chain, key.counter, order);
        }
    }

    fn note_failure(&mut self, outcome: &Outcome, chain: Chain, counter: u32, order: usize) {
        let time = instant(outcome);
        let run = self.failing.get_or_insert_with(chain, || Run {
            last: order,
            last_counter: counter,
            first_time: time,
            spread: false,
        });
        let later = counter > run.last_counter;
        let apart = time.zip(run.first_time).is_some_and(|(now, first)| now.duration_since(first) > ONE_GO);
        run.spread |= later && (apart || self.answered.get(&chain.0).is_some_and(|own| *own > run.last));
        run.last = order;
        run.last_counter = run.last_counter.max(counter);
    }

    /// A copy is nothing new; other bytes under the same id were altered on the way.
    fn note_branches(&mut self, outcome: &Outcome, sid: u32, key: &KeyFact, end: Option<u32>) {
        let seen = outcome.seen_before.as_ref();
        if seen.is_some_and(|seen| seen.same_bytes || seen.same_message) {
            return;
        }
        let header = &outcome.header;
        let here = Sighting { position: header.position.clone(), id: header.id.as_deref().map(Into::into) };
        let device = (header.from.clone(), sid);
        match (self.branches.get_mut(&device), seen, end) {
            (Some(branches), ..) => branches.note(&key.ratchet_key, key.counter, seen.is_some(), &here),
            (None, Some(seen), Some(end)) => {
                let begun = Branches::begin(key.ratchet_key, key.counter, end, seen.position.clone(), here);
                self.branches.insert(device, begun);
            }
            (None, ..) => {}
        }
    }

    /// Devices that used a ratchet key and counter twice, and what followed.
    pub fn branches(&self) -> impl Iterator<Item = (Option<&BareJid>, u32, &Branches)> {
        self.branches.iter().map(|((from, sid), branches)| (from.as_ref(), *sid, branches))
    }

    /// What followed the first repetition of a device.
    pub fn branches_of(&self, from: Option<&BareJid>, sid: u32) -> Option<&Branches> {
        self.branches.get(&(from.cloned(), sid))
    }

    fn note_after_copy(&mut self, outcome: &Outcome, order: usize) {
        self.after_copy.entry(outcome.own).or_insert(order);
    }
}

impl Latest {
    fn note(&mut self, outcome: &Outcome) {
        let Some(time) = instant(outcome) else { return };
        if !outcome.is_delayed() {
            self.logged = self.logged.max(Some(time));
        } else if self.stamped.is_none_or(|stamped| stamped < time) {
            (self.stamped, self.at) = (Some(time), Some(outcome.header.position.clone()));
        }
    }
}

fn instant(outcome: &Outcome) -> Option<Timestamp> {
    outcome.header.time.as_ref()?.instant
}

/// Whether the client may have had this chain and dropped it: its chains are full.
pub(super) fn may_be_dropped(scene: &Scene<'_>, trial: &Trial) -> bool {
    let Some(RatchetFact::NewChainBadMac { chains }) = trial.ratchet else { return false };
    scene.client().is_some_and(|c| chains >= c.implementation.limits().receiver_chains)
}

/// A sign that the chain is older than what the copy holds: the sender went on from it in the session of the copy.
pub(super) fn is_older(scene: &Scene<'_>) -> Option<Evidence> {
    let trial = scene.trial()?;
    if !may_be_dropped(scene, trial) {
        return None;
    }
    let sid = scene.outcome.element.sid()?;
    let key = scene.outcome.key_fact()?;
    // Other messages of this very chain open: it is no older one, and this message has another fault.
    if scene.whole.book.theirs.opened_in_chain(scene.outcome.namespace()?, sid, &key.ratchet_key) > 0 {
        return None;
    }
    let timeline = &scene.whole.hindsight.used_up.timeline;
    // We answered with a key that the copy does not hold: then it is another session, or a late message, that opens.
    let answered = scene.own_newest().is_some() && !trial.keys.holds_newest;
    if let Some((_, at)) = timeline.begun.get(&sid).filter(|(begun, _)| *begun > scene.order && !answered) {
        let says = "the sender began a newer chain later, and that one opens: this chain is an older one";
        return Some(in_stanza(at, says));
    }
    let sent = instant(scene.outcome).filter(|_| scene.outcome.is_delayed())?;
    let latest = timeline.known.get(&sid)?;
    if latest.stamped.is_some_and(|stamped| stamped > sent) {
        return Some(in_stanza(latest.at.as_ref()?, "sent later, in a chain that is still known: this chain is an older one"));
    }
    let long_ago = latest.logged.is_some_and(|logged| logged.duration_since(sent) > ZONES);
    long_ago.then(|| scene.stanza("its delay stamp is older than what the sender sent in chains that are still known"))
}

/// Whether the copy is older than this message: it still opened what came before.
pub(super) fn copy_is_older(scene: &Scene<'_>) -> bool {
    let since = scene.whole.hindsight.used_up.timeline.after_copy.get(&scene.outcome.own);
    since.is_some_and(|since| *since < scene.order)
}

/// Whether nothing but a newer chain explains the failures: the copy is older than they are, and they are no old
/// messages that were delivered again in one go.
pub(super) fn is_newer(scene: &Scene<'_>, trial: &Trial) -> bool {
    let outcome = scene.outcome;
    let (Some(sid), Some(key)) = (outcome.element.sid(), outcome.key_fact()) else { return false };
    let timeline = &scene.whole.hindsight.used_up.timeline;
    let run = timeline.failing.get(&(sid, key.ratchet_key));
    let last = run.map_or(scene.order, |run| run.last);
    let copy_is_older = timeline.after_copy.get(&outcome.own).is_some_and(|since| *since < last) || scene.client_failed();
    let unknown_answer = scene.own_newest().is_some() && !trial.keys.holds_newest;
    copy_is_older && (unknown_answer || run.is_some_and(|run| run.spread))
}
