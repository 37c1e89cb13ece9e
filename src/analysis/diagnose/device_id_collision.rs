//! # device-id-collision
//!
//! **What happened.** Two devices have the same device id, the number by which clients tell devices apart. So
//! messages of one are taken for messages of the other. It came about by chance, or because somebody copied a
//! client's files to a second machine. This is probably nobody's fault. The verdict names the devices.
//!
//! **What to do.**
//! - The owner of one of the two devices makes new OMEMO keys on it, best on the newer one. In this case that is the
//!   right remedy. The word behind the slash says who has to act.
//! - Read the waiting messages on that device first: those not yet read are lost. `omemoscope explain words` says
//!   how to make new keys.
//!
//! **What is lost.** On each device, the messages that went to the other one. Ask the senders for them again.
//!
//! **Fine causes.** If the verdict has one of these words behind the slash, its line says who does what.
//! - `id-clash-across-accounts`: a device of another account has the id of yours. Only one of you has to change.
//!   Make new OMEMO keys on this device; you need not ask the other one.
//! - `id-clash-same-account`: two devices of the sender have the same id. Ask the sender to make new OMEMO keys on
//!   one of them.
//! - `clone`: the same keys are in use twice: in a copied profile, or in two programs on one store. The owner (you,
//!   if it is your device) goes on with one and makes new OMEMO keys for the other. Then they end and restart the
//!   sessions with the affected contacts.
//! - `two-connections`: messages of one device come from two places in turn. Perhaps the profile runs twice: then do
//!   as for `clone`. If they are two devices with the same id, make new OMEMO keys on one of them.
//!
//! ### For those who repair clients
//!
//! **How it shows.**
//! - Gajim takes a message whose sender id equals its own for its own and drops it.
//! - Otherwise messages fail in turn, depending on which of the two wrote last, or "identity key changed" appears again
//!   and again.
//! - Converse: "Tried to decrypt on a sending chain" when a copy of your own profile writes.
//!
//! **Mistaken for.** [identity-changed]: there the old key never comes back. [sender-rolled-back]: there the old branch
//! never comes back. [own-message].
//!
//! **Mechanism.** Ids are random and unique only by luck; some clients draw them from a small range (Converse 0 to
//! 16383, Kaidan 1 to 16380). A cloned profile, phone or virtual machine gives two devices with one id and one identity
//! key. The legacy header has no address beside the ids, so ids of different accounts clash as well.
//!
//! **What proves it.** A foreign sender with this device's id; or one id used with two identity keys in turn, where
//! one comes back. For clones: a ratchet key and counter used twice, and then two branches, each of which goes on
//! exactly where it stood itself after the other one had written. Where that is seen once only, a backup that was
//! restored twice looks the same, and this says `likely`. `two-connections`: two full addresses send in turn, which
//! is no more than `possible`.
//!
//! **References.** XEP-0384, "Setup" and "Business Rules" (device ids); iNPUTmice/Conversations#3324; dino/dino#1353;
//! kriztan/blabber.im#129.

use super::{Cause, Judgement, Scene, Whole, altered, at_the_end, in_stanza};
use crate::analysis::branches::{Branches, Connections};
use crate::analysis::outcome::Origin;
use crate::model::{BareJid, Code, Confidence, Finding};

pub(super) const CAUSE: Cause =
    Cause { code: Code::DeviceIdCollision, source: include_str!("device_id_collision.rs"), judge, gather: || at_the_end(whole) };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let sid = outcome.element.sid()?;
    if outcome.origin == Origin::OurIdElsewhere {
        return Some(
            Judgement::new(Confidence::Proven, format!("{} has the same id as {}.", scene.sender(), scene.our_device()))
                .detail("id-clash-across-accounts")
                .evidence(scene.stanza(format!("the sender id {sid} is that of your device, but the sender is another account")))
                .remedy("Read your waiting messages on this device first: those not yet read are lost. Then make new OMEMO keys on this device; the other one need not do anything."),
        );
    }
    // One id, two identity keys, and one of them comes back.
    let identity = outcome.key_fact()?.identity()?;
    let uses = scene.whole.book.identities(outcome.namespace()?, outcome.header.from.as_ref(), sid);
    let (other, back) = match outcome.trial() {
        Some(trial) => {
            let known = trial.exchange.as_ref()?.other_identity?;
            let first = uses.iter().position(|u| u.identity == identity)?;
            (known, uses.get(first..)?.iter().find(|u| u.identity == known)?)
        }
        // Without a store: another key between two runs of one and the same.
        None => uses.windows(3).find(|w| w[0].identity == w[2].identity).map(|w| {
            let other = if w[0].identity == identity { w[1].identity } else { w[0].identity };
            (other, &w[2])
        })?,
    };
    // One that was damaged on the way is nobody's.
    if altered::damaged_identity(&identity, &other).is_some() {
        return None;
    }
    Some(
        Judgement::new(
            Confidence::Proven,
            format!("Two devices of the sender use the id {sid}, each with its own identity key."),
        )
        .detail("id-clash-same-account")
        .evidence(scene.stanza(format!("the identity key in this message is {}", identity.fingerprint().grouped())))
        .evidence(in_stanza(
            &back.first.position,
            format!("the other key is {}; afterwards one of them is in use again", other.fingerprint().grouped()),
        ))
        .remedy("Ask the sender to make new OMEMO keys on one of the two devices, best on the newer one."),
    )
}

/// Clones: one identity key, one id, two ratchets that both live on.
fn whole(whole: &Whole<'_>) -> Vec<Finding> {
    let own =
        whole.book.ours.branches().filter_map(|(_, rid, branches)| {
            clone_finding("Your own device", &format!(" (shown towards device {rid})"), branches)
        });
    // Each contact sees the same: the surest is enough.
    let own = own.reduce(|best, other| if other.confidence > best.confidence { other } else { best });
    let theirs = whole.hindsight.used_up.timeline.branches().filter_map(|(from, sid, branches)| {
        let who = format!("Device {sid} of {}", from.map_or_else(|| "the sender".into(), ToString::to_string));
        let finding = clone_finding(&who, "", branches)?;
        // Without a store nothing tells which of the messages are genuine.
        let unproven = whole.own.iter().all(|own| own.replays.is_empty());
        let confidence = if unproven { finding.confidence.min(Confidence::Likely) } else { finding.confidence };
        Some(Finding { confidence, ..finding })
    });
    let connections = whole.book.connections().filter_map(|(from, sid, connections)| two_connections(from, sid, connections));
    own.into_iter().chain(theirs).chain(connections).collect()
}

/// One device id that sends over two connections in turn: a device has one.
fn two_connections(from: &BareJid, sid: u32, connections: &Connections) -> Option<Finding> {
    let [.., earlier, again] = connections.returns() else { return None };
    Some(Finding {
        code: Code::DeviceIdCollision,
        detail: Some("two-connections"),
        confidence: Confidence::Possible,
        sentence: format!(
            "Device {sid} of {from} sends over two connections in turn: two programs or two machines may use its id."
        ),
        evidence: vec![
            in_stanza(earlier, "sent over one connection (full address), after another one had sent"),
            in_stanza(again, "sent over the other one again"),
        ],
        remedy: vec![
            "If two machines or programs do use one profile, its owner (you, if it is yours) runs it in one of them only.".into(),
            "If they are two installations that just have the same id, the owner makes new OMEMO keys on one of them.".into(),
        ],
        stanza_ids: again.id.iter().cloned().collect(),
    })
}

/// A device that went back once goes on from there. Only where each of two branches goes on exactly where it stood
/// itself, after the other one had written, do both live side by side.
fn clone_finding(who: &str, towards: &str, branches: &Branches) -> Option<Finding> {
    let confidence = branches.clone_confidence()?;
    let counter = branches.counter;
    let runs = if confidence == Confidence::Proven { "runs" } else { "seems to run" };
    let mut evidence = vec![
        in_stanza(&branches.first, format!("a ratchet key with counter {counter}")),
        in_stanza(&branches.second, "the same ratchet key and counter with other bytes: a second branch begins"),
    ];
    evidence.extend(branches.turns.iter().map(|turn| {
        let again = if turn.repeated { ", which was used before" } else { "" };
        in_stanza(&turn.at, format!("the other branch goes on where it stood, with counter {}{again}", turn.counter))
    }));
    Some(Finding {
        code: Code::DeviceIdCollision,
        detail: Some("clone"),
        confidence,
        sentence: format!("{who} {runs} twice{towards}: two copies of one profile, or two programs on one store, write in turn."),
        evidence,
        remedy: vec![
            "The owner of the device (you, if it is yours) runs the profile on one machine only, and in one program.".into(),
            "On the other machine they make new OMEMO keys; then they end and restart the sessions with the affected contacts."
                .into(),
        ],
        stanza_ids: branches
            .second
            .id
            .iter()
            .chain(branches.turns.iter().filter_map(|turn| turn.at.id.as_ref()))
            .cloned()
            .collect(),
    })
}
