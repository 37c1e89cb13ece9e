//! The facts: every message that the captures hold, tried on every copy of the store, and what stands in clear beside.

use super::book::{Book, Sighting};
use super::client_words::{ClientWords, Comments, Kind, Said};
use super::content::{self, Payload};
use super::diagnose::{Hindsight, Whole};
use super::investigation::Question;
use super::outcome::{Addressing, Element, ExchangeKeys, Header, KeyFact, OpenedBy, Origin, Outcome, SenderTrust};
use super::own_device::OwnDevice;
use super::peer::{self, PeerFact};
use super::pool::Pool;
use super::published::Published;
use super::replay::{Query, Replay};
use super::summary::Besides;
use super::trial::Trial;
use super::window::Window;
use crate::bounded_map::BoundedMap;
use crate::input::capture::unwrap::Unwrapper;
use crate::model::{BareJid, CaptureEvent, CapturedMessage, Direction, EncryptedPart, Finding, Item, Store, Wrapper};
use crate::omemo::stanza::encrypted::{Encrypted, KeyElement};
use crate::omemo::stanza::envelope::EnvelopeContext;
use crate::omemo::wire::{self, KeyContent, ParsedKey, WireError};
use crate::omemo::{IdentityKey, Namespace};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Messages that were seen on their way, and may be seen to arrive.
const MAX_SENT_ELSEWHERE: usize = 1 << 13;

/// What tells a message that is seen again: its sender's device and its id, or its key elements where it has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Copy {
    sid: u32,
    id: Result<String, Vec<Vec<u8>>>,
}

impl Copy {
    fn of(message: &CapturedMessage) -> Option<Self> {
        let EncryptedPart::Known(encrypted) = &message.encrypted else { return None };
        let keys = || encrypted.keys.iter().map(|key| key.content.clone()).collect();
        Some(Self { sid: encrypted.sid?, id: message.id.clone().ok_or_else(keys) })
    }
}

/// Receivers of messages that are not ours, to name.
const SHOWN_RECEIVERS: usize = 3;

/// What messages have in common.
#[derive(Debug, Default)]
struct Kept {
    addressings: Pool<Addressing>,
    trials: Pool<[Trial]>,
    trusts: Pool<SenderTrust>,
    peers: Pool<PeerFact>,
    jids: Pool<str>,
}

impl Kept {
    /// Lets go of what no message in view has any more.
    fn sweep(&mut self) {
        self.addressings.sweep();
        self.trials.sweep();
        self.trusts.sweep();
        self.peers.sweep();
        self.jids.sweep();
    }

    fn jid(&mut self, jid: &mut Option<BareJid>) {
        if let Some(jid) = jid {
            *jid = BareJid::kept(self.jids.keep(jid.as_str()));
        }
    }
}

/// Own devices that are learned from a log: a client has a few accounts.
const MAX_LEARNED: usize = 16;

/// The facts.
#[derive(Debug)]
pub(super) struct Facts {
    own: Vec<OwnDevice>,
    peers: Vec<Store>,
    account: Option<BareJid>,
    snapshots_only: bool,
    unwrapper: Unwrapper,
    book: Book,
    published: Published,
    window: Window,
    client_words: ClientWords,
    kept: Kept,
    /// Messages that concern none of our devices, and to whom the first of them are.
    foreign: (usize, BTreeSet<BareJid>),
    /// What other clients sent to ours, as the log of their own end or of a server shows it: our log tells when it came.
    sent_elsewhere: BoundedMap<Copy, (usize, CapturedMessage)>,
    /// A message came of a device whose own store was given.
    peer_met: bool,
    /// The log whose last message was such a one: what its client says next is nothing to us.
    foreign_log: Option<Arc<Path>>,
}

impl Facts {
    /// What is known before the first capture.
    pub fn new(question: Question) -> Self {
        let mut own = OwnDevice::gather(question.stores, question.account.as_ref());
        if let Some(device) = question.device {
            own.retain(|o| o.device_id.is_none_or(|id| id == device));
            own.iter_mut().for_each(|o| o.device_id = Some(device));
        }
        if own.is_empty() {
            own.push(OwnDevice::bare(question.account.clone(), question.device));
        }
        Self {
            own,
            peers: question.peers,
            account: question.account,
            snapshots_only: question.snapshots_only,
            unwrapper: Unwrapper::default(),
            book: Book::default(),
            published: Published::default(),
            window: Window::default(),
            client_words: ClientWords::default(),
            kept: Kept::default(),
            foreign: (0, BTreeSet::new()),
            sent_elsewhere: BoundedMap::new(MAX_SENT_ELSEWHERE),
            peer_met: false,
            foreign_log: None,
        }
    }

    /// Takes the next thing a capture holds. New messages are in [`Self::window`] then.
    pub fn take(&mut self, event: CaptureEvent) {
        match event {
            CaptureEvent::Stanza(stanza) => {
                self.client_words.note_stanza(&stanza.position.file);
                let account = stanza.account.clone().or_else(|| self.only_account());
                for item in self.unwrapper.items(&stanza) {
                    match item {
                        Item::Message(message) => self.message(*message),
                        Item::DeviceList(list) => self.published.take_list(list, account.as_ref(), self.window.end()),
                        Item::Bundle(bundle) => self.published.take_bundle(*bundle, account.as_ref()),
                        Item::Envelope(_) => {}
                        Item::PubsubFailure(failure) => self.published.take_failure(failure),
                    }
                }
            }
            CaptureEvent::ClientLine(line) => {
                if let Some(said) = self.client_words.note(&line) {
                    self.hear(said);
                }
            }
        }
    }

    /// What a client says is about a message in view, or about one that the captures do not hold.
    fn hear(&mut self, said: Said) {
        let about_message = !matches!(said.words.kind, Kind::Unreached(_));
        if self.foreign_log.as_ref() == Some(&said.position.file) {
            return;
        }
        let left = if about_message { self.window.comment(said) } else { Some(said) };
        if let Some(said) = left {
            self.client_words.without_message(said);
        }
    }

    /// The messages in view.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Lets go of the messages up to this place.
    pub fn forget(&mut self, until: usize) {
        self.window.forget(until);
        self.kept.sweep();
    }

    /// All that is known, for the causes.
    pub fn whole<'a>(&'a self, hindsight: &'a Hindsight) -> Whole<'a> {
        Whole {
            own: &self.own,
            book: &self.book,
            published: &self.published,
            window: &self.window,
            client_words: &self.client_words,
            snapshots_only: self.snapshots_only,
            peers: &self.peers,
            hindsight,
        }
    }

    /// What is wrong with published lists and bundles.
    pub fn published_findings(&self) -> Vec<Finding> {
        self.published.findings(&|jid, id| self.identity(jid, id))
    }

    fn only_account(&self) -> Option<BareJid> {
        self.account.clone().or_else(|| match self.own.as_slice() {
            [one] => one.jid.clone(),
            _ => None,
        })
    }

    fn identity(&self, jid: &BareJid, device_id: u32) -> Option<IdentityKey> {
        let replays = self.own.iter().flat_map(|o| &o.replays);
        replays.rev().find_map(|r| {
            let own = r.account.jid.as_ref() == Some(jid) && r.account.own_device_id == Some(device_id);
            if own { r.account.identity.as_ref().map(|i| i.public) } else { r.identity(jid, device_id, Namespace::Omemo2) }
        })
    }

    fn message(&mut self, message: CapturedMessage) {
        self.learn_own_device(&message);
        let Some(index) = self.own_device_for(&message) else { return self.pass_over(&message) };
        self.foreign_log = None;
        let Some(copy) = Copy::of(&message) else { return self.bring_into_view(index, message) };
        if self.own[index].device_id.is_some_and(|own| copy.sid != own) {
            if message.direction == Some(Direction::Outgoing) && message.wrapper == Wrapper::Direct {
                self.sent_elsewhere.insert(copy, (index, message));
                return;
            }
            self.sent_elsewhere.remove(&copy);
        }
        self.bring_into_view(index, message);
    }

    /// The captures end: what others sent, and what nobody saw arrive, is judged all the same.
    pub fn finish(&mut self) {
        for (index, message) in self.sent_elsewhere.drain() {
            self.bring_into_view(index, message);
        }
    }

    /// Tries a message and brings it into view.
    fn bring_into_view(&mut self, index: usize, message: CapturedMessage) {
        let mut outcome = blank(&message, index);
        self.kept.jid(&mut outcome.header.from);
        self.kept.jid(&mut outcome.header.room);
        if let EncryptedPart::Known(encrypted) = &message.encrypted {
            self.learn_own_address(index, &message, encrypted);
            outcome.origin = origin(&self.own[index], &message, encrypted.sid);
            outcome.addressing = self.kept.addressings.keep(addressing(&self.own[index], encrypted));
            let sighting = Sighting { position: message.position.clone(), id: message.id.clone() };
            match (outcome.origin, encrypted.sid) {
                (Origin::ThisDevice, _) => self.own_message(&mut outcome, &message, encrypted, &sighting),
                (_, Some(sid)) => self.received(&mut outcome, &message, encrypted, sid, &sighting),
                (_, None) => {}
            }
            // Several logs may tell of one stanza.
            if outcome.seen_before.is_none() {
                self.note_connection(&message, encrypted, &sighting);
            }
        } else if let EncryptedPart::Broken { partial: Some(encrypted), .. } = &message.encrypted {
            outcome.addressing = self.kept.addressings.keep(addressing(&self.own[index], encrypted));
        }
        if let Some(newest) = self.window.newest_mut() {
            outcome.comments = newest.comments.split(&outcome.header.position);
        }
        self.window.push(outcome);
    }

    fn pass_over(&mut self, message: &CapturedMessage) {
        let (count, receivers) = &mut self.foreign;
        *count += 1;
        self.foreign_log = Some(message.position.file.clone());
        if receivers.len() < SHOWN_RECEIVERS {
            receivers.extend(message.to.clone());
        }
    }

    /// What the captures hold that is no message to us.
    pub fn besides(&self) -> Besides {
        let (foreign, receivers) = self.foreign.clone();
        Besides {
            foreign,
            receivers,
            own: self.own.iter().filter_map(|own| own.jid.clone()).collect(),
            several_copies: self.own.iter().any(|own| own.replays.len() > 1),
            lists: self.published.lists().count(),
            bundles: self.published.bundles().count(),
            absent_peers: if self.peer_met { Vec::new() } else { peer::names(&self.peers) },
            told: self.client_words.told(),
        }
    }

    /// The own device a message concerns; `None` if it concerns none (in a server's log).
    fn own_device_for(&self, message: &CapturedMessage) -> Option<usize> {
        let encrypted = match &message.encrypted {
            EncryptedPart::Known(encrypted) | EncryptedPart::Broken { partial: Some(encrypted), .. } => Some(encrypted),
            _ => None,
        };
        let score = |own: &OwnDevice| {
            let is_own = |jid: &Option<BareJid>| jid.as_ref().and_then(|j| own.is_jid(j)) == Some(true);
            let keyed = encrypted.is_some_and(|e| e.keys.iter().any(|k| k.rid.is_some() && k.rid == own.device_id));
            let sent = encrypted.is_some_and(|e| e.sid.is_some() && e.sid == own.device_id);
            8 * u8::from(keyed)
                + 4 * u8::from(is_own(&message.to))
                + 2 * u8::from(sent)
                + u8::from(is_own(&message.account) || is_own(&message.from))
        };
        let (index, best) = self.own.iter().map(score).enumerate().max_by_key(|(i, s)| (*s, std::cmp::Reverse(*i)))?;
        let own = &self.own[index];
        // A stanza between two others, in a log of a server: both ends are known and neither is us.
        let foreign = |jid: &Option<BareJid>| jid.as_ref().is_some_and(|j| own.is_jid(j) == Some(false));
        let server_log = message.direction.is_some() && message.account.is_none();
        let stranger = best == 0 && message.room.is_none() && server_log && foreign(&message.to) && foreign(&message.from);
        let elsewhere = best == 0 && message.account.as_ref().is_some_and(|a| own.is_jid(a) == Some(false));
        (!stranger && !elsewhere).then_some(index)
    }

    /// Without a store, what a client's log sent shows which device is our own.
    fn learn_own_device(&mut self, message: &CapturedMessage) {
        let ours = message.direction == Some(Direction::Outgoing) && message.wrapper == Wrapper::Direct && !message.server;
        let EncryptedPart::Known(encrypted) = &message.encrypted else { return };
        let (Some(sid), Some(jid), true) = (encrypted.sid, message.account.as_ref().or(message.from.as_ref()), ours) else {
            return;
        };
        let stranger = |own: &OwnDevice| own.jid.as_ref().is_none_or(|known| known == jid) && own.device_id.is_none();
        let unknown = self.own.iter().all(|own| own.device_id != Some(sid));
        let without_store = self.own.iter().all(|own| own.replays.is_empty() && own.problems.is_empty());
        if unknown && without_store && self.own.len() < MAX_LEARNED && self.own.iter().any(stranger) {
            self.own.push(OwnDevice::bare(Some(jid.clone()), Some(sid)));
        }
    }

    /// Learns our own address from a message that is made for our device.
    fn learn_own_address(&mut self, index: usize, message: &CapturedMessage, encrypted: &Encrypted) {
        let own = &mut self.own[index];
        if own.jid.is_some() || own.device_id.is_none() {
            return;
        }
        let key = encrypted.keys.iter().find(|k| k.rid == own.device_id);
        let named = key.and_then(|k| k.jid.as_deref()).and_then(BareJid::new);
        let addressed = message.to.clone().filter(|_| key.is_some() && message.room.is_none());
        own.jid = message.account.clone().or(named).or(addressed);
    }

    /// Which connection of the sender's device a live message came over.
    fn note_connection(&mut self, message: &CapturedMessage, encrypted: &Encrypted, sighting: &Sighting) {
        let live = message.wrapper == Wrapper::Direct && message.sent.is_none() && message.room.is_none();
        let resource = message.from_full.as_deref().and_then(|full| Some(full.split_once('/')?.1));
        if let (true, Some(from), Some(sid), Some(resource)) = (live, &message.from, encrypted.sid, resource) {
            self.book.note_connection(from, sid, resource, sighting);
        }
    }

    /// A message that this very device sent: its ratchet keys are evidence, and our sending chain may open it.
    fn own_message(&mut self, outcome: &mut Outcome, message: &CapturedMessage, encrypted: &Encrypted, sighting: &Sighting) {
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

    fn received(
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

fn blank(message: &CapturedMessage, own: usize) -> Outcome {
    let element = match &message.encrypted {
        EncryptedPart::Known(e) => Element::Known {
            namespace: e.namespace,
            sid: e.sid,
            faults: e.faults.as_slice().into(),
            has_payload: e.payload.is_some() || e.payload_left_out,
        },
        EncryptedPart::UnknownNamespace { uri, sid } => Element::Unknown { uri: uri.as_str().into(), sid: *sid },
        EncryptedPart::Broken { error, partial } => Element::Broken {
            error: Box::new(error.clone()),
            namespace: partial.as_ref().map(|e| e.namespace),
            sid: partial.as_ref().and_then(|e| e.sid),
        },
    };
    Outcome {
        header: Header {
            id: message.id.as_deref().map(Into::into),
            from: message.from.clone(),
            from_full: message.from_full.as_deref().filter(|_| message.from.is_none()).map(Into::into),
            room: message.room.clone(),
            wrapper: message.wrapper,
            delayed: message.sent.is_some(),
            time: message.sent.clone().or_else(|| message.time.clone()),
            direction: message.direction,
            position: message.position.clone(),
            fallback_of: message.fallback_of,
        },
        element,
        own,
        origin: Origin::Contact,
        addressing: Arc::default(),
        key: None,
        trials: Arc::default(),
        opened_by: None,
        payload: None,
        seen_before: None,
        trust: None,
        own_newest: None,
        own_counter: None,
        own_exchange: None,
        heard: None,
        chain_end: None,
        peer: None,
        repairs: message.repairs.as_slice().into(),
        comments: Comments::default(),
    }
}

fn origin(own: &OwnDevice, message: &CapturedMessage, sid: Option<u32>) -> Origin {
    let outgoing = message.direction == Some(Direction::Outgoing);
    let from_us = match &message.from {
        Some(from) => own.is_jid(from).unwrap_or(outgoing),
        // Our own log's outgoing line, or a room that hides addresses.
        None => outgoing || message.room.is_some(),
    };
    match (sid.is_some() && sid == own.device_id, from_us) {
        // Who does not say where it is from speaks of itself.
        (true, true) => Origin::ThisDevice,
        (true, false) if message.from.is_none() => Origin::ThisDevice,
        (true, false) => Origin::OurIdElsewhere,
        (false, _) if message.from.as_ref().is_some_and(|f| own.is_jid(f) == Some(true)) => Origin::OwnAccount,
        (false, _) => Origin::Contact,
    }
}

fn addressing(own: &OwnDevice, encrypted: &Encrypted) -> Addressing {
    let mut addressing = Addressing::default();
    for key in &encrypted.keys {
        let Some(rid) = key.rid else { continue };
        addressing.rids.push(rid);
        let our_jid = own.is_key_jid(key.jid.as_deref());
        match (Some(rid) == own.device_id, our_jid) {
            (true, true) => addressing.ours += 1,
            (true, false) => addressing.other_jid = key.jid.clone(),
            (false, _) => {}
        }
    }
    addressing
}

fn context<'a>(own: &'a OwnDevice, message: &'a CapturedMessage) -> EnvelopeContext<'a> {
    EnvelopeContext {
        from: message.from.as_ref().map(BareJid::as_str),
        to: message.to.as_ref().or(own.jid.as_ref()).map(BareJid::as_str),
        room: message.room.as_ref().map(BareJid::as_str),
        time: message.sent.as_ref().or(message.time.as_ref()).and_then(|w| w.instant),
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
