//! Kaidan and other QXmpp clients with its database: `kaidan.sqlite3`, all accounts in one file.
//!
//! Sources: KDE/kaidan @c20dc925 `src/Database.cpp`, `OmemoDb.cpp`, `TrustDb.cpp` and the release tags 0.9 to
//! 0.16; qxmpp-project/qxmpp @8476ee8e `src/omemo/QXmppOmemoManager_p.cpp`; files written by Kaidan 0.12.2.

use super::account::{AccountBuilder, Created, MAX_ACCOUNTS, moment, too_many_accounts};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data, home, roaming};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    ActivityFacts, BareJid, ClientProfile, Healing, Label, LabelSignature, Place, PrekeyIds, ProblemScope, Refusals, Remedies,
    SignedPreKeyRotation, Trust, TrustLevel, TrustRule, When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::HashMap;

/// Kaidan. Trust rule: the library's own trust callback in QXmpp always says yes.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Kaidan",
    namespaces: &[Namespace::Omemo2],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule {
        refused: &[],
        marks: false,
        says: "Kaidan decrypts messages at every trust level; trust decides only whom it encrypts for",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: true,
    refuses: Refusals::NONE,
    signed_prekey_rotation: Some(SignedPreKeyRotation {
        days: 28,
        kept: "older ones are deleted in the moment the new one is made, so a key exchange that is still on its way fails",
    }),
    unanswered_limit: Some(106),
    heartbeat: Some(53),
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: true,
        says: "Kaidan begins a new session by itself when it has none, and only logs when a message does not fit",
    }),
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("In Kaidan's contact details, compare the key (scan its QR code) and trust it"),
        reset: None,
    },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[
    data("kaidan"),
    home(".var/app/im.kaidan.kaidan/data/kaidan"),
    home("Library/Application Support/kaidan"),
    roaming("kaidan"),
];

/// Column and table names: camel case since version 23, before with underscores.
#[derive(Clone, Copy)]
struct Names {
    camel: bool,
}

impl Names {
    fn of(database: &Database) -> Option<Self> {
        [true, false].into_iter().map(|camel| Self { camel }).find(|names| {
            let own = [names.name("privateKey"), names.name("publicKey")];
            database.has(&names.name("omemoDevicesOwn"), &["account", "id", &own[0], &own[1]])
                && database.has(&names.name("omemoDevices"), &["account", "id", &names.name("userJid"), "session"])
        })
    }

    fn name(self, camel: &str) -> String {
        if self.camel {
            return camel.to_owned();
        }
        camel.chars().flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain([c.to_ascii_lowercase()])).collect()
    }

    fn rows(self, database: &Database, table: &str, columns: &[&str]) -> Vec<Row> {
        let columns: Vec<String> = columns.iter().map(|column| self.name(column)).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        database.rows(&self.name(table), &columns)
    }
}

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| Names::of(database).is_some())
}

fn read(candidate: &Candidate, _options: &OpenOptions) -> Result<Reading, InputError> {
    let unreadable = || InputError::new(candidate.path(), "no readable SQLite database");
    let database = candidate.database().ok_or_else(unreadable)?;
    let names = Names::of(database).ok_or_else(unreadable)?;
    let version = database.rows("dbinfo", &["version"]).first().and_then(|row| row.integer("version"));
    let version = version.map_or_else(|| "database without version".into(), |version| format!("database version {version}"));
    let tables = Tables {
        names,
        devices: names.rows(
            database,
            "omemoDevices",
            &["account", "userJid", "id", "label", "keyId", "session", "unrespondedStanzasSent", "removalTimestamp"],
        ),
        trust: trust(database, names),
        prekeys: names.rows(database, "omemoPreKeyPairs", &["account", "id", "data"]),
        signed_prekeys: names.rows(database, "omemoPreKeyPairsSigned", &["account", "id", "data", "creationTimestamp"]),
        last_messages: last_messages(database),
    };
    let own = names.rows(database, "omemoDevicesOwn", &["account", "id", "privateKey", "publicKey", "latestPreKeyId"]);
    let mut reading = Reading::default();
    reading.problems.extend(too_many_accounts(own.len(), &Place::whole(database.file())));
    for row in own.iter().take(MAX_ACCOUNTS) {
        let place = database.place(&names.name("omemoDevicesOwn"), row.text("account").unwrap_or("?"));
        let mut builder = AccountBuilder::new(&PROFILE, version.clone(), place.clone());
        builder.account().jid = builder.jid(row, "account", &place);
        builder.own_device_id(row.id("id"), place.clone());
        builder.identity(row.bytes(&names.name("publicKey")), row.bytes(&names.name("privateKey")), place);
        builder.account().highest_prekey_id = row.id(&names.name("latestPreKeyId"));
        tables.fill(database, row, &mut builder);
        reading.accounts.push(builder.finish());
    }
    if own.is_empty() {
        // Devices without an own one: the account's keys were removed or their page is damaged.
        let mut builder = AccountBuilder::new(&PROFILE, version, Place::whole(database.file()));
        let says = "our own keys are missing: table omemoDevicesOwn has no readable row";
        builder.problem(Place::whole(database.file()), ProblemScope::OwnKeys, says);
        reading.accounts.push(builder.finish());
    }
    Ok(reading)
}

/// Newest message by the key of its sender, whose text column is never read.
fn last_messages(database: &Database) -> HashMap<Vec<u8>, When> {
    let mut newest: HashMap<Vec<u8>, When> = HashMap::new();
    for row in database.newest("messages", "senderKey", "timestamp", None) {
        if let (Some(key), Some(when)) = (row.bytes("senderKey"), row.text("timestamp").and_then(moment)) {
            newest.insert(key.to_vec(), when);
        }
    }
    newest
}

/// Trust levels by account, owner and key.
fn trust(database: &Database, names: Names) -> HashMap<(String, BareJid, Vec<u8>), Option<i64>> {
    let mut known = HashMap::new();
    for row in names.rows(database, "trustKeys", &["account", "encryption", "ownerJid", "keyId", "trustLevel"]) {
        let owner = row.text(&names.name("ownerJid")).and_then(BareJid::as_stored);
        let omemo2 = row.text("encryption").is_none_or(|encryption| encryption == Namespace::Omemo2.uri());
        if let (Some(account), Some(owner), Some(key), true) =
            (row.text("account"), owner, row.bytes(&names.name("keyId")), omemo2)
        {
            known.insert((account.to_owned(), owner, key.to_vec()), row.integer(&names.name("trustLevel")));
        }
    }
    known
}

struct Tables {
    names: Names,
    devices: Vec<Row>,
    /// Trust by account, owner and key.
    trust: HashMap<(String, BareJid, Vec<u8>), Option<i64>>,
    prekeys: Vec<Row>,
    signed_prekeys: Vec<Row>,
    last_messages: HashMap<Vec<u8>, When>,
}

impl Tables {
    fn of<'a>(rows: &'a [Row], own: &Row) -> impl Iterator<Item = &'a Row> {
        let account = own.text("account").map(str::to_owned);
        rows.iter().filter(move |row| row.text("account") == account.as_deref())
    }

    fn fill(&self, database: &Database, own: &Row, builder: &mut AccountBuilder) {
        let name = |camel| self.names.name(camel);
        let (user, key_id) = (name("userJid"), name("keyId"));
        for row in Self::of(&self.devices, own) {
            let device_id = row.id("id");
            let label = format!("{}/{}", row.text(&user).unwrap_or("?"), number(device_id));
            let place = database.place(&name("omemoDevices"), label);
            let Some(jid) = builder.jid(row, &user, &place) else { continue };
            let bytes = row.bytes(&key_id).filter(|key| !key.is_empty());
            let key = bytes.and_then(IdentityKey::from_record);
            if key.is_none() && bytes.is_some() {
                builder.problem(
                    place.clone(),
                    ProblemScope::Other,
                    format!("the identity key of {jid} is damaged: 32 bytes were expected"),
                );
            }
            let mut in_session = None;
            if let (Some(device_id), Some(record)) = (device_id, row.bytes("session").filter(|record| !record.is_empty())) {
                in_session = builder.session(&jid, device_id, Some(record), place.clone());
            }
            let removed = row.integer(&name("removalTimestamp")).filter(|millis| *millis != 0);
            let activity = ActivityFacts {
                listed: Some(removed.is_none()),
                removed: removed.and_then(When::from_unix_millis),
                last_message: bytes.and_then(|key| self.last_messages.get(key)).cloned(),
                unanswered: row.integer(&name("unrespondedStanzasSent")).and_then(|count| u32::try_from(count).ok()),
                last_listed: None,
            };
            let trust = self.trust_in(own, &jid, bytes);
            let text = row.text("label").filter(|label| !label.is_empty());
            // QXmpp does not check the signature of a label, nor keep it.
            let label = text.map(|text| Label { text: text.to_owned(), signature: LabelSignature::Unchecked });
            let device = builder.device(jid, device_id, key.or(in_session), trust, place);
            device.activity = activity;
            device.label = label;
        }
        for row in Self::of(&self.prekeys, own) {
            let id = row.id("id");
            builder.prekey(id, row.bytes("data"), database.place(&name("omemoPreKeyPairs"), number(id)));
        }
        for row in Self::of(&self.signed_prekeys, own) {
            let id = row.id("id");
            let created = row.integer(&name("creationTimestamp")).and_then(When::from_unix_millis);
            let created = created.map_or(Created::RecordMillis, |when| Created::Known(Some(when)));
            builder.signed_prekey(id, row.bytes("data"), created, database.place(&name("omemoPreKeyPairsSigned"), number(id)));
        }
    }

    /// Trust belongs to an owner's key, not to a device; one bit per level.
    fn trust_in(&self, own: &Row, jid: &BareJid, key: Option<&[u8]>) -> Trust {
        let account = own.text("account").unwrap_or_default().to_owned();
        let known = key.and_then(|key| self.trust.get(&(account, jid.clone(), key.to_vec())));
        let (word, level) = match known.copied().flatten() {
            None | Some(1) => ("Undecided", TrustLevel::Undecided),
            Some(2) => ("AutomaticallyDistrusted", TrustLevel::Untrusted),
            Some(4) => ("ManuallyDistrusted", TrustLevel::Untrusted),
            Some(8) => ("AutomaticallyTrusted", TrustLevel::Trusted),
            Some(16) => ("ManuallyTrusted", TrustLevel::Trusted),
            Some(32) => ("Authenticated", TrustLevel::Trusted),
            Some(other) => return Trust { word: other.to_string(), level: TrustLevel::Unknown },
        };
        Trust { word: word.into(), level }
    }
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "?".into(), |id| id.to_string())
}
