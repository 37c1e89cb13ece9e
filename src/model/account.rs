//! What a store holds: accounts with their own keys, devices, sessions and prekeys.

use super::{ActivityFacts, BareJid, ClientProfile, Place, Trust, When};
use crate::omemo::curve::KeyPair;
use crate::omemo::ratchet::SessionRecord;
use crate::omemo::{IdentityKey, IdentityKeyPair, Namespace};
use std::path::PathBuf;

/// One store as it was when it was read: a snapshot.
#[derive(Clone, Debug)]
pub struct Store {
    /// What the user named.
    pub path: PathBuf,
    /// The accounts in it.
    pub accounts: Vec<Account>,
    /// What could not be read, with its place.
    pub problems: Vec<Problem>,
}

/// One account of a client.
#[derive(Clone, Debug)]
pub struct Account {
    /// The client.
    pub client: &'static ClientProfile,
    /// What is known about its version, like `schema 12 (since 2020-05)`.
    pub version: String,
    /// Its address, where the store knows it.
    pub jid: Option<BareJid>,
    /// Our device id.
    pub own_device_id: Option<u32>,
    /// Our identity key pair.
    pub identity: Option<IdentityKeyPair>,
    /// Other devices: contacts' and our own other ones. Our own device itself is not among them.
    pub devices: Vec<Device>,
    /// Sessions.
    pub sessions: Vec<StoredSession>,
    /// One-time prekeys whose private half is still there.
    pub prekeys: Vec<StoredPreKey>,
    /// Signed prekeys.
    pub signed_prekeys: Vec<StoredSignedPreKey>,
    /// The highest one-time prekey id ever given out, as far as the store tells: an upper bound.
    pub highest_prekey_id: Option<u32>,
    /// Where the account's keys lie.
    pub place: Place,
    /// What could not be read of it.
    pub problems: Vec<Problem>,
}

/// Where something is missing.
impl Account {
    /// Where sessions stand.
    pub fn sessions_place(&self) -> Place {
        self.around(self.sessions.first().map(|session| &session.place))
    }

    /// Where one-time prekeys stand.
    pub fn prekeys_place(&self) -> Place {
        self.around(self.prekeys.first().map(|prekey| &prekey.place))
    }

    /// Where signed prekeys stand.
    pub fn signed_prekeys_place(&self) -> Place {
        self.around(self.signed_prekeys.first().map(|prekey| &prekey.place))
    }

    /// Where things like this one stand; without any, only the file is known.
    fn around(&self, known: Option<&Place>) -> Place {
        known.map_or_else(|| Place::whole(&self.place.file), Place::around)
    }
}

/// A device that the account knows.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whose.
    pub jid: BareJid,
    /// Its id; `None` where the store has a key but no longer a session to link it to an id.
    pub device_id: Option<u32>,
    /// Its identity key; `None` where only the id is known.
    pub identity: Option<IdentityKey>,
    /// Trust.
    pub trust: Trust,
    /// Where the trust stands, if elsewhere than the device.
    pub trust_place: Option<Place>,
    /// Use.
    pub activity: ActivityFacts,
    /// Label (OMEMO 2).
    pub label: Option<Label>,
    /// Variants it was seen with.
    pub namespaces: Vec<Namespace>,
    /// Where it stands.
    pub place: Place,
}

impl Device {
    /// Where its trust stands.
    pub fn trust_place(&self) -> &Place {
        self.trust_place.as_ref().unwrap_or(&self.place)
    }
}

/// A device label (XEP-0384 0.9.0, `label` and `labelsig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The text.
    pub text: String,
    /// What is known of its signature.
    pub signature: LabelSignature,
}

/// State of a label's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelSignature {
    /// Verified with the identity key.
    Valid,
    /// Does not verify.
    Invalid,
    /// There is none.
    Missing,
    /// The store does not keep it; the client may have checked.
    Unchecked,
}

impl LabelSignature {
    /// The word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::Unchecked => "unchecked",
        }
    }
}

/// A session with one device in one variant.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// With whom.
    pub jid: BareJid,
    /// With which device.
    pub device_id: u32,
    /// Variant.
    pub namespace: Namespace,
    /// Its states.
    pub record: SessionRecord,
    /// Where it stands.
    pub place: Place,
}

/// A one-time prekey of ours.
#[derive(Clone, Debug)]
pub struct StoredPreKey {
    /// Id.
    pub id: u32,
    /// Keys.
    pub pair: KeyPair,
    /// Variants it serves.
    pub namespaces: Vec<Namespace>,
    /// Where it stands.
    pub place: Place,
}

/// A signed prekey of ours.
#[derive(Clone, Debug)]
pub struct StoredSignedPreKey {
    /// Id.
    pub id: u32,
    /// Keys.
    pub pair: KeyPair,
    /// Signature, if stored.
    pub signature: Option<Vec<u8>>,
    /// When it was made.
    pub created: Option<When>,
    /// Variants it serves.
    pub namespaces: Vec<Namespace>,
    /// Where it stands.
    pub place: Place,
}

/// Something in a store that could not be read or contradicts itself. Everything else was read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong and what was expected, one sentence.
    pub says: String,
    /// What it concerns.
    pub scope: ProblemScope,
}

/// What a problem concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemScope {
    /// The file or a whole table: anything may be missing.
    Store,
    /// Our own identity key or device id.
    OwnKeys,
    /// The session with one device.
    Session {
        /// With whom.
        jid: BareJid,
        /// Which device.
        device_id: u32,
    },
    /// A one-time prekey.
    PreKey(u32),
    /// A signed prekey.
    SignedPreKey(u32),
    /// A whole part of the store, which is encrypted: its password was not given.
    Locked,
    /// Something no message depends on.
    Other,
}
