//! For every cause a pair: the broken case is named, and its nearest neighbour is not. What the fixtures do
//! not hold is made here: messages whose bytes anybody can write, because what is tested stands in clear.

#![allow(clippy::unwrap_used)] // A test may panic.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Case, captured, diagnose};
use omemoscope::analysis::diagnose::explanation;
use omemoscope::analysis::investigation::Question;
use omemoscope::analysis::states::STATES;
use omemoscope::analysis::words;
use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{BareJid, Code, Confidence, Diagnosis, Finding, MessageVerdict};
use std::path::Path;

/// A cause, where it is named, and a neighbour where it is not.
const PAIRS: &[(Code, &str, &str)] = &[
    (Code::UnsupportedVersion, "gajim/unsupported-version-2", "gajim/variant-mismatch-omemo2-key-in-legacy"),
    (Code::MalformedStanza, "python-omemo/malformed-stanza-missing-sid", "python-omemo/malformed-message-truncated"),
    (Code::StoreCorrupt, "gajim/store-corrupt-session-blob", "python-omemo/no-session-deleted"),
    (Code::OwnMessage, "python-omemo/own-message-reflection", "gajim/device-id-collision-sender-has-our-id"),
    (Code::DeviceIdCollision, "gajim/device-id-collision-sender-has-our-id", "python-omemo/own-message-reflection"),
    (Code::DeviceIdCollision, "python-omemo/device-id-collision-two-identities", "python-omemo/identity-changed-same-device-id"),
    (Code::NotAddressed, "python-omemo/not-addressed-other-device", "python-omemo/wrong-recipient-jid-keys-group"),
    (Code::WrongRecipientJid, "python-omemo/wrong-recipient-jid-keys-group", "python-omemo/not-addressed-other-device"),
    (Code::VariantMismatch, "gajim/variant-mismatch-omemo2-key-in-legacy", "gajim/unsupported-version-2"),
    (Code::MalformedMessage, "python-omemo/malformed-message-truncated", "python-omemo/variant-mismatch-legacy-key-in-omemo2"),
    (Code::IdentityChanged, "python-omemo/identity-changed-same-device-id", "python-omemo/device-id-collision-two-identities"),
    (Code::UntrustedDevice, "gajim/untrusted-device-distrusted", "gajim/ok-repeated-prekey"),
    (Code::SimultaneousInitiation, "python-omemo/simultaneous-initiation-crossing", "gajim/simultaneous-initiation-in-order"),
    (Code::DuplicateMessage, "python-omemo/duplicate-message-replayed", "python-omemo/sender-rolled-back-both-captured"),
    (Code::SenderRolledBack, "python-omemo/sender-rolled-back-both-captured", "python-omemo/duplicate-message-replayed"),
    (Code::MessageKeyEvicted, "gajim/message-key-evicted-chain-dropped", "python-omemo/ok-old-chain-late"),
    (Code::TooManySkipped, "python-omemo/too-many-skipped-1001", "python-omemo/ok-out-of-order"),
    (Code::ReceiverRolledBack, "gajim/receiver-rolled-back-10", "python-omemo/ok-rolled-back-10-no-step"),
    (Code::SignedPrekeyMissing, "gajim/signed-prekey-missing-rotated", "python-omemo/prekey-missing-two-senders"),
    (Code::PrekeyMissing, "python-omemo/prekey-missing-two-senders", "gajim/signed-prekey-missing-rotated"),
    (Code::NoSession, "python-omemo/no-session-deleted", "gajim/store-corrupt-session-blob"),
    (Code::AdMismatch, "python-omemo/ad-mismatch-swapped", "python-omemo/mac-mismatch-flip-mac"),
    (Code::MacMismatch, "python-omemo/mac-mismatch-flip-mac", "python-omemo/ad-mismatch-swapped"),
    (Code::PayloadAuthFailed, "python-omemo/payload-auth-failed-flip", "python-omemo/mac-mismatch-flip-ciphertext"),
    (Code::EmptyMessage, "python-omemo/empty-message-key-exchange", "gajim/ok-repeated-prekey"),
    (Code::BundleSignatureInvalid, "gajim/bundle-signature-invalid-flipped", "gajim/ok-bundle-valid"),
    (Code::LabelSignatureInvalid, "python-omemo/label-signature-invalid-flipped", "python-omemo/ok-labels-valid"),
    (Code::Ok, "python-omemo/ok-out-of-order", "gajim/untrusted-device-distrusted"),
];

fn names(diagnosis: &Diagnosis, code: Code) -> bool {
    diagnosis.messages.iter().any(|m| m.code == code) || finds(diagnosis, code)
}

/// Findings that say that it does no harm are not meant.
fn finds(diagnosis: &Diagnosis, code: Code) -> bool {
    diagnosis.findings.iter().any(|f| f.code == code && f.detail != Some("harmless"))
}

#[test]
fn each_cause_is_named_and_its_neighbour_is_not_mistaken_for_it() {
    for (code, broken, neighbour) in PAIRS {
        let case = Case::named(broken);
        assert!(names(&case.diagnose(), *code), "{code} is not named in {broken}");
        // What came before the message in question may be fine in both.
        let other = Case::named(neighbour).diagnose();
        let last = other.messages.last().is_some_and(|m| m.code == *code);
        assert!(!last && !finds(&other, *code), "{code} is named in {neighbour}");
    }
    let covered = |code: &Code| PAIRS.iter().any(|(c, ..)| c == code) || *code == Code::BeyondSnapshot;
    assert!(Code::ALL.iter().all(covered), "a cause has no pair");
}

#[test]
fn the_same_evidence_is_a_snapshots_age_only_where_it_is_one() {
    let case = Case::named("gajim/receiver-rolled-back-10");
    assert!(!names(&case.diagnose(), Code::BeyondSnapshot));
    assert!(names(&case.diagnose_with(|q| q.snapshots_only = true), Code::BeyondSnapshot));
}

// ---- texts

const PARTS: [&str; 9] = [
    "**What happened.**",
    "**What to do.**",
    "**What is lost.**",
    "### For those who repair clients",
    "**How it shows.**",
    "**Mistaken for.**",
    "**Mechanism.**",
    "**What proves it.**",
    "**References.**",
];

#[test]
fn every_explanation_has_all_its_parts_in_order() {
    for code in Code::ALL {
        let text = explanation(*code);
        let places: Vec<Option<usize>> = PARTS.iter().map(|part| text.find(&format!("\n{part}"))).collect();
        assert!(places.iter().all(Option::is_some), "{code}: {PARTS:?} at {places:?}");
        assert!(places.is_sorted(), "{code}: the parts are out of order");
        // A reader who knows nothing of OMEMO stops here.
        let first = text.split("**What happened.**").nth(1).unwrap().split("\n\n").next().unwrap();
        assert!(first.matches(". ").count() + first.matches(".\n").count() >= 1, "{code}: one sentence is not enough: {first}");
    }
}

/// Words that leave open who is meant, or give the one repair another name.
const UNCLEAR: &[&str] = &["our", "ours", "we", "us", "here", "reset", "drop the session", "replace the session"];

/// A text without what it quotes: the words of clients, and names.
fn unquoted(text: &str) -> String {
    let outside = |text: &str, quote| text.split(quote).step_by(2).collect::<Vec<_>>().join("");
    outside(&outside(text, '`'), '"')
}

#[test]
fn every_explanation_speaks_to_its_reader() {
    let texts = Code::ALL.iter().map(|code| (code.as_str(), format!("{} {}", code.title(), explanation(*code))));
    let words = STATES.iter().map(|state| (state.word, format!("{} {}", state.title, state.says)));
    for (name, text) in texts.chain(words).chain([("words", words::explanation())]) {
        let plain = unquoted(&text).to_lowercase().replace(|c: char| !c.is_alphanumeric(), " ");
        let plain = format!(" {} ", plain.split_whitespace().collect::<Vec<_>>().join(" "));
        let found: Vec<_> = UNCLEAR.iter().filter(|word| plain.contains(&format!(" {word} "))).collect();
        assert!(found.is_empty(), "{name} says {found:?}");
    }
}

/// Words with hyphens in the sources of the causes that are no finer causes.
const OTHER_WORDS: &[&str] = &[
    "item-not-found",
    "not-authorized",
    "not-allowed",
    "closed-node",
    "presence-subscription-required",
    "not-in-roster-group",
    "precondition-not-met",
];

/// Every finer cause in a source, read from its text: a detail that no fixture reaches counts, too.
fn details(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let told = line.contains("detail(") || line.contains("detail: ") || line.contains("bad_label(");
        for (n, word) in line.split('"').enumerate().filter(|(n, _)| n % 2 == 1) {
            let kebab = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            let first = n == 1 || line.contains("then_some") || line.contains("bad_label(");
            if kebab && (word.contains('-') || told && first) && !OTHER_WORDS.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

#[test]
fn every_finer_cause_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/analysis");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut sources: Vec<(Code, String)> =
        Code::ALL.iter().map(|code| (*code, read(&format!("diagnose/{}.rs", code.as_str().replace('-', "_"))))).collect();
    sources.push((Code::NotAddressed, read("diagnose/not_addressed_reason.rs")));
    sources.push((Code::NotAddressed, read("published_faults.rs")));
    let mut total = 0;
    for (code, source) in &sources {
        let text = explanation(*code);
        for detail in details(source) {
            total += 1;
            assert!(text.contains(&format!("- `{detail}`: ")), "{code}/{detail} is not explained");
        }
    }
    assert!(total > 45, "only {total} finer causes were found");
}

#[test]
fn every_finer_cause_that_is_said_is_explained() {
    let mut told = std::collections::BTreeSet::new();
    for case in Case::all() {
        let found = case.diagnose();
        let said = found.messages.iter().map(|m| (m.code, m.detail)).chain(found.findings.iter().map(|f| (f.code, f.detail)));
        told.extend(said.filter_map(|(code, detail)| Some((code, detail?))));
    }
    for (code, detail) in &told {
        assert!(explanation(*code).contains(&format!("- `{detail}`: ")), "{code}/{detail} is not explained");
    }
    assert!(told.len() > 10, "{told:?}");
}

// ---- without a store

const OURS: u32 = 7;
const THEIRS: u32 = 9;

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).ok().filter(|l| *l < 128).unwrap();
    [&[number << 3 | 2, length], bytes].concat()
}

/// A ratchet message of OMEMO 2. `bytes` stands for its contents.
fn ratchet_message(counter: u8, bytes: u8) -> Vec<u8> {
    let inner = [vec![8, counter, 16, 0], field(3, &[5; 32]), field(4, &[bytes; 48])].concat();
    [field(1, &[bytes; 16]), field(2, &inner)].concat()
}

/// A key exchange of OMEMO 2 by the owner of an identity key.
fn key_exchange(identity: &[u8; 32], counter: u8, bytes: u8) -> Vec<u8> {
    [vec![8, 1, 16, 1], field(3, identity), field(4, &[6; 32]), field(5, &ratchet_message(counter, bytes))].concat()
}

fn message(id: &str, rid: u32, kex: bool, key: &[u8]) -> String {
    let kex = if kex { " kex='true'" } else { "" };
    format!(
        "<message xmlns='jabber:client' from='bob@example.org/a' to='alice@example.org/b' type='chat' id='{id}'>\
         <encrypted xmlns='urn:xmpp:omemo:2'><header sid='{THEIRS}'><keys jid='alice@example.org'><key rid='{rid}'{kex}>{}</key></keys>\
         </header><payload>AAAAAAAAAAAAAAAAAAAAAA==</payload></encrypted></message>\n",
        STANDARD.encode(key)
    )
}

fn ratchet(id: &str, counter: u8, bytes: u8) -> String {
    message(id, OURS, false, &ratchet_message(counter, bytes))
}

/// What a log alone shows, with our device id or without.
fn log_only(text: &str, device: Option<u32>) -> Diagnosis {
    let file = captured(text);
    diagnose(Question { account: BareJid::new("alice@example.org"), device, ..Question::default() }, file.path())
}

fn codes(found: &Diagnosis) -> Vec<(Code, Option<&'static str>)> {
    found.messages.iter().map(|m| (m.code, m.detail)).collect()
}

const UNTRIED: (Code, Option<&str>) = (Code::Ok, Some("not-tried"));

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

fn finding<'a>(found: &'a Diagnosis, detail: &str) -> Option<&'a Finding> {
    found.findings.iter().find(|f| f.detail == Some(detail))
}

/// Two branches that go on side by side are a clone; one that repeats and then goes on was restored.
#[test]
fn a_clone_is_told_from_a_restored_backup() {
    let sent = |counters: &[(u8, u8)]| {
        let lines = counters.iter().enumerate().map(|(n, (counter, bytes))| ratchet(&n.to_string(), *counter, *bytes));
        log_only(&lines.collect::<String>(), Some(OURS))
    };
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

// ---- lists and bundles

fn list(ids: &[u32]) -> String {
    list_items(ids, 1)
}

fn list_items(ids: &[u32], items: usize) -> String {
    let devices: String = ids.iter().map(|id| format!("<device id='{id}'/>")).collect();
    let item = format!("<item id='current'><devices xmlns='urn:xmpp:omemo:2'>{devices}</devices></item>").repeat(items);
    format!(
        "<message xmlns='jabber:client' from='alice@example.org' to='alice@example.org/b'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:omemo:2:devices'>{item}</items></event></message>\n"
    )
}

fn refused(node: &str, condition: &str) -> String {
    format!(
        "<iq xmlns='jabber:client' type='error' id='q' from='alice@example.org' to='bob@example.org/a'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub>\
         <error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>\n"
    )
}

/// A message with text for another device of ours.
fn for_another() -> String {
    message("x", 8, false, &ratchet_message(0, 1))
}

fn reason(text: &str) -> Option<&'static str> {
    let found = log_only(text, Some(OURS));
    let verdict: &MessageVerdict = found.messages.last().unwrap();
    assert_eq!(verdict.code, Code::NotAddressed);
    verdict.detail
}

#[test]
fn why_there_is_no_key_for_us() {
    assert_eq!(reason(&for_another()), None);
    assert_eq!(reason(&[list(&[8]), for_another()].concat()), Some("own-device-not-listed"));
    assert_eq!(reason(&[list(&[OURS, 8]), for_another()].concat()), Some("sender-untrusts-us"));
    assert_eq!(reason(&[list(&[OURS, 8]), list(&[OURS]), for_another()].concat()), Some("sender-has-old-list"));
    let silent = ratchet("y", 120, 1);
    assert_eq!(reason(&[list(&[OURS, 8]), silent, for_another()].concat()), Some("sender-considers-us-inactive"));
    let bundles = "urn:xmpp:omemo:2:bundles";
    assert_eq!(reason(&[refused(bundles, "item-not-found"), for_another()].concat()), Some("bundle-missing"));
    assert_eq!(reason(&[refused(bundles, "forbidden"), for_another()].concat()), Some("pep-access-denied"));
    assert_eq!(reason(&[refused(bundles, "remote-server-timeout"), for_another()].concat()), None);
}

#[test]
fn what_a_server_refused_is_told_and_a_contact_without_omemo_is_not() {
    let told = |node: &str, condition: &str| {
        let found = log_only(&refused(node, condition), Some(OURS));
        found.findings.first().and_then(|f| f.detail)
    };
    assert_eq!(told("eu.siacs.conversations.axolotl.bundles:12", "item-not-found"), Some("bundle-missing"));
    assert_eq!(told("eu.siacs.conversations.axolotl.devicelist", "forbidden"), Some("pep-access-denied"));
    assert_eq!(told("eu.siacs.conversations.axolotl.devicelist", "item-not-found"), None);
    let node = "urn:xmpp:omemo:2:devices";
    let later = log_only(&[refused(node, "forbidden"), list(&[OURS])].concat(), Some(OURS));
    assert!(finding(&later, "pep-access-denied").is_none(), "the list came after all: {:?}", later.findings);
}

#[test]
fn clients_that_fight_over_a_list_are_told_from_a_list_that_was_cleared() {
    let war: String = (0..5).flat_map(|_| [list(&[OURS, 8]), list(&[OURS])]).collect();
    assert!(finding(&log_only(&war, Some(OURS)), "device-list-war").is_some());
    let cleared = [list(&[OURS, 8]), list(&[OURS]), list(&[OURS, 8])].concat();
    assert!(finding(&log_only(&cleared, Some(OURS)), "device-list-war").is_none());
}

#[test]
fn a_list_that_shrank_is_told_as_possible_until_the_others_are_back() {
    let shrank = [list(&[OURS, 8]), list(&[OURS])].concat();
    let told = |text: &str| finding(&log_only(text, Some(OURS)), "device-list-clobbered").map(|f| f.confidence);
    assert_eq!(told(&shrank), Some(Confidence::Possible));
    assert_eq!(told(&[shrank, list(&[OURS, 8])].concat()), None);
    assert_eq!(told(&[list(&[8]), list(&[OURS])].concat()), None);
}

#[test]
fn an_id_that_no_device_may_have_is_told() {
    let told = |id| finding(&log_only(&list(&[OURS, id]), Some(OURS)), "id-out-of-range").is_some();
    assert!(told(0) && told(4_294_967_295));
    assert!(!told(2_147_483_647));
}

#[test]
fn the_fallback_text_tells_who_sent_what_cannot_be_read() {
    let told = |body: &str| {
        let stanza = message("a", OURS, false, &[255]).replace("<encrypted", &format!("<body>{body}</body><encrypted"));
        let found = log_only(&stanza, Some(OURS));
        found.messages[0].evidence.iter().any(|e| e.says.contains("Dino or Monal"))
    };
    assert!(told("[This message is OMEMO encrypted]"));
    assert!(!told("See you at eight"));
}

#[test]
fn a_list_in_several_items_is_told() {
    assert!(finding(&log_only(&list_items(&[OURS], 2), Some(OURS)), "devicelist-multi-item").is_some());
    assert!(finding(&log_only(&list(&[OURS]), Some(OURS)), "devicelist-multi-item").is_none());
}

// ---- what clients do with it

/// Conversations throws the whole stanza away; Gajim reads it.
#[test]
fn an_id_that_is_too_high_matters_only_to_clients_that_cannot_read_it() {
    let code = |name: &str, rid: u32| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores").join(name);
        let stores = vec![store::open(&path, &OpenOptions::default()).unwrap()];
        let to = stores[0].accounts[0].jid.clone().unwrap();
        let stanza = format!(
            "<message xmlns='jabber:client' from='bob@example.org/a' to='{to}' type='chat' id='h'>\
             <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='9'><key rid='{rid}'>AAAA</key>\
             <iv>AAAAAAAAAAAAAAAA</iv></header><payload>AAAA</payload></encrypted></message>\n"
        );
        let file = captured(&stanza);
        let found = diagnose(Question { stores, account: Some(to), ..Question::default() }, file.path());
        (found.messages[0].code, found.messages[0].detail)
    };
    assert_eq!(code("conversations/schema-31", 4_294_967_295), (Code::MalformedStanza, Some("id-too-high")));
    assert_eq!(code("conversations/schema-31", 2_147_483_647).0, Code::NotAddressed);
    assert_eq!(code("gajim/built-in", 4_294_967_295).0, Code::NotAddressed);
}

/// The words are Siskin's and Beagle's, too, for any failure: the key in the stanza speaks against them.
#[test]
fn a_client_that_denies_a_key_is_contradicted() {
    let log = |rid: u32| {
        format!(
            "2026-11-23 10:00:00.000  1  2 D conversations: [background stanza] {}2026-11-23 10:00:00.001  1  2 D conversations: \
             AxolotlService (alice@example.org): Message was not encrypted for this device\n",
            message("a", rid, false, &[255, 255])
        )
    };
    let file = captured(&log(OURS));
    let question = || Question { account: BareJid::new("alice@example.org"), device: Some(OURS), ..Question::default() };
    let found = diagnose(question(), file.path());
    let contradicted =
        |found: &Diagnosis| found.messages.iter().flat_map(|m| &m.evidence).any(|e| e.says.contains("That is not so"));
    assert!(contradicted(&found), "{:?}", found.messages);
    let file = captured(&log(8));
    assert!(!contradicted(&diagnose(question(), file.path())));
}
