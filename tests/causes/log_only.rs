//! What a log alone tells, without a store.

use crate::codes::names;
use crate::common::Case;
use crate::conversation::{Conversation, client};
use crate::pairs::{Pair, pair};
use crate::stanzas::*;
use omemoscope::model::{Code, Confidence, Diagnosis};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    pair(
        Code::Ok,
        "not-tried",
        || ours(&ratchet("a", 0, 1)),
        || Conversation::begun(client("Dino"), Namespace::Legacy).says("a", 1).diagnose(),
        (Code::EmptyMessage, None),
    ),
    // A document type is never expanded; a character reference is just a character.
    pair(
        Code::MalformedStanza,
        "dtd",
        || ours(&ratchet("a", 0, 1).replace("<encrypted", "<!DOCTYPE x [<!ENTITY e 'x'>]><body>&e;</body><encrypted")),
        || ours(&ratchet("a", 0, 1).replace("<encrypted", "<body>&#x41;&amp;</body><encrypted")),
        UNTRIED,
    ),
    pair(
        Code::MalformedStanza,
        "cut-off",
        || ours(ratchet("a", 0, 1).split("<payload>").next().unwrap()),
        || ours(&ratchet("a", 0, 1).replace("</payload>", "</pay>")),
        (Code::MalformedStanza, None),
    ),
    pair(
        Code::MalformedMessage,
        "kex-flag",
        || ours(&message("a", OURS, false, &key_exchange(&[9; 32], 0, 1))),
        || ours(&message("a", OURS, true, &key_exchange(&[9; 32], 0, 1))),
        UNTRIED,
    ),
    pair(
        Code::NoSession,
        "one-way-session",
        || ours(&message("a", OURS, true, &key_exchange(&[9; 32], 60, 1))),
        || ours(&message("a", OURS, true, &key_exchange(&[9; 32], 20, 1))),
        UNTRIED,
    ),
    // Many messages in a row, but we had answered: no key exchange is repeated.
    pair(
        Code::NoSession,
        "one-way-session",
        || ours(&message("a", OURS, true, &key_exchange(&[9; 32], 60, 1))),
        || ours(&ratchet("a", 60, 1)),
        UNTRIED,
    ),
    pair(
        Code::DeviceIdCollision,
        "clone",
        || sent(&[(0, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 2)]),
        || sent(&[(0, 1), (1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (4, 2)]),
        UNTRIED,
    ),
    // One key with two contents, and one message that comes by two ways.
    pair(
        Code::ReceiverRolledBack,
        "own-state-reused",
        || ours(&[by_us("a", 3, 1), by_us("b", 3, 2)].concat()),
        || ours(&[by_us("a", 3, 1), by_us("a", 3, 1)].concat()),
        (Code::OwnMessage, None),
    ),
];

/// Told from our device's point of view.
fn ours(text: &str) -> Diagnosis {
    log_only(text, Some(OURS))
}

/// Messages of one chain: counter and contents.
fn sent(counters: &[(u8, u8)]) -> Diagnosis {
    let lines = counters.iter().enumerate().map(|(n, (counter, bytes))| ratchet(&n.to_string(), *counter, *bytes));
    ours(&lines.collect::<String>())
}

/// A message that our own device sent to Alice's.
fn by_us(id: &str, counter: u8, bytes: u8) -> String {
    message(id, THEIRS, false, &ratchet_message(counter, bytes))
        .replace("from='alice@example.org/a' to='bob@example.org/b'", "from='bob@example.org/b' to='alice@example.org'")
        .replace("sid='9'", "sid='7'")
        .replace("keys jid='bob@", "keys jid='alice@")
}

#[test]
fn a_log_alone_tells_second_copies_from_used_keys() {
    for device in [Some(OURS), None] {
        let copies = log_only(&[ratchet("a", 0, 1), ratchet("b", 1, 2), ratchet("a", 0, 1)].concat(), device);
        assert_eq!(codes(&copies), [UNTRIED, UNTRIED, (Code::DuplicateMessage, None)], "{device:?}");

        let reused = log_only(&[ratchet("a", 0, 1), ratchet("b", 0, 2)].concat(), device);
        assert_eq!(codes(&reused), [UNTRIED, (Code::SenderRolledBack, None)], "{device:?}");
        let verdict = &reused.messages[1];
        assert!(verdict.confidence < Confidence::Proven && !verdict.open_questions.is_empty(), "{verdict:?}");

        // The same stanza with other bytes was altered on the way: no reason to blame the sender's store.
        let altered = log_only(&[ratchet("a", 0, 1), ratchet("a", 0, 2)].concat(), device);
        assert_eq!(codes(&altered), [UNTRIED, UNTRIED], "{device:?}");
    }
}

/// Two branches that go on side by side are a clone; one that repeats and then goes on was restored.
#[test]
fn a_clone_is_told_from_a_restored_backup() {
    let clone = sent(&[(0, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 2)]);
    assert_eq!(finding(&clone, "clone").map(|f| (f.code, f.confidence)), Some((Code::DeviceIdCollision, Confidence::Likely)));
    let restored = sent(&[(0, 1), (1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (4, 2)]);
    assert!(finding(&restored, "clone").is_none(), "{:?}", restored.findings);
    assert!(names(&restored, Code::SenderRolledBack));
}

#[test]
fn a_log_alone_shows_two_identity_keys_of_one_device() {
    // Two Ed25519 keys: those of the test vectors 1 and 2 in RFC 8032.
    let key = |hex: &str| -> [u8; 32] { std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()) };
    let one = key("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let two = key("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let sent = |keys: &[&[u8; 32]]| {
        let lines = (0u8..).zip(keys).map(|(n, key)| message(&n.to_string(), OURS, true, &key_exchange(key, n, n)));
        log_only(&lines.collect::<String>(), Some(OURS))
    };
    assert_eq!(codes(&sent(&[&one, &one])), [UNTRIED, UNTRIED]);
    assert_eq!(codes(&sent(&[&one, &two])), [UNTRIED, (Code::IdentityChanged, None)]);
    let clash = (Code::DeviceIdCollision, Some("id-clash-same-account"));
    assert_eq!(codes(&sent(&[&one, &two, &one])), [clash, clash, clash]);
}

#[test]
fn key_exchanges_without_end_are_told_from_a_few() {
    let key = [9; 32];
    let exchange = |counter| log_only(&message("a", OURS, true, &key_exchange(&key, counter, 1)), Some(OURS));
    assert!(finding(&exchange(60), "one-way-session").is_some());
    assert!(finding(&exchange(20), "one-way-session").is_none());
}

#[test]
fn a_wrong_flag_and_garbage_are_told_apart_without_a_store() {
    for device in [Some(OURS), None] {
        let wrong = log_only(&message("a", OURS, false, &key_exchange(&[9; 32], 0, 1)), device);
        assert_eq!(codes(&wrong), [(Code::MalformedMessage, Some("kex-flag"))], "{device:?}");
        let garbage = log_only(&message("a", OURS, false, &[255, 255, 255]), device);
        assert_eq!(codes(&garbage), [(Code::MalformedMessage, Some("protobuf"))], "{device:?}");
        let right = log_only(&message("a", OURS, true, &key_exchange(&[9; 32], 0, 1)), device);
        assert_eq!(codes(&right), [UNTRIED], "{device:?}");
    }
}

/// Without a store nothing healthy is accused, and what is not certain says what would settle it.
#[test]
fn without_a_store_nothing_healthy_is_accused() {
    let (mut untried, mut open) = (0, 0);
    for case in Case::all() {
        let own = case.diagnose_with(|_| {}).messages.iter().find_map(|m| m.to_device);
        let found = case.diagnose_with(|q| {
            q.stores.clear();
            q.peers.clear();
            q.device = own;
        });
        if case.name().starts_with("ok-") {
            let accused: Vec<_> = found.messages.iter().filter(|m| !m.code.is_harmless()).collect();
            assert!(accused.is_empty(), "{}: {accused:?}", case.name());
        }
        for message in &found.messages {
            untried += usize::from((message.code, message.detail) == UNTRIED);
            if message.confidence < Confidence::Proven {
                open += 1;
                assert!(!message.open_questions.is_empty(), "{}: {message:?}", case.name());
            }
        }
    }
    assert!(untried > 50 && open >= untried, "{untried} {open}");
}

/// A log that does not say who sent what has no `from` in what the client sent itself.
#[test]
fn what_does_not_say_where_it_is_from_is_no_stranger_with_our_id() {
    let own = ratchet("a", 0, 1)
        .replace("from='alice@example.org/a' ", "")
        .replace(&format!("sid='{THEIRS}'"), &format!("sid='{OURS}'"));
    let stranger = own.replace("to='bob@example.org/b'", "from='carol@example.org/c' to='bob@example.org/b'");
    assert_eq!(codes(&log_only(&own, Some(OURS))), [(Code::OwnMessage, None)]);
    assert_eq!(codes(&log_only(&stranger, Some(OURS))), [(Code::DeviceIdCollision, Some("id-clash-across-accounts"))]);
}

/// The first message that a client sends shows which device is ours, for what came before it, too.
#[test]
fn what_came_before_our_own_device_was_known_is_judged_with_it() {
    let at = "2026-11-23T03:03:15.527102Z: ";
    let received = |id: &str, rid: u32, counter: u8| {
        format!("{at}xmpp: DBG: RECV: {}", message(id, rid, false, &ratchet_message(counter, counter)))
    };
    let own = message("o", THEIRS, false, &ratchet_message(0, 2)).replace(&format!("sid='{THEIRS}'"), &format!("sid='{OURS}'"));
    let own =
        own.replace("from='alice@example.org/a' to='bob@example.org/b'", "from='bob@example.org/b' to='alice@example.org/a'");
    let sent = format!("{at}conn: DBG: SENT: {own}");
    let before = [received("a", 5, 1), received("b", OURS, 2)].concat();
    assert_eq!(codes(&log_only(&before, None)), [UNTRIED, UNTRIED]);
    let told = [(Code::NotAddressed, None), UNTRIED, (Code::OwnMessage, None)];
    assert_eq!(codes(&log_only(&(before + &sent), None)), told);
}
