//! # prekey-missing
//!
//! **What happened.** The message begins a session with a one-time key of yours (a prekey) that your client does not
//! have any more. Often somebody else used it up first. Nobody is to blame.
//!
//! **What to do.**
//! - Write to the sender from this device: that can begin a session with fresh keys. The sender's next message shows
//!   whether it helped.
//! - If the sender's next message fails too, ask the sender to end and restart the session in their client
//!   (`omemoscope explain words` says how).
//! - Then ask the sender to send the message again.
//!
//! **What is lost.** This message, and what the sender writes in the same session, until they send it again.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above.
//! - `prekey-consumed`: another message had begun a session with the same key before. Do as above.
//! - `store-older-than-bundle`: your copy of the store is too old. Copy the store again. If your client cannot read
//!   the sender's new messages either, read: `omemoscope explain receiver-rolled-back`.
//! - `bundle-stale-on-server`: the server still offers this key of yours, although it is gone. Close your client on
//!   this device and start it again: until it has published new keys, others fail in the same way. Then do as above.
//! - `id-0`: nobody used the key up. Converse 14 gives out a key with the id 0, and that does not work. Converse is
//!   at fault, not you. Do as above.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Gajim: "No such prekeyRecord". Conversations: "No such PreKeyRecord". python-omemo: "No pre key with id N known."
//!   Kaidan: "could not be found locally". Profanity: "SG_ERR_INVALID_KEY_ID". libsignal: -1003, the same as for a
//!   missing signed prekey.
//! - Converse and other JavaScript clients say only "Bad MAC".
//!
//! **Mistaken for.** [signed-prekey-missing]. A repeated key exchange of a living session (harmless: the session knows
//! its base key). [mac-mismatch], `prekey-id-reused`, where a client gave the id to a new key.
//!
//! **Mechanism.** A one-time prekey works once. Two senders may draw the same one before the bundle is renewed; a
//! sender may go on with an old key exchange after your client lost the session; the bundle on the server may be
//! older than the store, or the store older than the bundle. Converse 14 numbers prekeys from 0, and what begins
//! with its prekey 0 fails there; other clients read 0 as none (`id-0`).
//!
//! **What proves it.** The id in the key exchange, the store without it, and no session made by this exchange.
//! A copy may be newer than the message, which then used the prekey itself: so it is `proven` only where the client's
//! own log says so, or the log shows another use. `store-older-than-bundle`: the id is higher than any given out.
//!
//! **References.** XEP-0384, "Bundles" and "Business Rules"; X3DH, "Receiving the initial message";
//! conversejs/converse.js#1688; UWPX/UWPX-Client#157; gkdr/lurch#156; monal-im/Monal#515.

use super::{Cause, Judgement, Scene, beyond_copy, in_stanza, in_store, newer_copy, nothing, remedies, rule};
use crate::analysis::outcome::KeyFact;
use crate::analysis::published::BundleSeen;
use crate::analysis::trial::PrekeyFact;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::PrekeyMissing, source: include_str!("prekey_missing.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened() {
        return None;
    }
    let exchange = scene.trial()?.exchange.as_ref().filter(|e| !e.base_key_known)?;
    let used_here = exchange.prekey == PrekeyFact::UsedUp;
    if exchange.prekey != PrekeyFact::Missing && !used_here {
        return None;
    }
    if newer_copy::took_exchange(scene, exchange) || beyond_copy::names_renewed_prekey(scene).is_some() {
        return None;
    }
    let id = exchange.prekey_id?;
    let account = scene.account()?;
    let unknown = exchange.highest_prekey_id.is_some_and(|highest| id > highest);
    let lacks = if unknown {
        "which is newer than this copy of the store".to_owned()
    } else {
        format!("which {} no longer has", scene.client_name())
    };
    let sentence = format!("{} begins a session with your one-time prekey {id}, {lacks}.", scene.sender());
    let mut judgement = Judgement::new(Confidence::Proven, sentence)
        .evidence(scene.stanza(format!("the key exchange names one-time prekey {id}; no session of the store was made by it")))
        .evidence(in_store(
            account.prekeys_place(),
            match used_here {
                true => format!("one-time prekey {id} was held, and an earlier key exchange of the capture used it up"),
                false => format!("{} one-time prekeys are held, {id} is not among them", account.prekeys.len()),
            },
        ));
    let base_key = scene.outcome.key_fact().and_then(KeyFact::base_key);
    let uses = scene.whole.book.prekey_uses(scene.outcome.namespace()?, id);
    if let Some(other) = uses.iter().find(|u| Some(u.base_key) != base_key) {
        judgement = judgement.detail("prekey-consumed").evidence(in_stanza(
            &other.sighting.position,
            format!("device {} had used the same prekey for another session", other.sid),
        ));
    } else if unknown {
        judgement = judgement
            .detail("store-older-than-bundle")
            .remedy("Copy the store again: this copy may just be older than your client's newest keys.")
            .evidence(in_store(account.prekeys_place(), "the id is higher than any that the store has given out"))
            .open_question("Whether the store is older than the bundle, or the bundle is that of an earlier installation and still on the server: your bundle as the server has it now would tell.");
        judgement.confidence = Confidence::Likely;
    } else if id == 0 {
        judgement = judgement
            .detail("id-0")
            .evidence(rule("prekey ids", "begin at 1; Converse 14 counts from 0, and what begins with its prekey 0 fails there"));
    } else if let Some(bundle) = stale_bundle(scene, id) {
        judgement = judgement
            .detail("bundle-stale-on-server")
            .evidence(in_stanza(&bundle.last, format!("your newest bundle in the capture still offers one-time prekey {id}")))
            .remedy(format!(
                "Restart {} on this device, so that it publishes a new bundle: others will draw used prekeys until then.",
                scene.client_name()
            ));
    }
    if !scene.client_failed() && matches!(judgement.detail, None | Some("store-older-than-bundle")) {
        judgement = judgement.open_question(newer_copy::READ_BEFORE);
        judgement.confidence = Confidence::Likely;
    }
    Some(judgement.remedy(remedies::WRITE_FRESH).remedy(remedies::SENDER_RESTARTS))
}

/// Our newest published bundle, if it still offers the prekey.
fn stale_bundle<'a>(scene: &Scene<'a>, id: u32) -> Option<&'a BundleSeen> {
    let own = scene.own()?;
    let bundle = scene.whole.published.bundle(own.jid.as_ref(), own.device_id?, scene.outcome.namespace()?)?;
    bundle.newest_prekeys.contains(&id).then_some(bundle)
}
