//! The diagnosis: `omemoscope/diagnose/1`.

mod text;

use super::message::Messages;
use super::shared::EvidenceView;
use super::{Page, View};
use crate::analysis::conclusion::Conclusion;
use crate::model::Finding;
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
        self.page(page);
    }
}
