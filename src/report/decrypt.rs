//! Plaintexts: `omemoscope/decrypt/1`.

use super::diagnose::Sources;
use super::message::{MessageView, Messages, plaintext_text};
use super::shared::count;
use super::{Line, Page, View, page::Look};
use crate::analysis::conclusion::Conclusion;
use crate::analysis::diagnose::OPT_OUT;
use crate::model::{Code, EvidenceKind};
use serde::Serialize;

/// The messages with what they say.
#[derive(Debug, Serialize)]
pub struct Decrypted<'a> {
    messages: Messages<'a>,
    /// Nothing here: `diagnose` judges the whole.
    findings: [(); 0],
    sources: Sources,
}

impl<'a> Decrypted<'a> {
    /// The view of a diagnosis that was made with snapshots.
    pub fn new(conclusion: &'a Conclusion, sources: Sources) -> Self {
        Self { messages: Messages { conclusion, plaintext: true }, findings: [], sources }
    }

    /// Whether a message that should have opened did not.
    pub fn needs_attention(&self) -> bool {
        self.messages.need_attention()
    }
}

impl View for Decrypted<'_> {
    const COMMAND: &'static str = "decrypt";

    fn text(&self, page: &mut Page) {
        if self.messages.is_empty() {
            page.line(0, super::nothing_found(self.sources.stanzas));
            return;
        }
        let mut opened = 0;
        for message in self.messages.conclusion.messages() {
            opened += usize::from(message.plaintext.is_some() || !message.content.is_empty());
            message_text(page, &self.messages.view(&message));
        }
        // An empty message has nothing inside that could be shown.
        let with_content = self.messages.count(|group| group.code != Code::EmptyMessage);
        page.gap();
        page.line(
            0,
            Line::new().faint(format!(
                "{opened} of {} opened.{}",
                count(with_content, "message"),
                if opened < with_content { " `omemoscope diagnose` says why the others did not." } else { "" }
            )),
        );
    }
}

fn message_text(page: &mut Page, message: &MessageView) {
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
