//! Without a store and a device id, a client's own log shows which device is ours: by the first message that it sent. What
//! comes before that waits for it.

use super::Facts;
use crate::analysis::client_words::Said;
use crate::analysis::own_device::OwnDevice;
use crate::model::{BareJid, CapturedMessage, Direction, EncryptedPart, Item, Wrapper};

/// Own devices that are learned from a log: a client has a few accounts.
const MAX_LEARNED: usize = 16;

/// Items of a log that wait for the first that shows our own device.
const MAX_WAITING: usize = 1 << 10;

/// One thing that was heard.
#[derive(Debug)]
pub(super) enum Heard {
    /// Out of a stanza, in the log of this account.
    Item(Box<Item>, Option<BareJid>),
    /// From a client.
    Said(Box<Said>),
}

impl Heard {
    fn message(&self) -> Option<&CapturedMessage> {
        match self {
            Self::Item(item, _) => match &**item {
                Item::Message(message) => Some(message),
                _ => None,
            },
            Self::Said(_) => None,
        }
    }

    fn shows_own_device(&self) -> bool {
        self.message().is_some_and(|message| shown_own_device(message).is_some())
    }
}

/// Our own account and device, as what a client's log sent shows them.
fn shown_own_device(message: &CapturedMessage) -> Option<(&BareJid, u32)> {
    let ours = message.direction == Some(Direction::Outgoing) && message.wrapper == Wrapper::Direct && !message.server;
    let EncryptedPart::Known(encrypted) = &message.encrypted else { return None };
    Some((message.account.as_ref().or(message.from.as_ref())?, encrypted.sid.filter(|_| ours)?))
}

impl Facts {
    /// What comes before our own device is known waits for it.
    pub(super) fn wait_or_take(&mut self, heard: Heard) {
        let Some(waiting) = &mut self.waiting else { return self.take_heard(heard) };
        let shows_us = heard.shows_own_device();
        waiting.push(heard);
        if shows_us || waiting.len() >= MAX_WAITING {
            self.stop_waiting();
        }
    }

    pub(super) fn stop_waiting(&mut self) {
        let waiting = self.waiting.take().unwrap_or_default();
        for message in waiting.iter().filter_map(Heard::message) {
            self.learn_own_device(message);
        }
        waiting.into_iter().for_each(|heard| self.take_heard(heard));
    }

    pub(super) fn take_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Said(said) => self.hear(*said),
            Heard::Item(item, account) => {
                let account = account.or_else(|| self.only_account());
                match *item {
                    Item::Message(message) => self.message(*message),
                    Item::DeviceList(list) => self.published.take_list(list, account.as_ref(), self.window.end()),
                    Item::Bundle(bundle) => self.published.take_bundle(*bundle, account.as_ref()),
                    Item::Envelope(_) => {}
                    Item::PubsubFailure(failure) => self.published.take_failure(failure),
                }
            }
        }
    }

    /// Without a store, what a client's log sent shows which device is our own.
    pub(super) fn learn_own_device(&mut self, message: &CapturedMessage) {
        let Some((jid, sid)) = shown_own_device(message) else { return };
        let stranger = |own: &OwnDevice| own.jid.as_ref().is_none_or(|known| known == jid) && own.device_id.is_none();
        let unknown = self.own.iter().all(|own| own.device_id != Some(sid));
        let without_store = self.own.iter().all(|own| own.replays.is_empty() && own.problems.is_empty());
        if unknown && without_store && self.own.len() < MAX_LEARNED && self.own.iter().any(stranger) {
            self.own.push(OwnDevice::bare(Some(jid.clone()), Some(sid)));
        }
    }
}
