//! # ok
//!
//! **What happened.** The message can be read, and your client would show it. Nothing is wrong (but see `opt-out`,
//! `client-failed` and `not-tried`). Nobody is to blame.
//!
//! **What to do.** Nothing. If your client does not show the message all the same, ask the sender to send it again.
//!
//! **What is lost.** Nothing.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line replaces the advice above.
//! - `opt-out`: the sender asks you to write without encryption from now on. Others could then read along. Ask the
//!   sender by phone or in person whether they want that, and write nothing until you have decided. You can encrypt
//!   again at any time.
//! - `not-tried`: omemoscope had no keys, so it could not test whether the message can be read. Give it a copy of
//!   the store with `--store`.
//! - `read-by-client`: omemoscope had no keys to test the message with, but your client's log says that it read it.
//!   Nothing is to be done.
//! - `client-failed`: your client could not read this message, but your copy of the store can. omemoscope can show
//!   the text (`omemoscope decrypt`, with the same store and log), so nothing is lost. If more messages of the sender
//!   fail, read: `omemoscope explain receiver-rolled-back`.
//! - `text-not-in-log`: the part for your device opens, but your log has left out the text. Look for the message in
//!   your client.
//! - `iv-16`: the sender's client is old, and newer versions of Monal cannot read what it sends. Ask the sender to
//!   update it. omemoscope can show the text.
//! - `tag-in-payload`: the sender's client is very old. Newer versions of Conversations and Profanity, and of
//!   programs with Smack, cannot read what it sends. Ask the sender to update it. omemoscope can show the text.
//!
//! ### For those who repair clients
//!
//! **How it shows.** As a message.
//!
//! **Mistaken for.** A message that the client never tried: Monal does not decrypt messages from the archive, and
//! poezio-omemo not those that arrive without an open tab. The message is then fine, and the client still does not show
//! it.
//!
//! **Mechanism.** The ratchet gave the key, and the text verified with it. Old packings that some clients refuse: an
//! IV of 16 bytes (`iv-16`), the tag behind the payload (`tag-in-payload`).
//!
//! **What proves it.** It opened. This proves that the sender's device had the session's keys, not who sits before it:
//! for that compare fingerprints.
//!
//! **References.** XEP-0384, "Receiving a message".

use super::{Cause, Gathering, Judgement, Scene, Whole, rule};
use crate::analysis::content::{Opened, Payload};
use crate::model::{Code, Confidence, Finding, MessageVerdict};
use crate::omemo::payload::{Dialect, TagPlace};

/// Length of the initialisation vector of old clients.
const OLD_IV_LENGTH: usize = 16;

pub(super) const CAUSE: Cause =
    Cause { code: Code::Ok, source: include_str!("ok.rs"), judge, gather: || Box::<OptOuts>::default() };

/// The detail of a message that asks for plaintext.
pub const OPT_OUT: &str = "opt-out";

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    if !scene.opened() && !scene.outcome.trials.is_empty() {
        return None;
    }
    if !scene.opened() {
        let sentence = format!("Nothing in the clear speaks against the message from {}.", scene.sender());
        return Some(
            Judgement::new(Confidence::Possible, sentence)
                .detail(MessageVerdict::NOT_TRIED)
                .open_question("Whether it decrypts: a copy of your client's store (--store) would tell."),
        );
    }
    let judgement = if opts_out(scene) {
        let sentence = format!(
            "The client of {} asks for messages without encryption from now on. Others could then read along.",
            scene.sender()
        );
        Judgement::new(Confidence::Proven, sentence)
            .detail(OPT_OUT)
            .evidence(rule(
                "XEP-0384, opt-out",
                "the client must send nothing until the user has agreed to go on without encryption",
            ))
            .remedy(WHAT_NOW)
    } else {
        Judgement::new(Confidence::Proven, format!("The message from {} decrypts.", scene.sender()))
    };
    let judgement = judgement.all_evidence(super::no_session::other_address(scene));
    if matches!(scene.outcome.payload.as_deref(), Some(Payload::LeftOut)) {
        let sentence = format!("The key that {} made for your device opens; the log has left out the text.", scene.sender());
        return Some(
            Judgement::new(Confidence::Likely, sentence)
                .detail("text-not-in-log")
                .open_question("Whether the text is whole: another log of the same message would tell."),
        );
    }
    if let Some((detail, says, refusal)) = old_packing(scene) {
        return Some(judgement.detail(detail).evidence(scene.stanza(says)).evidence(rule(scene.client_name(), refusal)));
    }
    Some(match scene.outcome.key_fact() {
        Some(key) if key.flag_contradicts => {
            judgement.evidence(rule("prekey/kex", "the attribute contradicts the bytes; this client reads it all the same"))
        }
        _ => judgement,
    })
}

/// The payload is packed in an old way that newer versions of this client refuse.
fn old_packing(scene: &Scene<'_>) -> Option<(&'static str, &'static str, &'static str)> {
    let refuses = scene.client()?.refuses;
    let Some(Payload::Opened(Opened { dialect: Some(Dialect::Legacy { tag, iv_length }), .. })) =
        scene.outcome.payload.as_deref()
    else {
        return None;
    };
    if refuses.long_iv && *iv_length == OLD_IV_LENGTH {
        let says = "the initialisation vector has 16 bytes, as old clients wrote it";
        return Some(("iv-16", says, "newer versions take only 12 bytes and show an error: then the sender should update"));
    }
    let behind = refuses.tag_in_payload && *tag == TagPlace::InPayload;
    behind.then_some((
        "tag-in-payload",
        "the authentication tag stands behind the text, as clients before 2018 sent it",
        "newer versions want it with the key and show an error: then the sender should update",
    ))
}

/// What an opt-out means for our client.
const WHAT_NOW: &str = "Ask the contact by phone or in person whether they want that, and write nothing until you have decided: your client must hold back every message until you agree to write without encryption. The sessions stay, so encryption can be taken up again at any time.";

fn opts_out(scene: &Scene<'_>) -> bool {
    matches!(scene.outcome.payload.as_deref(), Some(Payload::Opened(opened)) if opened.opt_out.is_some())
}

/// Opt-outs that are told one by one.
const MAX_OPT_OUTS: usize = 100;

/// Opt-outs: nothing is wrong with them, and yet somebody has to decide.
#[derive(Debug, Default)]
struct OptOuts(Vec<Finding>);

impl Gathering for OptOuts {
    fn note(&mut self, _scene: &Scene<'_>, verdict: &MessageVerdict) {
        if verdict.code != Code::Ok || verdict.detail != Some(OPT_OUT) {
            return;
        }
        if let Some(known) = self.0.iter_mut().find(|known| known.sentence == *verdict.sentence) {
            Finding::add_id(&mut known.stanza_ids, verdict.id.clone());
        } else if self.0.len() < MAX_OPT_OUTS {
            self.0.push(Finding {
                code: Code::Ok,
                detail: verdict.detail,
                confidence: verdict.confidence,
                sentence: verdict.sentence.to_string(),
                evidence: verdict.evidence.clone(),
                remedy: verdict.remedy.to_vec(),
                stanza_ids: verdict.id.iter().cloned().collect(),
            });
        }
    }

    fn findings(&self, _whole: &Whole<'_>) -> Vec<Finding> {
        self.0.clone()
    }
}
