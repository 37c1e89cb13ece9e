//! # receiver-rolled-back
//!
//! **What happened.** The message needs newer keys than this store holds. Either your client went back to an older
//! copy of its keys (a restored backup, a copied profile), or only the copy that you gave is an old one. This is
//! probably nobody's fault. The sender sees no error.
//!
//! **What to do.**
//! - Open your client. Does it show the newest messages of the sender?
//! - If yes, only the copy is old, and nothing is broken. Close the client and copy the store again, with the files
//!   beside it whose names begin the same and end in `-wal`, `-shm` or `-journal`.
//! - If no, each affected contact needs a new session. Conversations, Monal, Siskin, Beagle and Prose mostly begin a
//!   new session by themselves: if your client is one of these, only wait for the contact's next message. Gajim,
//!   Dino, Profanity, Kaidan, Converse, Psi, Pidgin/Finch (lurch) and programs with python-omemo do not: end and
//!   restart the session in your client; merely writing back is not enough. If your client has no command for it,
//!   ask the contact to do it in theirs. `omemoscope explain words` says how.
//! - Then ask those contacts for what you missed.
//!
//! **What is lost.** Nothing, if only the copy is old. Otherwise, on this device, what those contacts sent before
//! the restart.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above.
//! - `store`: the whole store is older than the client was. The verdict names the affected contacts. Do as above.
//! - `between-copies`: a later copy of the store holds older keys than an earlier one. If you named the copies in
//!   the wrong order, name the newest last. Otherwise do as above.
//! - `own-state-reused`: your client went back to old keys, or the profile runs twice. Run it on one machine only.
//!   Then end and restart the sessions with the affected contacts, and send them again what they did not get.
//! - `own-rolled-back`: your client went back to old keys and went on from there. Do as for `own-state-reused`.
//!
//! ### For those who repair clients
//!
//! **How it shows.** All messages of some contacts fail (those who wrote and were answered since the copy), others are
//! fine; what you send may still arrive.
//! - Gajim, Conversations, Profanity: "No valid sessions", "Bad Mac!". Kaidan: "OMEMO envelope data is not valid".
//!   python-omemo: "Authentication tags do not match". Siskin and Beagle: "Message was not encrypted for this device",
//!   which is wrong.
//!
//! **Mistaken for.** [beyond-snapshot]: the same evidence, when the copy is no living store but an early snapshot
//! (`--snapshot` says so). [message-key-evicted]: an old message that came late. [mac-mismatch]: one contact only, and
//! no sign of an older state.
//!
//! **Mechanism.** Each answer makes a new random ratchet key. The old copy lacks the keys made after it, so messages
//! that build on them can never be opened with it.
//!
//! **What proves it.** Your own earlier stanzas in the log: they carry a ratchet key that the store does not hold.
//! Or the sender's store, which has received such a key. Counters, and several messages of one chain that fail
//! alike, say `likely`; only `possible` where the store keeps as many receiving chains as it can, because a late
//! message of an older chain fails in the same way. `own-state-reused`: your own stanzas use one ratchet key and
//! counter for two contents; `own-rolled-back`: they then go on past the old end, and nothing of the old branch
//! comes any more.
//!
//! **References.** The Double Ratchet Algorithm, "Diffie-Hellman ratchet"; iNPUTmice/Conversations#2038,
//! iNPUTmice/Conversations#2665; dino/dino#1123; element-hq/element-web#3822.

use super::between_copies;
use super::judgement::capital;
use super::own_ratchet_moved::own_ratchet_moved;
use super::recovery::Broken;
use super::{Cause, Gathering, Judgement, Scene, Whole, in_stanza, remedies};
use crate::model::{Code, Confidence, Evidence, EvidenceKind, Finding, MessageVerdict, Position};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) const CAUSE: Cause = Cause {
    code: Code::ReceiverRolledBack,
    source: include_str!("receiver_rolled_back.rs"),
    judge,
    gather: || Box::<OldStore>::default(),
};

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
        format!("This store of {client} is an older copy: the client had already used newer keys with {sender}.")
    };
    let judgement = Judgement::new(moved.confidence, sentence).all_evidence(moved.evidence);
    // Whether the client itself fails, its own log may have said.
    let judgement = if scene.client_failed() {
        judgement.recovery(scene, Broken::DoesNotFit).remedy(capital(RESTART))
    } else {
        judgement
            .remedy(format!(
                "Open {client}. If it shows the newest messages of this contact, only the copy is old: close {client} and copy the store again{}.",
                side_files(scene)
            ))
            .recovery(scene, Broken::DoesNotFit)
            .remedy(format!("If it does not show them (after a restored backup or a copied profile), {RESTART}"))
    };
    let judgement = judgement.all_remedies(scene.client().and_then(|c| c.remedies.replace_session));
    Some(match moved.confidence {
        Confidence::Proven => judgement,
        Confidence::Possible => judgement.open_question(OLD_CHAIN),
        _ => judgement
            .open_question(if scene.outcome.peer.is_some() {
                "Whether the two sides parted for another reason: an earlier log with your own messages to this contact would tell."
            } else {
                "Whether the two sides parted for another reason: an earlier log with your own messages to this contact, or the sender's store (--peer), would tell."
            }),
    })
}

/// What to do where the client itself went back.
const RESTART: &str = "end and restart the session with this contact on this device; if your client has no command for it, ask the contact to do it in theirs. Then ask for the lost messages.";

/// What belongs to a database besides its file.
fn side_files(scene: &Scene<'_>) -> &'static str {
    let text = scene
        .account()
        .and_then(|account| account.place.file.extension())
        .is_some_and(|ending| ["json", "txt", "ceb"].iter().any(|e| ending == *e));
    if text { "" } else { " together with all files beside it (-wal, -shm, -journal)" }
}

/// What else explains a message in an unknown chain, where the known ones are full.
const OLD_CHAIN: &str = "Whether it is just an old message that came late or twice (message-key-evicted, duplicate-message): the chains that the client keeps are full. The sender's store (--peer), or an earlier log that shows this chain, would tell.";

/// The messages that the store as a whole is too old for.
#[derive(Debug, Default)]
struct OldStore {
    /// The first of them.
    first: Option<MessageVerdict>,
    last: Option<Position>,
    /// What to do where the session is still broken.
    remedy: Option<Arc<[String]>>,
    count: usize,
    /// All messages that were received.
    received: usize,
    confidence: Option<Confidence>,
    contacts: BTreeSet<String>,
    stanza_ids: Vec<String>,
}

impl Gathering for OldStore {
    fn note(&mut self, _scene: &Scene<'_>, verdict: &MessageVerdict) {
        self.received += usize::from(verdict.code != Code::OwnMessage);
        if verdict.code != Code::ReceiverRolledBack || verdict.confidence == Confidence::Possible {
            return;
        }
        self.count += 1;
        self.confidence = self.confidence.max(Some(verdict.confidence));
        self.contacts.extend(verdict.from.iter().map(ToString::to_string));
        Finding::add_id(&mut self.stanza_ids, verdict.id.clone());
        if verdict.remedy.first().is_none_or(|remedy| remedy != remedies::OVER) {
            self.remedy.get_or_insert_with(|| verdict.remedy.clone());
        }
        self.last = self.first.is_some().then(|| verdict.position.clone());
        self.first.get_or_insert_with(|| verdict.clone());
    }

    /// The copies by themselves; the store as a whole, since when, and who is affected; our own stanzas that used one key
    /// twice.
    fn findings(&self, whole: &Whole<'_>) -> Vec<Finding> {
        let over = self.count > 0 && self.remedy.is_none();
        between_copies::rolled_back(whole).chain(self.finding()).chain(own_reuse(whole, over)).collect()
    }
}

impl OldStore {
    fn finding(&self) -> Option<Finding> {
        let first = self.first.as_ref()?;
        let when = first.time.as_ref().map(|t| format!(" (first seen {t})")).unwrap_or_default();
        let until = self.last.as_ref().map(|last| format!(", the last is {last}")).unwrap_or_default();
        Some(Finding {
            code: Code::ReceiverRolledBack,
            detail: Some("store"),
            confidence: self.confidence.unwrap_or(first.confidence),
            sentence: format!(
                "The store is an older copy than the one that was in use{when}; messages of {} do not open with it.",
                joined(&self.contacts)
            ),
            evidence: vec![Evidence {
                kind: EvidenceKind::Stanza,
                place: first.position.to_string().into(),
                says: format!("messages that fail because of it: {} of {} received{until}", self.count, self.received).into(),
            }],
            // Where each session works again, nothing is left to be done about the store.
            remedy: self.remedy.as_ref().map_or_else(
                || vec!["The sessions work again. Ask the contacts to send the lost messages again.".into()],
                |remedy| remedy.to_vec(),
            ),
            stanza_ids: self.stanza_ids.clone(),
        })
    }
}

/// Our own stanzas used one key twice. Where two copies write in turn, device-id-collision says so.
fn own_reuse(whole: &Whole<'_>, over: bool) -> Option<Finding> {
    if whole.book.ours.branches().any(|(_, _, branches)| branches.clone_confidence().is_some()) {
        return None;
    }
    let reuse = whole.book.ours.reuses().first()?;
    let mut went_on = whole.book.ours.branches().filter(|(_, _, branches)| branches.went_on());
    let went_on = went_on.find_map(|(_, rid, branches)| Some((rid, branches.passed.as_ref()?, branches)));
    let (first, second, counter) = match &went_on {
        Some((.., branches)) => (&branches.first, &branches.second, branches.counter),
        None => (&reuse.first, &reuse.second, reuse.counter),
    };
    let mut evidence = vec![
        in_stanza(first, format!("your client's ratchet key with counter {counter}")),
        in_stanza(second, "the same ratchet key and counter with other contents"),
    ];
    let (detail, confidence, sentence) = if let Some((rid, passed, _)) = went_on {
        evidence.push(in_stanza(passed, "it goes on past the old end; nothing of the old branch comes any more"));
        let says = format!(
            "Your own device used a key twice (towards device {rid}): it went back to an older state and went on from there."
        );
        ("own-rolled-back", Confidence::Likely, says)
    } else {
        let returns = whole.book.ours.branches().flat_map(|(_, _, branches)| &branches.returns);
        evidence.extend(returns.take(2).map(|at| in_stanza(at, "an earlier ratchet key of ours goes on after another one")));
        let says = format!(
            "Your own device used a key twice (towards device {}): it went back to an older state, or two copies of it run.",
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
            if over {
                "Send the affected contacts again what they did not get."
            } else {
                "End and restart the sessions with the affected contacts, and send again what they did not get."
            }
            .into(),
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
