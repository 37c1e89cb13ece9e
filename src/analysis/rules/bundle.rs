//! Rules about bundles.

use super::known::{Known, MAX_KNOWN};
use super::{Breaches, EVERY, Rule, Seen, device_of, must, sent_by_us, should};
use crate::analysis::book::Sighting;
use crate::model::{Account, BareJid, CapturedBundle, CapturedMessage, Direction, When, Wrapper};
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::{Namespace, PublicKey, signature, wire};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Days after which a signed prekey is too old: the specification says a week to a month.
const OLDEST_SIGNED_PREKEY_DAYS: i64 = 31;

/// Used one-time prekeys that are remembered for each own device; a bundle holds about a hundred.
const MAX_USED: usize = 1_000;

const DEV_2: Rule = must("DEV-2", EVERY, "A new device takes an id that no other device of the account has.");
const BND_1: Rule = must("BND-1", EVERY, "A bundle has an identity key, a signed prekey and its valid signature.");
const BND_2: Rule = must("BND-2", EVERY, "A bundle has at least 25 one-time prekeys (20 in the legacy variant).");
const BND_3: Rule = must("BND-3", EVERY, "The ids of prekeys are numbers from 1 to 2^31-1, each there once.");
const BND_4: Rule = should("BND-4", EVERY, "The signed prekey is replaced every week to every month.");
const BND_5: Rule = should("BND-5", EVERY, "The signed prekey before the present one is kept for one more period.");
const BND_6: Rule = must("BND-6", EVERY, "A one-time prekey that was used is replaced in the bundle.");
/// No MUST: the copy of the store may be older than the bundle.
const BND_7: Rule = should("BND-7", EVERY, "What a bundle publishes is in the store of its device.");

pub(super) const RULES: &[&Rule] = &[&DEV_2, &BND_1, &BND_2, &BND_3, &BND_4, &BND_5, &BND_6, &BND_7];

type Device = (Option<BareJid>, u32, Namespace);

/// The newest bundle of a device.
#[derive(Debug)]
struct LastBundle {
    signed_prekey: Option<(u32, PublicKey)>,
    /// When the signed prekey was first seen.
    since: Option<When>,
    /// The signed prekey before it.
    before: Option<(u32, PublicKey)>,
    prekeys: BTreeMap<u32, PublicKey>,
    seen: Sighting,
}

/// What the checks remember.
#[derive(Debug, Default)]
pub(super) struct Checks {
    bundles: HashMap<Device, LastBundle>,
    used: HashMap<Device, BTreeMap<u32, PublicKey>>,
}

impl Checks {
    pub fn take(&mut self, captured: &CapturedBundle, known: &Known, breaches: &mut Breaches) {
        let bundle = &captured.bundle;
        let namespace = bundle.namespace;
        let owner = known.owner(captured.owner.as_ref(), captured.direction);
        let who = device_of(captured.device_id, owner.as_ref());
        let seen = Sighting { position: captured.position.clone(), id: captured.stanza_id.clone() };
        breaches.faults(&bundle.faults, namespace, &format!("the bundle of {who}"), &seen);
        if let (Some(identity), Some(key), Some(signed)) = (&bundle.identity_key, &bundle.signed_prekey, &bundle.signature)
            && !signature::verify_signed_prekey(namespace, identity, key, signed)
        {
            breaches.note(&BND_1, namespace, format!("the signature in the bundle of {who} does not verify"), &seen);
        }
        let Some(id) = captured.device_id else { return };
        if let (Some(before), Some(now)) = (known.identity(owner.as_ref(), id, namespace), &bundle.identity_key)
            && before.fingerprint() != now.fingerprint()
        {
            breaches.note(&DEV_2, namespace, format!("{who} publishes another identity key than it did before"), &seen);
        }
        let key = (owner, id, namespace);
        self.used_again(&key, captured, &who, &seen, breaches);
        self.remember(key, captured, &who, seen, breaches);
    }

    /// Our own client publishes a prekey although the capture shows that somebody used it.
    fn used_again(&self, key: &Device, captured: &CapturedBundle, who: &str, seen: &Sighting, breaches: &mut Breaches) {
        if captured.direction != Some(Direction::Outgoing) {
            return;
        }
        let Some(used) = self.used.get(key) else { return };
        for (id, public) in &captured.bundle.prekeys {
            if used.get(id) == Some(public) {
                let says = format!("{who} publishes prekey {id} again, which a key exchange has used");
                breaches.note(&BND_6, captured.bundle.namespace, says, seen);
            }
        }
    }

    fn remember(&mut self, key: Device, captured: &CapturedBundle, who: &str, seen: Sighting, breaches: &mut Breaches) {
        if self.bundles.len() >= MAX_KNOWN && !self.bundles.contains_key(&key) {
            return;
        }
        let bundle = &captured.bundle;
        let now = bundle.signed_prekey_id.zip(bundle.signed_prekey);
        let before = self.bundles.remove(&key);
        let same = before.as_ref().is_some_and(|b| b.signed_prekey == now);
        let since = before.as_ref().and_then(|b| b.since.clone()).filter(|_| same).or_else(|| captured.time.clone());
        if let (Some(first), Some(last)) =
            (since.as_ref().and_then(|w| w.instant), captured.time.as_ref().and_then(|w| w.instant))
        {
            let days = last.duration_since(first).as_hours() / 24;
            if same && days > OLDEST_SIGNED_PREKEY_DAYS {
                let says = format!("the signed prekey of {who} has been the same for more than {OLDEST_SIGNED_PREKEY_DAYS} days");
                breaches.note(&BND_4, bundle.namespace, says, &seen);
            }
        }
        let earlier = before.and_then(|b| if same { b.before } else { b.signed_prekey });
        let prekeys = bundle.prekeys.iter().copied().collect();
        self.bundles.insert(key, LastBundle { signed_prekey: now, since, before: earlier, prekeys, seen });
    }

    /// A key exchange that reached one of our own devices directly: it uses up a prekey.
    pub fn take_message(&mut self, message: &CapturedMessage, encrypted: &Encrypted, known: &Known) {
        if sent_by_us(message) || message.direction != Some(Direction::Incoming) || message.wrapper != Wrapper::Direct {
            return;
        }
        let account = known.account(message);
        let own = known.own_devices(account.as_ref(), encrypted.namespace);
        for key in encrypted.keys.iter().filter(|k| k.rid.is_some_and(|rid| own.contains(&rid))) {
            let Some(rid) = key.rid else { continue };
            let device = (account.clone(), rid, encrypted.namespace);
            let Ok(parsed) = wire::parse(encrypted.namespace, &key.content, key.flagged) else { continue };
            let Some(id) = parsed.content.key_exchange().and_then(|e| e.prekey_id) else { continue };
            let Some(public) = self.bundles.get(&device).and_then(|b| b.prekeys.get(&id)) else { continue };
            let used = self.used.entry(device).or_default();
            if used.len() < MAX_USED {
                used.insert(id, *public);
            }
        }
    }

    /// Published keys that the store of their own device lacks.
    pub fn finish(&self, accounts: &[Account], known: &Known, breaches: &mut Breaches) {
        for account in accounts {
            self.unrotated(account, breaches);
            for ((owner, id, namespace), bundle) in &self.bundles {
                let ours = account.own_device_id == Some(*id) && (account.jid.is_none() || account.jid == *owner);
                let same = known.identity(owner.as_ref(), *id, *namespace).zip(account.identity.as_ref());
                if ours && same.is_some_and(|(published, held)| published.fingerprint() == held.public.fingerprint()) {
                    against_store(account, *namespace, bundle, breaches);
                }
            }
        }
    }

    /// The newest signed prekey of the store was old already when its client wrote the capture's newest bundle.
    fn unrotated(&self, account: &Account, breaches: &mut Breaches) {
        let now = self.bundles.iter().filter(|((_, id, _), _)| Some(*id) == account.own_device_id);
        let Some(last) = now.filter_map(|(_, b)| b.since.as_ref()?.instant).max() else { return };
        let Some(newest) =
            account.signed_prekeys.iter().filter_map(|k| Some((k.created.as_ref()?.instant?, k))).max_by_key(|k| k.0)
        else {
            return;
        };
        let days = last.duration_since(newest.0).as_hours() / 24;
        if days > OLDEST_SIGNED_PREKEY_DAYS {
            let says = format!("our newest signed prekey (id {}) was {days} days old when it was published", newest.1.id);
            breaches.put(&BND_4, says, Seen::Store(newest.1.place.to_string()));
        }
    }
}

fn against_store(account: &Account, namespace: Namespace, bundle: &LastBundle, breaches: &mut Breaches) {
    let of = |namespaces: &[Namespace]| namespaces.is_empty() || namespaces.contains(&namespace);
    let signed: BTreeSet<PublicKey> =
        account.signed_prekeys.iter().filter(|k| of(&k.namespaces)).map(|k| k.pair.public).collect();
    let held: BTreeMap<u32, PublicKey> =
        account.prekeys.iter().filter(|k| of(&k.namespaces)).map(|k| (k.id, k.pair.public)).collect();
    if let Some((id, key)) = bundle.signed_prekey {
        if !signed.contains(&key) {
            let says = format!(
                "the store lacks the published signed prekey {id}: it is an older copy, or key exchanges that use the key will fail"
            );
            breaches.note(&BND_7, namespace, says, &bundle.seen);
        } else if let Some((id, key)) = bundle.before
            && !signed.contains(&key)
        {
            let says = format!("the store has dropped signed prekey {id}, which the present one has just replaced");
            breaches.note(&BND_5, namespace, says, &bundle.seen);
        }
    }
    // A key that is merely gone was used since; another one under its id cannot be explained that way.
    let differs = |(id, key): &(&u32, &PublicKey)| held.get(id).is_some_and(|held| held != *key);
    let different: Vec<String> = bundle.prekeys.iter().filter(differs).map(|(id, _)| id.to_string()).collect();
    if !different.is_empty() {
        let some = different.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let says = format!(
            "the store holds other keys than the published ones for {} of {} one-time prekeys ({some}): it is an older copy, or key exchanges that use them will fail",
            different.len(),
            bundle.prekeys.len()
        );
        breaches.note(&BND_7, namespace, says, &bundle.seen);
    }
}
