//! Two devices that write to each other, with their stores and the stanzas as a log shows them.

use super::wire::{authenticated, bytes, exchange};
use super::{Sender, identity, pair, plaintext};
use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use omemoscope::input::store::FORMATS;
use omemoscope::model::{Account, BareJid, ClientProfile, Device, Place, Store, StoredSession};
use omemoscope::omemo::ratchet::{SenderChain, Session, SessionRecord};
use omemoscope::omemo::wire::{KeyExchange, RatchetMessage};
use omemoscope::omemo::x3dh::{self, PickedBundle};
use omemoscope::omemo::{IdentityKeyPair, Namespace};
use std::path::Path;
use std::sync::Arc;

/// One of the two.
#[derive(Clone)]
pub struct End {
    pub jid: &'static str,
    pub device: u32,
    pub identity: IdentityKeyPair,
    pub session: Session,
    pub devices: Vec<Device>,
    peer: (&'static str, u32),
    client: &'static ClientProfile,
    drawn: u8,
}

/// The client with this name.
pub fn client(name: &str) -> &'static ClientProfile {
    FORMATS.iter().map(|f| f.client).find(|c| c.name == name).unwrap()
}

/// Alice and Bob after her first message, both with this client.
pub fn alice_and_bob(namespace: Namespace, client: &'static ClientProfile) -> (End, End) {
    let (alice, bob) = (identity(1), identity(2));
    let (base_key, ratchet_key, signed_prekey, prekey) = (pair(3), pair(4), pair(5), pair(6));
    let bundle =
        PickedBundle { identity: bob.public, signed_prekey: (1, &signed_prekey.public), prekey: Some((2, &prekey.public)) };
    let mut session = x3dh::initiate(namespace, &alice, &base_key, &ratchet_key, &bundle);
    session.pending_prekey = None;
    let end = |jid, device, identity, session, peer, drawn| End {
        jid,
        device,
        identity,
        session,
        devices: Vec::new(),
        peer,
        client,
        drawn,
    };
    let (a, b) = (("alice@example.org", 11), ("bob@example.org", 22));
    let mut alices = end(a.0, a.1, alice.clone(), session, b, 100);
    let first = alices.send();
    let exchange = KeyExchange {
        prekey_id: Some(2),
        signed_prekey_id: 1,
        base_key: base_key.public,
        identity_key: alice.public,
        registration_id: None,
        message: first.clone(),
    };
    let session = x3dh::respond(namespace, &bob, &signed_prekey, Some(&prekey), &exchange);
    let mut bobs = end(b.0, b.1, bob, session, a, 101);
    assert!(bobs.receive(&first));
    (alices, bobs)
}

impl End {
    /// Encrypts the next message.
    pub fn send(&mut self) -> RatchetMessage {
        let namespace = self.session.namespace;
        let chain = self.session.sender_chain.as_ref().unwrap();
        let key = chain.chain_key.clone().unwrap();
        let mut message = RatchetMessage {
            ratchet_key: chain.ratchet_key.public,
            counter: key.index,
            previous_counter: self.session.previous_counter,
            ciphertext: Vec::new(),
            mac: Vec::new(),
            authenticated: Vec::new(),
        };
        let message_key = key.message_key();
        let (cipher_key, _, iv) = message_key.cipher_keys(namespace);
        // The device writes, so that two copies of one store write different texts.
        let mut plaintext = plaintext(&message);
        plaintext[0] = self.drawn;
        let mut buffer = vec![0; plaintext.len() + 16];
        buffer[..plaintext.len()].copy_from_slice(&plaintext);
        let encryptor = Encryptor::<Aes256>::new(cipher_key.expose().into(), iv.expose().into());
        message.ciphertext = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, plaintext.len()).unwrap().to_vec();
        message.authenticated = authenticated(namespace, &message);
        let data = self.session.associated_data(false).unwrap();
        message.mac = message_key.mac(namespace, &data, &message.authenticated);
        self.session.sender_chain.as_mut().unwrap().chain_key = Some(key.next());
        message
    }

    /// Reads a message, and turns the ratchet if it begins a chain.
    pub fn receive(&mut self, message: &RatchetMessage) -> bool {
        let namespace = self.session.namespace;
        let Some(mut next) = self.session.receive(message, &self.client.implementation.limits()).next else { return false };
        if next.sender_chain.is_none() {
            let old = &self.session.sender_chain.as_ref().unwrap().ratchet_key;
            let (root, _) = self.session.root_key.as_ref().unwrap().step(namespace, &old.private, &message.ratchet_key);
            let drawn = pair(self.drawn);
            self.drawn = self.drawn.wrapping_add(2);
            let (root, chain_key) = root.step(namespace, &drawn.private, &message.ratchet_key);
            next.root_key = Some(root);
            next.sender_chain = Some(SenderChain { ratchet_key: drawn, chain_key: Some(chain_key) });
        }
        self.session = next;
        true
    }

    /// A copy of its profile that draws other random numbers.
    pub fn cloned(&self) -> Self {
        Self { drawn: self.drawn.wrapping_add(60), ..self.clone() }
    }

    /// Its store.
    pub fn store(&self) -> Store {
        let place = |key: &str| Place::key(&Arc::from(Path::new(self.jid)), key);
        let implementation = self.client.implementation;
        let account = Account {
            client: self.client,
            version: String::new(),
            jid: BareJid::new(self.jid),
            own_device_id: Some(self.device),
            identity: Some(self.identity.clone()),
            devices: self.devices.clone(),
            sessions: vec![StoredSession {
                jid: BareJid::new(self.peer.0).unwrap(),
                device_id: self.peer.1,
                namespace: self.session.namespace,
                record: SessionRecord { implementation, current: Some(self.session.clone()), archived: Vec::new() },
                place: place("session"),
            }],
            prekeys: Vec::new(),
            signed_prekeys: Vec::new(),
            highest_prekey_id: None,
            place: place("account"),
            problems: Vec::new(),
        };
        Store { path: self.jid.into(), accounts: vec![account], problems: Vec::new() }
    }

    /// The stanza with this message, as a log shows it.
    pub fn stanza(&self, id: &str, message: &RatchetMessage) -> String {
        self.stanza_with(id, "phone", message, "")
    }

    /// The same, from this resource and with something more in it.
    pub fn stanza_with(&self, id: &str, resource: &str, message: &RatchetMessage, more: &str) -> String {
        self.with_key(id, resource, "", &key_element(self.session.namespace, message), more)
    }

    /// Alice's first message, with the key exchange that [`alice_and_bob`] is made by.
    pub fn exchange_stanza(&self, id: &str, message: &RatchetMessage) -> String {
        let namespace = self.session.namespace;
        let key = exchange(namespace, &Sender::new(namespace).exchange, &key_element(namespace, message));
        self.with_key(id, "phone", if namespace.is_legacy() { " prekey='true'" } else { " kex='true'" }, &key, "")
    }

    fn with_key(&self, id: &str, resource: &str, flag: &str, key: &[u8], more: &str) -> String {
        let namespace = self.session.namespace;
        let key = STANDARD.encode(key);
        let (to, rid) = self.peer;
        let header = if namespace.is_legacy() {
            format!("<key rid='{rid}'{flag}>{key}</key><iv>AAAAAAAAAAAAAAAA</iv>")
        } else {
            format!("<keys jid='{to}'><key rid='{rid}'{flag}>{key}</key></keys>")
        };
        format!(
            "<message xmlns='jabber:client' from='{}/{resource}' to='{to}' type='chat' id='{id}'>\
             <encrypted xmlns='{}'><header sid='{}'>{header}</header></encrypted>{more}</message>\n",
            self.jid,
            namespace.uri(),
            self.device
        )
    }

    /// The stanza of the next message.
    pub fn next_stanza(&mut self, id: &str) -> String {
        let message = self.send();
        self.stanza(id, &message)
    }

    /// The stanza with a delay stamp.
    pub fn delayed(&self, id: &str, stamp: &str, message: &RatchetMessage) -> String {
        self.stanza_with(id, "phone", message, &format!("<delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>"))
    }
}

/// Writes a message and has it read.
pub fn one_way(from: &mut End, to: &mut End) -> RatchetMessage {
    let message = from.send();
    assert!(to.receive(&message));
    message
}

/// Both write, so that both ratchets turn.
pub fn round(alice: &mut End, bob: &mut End) {
    one_way(bob, alice);
    one_way(alice, bob);
}

fn key_element(namespace: Namespace, message: &RatchetMessage) -> Vec<u8> {
    if namespace.is_legacy() {
        [message.authenticated.as_slice(), &message.mac].concat()
    } else {
        [bytes(1, &message.mac), bytes(2, &message.authenticated)].concat()
    }
}
