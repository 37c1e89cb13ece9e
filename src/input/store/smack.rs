//! Smack's `SignalFileBasedOmemoStore`: `OMEMO_Store/<account>/<own device id>/` with one file a record.
//!
//! Source: igniterealtime/Smack @0631706f4 `smack-omemo` `FileBasedOmemoStore.java`, tags 4.2.1, 4.3.4, 4.4.0.

use super::account::{AccountBuilder, Created};
use super::candidate::Candidate;
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Healing, Place, PrekeyIds, ProblemScope, Refusals, Remedies,
    SignedPreKeyRotation, Trust, TrustLevel, TrustRule, When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Smack. Trust rule: an untrusted identity makes the library throw `UntrustedOmemoIdentityException`.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Smack",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::Java,
    trust_rule: TrustRule {
        refused: &[TrustLevel::Untrusted],
        marks: false,
        says: "Smack refuses messages of a device that the app's trust callback calls untrusted; since 4.4 that decision is not in the store",
    },
    believes_key_exchange_flag: false,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals { exchange_without_prekey: true, tag_in_payload: true, ..Refusals::NONE },
    signed_prekey_rotation: Some(SignedPreKeyRotation { days: 7, kept: "the rotation is off by default; when on, 4 are kept" }),
    unanswered_limit: Some(400),
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: true,
        says: "Smack begins a new session by itself when it has none (unless the program switched that off), and does nothing when a message does not fit",
    }),
    remedies: Remedies { replace_session: None, trust_device: None, reset: None },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: &[], read };

/// Our identity key pair: the mark of an own device's folder.
const IDENTITY: &str = "identityKeyPair";

/// Files and folders read in one folder at most.
const MAX_ENTRIES: usize = 20_000;

/// Folders within an own device's folder: `contacts/<jid>/<device id>`.
const MAX_DEPTH: usize = 3;

/// Largest record file: session records stay below 1 MiB.
const MAX_RECORD: u64 = 16 * 1024 * 1024;

/// An own device's folder has its id for a name and holds [`IDENTITY`] and one of the other folders. Naming
/// that file, or any folder above, leads here too.
fn detect(candidate: &Candidate) -> bool {
    if !candidate.is_folder() && candidate.name() != IDENTITY {
        return false;
    }
    let folder = candidate.folder_path();
    own_id(&folder).is_some()
        && folder.join(IDENTITY).is_file()
        && ["preKeys", "signedPreKeys", "contacts"].iter().any(|name| folder.join(name).is_dir())
}

fn own_id(folder: &Path) -> Option<u32> {
    let folder = folder.canonicalize().ok()?;
    let name = folder.file_name()?.to_str()?;
    if name.bytes().all(|byte| byte.is_ascii_digit()) { name.parse().ok() } else { None }
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let folder = candidate.folder_path();
    let mut files = Vec::new();
    files_below(&folder, MAX_DEPTH, &mut files);
    Ok(Reading { accounts: vec![account(&folder, options)], files, ..Reading::default() })
}

fn files_below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_file() {
            files.push(path);
        } else if depth > 0 && files.len() < MAX_ENTRIES {
            files_below(&path, depth - 1, files);
        }
    }
}

fn account(folder: &Path, options: &OpenOptions) -> Account {
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let jid = absolute.parent().and_then(Path::file_name).and_then(|name| address(name.to_str()?));
    let old = folder.join("lastPreKeyId").exists() || folder.join("currentSignedPreKeyId").exists();
    let version = if old { "files of Smack up to 4.3" } else { "files of Smack since 4.4" };
    let mut builder = AccountBuilder::new(&PROFILE, version, place(folder));
    builder.account().jid = jid.or_else(|| options.account.clone());
    builder.own_device_id(own_id(folder), place(folder));
    let identity = folder.join(IDENTITY);
    builder.identity_record(bytes(&identity).as_ref().map(|bytes| bytes.as_slice()), place(&identity));
    for (id, path) in numbered(&folder.join("preKeys")) {
        builder.prekey(Some(id), bytes(&path).as_ref().map(|bytes| bytes.as_slice()), place(&path));
    }
    for (id, path) in numbered(&folder.join("signedPreKeys")) {
        let record = bytes(&path);
        builder.signed_prekey(Some(id), record.as_ref().map(|bytes| bytes.as_slice()), Created::RecordMillis, place(&path));
    }
    for contact in entries(&folder.join("contacts")) {
        let Some(jid) = contact.file_name().and_then(|name| address(name.to_str()?)) else { continue };
        one_contact(&contact, &jid, &mut builder);
    }
    builder.finish()
}

fn one_contact(folder: &Path, jid: &BareJid, builder: &mut AccountBuilder) {
    let active = ids(&folder.join("activeDevices"));
    let inactive = ids(&folder.join("inactiveDevices"));
    let on_disk: BTreeSet<u32> = numbered(folder).into_iter().map(|(id, _)| id).collect();
    let mut all = on_disk.clone();
    all.extend(&active);
    all.extend(&inactive);
    for id in all {
        let device = folder.join(id.to_string());
        let key_file = device.join("identityKey");
        let key = bytes(&key_file);
        let identity = key.as_ref().and_then(|bytes| IdentityKey::from_record(bytes));
        if identity.is_none() && key.is_some() {
            let says = format!("the identity key of {jid} is damaged: 33 bytes were expected");
            builder.problem(place(&key_file), ProblemScope::Other, says);
        }
        let session = device.join("session");
        let mut in_session = None;
        if session.is_file() {
            in_session = builder.session(jid, id, bytes(&session).as_ref().map(|bytes| bytes.as_slice()), place(&session));
        }
        if !on_disk.contains(&id)
            || (identity.is_none() && in_session.is_none() && !active.contains(&id) && !inactive.contains(&id))
        {
            // Folders are made on mere reading: without anything in them they tell nothing.
            if !active.contains(&id) && !inactive.contains(&id) {
                continue;
            }
        }
        let listed = if active.contains(&id) { Some(true) } else { inactive.contains(&id).then_some(false) };
        let activity = ActivityFacts {
            listed,
            last_message: date(&device.join("lastMessageReceivedDate")),
            last_listed: date(&device.join("lastDeviceIdPublicationDate")),
            unanswered: bytes(&device.join("messageCounter"))
                .and_then(|bytes| Some(u32::from_be_bytes(bytes.as_slice().try_into().ok()?))),
            removed: None,
        };
        let identity = identity.or(in_session);
        let trust = trust(&device.join("trust"), identity.as_ref());
        let place = place(if device.exists() { &device } else { folder });
        builder.device(jid.clone(), Some(id), identity, trust, place).activity = activity;
    }
}

/// Up to 4.3: `1 <fingerprint>` is trusted, `2 <fingerprint>` distrusted. Later versions keep no trust.
fn trust(path: &Path, identity: Option<&IdentityKey>) -> Trust {
    let Some(text) = bytes(path).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()) else { return Trust::unknown() };
    let mut words = text.split_whitespace();
    let decision = words.next();
    let fits =
        words.next().is_none_or(|print| identity.is_some_and(|key| key.fingerprint().to_string().eq_ignore_ascii_case(print)));
    let (word, level) = match decision {
        Some("1") if fits => ("trusted", TrustLevel::Trusted),
        Some("2") if fits => ("distrusted", TrustLevel::Untrusted),
        _ => ("undecided", TrustLevel::Undecided),
    };
    Trust { word: word.into(), level }
}

/// A bare JID as a folder's name: URL-encoded since 4.4, plain before.
fn address(name: &str) -> Option<BareJid> {
    let mut decoded = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%').then(|| after.get(..2)).flatten().and_then(|two| hex::decode(two).ok());
        match code.as_deref() {
            Some([code]) => {
                decoded.push(*code);
                rest = &after[2..];
            }
            _ => {
                // `URLEncoder` writes a blank as plus; an address holds neither.
                decoded.push(byte);
                rest = after;
            }
        }
    }
    BareJid::as_stored(std::str::from_utf8(&decoded).ok()?)
}

/// Big-endian 32-bit ids, in no order.
fn ids(path: &Path) -> BTreeSet<u32> {
    let bytes = bytes(path).unwrap_or_default();
    bytes.as_chunks::<4>().0.iter().map(|four| u32::from_be_bytes(*four)).collect()
}

/// Big-endian milliseconds since 1970.
fn date(path: &Path) -> Option<When> {
    let bytes = bytes(path)?;
    When::from_unix_millis(i64::from_be_bytes(bytes.as_slice().try_into().ok()?))
}

/// Entries of a folder with decimal names.
fn numbered(folder: &Path) -> Vec<(u32, PathBuf)> {
    let mut found: Vec<_> =
        entries(folder).into_iter().filter_map(|path| Some((path.file_name()?.to_str()?.parse().ok()?, path))).collect();
    found.sort();
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    // A link could lead out of the folder: what a stranger sent stays within itself.
    let plain = listing.flatten().take(MAX_ENTRIES).filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
    let mut paths: Vec<_> = plain.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn bytes(path: &Path) -> Option<Zeroizing<Vec<u8>>> {
    let metadata = path.symlink_metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MAX_RECORD {
        return None;
    }
    std::fs::read(path).ok().map(Zeroizing::new)
}

fn place(path: &Path) -> Place {
    let file: Arc<Path> = path.into();
    Place::whole(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_addresses_in_both_spellings() {
        let jid = |name| address(name).map(|jid| jid.to_string());
        assert_eq!(jid("alice%40localhost").as_deref(), Some("alice@localhost"));
        assert_eq!(jid("alice@localhost").as_deref(), Some("alice@localhost"));
        assert_eq!(jid("J%C3%BCrgen%40x").as_deref(), Some("jürgen@x"));
        assert_eq!(jid("%zz%4").as_deref(), Some("%zz%4"));
        assert_eq!(jid("%ff"), None);
    }
}
