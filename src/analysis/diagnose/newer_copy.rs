//! A store copy that is newer than a message: the client had handled the message before the copy was made, so
//! the copy cannot tell what happened then. It shows in later messages of the same device whose keys the copy
//! has used up although the capture has not shown them before.

use super::Scene;
use super::chain_age::{Timeline, may_be_dropped};
use crate::analysis::outcome::{KeyFact, Outcome};
use crate::analysis::trial::{ExchangeFact, PrekeyFact, RatchetFact};
use crate::bounded_map::BoundedMap;
use crate::omemo::PublicKey;
use std::collections::HashMap;

/// Chains of which something is kept.
const MAX_CHAINS: usize = 1 << 16;

/// Messages that came live under keys that the store had used up.
#[derive(Debug)]
pub struct UsedUp {
    runs: BoundedMap<(u32, PublicKey), Run>,
    /// How many chains they belong to.
    chains: usize,
    /// The last such message of each device: its place among all messages.
    last: HashMap<u32, usize>,
    /// The first message of each device that came live in a chain that the copy does not know.
    unknown: HashMap<u32, usize>,
    /// The order of events, for chains that the copy does not know.
    pub(super) timeline: Timeline,
}

impl Default for UsedUp {
    fn default() -> Self {
        Self {
            runs: BoundedMap::new(MAX_CHAINS),
            chains: 0,
            last: HashMap::new(),
            unknown: HashMap::new(),
            timeline: Timeline::default(),
        }
    }
}

/// Such messages of one chain.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// How many came with counters that rise.
    pub rising: usize,
    /// The first one: its place among all messages.
    first: usize,
    /// The last one.
    pub last: usize,
    last_counter: u32,
    /// The counter of the first one.
    pub first_counter: u32,
}

impl UsedUp {
    /// Takes the next message.
    pub fn note(&mut self, order: usize, outcome: &Outcome) {
        self.timeline.note(order, outcome);
        if let Some(sid) = live_and_unknown(outcome) {
            self.unknown.entry(sid).or_insert(order);
        }
        if let Some((sid, ratchet_key, counter)) = live_and_used_up(outcome) {
            let chains = &mut self.chains;
            let run = self.runs.get_or_insert_with((sid, ratchet_key), || {
                *chains += 1;
                Run { rising: 0, first: order, last: order, last_counter: counter, first_counter: counter }
            });
            if run.rising == 0 || counter > run.last_counter {
                *run = Run { rising: run.rising + 1, last: order, last_counter: counter, ..*run };
            }
            self.last.insert(sid, order);
        }
    }

    /// How many chains they belong to. A sender that went back repeats one; more than one means that the copy is
    /// simply newer than the messages.
    pub fn chains(&self) -> usize {
        self.chains
    }

    /// Whether the copy was made after the messages of this run: before them the sender had written in a chain that the
    /// copy keeps no more.
    pub fn is_before_copy(&self, sid: u32, run: &Run) -> bool {
        self.unknown.get(&sid).is_some_and(|unknown| *unknown < run.first)
    }

    /// Such messages of one chain.
    pub fn run(&self, sid: u32, ratchet_key: &PublicKey) -> Option<&Run> {
        self.runs.get(&(sid, *ratchet_key))
    }
}

fn live_and_unknown(outcome: &Outcome) -> Option<u32> {
    let unknown = matches!(outcome.trial()?.ratchet, Some(RatchetFact::NewChainBadMac { .. }));
    let live = outcome.is_live();
    (unknown && live && outcome.opened_by.is_none()).then_some(())?;
    outcome.element.sid()
}

fn live_and_used_up(outcome: &Outcome) -> Option<(u32, PublicKey, u32)> {
    let used_up = matches!(outcome.trial()?.ratchet, Some(RatchetFact::Used { .. }));
    let live = outcome.is_live();
    let key = outcome.key_fact()?;
    (used_up && live && outcome.opened_by.is_none() && outcome.seen_before.is_none()).then_some((
        outcome.element.sid()?,
        key.ratchet_key,
        key.counter,
    ))
}

/// Whether the copy was made after this message: a later one of the same device is used up in it, or it had sent what
/// we sent to that device later.
pub(super) fn copy_is_newer(scene: &Scene<'_>) -> bool {
    used_up_later(scene) || sent_later(scene) || knows_later_chain(scene)
}

/// Whether the copy knows a chain of the sender that began only after this message.
pub(super) fn knows_later_chain(scene: &Scene<'_>) -> bool {
    let begun = || {
        let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
        let (theirs, chain) = (&scene.whole.book.theirs, scene.trial()?.newest_chain?);
        theirs.live(namespace, sid, &chain).and(theirs.order(namespace, sid, &chain))
    };
    !scene.outcome.is_delayed() && begun().is_some_and(|begun| begun > scene.order)
}

/// Whether a client that took this message need not know its chain any more: it keeps no older chains, or they are full,
/// or another session has begun since.
pub(super) fn dropped(scene: &Scene<'_>) -> bool {
    let keeps = scene.client().is_some_and(|client| client.implementation.archives_states());
    if !keeps || scene.trial().is_some_and(|trial| may_be_dropped(scene, trial)) || began_again(scene) {
        return true;
    }
    let device = scene.outcome.namespace().zip(scene.outcome.element.sid());
    let ours =
        device.and_then(|(namespace, sid)| scene.whole.book.ours.ratchet_keys(namespace, sid)?.exchange_before(usize::MAX));
    ours.is_some_and(|exchange| exchange.order > scene.order)
}

/// Whether the copy had already sent what the capture shows of us after this message.
pub(super) fn sent_later(scene: &Scene<'_>) -> bool {
    let sent = scene.outcome.element.sid().and_then(|sid| scene.whole.book.ours.before_copy(sid));
    sent.is_some_and(|sent| sent > scene.order)
}

/// Whether a later message of the same device is used up in the copy.
pub(super) fn used_up_later(scene: &Scene<'_>) -> bool {
    let last = scene.outcome.element.sid().and_then(|sid| scene.whole.hindsight.used_up.last.get(&sid));
    last.is_some_and(|last| *last > scene.order)
}

/// What a prekey that is gone does not tell where the copy is newer than the message.
pub(super) const READ_BEFORE: &str = "Whether your client read this message before this copy of the store was made (duplicate-message): its own log, or an earlier copy, would tell.";

/// Whether the client took the key exchange before this copy was made, and used up its one-time prekey by that: the copy
/// is newer than the message, the client did not complain, and nothing else explains that the prekey is gone. A signed
/// prekey is not used up.
pub(super) fn took_exchange(scene: &Scene<'_>, exchange: &ExchangeFact) -> bool {
    let gone = exchange.prekey == PrekeyFact::Missing && exchange.signed_prekey == PrekeyFact::Held;
    gone && !scene.client_failed() && copy_is_newer(scene) && !used_by_another(scene, exchange) && !began_again(scene)
}

/// Whether another key exchange of the capture used the same one-time prekey.
fn used_by_another(scene: &Scene<'_>, exchange: &ExchangeFact) -> bool {
    let base_key = scene.outcome.key_fact().and_then(KeyFact::base_key);
    let uses = scene.outcome.namespace().zip(exchange.prekey_id).map(|(ns, id)| scene.whole.book.prekey_uses(ns, id));
    uses.is_some_and(|uses| uses.iter().any(|other| Some(other.base_key) != base_key))
}

/// Whether the sender began yet another session later, as it does after a key exchange that failed.
fn began_again(scene: &Scene<'_>) -> bool {
    let device = scene.outcome.namespace().zip(scene.outcome.element.sid());
    device.is_some_and(|(namespace, sid)| scene.whole.book.exchanges.began_between(namespace, sid, scene.order, usize::MAX))
}
