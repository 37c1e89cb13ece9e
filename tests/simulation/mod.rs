//! A sender made of our own types, for receivers to be tested with any order of messages.
#![allow(dead_code)] // Each test binary uses a part of this.
#![allow(clippy::unwrap_used)] // A test may panic.

pub mod conversation;

use aes::Aes256;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use omemoscope::omemo::ratchet::{ChainKey, Implementation, SenderChain, Session, SessionRecord};
use omemoscope::omemo::wire::{KeyExchange, RatchetMessage};
use omemoscope::omemo::x3dh::{self, PickedBundle};
use omemoscope::omemo::{IdentityKeyPair, KeyPair, Namespace, PrivateKey};

pub mod wire;

/// A key pair that is the same in each run.
pub fn pair(number: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes(&[number.wrapping_mul(37).wrapping_add(8); 32]).unwrap())
}

pub fn identity(number: u8) -> IdentityKeyPair {
    IdentityKeyPair::from_scalar_with_natural_sign(pair(number).private)
}

/// Alice, who began the session, and what Bob's record is after her key exchange came.
pub struct Sender {
    pub session: Session,
    pub exchange: KeyExchange,
    /// Bob's one-time prekey that she drew.
    prekey: Option<KeyPair>,
    previous_counter: u32,
    drawn: u8,
}

impl Sender {
    pub fn new(namespace: Namespace) -> Self {
        Self::drawing(namespace, Some((2, 6)), [3, 4])
    }

    /// Bob's bundle had no one-time prekey left.
    pub fn without_prekey(namespace: Namespace) -> Self {
        Self::drawing(namespace, None, [3, 4])
    }

    /// Alice begins once more, with Bob's prekey 3.
    pub fn again(namespace: Namespace) -> Self {
        Self::drawing(namespace, Some((3, 7)), [13, 14])
    }

    /// `prekey` is its id and the number of its pair, `own` those of the base key and the ratchet key.
    fn drawing(namespace: Namespace, prekey: Option<(u32, u8)>, own: [u8; 2]) -> Self {
        let (alice, bob) = (identity(1), identity(2));
        let (base_key, ratchet_key, signed_prekey) = (pair(own[0]), pair(own[1]), pair(5));
        let prekey_id = prekey.map(|(id, _)| id);
        let prekey = prekey.map(|(id, number)| (id, pair(number)));
        let bundle = PickedBundle {
            identity: bob.public,
            signed_prekey: (1, &signed_prekey.public),
            prekey: prekey.as_ref().map(|(id, pair)| (*id, &pair.public)),
        };
        let session = x3dh::initiate(namespace, &alice, &base_key, &ratchet_key, &bundle);
        let mut sender = Self {
            exchange: KeyExchange {
                prekey_id,
                signed_prekey_id: 1,
                base_key: base_key.public,
                identity_key: alice.public,
                registration_id: None,
                message: RatchetMessage {
                    ratchet_key: ratchet_key.public,
                    counter: 0,
                    previous_counter: 0,
                    ciphertext: Vec::new(),
                    mac: Vec::new(),
                    authenticated: Vec::new(),
                },
            },
            session,
            prekey: prekey.map(|(_, pair)| pair),
            previous_counter: 0,
            drawn: 100,
        };
        sender.exchange.message = sender.message(0);
        sender
    }

    /// Bob's record just before the first message.
    pub fn receiver(&self, implementation: Implementation) -> SessionRecord {
        let session = x3dh::respond(self.session.namespace, &identity(2), &pair(5), self.prekey.as_ref(), &self.exchange);
        SessionRecord { implementation, current: Some(session), archived: Vec::new() }
    }

    /// The message with this counter in the present chain; its plaintext is [`plaintext`].
    pub fn message(&self, counter: u32) -> RatchetMessage {
        let namespace = self.session.namespace;
        let chain = self.session.sender_chain.as_ref().unwrap();
        let mut message = RatchetMessage {
            ratchet_key: chain.ratchet_key.public,
            counter,
            previous_counter: self.previous_counter,
            ciphertext: Vec::new(),
            mac: vec![0; namespace.mac_length()],
            authenticated: [chain.ratchet_key.public.as_bytes().as_slice(), &counter.to_be_bytes()].concat(),
        };
        let key = self.session.own_message_key(&message).unwrap();
        let (cipher_key, _, iv) = key.cipher_keys(namespace);
        let plaintext = plaintext(&message);
        let mut buffer = vec![0; plaintext.len() + 16];
        buffer[..plaintext.len()].copy_from_slice(&plaintext);
        let encryptor = Encryptor::<Aes256>::new(cipher_key.expose().into(), iv.expose().into());
        message.ciphertext = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, plaintext.len()).unwrap().to_vec();
        self.authenticate(&mut message);
        message
    }

    /// Gives a message the MAC that belongs to its ciphertext.
    pub fn authenticate(&self, message: &mut RatchetMessage) {
        let key = self.session.own_message_key(message).unwrap();
        message.authenticated.truncate(36);
        message.authenticated.extend_from_slice(&message.ciphertext);
        let associated_data = self.session.associated_data(false).unwrap();
        message.mac = key.mac(self.session.namespace, &associated_data, &message.authenticated);
    }

    /// The receiver answered and Alice's ratchet turned: her next chain, and what Bob knows for it (the
    /// key he drew). `length` is what she writes as `pn`.
    pub fn turn(&mut self, receiver: &mut Session, previous_counter: u32) {
        let namespace = self.session.namespace;
        self.previous_counter = previous_counter;
        let (bobs, alices) = (pair(self.drawn), pair(self.drawn + 1));
        self.drawn += 2;
        let old = self.session.sender_chain.as_ref().unwrap().ratchet_key.clone();
        // Bob's second half step after Alice's present key, and Alice's first one.
        let root = self.root_after_answer(&old, &bobs);
        let (next_root, chain_key) = root.step(namespace, &alices.private, &bobs.public);
        receiver.root_key = Some(root);
        receiver.sender_chain = Some(SenderChain { ratchet_key: bobs, chain_key: None });
        self.session.root_key = Some(next_root);
        self.session.sender_chain = Some(SenderChain { ratchet_key: alices, chain_key: Some(chain_key) });
    }

    fn root_after_answer(&self, alices: &KeyPair, bobs: &KeyPair) -> omemoscope::omemo::ratchet::RootKey {
        let root = self.session.root_key.as_ref().unwrap();
        root.step(self.session.namespace, &bobs.private, &alices.public).0
    }
}

/// What the message with this ratchet key and counter says.
pub fn plaintext(message: &RatchetMessage) -> Vec<u8> {
    let first = message.ratchet_key.as_bytes()[0];
    [[first; 28].as_slice(), &message.counter.to_be_bytes()].concat()
}

/// A chain with this index, for records made by hand.
pub fn chain_key(index: u32) -> ChainKey {
    ChainKey::new(0, omemoscope::secret::Secret::new([9; 32])).advance(index)
}
