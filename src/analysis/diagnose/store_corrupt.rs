//! # store-corrupt
//!
//! **What happened.** The part of your client's store that this message needs is damaged, or only the copy that you
//! gave is. This is probably nobody's fault: mostly a crash or a full disk did it.
//!
//! **What to do.**
//! - Open your client. Does it show the newest messages of the sender?
//! - If yes, only the copy is damaged. Close the client and copy the store again, with the files beside it whose
//!   names begin the same and end in `-wal`, `-shm` or `-journal`.
//! - If no, write something to the sender from this device. If the sender's next message fails too, end and restart
//!   the session in your client. If your client has no command for it, ask the sender to do it in theirs.
//!   `omemoscope explain words` says how. If the verdict says that a prekey is damaged, the sender has to do it in
//!   theirs.
//! - Do not go back to an old backup of the store: that breaks sessions in another way. Read:
//!   `omemoscope explain receiver-rolled-back`.
//! - Make new OMEMO keys only as the last resort. Messages not yet read are then lost, and all contacts must compare
//!   your fingerprint anew.
//!
//! **What is lost.** Nothing, if only the copy is damaged. Otherwise what was sent in the damaged session until it
//! is restarted.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Profanity: "error loading identity from", "… sessions from", "… trust from". Converse: "Error deserializing
//!   SessionRecord", "OMEMO store has no prekeys (interrupted provisioning?)". Smack: CorruptedOmemoKeyException.
//! - SQLite clients: "database disk image is malformed".
//! - python-omemo says nothing: it makes new keys for missing ones, so a damaged store can show up as
//!   [signed-prekey-missing] or [not-addressed].
//!
//! **Mistaken for.** [no-session] and [prekey-missing]: there the store is sound, and the row is not in it. A database
//! copied without its `-wal` file is not damaged, it is old: see [receiver-rolled-back].
//!
//! **Mechanism.** A crash while writing, a full disk, a copy taken in the wrong moment, an interrupted migration,
//! browser storage that was cleared, or a lost keychain entry.
//!
//! **What proves it.** The record, row or page that cannot be read, named with its place. Where only the neighbourhood
//! of the missing part is damaged, the verdict says `likely`.
//!
//! **References.** profanity-im/profanity#1054; tigase/siskin-im#255; tigase/beagle-im#69; conversejs/converse.js#1242;
//! the table of stores in README.md.

use super::{Cause, Gathering, Judgement, Scene, Whole, in_store, nothing};
use crate::analysis::own_device::OwnDevice;
use crate::analysis::trial::{PrekeyFact, SessionFact, Trial};
use crate::model::{Code, Confidence, Evidence, Finding, MessageVerdict, Problem, ProblemScope};

pub(super) const CAUSE: Cause =
    Cause { code: Code::StoreCorrupt, source: include_str!("store_corrupt.rs"), judge, gather: || Box::<Damage>::default() };

/// Nothing of an account, or not even its device id, could be read: then nothing else can be said of its messages.
pub(super) const NO_ACCOUNT: Cause =
    Cause { code: Code::StoreCorrupt, source: include_str!("store_corrupt.rs"), judge: judge_without_account, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened() {
        return None;
    }
    let trial = scene.trial()?;
    let sentence = |what: &str| format!("The {what} that this message needs is damaged in the store of {}.", scene.client_name());
    let found = match (&trial.session, trial.exchange.as_ref()) {
        (SessionFact::Damaged { place, says }, _) => Some(("session", in_store(place, says.clone()))),
        (_, Some(exchange)) => match (&exchange.signed_prekey, &exchange.prekey) {
            (PrekeyFact::Damaged { place }, _) => Some(("signed prekey", in_store(place, "its record cannot be read"))),
            (_, PrekeyFact::Damaged { place }) => Some(("one-time prekey", in_store(place, "its record cannot be read"))),
            _ => None,
        },
        _ => None,
    };
    if let Some((what, evidence)) = found {
        return Some(with_remedy(Judgement::new(Confidence::Proven, sentence(what)).evidence(evidence), what));
    }
    let needed = missing_part(trial)?;
    let damage: Vec<Evidence> = scene.account()?.problems.iter().filter(|p| concerns(p)).map(evidence).collect();
    if damage.is_empty() {
        return None;
    }
    let judgement = Judgement::new(Confidence::Likely, sentence(needed))
        .all_evidence(damage)
        .open_question("Whether the missing part stood in the damaged place: an undamaged copy of the store would tell.");
    Some(with_remedy(judgement, needed))
}

fn judge_without_account(scene: &Scene<'_>) -> Option<Judgement> {
    let own = scene.own()?;
    // Without our own device id nothing tells which key of a message is ours.
    let of_accounts = own.replays.iter().flat_map(|replay| &replay.account.problems).filter(|p| concerns(p));
    let (problems, lacks): (Vec<&Problem>, _) = match (own.replays.is_empty(), own.device_id) {
        (true, _) => (own.problems.iter().filter(|p| p.scope != ProblemScope::Locked).collect(), "no account"),
        (false, None) => (of_accounts.collect(), "no device id"),
        (false, Some(_)) => return None,
    };
    if problems.is_empty() {
        return None;
    }
    let judgement = Judgement::new(Confidence::Likely, format!("The store is so damaged that {lacks} could be read from it."))
        .all_evidence(problems.into_iter().map(evidence))
        .open_question("Whether the client's own store is damaged or only this copy of it: another copy would tell.");
    Some(with_remedy(judgement, "store"))
}

fn with_remedy(judgement: Judgement, what: &str) -> Judgement {
    let judgement =
        judgement.remedy("If the client itself still reads this sender's messages, only the copy is bad: close the client and copy the store once more, with all files beside it.");
    match what {
        "session" => judgement.remedy(
            "Else write to the contact from this device; if the next message fails again, end and restart the session. Then ask for the lost messages.",
        ),
        "store" => judgement.remedy(
            "If the client itself cannot use it: go back to a backup of the whole client only if you then end and restart all sessions; make new OMEMO keys only as the last resort.",
        ),
        _ => judgement.remedy("Ask the sender to end and restart the session in their client; messages made for the damaged key are lost until they are sent again."),
    }
}

/// What the message needs and the copy lacks, where damage could be the reason.
fn missing_part(trial: &Trial) -> Option<&'static str> {
    match (&trial.exchange, &trial.session) {
        (Some(e), _) if !e.base_key_known && e.signed_prekey == PrekeyFact::Missing => Some("signed prekey"),
        (Some(e), _) if !e.base_key_known && e.prekey == PrekeyFact::Missing => Some("one-time prekey"),
        (None, SessionFact::Missing) => Some("session"),
        _ if trial.ratchet.is_none() => Some("key"),
        _ => None,
    }
}

fn concerns(problem: &Problem) -> bool {
    matches!(problem.scope, ProblemScope::Store | ProblemScope::OwnKeys)
}

fn evidence(problem: &Problem) -> Evidence {
    in_store(&problem.place, problem.says.clone())
}

/// Damage that no message has met.
#[derive(Debug, Default)]
struct Damage {
    /// A message has met some.
    met: bool,
}

impl Gathering for Damage {
    fn note(&mut self, _scene: &Scene<'_>, verdict: &MessageVerdict) {
        self.met |= verdict.code == Code::StoreCorrupt;
    }

    fn findings(&self, whole: &Whole<'_>) -> Vec<Finding> {
        let devices = whole.own.iter().filter(|_| !self.met);
        devices.filter_map(|own| damage(own.client.map_or("the client", |client| client.name), own)).collect()
    }
}

fn damage(client: &str, own: &OwnDevice) -> Option<Finding> {
    let of_accounts = own.replays.iter().flat_map(|replay| &replay.account.problems);
    let mut evidence: Vec<Evidence> = Vec::new();
    // What is locked is not damaged.
    for problem in of_accounts.chain(&own.problems).filter(|problem| problem.scope != ProblemScope::Locked) {
        let piece = in_store(&problem.place, problem.says.clone());
        if !evidence.contains(&piece) {
            evidence.push(piece);
        }
    }
    (!evidence.is_empty()).then(|| Finding {
        code: Code::StoreCorrupt,
        detail: None,
        confidence: Confidence::Proven,
        sentence: format!("The store of {client} is damaged: {} of its parts cannot be read.", evidence.len()),
        evidence,
        remedy: vec![
            "If the client itself works, only the copy is bad: close the client and copy the store once more, with all files beside it."
                .into(),
            "If the client fails, too, write to your contacts from this device, and end and restart the sessions that stay broken; make new OMEMO keys only as the last resort."
                .into(),
        ],
        stanza_ids: Vec::new(),
    })
}
