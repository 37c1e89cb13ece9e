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
        title: "is on its owner's list and can be used",
        says: "The last device list that your client saw names the device, and the device has not been silent for too long. \
               Nothing is to be done. For the rule and the numbers: `omemoscope devices -v`.",
    },
    StateWord {
        word: "inactive",
        about: ACTIVITY,
        title: "is off its owner's list, or your client set it inactive",
        says: "A device that is not on the list gets no messages any more. For a device that is no longer in use this is right. \
               If it is a device of your own that you use, close its client and start it again: most clients then put the \
               device on the list again. If your own client set the device inactive, it mostly becomes active again with its \
               next message.",
    },
    StateWord {
        word: "stale",
        about: ACTIVITY,
        title: "is on its owner's list, but has been silent for long",
        says: "The device has not answered for a long time. Nothing is broken, but some clients stop sending to such a device \
               (Kaidan after 106 unanswered messages, Smack after 400, Gajim after 2000). It becomes active again with its next \
               message. If it is yours and you use it, write something from it. If it is yours and gone, take it off your \
               device list: `omemoscope explain words` says how. If it is a contact's, you need not do anything.",
    },
    StateWord {
        word: "trusted",
        about: TRUST,
        title: "gets messages: your client encrypts for it",
        says: "Either you compared the fingerprint, or your client trusts new devices by itself (blind trust, trust on first \
               use). Beside it stands the word that your client uses; some words tell the two apart. Nothing is to be done. To \
               be sure, compare the fingerprint by phone or in person, not in this chat: `omemoscope explain words` says how.",
    },
    StateWord {
        word: "untrusted",
        about: TRUST,
        title: "was refused by you, or by your client for you",
        says: "Your client encrypts nothing for the device. Some clients hide what it sends (then the code is \
               `untrusted-device`), others show it. To change that, compare the fingerprint by phone or in person, not in this \
               chat: `omemoscope explain words` says how. If it is right, trust the device in your client. If it is wrong, \
               leave the device refused.",
    },
    StateWord {
        word: "undecided",
        about: TRUST,
        title: "waits for your decision",
        says: "The device is new to your client. Many clients do not let you write to its owner until you have decided about \
               each of the owner's devices. Compare the fingerprint by phone or in person, not in this chat. If it is right, \
               trust the device in your client; otherwise refuse it. `omemoscope explain words` says how.",
    },
    StateWord {
        word: "compromised",
        about: TRUST,
        title: "was marked as compromised: somebody else may have its keys",
        says: "The reason may be harmless, for example a new installation. It may also be an attack. Ask the owner, by phone \
               or in person and not in this chat, whether the device is theirs, and compare the fingerprint. Do not just trust \
               it again: ask the owner to make new OMEMO keys on it (messages not yet read on it are lost), unless they have \
               done so already, and remove the old key in your client. If the device is not theirs, refuse it, and do not rely on what it sends.",
    },
    StateWord {
        word: "unknown",
        about: TRUST,
        title: "is one whose trust or activity the store does not tell",
        says: "Your client does not save this information, or saves it elsewhere. This says nothing against the device.",
    },
];
