//! # receiver-rolled-back
//!
//! **What happened.** *Your* client works with an older copy of its keys than the ones it had used before: a
//! restored backup, a copied profile, or a database copied without its `-wal` file.
//!
//! **How it shows.** All messages of *some* contacts fail (those who wrote and were answered since the copy),
//! others are fine; what you send may still arrive. "No valid sessions", "Bad MAC", "Authentication tags do not match".
//!
//! **Mechanism.** Each answer makes a new random ratchet key. The old copy lacks the keys made after it, so messages
//! that build on them can never be opened with it.
//!
//! **What proves it.** Your own earlier stanzas in the log: they carry a ratchet key that the store does not hold. Or
//! the sender's store, which has received such a key.
//!
//! **Mistaken for.** [beyond-snapshot]: the same evidence, when the copy is no living store but an early snapshot
//! (`--snapshot` says so). [mac-mismatch]. A copy without its `-wal` looks rolled back, too.
//!
//! **What to do.** If you copied the store: copy it again with all files beside it. If the client itself was restored:
//! write to each affected contact or end and restart the sessions; the messages between are lost on this device.
//!
//! **References.** Double Ratchet section 2.3; XEP-0384 section 8.

use super::own_ratchet_moved::own_ratchet_moved;
use super::{Cause, Judgement, Scene, nothing};
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::ReceiverRolledBack, source: include_str!("receiver_rolled_back.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened_by_store() {
        return None;
    }
    let moved = own_ratchet_moved(scene)?;
    let judgement = Judgement::new(
        moved.confidence,
        format!("The store of {} is an older copy: its ratchet with {} had already gone on.", scene.client_name(), scene.sender()),
    )
    .all_evidence(moved.evidence)
    .remedy("If you copied the store, copy it again together with all files beside it (-wal, -journal).")
    .remedy("If the client was restored from a backup: write to this contact so that a new session begins, then ask for the lost messages.")
    .all_remedies(scene.client().and_then(|c| c.remedies.replace_session));
    Some(match moved.confidence {
        Confidence::Proven => judgement,
        _ => judgement
            .open_question("An earlier log with our own messages to this contact, or the sender's store, would prove it."),
    })
}
