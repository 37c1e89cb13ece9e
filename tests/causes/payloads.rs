//! What is packed beside the key, and what stands inside.

use crate::conversation::{BOB, Conversation, client, key_element};
use crate::pairs::{Pair, pair};
use crate::stanzas::OURS;
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use hmac::Mac;
use omemoscope::model::{Code, Diagnosis};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    // Newer versions of Monal refuse a long IV, Gajim takes it.
    pair(Code::Ok, "iv-16", || legacy("Monal", 16, Tag::WithKey), || legacy("Gajim", 16, Tag::WithKey), (Code::Ok, None)),
    pair(Code::Ok, "iv-16", || legacy("Monal", 16, Tag::WithKey), || legacy("Monal", 12, Tag::WithKey), (Code::Ok, None)),
    pair(
        Code::Ok,
        "tag-in-payload",
        || legacy("Conversations", 12, Tag::InPayload),
        || legacy("Dino", 12, Tag::InPayload),
        (Code::Ok, None),
    ),
    pair(
        Code::Ok,
        "tag-in-payload",
        || legacy("Conversations", 12, Tag::InPayload),
        || legacy("Conversations", 12, Tag::WithKey),
        (Code::Ok, None),
    ),
    pair(
        Code::PayloadAuthFailed,
        "tag-missing",
        || legacy("Dino", 12, Tag::Nowhere),
        || legacy("Dino", 12, Tag::InPayload),
        (Code::Ok, None),
    ),
    pair(
        Code::PayloadAuthFailed,
        "wrong-length",
        || legacy("Dino", 12, Tag::Cut),
        || legacy("Dino", 12, Tag::Nowhere),
        (Code::PayloadAuthFailed, Some("tag-missing")),
    ),
    pair(
        Code::PayloadAuthFailed,
        "altered",
        || legacy("Dino", 12, Tag::OfAnother),
        || legacy("Dino", 12, Tag::WithKey),
        (Code::Ok, None),
    ),
    // Dino's log leaves long texts out; what is an empty message has none.
    pair(
        Code::Ok,
        "text-not-in-log",
        || empty("<payload><left-out xmlns='omemoscope:log'/></payload>"),
        || empty(""),
        (Code::EmptyMessage, None),
    ),
    pair(
        Code::Ok,
        "opt-out",
        || envelope(BOB, "<opt-out xmlns='urn:xmpp:omemo:2'><reason>my client is broken</reason></opt-out>"),
        || envelope(BOB, "<body xmlns='jabber:client'>hello</body>"),
        (Code::Ok, None),
    ),
    pair(
        Code::WrongRecipientJid,
        "sce-affix",
        || envelope("carol@example.org", "<body xmlns='jabber:client'>hello</body>"),
        || envelope(BOB, "<body xmlns='jabber:client'>hello</body>"),
        (Code::Ok, None),
    ),
    // An authentic message whose padding is wrong, and the same one altered on the way.
    pair(Code::MacMismatch, "padding", || padded_wrongly(true), || padded_wrongly(false), (Code::MacMismatch, None)),
];

/// Where a sender puts the authentication tag of a legacy payload.
enum Tag {
    WithKey,
    InPayload,
    /// It left it out.
    Nowhere,
    /// Half of it stands with the key.
    Cut,
    /// That of another payload.
    OfAnother,
}

const KEY: [u8; 16] = [3; 16];

fn legacy(name: &str, iv_length: usize, tag: Tag) -> Diagnosis {
    let mut conversation = Conversation::begun(client(name), Namespace::Legacy);
    let iv = vec![5; iv_length];
    let sealed = match iv_length {
        12 => AesGcm::<Aes128, U12>::new(&KEY.into()).encrypt(&<[u8; 12]>::try_from(&iv[..]).unwrap().into(), &b"hello"[..]),
        _ => AesGcm::<Aes128, U16>::new(&KEY.into()).encrypt(&<[u8; 16]>::try_from(&iv[..]).unwrap().into(), &b"hello"[..]),
    };
    let sealed = sealed.unwrap();
    let (text, right) = sealed.split_at(5);
    let (material, payload) = match tag {
        Tag::WithKey => ([&KEY, right].concat(), text.to_vec()),
        Tag::InPayload => (KEY.to_vec(), sealed.clone()),
        // So long that it could hold a tag.
        Tag::Nowhere => (KEY.to_vec(), text.repeat(5)),
        Tag::Cut => ([&KEY, &right[..8]].concat(), text.to_vec()),
        Tag::OfAnother => ([KEY, [9; 16]].concat(), text.to_vec()),
    };
    let key = key_element(OURS, "", &conversation.alice.wire(1, &material));
    let (iv, payload) = (STANDARD.encode(&iv), STANDARD.encode(&payload));
    let stanza = conversation.sealed("a", &key, &format!("<iv>{iv}</iv>"), &format!("<payload>{payload}</payload>"));
    conversation.heard(stanza).diagnose()
}

/// The key material of a text, its tag behind it, and the text, sealed with an IV of fives.
pub fn sealed() -> (Vec<u8>, String) {
    let sealed = AesGcm::<Aes128, U12>::new(&KEY.into()).encrypt(&[5; 12].into(), &b"hello"[..]).unwrap();
    let (text, tag) = sealed.split_at(5);
    ([&KEY, tag].concat(), STANDARD.encode(text))
}

/// Its key is used up by the first copy, and still nobody has read it.
#[test]
fn a_copy_of_a_message_whose_text_was_altered_was_not_read_either() {
    let mut conversation = Conversation::begun(client("Dino"), Namespace::Legacy);
    let key = key_element(OURS, "", &conversation.alice.wire(1, &[KEY, [9; 16]].concat()));
    let stanza = conversation.sealed("a", &key, "<iv>BQUFBQUFBQUFBQUF</iv>", "<payload>AAAA</payload>");
    let codes = |found: &Diagnosis| found.messages.iter().map(|m| m.code).collect::<Vec<_>>();
    let found = conversation.heard(stanza.clone()).heard(stanza).diagnose();
    assert_eq!(codes(&found), [Code::PayloadAuthFailed; 2]);
    let mut conversation = Conversation::begun(client("Dino"), Namespace::Legacy);
    let found = conversation.says("a", 1).says("a", 1).diagnose();
    assert_eq!(codes(&found), [Code::EmptyMessage, Code::DuplicateMessage]);
}

fn empty(payload: &str) -> Diagnosis {
    let mut conversation = Conversation::begun(client("Dino"), Namespace::Legacy);
    let stanza = conversation.sealed("a", &conversation.key(1), "<iv>BQUFBQUFBQUFBQUF</iv>", payload);
    conversation.heard(stanza).diagnose()
}

/// A message of OMEMO 2 with this element in an envelope for `to`.
fn envelope(to: &str, content: &str) -> Diagnosis {
    let mut conversation = Conversation::begun(client("Kaidan"), Namespace::Omemo2);
    let envelope = format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content>{content}</content><rpad>x</rpad>\
         <from jid='alice@example.org'/><to jid='{to}'/></envelope>"
    );
    let key = [7; 32];
    let mut okm = [0; 80];
    hkdf::Hkdf::<sha2::Sha256>::new(None, &key).expand(b"OMEMO Payload", &mut okm).unwrap();
    let mut buffer = [envelope.as_bytes(), &[0; 16]].concat();
    let encryptor = cbc::Encryptor::<aes::Aes256>::new_from_slices(&okm[..32], &okm[64..]).unwrap();
    let payload = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, envelope.len()).unwrap().to_vec();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&okm[32..64]).unwrap();
    mac.update(&payload);
    let material = [&key[..], &mac.finalize().into_bytes()[..16]].concat();
    let key = key_element(OURS, "", &conversation.alice.wire(1, &material));
    let stanza = conversation.sealed("a", &key, "", &format!("<payload>{}</payload>", STANDARD.encode(payload)));
    conversation.heard(stanza).diagnose()
}

/// The last block of the key's ciphertext is altered, before the sender authenticates it or after.
fn padded_wrongly(authentic: bool) -> Diagnosis {
    let mut conversation = Conversation::begun(client("Dino"), Namespace::Legacy);
    let mut content = conversation.alice.wire(1, &[0; 32]);
    // The MAC of 8 bytes ends the message, the ciphertext stands before it.
    let end = content.len() - 8;
    content[end - 1] ^= 0xFF;
    if authentic {
        let session = &conversation.alice.session;
        let key = session.own_message_key(&conversation.alice.message(1)).unwrap();
        let mac = key.mac(Namespace::Legacy, &session.associated_data(false).unwrap(), &content[..end]);
        content[end..].copy_from_slice(&mac);
    }
    let stanza = conversation.stanza("a", &key_element(OURS, "", &content));
    conversation.heard(stanza).diagnose()
}
