//! What the words about trust and activity mean: the other half of `explain`.

/// A word that `devices` uses, with a title and its documentation in Markdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateWord {
    /// The word.
    pub word: &'static str,
    /// A few words on it.
    pub title: &'static str,
    /// The documentation.
    pub says: &'static str,
}

/// All words, activity first.
pub const STATES: &[StateWord] = &[
    StateWord {
        word: "active",
        title: "activity: the device is on its owner's list and nothing speaks against its use",
        says: "The last device list that the client saw names the device, and it is not silent beyond the rules of the \
               client or the specification. `devices -v` gives the rule and the numbers.",
    },
    StateWord {
        word: "inactive",
        title: "activity: the device is off its owner's list, or the client set it inactive",
        says: "A device that leaves the list gets no messages any more: nobody makes a key for it. Its session may still \
               be in the store. A device of your own that is inactive by mistake comes back when its client publishes the \
               list again; most clients do so on the next connection.",
    },
    StateWord {
        word: "stale",
        title: "activity: the device is on the list but has been silent for long",
        says: "Messages are encrypted for the device, but no answer moved the ratchet for longer than a rule allows. \
               Some clients then stop encrypting for it; the specification asks for that too, because a lost device \
               would otherwise hold back forward secrecy for ever. It becomes active again with its next message.",
    },
    StateWord {
        word: "trusted",
        title: "trust: the client encrypts to the device",
        says: "Either the user compared the fingerprint, or the client trusts new devices by itself (blind trust, trust \
               on first use). The client's own word, shown beside it, tells the two apart where the client does.",
    },
    StateWord {
        word: "untrusted",
        title: "trust: the user, or the client for them, said no",
        says: "The client makes no key for the device. Many clients still show what it sends, some hide it: then the \
               message's code is `untrusted-device`.",
    },
    StateWord {
        word: "undecided",
        title: "trust: nobody has decided yet",
        says: "The device is new to the client. Many clients send nothing to the contact before the user has decided \
               about each of the contact's devices.",
    },
    StateWord {
        word: "compromised",
        title: "trust: marked as compromised",
        says: "The client saw something that a genuine device does not do, for example another identity key for a known \
               device id. Compare the fingerprint by another way before you trust it again.",
    },
    StateWord {
        word: "unknown",
        title: "trust or activity: the store does not say",
        says: "The client does not keep it in this store, or keeps it where this store does not reach.",
    },
];
