//! Conversations and its forks (Quicksy, Cheogram, Snikket, Blabber, monocles): the SQLite file `history`,
//! and encrypted backups `.ceb`.
//!
//! Sources: iNPUTmice/Conversations @0677ddc59 `SQLiteAxolotlStore.java`, `DatabaseBackend.java`,
//! `ExportBackupService.java`; upstream head of 2026-05-01 as continued in danielinux/PQonversations;
//! ndrancs/cheogram-android @d3cf6a55a; BenjaminKobjolke/monocles_chat @25563f0; thedevstack/PiratX @6daa2b31f.

mod backup;
mod sealed;
mod sql_text;
mod tables;

use super::account::{AccountBuilder, Created, KnownKey, KnownSession, MAX_ACCOUNTS, base64, too_many_accounts};
use super::candidate::Candidate;
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Healing, Place, PrekeyIds, Problem, ProblemScope, Refusals, Remedies, Trust,
    TrustLevel, TrustRule, When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::HashMap;
use tables::{Entry, Tables};
use zeroize::Zeroizing;

/// Conversations. Trust rule: `AxolotlService.java` refuses to decrypt only for a key marked as compromised;
/// a prekey message with another identity key under a known device id is refused before the library sees it.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Conversations",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::Java,
    trust_rule: TrustRule {
        refused: &[TrustLevel::Compromised],
        marks: false,
        says: "Conversations refuses messages only of a key that is marked as compromised; an untrusted one is shown with a warning",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals { high_ids: true, exchange_without_prekey: true, tag_in_payload: true, ..Refusals::NONE },
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: true,
        builds_missing: true,
        says: "Conversations rebuilds the session by itself: it fetches the bundle and sends a key transport, once per device until it reconnects, only for contacts in the roster or written to before; it does nothing when a key exchange fails",
    }),
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("In Conversations' contact details, switch the OMEMO fingerprint on after comparing it"),
        reset: Some("In Conversations' account details, regenerate the OMEMO key (contacts have to accept the new one)"),
    },
};

/// The database.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: &[], read };

/// The backup.
pub const BACKUP_FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect: detect_backup, places: &[], read: read_backup };

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| {
        database.has("accounts", &["uuid", "username", "server", "keys"])
            && database.has("identities", &["account", "name", "ownkey", "fingerprint", "key"])
            && database.has("sessions", &["account", "name", "device_id", "key"])
            && database.has("prekeys", &["account", "id", "key"])
    })
}

fn read(candidate: &Candidate, _options: &OpenOptions) -> Result<Reading, InputError> {
    let database = candidate.database().ok_or_else(|| InputError::new(candidate.path(), "no readable SQLite database"))?;
    let tables = Tables::from_database(database);
    let mut reading = accounts(&tables, &format!("schema {}", database.user_version()), Place::whole(database.file()));
    let forks_own = ["omemo2_sessions", "kyber_prekeys"];
    if forks_own.iter().any(|table| database.has(table, &[])) {
        let says = "tables omemo2_* and kyber_* of an experimental fork are not read; only its legacy OMEMO data is".to_owned();
        reading.problems.push(Problem { place: Place::whole(database.file()), says, scope: ProblemScope::Other });
    }
    Ok(reading)
}

fn detect_backup(candidate: &Candidate) -> bool {
    backup::Header::parse(candidate.head()).is_some()
}

fn read_backup(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let (header, tables) = backup::open(candidate, &options.passwords)?;
    let version = format!("backup version {} by {} of {}", header.version, header.app, header.jid);
    let mut reading = accounts(&tables, &version, Place::whole(candidate.place_file()));
    for account in &mut reading.accounts {
        account.jid = account.jid.take().or_else(|| BareJid::as_stored(&header.jid));
    }
    Ok(reading)
}

fn accounts(tables: &Tables, version: &str, place: Place) -> Reading {
    let mut reading = Reading::default();
    let last_messages = tables.last_messages();
    reading.problems.extend(too_many_accounts(tables.accounts.len(), &place));
    for account in tables.accounts.iter().take(MAX_ACCOUNTS) {
        if tables.uses_omemo(account) {
            reading.accounts.push(one_account(tables, account, version, &last_messages));
        }
    }
    for says in &tables.problems {
        reading.problems.push(Problem { place: place.clone(), says: says.clone(), scope: ProblemScope::Store });
    }
    if tables.accounts.is_empty() {
        let says = "table accounts has no readable row, so it is not known whose keys these are".to_owned();
        reading.problems.push(Problem { place, says, scope: ProblemScope::OwnKeys });
    }
    reading
}

fn one_account(tables: &Tables, account: &Entry, version: &str, last_messages: &HashMap<String, i64>) -> Account {
    let mut builder = AccountBuilder::new(&PROFILE, version, account.place.clone());
    let jid = match (account.text("username"), account.text("server")) {
        (Some(local), Some(server)) if !local.is_empty() => BareJid::as_stored(&format!("{local}@{server}")),
        (_, Some(server)) => BareJid::as_stored(server),
        _ => None,
    };
    builder.account().jid = jid.clone();
    let keys: serde_json::Value = account.text("keys").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let own_id = number(&keys["axolotl_reg_id"]).and_then(|id| u32::try_from(id).ok());
    builder.own_device_id(own_id, account.place.clone());
    builder.account().highest_prekey_id = number(&keys["axolotl_cur_prekey_id"]).and_then(|id| u32::try_from(id).ok());

    let mut known = Vec::new();
    let mut own_found = false;
    for row in tables.of(&tables.identities, account) {
        if row.integer("ownkey") == Some(1) {
            if !own_found {
                builder.identity_record(slice(&bytes(row, "key")), row.place.clone());
                own_found = builder.account().identity.is_some();
            }
            continue;
        }
        let Some(jid) = jid_of(row, &mut builder) else { continue };
        // A scanned fingerprint has no key yet; it is the key's hex form all the same.
        let identity = bytes(row, "key").and_then(|bytes| IdentityKey::from_record(&bytes)).or_else(|| of_fingerprint(row));
        if identity.is_none() {
            builder.problem(
                row.place.clone(),
                ProblemScope::Other,
                format!("an identity key of {jid} is damaged: base64 of 33 bytes was expected"),
            );
        }
        let last_message = row.text("fingerprint").and_then(|fingerprint| last_messages.get(fingerprint)).copied();
        let (trust, active) = trust(row);
        let activity = ActivityFacts {
            listed: active,
            last_listed: row.integer("last_activation").and_then(When::from_unix_millis),
            last_message: last_message.and_then(When::from_unix_millis),
            ..ActivityFacts::default()
        };
        known.push(KnownKey { jid, identity, trust, activity, place: row.place.clone() });
    }
    if !own_found {
        builder.problem(
            account.place.clone(),
            ProblemScope::OwnKeys,
            "our own identity key is missing: no readable row with ownkey 1 in table identities",
        );
    }
    let mut records = Vec::new();
    for row in tables.of(&tables.sessions, account) {
        let Some(jid) = jid_of(row, &mut builder) else { continue };
        match row.id("device_id") {
            Some(device_id) => records.push((jid, device_id, bytes(row, "key"), row.place.clone())),
            None => builder.problem(row.place.clone(), ProblemScope::Other, format!("a session with {jid} has no device id")),
        }
    }
    let sessions = records.iter().map(|(jid, device_id, record, place)| KnownSession {
        jid: jid.clone(),
        device_id: *device_id,
        record: slice(record),
        listed: None,
        place: place.clone(),
    });
    builder.link(known, sessions.collect());
    for row in tables.of(&tables.prekeys, account) {
        builder.prekey(row.id("id"), slice(&bytes(row, "key")), row.place.clone());
    }
    for row in tables.of(&tables.signed_prekeys, account) {
        builder.signed_prekey(row.id("id"), slice(&bytes(row, "key")), Created::RecordMillis, row.place.clone());
    }
    builder.finish()
}

/// `accounts.keys` holds its numbers as texts.
fn number(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn jid_of(row: &Entry, builder: &mut AccountBuilder) -> Option<BareJid> {
    let jid = row.text("name").and_then(BareJid::as_stored);
    if jid.is_none() {
        builder.problem(row.place.clone(), ProblemScope::Other, "column name holds no address");
    }
    jid
}

fn bytes(row: &Entry, column: &str) -> Option<Zeroizing<Vec<u8>>> {
    base64(row.text(column)?)
}

fn slice(bytes: &Option<Zeroizing<Vec<u8>>>) -> Option<&[u8]> {
    bytes.as_ref().map(|bytes| bytes.as_slice())
}

/// 66 hex digits, 05 first.
fn of_fingerprint(row: &Entry) -> Option<IdentityKey> {
    let bytes = hex::decode(row.text("fingerprint")?.trim()).ok()?;
    (bytes.len() == 33).then(|| IdentityKey::from_record(&bytes)).flatten()
}

/// Word and level of trust, and whether the device is active. Schemas 15 to 30 have one number for both.
fn trust(row: &Entry) -> (Trust, Option<bool>) {
    let active = row.integer("active").map(|active| active != 0);
    let (word, active) = match (row.text("trust"), row.integer("trusted")) {
        (Some(word), _) => (word.to_owned(), active),
        (None, Some(number)) => match number {
            0 | 1 => ("TRUSTED".into(), Some(true)),
            2 => ("UNTRUSTED".into(), Some(true)),
            3 => ("COMPROMISED".into(), Some(false)),
            4 | 5 => ("TRUSTED".into(), Some(false)),
            6 => ("UNTRUSTED".into(), Some(false)),
            7 => ("VERIFIED_X509".into(), Some(true)),
            8 => ("VERIFIED_X509".into(), Some(false)),
            other => (other.to_string(), None),
        },
        (None, None) => return (Trust::unknown(), active),
    };
    let level = match word.as_str() {
        "TRUSTED" | "VERIFIED" | "VERIFIED_X509" => TrustLevel::Trusted,
        "UNDECIDED" => TrustLevel::Undecided,
        "COMPROMISED" => TrustLevel::Compromised,
        // Conversations takes any other word for UNTRUSTED.
        _ => TrustLevel::Untrusted,
    };
    (Trust { word, level }, active)
}
