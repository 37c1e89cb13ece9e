//! Addresses.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A bare JID (`local@domain` or `domain`), in lower case, without resource (RFC 7622; full PRECIS
/// preparation is not needed to compare what clients wrote down). How a store spells it is kept beside it and
/// makes no difference to what it is.
#[derive(Clone, Debug)]
pub struct BareJid {
    bare: Arc<str>,
    /// As it was written, if otherwise.
    written: Option<Box<str>>,
}

impl BareJid {
    /// From any JID; `None` if it is empty.
    pub fn new(jid: &str) -> Option<Self> {
        let bare = jid.trim().split('/').next().unwrap_or_default();
        (!bare.is_empty() && !bare.chars().any(char::is_whitespace))
            .then(|| Self { bare: bare.to_lowercase().into(), written: None })
    }

    /// The same address with its text kept in this place.
    pub(crate) fn kept(bare: Arc<str>) -> Self {
        Self { bare, written: None }
    }

    /// From a store: remembers how the address is spelled there.
    pub fn as_stored(jid: &str) -> Option<Self> {
        let written = jid.trim();
        let jid = Self::new(written)?;
        Some(Self { written: (*jid.bare != *written).then(|| written.into()), ..jid })
    }

    /// Exactly this text: the address of a row that is another one than the row with the prepared address.
    pub fn verbatim(written: &str) -> Self {
        Self { bare: written.into(), written: None }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.bare
    }

    /// As the store spells it.
    pub fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.bare)
    }
}

impl PartialEq for BareJid {
    fn eq(&self, other: &Self) -> bool {
        self.bare == other.bare
    }
}

impl Eq for BareJid {}

impl Hash for BareJid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bare.hash(state);
    }
}

impl PartialOrd for BareJid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BareJid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bare.cmp(&other.bare)
    }
}

impl fmt::Display for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_is_kept_and_makes_no_difference() {
        let stored = BareJid::as_stored(" Bob@Example.org/phone ").unwrap();
        assert_eq!(BareJid::new("bob@example.org"), Some(stored.clone()));
        assert_eq!((stored.as_str(), stored.written()), ("bob@example.org", "Bob@Example.org/phone"));
        assert_eq!(BareJid::as_stored("bob@example.org").unwrap().written(), "bob@example.org");
    }
}
