//! # label-signature-invalid
//!
//! **What happened.** A device's name on a device list is not validly signed, so anybody with access to the list could
//! have written it. Mostly nobody did: many programs do not sign names. Messages are not affected.
//!
//! **What to do.**
//! - To know which device is which, compare fingerprints, not names.
//! - The device's owner can set its name again in a client that signs names.
//!
//! **What is lost.** Nothing.
//!
//! **Fine causes.**
//! - `missing`: there is a name, but no signature.
//! - `invalid`: the identity key does not verify the signature.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Clients that check it ignore the label; others show a name that means nothing.
//!
//! **Mistaken for.** A wrongly signed bundle: see [bundle-signature-invalid].
//!
//! **Mechanism.** Since XEP-0384 0.9.0 a label must be signed with the device's identity key (`labelsig`).
//!
//! **What proves it.** The signature is missing or does not verify with the identity key.
//!
//! **References.** XEP-0384, "Device list".

use super::{Cause, Scene, nothing};
use crate::model::Code;

/// Found while device lists are read (`analysis::published`); no message has this code.
pub(super) const CAUSE: Cause = Cause {
    code: Code::LabelSignatureInvalid,
    source: include_str!("label_signature_invalid.rs"),
    judge: |_: &Scene<'_>| None,
    gather: nothing,
};
