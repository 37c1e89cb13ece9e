//! # label-signature-invalid
//!
//! **What happened.** A device list gives a device a name, but no valid signature shows that the device chose it. So
//! somebody else could have invented the name. This is probably nobody's fault: many programs do not sign names.
//! Messages are not affected.
//!
//! **What to do.**
//! - You need not do anything.
//! - Do not go by that name. To know which device is which, compare fingerprints. `omemoscope explain words` says
//!   how.
//!
//! **What is lost.** Nothing.
//!
//! **Fine causes.** The advice above holds for both.
//! - `missing`: the name has no signature.
//! - `invalid`: the name has a wrong signature.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Clients that check it ignore the label; others show a name that means nothing.
//!
//! **Mistaken for.** A wrongly signed bundle: see [bundle-signature-invalid].
//!
//! **Mechanism.** Since XEP-0384 0.9.0 a label must be signed with the device's identity key (`labelsig`).
//! python-omemo (twomemo) signs and checks labels; QXmpp reads them unchecked.
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
