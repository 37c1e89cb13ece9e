//! The diagnosis: `omemoscope/diagnose/1`; its message objects serve `decrypt` too.

use super::shared::{EvidenceView, PositionView, count, time};
use super::{Line, Page, View, page::Look};
use crate::model::{Code, Confidence, Content, Diagnosis, Evidence, Finding, MessageVerdict, When};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

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

/// The messages. Their views are made one at a time, when they are written: all at once they would take as
/// much memory as the verdicts again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Messages<'a> {
    /// The verdicts.
    pub verdicts: &'a [MessageVerdict],
    /// With what was decrypted.
    pub plaintext: bool,
}

impl Messages<'_> {
    /// The view of one of them.
    pub fn view(&self, verdict: &MessageVerdict) -> MessageView {
        MessageView::new(verdict, self.plaintext)
    }

    /// Whether one of them needs attention.
    pub fn need_attention(&self) -> bool {
        self.verdicts.iter().any(|m| !m.code.is_harmless())
    }
}

impl Serialize for Messages<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.verdicts.iter().map(|verdict| self.view(verdict)))
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
    pub fn new(diagnosis: &'a Diagnosis, sources: Sources, plaintext: bool) -> Self {
        let mut counts = BTreeMap::new();
        for message in &diagnosis.messages {
            *counts.entry(message.code.as_str()).or_insert(0) += 1;
        }
        Self {
            summary: &diagnosis.summary,
            messages: Messages { verdicts: &diagnosis.messages, plaintext },
            findings: diagnosis.findings.iter().map(FindingView::new).collect(),
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
        let mut told = Vec::new();
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
        if self.messages.verdicts.is_empty() && self.findings.is_empty() {
            page.line(0, nothing_found(&self.sources));
            return;
        }
        for sentence in self.summary {
            page.line(0, Line::new().strong(sentence));
        }
    }

    /// One group for each cause and what it says, the most frequent first.
    fn groups(&self) -> Vec<Vec<&MessageVerdict>> {
        let mut groups: BTreeMap<(Code, Option<&str>, &str), Vec<&MessageVerdict>> = BTreeMap::new();
        for message in self.messages.verdicts.iter().filter(|m| !m.code.is_harmless()) {
            groups.entry((message.code, message.detail, &message.sentence)).or_default().push(message);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|g| std::cmp::Reverse(g.len()));
        groups
    }

    fn harmless_text(&self, page: &mut Page) {
        let verbose = page.verbose();
        let (untried, harmless): (Vec<&MessageVerdict>, Vec<&MessageVerdict>) =
            self.messages.verdicts.iter().filter(|m| m.code.is_harmless()).partition(|m| m.is_untried());
        if !untried.is_empty() {
            page.heading("Could not be tried");
            page.line(2, format!("{}: nothing in the clear speaks against them.", count(untried.len(), "message")));
            page.line(2, "Whether they decrypt, only a copy of the client's store can tell (--store).");
            for message in untried.iter().filter(|_| verbose) {
                message_line(page, 2, &self.messages.view(message));
            }
        }
        if harmless.is_empty() {
            return;
        }
        page.heading("Nothing wrong");
        let mut by_code: BTreeMap<Code, usize> = BTreeMap::new();
        for message in &harmless {
            *by_code.entry(message.code).or_default() += 1;
        }
        let rows = by_code.iter().map(|(code, messages)| {
            let look = if *code == Code::Ok { Look::Good } else { Look::Plain };
            vec![(look, code.to_string()), (Look::Plain, count(*messages, "message")), (Look::Faint, code.title().to_owned())]
        });
        page.columns(2, &["code", "", "which"], rows.collect());
        let opened = |m: &&&MessageVerdict| self.messages.plaintext && m.plaintext.is_some();
        for message in harmless.iter().filter(|m| verbose || opened(m)) {
            let message = &self.messages.view(message);
            message_line(page, 2, message);
            if verbose {
                page.line(6, Line::new().plain(message.code_and_detail()).plain(": ").plain(&message.sentence));
                evidence_text(page, 6, &message.evidence.iter().collect::<Vec<_>>());
            }
            plaintext_text(page, 6, message);
        }
        if !verbose {
            page.line(2, Line::new().faint("-v lists them."));
        }
    }
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

fn finding_text<'a>(page: &mut Page, finding: &'a FindingView, told: &mut Vec<&'a String>) {
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
    if !finding.stanza_ids.is_empty() {
        page.line(4, Line::new().faint(format!("stanzas: {}", first_few(&finding.stanza_ids, page.verbose()))));
    }
    evidence_text(page, 4, &finding.evidence.iter().collect::<Vec<_>>());
    remedies(page, 4, finding.remedy.iter(), told);
}

/// Messages of one group that are listed without -v.
const SHOWN_MESSAGES: usize = 5;

/// Pieces of evidence that are shown without -v.
const SHOWN_EVIDENCE: usize = 8;

/// One cause and its messages. What is the same for all of them is said once.
fn group_text<'a>(page: &mut Page, messages: Messages<'a>, group: &[&'a MessageVerdict], told: &mut Vec<&'a String>) {
    let Some(first) = group.first() else { return };
    // The group is as sure as its least sure message.
    let confidence = group.iter().map(|m| m.confidence).min().unwrap_or(Confidence::Possible);
    page.gap();
    page.line(
        2,
        Line::new()
            .look(Look::Bad, code_and_detail(first.code.as_str(), first.detail))
            .plain(" (")
            .look(confidence_look(confidence.as_str()), confidence.as_str())
            .plain(format!(")  {}", count(group.len(), "message"))),
    );
    page.line(4, &first.sentence);
    let shown = if page.verbose() { group.len() } else { SHOWN_MESSAGES };
    for message in group.iter().take(shown) {
        let message = &messages.view(message);
        message_line(page, 4, message);
        if page.verbose() {
            evidence_text(page, 8, &message.evidence.iter().collect::<Vec<_>>());
        }
        plaintext_text(page, 8, message);
    }
    if group.len() > shown {
        page.line(4, Line::new().faint(format!("and {} more (-v shows them)", group.len() - shown)));
    }
    if !page.verbose() {
        let evidence = joined(group.iter().flat_map(|m| &m.evidence));
        if !evidence.is_empty() {
            let title = if confidence == Confidence::Proven { "What proves it:" } else { "What speaks for it:" };
            page.line(4, Line::new().strong(title));
        }
        evidence_text(page, 4, &evidence.iter().collect::<Vec<_>>());
    }
    remedies(page, 4, group.iter().flat_map(|m| m.remedy.iter()), told);
    list(page, 4, "Not settled", &unique(group.iter().flat_map(|m| m.open_questions.iter())));
    page.line(4, Line::new().faint(format!("omemoscope explain {} says more.", first.code)));
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

fn evidence_text(page: &mut Page, indent: usize, evidence: &[&EvidenceView]) {
    let shown = if page.verbose() { evidence.len() } else { SHOWN_EVIDENCE };
    for piece in evidence.iter().take(shown) {
        page.bullet(indent, Line::new().plain(&piece.says).faint(format!("  [{}: {}]", piece.kind, piece.place)));
    }
    if evidence.len() > shown {
        page.line(indent, Line::new().faint(format!("and {} more (-v shows them)", evidence.len() - shown)));
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

/// Places that are named for one piece of evidence.
const SHOWN_PLACES: usize = 3;

/// Evidence that says the same in several places, said once.
fn joined<'a>(evidence: impl Iterator<Item = &'a Evidence>) -> Vec<EvidenceView> {
    let mut pieces: Vec<(&Evidence, Vec<&str>, HashSet<&str>)> = Vec::new();
    for piece in evidence {
        let known = pieces.iter().position(|(first, ..)| first.kind == piece.kind && first.says == piece.says);
        let place: &str = &piece.place;
        match known.and_then(|index| pieces.get_mut(index)) {
            Some((_, places, seen)) => {
                if seen.insert(place) && places.len() < SHOWN_PLACES {
                    places.push(place);
                }
            }
            None => pieces.push((piece, vec![place], HashSet::from([place]))),
        }
    }
    let join = |(first, places, seen): (&Evidence, Vec<&str>, HashSet<&str>)| {
        let mut place = places.join(", ");
        if seen.len() > places.len() {
            place.push_str(&format!(" and {} more", seen.len() - places.len()));
        }
        EvidenceView { place, ..first.into() }
    };
    pieces.into_iter().map(join).collect()
}

fn remedies<'a>(page: &mut Page, indent: usize, items: impl Iterator<Item = &'a String>, told: &mut Vec<&'a String>) {
    let all = unique(items);
    let new: Vec<&String> = all.iter().copied().filter(|item| !told.contains(item)).collect();
    if new.is_empty() && !all.is_empty() {
        page.line(indent, Line::new().strong("What to do:").plain(" as above"));
    }
    list(page, indent, "What to do", &new);
    told.extend(new);
}

fn list(page: &mut Page, indent: usize, title: &str, items: &[&String]) {
    if items.is_empty() {
        return;
    }
    page.line(indent, Line::new().strong(format!("{title}:")));
    for item in items {
        page.bullet(indent, item);
    }
}

fn unique<'a, T: PartialEq>(items: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut out: Vec<&T> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

fn first_few(ids: &[String], all: bool) -> String {
    let shown = if all { ids.len() } else { SHOWN_MESSAGES };
    let mut text = ids.iter().take(shown).cloned().collect::<Vec<_>>().join(", ");
    if ids.len() > shown {
        text.push_str(&format!(" and {} more", ids.len() - shown));
    }
    text
}
