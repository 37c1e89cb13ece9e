//! Plaintexts: `omemoscope/decrypt/1`.

use super::diagnose::Sources;
use super::message::{MessageView, plaintext_text};
use super::shared::count;
use super::{Line, Page, page::Look};
use crate::analysis::diagnose::OPT_OUT;
use crate::analysis::investigation::Conclusion;
use crate::model::{Code, EvidenceKind, MessageVerdict};
use serde::Serialize;

/// What messages say. They are shown one by one, as they are decrypted; this is what remains to be said.
#[derive(Debug, Default, Serialize)]
pub struct Decrypted {
    /// Nothing here: `diagnose` judges the whole.
    findings: [(); 0],
    sources: Sources,
    #[serde(skip)]
    opened: usize,
    /// An empty message has nothing inside that could be shown.
    #[serde(skip)]
    with_content: usize,
    #[serde(skip)]
    messages: usize,
    #[serde(skip)]
    failed: bool,
    /// The messages concern none of our devices: whom, then.
    #[serde(skip)]
    misfit: Option<String>,
}

impl Decrypted {
    /// The next message.
    pub fn take(&mut self, verdict: &MessageVerdict) -> MessageView {
        self.messages += 1;
        self.opened += usize::from(verdict.plaintext.is_some() || !verdict.content.is_empty());
        self.with_content += usize::from(verdict.code != Code::EmptyMessage);
        self.failed |= !verdict.code.is_harmless();
        MessageView::new(verdict, true)
    }

    /// There are no more.
    pub fn finish(&mut self, conclusion: &Conclusion, sources: Sources) {
        self.sources = sources;
        self.misfit = conclusion.misfit.then(|| conclusion.summary.first().cloned()).flatten();
    }

    /// Whether a message that should have opened did not.
    pub fn needs_attention(&self) -> bool {
        self.failed
    }

    /// What stands between the messages and the closing line.
    pub fn gap(&self) -> &'static str {
        if self.messages > 0 { "\n" } else { "" }
    }

    /// The closing line.
    pub fn text(&self, page: &mut Page) {
        if self.messages == 0 {
            let says = self.misfit.clone().unwrap_or_else(|| super::nothing_found(self.sources.stanzas));
            page.line(0, says);
            return;
        }
        page.line(
            0,
            Line::new().faint(format!(
                "{} of {} opened.{}",
                self.opened,
                count(self.with_content, "message"),
                if self.opened < self.with_content { " `omemoscope diagnose` says why the others did not." } else { "" }
            )),
        );
    }
}

/// One message.
pub fn message_text(page: &mut Page, message: &MessageView) {
    let mut line = Line::new();
    if let Some(when) = &message.when {
        line = line.faint(when).plain("  ");
    }
    line = line.strong(message.sender());
    if let Some(id) = &message.id {
        line = line.faint(format!("  {id}"));
    }
    if message.kind != Code::Ok {
        let look = if message.kind.is_harmless() { Look::Faint } else { Look::Bad };
        line = line.plain("  ").look(look, message.code_and_detail());
    }
    page.hanging(0, 2, line);
    plaintext_text(page, 2, message);
    for broken in message.evidence.iter().filter(|e| e.kind == EvidenceKind::Rule.as_str() && e.place.starts_with("SCE-")) {
        page.line(2, Line::new().look(Look::Warning, &broken.says).faint(format!("  [{}]", broken.place)));
    }
    if message.detail == Some(OPT_OUT) {
        message.remedy.iter().for_each(|remedy| page.line(2, Line::new().look(Look::Warning, remedy)));
    }
    if message.plaintext.is_none() && message.content.is_empty() {
        page.line(2, Line::new().faint(&message.sentence));
    }
}
