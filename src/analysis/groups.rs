//! Messages that fare alike: one code, one finer cause, one sentence. A thousand messages that one device sent into a
//! lost session are one group.

use crate::model::{Code, Confidence, MessageVerdict};
use std::collections::HashMap;
use std::sync::Arc;

/// A group.
#[derive(Debug)]
pub struct Group {
    /// Its code.
    pub code: Code,
    /// The finer cause.
    pub detail: Option<&'static str>,
    /// What happened.
    pub sentence: Arc<str>,
    /// The group is as sure as its least sure message.
    pub confidence: Confidence,
    members: Vec<usize>,
}

impl Group {
    /// How many messages it has.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// Their places among all messages.
    pub fn members(&self) -> impl Iterator<Item = usize> {
        self.members.iter().copied()
    }

    /// There was no store to try them with.
    pub fn is_untried(&self) -> bool {
        self.code == Code::Ok && self.detail == Some(MessageVerdict::NOT_TRIED)
    }
}

/// All groups.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Group>,
    known: HashMap<(Code, Option<&'static str>, Arc<str>), usize>,
    of_message: Vec<usize>,
}

impl Groups {
    /// Adds the next message.
    pub fn add(&mut self, verdict: &MessageVerdict) {
        let number = *self.known.entry((verdict.code, verdict.detail, verdict.sentence.clone())).or_insert(self.groups.len());
        let order = self.of_message.len();
        self.of_message.push(number);
        match self.groups.get_mut(number) {
            Some(group) => {
                group.confidence = group.confidence.min(verdict.confidence);
                group.members.push(order);
            }
            None => self.groups.push(Group {
                code: verdict.code,
                detail: verdict.detail,
                sentence: verdict.sentence.clone(),
                confidence: verdict.confidence,
                members: vec![order],
            }),
        }
    }

    /// All, in the order of their first messages.
    pub fn all(&self) -> &[Group] {
        &self.groups
    }

    /// The group of the message at this place.
    pub fn of_message(&self, order: usize) -> Option<&Group> {
        self.groups.get(*self.of_message.get(order)?)
    }
}
