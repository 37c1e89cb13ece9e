//! Addresses.

use std::fmt;
use std::sync::Arc;

/// A bare JID (`local@domain` or `domain`), in lower case, without resource (RFC 7622; full PRECIS
/// preparation is not needed to compare what clients wrote down).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BareJid(Arc<str>);

impl BareJid {
    /// From any JID; `None` if it is empty.
    pub fn new(jid: &str) -> Option<Self> {
        let bare = jid.trim().split('/').next().unwrap_or_default();
        (!bare.is_empty() && !bare.chars().any(char::is_whitespace)).then(|| Self(bare.to_lowercase().into()))
    }

    /// With its text kept in this place.
    pub(crate) fn kept(text: Arc<str>) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
