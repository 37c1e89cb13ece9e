//! Device lists and bundles that the capture shows: their history, their signatures, and whether our own
//! device is on its list.

use super::book::Sighting;
use crate::model::{
    BareJid, CapturedBundle, CapturedDeviceList, Code, Confidence, Direction, Evidence, EvidenceKind, Finding, LabelSignature,
    PubsubFailure,
};
use crate::omemo::{IdentityKey, Namespace, PublicKey, signature};
use std::collections::{HashMap, HashSet};

/// Refused requests that are kept; a loop of failing requests must not fill the memory.
const MAX_FAILURES: usize = 10_000;

/// An account's device list over time.
#[derive(Clone, Debug)]
pub struct ListHistory {
    /// The ids on the newest list.
    pub ids: Vec<u32>,
    /// The newest list.
    pub last: Sighting,
    /// Every id that ever was on it.
    pub ever: HashSet<u32>,
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
    labels: Vec<(SeenLabel, Sighting)>,
    failures: Vec<PubsubFailure>,
    findings: Vec<Finding>,
}

impl Published {
    /// Takes a device list. `own` is the owner of lists that we publish ourselves.
    pub fn take_list(&mut self, captured: CapturedDeviceList, own: Option<&BareJid>) {
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
                if !self.labels.iter().any(|(l, s)| *l == label && s.id == sighting.id) {
                    self.labels.push((label, sighting.clone()));
                }
            }
        }
        let ids: Vec<u32> = captured.list.devices.iter().map(|d| d.id).collect();
        let history = self.lists.entry((owner, captured.list.namespace)).or_insert_with(|| ListHistory {
            ids: Vec::new(),
            last: sighting.clone(),
            ever: HashSet::new(),
        });
        history.ever.extend(&ids);
        history.ids = ids;
        history.last = sighting;
    }

    /// Takes a bundle and checks its signature.
    pub fn take_bundle(&mut self, captured: CapturedBundle, own: Option<&BareJid>) {
        let bundle = captured.bundle;
        let sighting = Sighting { position: captured.position, id: captured.stanza_id };
        let owner = owner(captured.owner, captured.direction, own);
        if let (Some(identity), Some(key), Some(signed)) = (&bundle.identity_key, &bundle.signed_prekey, &bundle.signature)
            && !signature::verify_signed_prekey(bundle.namespace, identity, key, signed)
        {
            self.findings.push(bad_bundle(&owner, captured.device_id, bundle.namespace, &sighting));
        }
        let Some(device_id) = captured.device_id else { return };
        let seen = self.bundles.entry((owner, device_id, bundle.namespace)).or_insert_with(|| BundleSeen {
            identity: None,
            signed_prekey_id: None,
            prekeys: HashMap::new(),
            last: sighting.clone(),
        });
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
        for (label, sighting) in &self.labels {
            match self.check(label, known) {
                LabelSignature::Missing => findings.push(bad_label(label, sighting, "missing", "has no signature")),
                LabelSignature::Invalid => {
                    findings.push(bad_label(label, sighting, "invalid", "has a signature that its identity key does not verify"));
                }
                LabelSignature::Valid | LabelSignature::Unchecked => {}
            }
        }
        findings
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
            "Restart the client that owns the device: it should publish its bundle again.".into(),
            "If the new bundle is wrong as well, this is a bug of that client (or somebody changed the bundle on the server): do not accept it."
                .into(),
        ],
        stanza_ids: sighting.id.iter().cloned().collect(),
    }
}

fn bad_label(label: &SeenLabel, sighting: &Sighting, detail: &'static str, what: &str) -> Finding {
    let whose = whose(label.owner.as_ref(), Some(label.device_id));
    Finding {
        code: Code::LabelSignatureInvalid,
        detail: Some(detail),
        confidence: Confidence::Proven,
        sentence: format!("The label of {whose} {what}, so anybody could have written it: do not go by it."),
        evidence: vec![stanza_evidence(sighting, format!("the device list's entry for device {} {what}", label.device_id))],
        remedy: vec![
            "Set the device's name again in the client that owns it; compare fingerprints to know which device it is.".into(),
        ],
        stanza_ids: sighting.id.iter().cloned().collect(),
    }
}
