//! # duplicate-message
//!
//! **What happened.** Your client took this message for one that it already had: each message can be opened only
//! once. Mostly that is right. Then nobody is to blame, and nothing is wrong.
//!
//! **What to do.**
//! - If your client shows the message, nothing is to be done. Do not end the session.
//! - If it does not, ask the sender to send it again, and read: `omemoscope explain sender-rolled-back`.
//!
//! **What is lost.** Nothing: your client has had the message (but see `before-the-copy`).
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line says more.
//! - `archive-replay`: the server sent the message again from its archive. Nothing is to be done.
//! - `carbon`: the server sent it again because another device of yours sent or received it. Nothing is to be done.
//! - `before-the-copy`: omemoscope saw the message only once. But your copy of the store is newer than the message,
//!   so your client had dealt with it before: it had read it, or had failed to. Look for it in the chat. If it is not
//!   there, ask the sender to send it again.
//! - `read-before-the-copy`: the same, and your client's log says that it read the message. Nothing is to be done.
//! - `ended-chain`: the message belongs to an older part of the conversation. Of that part your client keeps keys
//!   only for messages that it has not read, so it probably read this one. If you miss it, ask the sender to send it
//!   again.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Usually not at all. Badly written clients show the fallback text again.
//! - Gajim: "Received duplicated message". Kaidan: "OMEMO envelope data is already received". Converse:
//!   MessageCounterError. Monal: "Deduplicated … message via omemo". python-omemo: DuplicateMessageException. Smack:
//!   "since the message has been decrypted before". libsignal: "Received message with old counter",
//!   SG_ERR_DUPLICATE_MESSAGE (-1001).
//!
//! **Mistaken for.** [sender-rolled-back]: other bytes under the same counter. [message-key-evicted]: the message was
//! never read. A copy that comes more than five ratchet turns late fails with "Bad MAC" instead and looks like
//! [mac-mismatch].
//!
//! **Mechanism.** The same message comes from the archive, as a carbon, from a room's history or twice after a
//! broken connection. Every key works once. A library that keeps one session and one chain (python-omemo) keeps of
//! an ended chain only the keys that it has not used (`ended-chain`).
//!
//! **What proves it.** The same bytes earlier in the capture. Otherwise: the chain has passed its counter, and nothing
//! says that the sender reused it; then it says `likely`.
//!
//! **References.** XEP-0384, "Business Rules"; The Double Ratchet Algorithm, "Out-of-order messages";
//! ChatSecure/ChatSecure-iOS#1106; iNPUTmice/Conversations#3490; omemo/gajim-omemo#36.

use super::newer_copy::{copy_is_newer, dropped, sent_later, took_exchange, used_up_later};
use super::{Cause, Judgement, Scene, chain_age, computed, in_stanza, nothing, remedies, rule};
use crate::analysis::trial::RatchetFact;
use crate::model::{Code, Confidence, Evidence, MessageVerdict, Wrapper};

pub(super) const CAUSE: Cause =
    Cause { code: Code::DuplicateMessage, source: include_str!("duplicate_message.rs"), judge, gather: nothing };

/// The certain case, decided before anything that a used-up key could be mistaken for.
pub(super) const SAME_BYTES: Cause = Cause {
    code: Code::DuplicateMessage,
    source: include_str!("duplicate_message.rs"),
    judge: judge_same_bytes,
    gather: nothing,
};

fn judge_same_bytes(scene: &Scene<'_>) -> Option<Judgement> {
    let untried = scene.outcome.trials.is_empty();
    let seen = scene.outcome.seen_before.as_ref().filter(|s| s.same_bytes && (s.opened || untried))?;
    if scene.opened_by_store() {
        return None;
    }
    let what = if seen.opened { "a message that was already read" } else { "a message that came before" };
    Some(
        Judgement::new(Confidence::Proven, format!("This is another copy of {what}."))
            .maybe_detail(detail(scene))
            .evidence(in_stanza(&seen.position, "the same bytes came before")),
    )
}

/// Another copy of a message that the client read, although no store copy at hand can.
pub(super) fn second_copy(scene: &Scene<'_>) -> Judgement {
    Judgement::new(Confidence::Likely, "This is another copy of a message that the client had read.")
        .maybe_detail(detail(scene))
        .all_evidence(scene.outcome.seen_before.as_ref().map(|seen| in_stanza(&seen.position, "the same bytes came before")))
        .open_question("Whether the client did read the first copy: a copy of its store from between the two would tell.")
}

/// A good copy that came after one whose text was damaged: the key is the same, and works once.
pub(super) fn after_a_damaged_one(scene: &Scene<'_>) -> Judgement {
    let sentence = "An earlier copy of this message, whose text was damaged, has used up its key.";
    Judgement::new(Confidence::Likely, sentence)
        .maybe_detail(detail(scene))
        .all_evidence(scene.outcome.seen_before.as_ref().map(|seen| in_stanza(&seen.position, "the same key with another text")))
        .remedy(remedies::SEND_AGAIN)
        .open_question("Whether your client shows this one all the same: look for it there.")
}

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    used_up(scene).or_else(|| before_the_copy(scene)).or_else(|| ended_chain(scene)).or_else(|| client_says_so(scene))
}

/// The copy cannot tell, but the client took the message for a second copy.
fn client_says_so(scene: &Scene<'_>) -> Option<Judgement> {
    let unknown = matches!(scene.trial()?.ratchet, Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep));
    let said = scene.client_said().find(|said| said.words.claims_duplicate())?;
    (unknown && !scene.opened() && !scene.client_failed()).then(|| {
        Judgement::new(Confidence::Likely, format!("{} had read this message before: it took it for another copy.", said.client))
            .maybe_detail(detail(scene))
            .evidence(computed("this copy of the store does not know its chain"))
            .open_question(
                "Whether it is a new text under a used key (sender-rolled-back): an earlier log with the first copy would tell.",
            )
    })
}

/// The chain ended long ago, and the library kept the keys of all messages that it had not read by then.
fn ended_chain(scene: &Scene<'_>) -> Option<Judgement> {
    let implementation = scene.client()?.implementation;
    if implementation.archives_states() || scene.opened() {
        return None;
    }
    let older = first_chain(scene).or_else(|| chain_age::is_older(scene))?;
    Some(
        Judgement::new(Confidence::Likely, "This is an old message whose chain has ended: it was read already.")
            .detail("ended-chain")
            .evidence(older)
            .evidence(rule(implementation.name(), "keeps the keys of all messages of an ended chain that it has not read"))
            .open_question("Whether it was read then: a copy of the store from before it, or an earlier log, would tell."),
    )
}

/// It is of the chain with which the sender began the session that this copy has, and the copy has a later chain.
fn first_chain(scene: &Scene<'_>) -> Option<Evidence> {
    let trial = scene.trial()?;
    let unknown = matches!(trial.ratchet, Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep));
    let known = trial.exchange.as_ref().is_some_and(|exchange| exchange.base_key_known);
    let says = "its key exchange began the session that this copy has, and the chain that it came with has ended";
    (unknown && known && !scene.client_failed()).then(|| scene.stanza(says))
}

/// The copy is newer than the message and no longer keeps its chain.
fn before_the_copy(scene: &Scene<'_>) -> Option<Judgement> {
    let unknown = matches!(
        scene.trial()?.ratchet,
        Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep | RatchetFact::NoRatchetKey)
    );
    let exchange = scene.trial()?.exchange.as_ref().filter(|e| !e.base_key_known);
    if scene.opened() || scene.client_failed() || !copy_is_newer(scene) {
        return None;
    }
    let says = if let Some(exchange) = exchange {
        if !took_exchange(scene, exchange) {
            return None;
        }
        "its prekey is gone, as it is after use, and later messages show that this copy was made afterwards"
    } else if !unknown || !dropped(scene) {
        return None;
    } else if used_up_later(scene) {
        "a later message of the same device is used up in this copy, and the chain of this one is no longer kept"
    } else if sent_later(scene) {
        "this copy had already sent what we sent after this message, and the chain of this one is no longer kept"
    } else {
        "this copy knows a chain that the sender began after this message, and the chain of this one is no longer kept"
    };
    Some(
        Judgement::new(Confidence::Likely, "The store copy is newer than this message: your client had dealt with it before.")
            .detail(MessageVerdict::BEFORE_THE_COPY)
            .evidence(computed(says))
            .open_question(
                "Whether the client read it then: a copy of its store from before the message, or its own log, would tell.",
            ),
    )
}

fn used_up(scene: &Scene<'_>) -> Option<Judgement> {
    let Some(RatchetFact::Used { index, .. }) = scene.trial()?.ratchet else { return None };
    if scene.opened_by_store() {
        return None;
    }
    let counter = scene.outcome.key_fact()?.counter;
    let says = index.map_or_else(
        || format!("the key of counter {counter} is gone from its chain"),
        |index| format!("the chain stands at {index}, the message has counter {counter} and its key is no longer kept"),
    );
    let first = scene.outcome.seen_before.is_none() && scene.outcome.is_live();
    let (sentence, detail) = if first {
        let sentence = "Your client had used the key of this message before this copy of the store was made.";
        (sentence, Some(MessageVerdict::BEFORE_THE_COPY))
    } else {
        ("The key of this message was used before: it was read already.", detail(scene))
    };
    Some(
        Judgement::new(Confidence::Likely, sentence)
            .maybe_detail(detail)
            .evidence(computed(says))
            .open_question("If the sender restored an old copy of its store, this is a new text under a used key: the sender's store, or an earlier log with this counter, would tell."),
    )
}

fn detail(scene: &Scene<'_>) -> Option<&'static str> {
    match scene.outcome.header.wrapper {
        Wrapper::Archive => Some("archive-replay"),
        Wrapper::CarbonReceived | Wrapper::CarbonSent => Some("carbon"),
        Wrapper::Direct => None,
    }
}
