//! The libraries that keep sessions, and the limits each one sets. A diagnosis must say what the real
//! client would have done, so the limits are those of the library, not ours.

/// A ratchet library. Which one is a property of the store that is read, not of the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Implementation {
    /// libsignal-protocol-c 2.3.3 and libomemo-c 0.5.
    LibsignalC,
    /// signal-protocol-java 2.6 and its Android builds.
    Java,
    /// python-axolotl 0.2.3 and omemo-dr 1.x.
    PythonAxolotl,
    /// python-doubleratchet 1.x under oldmemo and twomemo.
    PythonDoubleRatchet,
    /// libsignal-protocol-javascript and its forks.
    JavaScript,
    /// Rust libsignal.
    Rust,
}

/// What a library refuses or forgets. `None` means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest distance from the chain index to a message's counter that is still accepted.
    pub forward_jump: Option<u32>,
    /// Skipped message keys kept (per chain, or per session for [`Implementation::PythonDoubleRatchet`]).
    pub skipped_keys: Option<usize>,
    /// Receiver chains kept per session state.
    pub receiver_chains: usize,
    /// Archived session states kept per record.
    pub archived_states: usize,
    /// What becomes of the old receiving chain when the peer's ratchet key changes.
    pub turn: TurnRule,
}

/// What a library does with its receiving chain when the peer's ratchet key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnRule {
    /// The chain stays open until too many newer ones push it out; `pn` is never read.
    KeepChain,
    /// Keys up to `pn - 1` are stored, the chain key is dropped; skipped keys share one queue per session.
    FillToLength,
    /// `pn` is taken as the last message's counter: keys up to it are stored, the chain key is dropped.
    FillToLastIndex,
}

impl TurnRule {
    /// The `pn` that goes out with a new sending chain when the next counter of the old one is `index`.
    pub const fn previous_counter(self, index: u32) -> u32 {
        match self {
            Self::KeepChain | Self::FillToLastIndex => index.saturating_sub(1),
            Self::FillToLength => index,
        }
    }

    /// The counter after the last message of the old chain that the library stores a key for.
    pub const fn end_of_chain(self, previous_counter: u32) -> Option<u32> {
        match self {
            Self::KeepChain => None,
            Self::FillToLength => Some(previous_counter),
            // An unused chain has the last index -1, which is 4294967295 on the wire.
            Self::FillToLastIndex => Some(previous_counter.wrapping_add(1)),
        }
    }
}

impl Implementation {
    /// The limits, as read in the libraries' code and seen by running them.
    pub const fn limits(self) -> Limits {
        let signal = Limits {
            forward_jump: Some(2000),
            skipped_keys: Some(2000),
            receiver_chains: 5,
            archived_states: 40,
            turn: TurnRule::KeepChain,
        };
        match self {
            Self::LibsignalC | Self::Java => signal,
            Self::PythonAxolotl => Limits { skipped_keys: None, ..signal },
            Self::Rust => Limits { forward_jump: Some(25_000), ..signal },
            Self::PythonDoubleRatchet => Limits {
                forward_jump: Some(1000),
                skipped_keys: Some(1000),
                receiver_chains: 1,
                archived_states: 0,
                turn: TurnRule::FillToLength,
            },
            Self::JavaScript => Limits { skipped_keys: None, receiver_chains: 11, turn: TurnRule::FillToLastIndex, ..signal },
        }
    }

    /// Whether the library keeps earlier session states and tries them (the libsignal family).
    pub const fn archives_states(self) -> bool {
        self.limits().archived_states > 0
    }

    /// Whether a session is stored only once the payload has opened: a payload that fails leaves its key unused, and an
    /// undamaged copy of the message still opens (python-omemo 2.1, `SessionManager.decrypt`).
    pub const fn stores_after_payload(self) -> bool {
        matches!(self, Self::PythonDoubleRatchet)
    }

    /// The library's usual name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LibsignalC => "libsignal-protocol-c / libomemo-c",
            Self::Java => "signal-protocol-java",
            Self::PythonAxolotl => "python-axolotl / omemo-dr",
            Self::PythonDoubleRatchet => "python-doubleratchet",
            Self::JavaScript => "libsignal-protocol-javascript",
            Self::Rust => "libsignal (Rust)",
        }
    }
}
