//! What a capture holds, counted: the answer of `inspect`, without any key.

use crate::model::{CapturedMessage, CapturedStanza, ClientLine, Direction, EncryptedPart, Item, When};
use crate::omemo::Namespace;
use std::collections::{BTreeMap, BTreeSet};

/// Senders that are told apart; a hostile capture may name millions. The rest is counted as one.
pub const MAX_SENDERS: usize = 10_000;

/// The counts.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Stanzas of any kind.
    pub stanzas: usize,
    /// Lines in which a client speaks of OMEMO.
    pub client_lines: usize,
    /// The clients that wrote them.
    pub clients: BTreeSet<&'static str>,
    /// Messages by variant; `None` is a namespace nobody has defined, or an element too broken to tell.
    pub messages: BTreeMap<Option<Namespace>, usize>,
    /// Device lists.
    pub device_lists: usize,
    /// Bundles.
    pub bundles: usize,
    /// Refused PubSub requests.
    pub pubsub_errors: usize,
    /// Elements a receiver cannot use.
    pub faulty: usize,
    /// Stanzas whose XML broke.
    pub broken: usize,
    /// OMEMO messages received.
    pub incoming: usize,
    /// OMEMO messages sent.
    pub outgoing: usize,
    /// Messages by sender, `jid/device`.
    pub senders: BTreeMap<String, usize>,
    /// Earliest moment of a stanza.
    pub first: Option<When>,
    /// Latest moment of a stanza.
    pub last: Option<When>,
}

impl Survey {
    /// Whether anything concerns OMEMO.
    pub fn has_omemo(&self) -> bool {
        !self.messages.is_empty() || self.device_lists + self.bundles + self.pubsub_errors + self.client_lines > 0
    }

    /// Counts a stanza and the OMEMO items that were found in it.
    pub fn stanza(&mut self, stanza: &CapturedStanza, items: &[Item]) {
        self.stanzas += 1;
        self.broken += usize::from(stanza.error.is_some());
        if let Some(time) = &stanza.time {
            self.moment(time);
        }
        for item in items {
            match item {
                Item::Message(message) => self.message(message),
                Item::DeviceList(list) => {
                    self.device_lists += 1;
                    self.faulty += usize::from(list.list.faults.iter().any(|f| f.fatal));
                }
                Item::Bundle(bundle) => {
                    self.bundles += 1;
                    self.faulty += usize::from(bundle.bundle.faults.iter().any(|f| f.fatal));
                }
                Item::Envelope(_) => {}
                Item::PubsubFailure(_) => self.pubsub_errors += 1,
            }
        }
    }

    /// Counts a client's line.
    pub fn client_line(&mut self, line: &ClientLine) {
        self.client_lines += 1;
        self.clients.insert(line.client);
    }

    fn message(&mut self, message: &CapturedMessage) {
        let (namespace, sid, usable) = match &message.encrypted {
            EncryptedPart::Known(encrypted) => (Some(encrypted.namespace), encrypted.sid, encrypted.is_usable()),
            EncryptedPart::UnknownNamespace { sid, .. } => (None, *sid, false),
            EncryptedPart::Broken { partial, .. } => {
                (partial.as_ref().map(|p| p.namespace), partial.as_ref().and_then(|p| p.sid), false)
            }
        };
        *self.messages.entry(namespace).or_default() += 1;
        self.faulty += usize::from(!usable);
        match message.direction {
            Some(Direction::Incoming) => self.incoming += 1,
            Some(Direction::Outgoing) => self.outgoing += 1,
            None => {}
        }
        let jid = message.from.as_ref().or(message.room.as_ref()).map_or("not known", |j| j.as_str());
        let name = sid.map_or_else(|| jid.to_owned(), |sid| format!("{jid}/{sid}"));
        let name = if self.senders.contains_key(&name) || self.senders.len() < MAX_SENDERS { name } else { "others".to_owned() };
        *self.senders.entry(name).or_default() += 1;
    }

    fn moment(&mut self, time: &When) {
        let Some(instant) = time.instant else { return };
        if self.first.as_ref().and_then(|f| f.instant).is_none_or(|f| instant < f) {
            self.first = Some(time.clone());
        }
        if self.last.as_ref().and_then(|l| l.instant).is_none_or(|l| instant > l) {
            self.last = Some(time.clone());
        }
    }
}
