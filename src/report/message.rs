//! One message with its verdict, as `diagnose` and `decrypt` show it.

use super::shared::{EvidenceView, PositionView, time};
use super::{Line, Page};
use crate::model::{Code, Content, Fate, MessageVerdict, When};
use serde::Serialize;

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
    pub(super) fate: Fate,
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
            fate: verdict.fate(),
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

/// The code, and the finer cause if there is one.
pub(super) fn code_and_detail(code: &str, detail: Option<&str>) -> String {
    detail.map_or_else(|| code.to_owned(), |detail| format!("{code}/{detail}"))
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
