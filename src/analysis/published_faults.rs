//! What is wrong with device lists and bundles as a server keeps them: missing, refused, unusable, fought over.

use super::book::Sighting;
use super::published::{Node, Published, Refusal};
use crate::model::{BareJid, Code, Confidence, Evidence, EvidenceKind, Finding, PubsubFailure};
use std::collections::{BTreeMap, BTreeSet};

/// So many times an id must come back to a list before two clients are said to fight over it. A user who
/// clears the list brings each device back once.
const WAR: usize = 4;

/// Findings about everything published. None of them alarms: they say why somebody is not reached.
pub fn findings(published: &Published) -> Vec<Finding> {
    let mut findings = refused(published);
    findings.extend(unusable(published));
    findings.extend(lists(published));
    findings
}

/// A refused request and its node.
type Refused<'a> = (&'a PubsubFailure, Node);

/// What a server refused, grouped by owner and reason.
fn refused(published: &Published) -> Vec<Finding> {
    let mut groups: BTreeMap<(Option<&BareJid>, Refusal, bool), Vec<Refused<'_>>> = BTreeMap::new();
    for failure in published.failures() {
        let Some(node) = failure.node.as_deref().and_then(Node::read) else { continue };
        let refusal = Refusal::of(&failure.condition);
        let unmet = failure.condition == "precondition-not-met";
        // A contact without a device list has no OMEMO: nothing is wrong with that.
        let told = match refusal {
            Refusal::Missing => node.bundle,
            Refusal::Denied => true,
            Refusal::Other => unmet,
        };
        if told && !succeeded(published, failure, node) {
            groups.entry((failure.owner.as_ref(), refusal, node.bundle)).or_default().push((failure, node));
        }
    }
    groups.into_iter().filter_map(|((owner, refusal, bundle), hits)| refusal_finding(owner, refusal, bundle, &hits)).collect()
}

/// What was refused is there after all, or was published afterwards.
fn succeeded(published: &Published, failure: &PubsubFailure, node: Node) -> bool {
    let owner = failure.owner.as_ref();
    let later = |seen: &Sighting| {
        seen.position.file != failure.position.file
            || seen.position.line > failure.position.line
            || Refusal::of(&failure.condition) != Refusal::Other
    };
    if !node.bundle {
        return published.list(owner, node.namespace).is_some_and(|list| later(&list.last));
    }
    published.bundles().any(|(o, id, namespace, seen)| {
        o == owner && namespace == node.namespace && node.device_id.is_none_or(|n| n == id) && later(&seen.last)
    })
}

fn refusal_finding(owner: Option<&BareJid>, refusal: Refusal, bundle: bool, hits: &[Refused<'_>]) -> Option<Finding> {
    let (first, _) = hits.first()?;
    let whose = owner.map_or_else(|| "your own account".into(), ToString::to_string);
    let devices: BTreeSet<u32> = hits.iter().filter_map(|(_, n)| n.device_id).collect();
    let devices = devices.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let what = match (bundle, devices.is_empty()) {
        (false, _) => format!("The device list of {whose}"),
        (true, true) => format!("The bundles of {whose}"),
        (true, false) => format!("The bundle of {whose} for device {devices}"),
    };
    let (detail, confidence, sentence, remedy) = match refusal {
        Refusal::Missing => (
            "bundle-missing",
            Confidence::Proven,
            format!("{what} is not on the server: nobody can begin a session with that device."),
            "The owner of the device (you, if it is yours) starts its client once, or takes it off the device list if it is no longer in use.",
        ),
        Refusal::Denied => (
            "pep-access-denied",
            Confidence::Proven,
            format!("{what} could not be read: the server denied it ({}).", first.condition),
            "The owner of the account (you, if it is yours) updates and restarts their client; if it stays, they ask their server's administrator to make it readable for all (access model \u{201c}open\u{201d}).",
        ),
        Refusal::Other => (
            "publish-refused",
            Confidence::Likely,
            format!(
                "{what} could not be published: the node has other settings than the client asks for (precondition-not-met)."
            ),
            "The owner of the account (you, if it is yours) restarts the client that published; if it stays, they ask their server's administrator to set the node to \u{201c}open\u{201d}.",
        ),
    };
    Some(Finding {
        code: Code::NotAddressed,
        detail: Some(detail),
        confidence,
        sentence,
        evidence: vec![Evidence {
            kind: EvidenceKind::Stanza,
            place: first.position.to_string().into(),
            says: format!("the server answers {} ({} such answers)", first.condition, hits.len()).into(),
        }],
        remedy: vec![remedy.into()],
        stanza_ids: hits.iter().filter_map(|(f, _)| f.stanza_id.clone()).collect(),
    })
}

/// Bundles that lack what a session needs. Wrong signatures are told by `bundle-signature-invalid`.
fn unusable(published: &Published) -> Vec<Finding> {
    let mut found: Vec<_> = published.bundles().filter(|(.., b)| b.unusable.is_some() && !b.badly_signed).collect();
    found.sort_by_key(|(owner, id, namespace, _)| (*owner, *id, *namespace));
    found
        .into_iter()
        .map(|(owner, id, _, bundle)| {
            let whose = owner.map_or_else(|| format!("device {id}"), |jid| format!("device {id} of {jid}"));
            let why = bundle.unusable.clone().unwrap_or_default();
            Finding {
                code: Code::NotAddressed,
                detail: Some("bundle-unusable"),
                confidence: if bundle.sent_by_us { Confidence::Possible } else { Confidence::Proven },
                sentence: if bundle.sent_by_us {
                    format!("The bundle that your client sent for {whose} lacks a key. If it is still so on the server, nobody can begin a session with this device.")
                } else {
                    format!("The bundle of {whose} cannot be used, so nobody can begin a session with it.")
                },
                evidence: vec![at(&bundle.last, why)],
                remedy: vec![if bundle.sent_by_us {
                    "If others cannot write to this device: restart the client on it, so that it publishes its bundle again.".into()
                } else {
                    "The owner of the device (you, if it is yours) restarts the client on it, so that it publishes its bundle again.".into()
                }],
                stanza_ids: bundle.last.id.iter().cloned().collect(),
            }
        })
        .collect()
}

fn lists(published: &Published) -> Vec<Finding> {
    let mut lists: Vec<_> = published.lists().collect();
    lists.sort_by_key(|(owner, namespace, _)| (*owner, *namespace));
    let mut findings = Vec::new();
    for (owner, namespace, list) in lists {
        let whose = owner.map_or_else(|| "an unknown account".into(), ToString::to_string);
        let mut tell = |detail, confidence, sentence, says, remedy: &str| {
            findings.push(Finding {
                code: Code::NotAddressed,
                detail: Some(detail),
                confidence,
                sentence,
                evidence: vec![at(&list.last, says)],
                remedy: vec![remedy.into()],
                stanza_ids: list.last.id.iter().cloned().collect(),
            });
        };
        if list.returns >= WAR {
            tell(
                "device-list-war",
                Confidence::Likely,
                format!("Two clients undo each other's changes to the device list of {whose} ({namespace})."),
                format!("devices that had been taken off the list came back {} times; this is the last list", list.returns),
                "The owner of the account (you, if it is yours) updates both clients, or closes one of them: each takes the other off the list (known of Monal and of two clients with lurch).",
            );
        }
        if list.shrank && list.returns < WAR {
            tell(
                "device-list-clobbered",
                Confidence::Possible,
                format!("The device list of {whose} ({namespace}) shrank to a single device."),
                "the list before it named others, too".into(),
                "If nobody cleared it, a client took a failed request for an empty list (known of Dino and Monal): the owner of the account (you, if it is yours) restarts the other clients, so that they put themselves on the list again.",
            );
        }
        if list.items > 1 {
            tell(
                "devicelist-multi-item",
                Confidence::Proven,
                format!(
                    "The device list of {whose} ({namespace}) stands in several items, and clients disagree on which counts."
                ),
                format!("the node holds {} items, expected one with the id \u{201c}current\u{201d}", list.items),
                "The owner of the account (you, if it is yours) clears the device list in a client, then restarts the clients, so that they publish it anew.",
            );
        }
    }
    findings
}

fn at(sighting: &Sighting, says: String) -> Evidence {
    Evidence { kind: EvidenceKind::Stanza, place: sighting.position.to_string().into(), says: says.into() }
}
