//! Messages as they stand in a key element.

use super::Sender;
use aes::Aes256;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use omemoscope::omemo::wire::{KeyExchange, RatchetMessage};
use omemoscope::omemo::{IdentityKey, Namespace};

impl Sender {
    /// The message with this counter in the present chain, with this key material inside.
    pub fn wire(&self, counter: u32, key_material: &[u8]) -> Vec<u8> {
        let namespace = self.session.namespace;
        let mut message = RatchetMessage { counter, ..self.message(counter) };
        let key = self.session.own_message_key(&message).unwrap();
        let (cipher_key, _, iv) = key.cipher_keys(namespace);
        let mut buffer = vec![0; key_material.len() + 16];
        buffer[..key_material.len()].copy_from_slice(key_material);
        let encryptor = Encryptor::<Aes256>::new(cipher_key.expose().into(), iv.expose().into());
        message.ciphertext = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, key_material.len()).unwrap().to_vec();
        let authenticated = authenticated(namespace, &message);
        let associated_data = self.session.associated_data(false).unwrap();
        let mac = key.mac(namespace, &associated_data, &authenticated);
        if namespace.is_legacy() { [authenticated, mac].concat() } else { [bytes(1, &mac), bytes(2, &authenticated)].concat() }
    }

    /// A message in Alice's key exchange.
    pub fn exchange_around(&self, message: &[u8]) -> Vec<u8> {
        exchange(self.session.namespace, &self.exchange, message)
    }
}

/// A key exchange around a message.
pub fn exchange(namespace: Namespace, exchange: &KeyExchange, message: &[u8]) -> Vec<u8> {
    if !namespace.is_legacy() {
        let prekey = exchange.prekey_id.map(|id| number(1, id)).unwrap_or_default();
        let identity = bytes(3, &edwards(&exchange.identity_key));
        let keys = [identity, bytes(4, exchange.base_key.as_bytes()), bytes(5, message)].concat();
        return [prekey, number(2, exchange.signed_prekey_id), keys].concat();
    }
    let prekey = exchange.prekey_id.map(|id| number(1, id)).unwrap_or_default();
    let keys = [bytes(2, &exchange.base_key.to_signal()), bytes(3, &exchange.identity_key.curve().to_signal())].concat();
    [vec![0x33], prekey, keys, bytes(4, message), number(5, 1), number(6, exchange.signed_prekey_id)].concat()
}

fn edwards(identity: &IdentityKey) -> [u8; 32] {
    *identity.edwards().unwrap()
}

/// What the MAC is computed over, besides the identity keys.
pub fn authenticated(namespace: Namespace, message: &RatchetMessage) -> Vec<u8> {
    let (counter, previous) = (message.counter, message.previous_counter);
    if namespace.is_legacy() {
        let fields = [bytes(1, &message.ratchet_key.to_signal()), number(2, counter), number(3, previous)].concat();
        [vec![0x33], fields, bytes(4, &message.ciphertext)].concat()
    } else {
        let counters = [number(1, counter), number(2, previous)].concat();
        [counters, bytes(3, message.ratchet_key.as_bytes()), bytes(4, &message.ciphertext)].concat()
    }
}

/// A field of protobuf: a number (wire type 0).
pub fn number(field: u8, value: u32) -> Vec<u8> {
    [vec![field << 3], varint(value)].concat()
}

/// A field of protobuf: bytes (wire type 2).
pub fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    [vec![field << 3 | 2], varint(u32::try_from(content.len()).unwrap()), content.to_vec()].concat()
}

fn varint(mut value: u32) -> Vec<u8> {
    let mut found = Vec::new();
    while value >= 0x80 {
        found.push(value as u8 | 0x80);
        value >>= 7;
    }
    found.push(value as u8);
    found
}
