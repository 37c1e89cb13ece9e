//! The diagnosis: `omemoscope/diagnose/1`.

mod groups;
mod text;

use super::message::MessageView;
use super::shared::EvidenceView;
use super::{Page, View};
use crate::analysis::investigation::Conclusion;
use crate::model::{Code, Fate, Finding, MessageVerdict};
use groups::{Groups, SHOWN_MESSAGES};
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

/// The whole diagnosis. In JSON its messages stand before all this, and are written while they are judged.
#[derive(Debug, Serialize)]
pub struct DiagnosisView {
    summary: Vec<String>,
    findings: Vec<FindingView>,
    counts: BTreeMap<&'static str, usize>,
    sources: Sources,
    #[serde(skip)]
    attention: bool,
    #[serde(skip)]
    messages: Messages,
}

/// What is kept of the messages for a page of text.
#[derive(Debug)]
struct Messages {
    plaintext: bool,
    verbose: bool,
    /// What needs attention.
    groups: Groups,
    /// What was encrypted for other devices: nothing is wrong with it, and yet its reader misses it.
    not_addressed: Groups,
    /// How many there are of each other fate.
    others: BTreeMap<(Fate, Code), usize>,
    /// Those of them that are listed one by one.
    listed: Vec<MessageView>,
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

impl DiagnosisView {
    /// A diagnosis in the making; with plaintext only if that was asked for, and with every message in its text if that
    /// is to be a long one.
    pub fn new(plaintext: bool, verbose: bool) -> Self {
        let messages = Messages {
            plaintext,
            verbose,
            groups: Groups::default(),
            not_addressed: Groups::default(),
            others: BTreeMap::new(),
            listed: Vec::new(),
        };
        Self {
            summary: Vec::new(),
            findings: Vec::new(),
            counts: BTreeMap::new(),
            sources: Sources::default(),
            attention: false,
            messages,
        }
    }

    /// Counts the next message.
    pub fn count(&mut self, verdict: &MessageVerdict) {
        *self.counts.entry(verdict.code.as_str()).or_default() += 1;
        self.attention |= verdict.fate() == Fate::NeedsAttention;
    }

    /// Counts the next message and keeps what a page of text says of it.
    pub fn take(&mut self, verdict: &MessageVerdict) {
        self.count(verdict);
        let Messages { plaintext, verbose, groups, not_addressed, others, listed } = &mut self.messages;
        let shown = if *verbose { usize::MAX } else { SHOWN_MESSAGES };
        match verdict.fate() {
            Fate::NeedsAttention => return groups.add(verdict, shown, *plaintext),
            Fate::NotAddressed => return not_addressed.add(verdict, shown, *plaintext),
            fate => *others.entry((fate, verdict.code)).or_default() += 1,
        }
        if *verbose || *plaintext && verdict.plaintext.is_some() {
            listed.push(MessageView::new(verdict, *plaintext));
        }
    }

    /// The view of one message.
    pub fn message(&self, verdict: &MessageVerdict) -> MessageView {
        MessageView::new(verdict, self.messages.plaintext)
    }

    /// Everything is judged.
    pub fn finish(&mut self, conclusion: &Conclusion, sources: Sources) {
        self.summary.clone_from(&conclusion.summary);
        if self.summary.is_empty() {
            self.summary.push(nothing_found(&sources));
        }
        self.findings = conclusion.findings.iter().map(FindingView::new).collect();
        self.sources = sources;
    }

    /// Whether something needs attention.
    pub fn needs_attention(&self) -> bool {
        self.attention || self.findings.iter().any(|f| f.needs_attention)
    }
}

/// The calm answer to a capture without OMEMO.
fn nothing_found(sources: &Sources) -> String {
    if sources.captures.is_empty() {
        return "No capture was given, and the store alone shows nothing wrong. Name a log or XML file with the messages in question.".into();
    }
    super::nothing_found(sources.stanzas)
}

impl View for DiagnosisView {
    const COMMAND: &'static str = "diagnose";

    fn text(&self, page: &mut Page) {
        self.page(page);
    }
}
