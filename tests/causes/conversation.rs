//! A conversation made in code: Alice's device writes to ours, Bob's, and our account is what a reader would
//! have made of our client's store.

use crate::common::{captured, diagnose};
use crate::simulation::{Sender, identity, pair};
use crate::stanzas::{OURS, THEIRS};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omemoscope::analysis::investigation::Question;
use omemoscope::input::store::FORMATS;
use omemoscope::model::{
    Account, ActivityFacts, BareJid, ClientProfile, Device, Diagnosis, Place, Store, StoredPreKey, StoredSession,
    StoredSignedPreKey, Trust, TrustLevel,
};
use omemoscope::omemo::ratchet::SessionRecord;
use omemoscope::omemo::{Namespace, PublicKey};
use std::path::Path;

pub const ALICE: &str = "alice@example.org";
pub const BOB: &str = "bob@example.org";

/// The profile of a client by its name.
pub fn client(name: &str) -> &'static ClientProfile {
    FORMATS.iter().map(|f| f.client).find(|c| c.name == name).unwrap()
}

pub struct Conversation {
    pub alice: Sender,
    pub account: Account,
    pub peers: Vec<Account>,
    /// The capture: stanzas one after the other.
    pub log: Vec<String>,
}

impl Conversation {
    /// Nothing has been said yet: we know Alice's device and have the prekeys that she will draw.
    pub fn new(client: &'static ClientProfile, namespace: Namespace) -> Self {
        let place = Place::whole(&Path::new("store").into());
        let prekey = |id, number| StoredPreKey { id, pair: pair(number), namespaces: vec![namespace], place: place.clone() };
        let account = Account {
            client,
            version: String::new(),
            jid: BareJid::new(BOB),
            own_device_id: Some(OURS),
            identity: Some(identity(2)),
            devices: vec![device(ALICE, THEIRS, 1, namespace)],
            sessions: Vec::new(),
            prekeys: vec![prekey(2, 6), prekey(3, 7)],
            signed_prekeys: vec![StoredSignedPreKey {
                id: 1,
                pair: pair(5),
                signature: None,
                created: None,
                namespaces: vec![namespace],
                place: place.clone(),
            }],
            highest_prekey_id: Some(100),
            place,
            problems: Vec::new(),
        };
        Self { alice: Sender::new(namespace), account, peers: Vec::new(), log: Vec::new() }
    }

    /// Our record after Alice's first message (counter 0).
    pub fn record(&self) -> SessionRecord {
        let mut record = self.alice.receiver(self.account.client.implementation);
        record.apply(&record.receive(&self.alice.message(0)));
        record
    }

    /// A session with Alice's device stands in the store under this address.
    pub fn session(&mut self, address: &str, record: SessionRecord) {
        let place = Place::row(&Path::new("store").into(), "sessions", format!("{address}/{THEIRS}"));
        self.account.sessions.push(StoredSession {
            jid: BareJid::as_stored(address).unwrap(),
            device_id: THEIRS,
            namespace: self.alice.session.namespace,
            record,
            place,
        });
    }

    /// With the session in which Alice's first message has been read; its prekey is gone.
    pub fn begun(client: &'static ClientProfile, namespace: Namespace) -> Self {
        let mut conversation = Self::new(client, namespace);
        let record = conversation.record();
        conversation.session(ALICE, record);
        conversation.account.prekeys.retain(|prekey| prekey.id != 2);
        conversation
    }

    /// An ordinary message of Alice's present chain. It carries no text.
    pub fn says(&mut self, id: &str, counter: u32) -> &mut Self {
        let stanza = self.stanza(id, &self.key(counter));
        self.heard(stanza)
    }

    /// A key exchange of Alice with her present chain.
    pub fn begins(&mut self, id: &str, counter: u32) -> &mut Self {
        let stanza = self.stanza(id, &self.exchange_key(counter));
        self.heard(stanza)
    }

    pub fn heard(&mut self, stanza: impl Into<String>) -> &mut Self {
        self.log.push(stanza.into());
        self
    }

    /// The key element of an ordinary message.
    pub fn key(&self, counter: u32) -> String {
        key_element(OURS, "", &self.alice.wire(counter, &self.empty()))
    }

    /// The key element of a key exchange.
    pub fn exchange_key(&self, counter: u32) -> String {
        let message = self.alice.wire(counter, &self.empty());
        key_element(OURS, &self.flag(), &self.alice.exchange_around(&message))
    }

    /// The attribute of a key exchange.
    pub fn flag(&self) -> String {
        let name = if self.alice.session.namespace.is_legacy() { "prekey" } else { "kex" };
        format!(" {name}='true'")
    }

    /// Key material of a message without text.
    fn empty(&self) -> [u8; 32] {
        [0; 32]
    }

    /// A message of Alice without text.
    pub fn stanza(&self, id: &str, keys: &str) -> String {
        self.sealed(id, keys, "", "")
    }

    /// A message of Alice with what stands beside the keys: `iv` in the header, and a payload.
    pub fn sealed(&self, id: &str, keys: &str, iv: &str, payload: &str) -> String {
        let namespace = self.alice.session.namespace;
        let keys = if namespace.is_legacy() { keys.to_owned() } else { format!("<keys jid='{BOB}'>{keys}</keys>") };
        format!(
            "<message xmlns='jabber:client' from='{ALICE}/a' to='{BOB}/b' type='chat' id='{id}'>\
             <encrypted xmlns='{namespace}'><header sid='{THEIRS}'>{keys}{iv}</header>{payload}</encrypted></message>\n",
            namespace = namespace.uri(),
        )
    }

    pub fn diagnose(&self) -> Diagnosis {
        let store = |account: &Account| Store { path: "store".into(), accounts: vec![account.clone()], problems: Vec::new() };
        let question =
            Question { stores: vec![store(&self.account)], peers: self.peers.iter().map(store).collect(), ..Question::default() };
        let file = captured(&self.log.concat());
        diagnose(question, file.path())
    }
}

/// A device that an account knows; `number` names its identity key.
pub fn device(jid: &str, id: u32, number: u8, namespace: Namespace) -> Device {
    Device {
        trust_place: None,
        jid: BareJid::new(jid).unwrap(),
        device_id: Some(id),
        identity: Some(identity(number).public),
        trust: Trust { word: "trusted".into(), level: TrustLevel::Trusted },
        activity: ActivityFacts::default(),
        label: None,
        namespaces: vec![namespace],
        place: Place::whole(&Path::new("store").into()),
    }
}

pub fn key_element(rid: u32, attributes: &str, content: &[u8]) -> String {
    format!("<key rid='{rid}'{attributes}>{}</key>", STANDARD.encode(content))
}

/// Our own bundle in OMEMO 2's or the legacy form, unsigned, with these one-time prekeys.
pub fn our_bundle(namespace: Namespace, prekeys: &[(u32, PublicKey)]) -> String {
    let b64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let identity = identity(2).public;
    let (node, item, bundle) = if namespace.is_legacy() {
        let keys: String = prekeys
            .iter()
            .map(|(id, key)| format!("<preKeyPublic preKeyId='{id}'>{}</preKeyPublic>", b64(&key.to_signal())))
            .collect();
        let bundle = format!(
            "<bundle xmlns='{uri}'><identityKey>{}</identityKey><prekeys>{keys}</prekeys></bundle>",
            b64(&identity.curve().to_signal()),
            uri = namespace.uri()
        );
        (format!("{}.bundles:{OURS}", namespace.uri()), "current".to_owned(), bundle)
    } else {
        let keys: String = prekeys.iter().map(|(id, key)| format!("<pk id='{id}'>{}</pk>", b64(key.as_bytes()))).collect();
        let bundle = format!(
            "<bundle xmlns='{uri}'><ik>{}</ik><prekeys>{keys}</prekeys></bundle>",
            b64(identity.edwards().unwrap()),
            uri = namespace.uri()
        );
        (format!("{}:bundles", namespace.uri()), OURS.to_string(), bundle)
    };
    format!(
        "<message xmlns='jabber:client' from='{BOB}' to='{BOB}/b'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='{node}'><item id='{item}'>{bundle}</item></items></event></message>\n"
    )
}
