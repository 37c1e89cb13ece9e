//! Siskin IM (iOS, `siskinim_main.db`) and Beagle IM (macOS, `beagleim.sqlite`) with the library MartinOMEMO.
//!
//! Sources: tigase/siskin-im @d77818f `DBOMEMOStore.swift`, `db-schema-5.sql`; tigase/beagle-im @7acd3a3;
//! tigase/MartinOMEMO @d6d3b70.

use super::account::{AccountBuilder, Created, MAX_ACCOUNTS, too_many_accounts, unanswered};
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

/// Siskin. Trust rule: the library's trust callback always accepts.
pub const SISKIN: ClientProfile = ClientProfile {
    name: "Siskin IM",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule {
        refused: &[],
        marks: false,
        says: "Siskin and Beagle decrypt messages at every trust level; trust decides only whom they encrypt for",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: true,
        builds_missing: true,
        says: "Siskin and Beagle rebuild the session by themselves: they fetch the bundle and send a key transport, for messages that carry a server's id",
    }),
    remedies: Remedies { replace_session: None, trust_device: None, reset: None },
};

/// Beagle: the same store class.
pub const BEAGLE: ClientProfile = ClientProfile { name: "Beagle IM", ..SISKIN };

/// Siskin.
pub const FORMAT: StoreFormat = StoreFormat {
    client: &SISKIN,
    detect: |candidate| has_tables(candidate) && !is_beagle(candidate),
    places: &[],
    read: |candidate, _: &OpenOptions| read(candidate, &SISKIN),
};

/// Beagle.
pub const BEAGLE_FORMAT: StoreFormat = StoreFormat {
    client: &BEAGLE,
    detect: |candidate| has_tables(candidate) && is_beagle(candidate),
    places: PLACES,
    read: |candidate, _: &OpenOptions| read(candidate, &BEAGLE),
};

const PLACES: &[DefaultPlace] = &[
    home("Library/Containers/org.tigase.messenger.BeagleIM/Data/Library/Application Support/BeagleIM").only(),
    home("Library/Application Support/BeagleIM").only(),
];

fn has_tables(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| {
        database.has("omemo_identities", &["account", "name", "device_id", "fingerprint", "key", "own", "status"])
            && database.has("omemo_sessions", &["account", "name", "device_id", "key"])
            && database.has("omemo_pre_keys", &["account", "id", "key"])
    })
}

/// The tables are the same. Beagle's schema number has been two lower than Siskin's; the usual name decides first.
fn is_beagle(candidate: &Candidate) -> bool {
    let name = candidate.name().to_lowercase();
    if name.contains("beagle") || name.contains("siskin") {
        return name.contains("beagle");
    }
    candidate.database().is_some_and(|database| matches!(database.user_version(), 3 | 4 | 16))
}

fn read(candidate: &Candidate, client: &'static ClientProfile) -> Result<Reading, InputError> {
    let database = candidate.database().ok_or_else(|| InputError::new(candidate.path(), "no readable SQLite database"))?;
    let tables = Tables {
        identities: database.rows("omemo_identities", &["account", "name", "device_id", "fingerprint", "key", "own", "status"]),
        sessions: database.rows("omemo_sessions", &["account", "name", "device_id", "key"]),
        prekeys: database.rows("omemo_pre_keys", &["account", "id", "key"]),
        signed_prekeys: database.rows("omemo_signed_pre_keys", &["account", "id", "key"]),
        last_messages: last_messages(database),
    };
    let all = [&tables.identities, &tables.sessions, &tables.prekeys];
    let accounts: BTreeSet<BareJid> = all.into_iter().flatten().filter_map(account_of).collect();
    let version = format!("schema {}", database.user_version());
    let mut reading = Reading::default();
    reading.problems.extend(too_many_accounts(accounts.len(), &Place::whole(database.file())));
    for account in accounts.into_iter().take(MAX_ACCOUNTS) {
        let mut builder = AccountBuilder::new(client, version.clone(), Place::whole(database.file()));
        builder.account().jid = Some(account.clone());
        tables.fill(database, &account, &mut builder);
        reading.accounts.push(builder.finish());
    }
    if reading.accounts.is_empty() {
        let says = "no account in it has OMEMO keys".to_owned();
        reading.problems.push(Problem { place: Place::whole(database.file()), says, scope: ProblemScope::OwnKeys });
    }
    Ok(reading)
}

fn account_of(row: &Row) -> Option<BareJid> {
    row.text("account").and_then(BareJid::as_stored)
}

/// Newest decrypted message by fingerprint (66 hex digits), in milliseconds; the text column is never read.
fn last_messages(database: &Database) -> HashMap<String, i64> {
    let mut newest = HashMap::new();
    // 1 is a decrypted message; for a failed one the column holds an error's number.
    for row in database.newest("chat_history", "fingerprint", "timestamp", Some(("encryption", 1))) {
        if let (Some(fingerprint), Some(time)) = (row.text("fingerprint"), row.integer("timestamp")) {
            newest.insert(fingerprint.to_owned(), time);
        }
    }
    newest
}

struct Tables {
    identities: Vec<Row>,
    sessions: Vec<Row>,
    prekeys: Vec<Row>,
    signed_prekeys: Vec<Row>,
    last_messages: HashMap<String, i64>,
}

impl Tables {
    fn of<'a>(rows: &'a [Row], account: &'a BareJid) -> impl Iterator<Item = &'a Row> {
        rows.iter().filter(move |row| account_of(row).as_ref() == Some(account))
    }

    fn fill(&self, database: &Database, account: &BareJid, builder: &mut AccountBuilder) {
        let own = Self::of(&self.identities, account).find(|row| row.integer("own") == Some(1));
        match own {
            Some(row) => {
                let place = database.place("omemo_identities", name(row));
                builder.own_device_id(row.id("device_id"), place.clone());
                builder.identity_record(row.bytes("key"), place);
            }
            None => {
                let says = "our own keys are missing: no readable row with own = 1 in table omemo_identities";
                builder.problem(Place::whole(database.file()), ProblemScope::OwnKeys, says);
            }
        }
        let mut sessions = HashMap::new();
        for row in Self::of(&self.sessions, account) {
            let place = database.place("omemo_sessions", name(row));
            let Some(jid) = builder.jid(row, "name", &place) else { continue };
            let Some(device_id) = row.id("device_id") else {
                builder.problem(place, ProblemScope::Other, format!("a session with {jid} has no device id"));
                continue;
            };
            let before = builder.account().sessions.len();
            let identity = builder.session(&jid, device_id, row.bytes("key"), place.clone());
            let unanswered = builder.account().sessions.get(before).and_then(|session| unanswered(&session.record));
            sessions.insert((jid, device_id), (identity, unanswered, place));
        }
        let mut named = BTreeSet::new();
        for row in Self::of(&self.identities, account).filter(|row| row.integer("own") != Some(1)) {
            let place = database.place("omemo_identities", name(row));
            let Some(jid) = builder.jid(row, "name", &place) else { continue };
            let identity = row.bytes("key").and_then(IdentityKey::from_record);
            if identity.is_none() {
                builder.problem(
                    place.clone(),
                    ProblemScope::Other,
                    format!("an identity key of {jid} is damaged: 33 bytes were expected"),
                );
            }
            let device_id = row.id("device_id");
            let session = device_id.and_then(|id| sessions.get(&(jid.clone(), id)));
            // A device that changed its key has two rows: the session belongs to one of them.
            let same = session.filter(|(key, ..)| key.is_none() || identity.is_none() || *key == identity);
            let unanswered = same.and_then(|(_, unanswered, _)| *unanswered);
            let (trust, active) = status(row);
            let last_message = row.text("fingerprint").and_then(|fingerprint| self.last_messages.get(fingerprint)).copied();
            named.extend(device_id.map(|id| (jid.clone(), id)));
            builder.device(jid, device_id, identity, trust, place).activity = ActivityFacts {
                listed: active,
                last_message: last_message.and_then(When::from_unix_millis),
                unanswered,
                ..ActivityFacts::default()
            };
        }
        for ((jid, device_id), (identity, unanswered, place)) in sessions {
            if !named.contains(&(jid.clone(), device_id)) {
                builder.device(jid, Some(device_id), identity, Trust::unknown(), place).activity.unanswered = unanswered;
            }
        }
        for row in Self::of(&self.prekeys, account) {
            let id = row.id("id");
            builder.prekey(id, row.bytes("key"), database.place("omemo_pre_keys", number(id)));
        }
        for row in Self::of(&self.signed_prekeys, account) {
            let id = row.id("id");
            builder.signed_prekey(
                id,
                row.bytes("key"),
                Created::RecordMillis,
                database.place("omemo_signed_pre_keys", number(id)),
            );
        }
    }
}

/// Trust and activity in one number.
fn status(row: &Row) -> (Trust, Option<bool>) {
    let (word, level, active) = match row.integer("status") {
        Some(-2) => ("compromisedActive", TrustLevel::Compromised, true),
        Some(-1) => ("compromisedInactive", TrustLevel::Compromised, false),
        Some(0) => ("undecidedActive", TrustLevel::Undecided, true),
        Some(1) => ("undecidedInactive", TrustLevel::Undecided, false),
        Some(2) => ("trustedActive", TrustLevel::Trusted, true),
        Some(3) => ("trustedInactive", TrustLevel::Trusted, false),
        Some(4) => ("verifiedActive", TrustLevel::Trusted, true),
        Some(5) => ("verifiedInactive", TrustLevel::Trusted, false),
        Some(other) => return (Trust { word: other.to_string(), level: TrustLevel::Unknown }, None),
        None => return (Trust::unknown(), None),
    };
    (Trust { word: word.into(), level }, Some(active))
}

fn name(row: &Row) -> String {
    format!("{}/{}", row.text("name").unwrap_or("?"), number(row.id("device_id")))
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "?".into(), |id| id.to_string())
}
