//! The main job: stores and captures in, a diagnosis out.

use crate::model::{BareJid, CaptureEvent, Diagnosis, Store};

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
    _question: Question,
}

impl Investigation {
    /// Begins with the stores.
    pub fn new(question: Question) -> Self {
        Self { _question: question }
    }

    /// Takes the next thing a capture holds.
    pub fn take(&mut self, _event: CaptureEvent) {}

    /// Judges everything.
    pub fn finish(self) -> Diagnosis {
        Diagnosis::default()
    }
}
