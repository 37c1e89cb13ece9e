//! The diagnosis: `omemoscope/diagnose/1`; its message objects serve `decrypt` too.

use super::joined_evidence::JoinedEvidence;
use super::shared::{EvidenceView, PositionView, count, time};
use super::{Line, Page, View, page::Look};
use crate::analysis::conclusion::Conclusion;
use crate::analysis::groups::Group;
use crate::model::{Code, Confidence, Content, EvidenceKind, Finding, MessageVerdict, When};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was read to come to it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sources {
    /// Stores, in the order given.
    pub stores: Vec<String>,
    /// The other end's stores.
    pub peers: Vec<String>,
    /// Captures.
    pub captures: Vec<String>,
    /// Stanzas in the captures, with or without OMEMO.
    pub stanzas: usize,
}

/// The whole diagnosis.
#[derive(Debug, Serialize)]
pub struct DiagnosisView<'a> {
    summary: &'a [String],
    messages: Messages<'a>,
    findings: Vec<FindingView>,
    counts: BTreeMap<&'static str, usize>,
    sources: Sources,
}

/// The messages. Their verdicts and views are made one at a time, when they are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Messages<'a> {
    /// Knows the verdicts.
    pub conclusion: &'a Conclusion,
    /// With what was decrypted.
    pub plaintext: bool,
}

impl Messages<'_> {
    /// The view of one of them.
    pub fn view(&self, verdict: &MessageVerdict) -> MessageView {
        MessageView::new(verdict, self.plaintext)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.conclusion.groups().is_empty()
    }

    /// How many of them are in groups that fit.
    pub fn count(&self, fits: impl Fn(&Group) -> bool) -> usize {
        self.conclusion.groups().iter().filter(|group| fits(group)).map(Group::count).sum()
    }

    /// Whether one of them needs attention.
    pub fn need_attention(&self) -> bool {
        self.conclusion.groups().iter().any(|group| !group.code.is_harmless())
    }
}

impl Serialize for Messages<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.conclusion.messages().map(|verdict| self.view(&verdict)))
    }
}

/// One message.
#[derive(Debug, Serialize)]
pub struct MessageView {
    /// Stanza id.
    pub id: Option<String>,
    /// Bare JID of the sender.
    pub from: Option<String>,
    /// The sender's device.
    pub sid: Option<u32>,
    /// Our device, if a key was made for it.
    pub to_device: Option<u32>,
    /// Our account.
    pub account: Option<String>,
    /// When.
    pub time: Option<String>,
    /// Where.
    pub position: PositionView,
    /// XML namespace of the variant.
    pub namespace: Option<&'static str>,
    /// The code.
    pub code: &'static str,
    /// A finer cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
    /// proven, likely or possible.
    pub confidence: &'static str,
    /// What happened.
    pub sentence: String,
    /// What proves it.
    pub evidence: Vec<EvidenceView>,
    /// What to do.
    pub remedy: Vec<String>,
    /// What is not settled.
    pub open_questions: Vec<String>,
    /// The body, only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<String>,
    /// Other decrypted elements, only where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentView>,
    #[serde(skip)]
    pub(super) kind: Code,
    #[serde(skip)]
    pub(super) when: Option<String>,
}

/// A decrypted element.
#[derive(Debug, Serialize)]
pub struct ContentView {
    /// `{namespace}name`.
    pub name: String,
    /// What it is, in a few words; null if the kind is not known.
    pub says: Option<String>,
    /// As XML.
    pub xml: String,
}

/// A finding about the whole.
#[derive(Debug, Serialize)]
pub struct FindingView {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    confidence: &'static str,
    sentence: String,
    evidence: Vec<EvidenceView>,
    remedy: Vec<String>,
    stanza_ids: Vec<String>,
    #[serde(skip)]
    needs_attention: bool,
}

impl MessageView {
    /// The view of one verdict; with what was decrypted only if `plaintext` was asked for.
    pub fn new(verdict: &MessageVerdict, plaintext: bool) -> Self {
        Self {
            id: verdict.id.clone(),
            from: verdict.from.as_ref().map(ToString::to_string),
            sid: verdict.sid,
            to_device: verdict.to_device,
            account: verdict.account.as_ref().map(ToString::to_string),
            time: verdict.time.as_ref().map(time),
            position: (&verdict.position).into(),
            namespace: verdict.namespace.map(|n| n.uri()),
            code: verdict.code.as_str(),
            detail: verdict.detail,
            confidence: verdict.confidence.as_str(),
            sentence: verdict.sentence.to_string(),
            evidence: verdict.evidence.iter().map(Into::into).collect(),
            remedy: verdict.remedy.to_vec(),
            open_questions: verdict.open_questions.to_vec(),
            plaintext: if plaintext { verdict.plaintext.as_ref().map(|p| p.expose().to_owned()) } else { None },
            content: if plaintext { verdict.content.iter().map(ContentView::new).collect() } else { Vec::new() },
            kind: verdict.code,
            when: verdict.time.as_ref().map(When::short),
        }
    }

    /// Who sent it: `jid/device`.
    pub(super) fn sender(&self) -> String {
        let jid = self.from.as_deref().unwrap_or("sender not known");
        self.sid.map_or_else(|| jid.to_owned(), |sid| format!("{jid}/{sid}"))
    }

    /// The code, and the finer cause if there is one.
    pub(super) fn code_and_detail(&self) -> String {
        code_and_detail(self.code, self.detail)
    }
}

impl ContentView {
    fn new(content: &Content) -> Self {
        Self {
            name: content.name.clone(),
            says: content.says.as_ref().map(|s| s.expose().to_owned()),
            xml: content.xml.expose().to_owned(),
        }
    }
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        Self {
            code: finding.code.as_str(),
            detail: finding.detail,
            confidence: finding.confidence.as_str(),
            sentence: finding.sentence.clone(),
            evidence: finding.evidence.iter().map(Into::into).collect(),
            remedy: finding.remedy.clone(),
            stanza_ids: finding.stanza_ids.clone(),
            needs_attention: finding.needs_attention(),
        }
    }
}

impl<'a> DiagnosisView<'a> {
    /// The view of a diagnosis; with plaintext only if that was asked for.
    pub fn new(conclusion: &'a Conclusion, sources: Sources, plaintext: bool) -> Self {
        let mut counts = BTreeMap::new();
        for group in conclusion.groups() {
            *counts.entry(group.code.as_str()).or_insert(0) += group.count();
        }
        Self {
            summary: conclusion.summary(),
            messages: Messages { conclusion, plaintext },
            findings: conclusion.findings().iter().map(FindingView::new).collect(),
            counts,
            sources,
        }
    }

    /// Whether something needs attention.
    pub fn needs_attention(&self) -> bool {
        self.messages.need_attention() || self.findings.iter().any(|f| f.needs_attention)
    }
}

impl View for DiagnosisView<'_> {
    const COMMAND: &'static str = "diagnose";

    fn text(&self, page: &mut Page) {
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
}

impl DiagnosisView<'_> {
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
    super::nothing_found(sources.stanzas)
}

fn confidence_look(confidence: &str) -> Look {
    if confidence == Confidence::Proven.as_str() { Look::Strong } else { Look::Warning }
}

fn code_and_detail(code: &str, detail: Option<&str>) -> String {
    detail.map_or_else(|| code.to_owned(), |detail| format!("{code}/{detail}"))
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

/// What was decrypted, where it was asked for.
pub(super) fn plaintext_text(page: &mut Page, indent: usize, message: &MessageView) {
    if let Some(body) = &message.plaintext {
        page.verbatim(indent, body);
    }
    for content in &message.content {
        if let Some(says) = &content.says {
            page.line(indent, Line::new().faint("content: ").plain(says));
        } else {
            page.line(indent, Line::new().faint(format!("other content: {}", content.name)));
        }
        // What can be said in words is shown as XML only to those who ask.
        if content.says.is_none() || page.verbose() {
            page.verbatim(indent + 2, &content.xml);
        }
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
