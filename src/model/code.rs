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

            /// A few words on it, to be read after [`Self::subject`].
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $doc,)+ }
            }
        }
    };
}

codes! {
    Ok = "ok", "can be read, and your client would show it";
    EmptyMessage = "empty-message", "carries no text, on purpose";
    NotAddressed = "not-addressed", "has no part for this device";
    OwnMessage = "own-message", "was sent by this very device";
    NoSession = "no-session", "continues a session that your client cannot find";
    DuplicateMessage = "duplicate-message", "is one that your client already had";
    PrekeyMissing = "prekey-missing", "begins a session with a one-time key that your client does not have";
    SignedPrekeyMissing = "signed-prekey-missing", "begins a session with a signed key that your client does not have";
    IdentityChanged = "identity-changed", "comes from a known device that has a new identity key";
    MacMismatch = "mac-mismatch", "cannot be opened, and mostly nothing shows why";
    ReceiverRolledBack = "receiver-rolled-back", "needs newer keys than your client, or only the copy, has";
    SenderRolledBack = "sender-rolled-back", "was encrypted with keys that the sender had used before";
    TooManySkipped = "too-many-skipped", "comes after so many missing ones that your client refuses it";
    MessageKeyEvicted = "message-key-evicted", "came so late that your client had thrown its key away";
    PayloadAuthFailed = "payload-auth-failed", "has a text that was changed, cut or wrongly packed";
    MalformedStanza = "malformed-stanza", "has a broken outer shell";
    MalformedMessage = "malformed-message", "has a part for your device that is broken or wrongly labelled";
    UnsupportedVersion = "unsupported-version", "is in none of the known versions of OMEMO";
    VariantMismatch = "variant-mismatch", "is in a variant that your client cannot read, or mixes two";
    SimultaneousInitiation = "simultaneous-initiation", "belongs to one of two sessions that were begun at the same time";
    DeviceIdCollision = "device-id-collision", "comes from a device id that two devices use";
    WrongRecipientJid = "wrong-recipient-jid", "names another address than yours, or a group chat hides its sender";
    UntrustedDevice = "untrusted-device", "can be opened, but your client does not trust its device";
    AdMismatch = "ad-mismatch", "is right, but one side has a wrong identity key or mixes two up";
    StoreCorrupt = "store-corrupt", "needs a part of the store that is damaged";
    BundleSignatureInvalid = "bundle-signature-invalid", "has a wrong signature, or a client wrongly says so";
    LabelSignatureInvalid = "label-signature-invalid", "has a device name without a valid signature";
    BeyondSnapshot = "beyond-snapshot", "needs newer keys than this copy of the store has";
}

impl Code {
    /// The code with this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text)
    }

    /// What the code is said of.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::BundleSignatureInvalid => "the bundle",
            Self::LabelSignatureInvalid => "the device list",
            _ => "the message",
        }
    }

    /// Who has to do something.
    pub const fn concern(self) -> Concern {
        match self {
            Self::Ok | Self::EmptyMessage | Self::OwnMessage | Self::DuplicateMessage | Self::BeyondSnapshot => Concern::Nobody,
            Self::ReceiverRolledBack
            | Self::StoreCorrupt
            | Self::NoSession
            | Self::PrekeyMissing
            | Self::SignedPrekeyMissing
            | Self::MacMismatch
            | Self::AdMismatch
            | Self::SimultaneousInitiation
            | Self::TooManySkipped
            | Self::IdentityChanged
            | Self::UntrustedDevice
            | Self::VariantMismatch => Concern::You,
            Self::NotAddressed
            | Self::SenderRolledBack
            | Self::MessageKeyEvicted
            | Self::PayloadAuthFailed
            | Self::MalformedStanza
            | Self::MalformedMessage
            | Self::UnsupportedVersion
            | Self::DeviceIdCollision
            | Self::WrongRecipientJid => Concern::Sender,
            Self::BundleSignatureInvalid | Self::LabelSignatureInvalid => Concern::Published,
        }
    }

    /// What helps most is told first: what the reader can repair, then what only the sender can.
    pub const fn turn(self) -> u8 {
        match self.concern() {
            Concern::You => 0,
            Concern::Sender => 1,
            Concern::Published => 2,
            Concern::Nobody => 3,
        }
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

/// Who has to do something about a code: how a list of all codes is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// Nothing is wrong.
    Nobody,
    /// The reader can do something.
    You,
    /// The sender must do something.
    Sender,
    /// It is about a bundle or a device list.
    Published,
}

impl Concern {
    /// All, in the order of a list.
    pub const ALL: &[Self] = &[Self::Nobody, Self::You, Self::Sender, Self::Published];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Nobody => "Nothing is wrong",
            Self::You => "You can do something",
            Self::Sender => "Mostly the sender must do something",
            Self::Published => "About bundles and device lists",
        }
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
