//! What a cause remembers of the messages, to say at the end what holds for the whole. Messages go by once: what is
//! not remembered here is gone.

use super::{Scene, Whole};
use crate::model::{Finding, MessageVerdict};
use std::fmt::Debug;

/// What a cause remembers.
pub trait Gathering: Debug {
    /// A message and the verdict on it. They come in the order of the capture.
    fn note(&mut self, _scene: &Scene<'_>, _verdict: &MessageVerdict) {}

    /// What holds for the whole.
    fn findings(&self, whole: &Whole<'_>) -> Vec<Finding>;
}

/// A cause that needs no memory: what it says rests on what is known at the end.
#[derive(Debug)]
struct AtTheEnd(fn(&Whole<'_>) -> Vec<Finding>);

impl Gathering for AtTheEnd {
    fn findings(&self, whole: &Whole<'_>) -> Vec<Finding> {
        (self.0)(whole)
    }
}

/// Findings that need no memory.
pub(super) fn at_the_end(findings: fn(&Whole<'_>) -> Vec<Finding>) -> Box<dyn Gathering> {
    Box::new(AtTheEnd(findings))
}

/// A cause that has nothing to say about the whole.
pub(super) fn nothing() -> Box<dyn Gathering> {
    at_the_end(|_| Vec::new())
}
