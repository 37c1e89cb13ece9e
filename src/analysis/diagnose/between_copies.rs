//! What several copies of our store show by themselves: between which two of them it happened.

use super::{Whole, in_store};
use crate::analysis::copies::{BackProof, Between, SessionBack};
use crate::analysis::own_device::OwnDevice;
use crate::analysis::trial::SessionFact;
use crate::model::{Code, Confidence, Finding};
use std::collections::BTreeMap;

/// Sessions that are named one by one.
const SHOWN_SESSIONS: usize = 5;

/// The store went back between two copies.
pub(super) fn rolled_back(whole: &Whole<'_>) -> impl Iterator<Item = Finding> {
    betweens(whole).filter(|(_, between)| !between.went_back.is_empty()).map(|(_, between)| {
        let sessions = between.went_back.len();
        let shown = between.went_back.iter().take(SHOWN_SESSIONS);
        let mut remedy = vec![
            "Write to each of these contacts, so that new sessions begin; what came in between is lost on this device.".into(),
            "Do not go on with restored keys: after restoring a backup make new OMEMO keys.".into(),
        ];
        if !between.order_known {
            remedy.insert(0, "If the copies were named in the wrong order, name the newest last and ask again.".into());
        }
        Finding {
            code: Code::ReceiverRolledBack,
            detail: Some("between-copies"),
            confidence: if between.order_known { Confidence::Proven } else { Confidence::Likely },
            sentence: format!(
                "Between the copies {} and {} the store went back to an older state: {sessions} {} behind.",
                between.earlier.file.display(),
                between.later.file.display(),
                if sessions == 1 { "session stands" } else { "sessions stand" },
            ),
            evidence: shown.map(|back| in_store(&back.place, says(back))).collect(),
            remedy,
            stanza_ids: Vec::new(),
        }
    })
}

fn says(back: &SessionBack) -> String {
    let device = format!("device {} of {}", back.device_id, back.jid);
    match back.proof {
        BackProof::Sending { before, after } => {
            format!("{device}: the next counter of our chain is {after}; in the earlier copy it was {before}")
        }
        BackProof::Receiving { before, after } => {
            format!("{device}: the next counter of the sender's chain is {after}; in the earlier copy it was {before}")
        }
        BackProof::Turn(key) => {
            let key: String = key.to_string().chars().take(8).collect();
            format!("{device}: the sender's ratchet key {key}\u{2026} is not known any more; the earlier copy had it")
        }
        BackProof::Replaced => format!("{device}: the session in use is one that had been replaced in the earlier copy"),
    }
}

/// Sessions that a later copy has lost, with messages that need them.
pub(super) fn lost(whole: &Whole<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, between) in betweens(whole).filter(|(_, between)| !between.lost.is_empty()) {
        let mut needed: BTreeMap<(&str, u32), Vec<String>> = BTreeMap::new();
        for scene in whole.scenes() {
            let outcome = scene.outcome;
            let (Some(from), Some(sid), Some(namespace)) = (&outcome.header.from, outcome.element.sid(), outcome.namespace())
            else {
                continue;
            };
            let missing = outcome.trials.iter().any(|t| t.session == SessionFact::Missing && t.exchange.is_none());
            let lost = || between.lost.iter().any(|(jid, id, ns)| (jid, *id, *ns) == (from, sid, namespace));
            if outcome.own == number && missing && lost() {
                needed.entry((from.as_str(), sid)).or_default().extend(outcome.header.id.as_deref().map(str::to_owned));
            }
        }
        findings.extend(needed.into_iter().map(|((jid, id), stanza_ids)| Finding {
            code: Code::NoSession,
            detail: Some("lost-between-copies"),
            confidence: Confidence::Likely,
            sentence: format!(
                "Between the copies {} and {} the client lost its session with device {id} of {jid}.",
                between.earlier.file.display(),
                between.later.file.display(),
            ),
            evidence: vec![
                in_store(&between.earlier, format!("a session with device {id} of {jid}")),
                in_store(&between.later, "no such session"),
            ],
            remedy: vec!["Send any message to this contact: most clients then begin a new session.".into()],
            stanza_ids,
        }));
    }
    findings
}

/// Our own identity key is another one in a later copy.
pub(super) fn own_identity(whole: &Whole<'_>) -> impl Iterator<Item = Finding> {
    betweens(whole).filter_map(|(_, between)| {
        let (before, after) = between.own_identity?;
        Some(Finding {
            code: Code::IdentityChanged,
            detail: Some("own-key-changed"),
            confidence: Confidence::Proven,
            sentence: "Our own identity key is another one in the later copy: the client made new keys, and no session from before fits them.".into(),
            evidence: vec![
                in_store(&between.earlier, format!("our fingerprint is {}", before.fingerprint().grouped())),
                in_store(&between.later, format!("our fingerprint is {}", after.fingerprint().grouped())),
            ],
            remedy: vec!["Tell your contacts the new fingerprint over another way; they see a warning until they have compared it.".into()],
            stanza_ids: Vec::new(),
        })
    })
}

/// What happened between copies, with the place of the device among our own ones.
fn betweens<'a>(whole: &'a Whole<'_>) -> impl Iterator<Item = (usize, &'a Between)> {
    let of_device = |(number, own): (usize, &'a OwnDevice)| own.between.iter().map(move |between| (number, between));
    whole.own.iter().enumerate().flat_map(of_device)
}
