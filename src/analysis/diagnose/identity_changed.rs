//! # identity-changed
//!
//! **What happened.** A message that begins a session comes with another identity key than the one known for this
//! device. Mostly the contact reinstalled the client; but it is also what an attack would look like.
//!
//! **How it shows.**
//! - Converse: "Identity key changed". Dino: "Tried to use a different identity key for a known device id".
//!   Conversations: "preexisting identity key changed". python-omemo: PublicDataInconsistency. Smack: "contained
//!   unknown identityKey. Ignore message". libsignal: SG_ERR_UNTRUSTED_IDENTITY (-1010).
//! - Gajim and Kaidan take the new key without a word, so nothing shows at all.
//!
//! **Mechanism.** The other side made new keys but kept its device id; or another installation uses the same id
//! ([device-id-collision]); or somebody tries to slip in.
//!
//! **What proves it.** The identity key in the message beside the one in the store. Without a store: two key
//! exchanges of one device in the capture with different keys, then `likely`.
//!
//! **Mistaken for.** [device-id-collision]: there both keys stay in use.
//!
//! **What to do.**
//! - Do not accept it blindly. Compare the fingerprint with the contact over another way (in person, by phone).
//! - If it is theirs, accept the new key or remove the old device; the session is then made anew.
//! - Messages that were refused meanwhile are lost.
//!
//! **Fine causes.**
//! - `own-key-changed`: a finding: of several copies of the store a later one has another identity key of our own.
//!
//! **References.** XEP-0384, "Security Considerations"; conversejs/converse.js#1242.

use super::{Cause, Judgement, Scene, Verdicts, Whole, between_copies, in_stanza, in_store, rule};
use crate::model::{Code, Confidence, Finding};

pub(super) const CAUSE: Cause = Cause { code: Code::IdentityChanged, source: include_str!("identity_changed.rs"), judge, whole };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let Some(trial) = scene.trial() else { return within_capture(scene) };
    let exchange = trial.exchange.as_ref().filter(|e| !e.base_key_known)?;
    let known = exchange.other_identity?;
    let place = scene.outcome.trust.as_ref().map_or_else(|| "store".into(), |t| t.place.to_string());
    let mut judgement = Judgement::new(
        Confidence::Proven,
        format!("{} comes with another identity key than the one known for it.", scene.sender()),
    )
    .evidence(scene.stanza(format!("the key exchange says {}", exchange.identity.fingerprint().grouped())))
    .evidence(in_store(place, format!("known is {}", known.fingerprint().grouped())));
    if scene.client().is_some_and(|c| c.accepts_changed_identity) {
        judgement = judgement.evidence(rule(scene.client_name(), "takes the new key without asking, so the message is shown"));
    }
    Some(
        judgement
            .remedy("Compare the new fingerprint with the contact over another way before trusting it.")
            .remedy("If it is right, remove the old key of this device in the client; the session is then made anew."),
    )
}

/// Without a store the capture alone may show two keys.
fn within_capture(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let identity = outcome.key_fact()?.identity()?;
    let sid = outcome.element.sid()?;
    let uses = scene.whole.book.identities(outcome.namespace()?, outcome.header.from.as_ref(), sid);
    let (before, now) = uses.iter().zip(uses.iter().skip(1)).find(|(_, now)| now.identity == identity)?;
    Some(
        Judgement::new(Confidence::Likely, format!("{} comes with another identity key than before.", scene.sender()))
            .evidence(in_stanza(&before.first, format!("here it was {}", before.identity.fingerprint().grouped())))
            .evidence(in_stanza(&now.first, format!("from here on it is {}", now.identity.fingerprint().grouped())))
            .remedy("Compare the new fingerprint with the contact over another way before trusting it.")
            .open_question("Which of the two our client knows: its store (--store) would tell."),
    )
}

fn whole(whole: &Whole<'_>, _verdicts: &Verdicts<'_>) -> Vec<Finding> {
    between_copies::own_identity(whole).collect()
}
