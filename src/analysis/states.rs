//! What the words about trust and activity mean: the other half of `explain`.

/// A word that `devices` uses, with a title and its documentation in Markdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateWord {
    /// The word.
    pub word: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// A few words on it, to be read after [`SUBJECT`].
    pub title: &'static str,
    /// The documentation.
    pub says: &'static str,
}

/// What all the words are said of.
pub const SUBJECT: &str = "the device";

/// A word for activity.
pub const ACTIVITY: &str = "How active a device is";
/// A word for trust.
pub const TRUST: &str = "How far a device is trusted";

/// All words, activity first.
pub const STATES: &[StateWord] = &[
    StateWord {
        word: "active",
        about: ACTIVITY,
        title: "is on its owner's list, and nothing speaks against its use",
        says: "The last device list that your client saw names the device, and it is not silent beyond the rules of your \
               client or the specification. Nothing is to be done. `devices -v` gives the rule and the numbers.",
    },
    StateWord {
        word: "inactive",
        about: ACTIVITY,
        title: "is off its owner's list, or your client set it inactive",
        says: "A device that leaves the list gets no messages any more: nobody makes a key for it. For a device that is no \
               longer in use this is right. A device of your own that is inactive by mistake comes back when its client \
               publishes the list again: start the client on it; most do so on the next connection.",
    },
    StateWord {
        word: "stale",
        about: ACTIVITY,
        title: "is on its owner's list, but has been silent for long",
        says: "Harmless: it is some device, of a contact or of your own, that was not used for long. Messages are encrypted \
               for it, but no answer moved the ratchet for longer than a rule allows. Some clients then stop encrypting for \
               it; the specification asks for that too, because a lost device would otherwise hold back forward secrecy for \
               ever. It becomes active again with its next message. If it is yours, and you use it, write something from \
               it; if it is lost or gone, take it off your device list.",
    },
    StateWord {
        word: "trusted",
        about: TRUST,
        title: "gets messages: your client encrypts for it",
        says: "Either you compared the fingerprint, or your client trusts new devices by itself (blind trust, trust on first \
               use). The client's own word, shown beside it, tells the two apart where the client does.",
    },
    StateWord {
        word: "untrusted",
        about: TRUST,
        title: "was refused by you, or by your client for you",
        says: "Your client makes no key for the device. Many clients still show what it sends, some hide it: then the \
               message's code is `untrusted-device`. To change it, compare the fingerprint and trust the device in your \
               client.",
    },
    StateWord {
        word: "undecided",
        about: TRUST,
        title: "waits for your decision",
        says: "The device is new to your client. Many clients send nothing to the contact before you have decided about each \
               of the contact's devices: compare the fingerprints, then trust or refuse them in your client.",
    },
    StateWord {
        word: "compromised",
        about: TRUST,
        title: "was marked as compromised",
        says: "Your client saw something that a genuine device does not do, for example another identity key for a known \
               device id. Compare the fingerprint by another way before you trust it again.",
    },
    StateWord {
        word: "unknown",
        about: TRUST,
        title: "is one of which the store says nothing (said of activity, too)",
        says: "Your client does not keep it in this store, or keeps it where this store does not reach. Nothing is wrong with \
               the device for that.",
    },
];
