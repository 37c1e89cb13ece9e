//! The records' protobuf schemas. The structures hold keys: they are wiped when dropped and have no
//! useful `Debug`.

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use zeroize::Zeroize;

/// States stay bytes, so that a damaged one does not spoil the others.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct RecordStructure {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub current_session: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub previous_sessions: Vec<Vec<u8>>,
}

/// Field 14 is left out: see [`local_is_alice`].
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct SessionStructure {
    #[prost(uint32, optional, tag = "1")]
    pub session_version: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub local_identity_public: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub remote_identity_public: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub root_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "5")]
    pub previous_counter: Option<u32>,
    #[prost(message, optional, tag = "6")]
    pub sender_chain: Option<Chain>,
    #[prost(message, repeated, tag = "7")]
    pub receiver_chains: Vec<Chain>,
    #[prost(message, optional, tag = "9")]
    pub pending_prekey: Option<PendingPreKey>,
    #[prost(bytes = "vec", optional, tag = "13")]
    pub alice_base_key: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Chain {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub sender_ratchet_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub sender_ratchet_key_private: Option<Vec<u8>>,
    #[prost(message, optional, tag = "3")]
    pub chain_key: Option<ChainKey>,
    #[prost(message, repeated, tag = "4")]
    pub message_keys: Vec<MessageKey>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct ChainKey {
    #[prost(uint32, optional, tag = "1")]
    pub index: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub key: Option<Vec<u8>>,
}

/// Rust libsignal since 0.67 writes the seed instead of the three derived values.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct MessageKey {
    #[prost(uint32, optional, tag = "1")]
    pub index: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub cipher_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub mac_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub iv: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub seed: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct PendingPreKey {
    #[prost(uint32, optional, tag = "1")]
    pub prekey_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub base_key: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "3")]
    pub signed_prekey_id: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct PreKeyRecordStructure {
    #[prost(uint32, optional, tag = "1")]
    pub id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub public_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub private_key: Option<Vec<u8>>,
}

/// Field 6 is libomemo-c's own.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct SignedPreKeyRecordStructure {
    #[prost(uint32, optional, tag = "1")]
    pub id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub public_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub private_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub signature: Option<Vec<u8>>,
    #[prost(fixed64, optional, tag = "5")]
    pub timestamp: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub signature_omemo: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct IdentityKeyPairStructure {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub public_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub private_key: Option<Vec<u8>>,
}

/// Wipes the listed fields of a structure when it is dropped, and gives it a `Debug` without values.
macro_rules! holds_secrets {
    ($($structure:ident: $($field:ident),+;)+) => {$(
        impl Drop for $structure {
            fn drop(&mut self) {
                $(self.$field.zeroize();)+
            }
        }
        impl std::fmt::Debug for $structure {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($structure))
            }
        }
    )+};
}

holds_secrets! {
    RecordStructure: current_session, previous_sessions;
    SessionStructure: root_key;
    Chain: sender_ratchet_key_private;
    ChainKey: key;
    MessageKey: cipher_key, mac_key, iv, seed;
    PreKeyRecordStructure: private_key;
    SignedPreKeyRecordStructure: private_key;
    IdentityKeyPairStructure: private_key;
}

impl std::fmt::Debug for PendingPreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PendingPreKey")
    }
}

/// Field 14 of a SessionStructure: libomemo-c's bool `localIsAlice`. Rust libsignal has a message
/// under the same number, which is passed over; so is everything after bytes that are no protobuf.
pub(super) fn local_is_alice(mut bytes: &[u8]) -> Option<bool> {
    const LOCAL_IS_ALICE: u32 = 14;
    let mut found = None;
    while !bytes.is_empty() {
        let (tag, wire_type) = decode_key(&mut bytes).ok()?;
        if tag == LOCAL_IS_ALICE && wire_type == WireType::Varint {
            found = Some(decode_varint(&mut bytes).ok()? != 0);
        } else {
            skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).ok()?;
        }
    }
    found
}
