//! What a client is and does, as far as a diagnosis needs it. Each store reader brings its client's profile.

use super::TrustLevel;
use crate::omemo::Namespace;
use crate::omemo::ratchet::Implementation;

/// A client's constants. Sources are named where each profile is defined.
#[derive(Clone, Copy, Debug)]
pub struct ClientProfile {
    /// Its name.
    pub name: &'static str,
    /// The variants it speaks.
    pub namespaces: &'static [Namespace],
    /// Its ratchet library.
    pub implementation: Implementation,
    /// What it does with messages of devices it does not trust.
    pub trust_rule: TrustRule,
    /// It refuses a key exchange whose `prekey`/`kex` attribute is missing, and the reverse.
    pub believes_key_exchange_flag: bool,
    /// It takes another identity key for a known device id without a word.
    pub accepts_changed_identity: bool,
    /// What becomes of the id of a used one-time prekey.
    pub prekey_ids: PrekeyIds,
    /// It shows the Ed25519 form of the identity keys of OMEMO 2 as fingerprint: other digits than other clients show.
    pub shows_edwards: bool,
    /// What it refuses that others accept.
    pub refuses: Refusals,
    /// How long signed prekeys live.
    pub signed_prekey_rotation: Option<SignedPreKeyRotation>,
    /// Unanswered messages after which it stops encrypting for a device.
    pub unanswered_limit: Option<u32>,
    /// Counter (or number of stanzas) at which it sends a heartbeat.
    pub heartbeat: Option<u32>,
    /// What it does by itself when a message does not decrypt; `None` where nobody has looked.
    pub healing: Option<Healing>,
    /// What it tells its user to do, in its own menu words.
    pub remedies: Remedies,
}

/// What becomes of the id of a used one-time prekey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrekeyIds {
    /// No key gets it again.
    UsedOnce,
    /// A newly made key gets it.
    Reused,
    /// A newly made key got it, up to this version.
    ReusedBefore(&'static str),
}

/// Which trust levels make a client refuse or hide a message that decrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustRule {
    /// Levels whose messages are not shown like others.
    pub refused: &'static [TrustLevel],
    /// It shows these messages all the same, and marks them.
    pub marks: bool,
    /// One sentence about it.
    pub says: &'static str,
}

/// What a client refuses although the specification, or other clients, accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// Ids above 2^31-1: it reads signed numbers and throws the whole stanza away.
    pub high_ids: bool,
    /// A legacy key exchange without a one-time prekey.
    pub exchange_without_prekey: bool,
    /// A legacy payload with an initialisation vector of 16 bytes.
    pub long_iv: bool,
    /// A legacy payload that ends with its own tag.
    pub tag_in_payload: bool,
    /// An OMEMO 2 stanza in which one key element is no message, although another one for us is right.
    pub garbage_key: bool,
}

impl Refusals {
    /// A client that takes what it can read.
    pub const NONE: Self =
        Self { high_ids: false, exchange_without_prekey: false, long_iv: false, tag_in_payload: false, garbage_key: false };
}

/// What a client does by itself about a broken session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Healing {
    /// It begins a new session when a message does not fit the one it has.
    pub rebuilds: bool,
    /// It begins a new session when it has none.
    pub builds_missing: bool,
    /// One sentence about it.
    pub says: &'static str,
}

/// Signed prekey rotation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedPreKeyRotation {
    /// Days after which a new one is made.
    pub days: u32,
    /// One sentence on how long the old ones are kept.
    pub kept: &'static str,
}

/// Repairs in a client's own words; `None` where it offers none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedies {
    /// Replace one session.
    pub replace_session: Option<&'static str>,
    /// Trust a device.
    pub trust_device: Option<&'static str>,
    /// Make new keys altogether (last resort).
    pub reset: Option<&'static str>,
}
