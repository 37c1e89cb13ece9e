//! # beyond-snapshot
//!
//! **What happened.** The copy of the store that you gave is older than this message. Since then your client has
//! made new keys, which the copy does not have. Nobody is to blame, and nothing is wrong with the message.
//!
//! **What to do.**
//! - Open your client. Does it show the newest messages of the sender?
//! - If yes, nothing is broken. If you have a later copy of the store, made before your client read the message,
//!   omemoscope can open the message with it. Name both copies, the newest last: `--store OLD --store NEW`.
//! - If no, your client has the problem, too. Then read: `omemoscope explain receiver-rolled-back`.
//!
//! **What is lost.** Nothing, if your client showed the message.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Only in omemoscope: the client itself read the message.
//!
//! **Mistaken for.** [receiver-rolled-back]: the same evidence, when the copy is what the client really works with. Say
//! `--snapshot` if it is only a copy.
//!
//! **Mechanism.** A copy opens later messages in chains it knows and through one new ratchet step. After that the
//! client makes a new random ratchet key, and what builds on it needs a later copy.
//!
//! **What proves it.** Your own outgoing stanzas carry a ratchet key that the copy does not hold; or a later copy knows
//! the chain. Counters alone say `likely`.
//!
//! **References.** The Double Ratchet Algorithm, "Diffie-Hellman ratchet".

use super::own_ratchet_moved::own_ratchet_moved;
use super::{Cause, Judgement, Scene, beyond_copy, nothing};
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::BeyondSnapshot, source: include_str!("beyond_snapshot.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened_by_store() {
        return None;
    }
    scene.outcome.key_fact()?;
    let older = beyond_copy::needs_newer_copy(scene).filter(|_| scene.whole.snapshots_only || !scene.client_failed());
    if let Some(bundle) = older {
        return Some(needs_later_copy(scene, Confidence::Proven).evidence(bundle));
    }
    if let Some(renewed) = beyond_copy::names_renewed_prekey(scene) {
        let question =
            "Whether the sender used an old bundle (mac-mismatch): your client's log, or a later copy of the store, would tell.";
        return Some(needs_later_copy(scene, Confidence::Likely).evidence(renewed).open_question(question));
    }
    let trials = &scene.outcome.trials;
    // The newest copy is the living store: where it knows the chain, the client got past this message.
    let known_later = trials.len() > 1 && trials.last().is_some_and(|t| t.keys.knows_chain);
    let moved = own_ratchet_moved(scene)?;
    // It went on within this capture, and the client's own log does not complain: just an older copy.
    let went_on = moved.within_capture && !scene.client_failed();
    if !scene.whole.snapshots_only && !known_later && !went_on {
        return None;
    }
    let judgement =
        if known_later { between_two_copies(scene, moved.confidence) } else { needs_later_copy(scene, moved.confidence) };
    let judgement = judgement.all_evidence(moved.evidence);
    Some(match moved.confidence {
        Confidence::Proven => judgement,
        Confidence::Possible => judgement.open_question(
            "Whether it is just an old message that came late or twice: the chains that the client keeps are full. The sender's store (--peer), or a later copy of ours, would tell.",
        ),
        _ => judgement.open_question("Whether the two ratchets parted for another reason: a later copy of the store would tell."),
    })
}

fn needs_later_copy(scene: &Scene<'_>, confidence: Confidence) -> Judgement {
    let sentence = format!("The message from {} needs a later copy of the store than this one.", scene.sender());
    Judgement::new(confidence, sentence).remedy("If only this copy fails, nothing is to be repaired: to read the message with omemoscope, give a copy taken later (--store may be repeated).")
}

/// The earlier copies do not reach the message, and the last one is past it.
fn between_two_copies(scene: &Scene<'_>, confidence: Confidence) -> Judgement {
    let sentence = format!("The message from {} came between two of the copies of the store.", scene.sender());
    Judgement::new(confidence, sentence).remedy("Nothing is to be repaired: look for the message in the client.")
}
