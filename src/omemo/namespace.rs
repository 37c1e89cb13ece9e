//! The three variants of OMEMO that are told apart by XML namespace, and what differs between them.

use std::fmt;

/// One variant of OMEMO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespace {
    /// `eu.siacs.conversations.axolotl`: XEP-0384 up to 0.3.0, Signal protocol version 3.
    Legacy,
    /// `urn:xmpp:omemo:1`: XEP-0384 0.4.0 to 0.7.0.
    Omemo1,
    /// `urn:xmpp:omemo:2`: XEP-0384 0.8.0 and later.
    Omemo2,
}

impl Namespace {
    /// All variants, oldest first.
    pub const ALL: [Self; 3] = [Self::Legacy, Self::Omemo1, Self::Omemo2];

    /// The XML namespace.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Legacy => "eu.siacs.conversations.axolotl",
            Self::Omemo1 => "urn:xmpp:omemo:1",
            Self::Omemo2 => "urn:xmpp:omemo:2",
        }
    }

    /// The variant of an XML namespace, if it is one of the three.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|n| n.uri() == uri)
    }

    /// Whether this is the Signal protocol of the old variant (otherwise the XEP's own formats).
    pub const fn is_legacy(self) -> bool {
        matches!(self, Self::Legacy)
    }

    /// HKDF info of X3DH.
    pub const fn x3dh_info(self) -> &'static [u8] {
        if self.is_legacy() { b"WhisperText" } else { b"OMEMO X3DH" }
    }

    /// HKDF info of a root step.
    pub const fn root_info(self) -> &'static [u8] {
        if self.is_legacy() { b"WhisperRatchet" } else { b"OMEMO Root Chain" }
    }

    /// HKDF info that turns a message key seed into cipher key, MAC key and IV.
    pub const fn message_key_info(self) -> &'static [u8] {
        if self.is_legacy() { b"WhisperMessageKeys" } else { b"OMEMO Message Key Material" }
    }

    /// Length in bytes of the MAC on the wire.
    pub const fn mac_length(self) -> usize {
        if self.is_legacy() { 8 } else { 16 }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri())
    }
}

/// Whether a namespace looks like a version of OMEMO that nobody has defined.
pub fn is_unknown_version(uri: &str) -> bool {
    uri.strip_prefix("urn:xmpp:omemo:").is_some_and(|rest| {
        Namespace::from_uri(uri).is_none() && rest.bytes().next().is_some_and(|b| b.is_ascii_digit()) && !rest.contains(':')
    })
}
