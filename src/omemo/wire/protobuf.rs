//! The messages' protobuf schemas. Every field is optional here, so that a missing one can be named.

use super::WireError;
use prost::Message;

/// `SignalMessage` of the Signal protocol, version 3.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SignalMessage {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    pub counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    pub previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub ciphertext: Option<Vec<u8>>,
}

/// `PreKeySignalMessage` of the Signal protocol, version 3.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PreKeySignalMessage {
    #[prost(uint32, optional, tag = "1")]
    pub prekey_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub base_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub identity_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub message: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "5")]
    pub registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub signed_prekey_id: Option<u32>,
}

/// `OMEMOMessage.proto` of XEP-0384.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OmemoMessage {
    #[prost(uint32, optional, tag = "1")]
    pub n: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pub pn: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub dh_pub: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub ciphertext: Option<Vec<u8>>,
}

/// `OMEMOAuthenticatedMessage` of XEP-0384.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OmemoAuthenticatedMessage {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub mac: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub message: Option<Vec<u8>>,
}

/// `OMEMOKeyExchange` of XEP-0384.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OmemoKeyExchange {
    #[prost(uint32, optional, tag = "1")]
    pub pk_id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pub spk_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub ik: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub ek: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub message: Option<Vec<u8>>,
}

/// Decodes, naming the message in the error.
pub(super) fn decode<M: Message + Default>(name: &str, bytes: &[u8]) -> Result<M, WireError> {
    M::decode(bytes).map_err(|error| WireError::Malformed(format!("{name}: no readable protobuf ({error})")))
}

/// A field that must be there.
pub(super) fn required<T>(name: &str, field: &str, value: Option<T>) -> Result<T, WireError> {
    value.ok_or_else(|| WireError::Malformed(format!("{name}: the field {field} is missing")))
}
