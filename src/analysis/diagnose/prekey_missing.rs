//! # prekey-missing
//!
//! **What happened.** The message begins a session with a one-time prekey that your client no longer has.
//!
//! **How it shows.** "No such prekeyRecord" (Gajim), SG_ERR_INVALID_KEY_ID (-1003), "No pre key with id N known."
//! (python-omemo), "Invalid prekey id" followed by "Bad MAC" (Converse).
//!
//! **Mechanism.** A one-time prekey works once. Two senders may draw the same one before the bundle is renewed; a
//! sender may go on with an old key exchange after your client lost the session; the bundle on the server may be
//! older than the store.
//!
//! **What proves it.** The id in the key exchange, the store without it, and no session made by this exchange.
//!
//! **Mistaken for.** [signed-prekey-missing]; a repeated key exchange of a living session (harmless: the session
//! knows its base key); [mac-mismatch] where a client gave the id to a new key.
//!
//! **What to do.** Write to the sender from here: a new session begins with fresh keys. The message itself is lost.
//!
//! **References.** XEP-0384, "Bundles" and "Business Rules"; X3DH, "Receiving the initial message".

use super::{Cause, Judgement, Scene, in_stanza, in_store, nothing};
use crate::analysis::trial::PrekeyFact;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::PrekeyMissing, source: include_str!("prekey_missing.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened() {
        return None;
    }
    let exchange = scene.trial()?.exchange.as_ref().filter(|e| !e.base_key_known)?;
    let used_here = exchange.prekey == PrekeyFact::UsedUp;
    if exchange.prekey != PrekeyFact::Missing && !used_here {
        return None;
    }
    let id = exchange.prekey_id?;
    let account = &scene.own()?.replays.first()?.account;
    let mut judgement = Judgement::new(
        Confidence::Proven,
        format!(
            "{} begins a session with our one-time prekey {id}, which {} no longer has.",
            scene.sender(),
            scene.client_name()
        ),
    )
    .evidence(scene.stanza(format!("the key exchange names one-time prekey {id}; no session of the store was made by it")))
    .evidence(in_store(&account.place, format!("{} one-time prekeys are held, {id} is not among them", account.prekeys.len())));
    let base_key = scene.outcome.key_fact().and_then(|k| k.base_key);
    let uses = scene.whole.book.prekey_uses(scene.outcome.namespace()?, id);
    if let Some(other) = uses.iter().find(|u| Some(u.base_key) != base_key) {
        judgement = judgement.detail("prekey-consumed").evidence(in_stanza(
            &other.sighting.position,
            format!("device {} had used the same prekey for another session", other.sid),
        ));
    } else if exchange.highest_prekey_id.is_some_and(|highest| id > highest) {
        judgement = judgement.detail("store-older-than-bundle").evidence(in_store(
            &account.place,
            "the id is higher than any the store has given out: the store is older than the bundle",
        ));
    } else if id == 0 {
        judgement = judgement.detail("id-0");
    }
    Some(
        judgement
            .remedy("Write to the sender from here: a new session then begins with fresh keys.")
            .remedy("Or let the sender end the session or reload our keys, then send the message again."),
    )
}
