//! # signed-prekey-missing
//!
//! **What happened.** The message begins a session with a key of yours (a signed prekey) that your client does not
//! have any more. Either the sender's client used published keys of yours that were out of date, or your client lost
//! this key or threw it away too early. Nobody is to blame.
//!
//! **What to do.**
//! - Write to the sender from this device: that can begin a session with fresh keys. The sender's next message shows
//!   whether it helped.
//! - If the sender's next message fails too, ask the sender to end and restart the session in their client
//!   (`omemoscope explain words` says how). It then gets your present keys.
//! - Then ask the sender to send the message again.
//!
//! **What is lost.** This message, and what the sender writes in the same session, until they send it again.
//!
//! **Fine causes.** If the verdict has this word behind the slash, its line replaces the advice above.
//! - `store-older-than-bundle`: your copy of the store is too old. Copy the store again. If your client cannot read
//!   the sender's new messages either, read: `omemoscope explain receiver-rolled-back`.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Gajim: "No such signedprekeyrecord". Conversations: "No such SignedPreKeyRecord". python-omemo: "No signed pre key
//!   with id N known." Converse: "Missing Signed PreKey". libsignal: SG_ERR_INVALID_KEY_ID (-1003), the same as for a
//!   missing one-time prekey.
//! - Kaidan: "Pre key with ID … could not be found locally" names the one-time prekey even when the signed one is
//!   missing.
//!
//! **Mistaken for.** [prekey-missing]: the same library error. [identity-changed]: after new keys under the same device
//! id.
//!
//! **Mechanism.** Clients renew their signed prekey and drop old ones (Gajim keeps three, python-omemo two, Kaidan
//! one). A sender that fetched the bundle long before uses an old one. A reinstalled, restored or damaged client has
//! lost it, too.
//!
//! **What proves it.** The id in the key exchange, and the store without it. `store-older-than-bundle`: the id is
//! higher than any that the store holds.
//!
//! **References.** XEP-0384, "Key Exchange"; X3DH, "Publishing keys"; signalapp/libsignal-protocol-c#65.

use super::{Cause, Judgement, Scene, in_store, newer_copy, nothing, remedies, rule};
use crate::analysis::trial::PrekeyFact;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::SignedPrekeyMissing, source: include_str!("signed_prekey_missing.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened() {
        return None;
    }
    let exchange = scene.trial()?.exchange.as_ref().filter(|e| !e.base_key_known && e.signed_prekey == PrekeyFact::Missing)?;
    let account = scene.account()?;
    let mut held: Vec<u32> = account.signed_prekeys.iter().map(|k| k.id).collect();
    held.sort_unstable();
    held.dedup();
    let id = exchange.signed_prekey_id;
    // Clients number them one after the other.
    let newer = held.last().is_some_and(|newest| id > *newest);
    let held = held.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let mut judgement = Judgement::new(
        Confidence::Proven,
        format!(
            "{} begins a session with your signed prekey {id}, which {} {}.",
            scene.sender(),
            scene.client_name(),
            if newer { "does not hold" } else { "no longer has" }
        ),
    )
    .evidence(scene.stanza(format!("the key exchange names signed prekey {id}")))
    .evidence(in_store(
        account.signed_prekeys_place(),
        if held.is_empty() { "no signed prekey is held".into() } else { format!("signed prekeys held: {held}") },
    ));
    if newer {
        let says = "the id is higher than that of any signed prekey held: the bundle is newer than the store";
        judgement = judgement
            .detail("store-older-than-bundle")
            .evidence(in_store(account.signed_prekeys_place(), says))
            .open_question("Whether only this copy of the store is older: the client's own log, or a later copy, would tell.");
    } else if let Some(rotation) = account.client.signed_prekey_rotation {
        judgement =
            judgement.evidence(rule(account.client.name, format!("renews it every {} days; {}", rotation.days, rotation.kept)));
    }
    if newer_copy::copy_is_newer(scene) && !scene.client_failed() {
        judgement = judgement.open_question(newer_copy::READ_BEFORE);
        judgement.confidence = Confidence::Likely;
    }
    Some(judgement.remedy(remedies::WRITE_FRESH).remedy(remedies::SENDER_RESTARTS))
}
