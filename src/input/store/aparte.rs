//! Aparté (git builds of 2024 and later): `storage.sqlite`.
//!
//! Source: paulfariello/aparte @e5d9ac7, migration 20240215141206; no file of a running client was seen.
//! Accounts are full addresses: a changed resource makes a new own device.

use super::account::{AccountBuilder, Created, unanswered};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data, home, roaming};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{BareJid, ClientProfile, PrekeyIds, ProblemScope, Refusals, Remedies, Trust, TrustLevel, TrustRule};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::{BTreeMap, BTreeSet};

/// Aparté. The identity store answers "trusted" exactly for the key it has.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Aparté",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::Rust,
    trust_rule: TrustRule {
        refused: &[],
        marks: false,
        says: "Aparté has no trust decisions: it refuses only a key other than the stored one",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: false,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: None,
    remedies: Remedies {
        replace_session: None,
        trust_device: None,
        reset: Some("Quit Aparté and move storage.sqlite away: the next start makes a new device"),
    },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[data("aparte"), home("Library/Application Support/aparte"), roaming("aparte")];

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| database.has("omemo_own_device", &["account", "id", "identity"]))
}

fn read(candidate: &Candidate, _options: &OpenOptions) -> Result<Reading, InputError> {
    let Some(database) = candidate.database() else {
        return Err(InputError::new(candidate.path(), "no readable SQLite database"));
    };
    let accounts = database.rows("omemo_own_device", &["account", "id", "identity"]);
    let read = |own: &Row| own.text("account").map(|account| read_account(database, own, account));
    Ok(Reading { accounts: accounts.iter().filter_map(read).collect(), ..Reading::default() })
}

fn read_account(database: &Database, own: &Row, name: &str) -> crate::model::Account {
    let place = database.place("omemo_own_device", name);
    let sessions = database.has("omemo_session", &["session"]);
    let version = if sessions { "schema of 2024-02" } else { "schema of 2022-09, which had no sessions yet" };
    let mut builder = AccountBuilder::new(&PROFILE, version, place.clone());
    builder.account().jid = BareJid::as_stored(name);
    builder.own_device_id(own.id("id"), place.clone());
    builder.identity_record(own.bytes("identity"), place);
    let rows = |table: &str, columns: &[&str]| -> Vec<Row> {
        let columns: Vec<&str> = [&["account"], columns].concat();
        database.rows(table, &columns).into_iter().filter(|row| row.text("account") == Some(name)).collect()
    };
    for row in rows("omemo_pre_key", &["pre_key_id", "pre_key"]) {
        let id = row.id("pre_key_id");
        builder.prekey(id, row.bytes("pre_key"), database.place("omemo_pre_key", number(id)));
    }
    for row in rows("omemo_signed_pre_key", &["signed_pre_key_id", "signed_pre_key"]) {
        let id = row.id("signed_pre_key_id");
        let place = database.place("omemo_signed_pre_key", number(id));
        builder.signed_prekey(id, row.bytes("signed_pre_key"), Created::RecordSeconds, place);
    }
    let mut devices: BTreeSet<(BareJid, u32)> = BTreeSet::new();
    let mut identities: BTreeMap<(BareJid, u32), Option<IdentityKey>> = BTreeMap::new();
    let mut waiting: BTreeMap<(BareJid, u32), Option<u32>> = BTreeMap::new();
    for row in rows("omemo_contact_device", &["contact", "id"]) {
        devices.extend(row.text("contact").and_then(BareJid::as_stored).zip(row.id("id")));
    }
    for row in rows("omemo_identity", &["user_id", "device_id", "identity"]) {
        let Some(at) = row.text("user_id").and_then(BareJid::as_stored).zip(row.id("device_id")) else { continue };
        let key = row.bytes("identity").and_then(IdentityKey::from_record);
        if key.is_none() {
            let place = database.place("omemo_identity", format!("{}/{}", at.0, at.1));
            builder.problem(place, ProblemScope::Other, "the identity key is damaged: 33 bytes were expected");
        }
        devices.insert(at.clone());
        identities.insert(at, key);
    }
    for row in rows("omemo_session", &["user_id", "device_id", "session"]) {
        let Some((jid, id)) = row.text("user_id").and_then(BareJid::as_stored).zip(row.id("device_id")) else { continue };
        let place = database.place("omemo_session", format!("{jid}/{id}"));
        let before = builder.account().sessions.len();
        let remote = builder.session(&jid, id, row.bytes("session"), place);
        let count = builder.account().sessions.get(before).and_then(|session| unanswered(&session.record));
        identities.entry((jid.clone(), id)).or_insert(remote);
        waiting.insert((jid.clone(), id), count);
        devices.insert((jid, id));
    }
    for (jid, id) in devices {
        let place = database.place("omemo_identity", format!("{jid}/{id}"));
        let at = (jid.clone(), id);
        let identity = identities.get(&at).copied().flatten();
        // The presence of a key is all the trust there is.
        let trust = match identity {
            Some(_) => Trust { word: "known".into(), level: TrustLevel::Trusted },
            None => Trust::unknown(),
        };
        let device = builder.device(jid, Some(id), identity, trust, place);
        device.activity.unanswered = waiting.get(&at).copied().flatten();
    }
    builder.finish()
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "?".into(), |id| id.to_string())
}
