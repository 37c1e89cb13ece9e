//! Which ratchet keys a copy knows when a message comes, held against all that shows others.

use super::{Query, Replay};
use crate::analysis::book::OwnKeys;
use crate::analysis::peer::PeerFact;
use crate::analysis::trial::KeyKnowledge;
use crate::omemo::PublicKey;
use std::cmp::Ordering;

impl Replay {
    /// Holds the ratchet keys of the sessions with the sender's device against what else shows some.
    pub(super) fn key_knowledge(&self, query: &Query<'_>) -> KeyKnowledge {
        let own = self.own_ratchet_keys(query.from, query.sid, query.namespace);
        let theirs: Vec<PublicKey> = self
            .records_of(query)
            .flat_map(|r| r.record.states())
            .flat_map(|(_, s)| s.receiver_chains.iter().map(|c| c.ratchet_key))
            .collect();
        let own_keys = query.book.ours.ratchet_keys(query.namespace, query.sid);
        let newest = own_keys.and_then(OwnKeys::newest);
        let exchange = own_keys.and_then(|keys| keys.get(keys.exchange()?)?.base_key);
        let holds_newest = newest.is_some_and(|newest| own.contains(&newest.ratchet_key));
        let holds_shown = own.iter().any(|key| query.book.ours.showed(query.namespace, query.sid, key));
        let turned = self.records_of(query).filter_map(|replayed| replayed.turned).max();
        let answered = newest.zip(turned).is_some_and(|(newest, turned)| newest.order > turned);
        KeyKnowledge {
            behind: newest.is_some() && !holds_newest && (answered || turned.is_none() && holds_shown),
            keeps_chains: self.account.client.implementation.archives_states(),
            knows_chain: theirs.contains(&query.content.message().ratchet_key),
            holds_newest,
            holds_exchange: exchange.is_some_and(|base_key| {
                self.records_of(query).any(|replayed| replayed.record.with_base_key(&base_key).is_some())
            }),
            holds_shown,
            holds_received: query.peer.is_none_or(|peer| peer.our_ratchet_keys.last().is_none_or(|key| own.contains(key))),
            holds_earlier_received: query.peer.is_some_and(|peer| peer.our_ratchet_keys.iter().any(|key| own.contains(key))),
            steps: query.peer.and_then(|peer| self.steps_against(query, peer)),
            knows_peer: query.peer.is_some_and(|peer| peer.sender_ratchet_keys.iter().any(|key| theirs.contains(key))),
        }
    }

    /// The steps of the root chain of the session that the sender's store uses, held against that store's.
    fn steps_against(&self, query: &Query<'_>, peer: &PeerFact) -> Option<Ordering> {
        let base_key = peer.base_key?;
        let mut sessions = self.records_of(query).filter_map(|replayed| replayed.record.current.as_ref());
        let ours = sessions.find(|session| session.base_key == Some(base_key))?.root_steps?;
        Some(ours.cmp(&peer.root_steps?))
    }
}
