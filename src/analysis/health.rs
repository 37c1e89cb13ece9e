//! What looks wrong with an account's own keys, before any message is looked at.

use super::number::number;
use crate::model::{Account, When};
use jiff::{SignedDuration, Timestamp};

/// A bundle with fewer prekeys is not valid (XEP-0384 0.9.1, "Key Exchange": at least 25).
pub const FEWEST_PREKEYS_OMEMO: usize = 25;

/// The older variant only asks for "at least 20" (XEP-0384 0.3.0, "Bundles").
pub const FEWEST_PREKEYS_LEGACY: usize = 20;

/// One sentence for each thing that looks wrong. Time is measured by the newest moment in the store
/// itself, not by a clock: a copy may lie in a drawer for years.
pub fn suspicions(account: &Account) -> Vec<String> {
    let mut out = Vec::new();
    match &account.identity {
        None => out.push("there is no identity key of our own, so nothing can be decrypted".into()),
        Some(identity) if !identity.is_consistent() => {
            out.push("the private identity key does not belong to the public one: every signature and new session fails".into());
        }
        Some(_) => {}
    }
    if account.own_device_id.is_none() {
        out.push("there is no device id of our own".into());
    }
    prekeys(account, &mut out);
    signed_prekeys(account, &mut out);
    let foreign = account.identity.as_ref().map_or(0, |own| {
        account.sessions.iter().filter(|s| s.record.current.as_ref().is_some_and(|c| c.local_identity != own.public)).count()
    });
    if foreign > 0 {
        out.push(format!("{foreign} of {} sessions were made with another identity key of ours", account.sessions.len()));
    }
    out
}

fn prekeys(account: &Account, out: &mut Vec<String>) {
    let broken = account.prekeys.iter().filter(|p| !p.pair.is_consistent()).count();
    if broken > 0 {
        out.push(format!("{} with halves that do not belong together", number(broken, "prekey")));
    }
    let fewest =
        if account.client.namespaces.iter().any(|n| !n.is_legacy()) { FEWEST_PREKEYS_OMEMO } else { FEWEST_PREKEYS_LEGACY };
    match account.prekeys.len() {
        0 => out.push("no prekey is left: new sessions with this device lose their one-time protection or fail".into()),
        n if n < fewest => {
            out.push(format!("only {} left (the specification wants at least {fewest} published)", number(n, "prekey")));
        }
        _ => {}
    }
}

fn signed_prekeys(account: &Account, out: &mut Vec<String>) {
    if account.signed_prekeys.is_empty() {
        out.push("there is no signed prekey: nobody can begin a session with this device".into());
    }
    for signed in account.signed_prekeys.iter().filter(|s| !s.pair.is_consistent()) {
        out.push(format!("signed prekey {} has halves that do not belong together", signed.id));
    }
    let newest = account.signed_prekeys.iter().filter_map(|s| s.created.as_ref()?.instant).max();
    if let (Some(rule), Some(newest), Some(now)) = (account.client.signed_prekey_rotation, newest, newest_moment(account)) {
        let age = now.duration_since(newest);
        let days = age.as_hours() / 24;
        if age > SignedDuration::from_hours(24 * i64::from(rule.days)) {
            out.push(format!(
                "the newest signed prekey was {days} days old; {} makes a new one after {}",
                account.client.name, rule.days
            ));
        }
    }
}

/// The newest moment that the account's rows tell.
pub fn newest_moment(account: &Account) -> Option<Timestamp> {
    let instant = |w: &Option<When>| w.as_ref().and_then(|w| w.instant);
    let devices = account.devices.iter().flat_map(|d| [instant(&d.activity.last_listed), instant(&d.activity.last_message)]);
    devices.chain(account.signed_prekeys.iter().map(|s| instant(&s.created))).flatten().max()
}
