//! One key element, remembered: to know it again when it comes a second time.

use super::Sighting;
use super::damage::is_one_mac;
use crate::mark::mark;
use crate::model::Position;
use crate::omemo::wire::RatchetMessage;

/// Key elements that are remembered, of ours and of theirs. Each takes some hundred bytes.
pub(super) const MAX_SEEN: usize = 1 << 17;

/// Chains that are remembered, of ours and of theirs.
pub(super) const MAX_CHAINS: usize = 1 << 16;

/// The place of a key element: the number of its chain, and its counter in it.
pub(super) type Slot = (u64, u32);

/// A message's key element, seen before.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The stanza.
    pub position: Position,
    /// How many messages the capture had shown before it.
    pub order: usize,
    /// Its stanza id, hashed: enough to know it again.
    id: Option<u64>,
    /// Its bytes.
    mark: Mark,
    /// Whether it opened.
    pub opened: bool,
}

/// What tells two messages with one ratchet key and counter apart, in little space: the MAC and the
/// ciphertext's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// 8 bytes in legacy OMEMO, 16 in OMEMO 2; filled up with zeros.
    mac: [u8; 16],
    ciphertext_length: u32,
}

impl Mark {
    fn of(message: &RatchetMessage) -> Self {
        let mut mac = [0; 16];
        mac.iter_mut().zip(&message.mac).for_each(|(place, byte)| *place = *byte);
        Self { mac, ciphertext_length: u32::try_from(message.ciphertext.len()).unwrap_or(u32::MAX) }
    }
}

impl Seen {
    /// Remembers a key element.
    pub fn new(message: &RatchetMessage, sighting: &Sighting, order: usize) -> Self {
        Self { position: sighting.position.clone(), order, id: marked(sighting), mark: Mark::of(message), opened: false }
    }

    /// Whether this has the same MAC.
    pub fn has_mac_of(&self, message: &RatchetMessage) -> bool {
        self.mark.mac == Mark::of(message).mac
    }

    /// Whether both are one message, though one of them may be damaged: they have one stanza id, or nearly one MAC.
    pub fn is_message_of(&self, message: &RatchetMessage, sighting: &Sighting) -> bool {
        is_one_mac(&self.mark.mac, &Mark::of(message).mac) || self.id.is_some() && self.id == marked(sighting)
    }

    /// This element, held against one that came later with the same ratchet key and counter.
    pub fn before(&self, message: &RatchetMessage, sighting: &Sighting) -> SeenBefore {
        SeenBefore {
            position: self.position.clone(),
            order: self.order,
            same_message: self.is_message_of(message, sighting),
            same_bytes: self.mark == Mark::of(message),
            opened: self.opened,
        }
    }
}

fn marked(sighting: &Sighting) -> Option<u64> {
    sighting.id.as_deref().map(mark)
}

/// An earlier stanza with the same ratchet key and counter.
#[derive(Clone, Debug)]
pub struct SeenBefore {
    /// Where the earlier stanza begins.
    pub position: Position,
    /// How many messages the capture had shown before it.
    pub order: usize,
    /// Whether both are one message, though one of them may be damaged.
    pub same_message: bool,
    /// Whether its bytes were the same.
    pub same_bytes: bool,
    /// Whether it opened.
    pub opened: bool,
}
