//! Dino: `omemo.db` (keys, sessions, trust) and `dino.db` (which account is which address).
//!
//! Sources: dino/dino @45723ac2 `plugins/omemo/src/logic/database.vala`, tags v0.1.0 to v0.5.1; files written
//! by 0.4.2 and 0.5.

use super::account::{AccountBuilder, Created, MAX_ACCOUNTS, base64, too_many_accounts, unanswered};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data, home, local};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    BareJid, ClientProfile, Healing, Place, PrekeyIds, Problem, ProblemScope, Refusals, Remedies, Trust, TrustLevel, TrustRule,
    When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::BTreeMap;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Dino. Trust rule: `decrypt_message_listener` decrypts all; `trust_manager.vala` hides what comes from a
/// device that is rejected or undecided.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Dino",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule {
        refused: &[TrustLevel::Untrusted, TrustLevel::Undecided],
        marks: false,
        says: "Dino decrypts messages of rejected and undecided devices but hides them until the key is accepted",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals { high_ids: true, ..Refusals::NONE },
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: false,
        says: "Dino writes a line to its debug log and repairs nothing by itself",
    }),
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("In Dino's contact details, Encryption (OMEMO), compare the fingerprint and accept the key"),
        reset: Some(
            "Close Dino, move omemo.db with its -wal and -shm away and start Dino: it makes new keys, and contacts have to accept them",
        ),
    },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] =
    &[data("dino"), home(".var/app/im.dino.Dino/data/dino"), home("snap/*/current/.local/share/dino"), local("dino")];

fn is_omemo(database: &Database) -> bool {
    database.has("identity", &["id", "account_id", "device_id", "identity_key_private_base64"])
        && database.has("session", &["identity_id", "name", "device_id", "record_base64"])
        && database.has("pre_key", &["identity_id", "record_base64"])
}

fn is_main(database: &Database) -> bool {
    database.has("account", &["id", "bare_jid"])
        && database.has("jid", &["id", "bare_jid"])
        && database.has("_meta", &["name", "int_val"])
}

fn detect(candidate: &Candidate) -> bool {
    let Some(database) = candidate.database() else { return false };
    is_omemo(database) || (is_main(database) && beside(candidate, "omemo.db", is_omemo).is_some())
}

/// The other of the two databases: by its usual name, else whichever file beside it has its tables.
fn beside(candidate: &Candidate, usual: &str, is: fn(&Database) -> bool) -> Option<(PathBuf, Candidate)> {
    let first = candidate.sibling(usual);
    let others = candidate.entries().iter().filter(|path| path.extension().is_some_and(|suffix| suffix == "db")).cloned();
    std::iter::once(first).chain(others).filter(|path| path != candidate.path() && path.is_file()).find_map(|path| {
        let found = Candidate::file(&path).ok()?;
        found.database().is_some_and(is).then_some((path, found))
    })
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let unreadable = || InputError::new(candidate.path(), "no readable SQLite database");
    let named = candidate.database().ok_or_else(unreadable)?;
    let mut reading = Reading::default();
    let omemo_beside = if is_omemo(named) { None } else { beside(candidate, "omemo.db", is_omemo) };
    let (omemo_candidate, database) = match &omemo_beside {
        Some((path, found)) => {
            reading.files.push(path.clone());
            (found, found.database().ok_or_else(unreadable)?)
        }
        None => (candidate, named),
    };
    let main_beside = if is_omemo(named) { beside(candidate, "dino.db", is_main) } else { None };
    let main = match &main_beside {
        Some((path, found)) => {
            reading.files.push(path.clone());
            found.database()
        }
        None => is_main(named).then_some(named),
    };
    let addresses = main.map(addresses).unwrap_or_default();
    let version = version(database);
    let tables = Tables::read(database);
    let only_one = tables.identities.len() == 1;
    reading.problems.extend(too_many_accounts(tables.identities.len(), &Place::whole(database.file())));
    for identity in tables.identities.iter().take(MAX_ACCOUNTS) {
        let mut builder = AccountBuilder::new(&PROFILE, version.clone(), Place::whole(database.file()));
        let known = identity.integer("account_id").and_then(|id| addresses.get(&id).cloned());
        builder.account().jid =
            known.or_else(|| tables.own_address(identity)).or_else(|| options.account.clone().filter(|_| only_one));
        tables.fill(database, identity, &mut builder);
        reading.accounts.push(builder.finish());
    }
    if tables.identities.is_empty() {
        let place = Place::whole(database.file());
        let says = "our own identity key is missing: table identity has no readable row".to_owned();
        reading.problems.push(Problem { place, says, scope: ProblemScope::OwnKeys });
    }
    if let Some((_, found)) = &main_beside {
        reading.problems.extend(found.problems());
    }
    if omemo_beside.is_some() {
        reading.problems.extend(omemo_candidate.problems());
    }
    Ok(reading)
}

/// Account ids and their addresses.
fn addresses(main: &Database) -> BTreeMap<i64, BareJid> {
    let rows = main.rows("account", &["id", "bare_jid"]);
    rows.iter().filter_map(|row| Some((row.integer("id")?, row.text("bare_jid").and_then(BareJid::as_stored)?))).collect()
}

/// The version is a row of `_meta`, not `user_version`.
fn version(database: &Database) -> String {
    let rows = database.rows("_meta", &["name", "int_val"]);
    let version = rows.iter().find(|row| row.text("name") == Some("version")).and_then(|row| row.integer("int_val"));
    match version {
        Some(version @ 0..=1) => format!("omemo.db version {version} (2017)"),
        Some(version @ 2..=4) => format!("omemo.db version {version} (2018)"),
        Some(5) => "omemo.db version 5 (since 2020-03)".into(),
        Some(version) => format!("omemo.db version {version} (newer than known)"),
        None => "omemo.db without version".into(),
    }
}

struct Tables {
    identities: Vec<Row>,
    devices: Vec<Row>,
    sessions: Vec<Row>,
    prekeys: Vec<Row>,
    signed_prekeys: Vec<Row>,
}

impl Tables {
    fn read(database: &Database) -> Self {
        Self {
            identities: database.rows(
                "identity",
                &["id", "account_id", "device_id", "identity_key_private_base64", "identity_key_public_base64"],
            ),
            devices: database.rows(
                "identity_meta",
                &[
                    "identity_id",
                    "address_name",
                    "device_id",
                    "identity_key_public_base64",
                    "trust_level",
                    "now_active",
                    "last_active",
                ],
            ),
            sessions: database.rows("session", &["identity_id", "name", "device_id", "record_base64"]),
            prekeys: database.rows("pre_key", &["identity_id", "pre_key_id", "record_base64"]),
            signed_prekeys: database.rows("signed_pre_key", &["identity_id", "signed_pre_key_id", "record_base64"]),
        }
    }

    /// Rows that belong to one account. Before version 2 identity_meta had no account: it belonged to the only one.
    fn of<'a>(&self, rows: &'a [Row], identity: &Row) -> impl Iterator<Item = &'a Row> {
        let id = identity.integer("id");
        let only_one = self.identities.len() == 1;
        rows.iter().filter(move |row| match row.integer("identity_id") {
            Some(-1) | None => only_one,
            other => other == id,
        })
    }

    /// Our own device stands among the known ones under our own address, with our id and our key or none yet.
    fn own_address(&self, identity: &Row) -> Option<BareJid> {
        let own = identity.id("device_id")?;
        let ours = key(identity, "identity_key_public_base64");
        let mut mine = self.of(&self.devices, identity).filter(|row| {
            let theirs = key(row, "identity_key_public_base64");
            row.id("device_id") == Some(own) && (theirs.is_none() || theirs == ours)
        });
        let row = mine.next()?;
        mine.next().is_none().then(|| row.text("address_name").and_then(BareJid::as_stored)).flatten()
    }

    fn fill(&self, database: &Database, identity: &Row, builder: &mut AccountBuilder) {
        let place = database.place("identity", identity.integer("id").unwrap_or(identity.rowid).to_string());
        builder.account().place = place.clone();
        let own_id = identity.id("device_id");
        builder.own_device_id(own_id, place.clone());
        let (public, private) = (key(identity, "identity_key_public_base64"), key(identity, "identity_key_private_base64"));
        builder.identity(slice(&public), slice(&private), place);

        let mut counts = BTreeMap::new();
        let mut in_session = BTreeMap::new();
        for row in self.of(&self.sessions, identity) {
            let place = database.place("session", name(row, "name"));
            let Some(jid) = builder.jid(row, "name", &place) else { continue };
            let Some(device_id) = row.id("device_id") else {
                builder.problem(place, ProblemScope::Other, format!("a session with {jid} has no device id"));
                continue;
            };
            let before = builder.account().sessions.len();
            let identity = builder.session(&jid, device_id, slice(&key(row, "record_base64")), place.clone());
            if let Some(session) = builder.account().sessions.get(before) {
                counts.insert((jid.clone(), device_id), unanswered(&session.record));
            }
            in_session.insert((jid, device_id), (identity, place));
        }
        for row in self.of(&self.devices, identity) {
            let place = database.place("identity_meta", name(row, "address_name"));
            let Some(jid) = builder.jid(row, "address_name", &place) else { continue };
            let device_id = row.id("device_id");
            if device_id == own_id
                && !row.has("identity_key_public_base64")
                && builder.account().jid.as_ref().is_none_or(|own| *own == jid)
            {
                continue; // our own device
            }
            let key = key(row, "identity_key_public_base64").and_then(|bytes| IdentityKey::from_record(&bytes));
            if key.is_none() && row.has("identity_key_public_base64") {
                builder.problem(
                    place.clone(),
                    ProblemScope::Other,
                    format!("the identity key of {jid} is damaged: base64 of 33 bytes was expected"),
                );
            }
            let names = device_id.map(|id| (jid.clone(), id));
            let session_key = names.as_ref().and_then(|names| in_session.remove(names)).and_then(|(key, _)| key);
            let device = builder.device(jid, device_id, key.or(session_key), trust(row), place);
            device.activity.listed = row.integer("now_active").map(|active| active != 0);
            device.activity.last_listed = row.integer("last_active").and_then(When::from_unix_seconds);
            device.activity.unanswered = names.and_then(|names| counts.get(&names).copied().flatten());
        }
        for ((jid, device_id), (identity, place)) in in_session {
            let unanswered = counts.get(&(jid.clone(), device_id)).copied().flatten();
            builder.device(jid, Some(device_id), identity, Trust::unknown(), place).activity.unanswered = unanswered;
        }
        for row in self.of(&self.prekeys, identity) {
            let id = row.id("pre_key_id");
            let place = database.place("pre_key", id.map_or_else(|| "?".into(), |id| id.to_string()));
            builder.prekey(id, slice(&key(row, "record_base64")), place);
        }
        for row in self.of(&self.signed_prekeys, identity) {
            let id = row.id("signed_pre_key_id");
            let place = database.place("signed_pre_key", id.map_or_else(|| "?".into(), |id| id.to_string()));
            // Dino writes seconds into the record's time stamp, other clients milliseconds.
            builder.signed_prekey(id, slice(&key(row, "record_base64")), Created::RecordSeconds, place);
        }
    }
}

fn trust(row: &Row) -> Trust {
    let (word, level) = match row.integer("trust_level") {
        Some(0) => ("VERIFIED", TrustLevel::Trusted),
        Some(1) => ("TRUSTED", TrustLevel::Trusted),
        Some(2) => ("UNTRUSTED", TrustLevel::Untrusted),
        Some(3) => ("UNKNOWN", TrustLevel::Undecided),
        Some(other) => return Trust { word: other.to_string(), level: TrustLevel::Unknown },
        None => return Trust::unknown(),
    };
    Trust { word: word.into(), level }
}

fn key(row: &Row, column: &str) -> Option<Zeroizing<Vec<u8>>> {
    base64(row.text(column)?)
}

fn slice(bytes: &Option<Zeroizing<Vec<u8>>>) -> Option<&[u8]> {
    bytes.as_ref().map(|bytes| bytes.as_slice())
}

fn name(row: &Row, column: &str) -> String {
    let device = row.id("device_id").map_or_else(|| "?".into(), |id| id.to_string());
    format!("{}/{device}", row.text(column).unwrap_or("?"))
}
