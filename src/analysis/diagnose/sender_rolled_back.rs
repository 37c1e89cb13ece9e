//! # sender-rolled-back
//!
//! **What happened.** The sender's client went back to an older copy of its keys and encrypts new texts with keys it
//! had used before; your client takes them for duplicates and drops them. It is not your fault, and only the sender can
//! repair it.
//!
//! **What to do.**
//! - Tell the sender by another way: they do not see it. Ask them to end and restart the session with you in their
//!   client, and to send the lost texts again.
//! - Ask them whether they restored a backup or run a copied profile. If so, the same holds for their other contacts;
//!   making new OMEMO keys on that device repairs all at once.
//! - On this device there is nothing for you to do.
//!
//! **What is lost.** Each text under a used key, until it is sent again.
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
//! **What proves it.** Two different ciphertexts under one ratchet key and counter, the first of which verified; or the
//! sender's own store, which is behind your chain. Without a store the two ciphertexts alone say `likely`.
//!
//! **References.** The Double Ratchet Algorithm, "Symmetric-key ratchet"; dino/dino#977; iNPUTmice/Conversations#1799;
//! kriztan/blabber.im#129.

use super::{Cause, Judgement, Scene, Whole, computed, in_stanza, in_store};
use crate::analysis::trial::RatchetFact;
use crate::model::{BareJid, Code, Confidence, Finding, MessageVerdict, Wrapper};
use std::collections::BTreeMap;

pub(super) const CAUSE: Cause =
    Cause { code: Code::SenderRolledBack, source: include_str!("sender_rolled_back.rs"), judge, whole };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened_by_store() {
        return returned_chain(scene);
    }
    let outcome = scene.outcome;
    let key = outcome.key_fact()?;
    let sentence = format!("{} went back to an older state and encrypted a new text with a used key.", scene.sender());
    let Some(trial) = scene.trial() else { return without_store(scene, sentence) };
    let used_up = matches!(trial.ratchet, Some(RatchetFact::Used { .. }));
    if let Some(seen) = outcome.seen_before.as_ref().filter(|s| !s.same_bytes && (s.opened || used_up)) {
        return Some(remedies(
            Judgement::new(Confidence::Proven, sentence)
                .evidence(scene.stanza(format!("ratchet key {}… and counter {}", short(key), key.counter)))
                .evidence(in_stanza(&seen.position, "the same ratchet key and counter with other bytes")),
        ));
    }
    let Some(RatchetFact::Used { index, .. }) = scene.trial()?.ratchet else { return None };
    let chain_reused = scene.whole.book.chain_reused(outcome.namespace()?, outcome.element.sid()?, &key.ratchet_key);
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
        return index.is_some_and(|index| next < index).then(|| {
            let behind = in_store(&peer.place, format!("the sender's next counter in this chain is {next}"));
            remedies(Judgement::new(Confidence::Proven, sentence.clone()).evidence(used.clone()).evidence(behind))
        });
    }
    // A live delivery under a used key that this capture has not shown before.
    let live = outcome.header.wrapper == Wrapper::Direct && !outcome.is_delayed() && outcome.peer.is_none();
    if !live || outcome.seen_before.is_some() || dropped_by_limit(scene) || may_be_newer(scene) {
        return None;
    }
    Some(remedies(
        Judgement::new(Confidence::Likely, sentence)
            .evidence(used)
            .evidence(scene.stanza("it came live: no delay stamp, not from the archive, not a carbon"))
            .open_question("A second delivery of an old message is not excluded: the sender's store, or an earlier log with this counter, would tell."),
    ))
}

/// Without a store the two stanzas alone speak. A copy that was altered on the way keeps its id.
fn without_store(scene: &Scene<'_>, sentence: String) -> Option<Judgement> {
    let outcome = scene.outcome;
    let key = outcome.key_fact()?;
    let seen = outcome.seen_before.as_ref().filter(|s| !s.same_bytes)?;
    if seen.same_id {
        return None;
    }
    Some(remedies(
        Judgement::new(Confidence::Likely, sentence)
            .evidence(scene.stanza(format!("ratchet key {}… and counter {}", short(key), key.counter)))
            .evidence(in_stanza(&seen.position, "the same ratchet key and counter with other bytes, in another message"))
            .open_question("Whether one of the two was altered on the way: your store (--store) would tell, because only a genuine one verifies."),
    ))
}

/// Whether the store copy may just have been made after the message: then its key is used because the client read
/// it. A sender that went back repeats one chain, and passes its old end later, or our client complains at once.
fn may_be_newer(scene: &Scene<'_>) -> bool {
    let outcome = scene.outcome;
    let went_on = || {
        let (namespace, sid, key) = (outcome.namespace()?, outcome.element.sid()?, outcome.key_fact()?);
        Some(scene.whole.book.opened_in_chain(namespace, sid, &key.ratchet_key) > 0)
    };
    scene.whole.used_up.chains() > 1 || !(went_on() == Some(true) || scene.client_said().next().is_some())
}

/// The sender goes on in a chain that it had ended itself: further than it had announced, or its own store
/// stands in that chain, while we know a newer one.
fn returned_chain(scene: &Scene<'_>) -> Option<Judgement> {
    let end = scene.trial()?.retired_chain?;
    let key = scene.outcome.key_fact()?;
    let beyond = (key.counter > end).then(|| computed(format!("the sender had ended this chain before counter {end}")));
    let peer = scene.outcome.peer.as_ref().filter(|p| p.sender_ratchet_keys.first() == Some(&key.ratchet_key));
    let stands = peer.map(|p| in_store(&p.place, "the sender's store still sends in this chain, although a newer one had begun"));
    if beyond.is_none() && stands.is_none() {
        return None;
    }
    Some(remedies(
        Judgement::new(
            Confidence::Proven,
            format!("{} went back to an older state: an old ratchet key of it returns.", scene.sender()),
        )
        .evidence(scene.stanza(format!("ratchet key {}… and counter {}", short(key), key.counter)))
        .all_evidence(beyond.into_iter().chain(stands)),
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
        .remedy("Tell the sender by another way: they should end and restart the session with you in their client, then send the lost texts again.")
        .remedy("If they restored a backup, the same holds for their other contacts; new OMEMO keys on that device repair all at once.")
}

/// Each device that went back, once.
fn whole(_whole: &Whole<'_>, verdicts: &[MessageVerdict]) -> Vec<Finding> {
    let mut devices: BTreeMap<(Option<&BareJid>, Option<u32>), Vec<&MessageVerdict>> = BTreeMap::new();
    for verdict in verdicts.iter().filter(|v| v.code == Code::SenderRolledBack) {
        devices.entry((verdict.from.as_ref(), verdict.sid)).or_default().push(verdict);
    }
    devices
        .into_iter()
        .filter_map(|((from, sid), hit)| {
            let first = hit.first()?;
            let who = from.map_or_else(|| "the sender".into(), ToString::to_string);
            let device = sid.map(|id| format!("device {id} of ")).unwrap_or_default();
            Some(Finding {
                code: Code::SenderRolledBack,
                detail: None,
                confidence: hit.iter().map(|v| v.confidence).max().unwrap_or(Confidence::Possible),
                sentence: format!(
                    "{device}{who} restored an older copy of its keys; {} of its messages cannot be read.",
                    hit.len()
                ),
                evidence: first.evidence.clone(),
                remedy: first.remedy.to_vec(),
                stanza_ids: hit.iter().filter_map(|v| v.id.clone()).collect(),
            })
        })
        .collect()
}
