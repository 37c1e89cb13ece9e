//! # no-session
//!
//! **What happened.** The message continues a session that your client does not have. Your client lost or deleted
//! it, and the sender's client does not know that yet. This is probably nobody's fault.
//!
//! **What to do.**
//! - Send the sender any message from this device. Most clients then begin a new session. Conversations, Monal,
//!   Siskin, Beagle, Prose and Kaidan mostly begin one by themselves as soon as such a message comes.
//! - Then ask the sender to send the lost message again.
//! - If the sender's next message fails too, ask the sender to end and restart the session in their client
//!   (`omemoscope explain words` says how).
//!
//! **What is lost.** This message, and what the sender writes until the new session begins.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above.
//! - `jid-spelling`: your client has the session, but saved it under another spelling of the sender's address, for
//!   example with capital letters, and does not find it. Remove the sender from your contacts, and add them again in
//!   the spelling that the verdict gives. Then write to them. omemoscope can show the text.
//! - `lost-between-copies`: an earlier copy of the store has the session, and a later one does not. Your client lost
//!   it in between. Do as above.
//! - `one-way-session`: no message is lost by this. One device never answered, or its answers never arrive. The
//!   verdict names it. Its owner (you, if it is yours) writes something from it. If that does not help, they end and
//!   restart the session there, or take the device off their list.
//!
//! ### For those who repair clients
//!
//! **How it shows.** Nothing or the fallback text; everything from that device fails until somebody begins a new
//! session.
//! - Gajim: "No session for". Conversations: "broken session with … detected". Converse: "No record for". python-omemo:
//!   NoSession. Kaidan: "there is no session with sending device, new session is being built". lurch: "no session with
//!   the device exists, ignoring". Smack: "No raw session found for contact". libsignal: SG_ERR_NO_SESSION (-1008).
//!
//! **Mistaken for.** A key exchange without its attribute ([malformed-message]). A room that hides the sender
//! ([wrong-recipient-jid]). A store copy from before the session began ([beyond-snapshot]).
//!
//! **Mechanism.** The session was deleted or lost (device removed, database lost, cleanup), while the peer goes on with
//! it. A client that does not prepare addresses may also file a session under an address as somebody typed it, and look
//! for it under the one that the server writes.
//!
//! **What proves it.** No session for this address and device in the store, and the message is no key exchange. A copy
//! may be older than the session: so it is `proven` only where the client's own log says the same. For another
//! spelling: the message opens with the session of that row (the MAC tells), in which nothing was ever read. For
//! `one-way-session`: a key exchange with a counter of 53 or more.
//!
//! **References.** XEP-0384, "Building a session" and "Receiving a message"; conversejs/converse.js#3099;
//! ChatSecure/ChatSecure-iOS#633; omemo/gajim-omemo#98; gkdr/lurch#186.

use super::between_copies::Lost;
use super::recovery::Broken;
use super::{Cause, Gathering, Judgement, Scene, Whole, computed, in_stanza, in_store, remedies};
use crate::analysis::activity::HEARTBEAT;
use crate::analysis::spelling;
use crate::analysis::trial::{RatchetFact, SessionFact};
use crate::model::{BareJid, Code, Confidence, Evidence, Finding, MessageVerdict};
use std::collections::BTreeMap;

pub(super) const CAUSE: Cause =
    Cause { code: Code::NoSession, source: include_str!("no_session.rs"), judge, gather: || Box::<Sessions>::default() };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if let Some(judgement) = filed_elsewhere(scene).or_else(|| had_none(scene)) {
        return Some(judgement);
    }
    let trial = scene.trial()?;
    let missing = matches!(trial.session, SessionFact::Missing | SessionFact::Present { states: 0, .. });
    if scene.opened() || trial.exchange.is_some() || !missing {
        return None;
    }
    let account = scene.account()?;
    let denied = scene.client_said().any(|said| said.words.denies_session());
    let confidence = if denied { Confidence::Proven } else { Confidence::Likely };
    let later = (!denied).then_some(
        "Whether the session began after this copy of the store was made (beyond-snapshot): the client's own log, or a later copy, would tell.",
    );
    Some(
        Judgement::new(confidence, format!("{} has no session with {}.", account.client.name, scene.sender()))
            .evidence(scene.stanza("it is an ordinary message, not a key exchange"))
            .evidence(in_store(account.sessions_place(), format!("no session with {}", scene.sender())))
            .recovery(scene, Broken::Missing)
            .remedy(remedies::WRITE)
            .remedy(remedies::SENDER_RESTARTS)
            .all_open_questions(later),
    )
}

/// The copy has a session that does not fit, and the client says that it had none: the session was begun later.
fn had_none(scene: &Scene<'_>) -> Option<Judgement> {
    let trial = scene.trial()?;
    let unknown = matches!(trial.ratchet, Some(RatchetFact::NewChainBadMac { .. } | RatchetFact::BeyondOneStep));
    let said = scene.outcome.comments.failure().filter(|said| said.words.denies_session())?;
    let new_exchange = trial.exchange.as_ref().is_some_and(|exchange| !exchange.base_key_known);
    (unknown && !new_exchange && !scene.opened()).then(|| {
        Judgement::new(
            Confidence::Likely,
            format!("{} had no session with {} when this message came.", said.client, scene.sender()),
        )
        .evidence(computed("the session that this copy of the store has does not fit: it was begun later, or is another one"))
        .recovery(scene, Broken::Missing)
        .remedy(remedies::WRITE)
    })
}

/// The session lies under another spelling of the sender's address. A client that had read messages in it before
/// finds it all the same, unless it says itself that it has none.
fn filed_elsewhere(scene: &Scene<'_>) -> Option<Judgement> {
    let filed = scene.trial()?.filed.as_deref().filter(|_| scene.opened_by_store())?;
    let from = scene.outcome.header.from.as_ref()?;
    let difference = spelling::difference(&filed.address, from.as_str())?;
    let denied = scene.client_said().any(|said| said.words.denies_session());
    let lost = filed.unread && spelling::is_odd(&filed.address);
    if !denied && !lost {
        return None;
    }
    let client = scene.client_name();
    let judgement = Judgement::new(
        if denied { Confidence::Proven } else { Confidence::Likely },
        format!("{client} has the session with {} under another spelling of the address, and does not find it.", scene.sender()),
    )
    .detail("jid-spelling")
    .evidence(in_store(&filed.place, format!("the session is filed under \u{201c}{}\u{201d}: {difference}", filed.address)))
    .evidence(computed("the message opens with the session of that row, and with no other"))
    .all_evidence(filed.unread.then(|| in_store(&filed.place, "no message of theirs has ever been read in this session")))
    .recovery(scene, Broken::Missing)
    .remedy(format!("Remove this contact and add it again with the address {from}, in this spelling; then write to it."))
    .all_remedies(scene.client().and_then(|c| c.remedies.replace_session));
    Some(if denied {
        judgement
    } else {
        judgement
            .open_question(format!("Whether {client} looks for the session under that spelling, too: its own log would tell."))
    })
}

/// Evidence that a session lies under another address than the sender's, where that did no harm.
pub(super) fn other_address(scene: &Scene<'_>) -> Option<Evidence> {
    let filed = scene.trial()?.filed.as_deref().filter(|_| scene.opened_by_store())?;
    Some(in_store(&filed.place, format!("it opens with the session filed under \u{201c}{}\u{201d}", filed.address)))
}

/// The first sign of a session in which nobody answers.
#[derive(Debug)]
struct OneWay {
    order: usize,
    sentence: String,
    evidence: Evidence,
}

/// One-way sessions, and sessions that were lost between two copies.
#[derive(Debug, Default)]
struct Sessions {
    /// Devices whose key exchanges never end.
    one_way: BTreeMap<(Option<BareJid>, Option<u32>), OneWay>,
    lost: Lost,
}

impl Gathering for Sessions {
    fn note(&mut self, scene: &Scene<'_>, _verdict: &MessageVerdict) {
        self.lost.note(scene);
        let Some(key) = scene.outcome.key_fact().filter(|k| k.is_exchange() && k.counter >= HEARTBEAT) else { return };
        let device = (scene.outcome.header.from.clone(), scene.outcome.element.sid());
        self.one_way.entry(device).or_insert_with(|| {
            let effect = if scene.own().is_some_and(|o| o.device_id.is_some()) {
                "nothing that your client sent ever reached it"
            } else {
                "the receiving device never answered it"
            };
            let sentence = format!("{} still sends key exchanges after {} messages: {effect}.", scene.sender(), key.counter);
            let evidence = scene.stanza(format!("a key exchange with counter {}", key.counter));
            OneWay { order: scene.order, sentence, evidence }
        });
    }

    fn findings(&self, whole: &Whole<'_>) -> Vec<Finding> {
        let ours = whole.book.ours.sent().filter_map(|(_, rid, keys)| {
            let newest = keys.newest().filter(|k| k.base_key.is_some() && k.counter >= HEARTBEAT)?;
            let sentence = format!("Device {rid} never answered: your client still sends it key exchanges after {} messages. No message is lost by that.", newest.counter);
            Some((
                sentence,
                in_stanza(&newest.first.position, format!("the key exchange that is still repeated with counter {}", newest.counter)),
            ))
        });
        let mut theirs: Vec<_> = self.one_way.values().collect();
        theirs.sort_by_key(|sign| sign.order);
        let theirs = theirs.into_iter().map(|sign| (sign.sentence.clone(), sign.evidence.clone()));
        let one_way = ours.chain(theirs).map(|(sentence, evidence)| one_way_session(sentence, evidence));
        one_way.chain(self.lost.findings(whole)).collect()
    }
}

/// Key exchanges that never end, because no answer ever arrives.
fn one_way_session(sentence: String, evidence: Evidence) -> Finding {
    Finding {
        code: Code::NoSession,
        detail: Some("one-way-session"),
        confidence: Confidence::Likely,
        sentence,
        evidence: vec![evidence],
        remedy: vec!["Ask the owner of the silent device (you, if it is yours) to write something from it. If it stays so, they end and restart the session there, or take the device off their list.".into()],
        stanza_ids: Vec::new(),
    }
}
