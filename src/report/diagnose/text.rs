//! A diagnosis for a person: a summary, findings, what needs attention by cause, and what is fine.

use super::{DiagnosisView, FindingView, Sources};
use crate::analysis::groups::Group;
use crate::model::{Code, Confidence, EvidenceKind, MessageVerdict};
use crate::report::joined_evidence::JoinedEvidence;
use crate::report::message::{MessageView, Messages, code_and_detail, plaintext_text};
use crate::report::page::Look;
use crate::report::shared::{EvidenceView, count};
use crate::report::{Line, Page};
use std::collections::BTreeMap;

impl DiagnosisView<'_> {
    /// The whole page.
    pub(super) fn page(&self, page: &mut Page) {
        self.summary_text(page);
        // What to do is said once, where it first belongs.
        let mut told = Told::default();
        if !self.findings.is_empty() {
            page.heading("Findings");
            for finding in &self.findings {
                finding_text(page, finding, &mut told);
            }
        }
        let groups = self.groups();
        if !groups.is_empty() {
            page.heading("Messages that need attention");
            for group in &groups {
                group_text(page, self.messages, group, &mut told);
            }
        }
        self.harmless_text(page);
    }

    fn summary_text(&self, page: &mut Page) {
        if self.messages.is_empty() && self.findings.is_empty() {
            page.line(0, nothing_found(&self.sources));
            return;
        }
        for sentence in self.summary {
            page.line(0, Line::new().strong(sentence));
        }
    }

    /// What needs attention, the most frequent first.
    fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<_> = self.messages.conclusion.groups().iter().filter(|group| !group.code.is_harmless()).collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count()), group.code, group.detail, &group.sentence));
        groups
    }

    fn harmless_text(&self, page: &mut Page) {
        let verbose = page.verbose();
        let untried = self.messages.count(Group::is_untried);
        if untried > 0 {
            page.heading("Could not be tried");
            page.line(2, format!("{}: nothing in the clear speaks against them.", count(untried, "message")));
            page.line(2, "Whether they decrypt, only a copy of the client's store can tell (--store).");
            if verbose {
                let untried = self.messages.conclusion.messages().filter(MessageVerdict::is_untried);
                untried.for_each(|message| message_line(page, 2, &self.messages.view(&message)));
            }
        }
        let mut by_code: BTreeMap<Code, usize> = BTreeMap::new();
        for group in self.messages.conclusion.groups().iter().filter(|g| g.code.is_harmless() && !g.is_untried()) {
            *by_code.entry(group.code).or_default() += group.count();
        }
        if by_code.is_empty() {
            return;
        }
        page.heading("Nothing wrong");
        let rows = by_code.iter().map(|(code, messages)| {
            let look = if *code == Code::Ok { Look::Good } else { Look::Plain };
            vec![(look, code.to_string()), (Look::Plain, count(*messages, "message")), (Look::Faint, code.title().to_owned())]
        });
        page.columns(2, &["code", "", "which"], rows.collect());
        if verbose || self.messages.plaintext {
            let harmless = self.messages.conclusion.messages().filter(|m| m.code.is_harmless() && !m.is_untried());
            for message in harmless.filter(|m| verbose || m.plaintext.is_some()) {
                harmless_message(page, &self.messages.view(&message));
            }
        }
        if !verbose {
            page.line(2, Line::new().faint("-v lists them."));
        }
    }
}

fn harmless_message(page: &mut Page, message: &MessageView) {
    message_line(page, 2, message);
    if page.verbose() {
        page.line(6, Line::new().plain(message.code_and_detail()).plain(": ").plain(&message.sentence));
        evidence_text(page, 6, &message.evidence, 0);
    }
    plaintext_text(page, 6, message);
}

/// The calm answer to a capture without OMEMO.
fn nothing_found(sources: &Sources) -> String {
    if sources.captures.is_empty() {
        return "No capture was given, and the store alone shows nothing wrong. Name a log or XML file with the messages in question.".into();
    }
    crate::report::nothing_found(sources.stanzas)
}

fn confidence_look(confidence: &str) -> Look {
    if confidence == Confidence::Proven.as_str() { Look::Strong } else { Look::Warning }
}

fn finding_text(page: &mut Page, finding: &FindingView, told: &mut Told) {
    page.gap();
    page.line(
        2,
        Line::new()
            .look(if finding.needs_attention { Look::Bad } else { Look::Strong }, code_and_detail(finding.code, finding.detail))
            .plain(" (")
            .look(confidence_look(finding.confidence), finding.confidence)
            .plain(")"),
    );
    page.line(4, &finding.sentence);
    if page.verbose() && !finding.stanza_ids.is_empty() {
        page.line(4, Line::new().faint(format!("stanzas: {}", finding.stanza_ids.join(", "))));
    }
    evidence_text(page, 4, &finding.evidence, 0);
    told.remedies(page, 4, &finding.remedy);
}

/// Messages of one group that are listed without -v.
const SHOWN_MESSAGES: usize = 5;

/// Pieces of evidence that are shown without -v.
const SHOWN_EVIDENCE: usize = 8;

/// One cause and its messages. What is the same for all of them is said once.
fn group_text(page: &mut Page, messages: Messages<'_>, group: &Group, told: &mut Told) {
    page.gap();
    page.line(
        2,
        Line::new()
            .look(Look::Bad, code_and_detail(group.code.as_str(), group.detail))
            .plain(" (")
            .look(confidence_look(group.confidence.as_str()), group.confidence.as_str())
            .plain(format!(")  {}", count(group.count(), "message"))),
    );
    page.line(4, &group.sentence);
    let shown = if page.verbose() { group.count() } else { SHOWN_MESSAGES };
    // A rule proves nothing: it says what the client makes of such a message.
    let (mut evidence, mut rules) = (JoinedEvidence::default(), JoinedEvidence::default());
    let (mut remedies, mut questions) = (Vec::new(), Vec::new());
    for (number, verdict) in messages.conclusion.messages_of(group).enumerate() {
        if number < shown {
            let message = &messages.view(&verdict);
            message_line(page, 4, message);
            if page.verbose() {
                evidence_text(page, 8, &message.evidence, 0);
            }
            plaintext_text(page, 8, message);
        }
        for piece in &verdict.evidence {
            if piece.kind == EvidenceKind::Rule { rules.add(piece) } else { evidence.add(piece) }
        }
        add_new(&mut remedies, &verdict.remedy);
        add_new(&mut questions, &verdict.open_questions);
    }
    if group.count() > shown {
        page.line(4, Line::new().faint(format!("and {} more (-v shows them)", group.count() - shown)));
    }
    if !page.verbose() {
        let title = if group.confidence == Confidence::Proven { "What proves it" } else { "What speaks for it" };
        titled_evidence(page, 4, title, evidence);
        titled_evidence(page, 4, "What holds for such messages", rules);
    }
    told.remedies(page, 4, &remedies);
    list(page, 4, "Not settled", &questions);
    page.line(4, Line::new().faint(format!("More about it: omemoscope explain {}", group.code)));
}

fn titled_evidence(page: &mut Page, indent: usize, title: &str, evidence: JoinedEvidence) {
    let (pieces, more) = evidence.pieces(SHOWN_EVIDENCE);
    if !pieces.is_empty() {
        page.line(indent, Line::new().strong(format!("{title}:")));
    }
    evidence_text(page, indent, &pieces, more);
}

fn message_line(page: &mut Page, indent: usize, message: &MessageView) {
    let mut line = Line::new();
    if let Some(when) = &message.when {
        line = line.plain(when).plain("  ");
    }
    line = line.strong(message.sender()).faint(format!("  {}", message.position));
    if let Some(id) = &message.id {
        line = line.faint(format!("  {id}"));
    }
    page.bullet(indent, line);
}

/// Pieces of evidence; without -v the first ones, of these and `more`.
fn evidence_text(page: &mut Page, indent: usize, evidence: &[EvidenceView], more: usize) {
    let shown = if page.verbose() { evidence.len() } else { SHOWN_EVIDENCE.min(evidence.len()) };
    for piece in evidence.iter().take(shown) {
        page.bullet(indent, Line::new().plain(&piece.says).faint(format!("  [{}: {}]", piece.kind, piece.place)));
    }
    let more = more + evidence.len() - shown;
    if more > 0 {
        page.line(indent, Line::new().faint(format!("and {more} more (-v shows them)")));
    }
}

/// What was told to do already: it is said once, where it first belongs.
#[derive(Debug, Default)]
struct Told(Vec<String>);

impl Told {
    fn remedies(&mut self, page: &mut Page, indent: usize, all: &[String]) {
        let new: Vec<String> = all.iter().filter(|item| !self.0.contains(item)).cloned().collect();
        if new.is_empty() && !all.is_empty() {
            page.line(indent, Line::new().strong("What to do:").plain(" as above"));
        }
        list(page, indent, "What to do", &new);
        self.0.extend(new);
    }
}

fn list(page: &mut Page, indent: usize, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    page.line(indent, Line::new().strong(format!("{title}:")));
    for item in items {
        page.bullet(indent, item);
    }
}

fn add_new(all: &mut Vec<String>, items: &[String]) {
    for item in items {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
}
