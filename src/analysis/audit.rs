//! What captures add to a store's devices: device lists, identity keys of bundles, labels.

use crate::input::capture::unwrap::Unwrapper;
use crate::model::{
    Account, ActivityFacts, BareJid, CaptureEvent, CapturedDeviceList, Device, Direction, Item, Label, LabelSignature, Part,
    Place, Position, Store, Trust, When,
};
use crate::omemo::{IdentityKey, Namespace, signature};
use std::collections::BTreeMap;

/// Owners whose lists are kept; a server's log may hold those of everybody.
const MAX_OWNERS: usize = 100_000;

/// A label as it was published.
#[derive(Debug)]
struct PublishedLabel {
    text: String,
    signature: Option<Vec<u8>>,
}

/// The newest list of one account in one variant.
#[derive(Debug)]
struct Listed {
    devices: BTreeMap<u32, Option<PublishedLabel>>,
    time: Option<When>,
    position: Position,
    received: bool,
}

/// Stores whose devices are completed by captures.
#[derive(Debug)]
pub struct Audit {
    stores: Vec<Store>,
    own: Option<BareJid>,
    unwrapper: Unwrapper,
    lists: BTreeMap<(BareJid, Namespace), Listed>,
    identities: BTreeMap<(BareJid, u32), IdentityKey>,
}

impl Audit {
    /// Begins with the stores.
    pub fn new(stores: Vec<Store>) -> Self {
        let mut jids = stores.iter().flat_map(|s| &s.accounts).filter_map(|a| a.jid.clone());
        let own = jids.next();
        let own = if jids.any(|other| Some(&other) != own.as_ref()) { None } else { own };
        Self { stores, own, unwrapper: Unwrapper::default(), lists: BTreeMap::new(), identities: BTreeMap::new() }
    }

    /// Takes the next thing a capture holds.
    pub fn take(&mut self, event: CaptureEvent) {
        let CaptureEvent::Stanza(stanza) = event else { return };
        let account = stanza.account.clone().or_else(|| self.own.clone());
        for item in self.unwrapper.items(&stanza) {
            match item {
                Item::DeviceList(list) => self.list(list, account.as_ref()),
                Item::Bundle(bundle) => {
                    let owner = owner(bundle.owner, bundle.direction, account.as_ref());
                    if let (Some(owner), Some(id), Some(key)) = (owner, bundle.device_id, bundle.bundle.identity_key)
                        && self.identities.len() < MAX_OWNERS
                    {
                        self.identities.insert((owner, id), key);
                    }
                }
                Item::Message(_) | Item::Envelope(_) | Item::PubsubFailure(_) => {}
            }
        }
    }

    fn list(&mut self, captured: CapturedDeviceList, account: Option<&BareJid>) {
        let Some(owner) = owner(captured.owner, captured.direction, account) else { return };
        if self.lists.len() >= MAX_OWNERS {
            return;
        }
        let devices = captured.list.devices.into_iter().map(|d| {
            let signature = d.label_signature;
            (d.id, d.label.map(|text| PublishedLabel { text, signature }))
        });
        let listed = Listed {
            devices: devices.collect(),
            time: captured.time,
            position: captured.position,
            received: captured.direction == Some(Direction::Incoming),
        };
        self.lists.insert((owner, captured.list.namespace), listed);
    }

    /// The stores with everything the captures add.
    pub fn finish(mut self) -> Vec<Store> {
        for account in self.stores.iter_mut().flat_map(|s| &mut s.accounts) {
            for ((owner, namespace), listed) in &self.lists {
                complete(account, owner, *namespace, listed, &self.identities);
            }
            for device in &mut account.devices {
                unlist(device, &self.lists);
            }
        }
        self.stores
    }
}

/// Whose a list or bundle is: one that we publish ourselves does not say.
fn owner(owner: Option<BareJid>, direction: Option<Direction>, account: Option<&BareJid>) -> Option<BareJid> {
    owner.or_else(|| if direction == Some(Direction::Incoming) { None } else { account.cloned() })
}

/// Notes which devices of the account are on the list, and adds those the store does not know. In a
/// server's log lists of strangers are left alone.
fn complete(
    account: &mut Account,
    owner: &BareJid,
    namespace: Namespace,
    listed: &Listed,
    identities: &BTreeMap<(BareJid, u32), IdentityKey>,
) {
    let own = account.jid.as_ref() == Some(owner);
    if !own && !listed.received && !account.devices.iter().any(|d| d.jid == *owner) {
        return;
    }
    for (id, label) in &listed.devices {
        if own && account.own_device_id == Some(*id) {
            continue;
        }
        if !account.devices.iter().any(|d| d.jid == *owner && d.device_id == Some(*id)) {
            account.devices.push(Device {
                trust_place: None,
                jid: owner.clone(),
                device_id: Some(*id),
                identity: identities.get(&(owner.clone(), *id)).copied(),
                trust: Trust::unknown(),
                activity: ActivityFacts::default(),
                label: None,
                namespaces: Vec::new(),
                place: Place { file: listed.position.file.clone(), part: Part::Line(listed.position.line) },
            });
        }
        for device in account.devices.iter_mut().filter(|d| d.jid == *owner && d.device_id == Some(*id)) {
            device.activity.listed = Some(true);
            device.activity.last_listed = listed.time.clone().or(device.activity.last_listed.take());
            if !device.namespaces.contains(&namespace) {
                device.namespaces.push(namespace);
            }
            if let Some(PublishedLabel { text, signature: signed }) = label {
                let identity = device.identity.or_else(|| identities.get(&(owner.clone(), *id)).copied());
                let signature = check(namespace, identity, text, signed.as_deref());
                device.label = Some(Label { text: text.clone(), signature });
            }
        }
    }
}

/// A device that its owner's newest lists no longer name is off the list, if one of a variant it speaks was seen.
fn unlist(device: &mut Device, lists: &BTreeMap<(BareJid, Namespace), Listed>) {
    let Some(id) = device.device_id else { return };
    let seen = || lists.iter().filter(|((owner, _), _)| *owner == device.jid);
    let spoken = seen().find(|((_, namespace), _)| device.namespaces.contains(namespace));
    if let (Some((_, list)), false) = (spoken, seen().any(|(_, list)| list.devices.contains_key(&id))) {
        device.activity.listed = Some(false);
        device.activity.removed = device.activity.removed.take().or_else(|| list.time.clone());
    }
}

/// A label's signature with the identity key that is known (XEP-0384 0.9.0, `labelsig`).
fn check(namespace: Namespace, identity: Option<IdentityKey>, text: &str, signed: Option<&[u8]>) -> LabelSignature {
    let Some(signed) = signed else {
        // Before `urn:xmpp:omemo:2` labels had no signature, so there is nothing to hold against them but that.
        return if namespace == Namespace::Omemo2 { LabelSignature::Missing } else { LabelSignature::Unchecked };
    };
    let Some(identity) = identity else { return LabelSignature::Unchecked };
    let forms: Vec<[u8; 32]> = identity
        .edwards()
        .map_or_else(|| [false, true].into_iter().filter_map(|sign| identity.to_edwards(sign)).collect(), |form| vec![*form]);
    if forms.iter().any(|form| signature::verify_label(form, text, signed)) {
        LabelSignature::Valid
    } else {
        LabelSignature::Invalid
    }
}
