//! Messages that fare alike: one code, one finer cause, one sentence. A thousand messages that one device sent into a
//! lost session are one group; of each group only the first messages are kept, and what all of them have in common.

use crate::model::{Code, Confidence, EvidenceKind, MessageVerdict, Position};
use crate::report::joined_evidence::JoinedEvidence;
use crate::report::message::MessageView;
use std::collections::HashMap;
use std::sync::Arc;

/// Messages of one group that are listed without -v.
pub(super) const SHOWN_MESSAGES: usize = 5;

/// Groups that are kept apart. Where there are more, the rest joins the first one of its cause.
const MAX_GROUPS: usize = 10_000;

/// Remedies, and open questions, that are kept of one group.
const MAX_SENTENCES: usize = 20;

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    /// Its code.
    pub code: Code,
    /// The finer cause.
    pub detail: Option<&'static str>,
    /// What happened.
    pub sentence: Arc<str>,
    /// The group is as sure as its least sure message.
    pub confidence: Confidence,
    /// How many messages it has.
    pub count: usize,
    /// Who sent the first of them: `jid/device`.
    pub sender: String,
    /// Where the first of them is.
    pub first: Position,
    /// The first messages.
    pub shown: Vec<MessageView>,
    /// What proves it.
    pub evidence: JoinedEvidence,
    /// What holds for such messages. A rule proves nothing: it says what the client makes of such a message.
    pub rules: JoinedEvidence,
    /// What to do.
    pub remedies: Vec<String>,
    /// What is not settled.
    pub questions: Vec<String>,
}

impl Group {
    fn new(verdict: &MessageVerdict) -> Self {
        Self {
            code: verdict.code,
            detail: verdict.detail,
            sentence: verdict.sentence.clone(),
            confidence: verdict.confidence,
            count: 0,
            sender: String::new(),
            first: verdict.position.clone(),
            shown: Vec::new(),
            evidence: JoinedEvidence::default(),
            rules: JoinedEvidence::default(),
            remedies: Vec::new(),
            questions: Vec::new(),
        }
    }

    fn add(&mut self, verdict: &MessageVerdict, shown: usize, plaintext: bool) {
        self.count += 1;
        self.confidence = self.confidence.min(verdict.confidence);
        if self.count <= shown {
            let view = MessageView::new(verdict, plaintext);
            if self.count == 1 {
                self.sender = view.sender();
            }
            self.shown.push(view);
        }
        for piece in &verdict.evidence {
            match piece.kind {
                // What the specification asks for helps who repairs clients: -v shows it.
                EvidenceKind::Rule if piece.place.starts_with("XEP") => {}
                EvidenceKind::Rule => self.rules.add(piece),
                _ => self.evidence.add(piece),
            }
        }
        add_new(&mut self.remedies, &verdict.remedy);
        add_new(&mut self.questions, &verdict.open_questions);
    }
}

/// What messages of one group have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Alike {
    code: Code,
    detail: Option<&'static str>,
    sentence: Arc<str>,
    /// Where a session works again, what is to be done is another thing from the beginning.
    first_remedy: Option<String>,
}

impl Alike {
    fn of(verdict: &MessageVerdict) -> Self {
        Self {
            code: verdict.code,
            detail: verdict.detail,
            sentence: verdict.sentence.clone(),
            first_remedy: verdict.remedy.first().cloned(),
        }
    }
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    known: HashMap<Alike, usize>,
    of_cause: HashMap<(Code, Option<&'static str>), usize>,
}

impl Groups {
    /// Adds the next message; the first `shown` of each group are kept, with what they say if `plaintext` was asked for.
    pub fn add(&mut self, verdict: &MessageVerdict, shown: usize, plaintext: bool) {
        let cause = (verdict.code, verdict.detail);
        let key = Alike::of(verdict);
        let full = self.groups.len() >= MAX_GROUPS;
        let known = self.known.get(&key).or_else(|| self.of_cause.get(&cause).filter(|_| full));
        let number = known.copied().unwrap_or(self.groups.len());
        if number == self.groups.len() {
            self.known.insert(key, number);
            self.of_cause.entry(cause).or_insert(number);
            self.groups.push(Group::new(verdict));
        }
        if let Some(group) = self.groups.get_mut(number) {
            group.add(verdict, shown, plaintext);
        }
    }

    /// The groups by cause: what helps most first, of one cause the largest first.
    pub fn causes(&self) -> Vec<Vec<&Group>> {
        let mut causes: HashMap<(Code, Option<&'static str>), Vec<&Group>> = HashMap::new();
        for group in &self.groups {
            causes.entry((group.code, group.detail)).or_default().push(group);
        }
        let mut causes: Vec<_> = causes.into_iter().collect();
        let size = |groups: &[&Group]| groups.iter().map(|group| group.count).sum::<usize>();
        causes.sort_by_key(|((code, detail), groups)| (code.turn(), std::cmp::Reverse(size(groups)), *code, *detail));
        causes.into_iter().map(|(_, groups)| by_size(groups)).collect()
    }
}

/// The largest first. Groups stand in the order of their first messages, and the sort is stable.
fn by_size(mut groups: Vec<&Group>) -> Vec<&Group> {
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

fn add_new(all: &mut Vec<String>, items: &[String]) {
    for item in items {
        if all.len() < MAX_SENTENCES && !all.contains(item) {
            all.push(item.clone());
        }
    }
}
