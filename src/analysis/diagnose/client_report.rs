//! What the client itself said, where nothing else is known: of a message without a store, or with a copy of it that is
//! newer than the message; and of messages that no capture holds.

use super::remedies::first_aid;
use super::{Gathering, Judgement, Scene, Whole, in_store};
use crate::analysis::client_words::{Complaint, Kind, Subject};
use crate::analysis::summary::number;
use crate::input::store::FORMATS;
use crate::model::{
    BareJid, ClientProfile, Code, Confidence, Evidence, EvidenceKind, Finding, MessageVerdict, StoredSession, When,
};
use std::collections::HashSet;

/// What the client's own complaint of a message comes to, where the verdict so far rests on nothing that was tried.
pub(super) fn judge(scene: &Scene<'_>, so_far: Code) -> Option<(Code, Judgement)> {
    let untried = scene.outcome.trials.is_empty();
    let newer_copy = so_far == Code::DuplicateMessage && scene.outcome.seen_before.is_none();
    if scene.opened() || !(untried && so_far == Code::Ok || newer_copy) {
        return None;
    }
    let Some(said) = scene.outcome.comments.failure() else { return duplicate(scene, untried) };
    let (code, confidence) = meaning(said.words.kind)?;
    let sentence = format!("{} could not read the message from {}: {}.", said.client, scene.sender(), said.words.means);
    let question = if untried {
        "What the cause behind it is: a copy of your client's store (--store) would tell."
    } else {
        "What the cause behind it was: a copy of the store from before this message would tell; this one is newer."
    };
    let aid = first_aid(code, profile(said.client));
    Some((code, aid.into_iter().fold(Judgement::new(confidence, sentence).open_question(question), Judgement::remedy)))
}

/// Without a store the client may know that a message came before.
fn duplicate(scene: &Scene<'_>, untried: bool) -> Option<(Code, Judgement)> {
    let said = scene.client_said().find(|said| said.words.claims_duplicate()).filter(|_| untried)?;
    let sentence = format!("{} takes the message from {} for another copy: {}.", said.client, scene.sender(), said.words.means);
    let judgement = Judgement::new(Confidence::Likely, sentence).open_question(
        "Whether it is a new text under a used key (sender-rolled-back): an earlier log with the first copy would tell.",
    );
    Some((Code::DuplicateMessage, judgement))
}

fn meaning(kind: Kind) -> Option<(Code, Confidence)> {
    match kind {
        Kind::Failed(code) => Some((code, Confidence::Likely)),
        Kind::Unclear(code) => Some((code, Confidence::Possible)),
        Kind::FailedSomehow => Some((Code::MacMismatch, Confidence::Possible)),
        Kind::Harmless(_) | Kind::Opened | Kind::Progress | Kind::Unreached(_) => None,
    }
}

/// The profile of the client that wrote a log.
fn profile(client: &str) -> Option<&'static ClientProfile> {
    FORMATS.iter().map(|format| format.client).find(|profile| profile.name.starts_with(client))
}

/// Complaints of messages that no capture holds.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Senders of messages that fail, and why: what the captures show need not be said twice.
    failing: HashSet<(Option<BareJid>, Code)>,
}

impl Gathering for Reports {
    fn note(&mut self, _scene: &Scene<'_>, verdict: &MessageVerdict) {
        if !verdict.code.is_harmless() {
            self.failing.insert((verdict.from.clone(), verdict.code));
        }
    }

    fn findings(&self, whole: &Whole<'_>) -> Vec<Finding> {
        let complaints = whole.client_words.complaints();
        complaints.iter().filter_map(|complaint| self.finding(whole, complaint)).collect()
    }
}

impl Reports {
    fn finding(&self, whole: &Whole<'_>, complaint: &Complaint) -> Option<Finding> {
        if let Kind::Unreached(detail) = complaint.words.kind {
            let alone = complaint.lines.first().is_some_and(|line| !whole.client_words.has_stanzas(&line.file));
            return alone.then(|| unreached(complaint, detail));
        }
        let (code, confidence) = meaning(complaint.words.kind)?;
        let (subject, known) = known(whole, &complaint.subject);
        if self.failing.contains(&(subject.jid.clone(), code)) {
            return None;
        }
        let client = complaint.client;
        let many = number(complaint.count, "message");
        let sentence = format!("{client} could not read {many} {}{}: {}.", of(&subject), span(complaint), complaint.words.means);
        let evidence = lines(complaint).chain(known).chain(store_says(whole, &subject, code)).collect();
        let mut remedy = first_aid(code, profile(client));
        remedy.push(format!(
            "To learn more: the log of {client} does not hold {}. Give one that does (the server's, or the sender's), together with a copy of the store.",
            if complaint.count == 1 { "the message itself" } else { "the messages themselves" }
        ));
        Some(Finding { code, detail: None, confidence, sentence, evidence, remedy, stanza_ids: Vec::new() })
    }
}

fn unreached(complaint: &Complaint, detail: &'static str) -> Finding {
    let who = match (&complaint.subject.jid, complaint.subject.device_id) {
        (None, None) => String::new(),
        _ => format!(" ({})", name(&complaint.subject)),
    };
    Finding {
        code: Code::NotAddressed,
        detail: Some(detail),
        confidence: Confidence::Likely,
        sentence: format!("{} says \u{201c}{}\u{201d}{who}: {}.", complaint.client, complaint.words.text, complaint.words.means),
        evidence: lines(complaint).collect(),
        remedy: vec!["The owner of the device (you, if it is yours) restarts its client, so that it publishes its list and bundle again; a device that is no longer in use is taken off the list.".into()],
        stanza_ids: Vec::new(),
    }
}

/// The lines themselves.
fn lines(complaint: &Complaint) -> impl Iterator<Item = Evidence> {
    let more = complaint.count.saturating_sub(complaint.lines.len());
    let last = complaint.lines.len().saturating_sub(1);
    complaint.lines.iter().enumerate().map(move |(index, line)| Evidence {
        kind: EvidenceKind::ClientLog,
        place: line.to_string().into(),
        says: match more {
            more if more > 0 && index == last => {
                format!("{} says \u{201c}{}\u{201d}, and {} more", complaint.client, complaint.words.text, number(more, "time"))
            }
            _ => format!("{} says \u{201c}{}\u{201d}", complaint.client, complaint.words.text),
        }
        .into(),
    })
}

/// The subject, completed from the store: a fingerprint tells a device.
fn known(whole: &Whole<'_>, subject: &Subject) -> (Subject, Option<Evidence>) {
    let Some(fingerprint) = subject.fingerprint else { return (subject.clone(), None) };
    let mut devices = whole.own.iter().filter_map(|own| own.replays.last()).flat_map(|replay| &replay.account.devices);
    let Some(device) = devices.find(|d| d.identity.is_some_and(|i| i.fingerprint() == fingerprint)) else {
        return (subject.clone(), None);
    };
    let trust = in_store(device.trust_place(), format!("trust is {} ({})", device.trust.word, device.trust.level.as_str()));
    (Subject { jid: Some(device.jid.clone()), device_id: device.device_id, ..subject.clone() }, Some(trust))
}

/// Whether the store has the session that the client misses.
fn store_says(whole: &Whole<'_>, subject: &Subject, code: Code) -> Option<Evidence> {
    let jid = subject.jid.as_ref().filter(|_| code == Code::NoSession)?;
    let account = &whole.own.iter().find_map(|own| own.replays.last())?.account;
    let same = |s: &&StoredSession| s.jid == *jid && subject.device_id.is_none_or(|id| s.device_id == id);
    Some(match account.sessions.iter().find(same) {
        Some(session) => in_store(&session.place, "this copy of the store has such a session, so it was made at another time"),
        None => in_store(account.sessions_place(), format!("no session with {}", name(subject))),
    })
}

fn of(subject: &Subject) -> String {
    match (&subject.jid, subject.device_id) {
        (None, None) => "of somebody whom its log does not name".into(),
        _ => format!("of {}", name(subject)),
    }
}

/// `device 4711 of bob@example.org`.
fn name(subject: &Subject) -> String {
    match (&subject.jid, subject.device_id) {
        (Some(jid), Some(id)) => format!("device {id} of {jid}"),
        (Some(jid), None) => jid.to_string(),
        (None, Some(id)) => format!("device {id}"),
        (None, None) => "an unnamed device".into(),
    }
}

fn span(complaint: &Complaint) -> String {
    let short = |when: &When| when.short();
    match (&complaint.first, &complaint.last) {
        (Some(first), Some(last)) if short(first) != short(last) => format!(", between {} and {}", short(first), short(last)),
        (Some(first), _) => format!(", at {}", short(first)),
        (None, _) => String::new(),
    }
}
