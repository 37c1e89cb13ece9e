//! One store copy, brought forward: each message of the capture changes its sessions and prekeys as it
//! would have changed the client's. What is replayed is never written anywhere.

mod knowledge;

use super::associated_data::Search;
use super::book::Book;
use super::peer::PeerFact;
use super::trial::{AdFact, ExchangeFact, Filed, PrekeyFact, RatchetFact, ReplacedFact, SessionFact, Trial};
use crate::model::{Account, BareJid, ProblemScope};
use crate::omemo::ratchet::{Attempt, ChainLookup, Failure, ReceiverChain, Session, SessionRecord, StateRef, Step};
use crate::omemo::wire::{KeyContent, KeyExchange, RatchetMessage};
use crate::omemo::{IdentityKey, Namespace, PublicKey, x3dh};
use crate::secret::SecretBytes;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Sessions that a key exchange replaced and that are kept for proofs, per device: enough for crossed
/// exchanges, and bounded against a flood of them.
const MAX_REPLACED: usize = 8;

/// Whose session: account, device, variant.
pub type DeviceKey = (BareJid, u32, Namespace);

/// A session as replayed.
#[derive(Clone, Debug)]
struct Replayed {
    record: SessionRecord,
    /// The message of the capture (its number) that turned the ratchet: our next ratchet key is not known.
    turned: Option<usize>,
    /// The message of the capture that began the session.
    begun: Option<usize>,
    /// Sessions that the client threw away, for proofs.
    replaced: Vec<Replaced>,
    /// Its row in the store; `None` if this capture began it.
    filed: Option<Filed>,
}

/// A session that a key exchange of theirs replaced.
#[derive(Clone, Debug)]
struct Replaced {
    session: Session,
    /// We had begun it, and nothing of theirs had answered in it.
    unanswered: bool,
}

/// How things stood before the last message opened.
#[derive(Debug)]
struct Before {
    key: DeviceKey,
    session: Option<Replayed>,
    identity: Option<IdentityKey>,
    /// The one-time prekey that it used up.
    prekey: Option<(Namespace, u32)>,
}

/// A message to be tried.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The sender, if known.
    pub from: Option<&'a BareJid>,
    /// The sender's address as the stanza spells it.
    pub written: Option<&'a str>,
    /// The sender's device.
    pub sid: u32,
    /// The variant of the bytes.
    pub namespace: Namespace,
    /// The key element.
    pub content: &'a KeyContent,
    /// Where our own ratchet keys towards the sender's device stand.
    pub book: &'a Book,
    /// What the sender's own store says.
    pub peer: Option<&'a PeerFact>,
    /// How many messages the capture has shown before it.
    pub order: usize,
}

impl Query<'_> {
    /// Whether the stanza spells the sender's address in this way, with its resource or without. Where the sender
    /// is not known, nothing speaks against any.
    fn spells(&self, address: &str) -> bool {
        let Some(from) = self.from else { return true };
        let bare = |jid: &str| jid.split('/').next() == Some(address);
        match self.written {
            Some(written) if BareJid::new(written).as_ref() == Some(from) => written == address || bare(written),
            // An occupant of a room: both the real address and the one in the room may name the row.
            Some(written) => from.as_str() == address || written == address || bare(written),
            None => from.as_str() == address,
        }
    }
}

/// Nothing of theirs has been read in a state.
fn is_unread(state: &Session) -> bool {
    let untouched = |chain: &ReceiverChain| chain.index() == Some(0) && chain.skipped.is_empty();
    state.pending_prekey.is_some() || state.receiver_chains.iter().all(untouched)
}

/// What a state gave that opened a message.
#[derive(Debug)]
pub struct Opening {
    /// The key material.
    pub material: SecretBytes,
    /// The sender's identity key in that state.
    pub identity: IdentityKey,
}

/// A store copy of one account.
#[derive(Debug)]
pub struct Replay {
    /// Position among the stores given.
    pub snapshot: usize,
    /// The account as read.
    pub account: Account,
    sessions: BTreeMap<DeviceKey, Replayed>,
    used_prekeys: HashSet<(Namespace, u32)>,
    /// Identity keys learned from key exchanges of this capture.
    learned: HashMap<DeviceKey, IdentityKey>,
    /// Kept only for a client that takes a message back whose payload fails.
    before: Option<Before>,
}

impl Replay {
    /// Begins with an account as read from the store at position `snapshot`.
    pub fn new(snapshot: usize, mut account: Account) -> Self {
        let mut stored = std::mem::take(&mut account.sessions);
        // Where two rows spell one address, the client finds the one that is spelled as servers write it.
        stored.sort_by_key(|s| s.jid.written() != s.jid.as_str());
        let mut sessions = BTreeMap::new();
        for session in stored {
            let filed = Filed {
                address: session.jid.written().into(),
                place: session.place,
                unread: session.record.states().all(|(_, state)| is_unread(state)),
            };
            let mut key = (session.jid, session.device_id, session.namespace);
            if sessions.contains_key(&key) {
                key.0 = BareJid::verbatim(key.0.written());
            }
            let replayed =
                Replayed { record: session.record, turned: None, begun: None, replaced: Vec::new(), filed: Some(filed) };
            sessions.insert(key, replayed);
        }
        Self { snapshot, account, sessions, used_prekeys: HashSet::new(), learned: HashMap::new(), before: None }
    }

    /// The sessions as they stand now.
    pub fn all_records(&self) -> impl Iterator<Item = (&DeviceKey, &SessionRecord)> {
        self.sessions.iter().map(|(key, replayed)| (key, &replayed.record))
    }

    /// The identity key this copy has for a device: from its session, a device row, or this capture.
    pub fn identity(&self, jid: &BareJid, device_id: u32, namespace: Namespace) -> Option<IdentityKey> {
        let key = (jid.clone(), device_id, namespace);
        self.learned
            .get(&key)
            .copied()
            .or_else(|| {
                let record = &self.sessions.get(&key)?.record;
                record.current.as_ref().or(record.archived.first()).map(|s| s.remote_identity)
            })
            .or_else(|| {
                let same = |d: &&crate::model::Device| d.jid == *jid && d.device_id == Some(device_id);
                self.account.devices.iter().find(same).and_then(|d| d.identity)
            })
    }

    /// Our current ratchet keys towards a device, of all states.
    pub fn own_ratchet_keys(&self, jid: Option<&BareJid>, device_id: u32, namespace: Namespace) -> Vec<PublicKey> {
        self.records(jid, device_id, namespace)
            .flat_map(|r| r.record.states())
            .filter_map(|(_, s)| s.sender_chain.as_ref().map(|c| c.ratchet_key.public))
            .collect()
    }

    /// The message key of a message that this device itself sent, from its sending chain.
    pub fn own_message_key(&self, rid: u32, namespace: Namespace, message: &RatchetMessage) -> Option<SecretBytes> {
        self.records(None, rid, namespace).flat_map(|r| r.record.states()).find_map(|(_, session)| {
            let key = session.own_message_key(message)?;
            let data = session.associated_data(false)?;
            key.verifies(namespace, &data, message).then(|| key.decrypt(namespace, message)).flatten()
        })
    }

    /// Whether the copy had sent a message before it was made: it has the session that the message begins, or its chain
    /// stands behind the counter.
    pub fn has_sent(&self, rid: u32, namespace: Namespace, content: &KeyContent) -> bool {
        let message = content.message();
        let base_key = content.key_exchange().map(|exchange| exchange.base_key);
        if base_key.is_some_and(|key| self.records(None, rid, namespace).any(|r| r.record.with_base_key(&key).is_some())) {
            return true;
        }
        let sending =
            self.records(None, rid, namespace).flat_map(|r| r.record.states()).filter_map(|(_, s)| s.sender_chain.as_ref());
        sending
            .filter(|chain| chain.ratchet_key.public == message.ratchet_key)
            .any(|chain| chain.chain_key.as_ref().is_some_and(|key| key.index > message.counter))
    }

    fn records_of(&self, query: &Query<'_>) -> impl Iterator<Item = &Replayed> {
        self.records(query.from, query.sid, query.namespace)
    }

    fn records(&self, jid: Option<&BareJid>, device_id: u32, namespace: Namespace) -> impl Iterator<Item = &Replayed> {
        self.sessions
            .iter()
            .filter(move |((j, id, ns), _)| *id == device_id && *ns == namespace && jid.is_none_or(|jid| jid == j))
            .map(|(_, r)| r)
    }

    /// Takes the last message back if its client does so where the payload fails.
    pub fn payload_failed(&mut self) {
        let Some(Before { key, session, identity, prekey }) = self.before.take() else { return };
        if let Some(identity) = identity {
            self.learned.insert(key.clone(), identity);
        } else {
            self.learned.remove(&key);
        }
        if let Some(prekey) = prekey {
            self.used_prekeys.remove(&prekey);
        }
        if let Some(session) = session {
            self.sessions.insert(key, session);
        } else {
            self.sessions.remove(&key);
        }
    }

    fn remember(&mut self, key: &DeviceKey, prekey: Option<(Namespace, u32)>) {
        if self.account.client.implementation.stores_after_payload() {
            let (session, identity) = (self.sessions.get(key).cloned(), self.learned.get(key).copied());
            self.before = Some(Before { key: key.clone(), session, identity, prekey });
        }
    }

    /// Tries a message and, if it opens, moves the session on. With what the state gave that opened it.
    pub fn receive(&mut self, query: &Query<'_>) -> (Trial, Option<Opening>) {
        self.before = None;
        let mut candidates = self.candidates(query);
        let exchange = query.content.key_exchange().map(|e| self.exchange_fact(query, e, &candidates));
        let mut trial = self.blank(query, exchange);
        if trial.exchange.as_ref().is_some_and(|e| !e.base_key_known) {
            let opened = query.from.cloned().or_else(|| first_jid(&candidates)).and_then(|jid| {
                let key = (jid, query.sid, query.namespace);
                self.receive_exchange(&mut trial, key, query.content.key_exchange()?, query)
            });
            return (trial, opened);
        }
        if let (Some(from), true) = (query.from, trial.exchange.is_none()) {
            // The session may lie under another spelling of the address: the MAC tells.
            let all = self.candidates(&Query { from: None, ..*query });
            candidates.extend(all.into_iter().filter(|(jid, ..)| jid != from));
        }
        let opened = candidates.iter().find_map(|key| {
            let foreign = query.from.is_some_and(|from| *from != key.0);
            let opened = self.receive_in(&mut trial, key, foreign, query)?;
            let filed = self.sessions.get(key).and_then(|r| r.filed.as_ref());
            trial.filed = filed.filter(|f| !query.spells(&f.address)).cloned().map(Box::new);
            Some(opened)
        });
        (trial, opened)
    }

    fn candidates(&self, query: &Query<'_>) -> Vec<DeviceKey> {
        let fits =
            |key: &&DeviceKey| key.1 == query.sid && key.2 == query.namespace && query.from.is_none_or(|from| *from == key.0);
        self.sessions.keys().filter(fits).cloned().collect()
    }

    fn blank(&self, query: &Query<'_>, exchange: Option<ExchangeFact>) -> Trial {
        let damaged = self.account.problems.iter().find_map(|p| match &p.scope {
            ProblemScope::Session { jid, device_id } if *device_id == query.sid && query.from.is_none_or(|f| f == jid) => {
                Some(SessionFact::Damaged { place: Box::new(p.place.clone()), says: p.says.as_str().into() })
            }
            _ => None,
        });
        Trial {
            snapshot: self.snapshot,
            session: damaged.unwrap_or(SessionFact::Missing),
            exchange: exchange.map(Box::new),
            ratchet: None,
            over_limit: None,
            retired_chain: None,
            associated_data: None,
            replaced: None,
            turned_at: None,
            begun_here: false,
            newest_chain_index: None,
            newest_chain: None,
            filed: None,
            keys: self.key_knowledge(query),
        }
    }

    fn exchange_fact(&self, query: &Query<'_>, exchange: &KeyExchange, candidates: &[DeviceKey]) -> ExchangeFact {
        let base_key_known = candidates
            .iter()
            .any(|key| self.sessions.get(key).is_some_and(|r| r.record.with_base_key(&exchange.base_key).is_some()));
        let known = query.from.and_then(|jid| self.identity(jid, query.sid, query.namespace));
        let damaged = |wanted: ProblemScope| self.account.problems.iter().find(|p| p.scope == wanted).map(|p| p.place.clone());
        let namespace = query.namespace;
        let signed = exchange.signed_prekey_id;
        let signed_prekey = if self.signed_prekey(namespace, signed).is_some() {
            PrekeyFact::Held
        } else {
            damaged(ProblemScope::SignedPreKey(signed)).map_or(PrekeyFact::Missing, |place| PrekeyFact::Damaged { place })
        };
        let prekey = match exchange.prekey_id {
            None => PrekeyFact::NotNamed,
            Some(id) if self.used_prekeys.contains(&(namespace, id)) => PrekeyFact::UsedUp,
            Some(id) => match self.prekey(namespace, id) {
                Some(held) if held.pair.is_consistent() => PrekeyFact::Held,
                Some(held) => PrekeyFact::Damaged { place: held.place.clone() },
                None => damaged(ProblemScope::PreKey(id)).map_or(PrekeyFact::Missing, |place| PrekeyFact::Damaged { place }),
            },
        };
        ExchangeFact {
            base_key_known,
            identity: exchange.identity_key,
            other_identity: known.filter(|k| *k != exchange.identity_key),
            signed_prekey_id: signed,
            signed_prekey,
            prekey_id: exchange.prekey_id,
            prekey,
            highest_prekey_id: self.account.highest_prekey_id,
        }
    }

    fn signed_prekey(&self, namespace: Namespace, id: u32) -> Option<&crate::model::StoredSignedPreKey> {
        self.account.signed_prekeys.iter().find(|k| k.id == id && k.namespaces.contains(&namespace))
    }

    fn prekey(&self, namespace: Namespace, id: u32) -> Option<&crate::model::StoredPreKey> {
        self.account.prekeys.iter().find(|k| k.id == id && k.namespaces.contains(&namespace))
    }

    /// A key exchange that no state knows: X3DH, then the inner message.
    fn receive_exchange(
        &mut self,
        trial: &mut Trial,
        key: DeviceKey,
        exchange: &KeyExchange,
        query: &Query<'_>,
    ) -> Option<Opening> {
        let namespace = key.2;
        let fact_allows = trial
            .exchange
            .as_ref()
            .is_some_and(|e| e.signed_prekey == PrekeyFact::Held && matches!(e.prekey, PrekeyFact::Held | PrekeyFact::NotNamed));
        if let Some(replayed) = self.sessions.get(&key) {
            trial.session = present(replayed);
        }
        let own = self.account.identity.as_ref().filter(|_| fact_allows)?;
        let signed = self.signed_prekey(namespace, exchange.signed_prekey_id)?;
        let one_time = exchange.prekey_id.and_then(|id| self.prekey(namespace, id));
        let session = x3dh::respond(namespace, own, &signed.pair, one_time.map(|k| &k.pair), exchange);
        let limits = self.account.client.implementation.limits();
        let step = session.receive(&exchange.message, &limits);
        let (next, opening) = self.first_step(trial, &session, step, query, &key)?;
        if trial.exchange.as_ref().is_some_and(|e| e.other_identity.is_some()) && !self.account.client.accepts_changed_identity {
            // The client refuses it: its own session stays as it is.
            return Some(opening);
        }
        self.remember(&key, exchange.prekey_id.map(|id| (namespace, id)));
        let implementation = self.account.client.implementation;
        let replayed = self.sessions.entry(key.clone()).or_insert_with(|| Replayed {
            record: SessionRecord { implementation, current: None, archived: Vec::new() },
            turned: None,
            begun: None,
            replaced: Vec::new(),
            filed: None,
        });
        if !implementation.archives_states()
            && let Some(old) = replayed.record.current.clone()
        {
            let unanswered = old.initiator == Some(true) && old.pending_prekey.is_some();
            replayed.replaced.insert(0, Replaced { session: old, unanswered });
            replayed.replaced.truncate(MAX_REPLACED);
        }
        replayed.record.begin(next);
        replayed.turned = Some(query.order);
        replayed.begun = Some(query.order);
        trial.session = present(replayed);
        if let Some(id) = exchange.prekey_id {
            self.used_prekeys.insert((namespace, id));
        }
        self.learned.insert(key, exchange.identity_key);
        Some(opening)
    }

    /// An ordinary message, or a repeated key exchange, in the sessions of one device.
    fn receive_in(&mut self, trial: &mut Trial, key: &DeviceKey, foreign: bool, query: &Query<'_>) -> Option<Opening> {
        let message = query.content.message();
        let attempt = self.sessions.get(key)?.record.receive(message);
        if attempt.opened.is_some() {
            self.remember(key, None);
        }
        let replayed = self.sessions.get_mut(key)?;
        if foreign && attempt.opened.is_none() {
            return None;
        }
        let damaged = matches!(trial.session, SessionFact::Damaged { .. });
        if !damaged || attempt.opened.is_some() {
            trial.session = present(replayed);
        }
        trial.turned_at = replayed.turned;
        trial.begun_here = replayed.begun.is_some();
        let fact = RatchetFact::of(&attempt, replayed.turned.is_some()).map(|f| with_numbers(f, &replayed.record, message));
        trial.ratchet = fact;
        if let Some(opened) = &attempt.opened {
            let identity = replayed.record.state(opened.state)?.remote_identity;
            trial.over_limit = attempt.over_limit;
            trial.retired_chain = opened_with_retired_chain(&replayed.record, &attempt, opened.state);
            let turned = attempt
                .states
                .iter()
                .any(|s| s.state == opened.state && matches!(s.step.lookup, Some(ChainLookup::NewStep { .. })));
            // The client could not follow beyond its limit, nor in a chain that had ended: its session stands where it stood.
            if attempt.over_limit.is_none() && trial.retired_chain.is_none() {
                replayed.record.apply(&attempt);
                let lost = replayed.record.current.as_ref().is_some_and(|s| s.sender_chain.is_none());
                replayed.turned = if lost { replayed.turned.filter(|_| !turned).or(Some(query.order)) } else { None };
            }
            Some(Opening { material: opened.key_material.clone(), identity })
        } else if let Some((opening, replaced)) = open_replaced(replayed, message) {
            trial.replaced = Some(replaced);
            Some(opening)
        } else {
            let newest = replayed.record.current.as_ref().and_then(|s| s.receiver_chains.last());
            trial.newest_chain_index = newest.and_then(|c| c.chain_key.as_ref()).map(|k| k.index);
            trial.newest_chain = newest.map(|c| c.ratchet_key);
            trial.associated_data = self.associated_data_proof(key, query.peer, &attempt, message).map(Box::new);
            None
        }
    }

    /// Judges the first message of a new session; gives the session after it and the key material, if it opened.
    fn first_step(
        &self,
        trial: &mut Trial,
        session: &Session,
        step: Step,
        query: &Query<'_>,
        key: &DeviceKey,
    ) -> Option<(Session, Opening)> {
        let message = query.content.message();
        let attempt = attempt_of(session, step, message);
        trial.ratchet = RatchetFact::of(&attempt, false);
        trial.over_limit = attempt.over_limit;
        let Some(opened) = &attempt.opened else {
            trial.associated_data = self.associated_data_proof(key, query.peer, &attempt, message).map(Box::new);
            return None;
        };
        let opening = Opening { material: opened.key_material.clone(), identity: session.remote_identity };
        Some((attempt.states.into_iter().find_map(|s| s.step.next)?, opening))
    }

    /// Looks for associated data with which the MAC verifies.
    fn associated_data_proof(
        &self,
        key: &DeviceKey,
        peer: Option<&PeerFact>,
        attempt: &Attempt,
        message: &RatchetMessage,
    ) -> Option<AdFact> {
        let own = self.account.identity.as_ref().map(|i| i.public)?;
        // Where only the padding is wrong, the MAC verified with the data as it is.
        let mut unbound = attempt.states.iter().filter(|tried| tried.step.failure != Some(Failure::Padding));
        unbound.find_map(|tried| {
            let message_key = tried.step.message_key.as_ref()?;
            let session = self.sessions.get(key).and_then(|r| r.record.state(tried.state));
            let (local, remote) = session.map_or((own, None), |s| (s.local_identity, Some(s.remote_identity)));
            let remote = remote.or_else(|| self.identity(&key.0, key.1, key.2))?;
            Search { namespace: key.2, local, remote, sender: &key.0, account: &self.account, peer }.proof(message_key, message)
        })
    }
}

fn first_jid(candidates: &[DeviceKey]) -> Option<BareJid> {
    candidates.first().map(|(jid, ..)| jid.clone())
}

fn present(replayed: &Replayed) -> SessionFact {
    SessionFact::Present { states: replayed.record.states().count() }
}

/// Whether the key came from a chain that the client had ended, and was not among the skipped ones.
fn opened_with_retired_chain(record: &SessionRecord, attempt: &Attempt, opened: StateRef) -> Option<u32> {
    let tried = attempt.states.iter().find(|s| s.state == opened)?;
    let Some(ChainLookup::Known { chain, skipped: false, index }) = tried.step.lookup else { return None };
    record.state(opened)?.receiver_chains.get(chain).filter(|c| c.retired).and(index)
}

/// Opens a message with a session the client no longer has, and moves that session on.
fn open_replaced(replayed: &mut Replayed, message: &RatchetMessage) -> Option<(Opening, ReplacedFact)> {
    let limits = replayed.record.implementation.limits();
    for Replaced { session, unanswered } in &mut replayed.replaced {
        let step = session.receive(message, &limits);
        if let (Some(next), Some(key)) = (step.next, step.message_key) {
            let material = key.decrypt(session.namespace, message)?;
            *session = next;
            let opening = Opening { material, identity: session.remote_identity };
            return Some((opening, if *unanswered { ReplacedFact::Unanswered } else { ReplacedFact::InUse }));
        }
    }
    None
}

fn attempt_of(session: &Session, step: Step, message: &RatchetMessage) -> Attempt {
    let opened = step.next.as_ref().and(step.message_key.as_ref()).and_then(|key| {
        let key_material = key.decrypt(session.namespace, message)?;
        Some(crate::omemo::ratchet::Opened { state: StateRef::Current, key_material, message_key: key.clone() })
    });
    let states = vec![crate::omemo::ratchet::StateAttempt { state: StateRef::Current, step }];
    Attempt { states, opened, over_limit: None, client_stopped_at: None }
}

/// Adds the numbers that tell a used key from a dropped one.
fn with_numbers(fact: RatchetFact, record: &SessionRecord, message: &RatchetMessage) -> RatchetFact {
    match fact {
        RatchetFact::Used { index, .. } => {
            let skipped = |s: &Session| s.receiver_chains.iter().map(|c| c.skipped.len()).sum::<usize>();
            let stored = record.states().map(|(_, s)| skipped(s)).max().unwrap_or(0);
            let oldest_stored = record
                .states()
                .flat_map(|(_, s)| s.receiver_chains.iter())
                .filter(|c| c.ratchet_key == message.ratchet_key)
                .flat_map(|c| c.skipped.iter().map(|k| k.counter))
                .min();
            RatchetFact::Used { index, oldest_stored, stored }
        }
        RatchetFact::NewChainBadMac { .. } => {
            let chains = record.states().map(|(_, s)| s.receiver_chains.len()).max().unwrap_or(0);
            RatchetFact::NewChainBadMac { chains }
        }
        other => other,
    }
}
