//! Whether a log belongs to another device of ours than the store: none of its messages has a key for the store's device,
//! and all have one for the same other device.

use crate::analysis::outcome::{Addressing, Origin, Outcome};
use crate::analysis::summary::LogOwner;
use crate::model::{CapturedMessage, Direction, Wrapper};
use std::collections::BTreeSet;

/// So many messages without a key for us are no chance.
const SEVERAL: usize = 3;

/// What the messages to us are encrypted for.
#[derive(Debug, Default)]
pub(super) struct OtherDevice {
    /// Something concerns the store's device.
    ours: bool,
    messages: usize,
    /// Devices that all messages have a key for.
    common: BTreeSet<u32>,
    /// Devices of our account that sent over this log's connection.
    sent: BTreeSet<u32>,
}

impl OtherDevice {
    /// Takes the next message.
    pub fn note(&mut self, message: &CapturedMessage, outcome: &Outcome, addressing: &Addressing) {
        match outcome.origin {
            Origin::ThisDevice => self.ours = true,
            Origin::OwnAccount => {
                let over_this = message.direction == Some(Direction::Outgoing) && message.wrapper == Wrapper::Direct;
                self.sent.extend(outcome.element.sid().filter(|_| over_this && !message.server));
            }
            _ if addressing.rids.is_empty() => {}
            _ => {
                self.ours |= addressing.ours > 0;
                let rids: BTreeSet<u32> = addressing.rids.iter().copied().collect();
                self.common = if self.messages == 0 { rids } else { &self.common & &rids };
                self.messages += 1;
            }
        }
    }

    /// The device that the log belongs to, if it is another one.
    pub fn owner(&self) -> Option<LogOwner> {
        let sent = self.common.intersection(&self.sent).next();
        let device = *sent.or_else(|| self.common.first().filter(|_| self.common.len() == 1))?;
        (!self.ours && self.messages >= SEVERAL).then_some(LogOwner { messages: self.messages, device, sure: sent.is_some() })
    }
}
