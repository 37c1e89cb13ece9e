//! Filling an [`Account`] from what a reader finds, with the checks that hold for every client.

use super::sqlite::Row;
use crate::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Device, Place, Problem, ProblemScope, StoredPreKey, StoredSession,
    StoredSignedPreKey, Trust, When,
};
use crate::omemo::curve::{KeyPair, PrivateKey};
use crate::omemo::ratchet::SessionRecord;
use crate::omemo::session_record::{javascript, libsignal};
use crate::omemo::{IdentityKey, IdentityKeyPair, Namespace};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// Accounts read from one store at most: nobody has more, but a forged file could make each of them cost a
/// walk through all its rows.
pub const MAX_ACCOUNTS: usize = 100;

/// A problem if a store names more accounts than are read.
pub fn too_many_accounts(count: usize, place: &Place) -> Option<Problem> {
    let says = format!("it names {count} accounts; only the first {MAX_ACCOUNTS} were read");
    (count > MAX_ACCOUNTS).then(|| Problem { place: place.clone(), says, scope: ProblemScope::Store })
}

/// Base64 as clients write it: with or without padding, loose bits at the end allowed.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Decodes base64, wrapped lines included; `None` if it is none.
pub fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text: Zeroizing<Vec<u8>> = Zeroizing::new(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    LENIENT.decode(text.as_slice()).ok().map(Zeroizing::new)
}

/// An account that is being read.
#[derive(Debug)]
pub struct AccountBuilder {
    account: Account,
}

impl AccountBuilder {
    /// An account of a client with nothing in it yet.
    pub fn new(client: &'static ClientProfile, version: impl Into<String>, place: Place) -> Self {
        Self {
            account: Account {
                client,
                version: version.into(),
                jid: None,
                own_device_id: None,
                identity: None,
                devices: Vec::new(),
                sessions: Vec::new(),
                prekeys: Vec::new(),
                signed_prekeys: Vec::new(),
                highest_prekey_id: None,
                place,
                problems: Vec::new(),
            },
        }
    }

    /// What is there so far.
    pub fn account(&mut self) -> &mut Account {
        &mut self.account
    }

    /// Notes a problem.
    pub fn problem(&mut self, place: Place, scope: ProblemScope, says: impl Into<String>) {
        self.account.problems.push(Problem { place, says: says.into(), scope });
    }

    /// Our identity key pair from stored bytes: public 33 bytes (Curve25519) or 32 (Ed25519), private 32.
    pub fn identity(&mut self, public: Option<&[u8]>, private: Option<&[u8]>, place: Place) {
        let private = private.and_then(PrivateKey::from_bytes);
        let public = public.and_then(IdentityKey::from_record);
        match (public, private) {
            (Some(public), Some(private)) => self.identity_pair(IdentityKeyPair { public, private }, place),
            (None, Some(private)) => {
                let public = IdentityKey::from_curve(private.public());
                self.problem(
                    place,
                    ProblemScope::OwnKeys,
                    "our public identity key is missing or damaged; it was computed from the private one",
                );
                self.account.identity = Some(IdentityKeyPair { public, private });
            }
            _ => self.problem(
                place,
                ProblemScope::OwnKeys,
                "our private identity key is missing or damaged; 32 bytes were expected",
            ),
        }
    }

    /// Our identity key pair from a libsignal `IdentityKeyPairStructure`.
    pub fn identity_record(&mut self, record: Option<&[u8]>, place: Place) {
        match record.map(libsignal::identity_key_pair) {
            Some(Ok(pair)) => self.identity_pair(pair, place),
            Some(Err(error)) => self.problem(place, ProblemScope::OwnKeys, format!("our identity key pair is damaged: {error}")),
            None => self.problem(place, ProblemScope::OwnKeys, "our identity key pair is missing"),
        }
    }

    fn identity_pair(&mut self, pair: IdentityKeyPair, place: Place) {
        if !pair.is_consistent() {
            self.problem(
                place,
                ProblemScope::OwnKeys,
                "the public and the private half of our identity key do not belong together",
            );
        }
        self.account.identity = Some(pair);
    }

    /// Our device id.
    pub fn own_device_id(&mut self, id: Option<u32>, place: Place) {
        if id.is_none_or(|id| id == 0) {
            self.problem(place, ProblemScope::OwnKeys, "our device id is missing or zero");
        }
        self.account.own_device_id = id;
    }

    /// A session from a libsignal `RecordStructure`. Gives the identity key that the record binds the device
    /// to; `None` if it holds none.
    pub fn session(&mut self, jid: &BareJid, device_id: u32, record: Option<&[u8]>, place: Place) -> Option<IdentityKey> {
        let scope = ProblemScope::Session { jid: jid.clone(), device_id };
        let Some(bytes) = record.filter(|bytes| !bytes.is_empty()) else {
            self.problem(place, scope, "the session record is missing or empty");
            return None;
        };
        let parsed = match libsignal::session_record(bytes, self.account.client.implementation) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.problem(place, scope, format!("the session record of {} bytes is damaged: {error}", bytes.len()));
                return None;
            }
        };
        for says in parsed.problems {
            self.problem(place.clone(), scope.clone(), format!("the session record is damaged: {says}"));
        }
        let record = parsed.value;
        let identity = remote_identity(&record);
        self.session_record(jid, device_id, record, place);
        identity
    }

    /// A session that has been decoded already.
    pub fn session_record(&mut self, jid: &BareJid, device_id: u32, record: SessionRecord, place: Place) {
        let state = record.current.as_ref().or(record.archived.first());
        let namespace = state.map_or(self.first_namespace(), |state| state.namespace);
        self.account.sessions.push(StoredSession { jid: jid.clone(), device_id, namespace, record, place });
    }

    /// A one-time prekey from a libsignal `PreKeyRecordStructure`; `id` is what the store calls it.
    pub fn prekey(&mut self, id: Option<u32>, record: Option<&[u8]>, place: Place) {
        let scope = ProblemScope::PreKey(id.unwrap_or_default());
        match record.map(libsignal::prekey) {
            Some(Ok(prekey)) => self.prekey_pair(id.unwrap_or(prekey.id), prekey.pair, place),
            Some(Err(error)) => self.problem(place, scope, format!("the prekey record is damaged: {error}")),
            None => self.problem(place, scope, "the prekey record is missing or no bytes"),
        }
    }

    /// A one-time prekey's keys. Whether the halves belong together is asked only where it matters, of the prekeys
    /// that are used and by `inspect`: for hundreds of them the answer takes longer than reading a small store.
    pub fn prekey_pair(&mut self, id: u32, pair: KeyPair, place: Place) {
        let namespaces = self.account.client.namespaces.to_vec();
        self.account.prekeys.push(StoredPreKey { id, pair, namespaces, place });
    }

    /// A signed prekey from a libsignal `SignedPreKeyRecordStructure`. `created` overrides the record's own
    /// time, whose unit differs between clients.
    pub fn signed_prekey(&mut self, id: Option<u32>, record: Option<&[u8]>, created: Created, place: Place) {
        let scope = ProblemScope::SignedPreKey(id.unwrap_or_default());
        match record.map(libsignal::signed_prekey) {
            Some(Ok(prekey)) => {
                let stamp = prekey.timestamp.and_then(|stamp| i64::try_from(stamp).ok());
                let created = match created {
                    Created::Known(when) => when,
                    Created::RecordMillis => stamp.and_then(When::from_unix_millis),
                    Created::RecordSeconds => stamp.and_then(When::from_unix_seconds),
                };
                // libomemo-c signs both forms of the key; OMEMO 2 publishes the second signature.
                let signature =
                    prekey.signature_omemo.filter(|_| self.first_namespace() != Namespace::Legacy).unwrap_or(prekey.signature);
                self.signed_prekey_pair(id.unwrap_or(prekey.id), prekey.pair, Some(signature), created, place);
            }
            Some(Err(error)) => self.problem(place, scope, format!("the signed prekey record is damaged: {error}")),
            None => self.problem(place, scope, "the signed prekey record is missing or no bytes"),
        }
    }

    /// A signed prekey's keys.
    pub fn signed_prekey_pair(
        &mut self,
        id: u32,
        pair: KeyPair,
        signature: Option<Vec<u8>>,
        created: Option<When>,
        place: Place,
    ) {
        if !pair.is_consistent() {
            let says = "the public and the private half of the signed prekey do not belong together";
            self.problem(place.clone(), ProblemScope::SignedPreKey(id), says);
        }
        let signature = signature.filter(|signature| !signature.is_empty());
        let namespaces = self.account.client.namespaces.to_vec();
        self.account.signed_prekeys.push(StoredSignedPreKey { id, pair, signature, created, namespaces, place });
    }

    /// A session in the JSON of JavaScript libsignal (legacy OMEMO). Gives the identity key it is bound to.
    pub fn javascript_session(
        &mut self,
        jid: &BareJid,
        id: u32,
        record: Result<Value, String>,
        place: Place,
    ) -> Option<IdentityKey> {
        let scope = ProblemScope::Session { jid: jid.clone(), device_id: id };
        let Some(own) = self.account.identity.as_ref().map(|pair| pair.public) else {
            self.problem(place, scope, "without our identity key this session cannot be used");
            return None;
        };
        let read = record
            .and_then(|record| javascript::session_record(&record, &own, Namespace::Legacy).map_err(|error| error.to_string()));
        match read {
            Ok(read) => {
                for problem in read.problems {
                    self.problem(place.clone(), scope.clone(), problem.to_string());
                }
                let remote = remote_identity(&read.record);
                self.session_record(jid, id, read.record, place);
                remote
            }
            Err(says) => {
                self.problem(place, scope, says);
                None
            }
        }
    }

    /// A device with nothing but its names; the caller fills in the rest.
    pub fn device(
        &mut self,
        jid: BareJid,
        device_id: Option<u32>,
        identity: Option<IdentityKey>,
        trust: Trust,
        place: Place,
    ) -> &mut Device {
        let namespaces = self.account.client.namespaces.to_vec();
        let activity = ActivityFacts::default();
        self.account.devices.push(Device {
            trust_place: None,
            jid,
            device_id,
            identity,
            trust,
            activity,
            label: None,
            namespaces,
            place,
        });
        let last = self.account.devices.len() - 1;
        &mut self.account.devices[last]
    }

    /// Joins keys with sessions where the store keeps them apart: only the identity key inside a session
    /// tells the device id of a key. A key without a session becomes a device without an id.
    pub fn link(&mut self, mut keys: Vec<KnownKey>, sessions: Vec<KnownSession<'_>>) {
        let mut linked = vec![false; keys.len()];
        let mut places = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            places.entry((key.jid.clone(), key.identity)).or_insert(index);
        }
        for known in sessions {
            let before = self.account.sessions.len();
            let identity = self.session(&known.jid, known.device_id, known.record, known.place.clone());
            let unanswered = self.account.sessions.get(before).and_then(|session| unanswered(&session.record));
            let key = places.get(&(known.jid.clone(), identity)).filter(|_| identity.is_some());
            let (trust, mut activity, trust_place) = match key.copied().and_then(|index| Some((index, keys.get(index)?))) {
                Some((index, key)) => {
                    linked[index] = true;
                    (key.trust.clone(), key.activity.clone(), Some(key.place.clone()))
                }
                None => (Trust::unknown(), ActivityFacts::default(), None),
            };
            activity.unanswered = unanswered;
            activity.listed = known.listed.or(activity.listed);
            let device = self.device(known.jid, Some(known.device_id), identity, trust, known.place);
            device.activity = activity;
            device.trust_place = trust_place;
        }
        for (key, linked) in keys.drain(..).zip(linked) {
            if !linked {
                self.device(key.jid, None, key.identity, key.trust, key.place).activity = key.activity;
            }
        }
    }

    /// The address in a column, or a problem.
    pub fn jid(&mut self, row: &Row, column: &str, place: &Place) -> Option<BareJid> {
        let jid = row.text(column).and_then(BareJid::as_stored);
        if jid.is_none() {
            self.problem(place.clone(), ProblemScope::Other, format!("column {column} holds no address"));
        }
        jid
    }

    /// The account without our own device among the others. Notes missing keys.
    pub fn finish(mut self) -> Account {
        let own = (self.account.own_device_id, self.account.identity.as_ref().map(|pair| pair.public));
        let own_jid = self.account.jid.clone();
        let is_own = |jid: &BareJid, id: Option<u32>, identity: Option<&IdentityKey>| {
            let same_id = own.0.is_some() && id == own.0;
            let same_key = identity.is_some() && identity == own.1.as_ref();
            // Another account may use our id, so the id alone counts only under our own address.
            same_key || (same_id && own_jid.as_ref() == Some(jid) && (identity.is_none() || own.1.is_none()))
        };
        self.account.devices.retain(|device| !is_own(&device.jid, device.device_id, device.identity.as_ref()));
        self.account
            .sessions
            .retain(|session| !is_own(&session.jid, Some(session.device_id), remote_identity(&session.record).as_ref()));
        if self.account.identity.is_none() && !self.account.problems.iter().any(|problem| problem.scope == ProblemScope::OwnKeys)
        {
            let place = self.account.place.clone();
            self.problem(place, ProblemScope::OwnKeys, "our own identity key is not in the store");
        }
        self.account
    }

    fn first_namespace(&self) -> Namespace {
        self.account.client.namespaces.first().copied().unwrap_or(Namespace::Legacy)
    }
}

/// An identity key in a store that does not tell its device id.
#[derive(Debug)]
pub struct KnownKey {
    /// Whose.
    pub jid: BareJid,
    /// The key.
    pub identity: Option<IdentityKey>,
    /// Trust in it.
    pub trust: Trust,
    /// Use of it.
    pub activity: ActivityFacts,
    /// Where it stands.
    pub place: Place,
}

/// A session in a store that keeps its identity key only inside.
#[derive(Debug)]
pub struct KnownSession<'a> {
    /// With whom.
    pub jid: BareJid,
    /// With which device.
    pub device_id: u32,
    /// The libsignal `RecordStructure`.
    pub record: Option<&'a [u8]>,
    /// On the device list, where that is kept with the session.
    pub listed: Option<bool>,
    /// Where it stands.
    pub place: Place,
}

/// When a signed prekey was made.
#[derive(Clone, Debug)]
pub enum Created {
    /// The store says it beside the record.
    Known(Option<When>),
    /// The record's time stamp counts milliseconds.
    RecordMillis,
    /// The record's time stamp counts seconds.
    RecordSeconds,
}

/// The other side's identity key as the newest state of a record holds it.
pub fn remote_identity(record: &SessionRecord) -> Option<IdentityKey> {
    record.current.as_ref().or(record.archived.first()).map(|state| state.remote_identity)
}

/// A moment as stores write it in text: ISO 8601 with zone, or `YYYY-MM-DD HH:MM:SS[.fraction]` in UTC.
pub fn moment(text: &str) -> Option<When> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(When::at(instant));
    }
    let written: jiff::civil::DateTime = text.parse().ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(written).ok().map(When::at)
}

/// Messages sent in a row without an answer: the counter of our current sending chain.
pub fn unanswered(record: &SessionRecord) -> Option<u32> {
    record.current.as_ref()?.sender_chain.as_ref()?.chain_key.as_ref().map(|key| key.index)
}
