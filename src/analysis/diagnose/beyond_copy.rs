//! What shows that the client at hand went on beyond a store copy and is well: the copy is just older than the capture.

use super::{Scene, in_stanza, rule};
use crate::analysis::outcome::{KeyFact, Outcome};
use crate::analysis::trial::{ExchangeFact, PrekeyFact, RatchetFact, SessionFact};
use crate::model::{Evidence, PrekeyIds, Wrapper};
use std::collections::HashMap;

/// How a client fares with what the copy cannot open.
#[derive(Clone, Debug, Default)]
pub struct BeyondCopy {
    /// The last message of each device that the copy cannot open and the client, which complains elsewhere in the same
    /// log, took without a word.
    silent: HashMap<u32, usize>,
    /// The last key exchange of each device: it begins another session.
    exchanged: HashMap<u32, usize>,
    /// The first key exchange of each device that needs prekeys newer than the copy.
    begun: HashMap<u32, usize>,
    /// How many messages of each device the copy cannot open and the client complains of.
    complaints: HashMap<u32, usize>,
}

impl BeyondCopy {
    /// Takes the next message.
    pub fn note(&mut self, scene: &Scene<'_>) {
        let outcome = scene.outcome;
        let Some(sid) = outcome.element.sid() else { return };
        if outcome.key_fact().is_some_and(KeyFact::is_exchange) && outcome.seen_before.is_none() {
            self.exchanged.insert(sid, scene.order);
        }
        if outcome.opened_by.is_some() {
            return;
        }
        if new_exchange(outcome).is_some_and(|exchange| was_taken(scene, exchange)) || names_renewed_prekey(scene).is_some() {
            self.begun.entry(sid).or_insert(scene.order);
        }
        if in_unknown_chain(outcome) && outcome.header.wrapper == Wrapper::Direct {
            if scene.client_failed() {
                *self.complaints.entry(sid).or_default() += 1;
            } else if scene.whole.client_words.complains_in(&outcome.header.position.file) {
                self.silent.insert(sid, scene.order);
            }
        }
    }
}

fn in_unknown_chain(outcome: &Outcome) -> bool {
    outcome.trial().is_some_and(|trial| match trial.ratchet {
        Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep | RatchetFact::NoRatchetKey) => true,
        None => trial.exchange.is_none() && trial.session == SessionFact::Missing,
        Some(_) => false,
    })
}

/// The client failed at this message and read later ones of the same session that the copy cannot open either: what is
/// wrong with this one has nothing to do with the copy.
pub(super) fn client_read_on(scene: &Scene<'_>) -> bool {
    let (Some(sid), seen) = (scene.outcome.element.sid(), &scene.whole.hindsight.beyond_copy) else { return false };
    let healed = |later: usize| seen.exchanged.get(&sid).is_some_and(|exchange| (scene.order..later).contains(exchange));
    let read_on = |later: &usize| *later > scene.order && !healed(*later);
    scene.client_failed() && seen.silent.get(&sid).is_some_and(read_on)
}

/// The client failed at this one message of the device, in a session in which it had gone on before our eyes: nothing
/// says that it went back, and not that the message was altered.
pub(super) fn one_complaint(scene: &Scene<'_>) -> bool {
    let complaints = scene.outcome.element.sid().and_then(|sid| scene.whole.hindsight.beyond_copy.complaints.get(&sid));
    scene.client_failed() && complaints == Some(&1)
}

/// The client took a key exchange that the copy cannot open: it was made with a bundle that is newer than the copy, or
/// the client answered in the session, which it could not have without it.
fn was_taken(scene: &Scene<'_>, exchange: &ExchangeFact) -> bool {
    let stranger = scene.outcome.trial().is_some_and(|trial| trial.session == SessionFact::Missing);
    let lacks_prekeys = exchange.signed_prekey == PrekeyFact::Missing || exchange.prekey == PrekeyFact::Missing;
    older_than_bundle(scene, exchange).is_some()
        || stranger && lacks_prekeys && !scene.client_failed() && answered(scene) == Some(true)
}

/// Whether the client answered in the session that this key exchange begins: with a ratchet key that is no key exchange
/// of its own, and before the sender began yet another session.
fn answered(scene: &Scene<'_>) -> Option<bool> {
    let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let base_key = scene.outcome.key_fact()?.base_key()?;
    if scene.whole.book.exchanges.get(namespace, sid, &base_key).is_some_and(|exchange| exchange.opened) {
        return Some(false);
    }
    let mut keys = scene.whole.book.ours.ratchet_keys(namespace, sid)?.iter();
    let answer = keys.find(|key| key.order > scene.order)?;
    Some(answer.base_key.is_none() && !scene.whole.book.exchanges.began_between(namespace, sid, scene.order, answer.order))
}

/// The session that this message continues began in the capture with keys that the copy did not have yet.
pub(super) fn began_beyond(scene: &Scene<'_>) -> bool {
    let outcome = scene.outcome;
    let trial = outcome.trial();
    // Our own key exchange: of what the capture shows of us, the copy holds nothing.
    let ours = outcome.own_exchange.is_some() && trial.is_some_and(|trial| !trial.keys.holds_shown);
    let theirs = outcome.element.sid().and_then(|sid| scene.whole.hindsight.beyond_copy.begun.get(&sid));
    ours || theirs.is_some_and(|begun| *begun < scene.order)
}

/// The key exchange names a prekey of the copy that an earlier one of the capture used up, and the client gives such ids
/// to new keys: it was made with a key that the copy does not have.
pub(super) fn names_renewed_prekey(scene: &Scene<'_>) -> Option<Evidence> {
    let exchange = new_exchange(scene.outcome).filter(|exchange| exchange.prekey == PrekeyFact::UsedUp)?;
    let client = scene.client().filter(|client| client.prekey_ids == PrekeyIds::Reused && !scene.client_failed())?;
    let id = exchange.prekey_id?;
    Some(rule(client.name, format!("gives the id of a used prekey to a new key; {id} was used earlier in the capture")))
}

/// The facts of a key exchange that no state of the copy was made by.
fn new_exchange(outcome: &Outcome) -> Option<&ExchangeFact> {
    outcome.trial()?.exchange.as_deref().filter(|exchange| !exchange.base_key_known)
}

/// What shows that the client took this key exchange, although the copy cannot.
pub(super) fn needs_newer_copy(scene: &Scene<'_>) -> Option<Evidence> {
    let exchange = new_exchange(scene.outcome)?;
    older_than_bundle(scene, exchange).or_else(|| {
        let says = "your client answered later in the session that this begins, so it holds what the copy lacks";
        was_taken(scene, exchange).then(|| scene.stanza(says))
    })
}

/// The key exchange names a prekey that this client published in the capture, in a bundle with more keys that the copy
/// does not hold: the copy is older than that bundle. A bundle that lies on the server for too long offers used keys
/// beside ones that are still held.
fn older_than_bundle(scene: &Scene<'_>, exchange: &ExchangeFact) -> Option<Evidence> {
    let own = scene.own()?;
    let account = scene.account()?;
    let bundle = scene.whole.published.bundle(own.jid.as_ref(), own.device_id?, scene.outcome.namespace()?)?;
    if !bundle.sent_by_us || !scene.is_after(&bundle.last.position) {
        return None;
    }
    let signed = bundle.signed_prekey_id.filter(|id| account.signed_prekeys.iter().all(|key| key.id != *id));
    if let Some(id) = signed.filter(|_| exchange.signed_prekey == PrekeyFact::Missing) {
        let says = format!("your client published signed prekey {id}, which the copy does not hold yet");
        return Some(in_stanza(&bundle.last, says));
    }
    let named = exchange.prekey_id.filter(|_| exchange.prekey == PrekeyFact::Missing)?;
    let unknown = bundle.newest_prekeys.iter().filter(|id| account.prekeys.iter().all(|key| key.id != **id)).count();
    let says = format!("your client published {unknown} one-time prekeys that the copy does not hold yet");
    (bundle.newest_prekeys.contains(&named) && (unknown > 1 || signed.is_some())).then(|| in_stanza(&bundle.last, says))
}
