//! ChatSecure for iOS: recognised, not read. Its YapDatabase is encrypted with SQLCipher under a random
//! passphrase that only the iOS keychain holds.
//!
//! Source: ChatSecure/ChatSecure-iOS @38d6abba, `OTRDatabaseManager.m`.

use super::candidate::Candidate;
use super::sqlite;
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{ClientProfile, PrekeyIds, Refusals, Remedies, SignedPreKeyRotation, TrustLevel, TrustRule};
use crate::omemo::Namespace;
use crate::omemo::ratchet::Implementation;

/// ChatSecure. It handles the key exchange before anything of trust, and shows what decrypts.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "ChatSecure",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule {
        refused: NOTHING,
        marks: false,
        says: "ChatSecure shows messages whatever the trust in their device",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: NEVER,
    unanswered_limit: None,
    heartbeat: None,
    healing: None,
    remedies: Remedies { replace_session: None, trust_device: None, reset: None },
};

const NOTHING: &[TrustLevel] = &[];
const NEVER: Option<SignedPreKeyRotation> = None;

/// How it is recognised. It lies in a container on the phone: there is no place on a computer.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: &[], read };

/// SQLCipher 3 writes pages of this size; the first 16 bytes are a random salt.
const PAGE: u64 = 1024;

fn detect(candidate: &Candidate) -> bool {
    match candidate.database() {
        // A copy that somebody decrypted.
        Some(database) => database.has("database2", &["collection", "key", "data"]) && database.has("yap2", &[]),
        // Only the name can tell: the content is as good as random.
        None => {
            let named = candidate.name().starts_with("ChatSecureYap");
            named
                && !candidate.is_folder()
                && !candidate.is_empty()
                && candidate.len().is_multiple_of(PAGE)
                && !sqlite::has_magic(candidate.head())
        }
    }
}

fn read(candidate: &Candidate, _options: &OpenOptions) -> Result<Reading, InputError> {
    let says = if candidate.database().is_some() {
        "a decrypted copy of ChatSecure's store; its objects are archives of Apple's that are not read. \
         The other end's store and a capture may answer the question instead"
    } else {
        "ChatSecure's store, encrypted with SQLCipher; its passphrase never leaves the phone's keychain, so it cannot be read. \
         The other end's store and a capture may answer the question instead"
    };
    Err(InputError::new(candidate.path(), says))
}
