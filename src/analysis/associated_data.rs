//! Looks for the identity keys that a message was bound to, where those of the session do not fit.

use super::peer::PeerFact;
use super::trial::{AdFact, OtherKey, Side};
use crate::model::{Account, BareJid, Place};
use crate::omemo::ratchet::{AssociatedData, MessageKey};
use crate::omemo::wire::RatchetMessage;
use crate::omemo::{IdentityKey, Namespace};

/// The two keys that a message should have been bound to, and all that may have stood in their place.
pub struct Search<'a> {
    /// The variant.
    pub namespace: Namespace,
    /// Our identity key, as the session has it.
    pub local: IdentityKey,
    /// The sender's identity key, as the session has it.
    pub remote: IdentityKey,
    /// The sender.
    pub sender: &'a BareJid,
    /// Our account.
    pub account: &'a Account,
    /// What the sender's own store says.
    pub peer: Option<&'a PeerFact>,
}

/// An identity key and where it stands.
type Known<'a> = (IdentityKey, &'a Place);

impl Search<'_> {
    /// Tries a message's key with every order and every known identity key.
    pub fn proof(&self, key: &MessageKey, message: &RatchetMessage) -> Option<AdFact> {
        let fits = |sender: &IdentityKey, receiver: &IdentityKey| self.fits(key, message, sender, receiver);
        if self.verifies(key, message, &self.local, &self.remote) {
            // In legacy OMEMO the sender's key comes first, whoever began: here it came last.
            return Some(AdFact::Swapped(self.namespace.is_legacy().then_some(Side::Senders)));
        }
        if self.verifies(key, message, &self.remote, &self.local) {
            return Some(AdFact::Swapped(self.namespace.is_legacy().then_some(Side::Ours)));
        }
        let other_sender = self.senders().find(|(s, _)| *s != self.remote && fits(s, &self.local));
        if let Some(known) = other_sender {
            return Some(AdFact::OtherSender(self.sender_key(known)));
        }
        let other_receiver = self.receivers().find(|(r, _)| *r != self.local && fits(&self.remote, r));
        if let Some(known) = other_receiver {
            return Some(AdFact::OtherReceiver(self.receiver_key(known)));
        }
        // Both are others: only pairs that the sender's own store has, and those are few.
        let theirs = || self.peer.into_iter().flat_map(|p| p.own_keys.iter().map(|k| (k.key, &k.place)));
        let ours = || self.peer.into_iter().flat_map(|p| p.our_keys.iter().map(|k| (k.key, &k.place)));
        theirs()
            .flat_map(|s| ours().map(move |r| (s, r)))
            .find(|((s, _), (r, _))| fits(s, r))
            .map(|(s, r)| AdFact::BothOthers(self.sender_key(s), self.receiver_key(r)))
    }

    /// Keys of the sender: in our store, then in its own.
    fn senders(&self) -> impl Iterator<Item = Known<'_>> {
        let rows = self.account.devices.iter().filter(|d| d.jid == *self.sender);
        let peers = self.peer.into_iter().flat_map(|p| &p.own_keys);
        rows.filter_map(|d| Some((d.identity?, &d.place))).chain(peers.map(|k| (k.key, &k.place)))
    }

    /// Keys of ours: our own one, of our other devices, then those that the sender's store has for us.
    fn receivers(&self) -> impl Iterator<Item = Known<'_>> {
        let own = self.account.identity.iter().map(|i| (i.public, &self.account.place));
        let rows = self.account.devices.iter().filter(|d| Some(&d.jid) == self.account.jid.as_ref());
        let peers = self.peer.into_iter().flat_map(|p| &p.our_keys);
        own.chain(rows.filter_map(|d| Some((d.identity?, &d.place)))).chain(peers.map(|k| (k.key, &k.place)))
    }

    /// The sender's store says which key is its own.
    fn sender_key(&self, (key, place): Known<'_>) -> OtherKey {
        let own = self.peer.and_then(|p| p.identity);
        let wrong = own.and_then(|own| match (key == own, self.remote == own) {
            (true, _) => Some(Side::Ours),
            (false, true) => Some(Side::Senders),
            (false, false) => None,
        });
        OtherKey { key, place: place.clone(), wrong }
    }

    /// Our store says which key is our own.
    fn receiver_key(&self, (key, place): Known<'_>) -> OtherKey {
        let own = self.account.identity.as_ref().map(|i| i.public);
        let wrong = own.and_then(|own| match (key == own, self.local == own) {
            (true, _) => Some(Side::Ours),
            (false, true) => Some(Side::Senders),
            (false, false) => None,
        });
        OtherKey { key, place: place.clone(), wrong }
    }

    /// Whether the MAC verifies with these keys; in OMEMO 2 either may have begun the session.
    fn fits(&self, key: &MessageKey, message: &RatchetMessage, sender: &IdentityKey, receiver: &IdentityKey) -> bool {
        self.verifies(key, message, sender, receiver)
            || (!self.namespace.is_legacy() && self.verifies(key, message, receiver, sender))
    }

    /// Whether the MAC verifies with these identity keys in this order.
    fn verifies(&self, key: &MessageKey, message: &RatchetMessage, first: &IdentityKey, second: &IdentityKey) -> bool {
        if self.namespace.is_legacy() {
            return key.verifies(self.namespace, &AssociatedData::legacy(first, second), message);
        }
        let forms = |identity: &IdentityKey| -> Vec<[u8; 32]> {
            identity
                .edwards()
                .map_or_else(|| [false, true].into_iter().filter_map(|s| identity.to_edwards(s)).collect(), |e| vec![*e])
        };
        let seconds = forms(second);
        forms(first).iter().any(|a| seconds.iter().any(|b| key.verifies(self.namespace, &AssociatedData::omemo(a, b), message)))
    }
}
