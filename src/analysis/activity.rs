//! Active, inactive, stale or unknown, with the rule that says so.
//!
//! The specification's own rule is about heartbeats (XEP-0384 0.4 and later, "Business Rules": an empty message
//! from counter 53 on); when a device is given up is each client's own rule. Both are named in the reason.

use super::number::number;
use crate::model::{Account, Activity, ActivityState, Device};
use crate::omemo::ratchet::Session;

/// Counter from which the specification wants a heartbeat: one-sided for that long is worth a word.
pub const HEARTBEAT: u32 = 53;

/// What our sessions with a device say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Traffic {
    /// There is a session.
    session: bool,
    /// The device has answered in it.
    answered: bool,
    /// Messages we sent since its last answer.
    unanswered: u32,
    /// Messages it sent since our last answer.
    unanswered_by_us: u32,
}

/// Judges one device of an account.
pub fn judge(account: &Account, device: &Device) -> Activity {
    let traffic = traffic(account, device);
    let client = account.client.name;
    let unanswered = device.activity.unanswered.unwrap_or(traffic.unanswered);
    let mut reasons = vec![listed(device)];
    let over = account.client.unanswered_limit.filter(|limit| unanswered >= *limit);
    let state = if device.activity.listed == Some(false) {
        if traffic.session {
            reasons.push("a session with it is still kept".into());
        }
        ActivityState::Inactive
    } else if let Some(limit) = over {
        reasons.push(format!("has not answered {unanswered} messages; {client} stops encrypting for it at {limit}"));
        ActivityState::Stale
    } else if traffic.session && !traffic.answered && unanswered >= HEARTBEAT {
        reasons.push(format!("has never answered {unanswered} messages of ours"));
        ActivityState::Stale
    } else if device.activity.listed == Some(true) {
        ActivityState::Active
    } else {
        ActivityState::Unknown
    };
    if state != ActivityState::Stale {
        reasons.extend(silence(account, traffic, unanswered));
    }
    if traffic.unanswered_by_us >= HEARTBEAT {
        reasons.push(format!(
            "we have not answered {} messages of it; the specification wants an empty message from {HEARTBEAT} on",
            traffic.unanswered_by_us
        ));
    }
    if let Some(seen) = &device.activity.last_message {
        reasons.push(format!("last message {seen}"));
    }
    Activity { state, reason: reasons.join("; ") }
}

fn listed(device: &Device) -> String {
    let facts = &device.activity;
    match (facts.listed, &facts.last_listed, &facts.removed) {
        (Some(true), Some(when), _) => format!("on the device list of {when}"),
        (Some(true), None, _) => "on the last device list".into(),
        (Some(false), _, Some(when)) => format!("off the device list since {when}"),
        (Some(false), Some(when), None) => format!("off the device list, last on it {when}"),
        (Some(false), None, None) => "off the device list, or switched off by the client".into(),
        (None, Some(when), _) => format!("last on a device list {when}"),
        (None, None, _) => "the store does not keep the device list".into(),
    }
}

/// What there is to say of a device that is not (yet) given up.
fn silence(account: &Account, traffic: Traffic, unanswered: u32) -> Option<String> {
    let limit =
        account.client.unanswered_limit.map(|limit| format!("; {} stops at {limit}", account.client.name)).unwrap_or_default();
    match (traffic.session, traffic.answered, unanswered) {
        (false, ..) => Some("there is no session with it".into()),
        (true, false, 0) => Some("a session is prepared, nothing was sent yet".into()),
        (true, false, n) => Some(format!("has not answered our key exchange yet ({} sent{limit})", messages(n))),
        (true, true, n) if n > 0 => Some(format!("{} sent since its last answer{limit}", messages(n))),
        (true, true, _) => None,
    }
}

fn messages(count: u32) -> String {
    number(usize::try_from(count).unwrap_or(usize::MAX), "message")
}

fn traffic(account: &Account, device: &Device) -> Traffic {
    let sessions = account.sessions.iter().filter(|s| s.jid == device.jid && Some(s.device_id) == device.device_id);
    sessions.filter_map(|s| s.record.current.as_ref()).map(of_session).fold(Traffic::default(), |a, b| Traffic {
        session: true,
        answered: a.answered || b.answered,
        unanswered: a.unanswered.max(b.unanswered),
        unanswered_by_us: a.unanswered_by_us.max(b.unanswered_by_us),
    })
}

fn of_session(session: &Session) -> Traffic {
    let sent = session.sender_chain.as_ref().and_then(|c| c.chain_key.as_ref()).map_or(0, |k| k.index);
    let received = session.receiver_chains.last().and_then(|c| c.chain_key.as_ref()).map_or(0, |k| k.index);
    Traffic {
        session: true,
        answered: session.pending_prekey.is_none() && session.receiver_chains.iter().any(|c| c.index().is_none_or(|i| i > 0)),
        unanswered: sent,
        // Our sending chain begins anew with each answer: an unused one means that we have not answered.
        unanswered_by_us: if sent == 0 { received } else { 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ActivityFacts, BareJid, ClientProfile, Place, PrekeyIds, Refusals, Remedies, StoredSession, Trust, TrustRule, When,
    };
    use crate::omemo::ratchet::{ChainKey, Implementation, ReceiverChain, SenderChain, SessionRecord};
    use crate::omemo::{IdentityKey, KeyPair, Namespace, PrivateKey, PublicKey};
    use crate::secret::Secret;
    use std::path::Path;

    static CLIENT: ClientProfile = ClientProfile {
        name: "Client",
        namespaces: &[Namespace::Omemo2],
        implementation: Implementation::LibsignalC,
        trust_rule: TrustRule { refused: &[], marks: false, says: "" },
        believes_key_exchange_flag: true,
        accepts_changed_identity: false,
        prekey_ids: PrekeyIds::UsedOnce,
        shows_edwards: false,
        refuses: Refusals::NONE,
        signed_prekey_rotation: None,
        unanswered_limit: Some(106),
        heartbeat: None,
        healing: None,
        remedies: Remedies { replace_session: None, trust_device: None, reset: None },
    };

    fn chain(index: u32) -> ChainKey {
        ChainKey::new(index, Secret::new([1; 32]))
    }

    fn session(sent: u32, received: Option<u32>) -> Session {
        let key = PublicKey::new([9; 32]);
        let identity = IdentityKey::from_curve(key);
        let private = PrivateKey::from_bytes(&[7; 32]).expect("32 bytes");
        Session {
            namespace: Namespace::Omemo2,
            local_identity: identity,
            remote_identity: identity,
            root_key: None,
            sender_chain: Some(SenderChain { ratchet_key: KeyPair::from_private(private), chain_key: Some(chain(sent)) }),
            receiver_chains: received.map(|index| ReceiverChain::new(key, chain(index))).into_iter().collect(),
            previous_counter: 0,
            pending_prekey: None,
            base_key: None,
            initiator: Some(true),
            root_steps: None,
            stored_associated_data: None,
        }
    }

    fn judged(facts: ActivityFacts, state: Option<Session>) -> Activity {
        let place = Place::whole(&Path::new("store").into());
        let jid = BareJid::new("bob@example.org").expect("a JID");
        let device = Device {
            trust_place: None,
            jid: jid.clone(),
            device_id: Some(7),
            identity: None,
            trust: Trust::unknown(),
            activity: facts,
            label: None,
            namespaces: vec![],
            place: place.clone(),
        };
        let record =
            |current| SessionRecord { implementation: Implementation::LibsignalC, current: Some(current), archived: vec![] };
        let sessions = state
            .map(|s| StoredSession { jid, device_id: 7, namespace: Namespace::Omemo2, record: record(s), place: place.clone() })
            .into_iter()
            .collect();
        let account = Account {
            client: &CLIENT,
            version: String::new(),
            jid: None,
            own_device_id: Some(1),
            identity: None,
            devices: vec![],
            sessions,
            prekeys: vec![],
            signed_prekeys: vec![],
            highest_prekey_id: None,
            place,
            problems: vec![],
        };
        judge(&account, &device)
    }

    fn on_list() -> ActivityFacts {
        ActivityFacts { listed: Some(true), last_listed: When::from_unix_seconds(1_700_000_000), ..ActivityFacts::default() }
    }

    #[test]
    fn the_clients_limit_makes_a_listed_device_stale_and_one_message_less_does_not() {
        let stale = judged(on_list(), Some(session(106, Some(3))));
        assert_eq!(stale.state, ActivityState::Stale);
        assert!(
            stale.reason.contains("has not answered 106 messages; Client stops encrypting for it at 106"),
            "{}",
            stale.reason
        );
        let active = judged(on_list(), Some(session(105, Some(3))));
        assert_eq!(active.state, ActivityState::Active);
        assert!(active.reason.contains("105 messages sent since its last answer"), "{}", active.reason);
    }

    #[test]
    fn a_device_that_never_answered_is_stale_from_the_heartbeat_on() {
        assert_eq!(judged(on_list(), Some(session(HEARTBEAT, None))).state, ActivityState::Stale);
        assert_eq!(judged(on_list(), Some(session(HEARTBEAT - 1, None))).state, ActivityState::Active);
    }

    #[test]
    fn off_the_list_is_inactive_whatever_the_session_says() {
        let facts = ActivityFacts { listed: Some(false), ..ActivityFacts::default() };
        let judged = judged(facts, Some(session(0, Some(1))));
        assert_eq!(judged.state, ActivityState::Inactive);
        assert!(judged.reason.contains("a session with it is still kept"));
    }

    #[test]
    fn a_store_without_lists_says_unknown_but_tells_what_it_knows() {
        let judged = judged(ActivityFacts::default(), Some(session(0, Some(60))));
        assert_eq!(judged.state, ActivityState::Unknown);
        assert!(judged.reason.contains("we have not answered 60 messages of it"), "{}", judged.reason);
    }
}
