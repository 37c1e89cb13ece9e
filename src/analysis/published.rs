//! Device lists and bundles that the capture shows: their history, their signatures, and whether our own
//! device is on its list.

use super::book::Sighting;
use crate::model::{
    BareJid, CapturedBundle, CapturedDeviceList, Code, Confidence, Direction, Evidence, EvidenceKind, Finding, LabelSignature,
    PubsubFailure, When,
};
use crate::omemo::{IdentityKey, Namespace, PublicKey, signature};
use std::collections::{HashMap, HashSet};

/// Refused requests that are kept; a loop of failing requests must not fill the memory.
const MAX_FAILURES: usize = 10_000;

/// States of one list that are kept; two clients that fight over it must not fill the memory.
const MAX_VERSIONS: usize = 1_000;

/// A state of an account's device list.
#[derive(Clone, Debug)]
pub struct ListVersion {
    /// The ids on it.
    pub ids: Vec<u32>,
    /// The first list in this state.
    pub seen: Sighting,
    /// When that was.
    pub time: Option<When>,
    /// How many messages the capture had shown before it.
    pub order: usize,
}

/// An account's device list over time.
#[derive(Clone, Debug)]
pub struct ListHistory {
    /// The ids on the newest list.
    pub ids: Vec<u32>,
    /// The newest list.
    pub last: Sighting,
    /// Its states, oldest first.
    pub versions: Vec<ListVersion>,
    /// Every id that ever was on it.
    pub ever: HashSet<u32>,
    /// Ids that came to the list after a list without them: when and where.
    pub added: HashMap<u32, (Option<When>, Sighting)>,
    /// How often an id came back that had been taken off: two clients that undo each other's work.
    pub returns: usize,
    /// The newest list names nobody but one device, and the one before it named others, too.
    pub shrank: bool,
    /// Most items that the node was seen to hold; one is right.
    pub items: usize,
}

/// A device's bundle as last seen.
#[derive(Clone, Debug)]
pub struct BundleSeen {
    /// Identity key.
    pub identity: Option<IdentityKey>,
    /// Signed prekey id.
    pub signed_prekey_id: Option<u32>,
    /// One-time prekeys, of all versions of the bundle.
    pub prekeys: HashMap<u32, Vec<PublicKey>>,
    /// Ids of the one-time prekeys in the newest version.
    pub newest_prekeys: HashSet<u32>,
    /// Why nobody can use the newest version.
    pub unusable: Option<String>,
    /// The newest version is one that we sent: whether the server took it, or a later one replaced it, the
    /// capture does not show.
    pub sent_by_us: bool,
    /// That is so because of its signature.
    pub badly_signed: bool,
    /// The newest one.
    pub last: Sighting,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SeenLabel {
    owner: Option<BareJid>,
    device_id: u32,
    text: String,
    signature: Option<Vec<u8>>,
}

/// What has been published.
#[derive(Debug, Default)]
pub struct Published {
    lists: HashMap<(Option<BareJid>, Namespace), ListHistory>,
    bundles: HashMap<(Option<BareJid>, u32, Namespace), BundleSeen>,
    /// Each label as it was written, with every list it stood on.
    labels: Vec<(SeenLabel, Vec<Sighting>)>,
    failures: Vec<PubsubFailure>,
    findings: Vec<Finding>,
}

impl Published {
    /// Takes a device list. `own` is the owner of lists that we publish ourselves; `order` says how many messages
    /// the capture has shown before it.
    pub fn take_list(&mut self, captured: CapturedDeviceList, own: Option<&BareJid>, order: usize) {
        let sighting = Sighting { position: captured.position, id: captured.stanza_id };
        let owner = owner(captured.owner, captured.direction, own);
        for device in &captured.list.devices {
            if let (Some(text), Namespace::Omemo2) = (&device.label, captured.list.namespace) {
                let label = SeenLabel {
                    owner: owner.clone(),
                    device_id: device.id,
                    text: text.clone(),
                    signature: device.label_signature.clone(),
                };
                match self.labels.iter_mut().find(|(seen, _)| *seen == label) {
                    Some((_, lists)) => lists.push(sighting.clone()),
                    None => self.labels.push((label, vec![sighting.clone()])),
                }
            }
        }
        let ids: Vec<u32> = captured.list.devices.iter().map(|d| d.id).collect();
        let history = self.lists.entry((owner, captured.list.namespace)).or_insert_with(|| ListHistory {
            ids: ids.clone(),
            last: sighting.clone(),
            versions: Vec::new(),
            ever: HashSet::new(),
            added: HashMap::new(),
            returns: 0,
            shrank: false,
            items: 0,
        });
        for id in ids.iter().filter(|id| !history.ids.contains(id)) {
            if history.ever.contains(id) {
                history.returns += 1;
            } else {
                history.added.insert(*id, (captured.time.clone(), sighting.clone()));
            }
        }
        history.shrank = match ids.as_slice() {
            [one] => history.ids == ids && history.shrank || history.ids.len() > 1 && history.ids.contains(one),
            _ => false,
        };
        history.items = history.items.max(captured.items);
        history.ever.extend(&ids);
        if history.versions.last().is_none_or(|newest| newest.ids != ids) {
            if history.versions.len() >= MAX_VERSIONS {
                history.versions.remove(0);
            }
            history.versions.push(ListVersion { ids: ids.clone(), seen: sighting.clone(), time: captured.time, order });
        }
        history.ids = ids;
        history.last = sighting;
    }

    /// Takes a bundle and checks its signature.
    pub fn take_bundle(&mut self, captured: CapturedBundle, own: Option<&BareJid>) {
        let bundle = captured.bundle;
        let sighting = Sighting { position: captured.position, id: captured.stanza_id };
        let owner = owner(captured.owner, captured.direction, own);
        let mut badly_signed = false;
        let mut unusable = bundle.faults.iter().find(|f| f.fatal).map(|f| format!("{}: {}", f.place, f.says));
        if let (Some(identity), Some(key), Some(signed)) = (&bundle.identity_key, &bundle.signed_prekey, &bundle.signature)
            && !signature::verify_signed_prekey(bundle.namespace, identity, key, signed)
        {
            unusable = Some("its signature does not verify".into());
            badly_signed = true;
            self.findings.push(bad_bundle(&owner, captured.device_id, bundle.namespace, &sighting));
        }
        let Some(device_id) = captured.device_id else { return };
        let seen = self.bundles.entry((owner, device_id, bundle.namespace)).or_insert_with(|| BundleSeen {
            identity: None,
            signed_prekey_id: None,
            prekeys: HashMap::new(),
            newest_prekeys: HashSet::new(),
            unusable: None,
            sent_by_us: false,
            badly_signed: false,
            last: sighting.clone(),
        });
        seen.newest_prekeys = bundle.prekeys.iter().map(|(id, _)| *id).collect();
        seen.unusable = unusable;
        seen.badly_signed = badly_signed;
        seen.sent_by_us = captured.direction == Some(Direction::Outgoing);
        for (id, key) in bundle.prekeys {
            let keys = seen.prekeys.entry(id).or_default();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        seen.identity = bundle.identity_key.or(seen.identity);
        seen.signed_prekey_id = bundle.signed_prekey_id.or(seen.signed_prekey_id);
        seen.last = sighting;
    }

    /// Takes a refused request.
    pub fn take_failure(&mut self, failure: PubsubFailure) {
        if self.failures.len() < MAX_FAILURES {
            self.failures.push(failure);
        }
    }

    /// The newest list of an account.
    pub fn list(&self, owner: Option<&BareJid>, namespace: Namespace) -> Option<&ListHistory> {
        self.lists.get(&(owner.cloned(), namespace))
    }

    /// The bundle of a device.
    pub fn bundle(&self, owner: Option<&BareJid>, device_id: u32, namespace: Namespace) -> Option<&BundleSeen> {
        self.bundles.get(&(owner.cloned(), device_id, namespace))
    }

    /// All device lists.
    pub fn lists(&self) -> impl Iterator<Item = (Option<&BareJid>, Namespace, &ListHistory)> {
        self.lists.iter().map(|((owner, namespace), list)| (owner.as_ref(), *namespace, list))
    }

    /// All bundles.
    pub fn bundles(&self) -> impl Iterator<Item = (Option<&BareJid>, u32, Namespace, &BundleSeen)> {
        self.bundles.iter().map(|((owner, id, namespace), bundle)| (owner.as_ref(), *id, *namespace, bundle))
    }

    /// The last refusal of a device's bundle, if no bundle of it was seen.
    pub fn refused_bundle(&self, owner: Option<&BareJid>, device_id: u32, namespace: Namespace) -> Option<&PubsubFailure> {
        if self.bundle(owner, device_id, namespace).is_some() {
            return None;
        }
        let ours = |f: &&PubsubFailure| {
            let node = f.node.as_deref().and_then(Node::read);
            let named = |n: Node| match n.device_id {
                Some(id) => id == device_id,
                // One node holds all bundles of the account.
                None => !self.bundles.keys().any(|(o, _, n)| o.as_ref() == owner && *n == namespace),
            };
            owner.is_some() && f.owner.as_ref() == owner && node.is_some_and(|n| n.bundle && n.namespace == namespace && named(n))
        };
        self.failures.iter().rev().find(ours)
    }

    /// Refused requests.
    pub fn failures(&self) -> &[PubsubFailure] {
        &self.failures
    }

    /// Checks one label with the identity key its device published or `known` gives.
    fn check(&self, label: &SeenLabel, known: &dyn Fn(&BareJid, u32) -> Option<IdentityKey>) -> LabelSignature {
        let Some(signed) = &label.signature else { return LabelSignature::Missing };
        let identity = self
            .bundle(label.owner.as_ref(), label.device_id, Namespace::Omemo2)
            .and_then(|b| b.identity)
            .or_else(|| known(label.owner.as_ref()?, label.device_id));
        let Some(identity) = identity else { return LabelSignature::Unchecked };
        let forms = identity.edwards().map_or_else(
            || [false, true].into_iter().filter_map(|sign| identity.to_edwards(sign)).collect::<Vec<_>>(),
            |form| vec![*form],
        );
        if forms.iter().any(|form| signature::verify_label(form, &label.text, signed)) {
            LabelSignature::Valid
        } else {
            LabelSignature::Invalid
        }
    }

    /// Findings about everything published. `known` gives identity keys from the stores.
    pub fn findings(&self, known: &dyn Fn(&BareJid, u32) -> Option<IdentityKey>) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        for (label, lists) in &self.labels {
            match self.check(label, known) {
                LabelSignature::Missing => findings.push(bad_label(label, lists, "missing", "has no signature")),
                LabelSignature::Invalid => {
                    findings.push(bad_label(label, lists, "invalid", "has a signature that its identity key does not verify"));
                }
                LabelSignature::Valid | LabelSignature::Unchecked => {}
            }
        }
        findings
    }
}

/// One of OMEMO's PubSub nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// The variant.
    pub namespace: Namespace,
    /// It holds bundles, else device lists.
    pub bundle: bool,
    /// The device whose bundle it is (legacy only).
    pub device_id: Option<u32>,
}

impl Node {
    /// Reads a node's name.
    pub fn read(name: &str) -> Option<Self> {
        let namespace = Namespace::ALL.into_iter().find(|n| name.starts_with(n.uri()))?;
        let rest = name.strip_prefix(namespace.uri())?.trim_start_matches(['.', ':']);
        let device_id = rest.strip_prefix("bundles:").and_then(|id| id.parse().ok());
        Some(Self { namespace, bundle: rest.starts_with("bundles"), device_id })
    }
}

/// Why a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// There is nothing.
    Missing,
    /// We may not read or write it.
    Denied,
    /// Something else, often passing.
    Other,
}

impl Refusal {
    /// From an error condition (RFC 6120 and XEP-0060).
    pub fn of(condition: &str) -> Self {
        match condition {
            "item-not-found" => Self::Missing,
            "forbidden"
            | "not-authorized"
            | "not-allowed"
            | "closed-node"
            | "presence-subscription-required"
            | "not-in-roster-group" => Self::Denied,
            _ => Self::Other,
        }
    }
}

fn owner(owner: Option<BareJid>, direction: Option<Direction>, own: Option<&BareJid>) -> Option<BareJid> {
    owner.or_else(|| if direction == Some(Direction::Incoming) { None } else { own.cloned() })
}

fn whose(owner: Option<&BareJid>, device_id: Option<u32>) -> String {
    let device = device_id.map_or_else(|| "an unnamed device".into(), |id| format!("device {id}"));
    owner.map_or_else(|| device.clone(), |jid| format!("{device} of {jid}"))
}

fn stanza_evidence(sighting: &Sighting, says: String) -> Evidence {
    Evidence { kind: EvidenceKind::Stanza, place: sighting.position.to_string().into(), says: says.into() }
}

fn bad_bundle(owner: &Option<BareJid>, device_id: Option<u32>, namespace: Namespace, sighting: &Sighting) -> Finding {
    let whose = whose(owner.as_ref(), device_id);
    Finding {
        code: Code::BundleSignatureInvalid,
        detail: None,
        confidence: Confidence::Proven,
        sentence: format!("The bundle of {whose} is wrongly signed: clients refuse it and cannot begin a session with that device."),
        evidence: vec![stanza_evidence(
            sighting,
            format!("the signature of its signed prekey does not verify with its identity key ({namespace})"),
        )],
        remedy: vec![
            "The owner of the device (you, if it is yours) restarts the client on it, so that it publishes its bundle again.".into(),
            "If the new bundle is wrong as well, this is a bug of that client, or somebody changed the bundle on the server: the owner reports it. Others need do nothing: their clients refuse it."
                .into(),
        ],
        stanza_ids: sighting.id.iter().cloned().collect(),
    }
}

fn bad_label(label: &SeenLabel, lists: &[Sighting], detail: &'static str, what: &str) -> Finding {
    let whose = whose(label.owner.as_ref(), Some(label.device_id));
    Finding {
        code: Code::LabelSignatureInvalid,
        detail: Some(detail),
        confidence: Confidence::Proven,
        sentence: format!("The label of {whose} {what}, so anybody could have written it: do not go by it."),
        evidence: lists
            .first()
            .map(|list| stanza_evidence(list, format!("the device list's entry for device {} {what}", label.device_id)))
            .into_iter()
            .collect(),
        remedy: vec![
            "To know which device it is, compare fingerprints, not names. Its owner can set the name again in a client that signs names.".into(),
        ],
        stanza_ids: lists.iter().filter_map(|list| list.id.clone()).collect(),
    }
}
