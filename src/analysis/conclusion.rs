//! What an investigation comes to. The verdict on a message is worked out whenever somebody asks for it, from facts
//! that take a tenth of its size; only what concerns more than one message is kept.

use super::diagnose::{self, BeyondCopy, RolledBack, UsedUp, Verdicts, Whole};
use super::groups::{Group, Groups};
use super::investigation::Investigation;
use super::summary::Summary;
use crate::model::{Diagnosis, Finding, MessageVerdict};

/// An investigation that has judged everything.
#[derive(Debug)]
pub struct Conclusion {
    investigation: Investigation,
    used_up: UsedUp,
    beyond_copy: BeyondCopy,
    rolled_back: Option<RolledBack>,
    groups: Groups,
    summary: Vec<String>,
    findings: Vec<Finding>,
}

impl Conclusion {
    /// Judges what the investigation has gathered.
    pub(super) fn new(investigation: Investigation) -> Self {
        let used_up = investigation.used_up();
        let beyond_copy = BeyondCopy::of(&investigation.whole(None, &used_up, &BeyondCopy::default()));
        let rolled_back = investigation.whole(None, &used_up, &beyond_copy).find_rolled_back();
        let findings = investigation.published_findings();
        let mut new =
            Self { investigation, used_up, beyond_copy, rolled_back, groups: Groups::default(), summary: Vec::new(), findings };
        let (mut groups, mut summary) = (Groups::default(), Summary::default());
        for verdict in new.messages() {
            groups.add(&verdict);
            summary.note(&verdict);
        }
        new.groups = groups;
        let whole = new.whole();
        let found = diagnose::findings(&whole, &Verdicts { whole: &whole, groups: &new.groups });
        new.findings.extend(found);
        new.summary = summary.sentences(&new.findings);
        new
    }

    fn whole(&self) -> Whole<'_> {
        self.investigation.whole(self.rolled_back.as_ref(), &self.used_up, &self.beyond_copy)
    }

    /// What a person needs to know first, a few sentences.
    pub fn summary(&self) -> &[String] {
        &self.summary
    }

    /// What concerns more than one message, most important first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Messages that fare alike, in the order in which the capture shows the first of each.
    pub fn groups(&self) -> &[Group] {
        self.groups.all()
    }

    /// The verdicts on all messages, in the order of the capture.
    pub fn messages(&self) -> impl Iterator<Item = MessageVerdict> {
        let whole = self.whole();
        (0..whole.outcomes.len()).filter_map(move |order| diagnose::verdict_at(&whole, order))
    }

    /// The verdicts on the messages of a group.
    pub fn messages_of(&self, group: &Group) -> impl Iterator<Item = MessageVerdict> {
        let whole = self.whole();
        group.members().filter_map(move |order| diagnose::verdict_at(&whole, order))
    }

    /// Everything in memory.
    pub fn into_diagnosis(self) -> Diagnosis {
        Diagnosis { messages: self.messages().collect(), summary: self.summary, findings: self.findings }
    }
}
