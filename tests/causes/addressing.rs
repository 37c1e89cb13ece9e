//! Why a message has no key for us. A reason is named only where something shows it.

use crate::conversation::{ALICE, BOB, Conversation, client, device, our_bundle};
use crate::pairs::{Pair, pair};
use crate::stanzas::{OURS, THEIRS, list, log_only, message, ratchet, ratchet_message, refused};
use omemoscope::model::{Account, BareJid, Code, Confidence, Diagnosis, Trust, TrustLevel};
use omemoscope::omemo::Namespace;

const UNKNOWN: (Code, Option<&str>) = (Code::NotAddressed, None);
const BUNDLES: &str = "urn:xmpp:omemo:2:bundles";

pub const PAIRS: &[Pair] = &[
    pair(
        Code::NotAddressed,
        "own-device-not-listed",
        || log(&[list(&[8]), for_another()]),
        || log(&[list(&[OURS, 8]), for_another()]),
        UNKNOWN,
    ),
    // The list lost us only after the message; the finding tells of the list, but it was not the message's reason.
    pair(
        Code::NotAddressed,
        "sender-has-old-list",
        || log(&[list(&[OURS, 8]), list(&[OURS]), for_another()]),
        || log(&[list(&[OURS, 8]), for_another(), list(&[OURS])]),
        UNKNOWN,
    ),
    // The sender's store does not know this device of ours, or none.
    pair(
        Code::NotAddressed,
        "sender-has-old-list",
        || peer(|alice| alice.devices.push(device(BOB, 8, 8, Namespace::Omemo2))),
        || peer(|_| {}),
        UNKNOWN,
    ),
    // There had been a key for us before; without that nobody is said to distrust us.
    pair(
        Code::NotAddressed,
        "sender-untrusts-us",
        || log(&[list(&[OURS, 8]), ratchet("y", 3, 1), for_another()]),
        || log(&[list(&[OURS, 8]), for_another()]),
        UNKNOWN,
    ),
    pair(Code::NotAddressed, "sender-untrusts-us", || trusted(TrustLevel::Untrusted), || trusted(TrustLevel::Trusted), UNKNOWN),
    pair(
        Code::NotAddressed,
        "sender-considers-us-inactive",
        || log(&[list(&[OURS, 8]), ratchet("y", 120, 1), for_another()]),
        || log(&[list(&[OURS, 8]), ratchet("y", 20, 1), for_another()]),
        (Code::NotAddressed, Some("sender-untrusts-us")),
    ),
    // Silence that came later, and silence that an answer had ended.
    pair(
        Code::NotAddressed,
        "sender-considers-us-inactive",
        || log(&[ratchet("y", 120, 1), for_another()]),
        || log(&[for_another(), ratchet("y", 120, 1)]),
        UNKNOWN,
    ),
    pair(
        Code::NotAddressed,
        "sender-considers-us-inactive",
        || log(&[ratchet("y", 120, 1), for_another()]),
        || log(&[ratchet("y", 120, 1), in_new_chain("z", 2), for_another()]),
        UNKNOWN,
    ),
    pair(Code::NotAddressed, "sender-considers-us-inactive", || unanswered(400), || unanswered(399), UNKNOWN),
    pair(
        Code::NotAddressed,
        "bundle-missing",
        || log(&[refused(BUNDLES, "item-not-found"), for_another()]),
        || log(&[refused(BUNDLES, "remote-server-timeout"), for_another()]),
        UNKNOWN,
    ),
    pair(
        Code::NotAddressed,
        "pep-access-denied",
        || log(&[refused(BUNDLES, "forbidden"), for_another()]),
        || log(&[refused(BUNDLES, "remote-server-timeout"), for_another()]),
        UNKNOWN,
    ),
    // Nothing to sign with and nothing signed; the neighbour's bundle is whole.
    pair(
        Code::NotAddressed,
        "bundle-unusable",
        || log(&[our_bundle(Namespace::Omemo2, &[]), for_another()]),
        || log(&[crate::published::whole_bundle(BOB, OURS, false), for_another()]),
        UNKNOWN,
    ),
    pair(Code::NotAddressed, "our-id-changed", || old_id(2), || old_id(8), UNKNOWN),
    pair(Code::NotAddressed, "history-before-device", || archived("09:00"), || archived("11:00"), UNKNOWN),
];

fn log(stanzas: &[String]) -> Diagnosis {
    log_only(&stanzas.concat(), Some(OURS))
}

/// A message with text for another device of ours.
fn for_another() -> String {
    message("x", 8, false, &ratchet_message(0, 1))
}

/// A message to us in a chain that began after an answer.
fn in_new_chain(id: &str, counter: u8) -> String {
    let content: Vec<u8> = ratchet_message(counter, 1);
    // The ratchet key is the run of fives.
    let other = content.iter().map(|byte| if *byte == 5 { 6 } else { *byte }).collect::<Vec<_>>();
    message(id, OURS, false, &other)
}

/// What the sender's own store adds.
fn peer(change: impl Fn(&mut Account)) -> Diagnosis {
    let mut conversation = Conversation::new(client("Kaidan"), Namespace::Omemo2);
    let mut alice = Conversation::new(client("Smack"), Namespace::Omemo2).account;
    alice.jid = BareJid::new(ALICE);
    alice.own_device_id = Some(THEIRS);
    alice.devices.clear();
    change(&mut alice);
    conversation.peers.push(alice);
    conversation.heard(for_another()).diagnose()
}

fn trusted(level: TrustLevel) -> Diagnosis {
    peer(|alice| {
        let mut ours = device(BOB, OURS, 2, Namespace::Omemo2);
        ours.trust = Trust { word: "word".into(), level };
        alice.devices.push(ours);
    })
}

/// Smack gives a device up after 400 messages.
fn unanswered(count: u32) -> Diagnosis {
    peer(|alice| {
        let mut ours = device(BOB, OURS, 2, Namespace::Omemo2);
        ours.activity.unanswered = Some(count);
        alice.devices.push(ours);
    })
}

/// The sender writes to device 8, whose bundle has this identity key; ours is 2.
fn old_id(number: u8) -> Diagnosis {
    let mut conversation = Conversation::new(client("Kaidan"), Namespace::Omemo2);
    let key = |number| {
        use base64::Engine;
        let public = crate::simulation::identity(number).public;
        base64::engine::general_purpose::STANDARD.encode(public.edwards().unwrap())
    };
    let bundle = our_bundle(Namespace::Omemo2, &[]).replace("item id='7'", "item id='8'").replace(&key(2), &key(number));
    conversation.heard(bundle).heard(for_another()).diagnose()
}

/// Our device came to the list at 10:00; a message of that day comes from the archive.
fn archived(sent: &str) -> Diagnosis {
    let line = |time: &str, stanza: &str| format!("2026-11-23 {time}:00.000  1  2 D conversations: [background stanza] {stanza}");
    let inner = for_another();
    let message = format!(
        "<message xmlns='jabber:client' from='{BOB}' to='{BOB}/b'><result xmlns='urn:xmpp:mam:2' id='1'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-11-23T{sent}:00Z'/>{}</forwarded>\
         </result></message>\n",
        inner.trim_end()
    );
    log(&[line("08:00", &list(&[8])), line("10:00", &list(&[OURS, 8])), line("12:00", &message)])
}

fn last(found: &Diagnosis) -> (Option<&'static str>, Confidence, usize) {
    let verdict = found.messages.last().unwrap();
    (verdict.detail, verdict.confidence, verdict.open_questions.len())
}

/// The missing key is a fact; where nothing shows the reason, the verdict says what would.
#[test]
fn without_a_reason_the_open_question_is_told() {
    assert_eq!(last(&log(&[for_another()])), (None, Confidence::Proven, 1));
    assert_eq!(last(&trusted(TrustLevel::Undecided)).0, None);
}

/// Who had written to us before has a session, and needs no bundle of ours.
#[test]
fn a_missing_bundle_is_no_reason_for_who_has_a_session() {
    let found = log(&[ratchet("y", 3, 1), refused(BUNDLES, "item-not-found"), for_another()]);
    assert_eq!(last(&found).0, None);
}

/// A refusal, or a list, that came after the message is not its reason.
#[test]
fn what_came_later_is_no_reason() {
    assert_eq!(last(&log(&[for_another(), refused(BUNDLES, "item-not-found")])).0, None);
    assert_eq!(last(&log(&[for_another(), list(&[8])])).0, None);
    assert_eq!(last(&log(&[list(&[OURS, 8]), for_another(), list(&[8])])).0, None);
    // It was missing then, and is back now.
    let back = log(&[list(&[8]), for_another(), list(&[OURS, 8])]);
    assert_eq!(last(&back).0, Some("own-device-not-listed"));
    assert!(back.messages[0].remedy[0].starts_with("Nothing more"), "{:?}", back.messages[0].remedy);
}

/// The sender has our own id: then its client leaves out that id, and the collision is the reason.
#[test]
fn a_sender_with_our_own_id_is_a_collision() {
    let found = log(&[for_another().replace("sid='9'", "sid='7'")]);
    assert_eq!(found.messages[0].code, Code::DeviceIdCollision);
}

#[test]
fn the_log_of_another_device_of_ours_is_known() {
    let other = |n: u8| message(&format!("m{n}"), 8, false, &ratchet_message(n, n));
    let told = |log: &[String]| crate::stanzas::log_only(&log.concat(), Some(OURS)).summary.join(" ").contains("for device 8");
    assert!(told(&[other(1), other(2), other(3)]));
    assert!(!told(&[other(1), other(2)]), "two may be chance");
    assert!(!told(&[other(1), other(2), other(3), ratchet("x", 4, 4)]));
}
