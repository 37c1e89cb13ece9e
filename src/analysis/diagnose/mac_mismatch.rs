//! # mac-mismatch
//!
//! **What happened.** Your client and the sender's no longer agree on the keys of their session, so this message
//! cannot be opened. Mostly the files that you gave do not show why. This is probably nobody's fault.
//!
//! **What to do.**
//! - If only this one message fails, and you have a second log of it, check it there: your log may have damaged it.
//! - Write something to the sender from this device, and wait for their answer. Conversations, Monal, Siskin, Beagle
//!   and Prose mostly begin a new session by themselves: if one of you uses one of these, that is often enough.
//!   Gajim, Dino, Profanity, Kaidan, Converse, Psi, Pidgin/Finch (lurch) and programs with python-omemo do not.
//! - If the sender's next message fails too, end and restart the session in your client. If your client has no
//!   command for it, ask the sender to do it in theirs. `omemoscope explain words` says how.
//! - Then ask the sender to send the lost messages again.
//! - To learn the cause, give omemoscope an earlier log as well.
//!
//! **What is lost.** This message, and what the sender writes until the session is restarted.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above.
//! - `session-replaced`: the message is late and of an old session. The present one is fine. Only ask for it again.
//! - `prekey-id-reused`: your client is at fault, not you. It gave the id of a used key to a new key.
//!   Profanity before 0.18 does that: update it. Then do as above.
//! - `altered`: the message was damaged on the way. The session is fine. Only ask the sender to send it again.
//! - `padding`: the sender's client is at fault, not you: it packed the message wrongly. Ask them to update it.
//! - `not-tried`: no failure: omemoscope could not try, because your own keys are missing in the copy. Copy the
//!   store again.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Gajim: "No valid sessions", "Bad Mac!". Conversations: "broken session with … detected". Dino: "INVALID_MESSAGE".
//!   Profanity: "cannot decrypt message key", "Message mac not verified". lurch: "failed to decrypt key (-1005)".
//!   Kaidan: "OMEMO envelope data is not valid". Monal: "Could not decrypt to obtain key". Converse: "Bad MAC".
//!   python-omemo: "Authentication tags do not match".
//! - Siskin and Beagle: "Message was not encrypted for this device", which is wrong.
//!
//! **Mistaken for.** Nearly everything: [receiver-rolled-back] (other contacts fail since the same time),
//! [message-key-evicted] (newer messages of the device decrypt), [sender-rolled-back], [ad-mismatch],
//! [simultaneous-initiation], [prekey-missing] in JavaScript clients. An earlier log, or the other side's store
//! (`--peer`, with a second device of your own), often turns this into one of them.
//!
//! **Mechanism.** Both sides' ratchets must agree byte by byte. They part when bytes were altered on the way, when
//! two programs used one store at once, when a save was lost in a crash, or through a bug. python-omemo keeps one
//! session per device: a late message of the one before fails. Profanity before 0.18 and Converse give the id of a
//! used prekey to a new key (`prekey-id-reused`).
//!
//! **What proves it.** The MAC does not verify in any state; what else was excluded is listed with the verdict. The
//! cause behind it is not proven: so the verdict says `proven` for `session-replaced` only. `altered` is `proven`,
//! too: its ratchet key, base key or identity key differs in a few bits from one that the device uses.
//!
//! **References.** XEP-0384, "Business Rules"; The Double Ratchet Algorithm, "Decrypting messages";
//! profanity-im/profanity#2137; iNPUTmice/Conversations#3076; dino/dino#1123; monal-im/Monal#537;
//! signalapp/Signal-iOS#1630.

use super::judgement::capital;
use super::recovery::Broken;
use super::{Cause, Judgement, Scene, altered, computed, in_stanza, nothing, remedies, rule};
use crate::analysis::number::number;
use crate::analysis::trial::{ExchangeFact, PrekeyFact, RatchetFact, ReplacedFact};
use crate::model::{ClientProfile, Code, Confidence, Evidence, PrekeyIds};

pub(super) const CAUSE: Cause =
    Cause { code: Code::MacMismatch, source: include_str!("mac_mismatch.rs"), judge, gather: nothing };

/// The certain case, decided before anything that an unknown chain could be mistaken for.
pub(super) const ALTERED: Cause = Cause { judge: altered::altered, ..CAUSE };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let trial = scene.trial()?;
    if trial.replaced == Some(ReplacedFact::InUse) {
        return Some(session_replaced(scene));
    }
    if scene.opened() {
        return None;
    }
    let Some(fact) = trial.ratchet.as_ref() else { return not_tried(scene) };
    let judgement = Judgement::new(
        Confidence::Likely,
        format!("The message from {} does not fit the session that your client has with it.", scene.sender()),
    );
    let judgement = match fact {
        RatchetFact::KnownChainBadMac => judgement
            .evidence(computed("chain and counter are known and give a key, but the MAC is wrong: the bytes were altered, or made in another session"))
            .open_question("Altered on the way or by the sender: another log of the same message (the sender's, the server's) would tell."),
        RatchetFact::NewChainBadMac { .. } if trial.exchange.as_ref().is_some_and(|e| !e.base_key_known) => first_message(scene, judgement, trial.exchange.as_ref()?),
        RatchetFact::NewChainBadMac { chains } => old_chain(scene, judgement)
            .evidence(computed(format!("the sender's ratchet key is new; a step with your client's current ratchet key gives a wrong MAC ({} known)", number(*chains, "chain"))))
            .open_question(OLDER_COPY)
            .all_open_questions(senders_state(scene)),
        RatchetFact::BeyondOneStep | RatchetFact::NoRatchetKey => {
            judgement.evidence(computed("the ratchet key is new and the session has no ratchet key of your client to go on with"))
                .open_question("Whether the client itself went on: a copy of the store taken later would tell.")
        }
        RatchetFact::Padding => judgement.detail("padding").evidence(computed("the MAC verifies but the padding is wrong: the sender made it so"))
            .open_question("Whether the sender's library pads wrongly: another message of the same client would tell."),
        RatchetFact::NoAssociatedData => judgement.evidence(computed("the Ed25519 form of an identity key is not known"))
            .open_question("Whether it verifies: the sender's bundle, or a device list with its key, would tell."),
        RatchetFact::Opened | RatchetFact::Used { .. } | RatchetFact::TooFarAhead { .. } => return None,
    };
    let replace = scene.client().and_then(|c| c.remedies.replace_session);
    let update = scene.client().filter(|_| judgement.detail == Some("prekey-id-reused")).and_then(update);
    Some(
        judgement
            .all_remedies(update.as_deref())
            .recovery(scene, Broken::DoesNotFit)
            .remedy(remedies::WRITE_BACK)
            .remedy(remedies::RESTART)
            .all_remedies(replace),
    )
}

/// What the ratchet keys that the client sent before would show.
const OLDER_COPY: &str = "Whether your store is an older copy (receiver-rolled-back): an earlier log with your own messages to this contact, or a copy of the store from before this message, would tell.";

fn senders_state(scene: &Scene<'_>) -> Option<&'static str> {
    scene.outcome.peer.is_none().then_some("Whether the sender's state is the wrong one: its store (--peer) would tell.")
}

/// Where the chains are full, the message may be of one that was dropped.
fn old_chain(scene: &Scene<'_>, judgement: Judgement) -> Judgement {
    let full = scene.outcome.peer.is_none() && scene.trial().is_some_and(|t| super::chain_age::may_be_dropped(scene, t));
    if !full {
        return judgement;
    }
    judgement.open_question("Whether it is an old message of a chain that was dropped (message-key-evicted, duplicate-message): an earlier log with this chain would tell.")
}

/// A late message of a session that the sender itself had given up for a new one.
fn session_replaced(scene: &Scene<'_>) -> Judgement {
    Judgement::new(
        Confidence::Proven,
        format!(
            "The message from {} belongs to its session before the present one, which {} no longer has.",
            scene.sender(),
            scene.client_name()
        ),
    )
    .detail("session-replaced")
    .evidence(computed("it opens with the session that a newer key exchange of the sender replaced"))
    .remedy("Nothing is wrong with the present session. Ask the sender to send the message again.")
}

/// The first message of a key exchange: the prekeys are there, and yet it does not open.
fn first_message(scene: &Scene<'_>, judgement: Judgement, exchange: &ExchangeFact) -> Judgement {
    let says = match exchange.prekey {
        PrekeyFact::NotNamed => "it names no one-time prekey, and the session made without one gives a wrong MAC",
        _ => "the prekeys that it names are held, but the session made from them gives a wrong MAC",
    };
    let sentence =
        format!("The message from {} begins a session, but does not fit the keys that your client has.", scene.sender());
    let judgement = Judgement { sentence: capital(&sentence), ..judgement }.evidence(computed(says));
    match reused(scene, exchange) {
        Some(evidence) => judgement.detail("prekey-id-reused").all_evidence(evidence).open_question(
            "Whether the message itself was altered: the bundle that the sender used (in its log, with this prekey) would tell.",
        ),
        None => judgement
            .open_question("Whether the prekey's id was given to a new key: a captured bundle of yours with this id would tell."),
    }
}

/// Whether the named prekey's id was published with another key than the one the store holds.
fn reused(scene: &Scene<'_>, exchange: &ExchangeFact) -> Option<Vec<Evidence>> {
    let id = exchange.prekey_id.filter(|_| exchange.prekey == PrekeyFact::Held)?;
    let own = scene.own()?;
    let account = scene.account()?;
    let held = account.prekeys.iter().find(|k| k.id == id)?;
    let bundle = scene.whole.published.bundle(own.jid.as_ref(), own.device_id?, scene.outcome.namespace()?);
    let other = bundle.filter(|b| b.prekeys.get(&id).is_some_and(|keys| keys.iter().any(|k| *k != held.pair.public)));
    let seen = other.map(|bundle| {
        let position = &bundle.last.position;
        let has = if scene.is_after(position) { "your bundle had" } else { "a later bundle of yours has" };
        in_stanza(position, format!("{has} another key under prekey id {id}"))
    });
    let name = account.client.name;
    let known = match account.client.prekey_ids {
        PrekeyIds::UsedOnce => None,
        PrekeyIds::Reused => Some(rule(name, format!("{name} gives the id of a used prekey to a new key"))),
        PrekeyIds::ReusedBefore(version) => {
            Some(rule(name, format!("{name} before {version} gives the id of a used prekey to a new key")))
        }
    };
    (seen.is_some() || known.is_some()).then(|| seen.into_iter().chain(known).collect())
}

/// A client that gives ids of used prekeys to new keys does it again.
fn update(client: &ClientProfile) -> Option<String> {
    let PrekeyIds::ReusedBefore(version) = client.prekey_ids else { return None };
    Some(format!("If {} on this device is older than {version}, update it: else this happens again and again.", client.name))
}

/// The key element could be read, but the store lacks what a try needs (our own identity key).
fn not_tried(scene: &Scene<'_>) -> Option<Judgement> {
    scene.outcome.key_fact()?;
    let place = scene.account()?.place.to_string();
    Some(
        Judgement::new(
            Confidence::Possible,
            format!("The message from {} could not be tried: the store lacks your own keys.", scene.sender()),
        )
        .detail("not-tried")
        .evidence(super::in_store(place, "your own identity key, or the session's state, is not there"))
        .open_question("Whether it decrypts: a complete copy of the store would tell."),
    )
}
