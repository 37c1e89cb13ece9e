//! What several copies of our store show by themselves: between which two of them it happened.

use super::{Scene, Whole, in_store};
use crate::analysis::copies::{BackProof, Between, SessionBack};
use crate::analysis::trial::SessionFact;
use crate::model::{BareJid, Code, Confidence, Finding};
use std::collections::BTreeMap;

/// Sessions that are named one by one.
const SHOWN_SESSIONS: usize = 5;

/// The store went back between two copies.
pub(super) fn rolled_back(whole: &Whole<'_>) -> impl Iterator<Item = Finding> {
    betweens(whole).filter(|between| !between.went_back.is_empty()).map(|between| {
        let sessions = between.went_back.len();
        let shown = between.went_back.iter().take(SHOWN_SESSIONS);
        let mut remedy = vec![
            "End and restart the session with each of these contacts on this device; what came in between is lost there.".into(),
            "If they are too many: new OMEMO keys on this device repair all at once, but messages not read yet are lost, and every contact has to compare the fingerprint anew."
                .into(),
        ];
        if !between.order_known {
            remedy.insert(0, "If the copies were named in the wrong order, name the newest last and ask again.".into());
        }
        Finding {
            code: Code::ReceiverRolledBack,
            detail: Some("between-copies"),
            confidence: if between.order_known { Confidence::Proven } else { Confidence::Likely },
            sentence: format!(
                "Between the copies {} and {} the store went back to an older state: {sessions} {} older keys than before.",
                between.earlier.file.display(),
                between.later.file.display(),
                if sessions == 1 { "session has" } else { "sessions have" },
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
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// By own device, step from copy to copy, and sender's device: the stanzas.
    needed: BTreeMap<(usize, usize, BareJid, u32), Vec<String>>,
}

impl Lost {
    /// Notes a message, if it needs such a session.
    pub fn note(&mut self, scene: &Scene<'_>) {
        let outcome = scene.outcome;
        let (Some(from), Some(sid), Some(namespace)) = (&outcome.header.from, outcome.element.sid(), outcome.namespace()) else {
            return;
        };
        let missing = outcome.trials.iter().any(|t| t.session == SessionFact::Missing && t.exchange.is_none());
        let Some(own) = scene.own().filter(|_| missing) else { return };
        for (step, between) in own.between.iter().enumerate() {
            if between.lost.iter().any(|(jid, id, ns)| (jid, *id, *ns) == (from, sid, namespace)) {
                let ids = self.needed.entry((outcome.own, step, from.clone(), sid)).or_default();
                Finding::add_id(ids, outcome.header.id.as_deref().map(str::to_owned));
            }
        }
    }

    /// One finding a session.
    pub fn findings(&self, whole: &Whole<'_>) -> impl Iterator<Item = Finding> {
        self.needed.iter().filter_map(|((own, step, jid, id), stanza_ids)| {
            let between = whole.own.get(*own)?.between.get(*step)?;
            Some(Finding {
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
                stanza_ids: stanza_ids.clone(),
            })
        })
    }
}

/// Our own identity key is another one in a later copy.
pub(super) fn own_identity(whole: &Whole<'_>) -> impl Iterator<Item = Finding> {
    betweens(whole).filter_map(|between| {
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
            remedy: vec!["Tell your contacts the new fingerprint by phone or in person; they see a warning until they have compared it.".into()],
            stanza_ids: Vec::new(),
        })
    })
}

/// What happened between copies.
fn betweens<'a>(whole: &'a Whole<'_>) -> impl Iterator<Item = &'a Between> {
    whole.own.iter().flat_map(|own| &own.between)
}
