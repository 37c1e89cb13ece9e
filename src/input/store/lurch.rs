//! lurch for libpurple (Pidgin, Finch, Adium): `<jid>_axc_db.sqlite` (keys, sessions) and
//! `<jid>_omemo_db.sqlite` (device lists).
//!
//! Sources: gkdr/lurch @71c806b, gkdr/axc @8e14a66 `src/axc_store.c`, gkdr/libomemo @72ce9bd
//! `src/libomemo_storage.c`; files written by purple-lurch 0.7.0.

use super::account::{AccountBuilder, Created, KnownKey, KnownSession};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, home, roaming};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    ActivityFacts, BareJid, ClientProfile, Healing, Place, PrekeyIds, ProblemScope, Refusals, Remedies, Trust, TrustLevel,
    TrustRule,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::HashSet;
use std::path::PathBuf;

/// lurch. It tries every message as a key exchange first and has no trust levels: `axc_store.c` accepts all keys.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "lurch",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule { refused: &[], marks: false, says: "lurch has no trust decisions: it accepts every key" },
    believes_key_exchange_flag: false,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: false,
        says: "lurch repairs nothing: its branch for that tests an error number that never comes",
    }),
    remedies: Remedies {
        replace_session: None,
        trust_device: None,
        reset: Some(
            "Close Pidgin or Finch, move both files of the account (_axc_db.sqlite and _omemo_db.sqlite) away and start it again: lurch makes new keys",
        ),
    },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[
    home(".purple").only(),
    home(".var/app/im.pidgin.Pidgin/.purple").only(),
    home("Library/Application Support/Adium 2.0/Users/*/libpurple").only(),
    roaming(".purple").only(),
];

const AXC: &str = "_axc_db.sqlite";
const OMEMO: &str = "_omemo_db.sqlite";

fn is_axc(database: &Database) -> bool {
    database.has("session_store", &["name", "name_len", "device_id", "session_record"])
        && database.has("identity_key_store", &["name", "key"])
        && database.has("settings", &["name", "property"])
}

fn is_lists(database: &Database) -> bool {
    database.has("devicelists", &["name", "id", "date_added"]) && database.has("cl", &["chat_name"])
}

fn detect(candidate: &Candidate) -> bool {
    let Some(database) = candidate.database() else { return false };
    is_axc(database) || (is_lists(database) && partner(candidate, OMEMO, AXC, is_axc).is_some())
}

/// The account's other file: the same name with the other ending. Renamed files pair up if only one fits.
fn partner(candidate: &Candidate, this: &str, other: &str, is: fn(&Database) -> bool) -> Option<(PathBuf, Candidate)> {
    let open = |path: PathBuf| {
        let found = Candidate::file(&path).ok().filter(|_| path.is_file())?;
        found.database().is_some_and(is).then_some((path, found))
    };
    if let Some(stem) = candidate.name().strip_suffix(this) {
        return open(candidate.sibling(&format!("{stem}{other}")));
    }
    let databases = candidate.entries().iter().filter(|path| *path != candidate.path());
    let databases = databases.filter(|path| path.extension().is_some_and(|suffix| suffix == "sqlite" || suffix == "db"));
    let mut found = databases.filter_map(|path| open(path.clone()));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let unreadable = || InputError::new(candidate.path(), "no readable SQLite database");
    let named = candidate.database().ok_or_else(unreadable)?;
    let (ours, theirs) = if is_axc(named) { (AXC, OMEMO) } else { (OMEMO, AXC) };
    let other = partner(candidate, ours, theirs, if is_axc(named) { is_lists } else { is_axc });
    let mut reading = Reading::default();
    let beside = other.as_ref().and_then(|(_, found)| found.database());
    let (axc, lists) = if is_axc(named) { (Some(named), beside) } else { (beside, Some(named)) };
    let axc = axc.ok_or_else(unreadable)?;
    let mut builder = AccountBuilder::new(&PROFILE, "axc database (no version)", Place::whole(axc.file()));
    own_keys(axc, &mut builder);
    let listed = lists.map(|lists| lists.rows("devicelists", &["name", "id"])).unwrap_or_default();
    let name = candidate.name();
    let of_name = name.strip_suffix(AXC).or_else(|| name.strip_suffix(OMEMO)).and_then(BareJid::as_stored);
    let of_list = own_address(&listed, builder.account().own_device_id);
    builder.account().jid = of_name.or(of_list).or_else(|| options.account.clone());
    devices(axc, lists, &listed, &mut builder);
    for row in axc.rows("pre_key_store", &["id", "pre_key_record"]) {
        let id = row.id("id");
        builder.prekey(id, row.bytes("pre_key_record"), axc.place("pre_key_store", number(id)));
    }
    for row in axc.rows("signed_pre_key_store", &["id", "signed_pre_key_record"]) {
        let id = row.id("id");
        let place = axc.place("signed_pre_key_store", number(id));
        builder.signed_prekey(id, row.bytes("signed_pre_key_record"), Created::RecordMillis, place);
    }
    reading.accounts.push(builder.finish());
    if let Some((path, found)) = other {
        reading.files.push(path);
        reading.problems.extend(found.problems());
    }
    Ok(reading)
}

fn own_keys(axc: &Database, builder: &mut AccountBuilder) {
    let settings = axc.rows("settings", &["name", "property"]);
    let setting = |name: &str| settings.iter().find(|row| row.text("name") == Some(name));
    let place = axc.place("settings", "axolotl_registration_id");
    builder.own_device_id(setting("axolotl_registration_id").and_then(|row| row.id("property")), place);
    if setting("init_status").and_then(|row| row.integer("property")) == Some(0) {
        let says = "the set-up of our keys was interrupted (init_status 0): lurch makes new ones at its next start";
        builder.problem(axc.place("settings", "init_status"), ProblemScope::OwnKeys, says);
    }
    let keys = axc.rows("identity_key_store", &["name", "key"]);
    let key = |name: &str| keys.iter().find(|row| row.text("name") == Some(name)).and_then(|row| row.bytes("key"));
    builder.identity(key("own_public_key"), key("own_private_key"), axc.place("identity_key_store", "own_private_key"));
}

/// The account whose device list holds our device id, if there is only one.
fn own_address(listed: &[Row], own: Option<u32>) -> Option<BareJid> {
    let mut mine = listed.iter().filter(|row| own.is_some() && row.id("id") == own);
    let first = mine.next()?;
    mine.next().is_none().then(|| first.text("name").and_then(BareJid::as_stored)).flatten()
}

fn trusted() -> Trust {
    Trust { word: "trusted blindly".into(), level: TrustLevel::Trusted }
}

/// A contact with several devices has one identity row only (the last key written), so sessions tell the keys.
fn devices(axc: &Database, lists: Option<&Database>, listed: &[Row], builder: &mut AccountBuilder) {
    let on_list: HashSet<(BareJid, u32)> =
        listed.iter().filter_map(|row| Some((row.text("name").and_then(BareJid::as_stored)?, row.id("id")?))).collect();
    let is_listed = |jid: &BareJid, id: u32| lists.map(|_| on_list.contains(&(jid.clone(), id)));
    let mut keys = Vec::new();
    for row in axc.rows("identity_key_store", &["name", "key"]) {
        let name = row.text("name").unwrap_or("?").to_owned();
        if name == "own_public_key" || name == "own_private_key" {
            continue;
        }
        let place = axc.place("identity_key_store", name);
        let Some(jid) = builder.jid(&row, "name", &place) else { continue };
        match row.bytes("key").and_then(IdentityKey::from_record) {
            Some(key) => {
                keys.push(KnownKey { jid, identity: Some(key), trust: trusted(), activity: ActivityFacts::default(), place })
            }
            None => builder.problem(
                place,
                ProblemScope::Other,
                format!("the identity key of {jid} is damaged: 33 bytes were expected"),
            ),
        }
    }
    let rows = axc.rows("session_store", &["name", "device_id", "session_record"]);
    let mut sessions = Vec::new();
    for row in &rows {
        let device_id = row.id("device_id");
        let place = axc.place("session_store", format!("{}/{}", row.text("name").unwrap_or("?"), number(device_id)));
        let Some(jid) = builder.jid(row, "name", &place) else { continue };
        match device_id {
            Some(device_id) => {
                let listed = is_listed(&jid, device_id);
                sessions.push(KnownSession { jid, device_id, record: row.bytes("session_record"), listed, place });
            }
            None => builder.problem(place, ProblemScope::Other, format!("a session with {jid} has no device id")),
        }
    }
    builder.link(keys, sessions);
    for device in &mut builder.account().devices {
        device.trust = trusted();
    }
    let Some(lists) = lists else { return };
    let devices = builder.account().devices.iter();
    let known: HashSet<(BareJid, Option<u32>)> = devices.map(|device| (device.jid.clone(), device.device_id)).collect();
    for row in listed {
        let device_id = row.id("id");
        let place = lists.place("devicelists", format!("{}/{}", row.text("name").unwrap_or("?"), number(device_id)));
        let Some(jid) = builder.jid(row, "name", &place) else { continue };
        let ours = device_id == builder.account().own_device_id && builder.account().jid.as_ref() == Some(&jid);
        if !ours && !known.contains(&(jid.clone(), device_id)) {
            builder.device(jid, device_id, None, trusted(), place).activity.listed = Some(true);
        }
    }
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "?".into(), |id| id.to_string())
}
