//! # message-key-evicted
//!
//! **What happened.** The message is genuine, but it came so late that your client had already thrown its key away.
//! Clients do that after a while. Nobody is to blame, and the session is fine: newer messages can be read.
//!
//! **What to do.**
//! - Ask the sender to send the message again. Do not end the session.
//!
//! **What is lost.** This message on this device. Nothing brings its key back (but see `pn-off-by-one`).
//!
//! **Fine causes.** The advice above holds for all of them.
//! - `chain-dropped`: the message belongs to a part of the conversation that lies too far back.
//! - `skipped-key-dropped`: your client had to keep too many keys for late messages, and threw away the oldest.
//! - `pn-off-by-one`: the sender's client is at fault, not you. It counts one message too few, and programs with
//!   python-omemo then miss the last message before an answer if it comes late. omemoscope can show the text.
//!
//! ### For those who repair clients
//!
//! **How it shows.** "No valid sessions" (Gajim, Conversations), "Bad MAC", "Authentication tags do not match"
//! (python-omemo), "Got invalid request to extend chain after it was already closed" (Converse), or "duplicate".
//!
//! **Mistaken for.** [duplicate-message]: that message was read. [mac-mismatch]: there newer messages of the device
//! fail, too. [sender-rolled-back].
//!
//! **Mechanism.** Clients keep the keys of skipped messages only up to a limit: the libsignal family 5 chains and
//! 2000 keys a chain, python-omemo 1000 keys a session. It happens when the archive delivers old messages after
//! newer ones. For `pn-off-by-one`: the libsignal family announces one message less than an ended chain had, and
//! python-omemo then keeps no key for the last one.
//!
//! **What proves it.** The store's own numbers: a full set of chains or keys, all newer than the message. Only the
//! sender's store proves that an unknown chain is an old one. Without it the verdict says `likely` where the sender went
//! on from it in this log, and `possible` where it just came late.
//!
//! **References.** XEP-0384, "Double Ratchet"; The Double Ratchet Algorithm, "Out-of-order messages".

use super::{Cause, Judgement, Scene, computed, in_store, nothing, rule};
use crate::analysis::trial::RatchetFact;
use crate::model::{Code, Confidence, Evidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::MessageKeyEvicted, source: include_str!("message_key_evicted.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened_by_store() {
        return ended_chain(scene);
    }
    if scene.client_said().any(|said| said.words.claims_duplicate()) && !scene.client_failed() {
        return None; // The client had read it.
    }
    if let Some(evidence) = dropped_skipped_key(scene) {
        return Some(remedy(
            Judgement::new(Confidence::Likely, sentence(scene))
                .detail("skipped-key-dropped")
                .all_evidence(evidence)
                .open_question("Whether it was read in time and this is a second copy: the client's history would tell."),
        ));
    }
    let (confidence, evidence) = dropped_chain(scene)?;
    let sentence = match confidence {
        Confidence::Possible => {
            format!("The message from {} may be so old that {} had dropped its key.", scene.sender(), scene.client_name())
        }
        _ => sentence(scene),
    };
    let judgement = Judgement::new(confidence, sentence).detail("chain-dropped").all_evidence(evidence);
    Some(remedy(match confidence {
        Confidence::Possible => judgement.open_question(
            "Whether our store is an older copy and never had its chain (receiver-rolled-back): the sender's store (--peer), or an earlier log with our own messages, would tell.",
        ),
        _ if scene.outcome.peer.is_some() => judgement.open_question(
            "Whether it came too late or was read in time, before this copy of the store was made: the client's own log would tell.",
        ),
        _ => judgement.open_question(
            "Whether its chain is an old one or one that your client never had: the sender's store (--peer), or a log from when it was sent, would tell.",
        ),
    }))
}

fn sentence(scene: &Scene<'_>) -> String {
    format!("The message from {} belongs to an old chain that {} no longer keeps.", scene.sender(), scene.client_name())
}

fn remedy(judgement: Judgement) -> Judgement {
    judgement.remedy("Ask the sender to send the message again. If it only came late, the session is fine: do not end it because of this message alone.")
}

/// The message belongs to a chain that ended, and the client kept only the keys that the sender's `pn`
/// announced. The libsignal family announces one less than the chain has.
fn ended_chain(scene: &Scene<'_>) -> Option<Judgement> {
    scene.trial()?.retired_chain?;
    let implementation = scene.client()?.implementation;
    let key = scene.outcome.key_fact()?;
    let counter = key.counter;
    // A sender that went back takes up an ended chain again.
    if scene.whole.book.theirs.reused(scene.outcome.namespace()?, scene.outcome.element.sid()?, &key.ratchet_key).is_some() {
        return None;
    }
    Some(
        Judgement::new(Confidence::Proven, format!("The message from {} came after its chain had ended; {} keeps no key for it.", scene.sender(), scene.client_name()))
            .detail("pn-off-by-one")
            .evidence(computed(format!("counter {counter} opens only with a chain key that the client drops when the ratchet turns")))
            .evidence(rule(implementation.name(), "keeps the keys up to the previous counter (pn) of the next chain; senders of the libsignal family write one less than the chain's length"))
            .remedy("The session is fine. omemoscope can show the text; to have it in your client, ask the sender to send it again.")
            .remedy("The library of the sender's client counts pn differently from the specification: report it to its makers."),
    )
}

/// The chain is known, but its skipped keys are full and all newer than the message.
pub(super) fn dropped_skipped_key(scene: &Scene<'_>) -> Option<Vec<Evidence>> {
    let Some(RatchetFact::Used { oldest_stored, stored, .. }) = scene.trial()?.ratchet else { return None };
    let implementation = scene.client()?.implementation;
    let limit = implementation.limits().skipped_keys?;
    let counter = scene.outcome.key_fact()?.counter;
    let newer = oldest_stored.is_none_or(|oldest| oldest > counter);
    (stored >= limit && newer).then(|| {
        vec![
            computed(format!("{stored} skipped keys are kept, all newer than counter {counter}")),
            rule(implementation.name(), format!("keeps at most {limit} skipped keys and drops the oldest")),
        ]
    })
}

/// The chain is unknown, the chains are full, and something says that it is an older one.
fn dropped_chain(scene: &Scene<'_>) -> Option<(Confidence, Vec<Evidence>)> {
    let trial = scene.trial()?;
    let Some(RatchetFact::NewChainBadMac { chains }) = trial.ratchet else { return None };
    let implementation = scene.client()?.implementation;
    let limit = implementation.limits().receiver_chains;
    if chains < limit {
        return None;
    }
    let ratchet_key = scene.outcome.key_fact()?.ratchet_key;
    let full = vec![
        computed(format!("the ratchet key is not among the {chains} chains kept")),
        rule(implementation.name(), format!("keeps {limit} receiving chains and drops the oldest")),
    ];
    if let Some(peer) = &scene.outcome.peer {
        let older = !peer.sender_ratchet_keys.contains(&ratchet_key) && trial.keys.knows_peer;
        let says = "the sender's store: its current ratchet key is one that your client knows, so this one is older";
        return older.then(|| (Confidence::Likely, [full, vec![in_store(&peer.place, says)]].concat()));
    }
    // A library without an archive keeps the keys of all messages that it has not read: see duplicate-message.
    let keeps_chains = implementation.archives_states();
    if let Some(older) = super::chain_age::is_older(scene).filter(|_| keeps_chains) {
        return Some((Confidence::Likely, [full, vec![older]].concat()));
    }
    let failed = scene.whole.book.theirs.failed_in_chain(scene.outcome.namespace()?, scene.outcome.element.sid()?, &ratchet_key);
    if failed > 1 && super::own_ratchet_moved::went_on(scene, trial) {
        let parted = scene
            .stanza(format!("{failed} messages of this chain fail, and the sender goes on in a chain that your client knows"));
        return Some((Confidence::Likely, [full, vec![parted]].concat()));
    }
    // It came late; whether it is older than the copy is open.
    let moved = super::own_ratchet_moved::own_ratchet_moved(scene).is_some_and(|m| m.confidence > Confidence::Possible);
    let late = !moved && scene.outcome.is_delayed() && keeps_chains;
    late.then(|| (Confidence::Possible, [full, vec![scene.stanza("it comes from the archive or with a delay stamp")]].concat()))
}
