//! SignalMessage and PreKeySignalMessage (Signal protocol version 3).

use super::{KeyExchange, RatchetMessage, WireError};

/// `33 ‖ protobuf ‖ MAC(8)`.
pub(super) fn signal_message(_bytes: &[u8]) -> Result<RatchetMessage, WireError> {
    Err(WireError::Malformed("not read yet".into()))
}

/// `33 ‖ protobuf`, a complete SignalMessage in field 4.
pub(super) fn prekey_signal_message(_bytes: &[u8]) -> Result<KeyExchange, WireError> {
    Err(WireError::Malformed("not read yet".into()))
}
