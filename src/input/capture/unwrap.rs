//! Takes carbons, archive results and PubSub off a stanza and keeps what concerns OMEMO.

use crate::model::{CapturedStanza, Item};

/// Remembers what later stanzas need: room occupants' real addresses, PubSub requests by id.
#[derive(Debug, Default)]
pub struct Unwrapper {}

impl Unwrapper {
    /// The OMEMO items of one stanza.
    pub fn items(&mut self, _stanza: &CapturedStanza) -> Vec<Item> {
        Vec::new()
    }
}
