//! # mac-mismatch
//!
//! **What happened.** The message does not fit the session, and nothing in the given files shows why.
//!
//! **How it shows.** "No valid sessions", "Bad MAC", "Message mac not verified", SG_ERR_INVALID_MESSAGE (-1005),
//! "Authentication tags do not match".
//!
//! **Mechanism.** Both sides' ratchets must agree byte by byte. They part when bytes were altered on the way, when two
//! programs used one store at once, when a save was lost in a crash, or through a bug. Profanity before 0.18 gives the
//! id of a used prekey to a new key: a second message for the old one fails this way (detail `prekey-id-reused`).
//!
//! **What proves it.** The MAC does not verify in any state; what else was excluded is listed with the verdict.
//!
//! **Mistaken for.** Nearly everything: [receiver-rolled-back], [sender-rolled-back], [message-key-evicted],
//! [ad-mismatch], [simultaneous-initiation]. An earlier log or the other side's store often turns this into one of them.
//!
//! **What to do.** Write something back: an answer often heals it. If not, end and restart the session with this device.
//!
//! **References.** XEP-0384, "Business Rules"; The Double Ratchet Algorithm, "Decrypting messages".

use super::{Cause, Judgement, Scene, computed, in_stanza, nothing, rule};
use crate::analysis::trial::{ExchangeFact, PrekeyFact, RatchetFact};
use crate::model::{Code, Confidence, Evidence};

pub(super) const CAUSE: Cause = Cause { code: Code::MacMismatch, source: include_str!("mac_mismatch.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened() {
        return None;
    }
    let trial = scene.trial()?;
    let Some(fact) = trial.ratchet.as_ref() else { return not_tried(scene) };
    let judgement =
        Judgement::new(Confidence::Likely, format!("The message from {} does not fit our session with it.", scene.sender()));
    let judgement = match fact {
        RatchetFact::KnownChainBadMac => judgement
            .evidence(computed("chain and counter are known and give a key, but the MAC is wrong: the bytes were altered, or made in another session"))
            .open_question("Altered on the way or by the sender: another log of the same message (the sender's, the server's) would tell."),
        RatchetFact::NewChainBadMac { .. } if trial.exchange.as_ref().is_some_and(|e| !e.base_key_known) => first_message(scene, judgement, trial.exchange.as_ref()?),
        RatchetFact::NewChainBadMac { chains } => judgement
            .evidence(computed(format!("the sender's ratchet key is new; a step with our current ratchet key gives a wrong MAC ({chains} chains known)")))
            .open_question("Whether our store is an older copy (receiver-rolled-back): an earlier log with our own messages to this contact would tell.")
            .open_question("Whether the sender's state is the wrong one: its store (--peer) would tell."),
        RatchetFact::BeyondOneStep | RatchetFact::NoRatchetKey => {
            judgement.evidence(computed("the ratchet key is new and the session has no ratchet key of ours to go on with"))
        }
        RatchetFact::Padding => judgement.detail("padding").evidence(computed("the MAC verifies but the padding is wrong: the sender made it so")),
        RatchetFact::NoAssociatedData => judgement.evidence(computed("the Ed25519 form of an identity key is not known")),
        RatchetFact::Opened | RatchetFact::Used { .. } | RatchetFact::TooFarAhead { .. } => return None,
    };
    let replace = scene.client().and_then(|c| c.remedies.replace_session);
    Some(
        judgement
            .remedy("Write something back: an answer often heals the session.")
            .remedy(replace.unwrap_or("If it does not help, end and restart the session with this device.")),
    )
}

/// The first message of a key exchange: the prekeys are there, and yet it does not open.
fn first_message(scene: &Scene<'_>, judgement: Judgement, exchange: &ExchangeFact) -> Judgement {
    let judgement =
        judgement.evidence(computed("the prekeys that it names are held, but the session made from them gives a wrong MAC"));
    match reused(scene, exchange) {
        Some(evidence) => judgement.detail("prekey-id-reused").all_evidence(evidence),
        None => judgement
            .open_question("Whether the prekey's id was given to a new key: a captured bundle of ours with this id would tell."),
    }
}

/// Whether the named prekey's id was published with another key than the one the store holds.
fn reused(scene: &Scene<'_>, exchange: &ExchangeFact) -> Option<Vec<Evidence>> {
    let id = exchange.prekey_id.filter(|_| exchange.prekey == PrekeyFact::Held)?;
    let own = scene.own()?;
    let account = &own.replays.first()?.account;
    let held = account.prekeys.iter().find(|k| k.id == id)?;
    let bundle = scene.whole.published.bundle(own.jid.as_ref(), own.device_id?, scene.outcome.namespace()?);
    if let Some(bundle) = bundle.filter(|b| b.prekeys.get(&id).is_some_and(|keys| keys.iter().any(|k| *k != held.pair.public))) {
        return Some(vec![in_stanza(&bundle.last.position, format!("our bundle had another key under prekey id {id}"))]);
    }
    account.client.reuses_prekey_ids.then(|| vec![rule(account.client.name, "gives the id of a used prekey to a new key")])
}

/// The key element could be read, but the store lacks what a try needs (our own identity key).
fn not_tried(scene: &Scene<'_>) -> Option<Judgement> {
    scene.outcome.key_fact()?;
    let place = scene.own()?.replays.first()?.account.place.to_string();
    Some(
        Judgement::new(
            Confidence::Possible,
            format!("The message from {} could not be tried: the store lacks our own keys.", scene.sender()),
        )
        .detail("not-tried")
        .evidence(super::in_store(place, "our own identity key, or the session's state, is not there"))
        .open_question("A complete copy of the store would tell."),
    )
}
