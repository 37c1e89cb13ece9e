//! The facts: every message that the captures hold, tried on every copy of the store, and what stands in clear beside.

mod other_device;
mod outline;
mod reception;
mod waiting;

use super::book::{Book, Sighting};
use super::client_words::{ClientWords, Kind, Said};
use super::diagnose::{Hindsight, Whole};
use super::investigation::Question;
use super::outcome::{Addressing, Origin, SenderTrust};
use super::own_device::OwnDevice;
use super::peer::{self, PeerFact};
use super::pool::Pool;
use super::published::Published;
use super::summary::{Besides, LogOwner};
use super::trial::Trial;
use super::window::Window;
use crate::bounded_map::BoundedMap;
use crate::input::capture::unwrap::Unwrapper;
use crate::mark::mark;
use crate::model::{
    BareJid, CaptureEvent, CapturedMessage, Direction, EncryptedPart, Finding, Problem, ProblemScope, Store, Wrapper,
};
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::{IdentityKey, Namespace};
use other_device::OtherDevice;
use outline::{addressing, blank, origin};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use waiting::Heard;

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

/// A message as it came or went over the wire.
#[derive(Debug)]
struct Sighted {
    order: usize,
    file: Arc<Path>,
    keys: u64,
    /// `None` where the log left it out.
    payload: Option<u64>,
}

impl Sighted {
    fn of(message: &CapturedMessage, order: usize) -> Option<Self> {
        let live = message.wrapper == Wrapper::Direct && message.sent.is_none();
        let EncryptedPart::Known(encrypted) = &message.encrypted else { return None };
        let file = message.position.file.clone();
        let keys: Vec<_> = encrypted.keys.iter().map(|key| (key.rid, &key.content)).collect();
        let payload = (!encrypted.payload_left_out).then(|| mark(&encrypted.payload));
        live.then(|| Self { order, file, keys: mark(&keys), payload })
    }

    /// Whether another log tells of the same, and no more of it.
    fn is_same_as(&self, other: &Self) -> bool {
        let payload = other.payload.is_none() || other.payload == self.payload;
        self.file != other.file && self.keys == other.keys && payload
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

/// The facts.
#[derive(Debug)]
pub(super) struct Facts {
    /// Without a store and a device id, what comes before our own device is known.
    waiting: Option<Vec<Heard>>,
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
    /// Messages as they came or went over the wire, to know them in another log.
    sighted: BoundedMap<Copy, Sighted>,
    /// By our device, whether the log is that of another one.
    other_devices: BTreeMap<usize, OtherDevice>,
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
        let unknown = own.iter().all(|own| own.device_id.is_none() && own.replays.is_empty() && own.problems.is_empty());
        Self {
            waiting: unknown.then(Vec::new),
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
            sighted: BoundedMap::new(MAX_SENT_ELSEWHERE),
            other_devices: BTreeMap::new(),
            peer_met: false,
            foreign_log: None,
        }
    }

    /// Takes the next thing a capture holds. New messages are in [`Self::window`] then.
    pub fn take(&mut self, event: CaptureEvent) {
        match event {
            CaptureEvent::Stanza(stanza) => {
                self.client_words.note_stanza(&stanza.position.file);
                for item in self.unwrapper.items(&stanza) {
                    self.wait_or_take(Heard::Item(Box::new(item), stanza.account.clone()));
                }
            }
            CaptureEvent::ClientLine(line) => {
                if let Some(said) = self.client_words.note(&line) {
                    self.wait_or_take(Heard::Said(Box::new(said)));
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
        if self.stands_in_another_log(index, &copy, &message) {
            return;
        }
        if self.own[index].device_id.is_some_and(|own| copy.sid != own) {
            if message.direction == Some(Direction::Outgoing) && message.wrapper == Wrapper::Direct {
                self.sent_elsewhere.insert(copy, (index, message));
                return;
            }
            self.sent_elsewhere.remove(&copy);
        }
        if let Some(seen) = Sighted::of(&message, self.window.end()) {
            self.sighted.insert(copy, seen);
        }
        self.bring_into_view(index, message);
    }

    /// Whether it is a stanza that another log held already, as it came or went over the wire.
    fn stands_in_another_log(&mut self, index: usize, copy: &Copy, message: &CapturedMessage) -> bool {
        let Some((first, now)) = self.sighted.get(copy).zip(Sighted::of(message, 0)) else { return false };
        let (order, same) = (first.order, first.is_same_as(&now));
        let ours = self.own[index].device_id == Some(copy.sid);
        let other_end = if ours { Direction::Incoming } else { Direction::Outgoing };
        if same && message.direction == Some(other_end) {
            // The log of the other end: what its client says is nothing to us.
            self.foreign_log = Some(message.position.file.clone());
            return true;
        }
        same && self.window.stands_also(order, &message.position)
    }

    /// The captures end: what others sent, and what nobody saw arrive, is judged all the same.
    pub fn finish(&mut self) {
        self.stop_waiting();
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
            self.other_devices.entry(index).or_default().note(&message, &outcome, &outcome.addressing);
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
            locked: self.locked().map(|problem| problem.place.file.clone()).collect(),
            log_owner: self.log_owner(),
            told: self.client_words.told(),
        }
    }

    /// Parts of our stores whose password was not given.
    fn locked(&self) -> impl Iterator<Item = &Problem> {
        let problems = self.own.iter().flat_map(|own| own.replays.iter().flat_map(|replay| &replay.account.problems));
        problems.filter(|problem| problem.scope == ProblemScope::Locked)
    }

    /// A device of ours, and the other one that the log belongs to.
    fn log_owner(&self) -> Option<(u32, LogOwner)> {
        let mut owners = self.other_devices.iter();
        owners.find_map(|(index, other)| Some((self.own.get(*index)?.device_id?, other.owner()?)))
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
        // Of equal ones that whose id is known.
        let known = |index: usize| self.own.get(index).is_some_and(|own| own.device_id.is_some());
        let scores = self.own.iter().map(score).enumerate();
        let (index, best) = scores.max_by_key(|(i, s)| (*s, known(*i), std::cmp::Reverse(*i)))?;
        let own = &self.own[index];
        // A stanza between two others, in a log of a server, or of an account whose part of the store is locked: both ends
        // are known and neither is us.
        let foreign = |jid: &Option<BareJid>| jid.as_ref().is_some_and(|j| own.is_jid(j) == Some(false));
        let server_log = message.direction.is_some() && message.account.is_none();
        let mut problems = own.replays.iter().flat_map(|replay| &replay.account.problems);
        let apart = server_log || problems.any(|problem| problem.scope == ProblemScope::Locked);
        let stranger = best == 0 && message.room.is_none() && apart && foreign(&message.to) && foreign(&message.from);
        let elsewhere = best == 0 && message.account.as_ref().is_some_and(|a| own.is_jid(a) == Some(false));
        (!stranger && !elsewhere).then_some(index)
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
}
