//! What clients say of messages that no capture holds.

use super::remedies::first_aid;
use super::{Gathering, Scene, Whole, in_store};
use crate::analysis::client_words::{Complaint, Kind, Subject};
use crate::analysis::number::number;
use crate::input::store::FORMATS;
use crate::model::{
    BareJid, ClientProfile, Code, Confidence, Evidence, EvidenceKind, Finding, MessageVerdict, StoredSession, When,
};
use std::collections::HashSet;

/// The code that a client's words stand for, and how surely.
pub(super) fn meaning(kind: Kind) -> Option<(Code, Confidence)> {
    match kind {
        Kind::Failed(code) => Some((code, Confidence::Likely)),
        Kind::Unclear(code) => Some((code, Confidence::Possible)),
        Kind::FailedSomehow | Kind::Done => Some((Code::MacMismatch, Confidence::Possible)),
        Kind::Harmless(_) | Kind::Opened | Kind::Progress | Kind::Unreached(_) => None,
    }
}

/// The profile of the client that wrote a log.
pub(super) fn profile(client: &str) -> Option<&'static ClientProfile> {
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
        // Where the captures hold messages, they just do not hold these.
        let more = (whole.window.end() == 0).then(|| format!(
            "To learn more: the log of {client} does not hold {}. Give one that does (the server's, or the sender's), together with a copy of the store.",
            if complaint.count == 1 { "the message itself" } else { "the messages themselves" }
        ));
        remedy.extend(more);
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
