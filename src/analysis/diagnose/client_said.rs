//! What the client itself said of one message, where it knows more than the stores at hand: it read what no copy of its
//! store opens, failed where a copy opens, or failed where no copy can tell.

use super::client_report::{meaning, profile};
use super::remedies::{RESTART, first_aid};
use super::{Judgement, Scene};
use crate::analysis::client_words::Said;
use crate::model::{Code, Confidence, Evidence, MessageVerdict};

/// What the client's words make of the verdict so far.
pub(super) fn judge(scene: &Scene<'_>, so_far: Code) -> Option<(Code, Judgement)> {
    read(scene, so_far)
        .or_else(|| opened_by_a_copy(scene, so_far))
        .or_else(|| refused(scene, so_far))
        .or_else(|| failed(scene, so_far))
}

/// The client's line; where it only says that a try began, with what follows from that.
fn evidence(said: &Said) -> Evidence {
    let Evidence { kind, place, says } = said.evidence();
    let says = if said.words.is_try() { format!("{says}, and no line says that it failed").into() } else { says };
    Evidence { kind, place, says }
}

fn untried(scene: &Scene<'_>) -> bool {
    scene.outcome.trials.is_empty()
}

/// The copy at hand is newer than the message and tells nothing of it.
fn copy_is_newer(scene: &Scene<'_>, so_far: Code) -> bool {
    so_far == Code::DuplicateMessage && scene.outcome.seen_before.is_none() && !scene.opened()
}

/// The client read the message.
fn read(scene: &Scene<'_>, so_far: Code) -> Option<(Code, Judgement)> {
    let said = scene.outcome.comments.opened().filter(|_| !scene.opened())?;
    let sender = scene.sender();
    let sentence = format!("{} read the message from {sender}.", said.client);
    if untried(scene) {
        return (so_far == Code::Ok).then(|| {
            (
                Code::Ok,
                Judgement::new(Confidence::Likely, sentence).detail(MessageVerdict::READ_BY_CLIENT).evidence(evidence(said)),
            )
        });
    }
    if copy_is_newer(scene, so_far) {
        let judgement = Judgement::new(Confidence::Likely, sentence).detail(MessageVerdict::READ_BEFORE_THE_COPY);
        return Some((so_far, judgement.evidence(evidence(said))));
    }
    depends_on_copy(so_far).then(|| {
        let sentence = format!("{} read the message from {sender}; this copy of its store cannot.", said.client);
        let judgement = Judgement::new(Confidence::Likely, sentence)
            .evidence(evidence(said))
            .open_question("What the copy lacks: one from the time of the message would tell.");
        (Code::BeyondSnapshot, judgement)
    })
}

/// Another state of the store would have opened the message.
const fn depends_on_copy(code: Code) -> bool {
    use Code::{
        MacMismatch, MessageKeyEvicted, NoSession, PrekeyMissing, ReceiverRolledBack, SignedPrekeyMissing, SimultaneousInitiation,
    };
    matches!(
        code,
        MacMismatch
            | MessageKeyEvicted
            | NoSession
            | PrekeyMissing
            | ReceiverRolledBack
            | SignedPrekeyMissing
            | SimultaneousInitiation
    )
}

/// A copy of the store opens the message, and the client could not.
fn opened_by_a_copy(scene: &Scene<'_>, so_far: Code) -> Option<(Code, Judgement)> {
    let said = scene.outcome.comments.failure().filter(|_| so_far == Code::Ok && scene.opened_by_store())?;
    let sentence = format!(
        "{} could not read the message from {}: {}. A copy of its store opens it.",
        said.client,
        scene.sender(),
        said.words.means
    );
    let judgement = Judgement::new(Confidence::Proven, sentence)
        .detail(MessageVerdict::CLIENT_FAILED)
        .remedy("omemoscope can show the text: omemoscope decrypt, with the same store and log.");
    // What has nothing to do with the session fails again.
    let of_session = meaning(said.words.kind).is_none_or(|(code, _)| depends_on_copy(code));
    Some((
        Code::Ok,
        if of_session {
            judgement
            .remedy(RESTART)
            .open_question("Why the client failed: it may have worked with an older store than this copy (receiver-rolled-back), or with a later one that had dropped the key (message-key-evicted). A copy from that time would tell.")
        } else {
            judgement.remedy("Ask the sender to update their client: yours does not take what it sends.")
        },
    ))
}

/// The client took a message that came as it was sent, and for the first time in this log, for one that it had already.
fn refused(scene: &Scene<'_>, so_far: Code) -> Option<(Code, Judgement)> {
    let said = scene.client_said().find(|said| said.words.claims_duplicate())?;
    if scene.client_failed() || !(untried(scene) && so_far == Code::Ok || copy_is_newer(scene, so_far)) {
        return None;
    }
    if !scene.outcome.is_live() {
        return untried(scene).then(|| {
            let sentence =
                format!("{} takes the message from {} for another copy: {}.", said.client, scene.sender(), said.words.means);
            let question =
                "Whether it is a new text under a used key (sender-rolled-back): an earlier log with the first copy would tell.";
            (Code::DuplicateMessage, Judgement::new(Confidence::Likely, sentence).open_question(question))
        });
    }
    let sentence = format!(
        "{} refused the message from {} as one that it had already, but no earlier copy is in the log: the sender may have used an old key again.",
        said.client,
        scene.sender()
    );
    let judgement = Judgement::new(Confidence::Possible, sentence)
        .remedy("Look for the message in your client. If it is there, do nothing.")
        .remedy("If it is not, ask the sender to send it again. If that fails, too, ask them to end and restart the session in their client.")
        .open_question("Whether the server only delivered a message again that came before (duplicate-message): an earlier log would show the first copy, and the sender's store (--peer) what its keys stand at.");
    Some((Code::SenderRolledBack, judgement))
}

/// The client could not read a message of which the stores at hand tell nothing.
fn failed(scene: &Scene<'_>, so_far: Code) -> Option<(Code, Judgement)> {
    if scene.opened() || !(untried(scene) && so_far == Code::Ok || copy_is_newer(scene, so_far)) {
        return None;
    }
    // Which of our devices we are is not known: what this one sent itself it cannot read either.
    if scene.outcome.header.of_log_owner && scene.own().is_none_or(|own| own.device_id.is_none()) {
        return None;
    }
    let said = scene.outcome.comments.failure()?;
    let (code, confidence) = meaning(said.words.kind)?;
    let sentence = format!("{} could not read the message from {}: {}.", said.client, scene.sender(), said.words.means);
    let question = if untried(scene) {
        "What the cause behind it is: a copy of your client's store (--store) would tell."
    } else {
        "What the cause behind it was: a copy of the store from before this message would tell; this one is newer."
    };
    let aid = first_aid(code, profile(said.client));
    Some((code, aid.into_iter().fold(Judgement::new(confidence, sentence).open_question(question), Judgement::remedy)))
}
