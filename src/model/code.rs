//! The diagnosis codes and how sure a verdict is.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $text:literal, $doc:literal;)+) => {
        /// What a message's decryption, or a finding about the whole, comes down to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $doc] $variant,)+ }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code as written in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// A few words on it.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $doc,)+ }
            }
        }
    };
}

codes! {
    Ok = "ok", "decrypts, and this client would show it";
    EmptyMessage = "empty-message", "carries no text: key transport, heartbeat or completion of a session";
    NotAddressed = "not-addressed", "has no key for our device";
    OwnMessage = "own-message", "was sent by this very device";
    NoSession = "no-session", "belongs to a session that the store does not have";
    DuplicateMessage = "duplicate-message", "was read before";
    PrekeyMissing = "prekey-missing", "names a one-time prekey that the store does not hold";
    SignedPrekeyMissing = "signed-prekey-missing", "names a signed prekey that the store does not hold";
    IdentityChanged = "identity-changed", "comes with another identity key than the known one";
    MacMismatch = "mac-mismatch", "does not fit any session state we have";
    ReceiverRolledBack = "receiver-rolled-back", "belongs to a later state of our ratchet than the store holds";
    SenderRolledBack = "sender-rolled-back", "uses a ratchet state that its sender had used before";
    TooManySkipped = "too-many-skipped", "lies further ahead than this client accepts";
    MessageKeyEvicted = "message-key-evicted", "came so late that its key was dropped";
    PayloadAuthFailed = "payload-auth-failed", "has a payload that does not belong to its key";
    MalformedStanza = "malformed-stanza", "is XML that a receiver cannot use";
    MalformedMessage = "malformed-message", "holds a key element that is no message of its variant";
    UnsupportedVersion = "unsupported-version", "is of a version that nobody has defined";
    VariantMismatch = "variant-mismatch", "mixes two variants of OMEMO";
    SimultaneousInitiation = "simultaneous-initiation", "belongs to a session that lost against one begun at the same time";
    DeviceIdCollision = "device-id-collision", "comes from a device id that two devices use";
    WrongRecipientJid = "wrong-recipient-jid", "names another address than ours";
    UntrustedDevice = "untrusted-device", "decrypts, but this client does not show messages of a device with this trust";
    AdMismatch = "ad-mismatch", "fits but for the identity keys that it is bound to";
    StoreCorrupt = "store-corrupt", "needs a part of the store that is damaged";
    BundleSignatureInvalid = "bundle-signature-invalid", "is a bundle whose signature does not verify";
    LabelSignatureInvalid = "label-signature-invalid", "is a device list with a label that is not validly signed";
    BeyondSnapshot = "beyond-snapshot", "belongs to a later state of our ratchet than this snapshot holds";
}

impl Code {
    /// The code with this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text)
    }

    /// Whether nothing is wrong when this is said of a message.
    pub const fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::Ok | Self::EmptyMessage | Self::OwnMessage | Self::DuplicateMessage | Self::NotAddressed | Self::BeyondSnapshot
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// One of several that fit.
    Possible,
    /// Fits best; another cause is not excluded.
    Likely,
    /// No other cause fits the evidence.
    Proven,
}

impl Confidence {
    /// The word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Proven => "proven",
        }
    }
}
