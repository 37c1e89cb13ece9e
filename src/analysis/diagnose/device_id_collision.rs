//! # device-id-collision
//!
//! **What happened.** Two devices use the same device id, so messages of one are taken for messages of the other.
//! Chance or a copied profile did that; who must act, you or the sender, depends on whose devices they are, and the
//! verdict names them.
//!
//! **What to do.**
//! - A copied profile (`clone`): its owner runs it on one machine only, and makes new OMEMO keys on the other one.
//! - Two devices of one owner (`id-clash-same-account`): the owner makes new OMEMO keys on one of them, best on the
//!   newer one.
//! - Your device and somebody else's (`id-clash-across-accounts`): one of the two is enough. You can make new OMEMO
//!   keys on this device without asking.
//!
//! **What is lost.** On each device, the messages that went to the other one; ask for them again.
//!
//! **Fine causes.**
//! - `id-clash-across-accounts`: another account's device has the id of yours.
//! - `id-clash-same-account`: two installations of one account, each with its own identity key, share an id.
//! - `clone`: two copies of one profile, with one identity key, write in turn.
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
//! **What proves it.** A foreign sender with this device's id; or one id used with two identity keys in turn, where one
//! comes back. For clones: ratchet keys and counters used twice, in two branches (the chain goes on from one point in
//! two ways, and both stay in use); twice restoring a backup looks nearly the same, so this says `likely`.
//!
//! **References.** XEP-0384, "Setup" and "Business Rules" (device ids); iNPUTmice/Conversations#3324; dino/dino#1353;
//! kriztan/blabber.im#129.

use super::{Cause, Judgement, Scene, Sighting, Verdicts, Whole, in_stanza};
use crate::analysis::outcome::Origin;
use crate::model::{BareJid, Code, Confidence, Finding, Position};
use std::collections::BTreeMap;

pub(super) const CAUSE: Cause =
    Cause { code: Code::DeviceIdCollision, source: include_str!("device_id_collision.rs"), judge, whole };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let outcome = scene.outcome;
    let sid = outcome.element.sid()?;
    if outcome.origin == Origin::OurIdElsewhere {
        return Some(
            Judgement::new(Confidence::Proven, format!("{} has the same id as {}.", scene.sender(), scene.our_device()))
                .detail("id-clash-across-accounts")
                .evidence(scene.stanza(format!("the sender id {sid} is that of your device, but the sender is another account")))
                .remedy("One of the two is enough: make new OMEMO keys on this device, or ask the sender to make them on theirs; best on the newer one."),
        );
    }
    // One id, two identity keys, and one of them comes back.
    let identity = outcome.key_fact()?.identity()?;
    let uses = scene.whole.book.identities(outcome.namespace()?, outcome.header.from.as_ref(), sid);
    let (other, back) = match outcome.trials.first() {
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

/// A ratchet key and counter used twice: first here, then there.
type Reuse<'a> = (&'a Position, Sighting);

/// Clones: one identity key, one id, two ratchets that both live on.
fn whole(whole: &Whole<'_>, _verdicts: &Verdicts<'_>) -> Vec<Finding> {
    let mut theirs: BTreeMap<(Option<&BareJid>, u32), Vec<Reuse<'_>>> = BTreeMap::new();
    for scene in whole.scenes() {
        let outcome = scene.outcome;
        let (Some(seen), Some(sid)) = (outcome.seen_before.as_ref().filter(|s| !s.same_bytes), outcome.element.sid()) else {
            continue;
        };
        let here = Sighting { position: outcome.header.position.clone(), id: outcome.header.id.as_deref().map(Into::into) };
        theirs.entry((outcome.header.from.as_ref(), sid)).or_default().push((&seen.position, here));
    }
    let own: Vec<Reuse<'_>> = whole.book.own_reuses().iter().map(|r| (&r.first, r.second.clone())).collect();
    let own = std::iter::once(("Your own device".to_owned(), own));
    let theirs = theirs.into_iter().map(|((from, sid), reuses)| {
        (format!("Device {sid} of {}", from.map_or_else(|| "the sender".into(), ToString::to_string)), reuses)
    });
    own.chain(theirs).filter_map(|(who, reuses)| clone_finding(&who, &reuses)).collect()
}

/// A device that went back once repeats what came before that. Only where a counter was first used *after*
/// a repetition and then repeated in its turn do two branches live side by side.
fn clone_finding(who: &str, reuses: &[Reuse<'_>]) -> Option<Finding> {
    let (_, repeated) = reuses.first()?;
    let (first, second) =
        reuses.iter().find(|(first, _)| first.file == repeated.position.file && first.line > repeated.position.line)?;
    Some(Finding {
        code: Code::DeviceIdCollision,
        detail: Some("clone"),
        confidence: Confidence::Likely,
        sentence: format!("{who} seems to run twice: two copies of one profile, each with its own ratchet, write in turn."),
        evidence: vec![
            in_stanza(repeated, "a ratchet key and counter used a second time"),
            in_stanza(*first, "afterwards a counter used for the first time"),
            in_stanza(second, "the same counter again, with other bytes: two branches go on side by side"),
        ],
        remedy: vec![
            "The owner of the device (you, if it is yours) runs the profile on one machine only.".into(),
            "On the other machine they make new OMEMO keys; then they end and restart the sessions with the affected contacts."
                .into(),
        ],
        stanza_ids: reuses.iter().filter_map(|(_, s)| s.id.clone()).collect(),
    })
}
