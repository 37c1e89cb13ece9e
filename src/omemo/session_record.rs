//! Session, prekey and identity records as libraries store them <-> [`crate::omemo::ratchet`] types.

pub mod javascript;
pub mod json;
pub mod libsignal;
pub mod python;
