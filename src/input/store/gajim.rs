//! Gajim and its plugin gajim-omemo: one SQLite file an account, `omemo_<jid>.db`.
//!
//! Sources: gajim/gajim @67350349e `gajim/common/storage/omemo.py`; gajim/gajim-plugins (2015-12 67d6ed4 to
//! 2023-04 719de5a); omemo-dr 1.2.0; files written by gajim-omemo 2.9.0, Gajim 2.1.1.

use super::account::{AccountBuilder, Created, KnownKey, KnownSession, moment};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data, home, roaming};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    ActivityFacts, BareJid, ClientProfile, Healing, Place, PrekeyIds, ProblemScope, Refusals, Remedies, SignedPreKeyRotation,
    Trust, TrustLevel, TrustRule, When,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};

/// Gajim. Trust rule: `omemo.py` decrypts at every trust level and shows the level beside the message.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "Gajim",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::PythonAxolotl,
    trust_rule: TrustRule {
        refused: &[TrustLevel::Untrusted],
        marks: true,
        says: "Gajim decrypts messages of an untrusted device, marks them as untrusted and sends nothing to it",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals { exchange_without_prekey: true, ..Refusals::NONE },
    signed_prekey_rotation: Some(SignedPreKeyRotation {
        days: 30,
        kept: "Gajim from 1.9.2 makes a new one every 30 days and keeps the last 3; older versions made one every day and kept 15 days",
    }),
    unanswered_limit: Some(2000),
    heartbeat: None,
    healing: Some(Healing {
        rebuilds: false,
        builds_missing: false,
        says: "Gajim drops the message and repairs nothing by itself; only a new bundle or key exchange begins a new session",
    }),
    remedies: Remedies {
        replace_session: Some(
            "To end and restart a session in Gajim: delete the device's key in the contact's list of OMEMO fingerprints, then write to the contact",
        ),
        trust_device: Some(
            "In Gajim's chat menu open \"Manage Trust\" (\"OMEMO Fingerprints\"), compare the fingerprint and trust the key",
        ),
        reset: Some(
            "Close Gajim, move the account's omemo_ADDRESS.db away and start Gajim: it makes new keys, and contacts have to accept them",
        ),
    },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[
    data("gajim"),
    data("gajim.*"),
    home(".var/app/org.gajim.Gajim/data/gajim"),
    home(".var/app/org.gajim.Gajim.Devel/data/gajim"),
    roaming("Gajim"),
    roaming("Gajim.*"),
];

/// Device ids run up to 2^31-3 since version 7 of the schema.
const ID_MODULUS: i64 = 2_147_483_646;

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| {
        database.has("identities", &["recipient_id", "public_key"])
            && database.has("sessions", &["recipient_id", "device_id", "record"])
            && database.has("prekeys", &["prekey_id", "record"])
            && database.has("signed_prekeys", &["prekey_id", "record"])
    })
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let Some(database) = candidate.database() else {
        return Err(InputError::new(candidate.path(), "no readable SQLite database"));
    };
    let version = database.user_version();
    let mut builder = AccountBuilder::new(&PROFILE, schema_name(version), Place::whole(database.file()));
    builder.account().jid = jid_of_name(candidate.name()).or_else(|| options.account.clone());
    let identities =
        database.rows("identities", &["recipient_id", "registration_id", "public_key", "private_key", "timestamp", "trust"]);
    own_keys(database, &identities, version, &mut builder);
    devices(database, &identities, &mut builder);
    for row in database.rows("prekeys", &["prekey_id", "record"]) {
        let id = row.id("prekey_id");
        builder.prekey(id, row.bytes("record"), database.place("prekeys", number(id)));
    }
    for row in database.rows("signed_prekeys", &["prekey_id", "timestamp", "record"]) {
        let id = row.id("prekey_id");
        let created = row.text("timestamp").and_then(moment).map_or(Created::RecordMillis, |when| Created::Known(Some(when)));
        builder.signed_prekey(id, row.bytes("record"), created, database.place("signed_prekeys", number(id)));
    }
    Ok(Reading { accounts: vec![builder.finish()], ..Reading::default() })
}

fn schema_name(version: i64) -> String {
    let since = match version {
        0 => " (2015)",
        1..=3 => " (2016)",
        4 | 5 => " (2016 to 2019)",
        6 | 7 => " (2019)",
        8..=12 => " (since 2020-05)",
        _ => " (newer than known)",
    };
    format!("schema {version}{since}")
}

/// `omemo_<bare jid>.db`; before September 2016 the name held the account's label, which is no address.
fn jid_of_name(name: &str) -> Option<BareJid> {
    let jid = name.strip_prefix("omemo_")?.strip_suffix(".db")?;
    jid.contains('@').then(|| BareJid::as_stored(jid)).flatten()
}

fn own_keys(database: &Database, identities: &[Row], version: i64, builder: &mut AccountBuilder) {
    if let Some(row) = database.rows("secret", &["device_id", "public_key", "private_key"]).first() {
        let place = database.place("secret", "1");
        let id = row.integer("device_id").map(|id| if version < 7 { id.rem_euclid(ID_MODULUS) } else { id });
        builder.own_device_id(id.and_then(|id| u32::try_from(id).ok()), place.clone());
        builder.identity(row.bytes("public_key"), row.bytes("private_key"), place);
    } else if let Some(row) = identities.iter().find(|row| is_own_row(row)) {
        // Before version 6 our own keys were the row with the name -1, and the device id was one more
        // than the registration id.
        let place = database.place("identities", "-1");
        let id = row.integer("registration_id").map(|id| id.saturating_add(1).rem_euclid(ID_MODULUS));
        builder.own_device_id(id.and_then(|id| u32::try_from(id).ok()), place.clone());
        builder.identity(row.bytes("public_key"), row.bytes("private_key"), place);
    } else {
        let place = Place::whole(database.file());
        builder.problem(place, ProblemScope::OwnKeys, "our own identity key is missing: table secret has no readable row");
    }
}

fn is_own_row(row: &Row) -> bool {
    row.text("recipient_id") == Some("-1") || row.integer("recipient_id") == Some(-1)
}

/// Gajim keeps keys and sessions apart.
fn devices(database: &Database, identities: &[Row], builder: &mut AccountBuilder) {
    let mut keys = Vec::new();
    for row in identities.iter().filter(|row| !is_own_row(row)) {
        let place = database.place("identities", row.text("recipient_id").unwrap_or("?"));
        let Some(jid) = builder.jid(row, "recipient_id", &place) else { continue };
        let identity = row.bytes("public_key").and_then(IdentityKey::from_record);
        if identity.is_none() {
            let says = format!("an identity key of {jid} is damaged: 33 bytes were expected");
            builder.problem(place, ProblemScope::Other, says);
            continue;
        }
        let last_message = row.integer("timestamp").and_then(When::from_unix_seconds);
        let activity = ActivityFacts { last_message, ..ActivityFacts::default() };
        keys.push(KnownKey { jid, identity, trust: trust(row), activity, place });
    }
    let rows = database.rows("sessions", &["recipient_id", "device_id", "record", "active"]);
    let mut sessions = Vec::new();
    for row in &rows {
        let device_id = row.id("device_id");
        let name = format!("{}/{}", row.text("recipient_id").unwrap_or("?"), number(device_id));
        let place = database.place("sessions", name);
        let Some(jid) = builder.jid(row, "recipient_id", &place) else { continue };
        let Some(device_id) = device_id else {
            builder.problem(place, ProblemScope::Other, format!("a session with {jid} has no device id"));
            continue;
        };
        let listed = row.integer("active").map(|active| active != 0);
        sessions.push(KnownSession { jid, device_id, record: row.bytes("record"), listed, place });
    }
    builder.link(keys, sessions);
}

fn trust(row: &Row) -> Trust {
    let (word, level) = match row.integer("trust") {
        Some(0) => ("UNTRUSTED", TrustLevel::Untrusted),
        Some(1) => ("VERIFIED", TrustLevel::Trusted),
        Some(2) | None => ("UNDECIDED", TrustLevel::Undecided),
        Some(3) => ("BLIND", TrustLevel::Trusted),
        Some(other) => return Trust { word: other.to_string(), level: TrustLevel::Unknown },
    };
    Trust { word: word.into(), level }
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "?".into(), |id| id.to_string())
}
