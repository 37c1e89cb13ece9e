//! The verdicts: the first cause that fits, with what the message itself and its client say.

use super::judgement::Judgement;
use super::{CAUSES, Scene, Whole, client_said, duplicate_message, remedies, rule};
use crate::analysis::client_words::Said;
use crate::analysis::content::Payload;
use crate::analysis::rules::envelope;
use crate::model::{Code, Confidence, Evidence, EvidenceKind, MessageVerdict};

/// The verdict on the message at this place. A second copy of a message that failed has failed for the same
/// reason, whatever the replay has made of the session meanwhile.
pub fn verdict_at(whole: &Whole<'_>, order: usize) -> Option<MessageVerdict> {
    let scene = whole.scene(order)?;
    let outcome = scene.outcome;
    let (unopened, untried) = (outcome.opened_by.is_none(), outcome.trials.is_empty());
    let copy = outcome.seen_before.as_ref().filter(|seen| unopened && seen.same_bytes && seen.order < order);
    let Some((seen, earlier)) = copy.and_then(|seen| Some((seen, verdict_at(whole, seen.order)?))) else {
        return Some(verdict(&scene));
    };
    if (seen.opened || untried) && earlier.code.is_harmless() {
        return Some(verdict(&scene));
    }
    let damaged = matches!(earlier.code, Code::PayloadAuthFailed | Code::MalformedStanza);
    if damaged && whole.window.get(seen.order).is_some_and(|first| !first.element.has_text_of(&outcome.element)) {
        return Some(written(&scene, Code::DuplicateMessage, duplicate_message::after_a_damaged_one(&scene)));
    }
    if earlier.code == Code::BeyondSnapshot {
        // The client read the first copy, if not with this store copy: this one was a second copy to it.
        return Some(written(&scene, Code::DuplicateMessage, duplicate_message::second_copy(&scene)));
    }
    let fate = if seen.opened { "which your client did not show either" } else { "which failed already" };
    let evidence = scene.stanza(format!("the same bytes as in {}, {fate}", earlier.position));
    Some(MessageVerdict { evidence: [vec![evidence], earlier.evidence.clone()].concat(), ..verdict(&scene).like(&earlier) })
}

/// The verdict on one message.
pub fn verdict(scene: &Scene<'_>) -> MessageVerdict {
    let found = CAUSES.iter().find_map(|cause| (cause.judge)(scene).map(|j| (cause.code, j)));
    let (code, judgement) =
        found.unwrap_or_else(|| (Code::Ok, Judgement::new(Confidence::Possible, "Nothing speaks against this message.")));
    let (code, judgement) = client_said::judge(scene, code).unwrap_or((code, judgement));
    written(scene, code, if is_over(scene, code) { judgement.only_remedy(remedies::OVER) } else { judgement })
}

/// Whether a broken session works again: then nothing is left to be repaired.
fn is_over(scene: &Scene<'_>, code: Code) -> bool {
    use Code::{MacMismatch, NoSession, PrekeyMissing, ReceiverRolledBack, SignedPrekeyMissing};
    matches!(code, MacMismatch | NoSession | PrekeyMissing | ReceiverRolledBack | SignedPrekeyMissing)
        && scene.whole.hindsight.read_later(scene)
}

/// A judgement on a message, with what the message itself and its client say.
fn written(scene: &Scene<'_>, code: Code, judgement: Judgement) -> MessageVerdict {
    let outcome = scene.outcome;
    let opened = match outcome.payload.as_deref() {
        Some(Payload::Opened(opened)) => Some(opened),
        _ => None,
    };
    let own = scene.own();
    let addressed = outcome.addressing.ours > 0 || outcome.addressing.other_jid.is_some();
    let mut evidence = judgement.evidence;
    let client_failed = judgement.detail == Some(MessageVerdict::CLIENT_FAILED);
    if !code.is_harmless() || code == Code::DuplicateMessage || client_failed {
        evidence.extend(scene.client_said().map(|said| {
            let Evidence { kind, place, says } = said.evidence();
            Evidence { kind, place, says: format!("{says}{}", contradiction(scene, said)).into() }
        }));
    }
    if blames_sender(code)
        && let Some(writer) = outcome.header.fallback_of
    {
        evidence.push(scene.stanza(format!("the fallback text beside it is the one that {writer} writes")));
    }
    evidence.extend(outcome.repairs.iter().map(|r| scene.stanza(r.clone())));
    if let Some(opened) = opened {
        evidence.extend(opened.findings.iter().map(|f| rule(envelope::rule(f).id, f.to_string())));
    }
    // What holds for every such message comes after what holds for this one.
    evidence.sort_by_key(|e| e.kind == EvidenceKind::Rule);
    MessageVerdict {
        id: outcome.header.id.as_deref().map(Into::into),
        from: outcome.header.from.clone(),
        sid: outcome.element.sid(),
        to_device: own.and_then(|o| o.device_id).filter(|_| addressed),
        account: own.and_then(|o| o.jid.clone()),
        time: outcome.header.time.clone(),
        position: outcome.header.position.clone(),
        namespace: outcome.namespace(),
        code,
        detail: judgement.detail,
        confidence: judgement.confidence,
        sentence: judgement.sentence.into(),
        evidence,
        remedy: judgement.remedy.into(),
        open_questions: judgement.open_questions.into(),
        plaintext: opened.and_then(|o| o.body.clone()),
        content: opened.map(|o| o.content.clone()).unwrap_or_default(),
    }
}

/// Whether the fault lies with the client that sent the message: then it helps to know which one it was.
const fn blames_sender(code: Code) -> bool {
    use Code::{MalformedMessage, MalformedStanza, PayloadAuthFailed, UnsupportedVersion, VariantMismatch};
    matches!(code, MalformedMessage | MalformedStanza | PayloadAuthFailed | UnsupportedVersion | VariantMismatch)
}

/// What speaks against the client's words.
fn contradiction(scene: &Scene<'_>, said: &Said) -> String {
    let outcome = scene.outcome;
    let other_bytes = outcome.seen_before.as_ref().is_some_and(|seen| !seen.same_bytes);
    if said.words.denies_key() && outcome.addressing.ours > 0 {
        format!(". That is not so: there is a key for {}", scene.our_device())
    } else if said.words.claims_duplicate() && other_bytes {
        ". That is not so: the bytes are others".into()
    } else {
        String::new()
    }
}
