//! # identity-changed
//!
//! **What happened.** A device that your client knows now has another identity key. This is probably nobody's fault:
//! mostly the sender installed their client anew. But an attack would look the same. Some clients refuse the message
//! (Conversations, Dino). Others take the new key without asking (Gajim, Kaidan, Monal, Profanity, Siskin, Beagle,
//! Pidgin/Finch (lurch)).
//!
//! **What to do.**
//! - Compare the new fingerprint with the sender by phone or in person, not in this chat (`omemoscope explain words`
//!   says how). Do this even if your client has already taken the new key.
//! - If it is right, accept the new key in your client. If your client cannot do that, remove the old key there. A
//!   new session then begins.
//! - If it is wrong, do not trust the device, and write nothing in this chat. Tell the sender by phone or in person.
//!
//! **What is lost.** The messages that your client refused. Ask for them again when you know that the key is right.
//! Nothing, if your client took the new key.
//!
//! **Fine causes.** If the verdict has this word behind the slash, its line replaces the advice above.
//! - `own-key-changed`: two copies of your store hold different identity keys of your own. Your client made new keys
//!   in between, because you wanted it or because it had lost the old ones. Compare the new fingerprint with your
//!   contacts by phone or in person, not in this chat.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Converse: "Identity key changed". Dino: "Tried to use a different identity key for a known device id".
//!   Conversations: "preexisting identity key changed". python-omemo: PublicDataInconsistency. Smack: "contained
//!   unknown identityKey. Ignore message". libsignal: SG_ERR_UNTRUSTED_IDENTITY (-1010).
//! - Gajim and Kaidan take the new key without a word, so nothing shows at all.
//!
//! **Mistaken for.** [device-id-collision]: there both keys stay in use.
//!
//! **Mechanism.** The other side made new keys but kept its device id; or another installation uses the same id
//! ([device-id-collision]); or somebody tries to slip in.
//!
//! **What proves it.** The identity key in the message beside the one in the store. Without a store: two key exchanges
//! of one device in the capture with different keys, then `likely`.
//!
//! **References.** XEP-0384, "Security Considerations"; conversejs/converse.js#1242.

use super::{Cause, Judgement, Scene, Whole, altered, at_the_end, between_copies, in_stanza, in_store, remedies, rule};
use crate::model::{Code, Confidence, Finding};

pub(super) const CAUSE: Cause =
    Cause { code: Code::IdentityChanged, source: include_str!("identity_changed.rs"), judge, gather: || at_the_end(whole) };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let Some(trial) = scene.trial() else { return within_capture(scene) };
    let exchange = trial.exchange.as_ref().filter(|e| !e.base_key_known)?;
    let known = exchange.other_identity?;
    let place = scene.outcome.trust.as_ref().map_or_else(|| "store".into(), |t| t.place.to_string());
    let mut judgement = Judgement::new(
        Confidence::Proven,
        format!("{} comes with another identity key than the one known for it.", scene.sender()),
    )
    .evidence(scene.stanza(format!("the new key, in the key exchange, is {}", exchange.identity.fingerprint().grouped())))
    .evidence(in_store(place, format!("the known key is {}", known.fingerprint().grouped())));
    let taken = scene.client().is_some_and(|c| c.accepts_changed_identity);
    if taken {
        judgement = judgement.evidence(rule(scene.client_name(), "takes the new key without asking, so the message is shown"));
    }
    Some(
        judgement
            .remedy(remedies::COMPARE)
            .remedy(if taken {
                "If it is theirs, nothing is to be done: your client has taken the new key already."
            } else {
                "If it is theirs, accept the new key or remove the old one in your client: a new session then begins."
            })
            .remedy(
                "If it is not, do not trust the device, write nothing in this chat, and tell the contact by phone or in person.",
            ),
    )
}

/// Without a store the capture alone may show two keys.
fn within_capture(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let identity = outcome.key_fact()?.identity()?;
    let sid = outcome.element.sid()?;
    let uses = scene.whole.book.identities(outcome.namespace()?, outcome.header.from.as_ref(), sid);
    let (before, now) = uses.iter().zip(uses.iter().skip(1)).find(|(_, now)| now.identity == identity)?;
    if altered::damaged_identity(&before.identity, &now.identity).is_some() {
        return None;
    }
    Some(
        Judgement::new(Confidence::Likely, format!("{} comes with another identity key than before.", scene.sender()))
            .evidence(in_stanza(&before.first, format!("in this stanza it was {}", before.identity.fingerprint().grouped())))
            .evidence(in_stanza(&now.first, format!("from this stanza on it is {}", now.identity.fingerprint().grouped())))
            .remedy(remedies::COMPARE)
            .open_question("Which of the two your client knows: its store (--store) would tell."),
    )
}

fn whole(whole: &Whole<'_>) -> Vec<Finding> {
    between_copies::own_identity(whole).collect()
}
