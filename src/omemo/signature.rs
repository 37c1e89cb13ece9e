//! Signatures of signed prekeys and labels: libsignal's scheme, XEdDSA and plain Ed25519.
