//! One message before its judge, with everything that is known beside it.

use super::Whole;
use crate::analysis::book::OwnRatchetKey;
use crate::analysis::client_words::Said;
use crate::analysis::outcome::{OpenedBy, Outcome};
use crate::analysis::own_device::OwnDevice;
use crate::analysis::trial::Trial;
use crate::model::{Account, ClientProfile, Evidence, EvidenceKind, Position};

/// One message before its judge.
pub struct Scene<'a> {
    /// The message.
    pub outcome: &'a Outcome,
    /// Everything else.
    pub whole: &'a Whole<'a>,
    /// Its place among all messages.
    pub order: usize,
}

impl<'a> Scene<'a> {
    /// Our own device.
    pub fn own(&self) -> Option<&'a OwnDevice> {
        self.whole.own.get(self.outcome.own)
    }

    /// The client whose store it is.
    pub fn client(&self) -> Option<&'static ClientProfile> {
        self.own().and_then(|o| o.client)
    }

    /// The client's name, or `the client`.
    pub fn client_name(&self) -> &'static str {
        self.client().map_or("the client", |c| c.name)
    }

    /// The account in the store copy that the verdict rests on.
    pub fn account(&self) -> Option<&'a Account> {
        self.own()?.replays.get(self.outcome.judged_by()).map(|replay| &replay.account)
    }

    /// The trial that the verdict rests on.
    pub fn trial(&self) -> Option<&'a Trial> {
        self.outcome.trial()
    }

    /// Whether the ratchet layer opened, by whatever means.
    pub fn opened(&self) -> bool {
        self.outcome.opened_by.is_some()
    }

    /// Whether a copy of our own store opened it.
    pub fn opened_by_store(&self) -> bool {
        matches!(self.outcome.opened_by, Some(OpenedBy::Trial(_)))
    }

    /// The newest of our ratchet keys towards the sender's device that the capture showed before.
    pub fn own_newest(&self) -> Option<&'a OwnRatchetKey> {
        self.own_sent(self.outcome.own_newest?)
    }

    /// A key exchange of ours with the sender's device, seen before.
    pub fn own_exchange(&self) -> Option<&'a OwnRatchetKey> {
        self.own_sent(self.outcome.own_exchange?)
    }

    fn own_sent(&self, number: usize) -> Option<&'a OwnRatchetKey> {
        self.whole.book.ours.ratchet_keys(self.outcome.namespace()?, self.outcome.element.sid()?)?.get(number)
    }

    /// `device 4711 of bob@example.org`.
    pub fn sender(&self) -> String {
        let device = self.outcome.element.sid().map_or_else(|| "an unnamed device".into(), |id| format!("device {id}"));
        match (&self.outcome.header.from, &self.outcome.header.from_full) {
            (Some(jid), _) => format!("{device} of {jid}"),
            (None, Some(full)) => format!("{device} ({full})"),
            (None, None) => device,
        }
    }

    /// `your device 4711`.
    pub fn our_device(&self) -> String {
        self.own().and_then(|o| o.device_id).map_or_else(|| "your device".into(), |id| format!("your device {id}"))
    }

    /// What the client itself said of this message: its lines up to the next stanza of the same log.
    pub fn client_said(&self) -> impl Iterator<Item = &'a Said> {
        self.outcome.comments.iter()
    }

    /// Whether the client's own log says that it failed.
    pub fn client_failed(&self) -> bool {
        self.outcome.comments.failure().is_some()
    }

    /// Whether something in the capture came before this message was sent.
    pub fn is_after(&self, position: &Position) -> bool {
        let message = &self.outcome.header.position;
        !self.outcome.is_delayed() && (position.file != message.file || position.byte < message.byte)
    }

    /// Evidence from this stanza.
    pub fn stanza(&self, says: impl Into<String>) -> Evidence {
        Evidence { kind: EvidenceKind::Stanza, place: self.outcome.header.position.to_string().into(), says: says.into().into() }
    }
}
