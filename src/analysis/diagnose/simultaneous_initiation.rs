//! # simultaneous-initiation
//!
//! **What happened.** Your client and the sender's began a session with each other at the same moment, and each now
//! holds the one that the other began, so neither reads the other. Nobody did anything wrong; it is bad luck that some
//! clients do not recover from.
//!
//! **What to do.**
//! - Agree with the sender who acts: one of you, not both. That one ends and restarts the session in their client.
//! - Then let each send again what the other did not get.
//!
//! **What is lost.** What was sent in the lost session, until it is sent again.
//!
//! **Fine causes.**
//! - `harmless`: a finding, not a failure: key exchanges crossed, but your client keeps both sessions. Nothing is lost,
//!   and there is nothing to do.
//!
//! ### For those who repair clients
//!
//! **How it shows.** From the first contact on, messages fail with "Authentication tags do not match" (python-omemo) or
//! "Bad MAC". Clients of the libsignal family keep both sessions and recover by themselves; python-omemo keeps one and
//! does not.
//!
//! **Mistaken for.** [receiver-rolled-back], [mac-mismatch].
//!
//! **Mechanism.** A new key exchange replaces the session. When two exchanges cross, each side replaces its own session
//! by the other's. Clients that keep archived sessions can still read both.
//!
//! **What proves it.** Your key exchange and theirs cross in the capture, and the message opens with the session
//! that was replaced. Without that session the crossing alone says `likely`.
//!
//! **References.** XEP-0384, "Receiving a message" and "Business Rules"; signalapp/libsignal-protocol-java#12;
//! xmtp/libxmtp#200.

use super::recovery::Broken;
use super::{Cause, Gathering, Judgement, Scene, Whole, computed, in_stanza};
use crate::analysis::book::OwnRatchetKey;
use crate::analysis::outcome::KeyFact;
use crate::analysis::trial::{RatchetFact, ReplacedFact};
use crate::model::{BareJid, Code, Confidence, Evidence, Finding, MessageVerdict};
use std::collections::{BTreeSet, HashMap};

pub(super) const CAUSE: Cause = Cause {
    code: Code::SimultaneousInitiation,
    source: include_str!("simultaneous_initiation.rs"),
    judge,
    gather: || Box::<Crossings>::default(),
};

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let trial = scene.trial()?;
    let replace = scene.client().and_then(|c| c.remedies.replace_session);
    let sentence = format!(
        "Both sides began a session at once; {} answers in the one that {} no longer has.",
        scene.sender(),
        scene.client_name()
    );
    let judgement = if trial.replaced == Some(ReplacedFact::Unanswered) {
        let opens = computed("the message opens with the session that their key exchange replaced");
        let ours = scene
            .own_exchange()
            .map(|own| in_stanza(&own.first.position, "your client's key exchange went out, crossing theirs"));
        Judgement::new(Confidence::Proven, sentence).evidence(opens).all_evidence(ours)
    } else {
        Judgement::new(Confidence::Likely, sentence).all_evidence(two_sessions(scene)?).open_question(
            "Whether it is so: the sender's store (--peer), or a copy of yours from before their key exchange, would tell.",
        )
    };
    Some(
        judgement
            .recovery(scene, Broken::DoesNotFit)
            .remedy(replace.unwrap_or("Agree who acts: one side, not both, ends and restarts the session and writes again.")),
    )
}

/// Signs in the clear that the sender goes on in a session that its own key exchange has replaced here:
/// we had begun one before, or messages of this chain had come before the exchange.
fn two_sessions(scene: &Scene<'_>) -> Option<Vec<Evidence>> {
    let trial = scene.trial()?;
    if trial.replaced.is_some() {
        return None;
    }
    let unknown = matches!(trial.ratchet, Some(RatchetFact::BeyondOneStep | RatchetFact::NewChainBadMac { .. }));
    if !unknown || !trial.begun_here || scene.client().is_none_or(|c| c.implementation.archives_states()) {
        return None;
    }
    let begun = trial.turned_at?;
    let key = scene.outcome.key_fact()?;
    let mut evidence = Vec::new();
    if let Some(own) = scene.own_exchange().filter(|own| own.order <= begun) {
        evidence.push(in_stanza(&own.first.position, "your client's key exchange went out before theirs was read"));
    }
    let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let order = scene.whole.book.theirs.order(namespace, sid, &key.ratchet_key)?;
    // In a session that we no longer have nobody answers the sender, so its chain there stays the same: one that
    // begins after that chain and an ordinary message of ours belongs to the session that we do have.
    let ours = scene.own_newest().filter(|own| own.base_key.is_none() && own.order <= order);
    if ours.is_some_and(|own| scene.whole.book.theirs.unread_chain_between(namespace, sid, begun, own.order)) {
        return None;
    }
    if order < begun {
        evidence.push(scene.stanza("its chain had begun before the sender's own key exchange: the sender uses two sessions"));
    }
    (!evidence.is_empty()).then_some(evidence)
}

/// Key exchanges that crossed, also where archived states make it harmless.
#[derive(Debug, Default)]
struct Crossings {
    /// Devices of which it has been told.
    told: BTreeSet<(Option<BareJid>, Option<u32>)>,
    /// The last message of a device that answered in a session: it was no key exchange.
    answers: HashMap<u32, usize>,
    findings: Vec<Finding>,
}

impl Gathering for Crossings {
    fn note(&mut self, scene: &Scene<'_>, verdict: &MessageVerdict) {
        let outcome = scene.outcome;
        let sid = outcome.element.sid();
        let exchange = outcome.key_fact().is_some_and(KeyFact::is_exchange);
        if let (Some(sid), Some(_), false) = (sid, outcome.key_fact(), exchange) {
            self.answers.insert(sid, scene.order);
        }
        let Some(own) = scene.own_exchange() else { return };
        // Theirs begins a session of its own although ours is on its way, or it answers in a replaced one.
        let device = (outcome.header.from.clone(), sid);
        if self.told.contains(&device) {
            return;
        }
        // Nothing of theirs had answered our key exchange when theirs came.
        let unanswered = sid.and_then(|sid| self.answers.get(&sid)).is_none_or(|answer| *answer < own.order);
        let crossed = exchange && verdict.code == Code::Ok && unanswered;
        let named = verdict.code == Code::SimultaneousInitiation;
        if crossed || named {
            self.told.insert(device);
            self.findings.push(crossing(scene, own, named));
        }
    }

    fn findings(&self, _whole: &Whole<'_>) -> Vec<Finding> {
        self.findings.clone()
    }
}

fn crossing(scene: &Scene<'_>, own: &OwnRatchetKey, named: bool) -> Finding {
    let harmless = scene.client().is_some_and(|c| c.implementation.archives_states()) && !named;
    let effect = if harmless {
        "both sessions are kept, so it does no harm"
    } else {
        "messages may be lost until one side ends and restarts the session"
    };
    Finding {
        code: Code::SimultaneousInitiation,
        detail: harmless.then_some(Finding::HARMLESS),
        confidence: judge(scene).filter(|_| named).map_or(Confidence::Likely, |judgement| judgement.confidence),
        sentence: format!("Your client and {} began a session with each other at the same time; {effect}.", scene.sender()),
        evidence: vec![
            in_stanza(&own.first.position, "your client's key exchange"),
            scene.stanza("their key exchange, begun before they had ours"),
        ],
        remedy: vec![if harmless {
            "Nothing: no message is lost.".into()
        } else {
            "Agree who acts: one side, not both, ends and restarts the session and writes again.".into()
        }],
        stanza_ids: scene.outcome.header.id.iter().map(ToString::to_string).collect(),
    }
}
