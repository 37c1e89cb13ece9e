//! What the rules' checks share: the newest lists, identity keys, and which devices are our own.

use super::sent_by_us;
use crate::analysis::book::Sighting;
use crate::model::{BareJid, CapturedBundle, CapturedDeviceList, CapturedMessage, Direction};
use crate::omemo::stanza::device_list::ListedDevice;
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::{IdentityKey, Namespace};
use std::collections::{BTreeSet, HashMap};

/// Accounts and devices that are remembered; a server's log may hold those of everybody.
pub(super) const MAX_KNOWN: usize = 100_000;

/// The newest device list of an account.
#[derive(Debug)]
pub(super) struct LastList {
    pub devices: Vec<ListedDevice>,
    pub seen: Sighting,
    /// Our own client published it.
    pub published_here: bool,
}

impl LastList {
    pub fn holds(&self, id: u32) -> bool {
        self.devices.iter().any(|d| d.id == id)
    }
}

/// Shared facts.
#[derive(Debug)]
pub(super) struct Known {
    own: Option<BareJid>,
    device: Option<u32>,
    lists: HashMap<(Option<BareJid>, Namespace), LastList>,
    identities: HashMap<(Option<BareJid>, u32, Namespace), IdentityKey>,
    /// The ids that each account's client was seen to send with, by variant.
    own_ids: HashMap<(Option<BareJid>, Namespace), BTreeSet<u32>>,
}

impl Known {
    pub fn new(own: Option<BareJid>, device: Option<u32>) -> Self {
        Self { own, device, lists: HashMap::new(), identities: HashMap::new(), own_ids: HashMap::new() }
    }

    /// The account whose client saw a message.
    pub fn account(&self, message: &CapturedMessage) -> Option<BareJid> {
        let from = || message.from.clone().filter(|_| sent_by_us(message));
        message.account.clone().or_else(from).or_else(|| self.own.clone()).or_else(|| {
            let incoming = message.direction == Some(Direction::Incoming) && message.room.is_none();
            message.to.clone().filter(|_| incoming)
        })
    }

    /// Whose list or bundle it is.
    pub fn owner(&self, owner: Option<&BareJid>, direction: Option<Direction>) -> Option<BareJid> {
        owner.cloned().or_else(|| self.own.clone().filter(|_| direction == Some(Direction::Outgoing)))
    }

    pub fn take_list(&mut self, list: &CapturedDeviceList) {
        let key = (self.owner(list.owner.as_ref(), list.direction), list.list.namespace);
        if self.lists.len() >= MAX_KNOWN && !self.lists.contains_key(&key) {
            return;
        }
        let last = LastList {
            devices: list.list.devices.clone(),
            seen: Sighting { position: list.position.clone(), id: list.stanza_id.clone() },
            published_here: list.direction == Some(Direction::Outgoing),
        };
        self.lists.insert(key, last);
    }

    pub fn take_bundle(&mut self, bundle: &CapturedBundle) {
        let owner = self.owner(bundle.owner.as_ref(), bundle.direction);
        if let (Some(id), Some(identity)) = (bundle.device_id, bundle.bundle.identity_key)
            && self.identities.len() < MAX_KNOWN
        {
            self.identities.insert((owner, id, bundle.bundle.namespace), identity);
        }
    }

    pub fn take_message(&mut self, message: &CapturedMessage, encrypted: &Encrypted) {
        if let Some(sid) = encrypted.sid.filter(|_| sent_by_us(message))
            && self.own_ids.len() < MAX_KNOWN
        {
            self.own_ids.entry((self.account(message), encrypted.namespace)).or_default().insert(sid);
        }
    }

    pub fn list(&self, owner: Option<&BareJid>, namespace: Namespace) -> Option<&LastList> {
        self.lists.get(&(owner.cloned(), namespace))
    }

    pub fn lists(&self) -> impl Iterator<Item = (Option<&BareJid>, Namespace, &LastList)> {
        let mut lists: Vec<_> = self.lists.iter().collect();
        lists.sort_by(|a, b| a.0.cmp(b.0));
        lists.into_iter().map(|((owner, namespace), list)| (owner.as_ref(), *namespace, list))
    }

    pub fn identity(&self, owner: Option<&BareJid>, id: u32, namespace: Namespace) -> Option<&IdentityKey> {
        self.identities.get(&(owner.cloned(), id, namespace))
    }

    /// The device ids that an account's client was seen to send with, or that the user named.
    pub fn own_devices(&self, account: Option<&BareJid>, namespace: Namespace) -> BTreeSet<u32> {
        let mut ids = self.own_ids.get(&(account.cloned(), namespace)).cloned().unwrap_or_default();
        if self.own.is_none() || self.own.as_ref() == account {
            ids.extend(self.device);
        }
        ids
    }

    /// Whether the capture shows that this account's client sends messages at all.
    pub fn sends(&self, account: Option<&BareJid>, namespace: Namespace) -> bool {
        self.own_ids.contains_key(&(account.cloned(), namespace))
    }
}
