//! Profanity: a folder of GLib key files, `identity.txt`, `sessions.txt`, `trust.txt`, `known_devices.txt`.
//!
//! Sources: profanity-im/profanity @615ae65a6 `src/omemo/omemo.c`, `store.c` (unchanged since 0.7.0); files
//! written by 0.13.1 and 0.15.0.

use super::account::{AccountBuilder, Created, base64, unanswered};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data, home};
use super::key_file::{Entry, KeyFile};
use super::sqlite::unsigned_id;
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    Account, BareJid, ClientProfile, Healing, Part, Place, PrekeyIds, Problem, ProblemScope, Refusals, Remedies, Trust,
    TrustLevel, TrustRule,
};
use crate::omemo::curve::PublicKey;
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Profanity. Trust rule: `omemo_on_message_recv` decrypts whatever the trust, and only flags the message.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Profanity",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule {
        refused: &[],
        marks: false,
        says: "Profanity shows messages of untrusted devices (flagged when they begin a session) and sends nothing to them",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::ReusedBefore("0.18"),
    shows_edwards: false,
    refuses: Refusals { tag_in_payload: true, ..Refusals::NONE },
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: false,
        says: "Profanity prints an error and repairs nothing by itself; after a key exchange it begins a session only if it has none",
    }),
    remedies: Remedies {
        replace_session: Some(
            "To end and restart a session in Profanity: /omemo untrust JID FINGERPRINT (that drops the session), then /omemo trust JID FINGERPRINT and write",
        ),
        trust_device: Some("In Profanity: /omemo fingerprint JID to compare, then /omemo trust JID FINGERPRINT"),
        reset: Some(
            "Close Profanity, move the account's folder below ~/.local/share/profanity/omemo/ away, start Profanity, then /omemo gen",
        ),
    },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] =
    &[data("profanity"), home(".var/app/*/data/profanity"), home("snap/profanity/current/.local/share/profanity")];

/// Entries looked at in a file to tell which of the four it is.
const SAMPLE: usize = 16;

/// Which of the four files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Identity,
    Sessions,
    Trust,
    KnownDevices,
}

/// The file's kind by its content. Sessions, trust and known devices all have one group per address and
/// decimal keys: the values tell them apart.
fn kind(file: &KeyFile) -> Option<Kind> {
    if file.group("identity").is_some_and(|group| group.get("identity_key_private").is_some() || group.get("device_id").is_some())
    {
        return Some(Kind::Identity);
    }
    let entries = || file.groups.iter().flat_map(|group| &group.entries).take(SAMPLE);
    if entries().next().is_none() || entries().any(|entry| entry.key.parse::<i64>().is_err()) {
        return None;
    }
    entries().find_map(|entry| {
        let value = entry.value.as_str();
        if value.len() == 64 && hex::decode(value).is_ok() {
            return Some(Kind::KnownDevices);
        }
        match base64(value)?.as_slice() {
            [0x05, ..] if value.len() <= 44 => Some(Kind::Trust),
            [0x0a | 0x12, ..] if value.len() > 44 => Some(Kind::Sessions),
            _ => None,
        }
    })
}

fn detect(candidate: &Candidate) -> bool {
    candidate.key_file().is_some_and(|file| kind(file).is_some())
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let mut reading = Reading::default();
    let mut files: BTreeMap<Kind, Candidate> = BTreeMap::new();
    for name in ["identity.txt", "sessions.txt", "trust.txt", "known_devices.txt"] {
        let path = candidate.sibling(name);
        if !path.is_file() || path == candidate.path() {
            continue;
        }
        let Ok(sibling) = Candidate::file(&path) else { continue };
        match sibling.key_file().and_then(kind) {
            Some(kind) => {
                reading.files.push(path);
                files.insert(kind, sibling);
            }
            None if !sibling.is_empty() => {
                let place = Place::whole(sibling.place_file());
                let says = "no readable key file of Profanity".to_owned();
                reading.problems.push(Problem { place, says, scope: ProblemScope::Store });
            }
            None => {}
        }
    }
    // What the user named counts, whatever it is called.
    let named = candidate.key_file().and_then(kind);
    let mut lookup: BTreeMap<Kind, &Candidate> = files.iter().map(|(kind, file)| (*kind, file)).collect();
    if let Some(kind) = named {
        lookup.insert(kind, candidate);
    }
    let account = account(candidate, &lookup, options);
    reading.accounts.push(account);
    Ok(reading)
}

fn account(candidate: &Candidate, files: &BTreeMap<Kind, &Candidate>, options: &OpenOptions) -> Account {
    let main = files.get(&Kind::Identity).copied().unwrap_or(candidate);
    let mut builder = AccountBuilder::new(&PROFILE, "key files (since 0.7.0)", Place::whole(main.place_file()));
    match files.get(&Kind::Identity) {
        Some(file) => own_keys(file, &mut builder),
        None => {
            let place = Place::whole(candidate.place_file());
            builder.problem(place, ProblemScope::OwnKeys, "identity.txt is not beside it, so our own keys are missing");
        }
    }
    let mut devices = Devices::default();
    for (kind, file) in files {
        let Some(content) = file.key_file() else { continue };
        for &line in &content.strange_lines {
            let place = Place { file: file.place_file().clone(), part: Part::Line(line) };
            builder.problem(place, ProblemScope::Store, "the line is neither a [group] nor key=value");
        }
        if *kind != Kind::Identity {
            groups(*kind, file.place_file(), content, &mut devices, &mut builder);
        }
    }
    let own = own_address(&devices, &mut builder);
    builder.account().jid = own.or_else(|| address_of_folder(candidate)).or_else(|| options.account.clone());
    for ((jid, device_id), device) in devices.0 {
        let trusted = device.trusted.is_some() && (device.trusted == device.identity || device.identity.is_none());
        let trust = if trusted {
            Trust { word: "trusted".into(), level: TrustLevel::Trusted }
        } else {
            // There is no word for it: a device is trusted or not in trust.txt.
            Trust { word: "untrusted".into(), level: TrustLevel::Undecided }
        };
        let identity = device.identity.or(device.in_session).or(device.trusted);
        let entry = builder.device(jid, Some(device_id), identity, trust, device.place);
        entry.activity.unanswered = device.unanswered;
    }
    builder.finish()
}

fn own_keys(candidate: &Candidate, builder: &mut AccountBuilder) {
    let Some(file) = candidate.key_file() else { return };
    let path = candidate.place_file();
    if let Some(group) = file.group("identity") {
        let place = Place::key(path, "[identity]");
        let id = group.get("device_id").and_then(|entry| entry.value.trim().parse().ok()).and_then(unsigned_id);
        builder.own_device_id(id, Place::key(path, "[identity] device_id"));
        let public = group.get("identity_key_public").and_then(|entry| base64(&entry.value));
        let private = group.get("identity_key_private").and_then(|entry| base64(&entry.value));
        builder.identity(public.as_ref().map(|bytes| bytes.as_slice()), private.as_ref().map(|bytes| bytes.as_slice()), place);
    }
    for entry in last_entries(file, "prekeys") {
        let place = Place::key(path, format!("[prekeys] {}", entry.key));
        builder.prekey(id(entry), base64(&entry.value).as_ref().map(|bytes| bytes.as_slice()), place);
    }
    for entry in last_entries(file, "signed_prekeys") {
        let place = Place::key(path, format!("[signed_prekeys] {}", entry.key));
        let record = base64(&entry.value);
        builder.signed_prekey(id(entry), record.as_ref().map(|bytes| bytes.as_slice()), Created::RecordMillis, place);
    }
}

/// The entries of a group; of entries with the same key only the last, as GLib reads them.
fn last_entries<'a>(file: &'a KeyFile, name: &str) -> Vec<&'a Entry> {
    let Some(group) = file.group(name) else { return Vec::new() };
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, entry) in group.entries.iter().enumerate() {
        last.insert(&entry.key, index);
    }
    group
        .entries
        .iter()
        .enumerate()
        .filter(|(index, entry)| last.get(entry.key.as_str()) == Some(index))
        .map(|(_, entry)| entry)
        .collect()
}

/// Ids are written with `%d`: those from 2^31 are negative.
fn id(entry: &Entry) -> Option<u32> {
    entry.key.parse().ok().and_then(unsigned_id)
}

#[derive(Default)]
struct Devices(BTreeMap<(BareJid, u32), KnownDevice>);

struct KnownDevice {
    identity: Option<IdentityKey>,
    trusted: Option<IdentityKey>,
    in_session: Option<IdentityKey>,
    unanswered: Option<u32>,
    place: Place,
}

fn groups(kind: Kind, path: &Arc<Path>, file: &KeyFile, devices: &mut Devices, builder: &mut AccountBuilder) {
    for group in &file.groups {
        let Some(jid) = BareJid::as_stored(&group.name) else {
            builder.problem(Place::key(path, format!("[{}]", group.name)), ProblemScope::Other, "the group's name is no address");
            continue;
        };
        for entry in &group.entries {
            let place = Place::key(path, format!("[{}] {}", group.name, entry.key));
            match id(entry) {
                Some(device_id) => one(kind, &jid, device_id, entry, place, devices, builder),
                None => builder.problem(place, ProblemScope::Other, "the key is no device id"),
            }
        }
    }
}

fn one(
    kind: Kind,
    jid: &BareJid,
    device_id: u32,
    entry: &Entry,
    place: Place,
    devices: &mut Devices,
    builder: &mut AccountBuilder,
) {
    let device = devices.0.entry((jid.clone(), device_id)).or_insert_with(|| KnownDevice {
        identity: None,
        trusted: None,
        in_session: None,
        unanswered: None,
        place: place.clone(),
    });
    match kind {
        Kind::Identity => {}
        Kind::Sessions => {
            let before = builder.account().sessions.len();
            let record = base64(&entry.value);
            device.in_session = builder.session(jid, device_id, record.as_ref().map(|bytes| bytes.as_slice()), place);
            device.unanswered = builder.account().sessions.get(before).and_then(|session| unanswered(&session.record));
        }
        Kind::Trust => match base64(&entry.value).and_then(|bytes| IdentityKey::from_record(&bytes)) {
            Some(key) => device.trusted = Some(key),
            None => builder.problem(place, ProblemScope::Other, "the trusted key is damaged: base64 of 33 bytes was expected"),
        },
        Kind::KnownDevices => match hex::decode(entry.value.trim()).ok().filter(|bytes| bytes.len() == 32) {
            Some(bytes) => {
                device.identity = PublicKey::from_bytes(&bytes).map(IdentityKey::from_curve);
                device.place = place;
            }
            None => builder.problem(place, ProblemScope::Other, "the fingerprint is damaged: 64 hex digits were expected"),
        },
    }
}

/// Profanity keeps its own device among the known ones: the group that has our id with our key is ours.
fn own_address(devices: &Devices, builder: &mut AccountBuilder) -> Option<BareJid> {
    let own_id = builder.account().own_device_id?;
    let own_key = builder.account().identity.as_ref()?.public;
    let mine = |device: &KnownDevice| [device.identity, device.trusted, device.in_session].contains(&Some(own_key));
    devices.0.iter().find(|((_, id), device)| *id == own_id && mine(device)).map(|((jid, _), _)| jid.clone())
}

/// `<local>_at_<domain>`. The local part may hold `_at_` too, a domain hardly can.
fn address_of_folder(candidate: &Candidate) -> Option<BareJid> {
    let folder = candidate.folder_path();
    let folder = folder.canonicalize().unwrap_or(folder);
    let (local, domain) = folder.file_name()?.to_str()?.rsplit_once("_at_")?;
    let below_omemo = folder.parent().and_then(Path::file_name).is_some_and(|name| name == "omemo");
    let plausible = !local.is_empty() && !domain.contains('_') && (below_omemo || domain.contains('.') || domain == "localhost");
    plausible.then(|| BareJid::as_stored(&format!("{local}@{domain}"))).flatten()
}
