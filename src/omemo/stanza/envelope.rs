//! Stanza Content Encryption envelopes (XEP-0420) and the OMEMO profile's checks (XEP-0384, section 5.8).

use crate::omemo::xml::Element;

/// A decrypted envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The elements of `<content>` (`<payload>` in omemo:1).
    pub content: Vec<Element>,
    /// Whether `<rpad>` is there.
    pub has_rpad: bool,
    /// `<from jid>`.
    pub from: Option<String>,
    /// `<to jid>`.
    pub to: Option<String>,
    /// `<time stamp>`.
    pub time: Option<String>,
}
