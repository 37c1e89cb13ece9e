//! OMEMOAuthenticatedMessage and OMEMOKeyExchange (XEP-0384 0.4.0 and later).

use super::{KeyExchange, RatchetMessage, WireError};

/// OMEMOAuthenticatedMessage with its OMEMOMessage.
pub(super) fn authenticated_message(_bytes: &[u8]) -> Result<RatchetMessage, WireError> {
    Err(WireError::Malformed("not read yet".into()))
}

/// OMEMOKeyExchange, an OMEMOAuthenticatedMessage in field 5.
pub(super) fn key_exchange(_bytes: &[u8]) -> Result<KeyExchange, WireError> {
    Err(WireError::Malformed("not read yet".into()))
}
