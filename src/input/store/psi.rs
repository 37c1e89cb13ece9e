//! Psi and Psi+: `omemo-<account uuid>.sqlite`, one file an account, written first by the plugin (legacy
//! OMEMO only) and since 2026 by the program itself (both variants), which keeps the plugin's tables up to date.
//!
//! Sources: psi-im/plugins `omemoplugin` (2018 to @aeb633b); psi-im/psi @7c51cfd0 `src/psiomemostorage.cpp`;
//! psi-im/iris @870c5cc `xmpp_omemo.cpp`; files written by the plugin of psi-plus 1.4.554.

use super::account::{AccountBuilder, Created, moment, unanswered};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data, home, roaming};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    ActivityFacts, BareJid, ClientProfile, Device, Healing, Label, LabelSignature, Place, PrekeyIds, ProblemScope, Refusals,
    Remedies, Trust, TrustLevel, TrustRule,
};
use crate::omemo::ratchet::Implementation;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::{BTreeMap, HashMap};

/// The plugin. Trust rule: messages of an untrusted sender are decrypted and shown with a warning.
pub const PLUGIN: ClientProfile = ClientProfile {
    name: "Psi (OMEMO plugin)",
    namespaces: &[Namespace::Legacy],
    implementation: Implementation::LibsignalC,
    trust_rule: TrustRule {
        refused: &[],
        marks: false,
        says: "Psi's plugin shows messages of an untrusted device with a warning and sends nothing to it",
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
        rebuilds: false,
        builds_missing: false,
        says: "Psi passes over the message in silence and repairs nothing; only a key exchange that names a missing prekey makes it begin a new session",
    }),
    remedies: Remedies {
        replace_session: None,
        trust_device: Some("In Psi's OMEMO settings, compare the fingerprint and trust the device"),
        reset: None,
    },
};

/// Psi itself: refuses a changed key of a known device (-1010).
pub const CORE: ClientProfile = ClientProfile {
    name: "Psi",
    namespaces: &[Namespace::Legacy, Namespace::Omemo2],
    accepts_changed_identity: false,
    heartbeat: Some(53),
    trust_rule: TrustRule {
        refused: &[],
        marks: false,
        says: "Psi shows messages of an untrusted device with a warning and sends nothing to it",
    },
    ..PLUGIN
};

/// Files of the plugin.
pub const FORMAT: StoreFormat = StoreFormat {
    client: &PLUGIN,
    detect: |candidate| candidate.database().is_some_and(|database| has_tables(database) && !is_core(database)),
    places: PLACES,
    read: |candidate, options| read(candidate, options, &PLUGIN),
};

/// Files of the program itself.
pub const CORE_FORMAT: StoreFormat = StoreFormat {
    client: &CORE,
    detect: |candidate| candidate.database().is_some_and(|database| has_tables(database) && is_core(database)),
    places: PLACES,
    read: |candidate, options| read(candidate, options, &CORE),
};

const PLACES: &[DefaultPlace] = &[
    data("psi+/profiles/*").only(),
    data("psi/profiles/*").only(),
    home(".cache/psi+/profiles/*").only(),
    home(".cache/psi/profiles/*").only(),
    home("Library/Application Support/Psi+/profiles/*").only(),
    home("Library/Application Support/Psi/profiles/*").only(),
    roaming("Psi+/profiles/*").only(),
    roaming("Psi/profiles/*").only(),
];

fn has_tables(database: &Database) -> bool {
    database.has("simple_store", &["key", "value"])
        && database.has("identity_key_store", &["jid", "device_id", "key"])
        && database.has("session_store", &["jid", "device_id", "session"])
}

fn is_core(database: &Database) -> bool {
    database.has("omemo_protocol_state", &["jid", "device_id", "protocol", "key_id", "session"])
}

fn read(candidate: &Candidate, options: &OpenOptions, client: &'static ClientProfile) -> Result<Reading, InputError> {
    let database = candidate.database().ok_or_else(|| InputError::new(candidate.path(), "no readable SQLite database"))?;
    let simple = database.rows("simple_store", &["key", "value"]);
    let setting = |key: &str| simple.iter().find(|row| row.text("key") == Some(key));
    let version = setting("db_ver").and_then(|row| row.integer("value"));
    let version = version.map_or_else(|| "without version".into(), |version| format!("db_ver {version}"));
    let mut builder = AccountBuilder::new(client, version, Place::whole(database.file()));
    builder.own_device_id(
        setting("registration_id").and_then(|row| row.id("value")),
        database.place("simple_store", "registration_id"),
    );
    builder.identity(
        setting("own_public_key").and_then(|row| row.bytes("value")),
        setting("own_private_key").and_then(|row| row.bytes("value")),
        database.place("simple_store", "own_private_key"),
    );
    let lists = database.rows("devices", &["jid", "device_id", "trust", "label"]);
    let own = own_address(&lists, builder.account().own_device_id);
    builder.account().jid = own.or_else(|| options.account.clone());
    let mut devices = Devices { database, found: BTreeMap::new() };
    devices.plugin(&lists, &mut builder);
    if is_core(database) {
        devices.core(&mut builder);
    }
    builder.account().devices = devices.found.into_values().collect();
    for row in database.rows("pre_key_store", &["id", "pre_key"]) {
        let id = row.id("id");
        builder.prekey(id, row.bytes("pre_key"), database.place("pre_key_store", number(id)));
    }
    signed_prekeys(database, setting("signed_pre_key"), &mut builder);
    Ok(Reading { accounts: vec![builder.finish()], ..Reading::default() })
}

/// Our own device stands on the device list too: the address with our id, if there is only one.
fn own_address(lists: &[Row], own: Option<u32>) -> Option<BareJid> {
    let mut mine = lists.iter().filter(|row| own.is_some() && row.id("device_id") == own);
    let first = mine.next()?;
    mine.next().is_none().then(|| first.text("jid").and_then(BareJid::as_stored)).flatten()
}

fn signed_prekeys(database: &Database, single: Option<&Row>, builder: &mut AccountBuilder) {
    let several = database.rows("omemo_signed_pre_key_store", &["id", "created_at", "data"]);
    for row in &several {
        let id = row.id("id");
        let created = row.text("created_at").and_then(moment).map_or(Created::RecordMillis, |when| Created::Known(Some(when)));
        builder.signed_prekey(id, row.bytes("data"), created, database.place("omemo_signed_pre_key_store", number(id)));
    }
    if several.is_empty() {
        let record = single.and_then(|row| row.bytes("value"));
        builder.signed_prekey(None, record, Created::RecordMillis, database.place("simple_store", "signed_pre_key"));
    }
}

struct Devices<'a> {
    database: &'a Database,
    found: BTreeMap<(BareJid, Option<u32>, Namespace), Device>,
}

impl Devices<'_> {
    fn entry(&mut self, jid: &BareJid, device_id: Option<u32>, namespace: Namespace, place: &Place) -> &mut Device {
        self.found.entry((jid.clone(), device_id, namespace)).or_insert_with(|| Device {
            trust_place: None,
            jid: jid.clone(),
            device_id,
            identity: None,
            // A device that is not on the list has no trust kept; listed again, it starts undecided.
            trust: Trust::unknown(),
            activity: ActivityFacts { listed: Some(false), ..ActivityFacts::default() },
            label: None,
            namespaces: vec![namespace],
            place: place.clone(),
        })
    }

    /// The plugin's tables: legacy OMEMO. Table `devices` is the last device list.
    fn plugin(&mut self, lists: &[Row], builder: &mut AccountBuilder) {
        let core = is_core(self.database);
        for row in lists {
            let Some((jid, id, place)) = self.names(row, "devices", builder) else { continue };
            let device = self.entry(&jid, id, Namespace::Legacy, &place);
            device.activity.listed = Some(true);
            device.trust = match row.integer("trust") {
                Some(0) => Trust { word: "Undecided".into(), level: TrustLevel::Undecided },
                Some(1) => Trust { word: "Trusted".into(), level: TrustLevel::Trusted },
                Some(2) => Trust { word: "Untrusted".into(), level: TrustLevel::Untrusted },
                Some(other) => Trust { word: other.to_string(), level: TrustLevel::Unknown },
                None => Trust::unknown(),
            };
            let text = row.text("label").filter(|label| !label.is_empty());
            device.label = text.map(|text| Label { text: text.into(), signature: LabelSignature::Unchecked });
        }
        for row in self.database.rows("identity_key_store", &["jid", "device_id", "key"]) {
            let Some((jid, id, place)) = self.names(&row, "identity_key_store", builder) else { continue };
            let identity = row.bytes("key").and_then(IdentityKey::from_record);
            if identity.is_none() {
                let says = format!("the identity key of {jid} is damaged: 33 bytes were expected");
                builder.problem(place.clone(), ProblemScope::Other, says);
            }
            self.entry(&jid, id, Namespace::Legacy, &place).identity = identity;
        }
        // The program's own table repeats the legacy sessions.
        let sessions = if core { Vec::new() } else { self.database.rows("session_store", &["jid", "device_id", "session"]) };
        for row in &sessions {
            let Some((jid, Some(id), place)) = self.names(row, "session_store", builder) else { continue };
            self.session(&jid, id, Namespace::Legacy, row, &place, builder);
        }
    }

    /// The program's own tables: one row per device and variant.
    fn core(&mut self, builder: &mut AccountBuilder) {
        let trust = core_trust(&self.database.rows("encryption_trust", &["method", "jid", "key", "trust"]));
        let columns = [
            "jid",
            "device_id",
            "protocol",
            "label",
            "label_signature",
            "label_verified",
            "key_id",
            "session",
            "unresponded_sent",
            "removed_at",
        ];
        for row in self.database.rows("omemo_protocol_state", &columns) {
            let Some((jid, id, place)) = self.names(&row, "omemo_protocol_state", builder) else { continue };
            let namespace = if row.integer("protocol") == Some(2) { Namespace::Omemo2 } else { Namespace::Legacy };
            let key = row.bytes("key_id").filter(|key| !key.is_empty());
            let identity = key.and_then(IdentityKey::from_record);
            if identity.is_none() && key.is_some() {
                let says = format!("the identity key of {jid} is damaged: 32 or 33 bytes were expected");
                builder.problem(place.clone(), ProblemScope::Other, says);
            }
            let removed = row.text("removed_at").filter(|time| !time.is_empty()).and_then(moment);
            let label = row.text("label").filter(|label| !label.is_empty()).map(|text| Label {
                text: text.into(),
                signature: match (
                    row.bytes("label_signature").is_some_and(|bytes| !bytes.is_empty()),
                    row.integer("label_verified"),
                ) {
                    (_, Some(1)) => LabelSignature::Valid,
                    (false, _) => LabelSignature::Missing,
                    (true, Some(0)) => LabelSignature::Invalid,
                    (true, _) => LabelSignature::Unchecked,
                },
            });
            let known = identity.and_then(|key| trust.get(&(jid.clone(), key)).cloned());
            let device = self.entry(&jid, id, namespace, &place);
            device.identity = identity.or(device.identity);
            device.activity.listed = Some(removed.is_none());
            device.activity.removed = removed;
            device.label = label.or(device.label.take());
            if let Some(known) = known {
                device.trust = known;
            }
            if let (Some(id), true) = (id, row.bytes("session").is_some_and(|session| !session.is_empty())) {
                self.session(&jid, id, namespace, &row, &place, builder);
            }
            let sent = row.integer("unresponded_sent").and_then(|count| u32::try_from(count).ok());
            if sent.is_some() {
                self.entry(&jid, id, namespace, &place).activity.unanswered = sent;
            }
        }
    }

    fn session(&mut self, jid: &BareJid, id: u32, namespace: Namespace, row: &Row, place: &Place, builder: &mut AccountBuilder) {
        let before = builder.account().sessions.len();
        let identity = builder.session(jid, id, row.bytes("session"), place.clone());
        let unanswered = builder.account().sessions.get(before).and_then(|session| unanswered(&session.record));
        let device = self.entry(jid, Some(id), namespace, place);
        device.activity.unanswered = unanswered;
        device.identity = device.identity.or(identity);
    }

    fn names(&self, row: &Row, table: &str, builder: &mut AccountBuilder) -> Option<(BareJid, Option<u32>, Place)> {
        let id = row.id("device_id");
        let place = self.database.place(table, format!("{}/{}", row.text("jid").unwrap_or("?"), number(id)));
        let jid = builder.jid(row, "jid", &place)?;
        Some((jid, id, place))
    }
}

/// The program's trust is kept by key (Ed25519 form), one bit per level.
fn core_trust(rows: &[Row]) -> HashMap<(BareJid, IdentityKey), Trust> {
    let mut known = HashMap::new();
    for row in rows.iter().filter(|row| row.text("method").is_none_or(|method| method == "omemo")) {
        let jid = row.text("jid").and_then(BareJid::as_stored);
        let key = row.bytes("key").and_then(IdentityKey::from_record);
        let (word, level) = match row.integer("trust") {
            Some(1) => ("Undecided".into(), TrustLevel::Undecided),
            Some(2) => ("AutomaticallyTrusted".into(), TrustLevel::Trusted),
            Some(4) => ("ManuallyTrusted".into(), TrustLevel::Trusted),
            Some(8) => ("Authenticated".into(), TrustLevel::Trusted),
            Some(16) => ("Distrusted".into(), TrustLevel::Untrusted),
            Some(other) => (other.to_string(), TrustLevel::Unknown),
            None => continue,
        };
        if let (Some(jid), Some(key)) = (jid, key) {
            known.insert((jid, key), Trust { word, level });
        }
    }
    known
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "?".into(), |id| id.to_string())
}
