//! The nouns every room shares. No reading, no judging, no printing.

mod account;
mod activity;
mod capture;
mod client;
mod code;
mod finding;
mod jid;
mod message;
mod place;
mod trust;
mod when;

pub use account::{
    Account, Device, Label, LabelSignature, Problem, ProblemScope, Store, StoredPreKey, StoredSession, StoredSignedPreKey,
};
pub use activity::{Activity, ActivityFacts, ActivityState};
pub use capture::{CaptureEvent, CapturedStanza, ClientLine, Direction};
pub use client::{ClientProfile, Healing, PrekeyIds, Refusals, Remedies, SignedPreKeyRotation, TrustRule};
pub use code::{Code, Concern, Confidence};
pub use finding::{Content, Diagnosis, Evidence, EvidenceKind, Fate, Finding, MessageVerdict};
pub use jid::BareJid;
pub use message::{
    CapturedBundle, CapturedDeviceList, CapturedEnvelope, CapturedMessage, EncryptedPart, Item, PubsubFailure, Wrapper,
};
pub use place::{Landmark, Part, Place, Position, STDIN, name_of};
pub use trust::{Trust, TrustLevel};
pub use when::When;
