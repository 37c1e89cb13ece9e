//! A diagnosis for a person: a summary, findings, what needs attention by cause, and what is fine.

use super::groups::Group;
use super::{DiagnosisView, FindingView};
use crate::analysis::diagnose;
use crate::model::{Code, Confidence, EvidenceKind, Fate};
use crate::report::joined_evidence::JoinedEvidence;
use crate::report::message::{MessageView, code_and_detail, plaintext_text};
use crate::report::page::Look;
use crate::report::shared::{EvidenceView, count};
use crate::report::{Line, Page};
use std::collections::BTreeSet;

/// Groups of one cause that are shown whole.
const SHOWN_GROUPS: usize = 3;

/// Devices with the same cause that are named without -v.
const SHOWN_DEVICES: usize = 10;

impl DiagnosisView {
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
        let causes = self.messages.groups.causes();
        if !causes.is_empty() {
            page.heading("Messages that need attention");
            for groups in &causes {
                cause_text(page, groups, Look::Bad, &mut told);
            }
        }
        let not_addressed = self.messages.not_addressed.causes();
        if !not_addressed.is_empty() {
            page.heading("Not encrypted for this device");
            for groups in &not_addressed {
                cause_text(page, groups, Look::Strong, &mut told);
            }
        }
        self.unchecked_text(page);
        self.harmless_text(page);
    }

    fn summary_text(&self, page: &mut Page) {
        for sentence in &self.summary {
            page.line(0, Line::new().strong(sentence));
        }
    }

    /// What the captures and stores at hand cannot tell.
    fn unchecked_text(&self, page: &mut Page) {
        if UNCHECKED.iter().all(|(fate, _)| self.of_fate(*fate) == 0) {
            return;
        }
        page.heading("Could not be checked");
        for (fate, says) in UNCHECKED {
            let messages = self.of_fate(*fate);
            if messages == 0 {
                continue;
            }
            page.line(2, Line::new().strong(count(messages, "message")).plain(format!(": {says}")));
            for message in self.messages.listed.iter().filter(|m| m.fate == *fate) {
                harmless_message(page, message);
            }
        }
    }

    fn of_fate(&self, fate: Fate) -> usize {
        self.messages.others.iter().filter(|((other, _), _)| *other == fate).map(|(_, count)| count).sum()
    }

    fn harmless_text(&self, page: &mut Page) {
        let unchecked = |fate: Fate| UNCHECKED.iter().any(|(other, _)| *other == fate);
        let rows = self.messages.others.iter().filter(|((fate, _), _)| !unchecked(*fate));
        let rows: Vec<_> = rows
            .map(|((fate, code), messages)| {
                let look = if *code == Code::Ok { Look::Good } else { Look::Plain };
                let title = if *fate == Fate::ReadByClient { READ_BY_CLIENT } else { code.title() };
                vec![(look, code.to_string()), (Look::Plain, count(*messages, "message")), (Look::Faint, title.to_owned())]
            })
            .collect();
        if !rows.is_empty() {
            page.heading("Nothing wrong");
            page.columns(2, &["code", "", "each of which"], rows);
            for message in self.messages.listed.iter().filter(|m| !unchecked(m.fate)) {
                harmless_message(page, message);
            }
        }
        if !page.verbose() && !self.messages.others.is_empty() {
            page.line(2, Line::new().faint("-v lists them."));
        }
    }
}

/// The title of a message that the client read, without a store to try it.
const READ_BY_CLIENT: &str = "was read by your client, as its log says";

/// The fates of messages of which the input tells too little, and what would tell more.
const UNCHECKED: &[(Fate, &str)] = &[
    (Fate::Untried, "nothing in the clear speaks against decryption. Only a copy of the client's store can tell more (--store)."),
    (
        Fate::BeforeTheCopy,
        "the copy of the store is newer, and cannot tell whether your client had shown what came before. Look for it in your \
         client. If it is missing, ask the sender to send it again: why it failed, a copy of the store from before it would \
         tell.",
    ),
];

fn harmless_message(page: &mut Page, message: &MessageView) {
    message_line(page, 2, message);
    if page.verbose() {
        page.line(6, Line::new().plain(message.code_and_detail()).plain(": ").plain(&message.sentence));
        evidence_text(page, 6, &message.evidence, 0);
        list(page, 6, "Not settled", &message.open_questions);
    }
    plaintext_text(page, 6, message);
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
    told.remedies(page, 4, &code_and_detail(finding.code, finding.detail), &finding.remedy);
}

/// Pieces of evidence that are shown without -v.
const SHOWN_EVIDENCE: usize = 8;

/// One cause: its groups, and where there are many of them, the devices of the rest in a list.
fn cause_text(page: &mut Page, groups: &[&Group], look: Look, told: &mut Told) {
    // One more than fits takes no more room whole than in a list.
    let shown = if page.verbose() || groups.len() <= SHOWN_GROUPS + 1 { groups.len() } else { SHOWN_GROUPS };
    for group in &groups[..shown] {
        group_text(page, group, look, told);
    }
    let rest = &groups[shown..];
    let Some(first) = rest.first() else { return };
    page.gap();
    page.line(
        2,
        Line::new()
            .look(look, code_and_detail(first.code.as_str(), first.detail))
            .plain(format!("  the same with {} more", count(rest.len(), "device"))),
    );
    for group in rest.iter().take(SHOWN_DEVICES) {
        let messages = format!("  {}", count(group.count, "message"));
        page.bullet(4, Line::new().strong(&group.sender).plain(messages).faint(format!(", the first at {}", group.first)));
    }
    if rest.len() > SHOWN_DEVICES {
        page.line(4, Line::new().faint(format!("and {} more (-v shows them)", rest.len() - SHOWN_DEVICES)));
    }
}

/// Messages of one cause, mostly of one device. What is the same for all of them is said once.
fn group_text(page: &mut Page, group: &Group, look: Look, told: &mut Told) {
    page.gap();
    page.line(
        2,
        Line::new()
            .look(look, code_and_detail(group.code.as_str(), group.detail))
            .plain(" (")
            .look(confidence_look(group.confidence.as_str()), group.confidence.as_str())
            .plain(format!(")  {}", count(group.count, "message"))),
    );
    page.line(4, &group.sentence);
    for message in &group.shown {
        message_line(page, 4, message);
        if page.verbose() {
            evidence_text(page, 8, &message.evidence, 0);
        }
        plaintext_text(page, 8, message);
    }
    if group.count > group.shown.len() {
        page.line(4, Line::new().faint(format!("and {} more (-v shows them)", group.count - group.shown.len())));
    }
    told.remedies(page, 4, &code_and_detail(group.code.as_str(), group.detail), &group.remedies);
    // A session that works again loses nothing more.
    let over = group.remedies.first().is_some_and(|first| first == diagnose::OVER);
    if let Some(lost) = (!over).then(|| told.lost(group.code)).flatten() {
        page.line(4, Line::new().strong("What is lost: ").plain(lost.replace('`', "").replace('\n', " ")));
    }
    if !page.verbose() {
        let title = if group.confidence == Confidence::Proven { "What proves it" } else { "What speaks for it" };
        titled_evidence(page, 4, title, &group.evidence);
        titled_evidence(page, 4, "What holds for such messages", &group.rules);
    }
    list(page, 4, "Not settled", &group.questions);
    page.line(4, Line::new().faint(format!("More about it: omemoscope explain {}", group.code)));
}

fn titled_evidence(page: &mut Page, indent: usize, title: &str, evidence: &JoinedEvidence) {
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

/// One piece: what it says, and where; of a rule, whose it is.
fn evidence_line(piece: &EvidenceView) -> Line {
    let EvidenceView { kind, place, says } = piece;
    if *kind != EvidenceKind::Rule.as_str() {
        return Line::new().plain(says).faint(format!("  [{kind}: {place}]"));
    }
    let named = place.split(' ').next().is_some_and(|name| says.starts_with(name));
    let says = if named { says.to_string() } else { format!("{place}: {says}") };
    Line::new().plain(says).faint("  [rule]")
}

/// Pieces of evidence; without -v the first ones, of these and `more`.
fn evidence_text(page: &mut Page, indent: usize, evidence: &[EvidenceView], more: usize) {
    let shown = if page.verbose() { evidence.len() } else { SHOWN_EVIDENCE.min(evidence.len()) };
    for piece in evidence.iter().take(shown) {
        page.bullet(indent, evidence_line(piece));
    }
    let more = more + evidence.len() - shown;
    if more > 0 {
        page.line(indent, Line::new().faint(format!("and {more} more (-v shows them)")));
    }
}

/// What was told to do already, and where: the same is said once.
#[derive(Debug, Default)]
struct Told {
    remedies: Vec<(String, Vec<String>)>,
    lost: BTreeSet<Code>,
}

impl Told {
    fn remedies(&mut self, page: &mut Page, indent: usize, of: &str, all: &[String]) {
        if let Some((before, _)) =
            self.remedies.iter().find(|(_, told)| !all.is_empty() && all.iter().all(|item| told.contains(item)))
        {
            page.line(indent, Line::new().strong("What to do:").plain(format!(" as for {before} above")));
            return;
        }
        list(page, indent, "What to do", all);
        self.remedies.push((of.to_owned(), all.to_vec()));
    }

    fn lost(&mut self, code: Code) -> Option<String> {
        self.lost.insert(code).then(|| diagnose::section(code, "What is lost")).flatten()
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
