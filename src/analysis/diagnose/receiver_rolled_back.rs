//! # receiver-rolled-back
//!
//! **What happened.** Your client works with an older copy of its keys than the ones it had used before: a restored
//! backup, a copied profile, or a database copied without its `-wal` file. The sender does nothing wrong and cannot
//! see it.
//!
//! **How it shows.** All messages of some contacts fail (those who wrote and were answered since the copy), others
//! are fine; what you send may still arrive.
//! - Gajim, Conversations, Profanity: "No valid sessions", "Bad Mac!". Kaidan: "OMEMO envelope data is not valid".
//!   python-omemo: "Authentication tags do not match". Siskin and Beagle: "Message was not encrypted for this
//!   device", which is wrong.
//!
//! **Mechanism.** Each answer makes a new random ratchet key. The old copy lacks the keys made after it, so messages
//! that build on them can never be opened with it.
//!
//! **What proves it.** Your own earlier stanzas in the log: they carry a ratchet key that the store does not hold. Or
//! the sender's store, which has received such a key. Counters, and several messages of one chain that fail alike,
//! say `likely`; only `possible` where the store keeps as many receiving chains as it can, because a late message of
//! an older chain fails in the same way.
//!
//! **Mistaken for.** [message-key-evicted]: an old message that came late. [beyond-snapshot]: the same evidence, when the copy is no living store but an early snapshot
//! (`--snapshot` says so). [mac-mismatch]: one contact only, and no sign of an older state. A copy without its `-wal`
//! looks rolled back, too.
//!
//! **What to do.**
//! - If you copied the store: copy it again with all files beside it.
//! - If the client itself was restored: write to each affected contact, or end and restart the sessions.
//! - The messages in between are lost on this device for ever.
//!
//! **Fine causes.**
//! - `store`: the finding about the whole: since when, and which contacts are affected.
//! - `own-state-reused`: our own device used one key for two contents, so it went back or runs twice.
//! - `own-rolled-back`: it did so and went on past the old end, and nothing of the old branch came any more: it went back.
//!
//! **References.** The Double Ratchet Algorithm, "Diffie-Hellman ratchet"; iNPUTmice/Conversations#2038,
//! iNPUTmice/Conversations#2665; dino/dino#1123; element-hq/element-web#3822.

use super::own_ratchet_moved::own_ratchet_moved;
use super::recovery::Broken;
use super::{Cause, Judgement, Scene, Whole, in_stanza};
use crate::model::{Code, Confidence, Evidence, EvidenceKind, Finding, MessageVerdict};
use std::collections::BTreeSet;

pub(super) const CAUSE: Cause =
    Cause { code: Code::ReceiverRolledBack, source: include_str!("receiver_rolled_back.rs"), judge, whole };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened_by_store() {
        return None;
    }
    let moved = own_ratchet_moved(scene)?;
    let open = moved.confidence == Confidence::Possible;
    let (client, sender) = (scene.client_name(), scene.sender());
    let sentence = if open {
        format!("The store of {client} may be an older copy, or the message from {sender} an old one whose chain was dropped.")
    } else {
        format!("The store of {client} is an older copy: its ratchet with {sender} had already gone on.")
    };
    let judgement = Judgement::new(moved.confidence, sentence)
    .all_evidence(moved.evidence)
    .remedy("If you copied the store, copy it again together with all files beside it (-wal, -journal).")
    .recovery(scene, Broken::DoesNotFit)
    .remedy("If the client was restored from a backup: write to this contact so that a new session begins, then ask for the lost messages.")
    .all_remedies(scene.client().and_then(|c| c.remedies.replace_session));
    Some(match moved.confidence {
        Confidence::Proven => judgement,
        Confidence::Possible => judgement.open_question(OLD_CHAIN),
        _ => judgement
            .open_question("An earlier log with our own messages to this contact, or the sender's store, would prove it."),
    })
}

/// What else explains a message in an unknown chain, where the known ones are full.
const OLD_CHAIN: &str = "Whether it is just an old message that came late or twice (message-key-evicted, duplicate-message): the chains that the client keeps are full. The sender's store (--peer), or an earlier log that shows this chain, would tell.";

/// The store as a whole: since when, and who is affected; and our own stanzas that used one key twice.
fn whole(whole: &Whole<'_>, verdicts: &[MessageVerdict]) -> Vec<Finding> {
    let hit: Vec<&MessageVerdict> =
        verdicts.iter().filter(|v| v.code == Code::ReceiverRolledBack && v.confidence > Confidence::Possible).collect();
    let mut findings = Vec::new();
    if let (Some(first), Some(last)) = (hit.first(), hit.last()) {
        let contacts: BTreeSet<String> = hit.iter().filter_map(|v| v.from.as_ref().map(ToString::to_string)).collect();
        let when = first.time.as_ref().map(|t| format!(" (first seen {t})")).unwrap_or_default();
        let until = if hit.len() > 1 { format!(", the last is {}", last.position) } else { String::new() };
        findings.push(Finding {
            code: Code::ReceiverRolledBack,
            detail: Some("store"),
            confidence: hit.iter().map(|v| v.confidence).max().unwrap_or(Confidence::Possible),
            sentence: format!(
                "The store is an older copy than the one that was in use{when}; messages of {} do not open with it.",
                joined(&contacts)
            ),
            evidence: vec![Evidence {
                kind: EvidenceKind::Stanza,
                place: first.position.to_string().into(),
                says: format!("{} of {} messages fail because of it{until}", hit.len(), verdicts.len()).into(),
            }],
            remedy: first.remedy.to_vec(),
            stanza_ids: hit.iter().filter_map(|v| v.id.clone()).collect(),
        });
    }
    findings.extend(own_reuse(whole));
    findings
}

/// Our own stanzas used one key twice. Where two copies write in turn, device-id-collision says so.
fn own_reuse(whole: &Whole<'_>) -> Option<Finding> {
    if whole.book.own_branches().any(|(_, _, branches)| branches.clone_confidence().is_some()) {
        return None;
    }
    let reuse = whole.book.own_reuses().first()?;
    let mut went_on = whole.book.own_branches().filter(|(_, _, branches)| branches.went_on());
    let went_on = went_on.find_map(|(_, rid, branches)| Some((rid, branches.passed.as_ref()?, branches)));
    let (first, second, counter) = match &went_on {
        Some((.., branches)) => (&branches.first, &branches.second, branches.counter),
        None => (&reuse.first, &reuse.second, reuse.counter),
    };
    let mut evidence = vec![
        in_stanza(first, format!("our ratchet key with counter {counter}")),
        in_stanza(second, "the same ratchet key and counter with other contents"),
    ];
    let (detail, confidence, sentence) = if let Some((rid, passed, _)) = went_on {
        evidence.push(in_stanza(passed, "it goes on past the old end; nothing of the old branch comes any more"));
        let says = format!(
            "Our own device used a key twice (towards device {rid}): it went back to an older state and went on from there."
        );
        ("own-rolled-back", Confidence::Likely, says)
    } else {
        let returns = whole.book.own_branches().flat_map(|(_, _, branches)| &branches.returns);
        evidence.extend(returns.take(2).map(|at| in_stanza(at, "an earlier ratchet key of ours goes on after another one")));
        let says = format!(
            "Our own device used a key twice (towards device {}): it went back to an older state, or two copies of it run.",
            reuse.rid
        );
        ("own-state-reused", Confidence::Proven, says)
    };
    Some(Finding {
        code: Code::ReceiverRolledBack,
        detail: Some(detail),
        confidence,
        sentence,
        evidence,
        remedy: vec![
            "Make sure that the profile runs on one machine only.".into(),
            "Begin new sessions with the affected contacts, and send again what they did not get.".into(),
        ],
        stanza_ids: second.id.iter().cloned().collect(),
    })
}

fn joined(contacts: &BTreeSet<String>) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = contacts.iter().take(SHOWN).map(String::as_str).collect();
    let more = contacts.len().saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
