//! Monal and Quicksy for iOS: `sworim.sqlite`.
//!
//! Sources: monal-im/Monal @133bfd394 `DataLayerMigrations.m`, `MLSignalStore.m`, `MLOMEMO.m`.

use super::account::{AccountBuilder, Created, MAX_ACCOUNTS, moment, too_many_accounts, unanswered};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, home};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    ActivityFacts, BareJid, ClientProfile, Healing, Place, PrekeyIds, Problem, ProblemScope, Refusals, Remedies, Trust,
    TrustLevel, TrustRule, When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::{BTreeSet, HashMap};

/// Monal. Trust rule: `MLSignalStore.m isTrustedIdentity` makes the library refuse key exchanges of a device
/// with trust level 0.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Monal",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule {
        refused: &[TrustLevel::Untrusted],
        marks: false,
        says: "Monal's library refuses messages of a device that is not trusted",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals { long_iv: true, ..Refusals::NONE },
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: true,
        builds_missing: true,
        says: "Monal rebuilds the session by itself after any failure but a duplicate: it fetches the bundle and sends a key transport",
    }),
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("In Monal's contact details, Encryption Keys, compare the key and trust it"),
        reset: None,
    },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] =
    &[home("Library/Group Containers/*group.monal").only(), home("Library/Group Containers/*group.monalalpha").only()];

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| {
        database.has("signalIdentity", &["account_id", "deviceid", "identityPrivateKey"])
            && database.has("signalContactSession", &["account_id", "contactName", "contactDeviceId", "recordData"])
            && database.has("signalPreKey", &["account_id", "prekeyid", "preKey"])
    })
}

fn read(candidate: &Candidate, _options: &OpenOptions) -> Result<Reading, InputError> {
    let database = candidate.database().ok_or_else(|| InputError::new(candidate.path(), "no readable SQLite database"))?;
    let flags = database.rows("flags", &["name", "value"]);
    let version = flags.iter().find(|row| row.text("name") == Some("dbversion")).and_then(|row| row.text("value"));
    let version = version.map_or_else(|| "schema before 4.9".into(), |version| format!("schema {version}"));
    let tables = Tables {
        own: database.rows("signalIdentity", &["account_id", "deviceid", "identityPublicKey", "identityPrivateKey"]),
        identities: database.rows(
            "signalContactIdentity",
            &[
                "account_id",
                "contactName",
                "contactDeviceId",
                "identity",
                "lastReceivedMsg",
                "removedFromDeviceList",
                "trustLevel",
                "trusted",
            ],
        ),
        sessions: database.rows("signalContactSession", &["account_id", "contactName", "contactDeviceId", "recordData"]),
        prekeys: database.rows("signalPreKey", &["account_id", "prekeyid", "preKey", "keyUsed"]),
        signed_prekeys: database.rows("signalSignedPreKey", &["account_id", "signedPreKeyId", "signedPreKey"]),
    };
    let accounts = database.rows("account", &["account_id", "username", "domain"]);
    let mut reading = Reading::default();
    let mut ids: BTreeSet<i64> = tables.own.iter().filter_map(|row| row.integer("account_id")).collect();
    ids.extend(tables.identities.iter().filter_map(|row| row.integer("account_id")));
    reading.problems.extend(too_many_accounts(ids.len(), &Place::whole(database.file())));
    for id in ids.into_iter().take(MAX_ACCOUNTS) {
        let row = accounts.iter().find(|row| row.integer("account_id") == Some(id));
        let jid = row.and_then(|row| BareJid::as_stored(&format!("{}@{}", row.text("username")?, row.text("domain")?)));
        let mut builder = AccountBuilder::new(&PROFILE, version.clone(), database.place("signalIdentity", id.to_string()));
        builder.account().jid = jid;
        tables.fill(database, id, &mut builder);
        reading.accounts.push(builder.finish());
    }
    if reading.accounts.is_empty() {
        let place = Place::whole(database.file());
        let says = "no account in it has OMEMO keys".to_owned();
        reading.problems.push(Problem { place, says, scope: ProblemScope::OwnKeys });
    }
    Ok(reading)
}

struct Tables {
    own: Vec<Row>,
    identities: Vec<Row>,
    sessions: Vec<Row>,
    prekeys: Vec<Row>,
    signed_prekeys: Vec<Row>,
}

fn of(rows: &[Row], account: i64) -> impl Iterator<Item = &Row> {
    rows.iter().filter(move |row| row.integer("account_id") == Some(account))
}

impl Tables {
    fn fill(&self, database: &Database, account: i64, builder: &mut AccountBuilder) {
        let place = builder.account().place.clone();
        match of(&self.own, account).next() {
            Some(row) => {
                builder.own_device_id(row.id("deviceid"), place.clone());
                builder.identity(row.bytes("identityPublicKey"), row.bytes("identityPrivateKey"), place);
            }
            None => {
                let says = "our own keys are missing though contacts' are there: Monal deletes them when the store comes to another phone";
                builder.problem(place, ProblemScope::OwnKeys, says);
            }
        }
        let mut sessions = HashMap::new();
        for row in of(&self.sessions, account) {
            let place = database.place("signalContactSession", name(row));
            let Some(jid) = builder.jid(row, "contactName", &place) else { continue };
            let Some(device_id) = row.id("contactDeviceId") else {
                builder.problem(place, ProblemScope::Other, format!("a session with {jid} has no device id"));
                continue;
            };
            let before = builder.account().sessions.len();
            let identity = builder.session(&jid, device_id, row.bytes("recordData"), place.clone());
            let unanswered = builder.account().sessions.get(before).and_then(|session| unanswered(&session.record));
            sessions.insert((jid, device_id), (identity, unanswered, place));
        }
        for row in of(&self.identities, account) {
            let place = database.place("signalContactIdentity", name(row));
            let Some(jid) = builder.jid(row, "contactName", &place) else { continue };
            let bytes = row.bytes("identity").filter(|bytes| !bytes.is_empty());
            let identity = bytes.and_then(IdentityKey::from_record);
            if identity.is_none() && bytes.is_some() {
                builder.problem(
                    place.clone(),
                    ProblemScope::Other,
                    format!("the identity key of {jid} is damaged: 33 bytes were expected"),
                );
            }
            let device_id = row.id("contactDeviceId");
            let session = device_id.and_then(|id| sessions.remove(&(jid.clone(), id)));
            let in_session = session.as_ref().and_then(|(identity, ..)| *identity);
            let removed = row.has("removedFromDeviceList").then(|| time(row, "removedFromDeviceList"));
            let activity = ActivityFacts {
                listed: Some(removed.is_none()),
                removed: removed.flatten(),
                last_message: time(row, "lastReceivedMsg"),
                unanswered: session.and_then(|(_, unanswered, _)| unanswered),
                last_listed: None,
            };
            builder.device(jid, device_id, identity.or(in_session), trust(row), place).activity = activity;
        }
        for ((jid, device_id), (identity, unanswered, place)) in sessions {
            // Monal takes a device without a row for trusted on first use.
            let trust = Trust { word: "ToFU".into(), level: TrustLevel::Trusted };
            builder.device(jid, Some(device_id), identity, trust, place).activity.unanswered = unanswered;
        }
        for row in of(&self.prekeys, account) {
            let id = row.id("prekeyid");
            // A used key is only flagged: the client no longer finds it, but its private half is still here.
            let used = if row.integer("keyUsed") == Some(1) { " (marked as used)" } else { "" };
            builder.prekey(id, row.bytes("preKey"), database.place("signalPreKey", format!("{}{used}", number(id))));
        }
        for row in of(&self.signed_prekeys, account) {
            let id = row.id("signedPreKeyId");
            let place = database.place("signalSignedPreKey", number(id));
            builder.signed_prekey(id, row.bytes("signedPreKey"), Created::RecordMillis, place);
        }
    }
}

/// Level 0 to 2 since schema 5.004; before, `trusted` was 0 or 1.
fn trust(row: &Row) -> Trust {
    let level = row.integer("trustLevel").or_else(|| row.integer("trusted"));
    let (word, level) = match level {
        Some(0) => ("Untrusted", TrustLevel::Untrusted),
        Some(1) => ("ToFU", TrustLevel::Trusted),
        Some(2) => ("Trusted", TrustLevel::Trusted),
        Some(other) => return Trust { word: other.to_string(), level: TrustLevel::Unknown },
        None => return Trust::unknown(),
    };
    Trust { word: word.into(), level }
}

/// Text in UTC, or unix seconds: both occur in the same column.
fn time(row: &Row, column: &str) -> Option<When> {
    row.text(column).and_then(moment).or_else(|| row.integer(column).and_then(When::from_unix_seconds))
}

fn name(row: &Row) -> String {
    format!("{}/{}", row.text("contactName").unwrap_or("?"), number(row.id("contactDeviceId")))
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "?".into(), |id| id.to_string())
}
