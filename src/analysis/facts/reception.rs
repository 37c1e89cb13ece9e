//! A message is tried: with each store copy, with our own sending chains, or, where there is neither store nor device id,
//! by what stands in clear.

use super::Facts;
use crate::analysis::book::Sighting;
use crate::analysis::content::{self, Payload};
use crate::analysis::outcome::{ExchangeKeys, KeyFact, OpenedBy, Outcome, SenderTrust};
use crate::analysis::own_device::OwnDevice;
use crate::analysis::peer::{self, PeerFact};
use crate::analysis::replay::{Query, Replay};
use crate::model::{BareJid, CapturedMessage, Wrapper};
use crate::omemo::Namespace;
use crate::omemo::stanza::encrypted::{Encrypted, KeyElement};
use crate::omemo::stanza::envelope::EnvelopeContext;
use crate::omemo::wire::{self, KeyContent, ParsedKey, WireError};

impl Facts {
    /// A message that this very device sent: its ratchet keys are evidence, and our sending chain may open it.
    pub(super) fn own_message(
        &mut self,
        outcome: &mut Outcome,
        message: &CapturedMessage,
        encrypted: &Encrypted,
        sighting: &Sighting,
    ) {
        let own = &self.own[outcome.own];
        for key in &encrypted.keys {
            let (Some(rid), Ok(parsed)) = (key.rid, wire::parse(encrypted.namespace, &key.content, key.flagged)) else {
                continue;
            };
            let live = message.wrapper == Wrapper::Direct && message.sent.is_none();
            self.book.ours.note(encrypted.namespace, rid, &parsed.content, sighting, self.window.end(), live);
            let message_of_ours = parsed.content.message();
            if live && own.replays.first().is_some_and(|r| r.has_sent(rid, encrypted.namespace, &parsed.content)) {
                self.book.ours.note_before_copy(rid, self.window.end());
            }
            if outcome.opened_by.is_some() {
                continue;
            }
            let material = own.replays.iter().find_map(|r| r.own_message_key(rid, encrypted.namespace, message_of_ours));
            if let Some(material) = material {
                outcome.opened_by = Some(OpenedBy::OwnChain);
                outcome.payload = Some(Box::new(content::open(encrypted, &material, &context(own, message))));
            }
        }
    }

    pub(super) fn received(
        &mut self,
        outcome: &mut Outcome,
        message: &CapturedMessage,
        encrypted: &Encrypted,
        sid: u32,
        sighting: &Sighting,
    ) {
        outcome.heard = self.book.theirs.newest_counter(encrypted.namespace, sid);
        let own_id = self.own[outcome.own].device_id;
        if own_id.is_none() {
            return self.in_the_clear(outcome, encrypted, sid, sighting);
        }
        let for_us: Vec<&KeyElement> = encrypted.keys.iter().filter(|k| k.rid.is_some() && k.rid == own_id).collect();
        let ours = |k: &&KeyElement| self.own[outcome.own].is_key_jid(k.jid.as_deref());
        let (mut keys, others): (Vec<&KeyElement>, Vec<&KeyElement>) = for_us.into_iter().partition(ours);
        keys.extend(others);
        for key in &keys {
            match read_key(encrypted.namespace, key) {
                Err(error) => {
                    if outcome.key.is_none() {
                        outcome.key = Some(Err(error));
                    }
                }
                Ok(parsed) => {
                    if self.try_key(outcome, message, encrypted, sid, &parsed, sighting) {
                        if let Some(Ok(fact)) = &mut outcome.key {
                            fact.unreadable_keys = keys.iter().filter(|k| read_key(encrypted.namespace, k).is_err()).count();
                        }
                        return;
                    }
                }
            }
        }
    }

    /// Without a device id of ours, what stands in clear is looked at for all receivers. One key element a
    /// message is booked, that of the lowest id: a sender that repeats itself does so towards all devices.
    fn in_the_clear(&mut self, outcome: &mut Outcome, encrypted: &Encrypted, sid: u32, sighting: &Sighting) {
        let mut keys: Vec<&KeyElement> = encrypted.keys.iter().filter(|k| k.rid.is_some()).collect();
        keys.sort_by_key(|k| k.rid);
        let mut error = None;
        let mut best: Option<KeyFact> = None;
        for key in keys {
            match read_key(encrypted.namespace, key) {
                Err(e) => error = error.or(Some(e)),
                Ok(parsed) => {
                    let fact = key_fact(&parsed);
                    if best.is_none() {
                        outcome.seen_before = self
                            .book
                            .theirs
                            .note(encrypted.namespace, sid, &parsed.content, sighting, self.window.end(), outcome.is_live())
                            .map(Box::new);
                    }
                    if let KeyContent::KeyExchange(exchange) = &parsed.content {
                        self.book.note_identity(
                            encrypted.namespace,
                            outcome.header.from.as_ref(),
                            sid,
                            &exchange.identity_key,
                            sighting,
                        );
                    }
                    let tells = |f: &KeyFact| (f.flag_contradicts, f.is_exchange(), f.counter);
                    if best.as_ref().is_none_or(|b| tells(&fact) > tells(b)) {
                        best = Some(fact);
                    }
                }
            }
        }
        outcome.key = best.map(Ok).or(error.map(Err));
    }

    /// Tries one key element on every store copy; true if it opened.
    fn try_key(
        &mut self,
        outcome: &mut Outcome,
        message: &CapturedMessage,
        encrypted: &Encrypted,
        sid: u32,
        parsed: &ParsedKey,
        sighting: &Sighting,
    ) -> bool {
        let namespace = encrypted.namespace;
        let from = message.from.as_ref();
        let own = &mut self.own[outcome.own];
        let order = self.window.end();
        outcome.chain_end = self.book.theirs.end(namespace, sid, &parsed.content.message().ratchet_key);
        let seen = self.book.theirs.note(namespace, sid, &parsed.content, sighting, order, outcome.is_live());
        if let KeyContent::KeyExchange(exchange) = &parsed.content {
            self.book.note_exchange(namespace, from, sid, exchange, sighting);
        }
        let peer = own.device_id.and_then(|id| peer::fact(&self.peers, from, sid, id, namespace));
        self.peer_met |= peer::holds(&self.peers, from, sid);
        let query = Query {
            from,
            written: message.from_full.as_deref(),
            sid,
            namespace,
            content: &parsed.content,
            book: &self.book,
            peer: peer.as_ref(),
            order,
        };
        let (trials, mut opened): (Vec<_>, Vec<_>) = own.replays.iter_mut().map(|replay| replay.receive(&query)).unzip();
        let by_trial = opened.iter().position(Option::is_some);
        let from_peer = || {
            let id = own.device_id?;
            peer::key_material(&self.peers, from, sid, id, namespace, parsed.content.message())
        };
        let opening = by_trial.and_then(|index| opened[index].take());
        let identity = opening.as_ref().map(|opening| opening.identity);
        let (material, opened_by) = match (opening, by_trial) {
            (Some(opening), Some(index)) => (Some(opening.material), Some(OpenedBy::Trial(index))),
            _ => from_peer().map(|material| (material, OpenedBy::Peer)).unzip(),
        };
        if let Some(own_keys) = self.book.ours.ratchet_keys(namespace, sid) {
            outcome.own_newest = own_keys.newest_number();
            outcome.own_counter = own_keys.newest().map(|newest| newest.counter);
            outcome.own_exchange = own_keys.exchange();
        }
        outcome.key = Some(Ok(key_fact(parsed)));
        outcome.seen_before = seen.map(Box::new);
        // The identity keys have been tried; a message need not carry them any further.
        let peer = peer.map(|peer| PeerFact { own_keys: Vec::new(), our_keys: Vec::new(), ..peer });
        outcome.peer = peer.map(|peer| self.kept.peers.keep(peer));
        outcome.trials = self.kept.trials.keep(trials);
        outcome.opened_by = opened_by;
        outcome.trust = trust(own, outcome, from, sid, namespace).map(|trust| self.kept.trusts.keep(trust));
        self.book.theirs.note_result(namespace, sid, parsed.content.message(), by_trial, order);
        if let KeyContent::KeyExchange(exchange) = &parsed.content {
            let known = outcome.trials.iter().filter_map(|trial| trial.exchange.as_ref()).any(|exchange| exchange.base_key_known);
            self.book.exchanges.note(namespace, sid, exchange.base_key, known, by_trial.is_some(), order);
        }
        let Some(material) = material else { return false };
        if let (Some(identity), None) = (identity, parsed.content.key_exchange()) {
            self.book.note_identity(namespace, from, sid, &identity, sighting);
        }
        let own = &self.own[outcome.own];
        outcome.payload = Some(Box::new(content::open(encrypted, &material, &context(own, message))));
        let failed = matches!(outcome.payload.as_deref(), Some(Payload::Failed(_)));
        if failed {
            self.own[outcome.own].replays.iter_mut().for_each(Replay::payload_failed);
        }
        !failed
    }
}

fn read_key(namespace: Namespace, key: &KeyElement) -> Result<ParsedKey, WireError> {
    wire::parse(namespace, &key.content, key.flagged)
}

fn key_fact(parsed: &ParsedKey) -> KeyFact {
    let message = parsed.content.message();
    let exchange = parsed.content.key_exchange();
    KeyFact {
        flag_contradicts: parsed.flag_contradicts,
        ratchet_key: message.ratchet_key,
        counter: message.counter,
        previous_counter: message.previous_counter,
        exchange: exchange.map(|e| Box::new(ExchangeKeys { base_key: e.base_key, identity: e.identity_key })),
        unreadable_keys: 0,
    }
}

/// The trust that the opening copy (else the newest) has in the sender's device.
fn trust(own: &OwnDevice, outcome: &Outcome, from: Option<&BareJid>, sid: u32, namespace: Namespace) -> Option<SenderTrust> {
    let replay = match outcome.opened_by {
        Some(OpenedBy::Trial(i)) => own.replays.get(i),
        _ => own.replays.last(),
    }?;
    let from = from?;
    let identity = outcome.key_fact().and_then(KeyFact::identity).or_else(|| replay.identity(from, sid, namespace));
    let devices = || replay.account.devices.iter().filter(|d| d.jid == *from);
    let device = devices()
        .find(|d| identity.is_some() && d.identity == identity)
        .or_else(|| devices().find(|d| d.device_id == Some(sid)))?;
    Some(SenderTrust {
        trust: device.trust.clone(),
        fingerprint: device.identity.map(|i| i.fingerprint()),
        place: device.trust_place().clone(),
    })
}

fn context<'a>(own: &'a OwnDevice, message: &'a CapturedMessage) -> EnvelopeContext<'a> {
    EnvelopeContext {
        from: message.from.as_ref().map(BareJid::as_str),
        to: message.to.as_ref().or(own.jid.as_ref()).map(BareJid::as_str),
        room: message.room.as_ref().map(BareJid::as_str),
        time: message.sent.as_ref().or(message.time.as_ref()).and_then(|w| w.instant),
    }
}
