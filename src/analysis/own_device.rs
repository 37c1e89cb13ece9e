//! Our own device: the account and device id from whose point of view everything is judged, with the
//! store copies that belong to it.

use super::copies::Between;
use super::replay::Replay;
use crate::model::{Account, BareJid, ClientProfile, Problem, Store};
use crate::omemo::IdentityKey;

/// One of our own devices.
#[derive(Debug)]
pub struct OwnDevice {
    /// Its account; learned from the capture where neither store nor user says it.
    pub jid: Option<BareJid>,
    /// Its id.
    pub device_id: Option<u32>,
    /// The client; `None` without a store.
    pub client: Option<&'static ClientProfile>,
    /// Store copies, oldest first as given.
    pub replays: Vec<Replay>,
    /// What happened between one copy and the next.
    pub between: Vec<Between>,
    /// Damage of a store from which no account could be read.
    pub problems: Vec<Problem>,
}

impl OwnDevice {
    /// The device without any store, from its id and account.
    pub fn bare(jid: Option<BareJid>, device_id: Option<u32>) -> Self {
        Self { jid, device_id, client: None, replays: Vec::new(), between: Vec::new(), problems: Vec::new() }
    }

    /// The own devices of several stores. Copies with the same device id (and no contradicting address)
    /// are snapshots of one device. With `wanted`, other accounts are left out, and it is the address of
    /// an account whose store does not know its own.
    pub fn gather(stores: Vec<Store>, wanted: Option<&BareJid>) -> Vec<Self> {
        let mut devices: Vec<Self> = Vec::new();
        let mut problems = Vec::new();
        for (snapshot, store) in stores.into_iter().enumerate() {
            if store.accounts.is_empty() {
                problems.extend(store.problems.iter().cloned());
            }
            for mut account in store.accounts {
                account.problems.extend(store.problems.iter().cloned());
                account.jid = account.jid.take().or_else(|| wanted.cloned());
                if wanted.is_some() && account.jid.as_ref() != wanted {
                    continue;
                }
                match devices.iter_mut().find(|d| d.is(&account)) {
                    Some(device) => device.adopt(snapshot, account),
                    None => {
                        let mut device = Self::bare(account.jid.clone(), account.own_device_id);
                        device.adopt(snapshot, account);
                        devices.push(device);
                    }
                }
            }
        }
        if devices.is_empty() && !problems.is_empty() {
            devices.push(Self { problems, ..Self::bare(wanted.cloned(), None) });
        }
        devices
    }

    fn is(&self, account: &Account) -> bool {
        let same_jid = match (&self.jid, &account.jid) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        same_jid && (self.device_id == account.own_device_id || account.own_device_id.is_none() || self.device_id.is_none())
    }

    fn adopt(&mut self, snapshot: usize, account: Account) {
        self.client = Some(account.client);
        self.device_id = self.device_id.or(account.own_device_id);
        self.jid = self.jid.take().or_else(|| account.jid.clone());
        if let Some(earlier) = self.replays.last() {
            // Copies in one folder come in no order but that of their names.
            let ordered = |between: &Between| earlier.snapshot != snapshot || between.order_known;
            self.between.extend(Between::of(earlier, &account).filter(ordered));
        }
        self.replays.push(Replay::new(snapshot, account));
    }

    /// Our identity key, from any copy.
    pub fn identity(&self) -> Option<IdentityKey> {
        self.replays.iter().find_map(|r| r.account.identity.as_ref()).map(|i| i.public)
    }

    /// Whether this is our own address; `None` if we do not know ours.
    pub fn is_jid(&self, jid: &BareJid) -> Option<bool> {
        self.jid.as_ref().map(|own| own == jid)
    }
}

impl OwnDevice {
    /// Whether a key element's `jid` is ours; legacy elements have none, and an unknown own address
    /// excludes nothing.
    pub fn is_key_jid(&self, jid: Option<&str>) -> bool {
        let Some(jid) = jid else { return true };
        BareJid::new(jid).is_some_and(|j| self.is_jid(&j).unwrap_or(true))
    }
}
