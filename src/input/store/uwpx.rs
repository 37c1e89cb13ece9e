//! UWPX (Windows): `uwpx.db`, made by Entity Framework from its model classes.
//!
//! Source: UWPX/UWPX-Client @01fd577d `Storage/Classes/Models/Omemo/`; column names follow Entity Framework's
//! rules. UWPX uses its X25519 identity keys as they are, and takes other steps than the specification when a
//! session begins; a stored session goes on by the specification.

use super::account::{AccountBuilder, MAX_ACCOUNTS, moment, too_many_accounts};
use super::candidate::Candidate;
use super::default_place::{DefaultPlace, local};
use super::sqlite::{Database, Row};
use super::{OpenOptions, Reading, StoreFormat};
use crate::input::InputError;
use crate::model::{
    ActivityFacts, BareJid, ClientProfile, Label, LabelSignature, Place, PrekeyIds, Problem, ProblemScope, Refusals, Remedies,
    Trust, TrustLevel, TrustRule, When,
};
use crate::omemo::curve::{KeyPair, PrivateKey, PublicKey};
use crate::omemo::ratchet::{
    AssociatedData, ChainKey, Implementation, PendingPreKey, ReceiverChain, RootKey, SenderChain, Session, SessionRecord,
};
use crate::omemo::{IdentityKey, Namespace};
use crate::secret::Secret;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// UWPX. Trust rule: with "trusted keys only" on, messages of an untrusted sender are refused.
pub const PROFILE: ClientProfile = ClientProfile {
    name: "UWPX",
    namespaces: &[Namespace::Omemo2],
    // Its own library: like python-doubleratchet it keeps one session and one receiving chain.
    implementation: Implementation::PythonDoubleRatchet,
    trust_rule: TrustRule {
        refused: &[TrustLevel::Untrusted],
        marks: false,
        says: "UWPX refuses messages of untrusted devices when \"trusted keys only\" is on",
    },
    believes_key_exchange_flag: true,
    accepts_changed_identity: true,
    prekey_ids: PrekeyIds::UsedOnce,
    shows_edwards: false,
    refuses: Refusals::NONE,
    signed_prekey_rotation: None,
    unanswered_limit: None,
    heartbeat: None,
    healing: None,
    remedies: Remedies { replace_session: None, trust_device: None, reset: None },
};

/// How it is recognised and read.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[local("Packages/*UWPX*/LocalState").only()];

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| {
        database.has("AccountInfos", &["deviceId"])
            && database.has("SkippedMessageKeys", &[])
            && (database.has("ECKeys", &["id", "key"]) || database.has("ECPrivKeys", &["id", "key"]))
    })
}

fn read(candidate: &Candidate, options: &OpenOptions) -> Result<Reading, InputError> {
    let database = candidate.database().ok_or_else(|| InputError::new(candidate.path(), "no readable SQLite database"))?;
    let tables = Tables::read(database);
    let mut reading = Reading::default();
    reading.problems.extend(too_many_accounts(tables.infos.len(), &Place::whole(database.file())));
    for info in tables.infos.iter().take(MAX_ACCOUNTS) {
        let account = info.integer("id").and_then(|id| tables.accounts.get(&id));
        let jid = account.and_then(|row| row.text("bareJid")).and_then(BareJid::as_stored);
        let place = database.place("AccountInfos", info.rowid.to_string());
        let mut builder = AccountBuilder::new(&PROFILE, "uwpx.db (since 0.38)", place.clone());
        builder.account().jid = jid.clone().or_else(|| options.account.clone().filter(|_| tables.infos.len() == 1));
        builder.own_device_id(info.id("deviceId"), place.clone());
        builder.account().highest_prekey_id = info.id("maxPreKeyId");
        let pair = tables.pair("IdentityKeyPairs", info.integer("identityKeyid"));
        match pair {
            // The 32 bytes of the public key are X25519 here, not Ed25519.
            Some((public, private)) => builder.identity(Some(&public.to_signal()), Some(&private), place),
            None => builder.identity(None, None, place),
        }
        tables.fill(info, &mut builder);
        reading.accounts.push(builder.finish());
    }
    if tables.infos.is_empty() {
        let place = database.place("AccountInfos", "");
        let says = "our own keys are missing: table AccountInfos has no readable row".to_owned();
        reading.problems.push(Problem { place, says, scope: ProblemScope::OwnKeys });
    }
    Ok(reading)
}

struct Tables<'a> {
    database: &'a Database,
    /// Single keys, public and private.
    keys: BTreeMap<i64, Zeroizing<Vec<u8>>>,
    /// Key pairs by table and id: ids of the private and the public key.
    pairs: BTreeMap<(&'static str, i64), PairIds>,
    accounts: BTreeMap<i64, Row>,
    infos: Vec<Row>,
    chats: BTreeMap<i64, Row>,
    devices: Vec<Row>,
    fingerprints: BTreeMap<i64, Row>,
    sessions: BTreeMap<i64, Row>,
    prekeys: BTreeMap<i64, Row>,
    signed_prekeys: BTreeMap<i64, Row>,
}

/// Ids of a pair's private and public key.
type PairIds = (Option<i64>, Option<i64>);

/// Tables of key pairs: one per class, or one for all of a base class.
const PAIRS: [&str; 4] = ["IdentityKeyPairs", "GenericECKeyPairModel", "GenericECKeyPairs", "PreKeys"];

impl<'a> Tables<'a> {
    fn read(database: &'a Database) -> Self {
        let mut keys = BTreeMap::new();
        for table in ["ECKeys", "ECPrivKeys", "ECPubKeys"] {
            for row in database.rows(table, &["id", "key"]) {
                if let (Some(id), Some(key)) = (row.integer("id"), row.bytes("key")) {
                    keys.insert(id, Zeroizing::new(key.to_vec()));
                }
            }
        }
        let mut pairs = BTreeMap::new();
        for table in PAIRS {
            for row in database.rows(table, &["id", "privKeyid", "pubKeyid"]) {
                if let Some(id) = row.integer("id") {
                    pairs.insert((table, id), (row.integer("privKeyid"), row.integer("pubKeyid")));
                }
            }
        }
        Self {
            database,
            keys,
            pairs,
            accounts: by_number(database.rows("Accounts", &["bareJid", "omemoInfoid"]), "omemoInfoid"),
            infos: database.rows("AccountInfos", &["id", "deviceId", "identityKeyid", "signedPreKeyid", "maxPreKeyId"]),
            chats: by_number(database.rows("Chats", &["bareJid", "accountBareJid", "omemoInfoid"]), "omemoInfoid"),
            devices: database.rows(
                "Devices",
                &[
                    "id",
                    "deviceId",
                    "deviceLabel",
                    "sessionid",
                    "fingerprintid",
                    "OmemoAccountInformationModelid",
                    "OmemoChatInformationModelid",
                ],
            ),
            fingerprints: by_number(database.rows("Fingerprints", &["id", "lastSeen", "trusted", "identityKeyid"]), "id"),
            sessions: by_number(
                database.rows(
                    "Sessions",
                    &[
                        "id",
                        "state",
                        "dhSid",
                        "dhRid",
                        "ekid",
                        "rk",
                        "ckS",
                        "ckR",
                        "nS",
                        "nR",
                        "pn",
                        "preKeyId",
                        "signedPreKeyId",
                        "assData",
                    ],
                ),
                "id",
            ),
            prekeys: by_number(database.rows("PreKeys", &["id", "keyId", "OmemoAccountInformationModelid"]), "id"),
            signed_prekeys: by_number(database.rows("SignedPreKeys", &["id", "preKeyId", "signature"]), "id"),
        }
    }

    fn public(&self, id: Option<i64>) -> Option<PublicKey> {
        self.keys.get(&id?).and_then(|bytes| PublicKey::from_bytes(bytes))
    }

    fn pair(&self, table: &'static str, id: Option<i64>) -> Option<(PublicKey, Zeroizing<Vec<u8>>)> {
        let id = id?;
        // One table for all key pairs of a base class is possible too.
        let tables = [table, "GenericECKeyPairModel", "GenericECKeyPairs"];
        let (private, public) = tables.into_iter().find_map(|table| self.pairs.get(&(table, id)))?;
        Some((self.public(*public)?, self.keys.get(&(*private)?)?.clone()))
    }

    fn key_pair(&self, table: &'static str, id: Option<i64>) -> Option<KeyPair> {
        let (public, private) = self.pair(table, id)?;
        Some(KeyPair { private: PrivateKey::from_bytes(&private)?, public })
    }

    fn fill(&self, info: &Row, builder: &mut AccountBuilder) {
        for row in &self.devices {
            let Some(jid) = self.owner(row, info, builder) else { continue };
            let device_id = row.id("deviceId");
            let name = format!("{jid}/{}", device_id.map_or_else(|| "?".into(), |id| id.to_string()));
            let place = self.database.place("Devices", name.clone());
            let print = row.integer("fingerprintid").and_then(|id| self.fingerprints.get(&id));
            let identity = print.and_then(|print| self.public(print.integer("identityKeyid"))).map(IdentityKey::from_curve);
            let trust = match print.and_then(|print| print.integer("trusted")) {
                Some(0) => Trust { word: "untrusted".into(), level: TrustLevel::Untrusted },
                Some(_) => Trust { word: "trusted".into(), level: TrustLevel::Trusted },
                None => Trust::unknown(),
            };
            let session = row.integer("sessionid").and_then(|id| self.sessions.get(&id));
            if let (Some(session), Some(id)) = (session, device_id) {
                let place = self.database.place("Sessions", name);
                match self.session(session, identity, builder) {
                    Some(record) => builder.session_record(&jid, id, record, place),
                    None => {
                        let scope = ProblemScope::Session { jid: jid.clone(), device_id: id };
                        builder.problem(
                            place,
                            scope,
                            "the session is damaged: a key or a counter is missing or of a wrong length",
                        );
                    }
                }
            }
            let seen = print.and_then(|print| print.text("lastSeen")).and_then(moment).filter(is_a_time);
            let label = row.text("deviceLabel").filter(|label| !label.is_empty());
            let label = label.map(|text| Label { text: text.into(), signature: LabelSignature::Unchecked });
            let device = builder.device(jid, device_id, identity, trust, place);
            // A device that leaves the list is deleted.
            device.activity = ActivityFacts { listed: Some(true), last_message: seen, ..ActivityFacts::default() };
            device.label = label;
        }
        for row in self.prekeys.values().filter(|row| row.integer("OmemoAccountInformationModelid") == info.integer("id")) {
            let id = row.id("keyId").unwrap_or_default();
            let place = self.database.place("PreKeys", id.to_string());
            match self.key_pair("PreKeys", row.integer("id")) {
                Some(pair) => builder.prekey_pair(id, pair, place),
                None => {
                    builder.problem(place, ProblemScope::PreKey(id), "the prekey is damaged: two keys of 32 bytes were expected")
                }
            }
        }
        if let Some(row) = info.integer("signedPreKeyid").and_then(|id| self.signed_prekeys.get(&id)) {
            let prekey = row.integer("preKeyId").and_then(|id| self.prekeys.get(&id));
            let id = prekey.and_then(|prekey| prekey.id("keyId")).unwrap_or_default();
            let place = self.database.place("SignedPreKeys", id.to_string());
            match self.key_pair("PreKeys", row.integer("preKeyId")) {
                Some(pair) => builder.signed_prekey_pair(id, pair, row.bytes("signature").map(<[u8]>::to_vec), None, place),
                None => builder.problem(
                    place,
                    ProblemScope::SignedPreKey(id),
                    "the signed prekey is damaged: two keys of 32 bytes were expected",
                ),
            }
        }
    }

    /// Whose device it is: ours, or the contact's of one of the account's chats. `None` for another account's.
    fn owner(&self, device: &Row, info: &Row, builder: &mut AccountBuilder) -> Option<BareJid> {
        let own = builder.account().jid.clone();
        if device.has("OmemoAccountInformationModelid") {
            return (device.integer("OmemoAccountInformationModelid") == info.integer("id")).then_some(own).flatten();
        }
        let link = device.integer("OmemoChatInformationModelid")?;
        let chat = self.chats.get(&link)?;
        let account = chat.text("accountBareJid").and_then(BareJid::as_stored);
        (account == own || own.is_none()).then(|| chat.text("bareJid").and_then(BareJid::as_stored)).flatten()
    }

    fn session(&self, row: &Row, remote: Option<IdentityKey>, builder: &mut AccountBuilder) -> Option<SessionRecord> {
        let local = builder.account().identity.as_ref()?.public;
        let chain = |key: &str, counter: &str| -> Option<ChainKey> {
            Some(ChainKey::new(row.id(counter)?, Secret::from_slice(row.bytes(key)?)?))
        };
        let associated = row.bytes("assData").filter(|bytes| bytes.len() == 64)?;
        let (first, second) = associated.split_at(32);
        let initiator =
            if first == local.curve().as_bytes() { Some(true) } else { (second == local.curve().as_bytes()).then_some(false) };
        let other = if initiator == Some(true) { second } else { first };
        let remote = remote.or_else(|| PublicKey::from_bytes(other).map(IdentityKey::from_curve))?;
        let ratchet_key = self.key_pair("GenericECKeyPairModel", row.integer("dhSid"));
        let base_key = self.public(row.integer("ekid"));
        let receiver = self.public(row.integer("dhRid")).zip(chain("ckR", "nR"));
        let pending = row.integer("state") == Some(0);
        let session = Session {
            namespace: Namespace::Omemo2,
            local_identity: local,
            remote_identity: remote,
            root_key: Some(RootKey::new(Secret::from_slice(row.bytes("rk")?)?)),
            sender_chain: ratchet_key.map(|ratchet_key| SenderChain { ratchet_key, chain_key: chain("ckS", "nS") }),
            receiver_chains: receiver.into_iter().map(|(key, chain)| ReceiverChain::new(key, chain)).collect(),
            previous_counter: row.id("pn").unwrap_or_default(),
            pending_prekey: base_key.filter(|_| pending).map(|base_key| PendingPreKey {
                prekey_id: row.id("preKeyId"),
                signed_prekey_id: row.id("signedPreKeyId").unwrap_or_default(),
                base_key,
            }),
            base_key,
            initiator,
            root_steps: None,
            stored_associated_data: Some(AssociatedData::stored(associated.to_vec())),
        };
        Some(SessionRecord { implementation: Implementation::PythonDoubleRatchet, current: Some(session), archived: Vec::new() })
    }
}

/// Rows by a column with whole numbers.
fn by_number(rows: Vec<Row>, column: &str) -> BTreeMap<i64, Row> {
    rows.into_iter().filter_map(|row| Some((row.integer(column)?, row))).collect()
}

/// .NET writes the year 1 for "never".
fn is_a_time(when: &When) -> bool {
    when.instant.is_some_and(|instant| instant.as_second() > 0)
}
