//! Session, prekey and identity records as libraries store them <-> [`crate::omemo::ratchet`] types.

pub mod libsignal;
