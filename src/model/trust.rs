//! Trust: the client's own word, and a common scale.

/// Trust in one device's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trust {
    /// The client's own word, like `BLIND` or `TRUSTED`.
    pub word: String,
    /// On the common scale.
    pub level: TrustLevel,
}

/// The common scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrustLevel {
    /// The client encrypts to it.
    Trusted,
    /// The user (or the client for them) said no.
    Untrusted,
    /// Nobody has decided.
    Undecided,
    /// Marked as compromised.
    Compromised,
    /// The store does not say.
    Unknown,
}

impl TrustLevel {
    /// The word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Untrusted => "untrusted",
            Self::Undecided => "undecided",
            Self::Compromised => "compromised",
            Self::Unknown => "unknown",
        }
    }
}

impl Trust {
    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { word: "unknown".into(), level: TrustLevel::Unknown }
    }
}
