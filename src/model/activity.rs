//! Whether a device is in use.

use super::When;

/// What a store says about a device's use; rules are applied elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityFacts {
    /// On the last device list the client saw (or the client's own active flag); `None` if not stored.
    pub listed: Option<bool>,
    /// Last time it was seen on a list.
    pub last_listed: Option<When>,
    /// Last time something of it was decrypted.
    pub last_message: Option<When>,
    /// Since when it is off the list.
    pub removed: Option<When>,
    /// Stanzas sent to it since its last answer, as the client counts them; `None` if the client does not count.
    pub unanswered: Option<u32>,
}

/// The verdict on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The state.
    pub state: ActivityState,
    /// The rule and the numbers, in a person's words.
    pub reason: String,
}

/// Activity states of the JSON contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActivityState {
    /// On the list and answering.
    Active,
    /// Off the list, or the client set it inactive.
    Inactive,
    /// On the list but silent beyond a rule.
    Stale,
    /// The store does not say.
    Unknown,
}

impl ActivityState {
    /// The word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        }
    }
}
