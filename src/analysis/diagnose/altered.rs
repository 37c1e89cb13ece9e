//! A message that was damaged on the way: a key that it carries is one of the sender's but for a few bits. Decided
//! before anything that an unknown key could be mistaken for.

use super::{Judgement, Scene, remedies};
use crate::analysis::book::damaged_bits;
use crate::model::Confidence;
use crate::omemo::IdentityKey;

/// What shows it: the kind of key, and in how many bits it differs.
struct Damage {
    key: &'static str,
    bits: u32,
}

/// The verdict on a damaged message.
pub(super) fn altered(scene: &Scene<'_>) -> Option<Judgement> {
    if scene.opened() {
        return None;
    }
    let Damage { key, bits } = ratchet_key(scene).or_else(|| base_key(scene)).or_else(|| identity_key(scene))?;
    let says = format!("its {key} key differs in {bits} of 256 bits from one that the device uses: no other key comes that near");
    Some(
        Judgement::new(Confidence::Proven, format!("The message from {} was damaged on the way.", scene.sender()))
            .detail("altered")
            .evidence(scene.stanza(says))
            .remedy(remedies::SEND_AGAIN),
    )
}

fn ratchet_key(scene: &Scene<'_>) -> Option<Damage> {
    let trial = scene.trial().filter(|trial| !trial.keys.knows_chain)?;
    let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let (theirs, key) = (&scene.whole.book.theirs, scene.outcome.key_fact()?.ratchet_key);
    // Where several messages bear the key, it is the store's that is damaged.
    let alone = theirs.messages_in(namespace, sid, &key) == 1;
    let kept = trial.newest_chain.filter(|_| alone).and_then(|chain| damaged_bits(key.as_bytes(), chain.as_bytes()));
    let bits = kept.or_else(|| theirs.damaged(namespace, sid, &key))?;
    Some(Damage { key: "ratchet", bits })
}

fn base_key(scene: &Scene<'_>) -> Option<Damage> {
    let (namespace, sid) = (scene.outcome.namespace()?, scene.outcome.element.sid()?);
    let bits = scene.whole.book.exchanges.damaged(namespace, sid, &scene.outcome.key_fact()?.base_key()?)?;
    Some(Damage { key: "base", bits })
}

fn identity_key(scene: &Scene<'_>) -> Option<Damage> {
    let exchange = scene.trial()?.exchange.as_ref()?;
    let bits = damaged_identity(&exchange.identity, &exchange.other_identity?)?;
    Some(Damage { key: "identity", bits })
}

/// In how many bits an identity key differs from another one that it must have been before it was damaged.
pub(super) fn damaged_identity(key: &IdentityKey, other: &IdentityKey) -> Option<u32> {
    let edwards = key.edwards().zip(other.edwards()).and_then(|(key, other)| damaged_bits(key, other));
    edwards.or_else(|| damaged_bits(key.curve().as_bytes(), other.curve().as_bytes()))
}
