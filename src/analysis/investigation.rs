//! The main job: stores and captures in, a diagnosis out.
//!
//! Messages go by once. Each is judged when enough has come after it, or when the captures end, and then forgotten, so
//! that memory grows with the devices, not with the messages.

use super::diagnose::{self, Gathering, Hindsight, verdict_at};
use super::facts::Facts;
use super::summary::Summary;
use crate::model::{BareJid, CaptureEvent, Diagnosis, Finding, MessageVerdict, Store};

/// What a diagnosis is made from, besides the captures.
#[derive(Debug, Default)]
pub struct Question {
    /// Store copies of our account, in the order given: snapshots over time, the newest last.
    pub stores: Vec<Store>,
    /// The other end's stores.
    pub peers: Vec<Store>,
    /// Our address.
    pub account: Option<BareJid>,
    /// Our device id, when there is no store to tell it.
    pub device: Option<u32>,
    /// The stores are early snapshots, not the client's living store.
    pub snapshots_only: bool,
}

/// A running investigation.
#[derive(Debug)]
pub struct Investigation {
    facts: Facts,
    hindsight: Hindsight,
    gatherings: Vec<Box<dyn Gathering>>,
    summary: Summary,
}

/// Where verdicts go, in the order of the capture.
pub type Judged<'a> = &'a mut dyn FnMut(MessageVerdict);

/// What concerns more than one message.
#[derive(Debug)]
pub struct Conclusion {
    /// What a person needs to know first, a few sentences.
    pub summary: Vec<String>,
    /// What holds for the whole, most important first.
    pub findings: Vec<Finding>,
    /// The captures hold messages, and none of them concerns our devices.
    pub misfit: bool,
}

impl Investigation {
    /// Begins with the stores.
    pub fn new(question: Question) -> Self {
        Self {
            facts: Facts::new(question),
            hindsight: Hindsight::default(),
            gatherings: diagnose::gatherings(),
            summary: Summary::default(),
        }
    }

    /// Takes the next thing a capture holds, and hands over the verdicts that can be given now.
    pub fn take(&mut self, event: CaptureEvent, judged: Judged<'_>) {
        self.gather(|facts| facts.take(event));
        if let Some(until) = self.facts.window().ripe() {
            self.judge(until, judged);
        }
    }

    /// Looks at the messages that come into view by it.
    fn gather(&mut self, step: impl FnOnce(&mut Facts)) {
        let known = self.facts.window().end();
        step(&mut self.facts);
        let window = self.facts.window();
        for (order, outcome) in (known..window.end()).filter_map(|order| Some((order, window.get(order)?))) {
            self.hindsight.note(order, outcome);
        }
    }

    /// Hands over all verdicts that are left, and says what concerns more than one message.
    pub fn conclude(mut self, judged: Judged<'_>) -> Conclusion {
        self.gather(|facts| facts.finish());
        self.judge(self.facts.window().end(), judged);
        let mut findings = self.facts.published_findings();
        findings.extend(diagnose::findings(&self.gatherings, &self.facts.whole(&self.hindsight)));
        let besides = self.facts.besides();
        let misfit = self.facts.window().end() == 0 && besides.foreign > 0;
        Conclusion { summary: self.summary.sentences(&findings, &besides), findings, misfit }
    }

    /// The whole diagnosis of some events, in memory.
    pub fn diagnose(mut self, events: impl IntoIterator<Item = CaptureEvent>) -> Diagnosis {
        let mut messages = Vec::new();
        events.into_iter().for_each(|event| self.take(event, &mut |verdict| messages.push(verdict)));
        let Conclusion { summary, findings, .. } = self.conclude(&mut |verdict| messages.push(verdict));
        Diagnosis { summary, messages, findings }
    }

    /// Judges the messages in view up to this place, and forgets them.
    fn judge(&mut self, until: usize, judged: Judged<'_>) {
        let looked = Hindsight::look(&self.facts.whole(&self.hindsight), until);
        self.hindsight.keep(looked);
        let rolled_back = Hindsight::find_rolled_back(&self.facts.whole(&self.hindsight));
        self.hindsight.keep_rolled_back(rolled_back);
        let whole = self.facts.whole(&self.hindsight);
        for order in self.facts.window().orders().start..until {
            let (Some(scene), Some(verdict)) = (whole.scene(order), verdict_at(&whole, order)) else { continue };
            self.gatherings.iter_mut().for_each(|gathering| gathering.note(&scene, &verdict));
            self.summary.note(&verdict);
            judged(verdict);
        }
        self.facts.forget(until);
    }
}
