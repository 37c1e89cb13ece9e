//! # sender-rolled-back
//!
//! **What happened.** The sender's client went back to old keys, and encrypts new texts with keys that it had used
//! before. Your client thinks that it already had such a message, and throws it away. The sender's client or its
//! backup is at fault, not you.
//!
//! **What to do.**
//! - Tell the sender by phone or in person: their client shows no error. Ask them to end and restart the session
//!   with you in their client, and to send the lost texts again. If their client has no command for it, do it in
//!   yours.
//! - Ask them whether they restored a backup or use a copied profile. If so, their other contacts have the same
//!   problem. Making new OMEMO keys on that device repairs all at once. But messages that it has not yet read are
//!   lost, and all contacts must compare its fingerprint anew. `omemoscope explain words` says how.
//!
//! **What is lost.** Each text that your client threw away, until the sender sends it again.
//!
//! **Fine causes.** If the verdict has this word behind the slash, its line replaces the advice above.
//! - `clone`: the sender's keys are in use twice, for example in a copied profile. Read:
//!   `omemoscope explain device-id-collision`.
//!
//! ### For those who repair clients
//!
//! **How it shows.** You see nothing; the sender believes that all was sent. It heals by itself once the sender's
//! counter passes the old maximum, which makes it look random. Logs say "duplicate" in the words of
//! [duplicate-message]; after more than five ratchet turns "Bad MAC".
//!
//! **Mistaken for.** [duplicate-message]: there the bytes are the same. [device-id-collision], `clone`: there both
//! branches stay alive. A copy that was altered on the way ([mac-mismatch]).
//!
//! **Mechanism.** A restored backup, a virtual machine's snapshot or a synchronised profile brings back an old ratchet
//! state. Ratchet key and counter then repeat with other contents.
//!
//! **What proves it.** Two different ciphertexts under one ratchet key and counter, the first of which verified. A copy
//! of the sender's store that is behind your chain says `likely`, as it may just be old; so do the two ciphertexts alone,
//! without a store. Where the first copies are not in the log, one used key proves nothing; if it came live and your
//! client refused it, it is `possible`. Several, one after the other up to the end of the chain and past it, say
//! `likely`.
//!
//! **References.** The Double Ratchet Algorithm, "Symmetric-key ratchet"; dino/dino#977; iNPUTmice/Conversations#1799;
//! kriztan/blabber.im#129.

use super::{Cause, Gathering, Judgement, Scene, Whole, chain_age, computed, in_stanza, in_store};
use crate::analysis::trial::RatchetFact;
use crate::model::{BareJid, Code, Confidence, Evidence, Finding, MessageVerdict};
use std::cmp::Ordering;
use std::collections::BTreeMap;

pub(super) const CAUSE: Cause = Cause {
    code: Code::SenderRolledBack,
    source: include_str!("sender_rolled_back.rs"),
    judge,
    gather: || Box::<Devices>::default(),
};

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened_by_store() {
        return returned_chain(scene);
    }
    let outcome = scene.outcome;
    let key = outcome.key_fact()?;
    if let Some(judgement) = cloned(scene) {
        return Some(judgement);
    }
    let sentence = format!("{} went back to an older state and encrypted a new text with a used key.", scene.sender());
    if outcome.trials.is_empty() {
        return without_store(scene, sentence);
    }
    let used_up = outcome.trials.iter().any(|trial| matches!(trial.ratchet, Some(RatchetFact::Used { .. })));
    // What bears the same stanza id is the same stanza, altered on the way.
    if let Some(seen) = outcome.seen_before.as_ref().filter(|s| !s.same_message && !s.same_bytes && (s.opened || used_up)) {
        return Some(remedies(
            Judgement::new(Confidence::Proven, sentence)
                .evidence(scene.stanza(format!("ratchet key {}… and counter {}", short(key), key.counter)))
                .evidence(in_stanza(&seen.position, "the same ratchet key and counter with other bytes")),
        ));
    }
    if let Some(evidence) = behind(scene) {
        let sentence = format!("{} went back to an older state and went on from there.", scene.sender());
        return Some(remedies(Judgement::new(Confidence::Likely, sentence).evidence(evidence).open_question(
            "Whether this message is from before and was read then: the client's own log, or an earlier one, would tell.",
        )));
    }
    let Some(RatchetFact::Used { index, .. }) = scene.trial()?.ratchet else { return None };
    let chain_reused = scene.whole.book.theirs.reused(outcome.namespace()?, outcome.element.sid()?, &key.ratchet_key);
    let used = computed(format!(
        "counter {} of this chain was used; the chain stands at {}",
        key.counter,
        index.map_or("an unknown index".into(), |i| i.to_string())
    ));
    if let Some(sighting) = chain_reused.filter(|_| outcome.seen_before.is_none() && !outcome.is_delayed()) {
        return Some(remedies(
            Judgement::new(Confidence::Likely, sentence)
                .evidence(used)
                .evidence(in_stanza(sighting, "the sender used another counter of this chain twice"))
                .open_question(
                    "A second delivery of an old message is not excluded: an earlier log with this counter would tell.",
                ),
        ));
    }
    if let Some(peer) = outcome.peer.as_ref().filter(|p| p.sender_ratchet_keys.contains(&key.ratchet_key)) {
        // The sender's own store decides: behind our chain or not.
        let next = peer.next_counter?;
        let first = outcome.is_live() && outcome.seen_before.is_none();
        return index.is_some_and(|index| first && next < index).then(|| {
            let behind = in_store(&peer.place, format!("the sender's next counter in this chain is {next}"));
            remedies(Judgement::new(Confidence::Likely, sentence.clone()).evidence(used.clone()).evidence(behind)).open_question(
                "Whether the copy of the sender's store is just older than ours, and this a second delivery (duplicate-message): a later copy of it would tell.",
            )
        });
    }
    // A live delivery under a used key that this capture has not shown before.
    let live = outcome.is_live() && outcome.peer.is_none();
    if !live || outcome.seen_before.is_some() || dropped_by_limit(scene) {
        return None;
    }
    goes_through_again(scene, used)
}

/// The sender's own store sends in a chain that we do not know, and stands behind our copy: it turned its ratchet anew
/// after it had gone back.
pub(super) fn behind(scene: &Scene<'_>) -> Option<Evidence> {
    let trial = scene.trial()?;
    let unknown = matches!(trial.ratchet, Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep));
    let key = scene.outcome.key_fact()?;
    let peer = scene.outcome.peer.as_ref().filter(|peer| peer.sender_ratchet_keys.first() == Some(&key.ratchet_key))?;
    if !unknown || scene.opened_by_store() || key.is_exchange() {
        return None;
    }
    let says = "the sender's ratchet made fewer turns than that of your store, although it writes in its newest chain";
    (trial.keys.steps == Some(Ordering::Greater)).then(|| in_store(&peer.place, says))
}

/// The device did not go back: two copies of it write in turn, each with the same keys.
fn cloned(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let seen = outcome.seen_before.as_ref().filter(|seen| !seen.same_bytes && !seen.same_message)?;
    let branches = scene.whole.hindsight.used_up.timeline.branches_of(outcome.header.from.as_ref(), outcome.element.sid()?)?;
    // Without a store nothing tells which of the messages are genuine.
    let unproven = outcome.trials.is_empty();
    let confidence = branches.clone_confidence()?.min(if unproven { Confidence::Likely } else { Confidence::Proven });
    let (key, turn) = (outcome.key_fact()?, branches.turns.first()?);
    let judgement = Judgement::new(
        confidence,
        format!(
            "Two copies of {} write in turn; this text is encrypted with a key that the other copy had used.",
            scene.sender()
        ),
    )
    .detail(CLONE)
    .evidence(scene.stanza(format!("ratchet key {}… and counter {}", short(key), key.counter)))
    .evidence(in_stanza(&seen.position, "the same ratchet key and counter with other bytes"))
    .evidence(in_stanza(&turn.at, "the other branch goes on where it stood"))
    .remedy("The sender should run the profile on one machine only, and make new OMEMO keys on the other one.");
    Some(match confidence {
        Confidence::Proven => judgement,
        _ => judgement
            .open_question("Whether the sender restored a backup twice: its store (--peer), or a longer log, would tell."),
    })
}

/// A second delivery is the innocent reading of a used key, and a store copy newer than the message is another. A sender
/// that went back does more: it goes through its chain once more, key after key, and then passes the old end of it.
fn goes_through_again(scene: &Scene<'_>, used: Evidence) -> Option<Judgement> {
    let outcome = scene.outcome;
    let (namespace, sid, key) = (outcome.namespace()?, outcome.element.sid()?, outcome.key_fact()?);
    let run = scene.whole.hindsight.used_up.run(sid, &key.ratchet_key)?;
    let passed = scene.whole.book.theirs.opened_after(namespace, sid, &key.ratchet_key, run.last);
    if run.rising < SEVERAL
        || !passed
        || scene.whole.hindsight.used_up.is_before_copy(sid, run)
        || scene.whole.hindsight.used_up.chains() > 1
        || super::newer_copy::sent_later(scene)
    {
        return None;
    }
    let again = scene.stanza(format!(
        "{} messages came live under used keys of this chain, one after the other, and then the chain goes on",
        run.rising
    ));
    let older = chain_age::copy_is_older(scene) || scene.client_said().next().is_some();
    let judgement = if older {
        let sentence = format!("{} went back to an older state and encrypted a new text with a used key.", scene.sender());
        Judgement::new(Confidence::Likely, sentence).open_question(
            "A second delivery of old messages is not excluded: the sender's store (--peer), or an earlier log with this counter, would tell.",
        )
    } else if run.first_counter == 0 {
        // The whole chain came: an older state would have begun a chain of its own.
        return None;
    } else {
        let sentence =
            format!("{} may have gone back to an older state: the key of this message was used before.", scene.sender());
        Judgement::new(Confidence::Possible, sentence).open_question(
            "Whether the store copy is just newer than this message, which was read then (duplicate-message): a copy from before it, or the sender's store (--peer), would tell.",
        )
    };
    Some(remedies(judgement.evidence(used).evidence(again)))
}

/// The detail of a device that did not go back but runs twice.
const CLONE: &str = "clone";

/// So many used keys one after the other are more than a second delivery by chance.
const SEVERAL: usize = 2;

/// Without a store the two stanzas alone speak. A copy that was altered on the way keeps its id.
fn without_store(scene: &Scene<'_>, sentence: String) -> Option<Judgement> {
    let outcome = scene.outcome;
    let key = outcome.key_fact()?;
    let seen = outcome.seen_before.as_ref().filter(|s| !s.same_bytes)?;
    if seen.same_message {
        return None;
    }
    Some(remedies(
        Judgement::new(Confidence::Likely, sentence)
            .evidence(scene.stanza(format!("ratchet key {}… and counter {}", short(key), key.counter)))
            .evidence(in_stanza(&seen.position, "the same ratchet key and counter with other bytes, in another message"))
            .open_question("Whether one of the two was altered on the way: your store (--store) would tell, because only a genuine one verifies."),
    ))
}

/// The sender goes on in a chain that it had ended itself: further than it had announced, or its own store
/// stands in that chain, while we know a newer one.
fn returned_chain(scene: &Scene<'_>) -> Option<Judgement> {
    let end = scene.trial()?.retired_chain?;
    let key = scene.outcome.key_fact()?;
    let beyond = (key.counter > end).then(|| computed(format!("the sender had ended this chain before counter {end}")));
    let peer = scene.outcome.peer.as_ref().filter(|p| p.sender_ratchet_keys.first() == Some(&key.ratchet_key));
    let stands = peer.map(|p| in_store(&p.place, "the sender's store still sends in this chain, although a newer one had begun"));
    let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let reused = scene.whole.book.theirs.reused(namespace, sid, &key.ratchet_key);
    let reused = reused.map(|at| in_stanza(at, "the sender had used another counter of this chain twice"));
    if beyond.is_none() && stands.is_none() && reused.is_none() {
        return None;
    }
    Some(remedies(
        Judgement::new(
            Confidence::Proven,
            format!("{} went back to an older state: an old ratchet key of it returns.", scene.sender()),
        )
        .evidence(scene.stanza(format!("ratchet key {}… and counter {}", short(key), key.counter)))
        .all_evidence(beyond.into_iter().chain(stands).chain(reused)),
    ))
}

fn dropped_by_limit(scene: &Scene<'_>) -> bool {
    super::message_key_evicted::dropped_skipped_key(scene).is_some()
}

fn short(key: &crate::analysis::outcome::KeyFact) -> String {
    key.ratchet_key.to_string().chars().take(8).collect()
}

fn remedies(judgement: Judgement) -> Judgement {
    judgement
        .remedy("Tell the sender by phone or in person: they should end and restart the session with you in their client (if it has no command for it, do it in yours), then send the lost texts again.")
        .remedy("If they restored a backup, the same holds for their other contacts. New OMEMO keys on that device repair all at once, but messages that it has not read yet are lost, and all contacts must compare its fingerprint anew.")
}

/// Of a clone device-id-collision tells, and what is merely possible is no finding.
fn rolled_back(verdict: &MessageVerdict) -> bool {
    verdict.code == Code::SenderRolledBack && verdict.detail != Some(CLONE) && verdict.confidence > Confidence::Possible
}

/// Each device that went back, with how many of its messages are lost.
#[derive(Debug, Default)]
struct Devices(BTreeMap<(Option<BareJid>, Option<u32>), (usize, Finding)>);

impl Gathering for Devices {
    fn note(&mut self, _scene: &Scene<'_>, verdict: &MessageVerdict) {
        if !rolled_back(verdict) {
            return;
        }
        let (count, finding) = self.0.entry((verdict.from.clone(), verdict.sid)).or_insert_with(|| {
            let finding = Finding {
                code: Code::SenderRolledBack,
                detail: None,
                confidence: verdict.confidence,
                sentence: String::new(),
                evidence: verdict.evidence.clone(),
                remedy: verdict.remedy.to_vec(),
                stanza_ids: Vec::new(),
            };
            (0, finding)
        });
        *count += 1;
        finding.confidence = finding.confidence.max(verdict.confidence);
        finding.concerns(verdict.id.clone());
    }

    fn findings(&self, _whole: &Whole<'_>) -> Vec<Finding> {
        let told = self.0.iter().map(|((from, sid), (count, finding))| {
            let who = from.as_ref().map_or_else(|| "the sender".into(), ToString::to_string);
            let device = sid.map(|id| format!("device {id} of ")).unwrap_or_default();
            let sentence = format!("{device}{who} restored an older copy of its keys; {count} of its messages cannot be read.");
            Finding { sentence, ..finding.clone() }
        });
        told.collect()
    }
}
