//! # too-many-skipped
//!
//! **What happened.** So many messages are missing between the last one that your client read and this one that your
//! client refuses to go on. Nobody is to blame, and your keys are fine. Mostly this device was off for long, or the
//! sender's client has not got an answer from it for long.
//!
//! **What to do.**
//! - Write to the sender from this device. What they send after your message arrived can be read again.
//! - If the sender's next message fails too, end and restart the session in your client. If your client has no
//!   command for it, ask the sender to do it in theirs. `omemoscope explain words` says how.
//! - Ask the sender to send again what your client did not show.
//!
//! **What is lost.** The messages that your client refused. omemoscope can usually show the text of this one.
//!
//! **Fine causes.** If the verdict has this word behind the slash, its line replaces the advice above.
//! - `new-chain`: in this case writing does not help. End and restart the session at once, and ask the sender to
//!   send again what your client did not show.
//!
//! ### For those who repair clients
//!
//! **How it shows.** "Over 2000 messages into the future!" (Gajim, Conversations, Profanity, Converse),
//! DoSProtectionException "More than … message keys skipped" (python-omemo), SG_ERR_INVALID_MESSAGE (-1005), "Would
//! skip to many message keys" (UWPX).
//!
//! **Mistaken for.** [mac-mismatch], [receiver-rolled-back]: there the counter is not far ahead.
//!
//! **Mechanism.** To read a message, the keys of all earlier ones must be computed and kept. A limit protects against
//! forged counters: 2000 in the libsignal family, 1000 in python-omemo, 25000 in current Rust libsignal.
//!
//! **What proves it.** The counter in the message and the index of the chain. The key can be computed all the same, so
//! omemoscope may show the text.
//!
//! **References.** XEP-0384, "Double Ratchet"; The Double Ratchet Algorithm, MAX_SKIP.

use super::{Cause, Judgement, Scene, computed, nothing, remedies, rule};
use crate::analysis::trial::RatchetFact;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause =
    Cause { code: Code::TooManySkipped, source: include_str!("too_many_skipped.rs"), judge, gather: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let trial = scene.trial()?;
    let implementation = scene.client()?.implementation;
    let ahead = match trial.ratchet {
        Some(RatchetFact::TooFarAhead { ahead }) => ahead,
        Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep) => return unknown_chain(scene),
        _ => trial.over_limit?,
    };
    let limit = implementation.limits().forward_jump.map_or_else(|| "no".into(), |l| l.to_string());
    let opened =
        if scene.opened() { "the key fits; omemoscope could open it" } else { "omemoscope does not follow so far either" };
    Some(
        Judgement::new(
            Confidence::Proven,
            format!(
                "The message from {} lies {ahead} messages ahead; {} gives up before that.",
                scene.sender(),
                scene.client_name()
            ),
        )
        .evidence(computed(format!("{ahead} keys would be skipped; {opened}")))
        .evidence(rule(implementation.name(), format!("skips at most {limit} keys")))
        .remedy(remedies::ANSWER)
        .remedy("If that fails, too, end and restart the session. Then ask for what your client did not show."),
    )
}

/// A chain that no copy knows begins at 0 for the client, too: its first message to arrive says how far it jumped.
fn unknown_chain(scene: &Scene<'_>) -> Option<Judgement> {
    let implementation = scene.client()?.implementation;
    let limit = implementation.limits().forward_jump?;
    let (key, namespace, sid) = (scene.outcome.key_fact()?, scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let first = scene.whole.book.theirs.first_counter(namespace, sid, &key.ratchet_key)?;
    (first > limit).then(|| {
        Judgement::new(
            Confidence::Likely,
            format!(
                "The first message of a new chain of {} has counter {first}; {} gives up before that.",
                scene.sender(),
                scene.client_name()
            ),
        )
        .detail("new-chain")
        .evidence(scene.stanza(format!("counter {} in a chain of which nothing came before", key.counter)))
        .evidence(rule(implementation.name(), format!("skips at most {limit} keys")))
        .remedy("End and restart the session, then ask for what your client did not show. Merely writing does not help: your client never saw this chain begin.")
        .open_question("Whether earlier messages of this chain arrived outside this capture: an earlier log would tell.")
    })
}
