//! What would happen if an account left the old variant today: who stays reachable in OMEMO 2, and who is lost.

use super::activity;
use crate::model::{Account, ActivityState, BareJid};
use crate::omemo::{Fingerprint, Namespace};
use std::collections::{BTreeMap, BTreeSet};

/// How a contact would fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// No device of it is known to speak OMEMO 2.
    Lost,
    /// Some of its devices would no longer get messages.
    Partly,
    /// All its devices speak OMEMO 2.
    Reachable,
}

impl Reach {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Partly => "partly",
            Self::Reachable => "reachable",
        }
    }
}

/// One contact (or the account itself, for its other devices).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactUpgrade {
    /// Who.
    pub jid: BareJid,
    /// How it would fare.
    pub reach: Reach,
    /// Devices in use that are known only in the old variant.
    pub only_old: BTreeSet<u32>,
    /// Devices in use that are known only in OMEMO 2.
    pub only_new: BTreeSet<u32>,
    /// Devices in use that are known in both.
    pub both: BTreeSet<u32>,
    /// Devices that show another identity key in one variant than in the other.
    pub different_identity: BTreeSet<u32>,
}

/// Looks at every contact; those that fare worst come first. Devices out of use are left out: nobody
/// encrypts for them anyway.
pub fn contacts(account: &Account) -> Vec<ContactUpgrade> {
    let mut variants: BTreeMap<(&BareJid, u32), BTreeSet<Namespace>> = BTreeMap::new();
    let mut identities: BTreeMap<(&BareJid, u32), BTreeSet<Fingerprint>> = BTreeMap::new();
    for device in &account.devices {
        let Some(id) = device.device_id else { continue };
        if activity::judge(account, device).state == ActivityState::Inactive {
            continue;
        }
        variants.entry((&device.jid, id)).or_default().extend(device.namespaces.iter().copied());
        identities.entry((&device.jid, id)).or_default().extend(device.identity.map(|i| i.fingerprint()));
    }
    // A session names its peer's identity key too: the two variants must agree on it.
    for session in &account.sessions {
        let key = (&session.jid, session.device_id);
        if let (Some(known), Some(state)) = (variants.get_mut(&key), &session.record.current) {
            known.insert(session.namespace);
            identities.entry(key).or_default().insert(state.remote_identity.fingerprint());
        }
    }
    let mut contacts: BTreeMap<&BareJid, ContactUpgrade> = BTreeMap::new();
    for ((jid, id), known) in variants {
        let contact = contacts.entry(jid).or_insert_with(|| ContactUpgrade {
            jid: jid.clone(),
            reach: Reach::Lost,
            only_old: BTreeSet::new(),
            only_new: BTreeSet::new(),
            both: BTreeSet::new(),
            different_identity: BTreeSet::new(),
        });
        match (known.contains(&Namespace::Legacy), known.contains(&Namespace::Omemo2)) {
            (true, true) => contact.both.insert(id),
            (false, true) => contact.only_new.insert(id),
            // OMEMO 1 was never more than an experiment: a device that speaks only that is lost as well.
            _ => contact.only_old.insert(id),
        };
        if identities.get(&(jid, id)).is_some_and(|keys| keys.len() > 1) {
            contact.different_identity.insert(id);
        }
    }
    let mut contacts: Vec<ContactUpgrade> = contacts.into_values().collect();
    for contact in &mut contacts {
        contact.reach = match (contact.only_old.is_empty(), contact.only_new.is_empty() && contact.both.is_empty()) {
            (_, true) => Reach::Lost,
            (false, false) => Reach::Partly,
            (true, false) => Reach::Reachable,
        };
    }
    contacts.sort_by(|a, b| (a.reach, &a.jid).cmp(&(b.reach, &b.jid)));
    contacts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::store::gajim;
    use crate::model::{ActivityFacts, Device, Place, Trust};
    use crate::omemo::{IdentityKey, PublicKey};
    use std::path::Path;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).expect("an address")
    }

    fn device(owner: &str, id: u32, namespaces: &[Namespace], key: u8, listed: Option<bool>) -> Device {
        Device {
            trust_place: None,
            jid: jid(owner),
            device_id: Some(id),
            identity: Some(IdentityKey::from_curve(PublicKey::new([key; 32]))),
            trust: Trust::unknown(),
            activity: ActivityFacts { listed, ..ActivityFacts::default() },
            label: None,
            namespaces: namespaces.to_vec(),
            place: Place::whole(&Path::new("store").into()),
        }
    }

    fn account(devices: Vec<Device>) -> Account {
        Account {
            client: &gajim::PROFILE,
            version: String::new(),
            jid: None,
            own_device_id: Some(1),
            identity: None,
            devices,
            sessions: vec![],
            prekeys: vec![],
            signed_prekeys: vec![],
            highest_prekey_id: None,
            place: Place::whole(&Path::new("store").into()),
            problems: vec![],
        }
    }

    #[test]
    fn the_worst_come_first_and_devices_out_of_use_do_not_count() {
        use Namespace::{Legacy, Omemo2};
        let found = contacts(&account(vec![
            device("all@x", 1, &[Legacy, Omemo2], 1, Some(true)),
            device("all@x", 2, &[Legacy], 2, Some(false)),
            device("some@x", 3, &[Omemo2], 3, None),
            device("some@x", 4, &[Legacy], 4, None),
            device("none@x", 5, &[Legacy], 5, Some(true)),
        ]));
        let shown: Vec<(&str, Reach)> = found.iter().map(|c| (c.jid.as_str(), c.reach)).collect();
        assert_eq!(shown, [("none@x", Reach::Lost), ("some@x", Reach::Partly), ("all@x", Reach::Reachable)]);
        assert_eq!(found[1].only_old, BTreeSet::from([4]));
        assert_eq!(found[2].both, BTreeSet::from([1]));
    }

    #[test]
    fn two_identity_keys_for_one_device_are_told() {
        let rows = vec![
            device("bob@x", 7, &[Namespace::Legacy], 1, None),
            device("bob@x", 7, &[Namespace::Omemo2], 2, None),
            device("bob@x", 8, &[Namespace::Omemo2], 3, None),
        ];
        assert_eq!(contacts(&account(rows))[0].different_identity, BTreeSet::from([7]));
    }
}
