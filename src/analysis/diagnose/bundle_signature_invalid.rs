//! # bundle-signature-invalid
//!
//! **What happened.** The published keys of a device are wrongly signed. Clients refuse them, so nobody can begin a
//! session with that device.
//!
//! **How it shows.** At the sender: "Invalid signature on device key!", -1002, and the device is skipped. The owner of
//! the device sees [not-addressed].
//!
//! **Mechanism.** The signed prekey of a bundle is signed with the identity key. A bug, a damaged publication or
//! somebody on the server breaks that. Converse 14 also refuses *valid* OMEMO 2 bundles whose identity key has its
//! sign bit set: then the client is wrong, not the bundle.
//!
//! **What proves it.** The signature itself, checked by every rule that clients use.
//!
//! **Mistaken for.** A missing bundle.
//!
//! **What to do.** Restart the client that owns the device, so that it publishes again. Do not accept a wrong bundle.
//!
//! **References.** XEP-0384, "Bundles"; XEdDSA; libsignal `curve_verify_signature`.

use super::{Cause, Scene, nothing};
use crate::model::Code;

/// Found while bundles are read (`analysis::published`); no message has this code.
pub(super) const CAUSE: Cause = Cause {
    code: Code::BundleSignatureInvalid,
    source: include_str!("bundle_signature_invalid.rs"),
    judge: |_: &Scene<'_>| None,
    whole: nothing,
};
