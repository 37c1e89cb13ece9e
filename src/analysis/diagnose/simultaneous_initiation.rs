//! # simultaneous-initiation
//!
//! **What happened.** Your client and the sender's began a session with each other at the same moment. Now each of
//! them uses a different one, and neither can read the other. Nobody is to blame. It is bad luck, and some clients
//! cannot repair it by themselves.
//!
//! **What to do.**
//! - Agree with the sender, by phone or in person, who acts: one of you, not both. Choose the one whose client has a
//!   command for it.
//! - That one ends and restarts the session in their client. `omemoscope explain words` says how.
//! - Then each of you sends again what the other did not get.
//!
//! **What is lost.** What was sent in the lost session, until it is sent again.
//!
//! **Fine causes.** If the verdict has this word behind the slash, its line replaces the advice above.
//! - `harmless`: both began at once, but your client keeps both sessions. Nothing is lost, and nothing is to be
//!   done.
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
use super::{Cause, Gathering, Judgement, Scene, Whole, client_report, computed, in_stanza, newer_copy};
use crate::analysis::book::OwnRatchetKey;
use crate::analysis::outcome::KeyFact;
use crate::analysis::trial::{RatchetFact, ReplacedFact};
use crate::model::{BareJid, Code, Confidence, Evidence, Finding, MessageVerdict};
use std::collections::BTreeSet;

pub(super) const CAUSE: Cause = Cause {
    code: Code::SimultaneousInitiation,
    source: include_str!("simultaneous_initiation.rs"),
    judge,
    gather: || Box::<Crossings>::default(),
};

/// Both at once would only begin it anew.
const AGREE: &str = "Agree with the contact by phone or in person who acts: one of you, not both. That one ends and restarts the session; then each sends again what the other did not get.";

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
    Some(judgement.recovery(scene, Broken::DoesNotFit).remedy(AGREE).all_remedies(replace))
}

/// Signs in the clear that the sender answers in the session that our own key exchange began, although its own one has
/// replaced that here: ours went out before theirs, nothing had answered it, and a chain that follows no other is an
/// answering side's first one.
fn two_sessions(scene: &Scene<'_>) -> Option<Vec<Evidence>> {
    let trial = scene.trial()?;
    let unknown = matches!(trial.ratchet, Some(RatchetFact::BeyondOneStep | RatchetFact::NewChainBadMac { .. }));
    if trial.replaced.is_some() || !unknown || scene.client().is_none_or(|c| c.implementation.archives_states()) {
        return None;
    }
    let key = scene.outcome.key_fact().filter(|key| key.previous_counter == 0 && !key.is_exchange())?;
    let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let theirs = &scene.whole.book.theirs;
    let begun = scene.whole.book.exchanges.taken_before(namespace, sid, scene.order)?.order;
    let since = theirs.order(namespace, sid, &key.ratchet_key)?;
    if newer_copy::copy_is_newer(scene) {
        return None;
    }
    if since < begun {
        // The sender had answered in it before its own key exchange; a late message has a counter that has been passed.
        let goes_on = scene.outcome.is_live() && scene.outcome.chain_end.is_some_and(|end| key.counter > end);
        let says = "its chain had begun before the sender's own key exchange, and goes on: the sender uses two sessions";
        return goes_on.then(|| vec![scene.stanza(says)]);
    }
    let own = crossing(scene, begun)?;
    let ours = scene.whole.book.ours.ratchet_keys(namespace, sid)?.exchange_before(scene.order)?;
    let says = "its chain follows no other: it is the first one of an answer, and not of the session that the sender began";
    (ours.order <= begun && since > begun).then(|| {
        vec![in_stanza(&own.first.position, "your client's key exchange went out before theirs was read"), scene.stanza(says)]
    })
}

/// Our key exchange with the sender's device that theirs, at this point of the capture, crossed: nothing of theirs had
/// answered it.
fn crossing<'a>(scene: &Scene<'a>, theirs: usize) -> Option<&'a OwnRatchetKey> {
    let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let own = scene.whole.book.ours.ratchet_keys(namespace, sid)?.exchange_before(theirs)?;
    (!scene.whole.book.theirs.answered_between(namespace, sid, own.order, theirs)).then_some(own)
}

/// Key exchanges that crossed, also where archived states make it harmless.
#[derive(Debug, Default)]
struct Crossings {
    /// Devices of which it has been told.
    told: BTreeSet<(Option<BareJid>, Option<u32>)>,
    findings: Vec<Finding>,
}

impl Gathering for Crossings {
    fn note(&mut self, scene: &Scene<'_>, verdict: &MessageVerdict) {
        let outcome = scene.outcome;
        let sid = outcome.element.sid();
        let exchange = outcome.key_fact().is_some_and(KeyFact::is_exchange);
        let named = verdict.code == Code::SimultaneousInitiation;
        if !exchange && !named {
            return;
        }
        // Theirs begins a session of its own although ours is on its way, or it answers in a replaced one.
        let device = (outcome.header.from.clone(), sid);
        if self.told.contains(&device) {
            return;
        }
        let crossed = named || verdict.code == Code::Ok;
        if let Some(own) = crossing(scene, scene.order).filter(|_| crossed) {
            self.told.insert(device);
            self.findings.push(finding(scene, own, named));
        }
    }

    fn findings(&self, _whole: &Whole<'_>) -> Vec<Finding> {
        self.findings.clone()
    }
}

fn finding(scene: &Scene<'_>, own: &OwnRatchetKey, named: bool) -> Finding {
    let read = scene.outcome.comments.opened().and_then(|said| client_report::profile(said.client));
    let harmless = scene.client().or(read).is_some_and(|c| c.implementation.archives_states()) && !named;
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
        remedy: vec![if harmless { "Nothing: no message is lost.".into() } else { AGREE.into() }],
        stanza_ids: scene.outcome.header.id.iter().map(ToString::to_string).collect(),
    }
}
