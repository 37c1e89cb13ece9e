//! What the client itself said decides where nothing else is known: without a store, and of messages that no capture
//! holds.

use crate::common::{captured, diagnose};
use crate::conversation::{Conversation, client, key_element};
use crate::pairs::{Pair, pair};
use crate::payloads::sealed;
use crate::stanzas::*;
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{BareJid, Code, Confidence, Diagnosis, Fate};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    // A copy of the store opens the message either way.
    pair(Code::Ok, "client-failed", || with_copy(&[FAILED, BAD_MAC]), || with_copy(&[OPENED]), (Code::Ok, None)),
    pair(Code::Ok, "read-by-client", || without_store(&[OPENED]), || without_store(&[]), UNTRIED),
    pair(
        Code::DuplicateMessage,
        "read-before-the-copy",
        || with_newer_copy(&[OPENED]),
        || with_newer_copy(&[]),
        (Code::DuplicateMessage, Some("before-the-copy")),
    ),
];

const OPENED: &str = "AxolotlService (bob@example.org):  Received Message with session fingerprint: 05f067d0";
const FAILED: &str = "AxolotlService (bob@example.org): Failed to decrypt message from alice@example.org";
const BAD_MAC: &str = "Caused by: org.whispersystems.libsignal.InvalidMessageException: Bad Mac!";
const USED: &str = "Caused by: org.whispersystems.libsignal.DuplicateMessageException: Received message with old counter: 9, 6";

/// A line of Android's log.
fn line(text: &str) -> String {
    format!("10-05 09:14:01.000  5211  5230 W conversations: {text}\n")
}

/// What Conversations says of a stanza.
fn logged(stanza: &str, lines: &[&str]) -> String {
    let stanza = line(&format!("{BACKGROUND}{}", stanza.trim_end()));
    stanza + &lines.iter().map(|text| line(text)).collect::<String>()
}

fn without_store(lines: &[&str]) -> Diagnosis {
    log_only(&logged(&ratchet("a", 0, 1), lines), Some(OURS))
}

fn with_copy(lines: &[&str]) -> Diagnosis {
    let mut conversation = Conversation::begun(client("Conversations"), Namespace::Legacy);
    let (material, payload) = sealed();
    let key = key_element(OURS, "", &conversation.alice.wire(1, &material));
    let (iv, payload) = ("<iv>BQUFBQUFBQUFBQUF</iv>", format!("<payload>{payload}</payload>"));
    let stanza = conversation.sealed("a", &key, iv, &payload);
    conversation.heard(logged(&stanza, lines)).diagnose()
}

/// The copy has used up the key of the message, and nothing shows another copy of it.
fn with_newer_copy(lines: &[&str]) -> Diagnosis {
    let mut conversation = Conversation::begun(client("Conversations"), Namespace::Legacy);
    let stanza = conversation.stanza("a", &conversation.key(0));
    conversation.heard(logged(&stanza, lines)).diagnose()
}

#[test]
fn what_comes_live_and_is_refused_as_used_may_be_the_senders_old_key() {
    let found = with_newer_copy(&[FAILED, USED]);
    assert_eq!(codes(&found), [(Code::SenderRolledBack, None)]);
    assert_eq!(found.messages[0].confidence, Confidence::Possible);
    // The same without a store; a copy from the archive is nothing of the kind.
    assert_eq!(codes(&without_store(&[FAILED, USED])), [(Code::SenderRolledBack, None)]);
    let delayed =
        ratchet("a", 0, 1).replace("</encrypted>", "</encrypted><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>");
    assert_eq!(codes(&log_only(&logged(&delayed, &[FAILED, USED]), Some(OURS))), [(Code::DuplicateMessage, None)]);
}

#[test]
fn what_the_client_read_is_not_missing_from_the_client() {
    // The copy is from before the session began.
    let told = |lines: &[&str]| {
        let mut conversation = Conversation::new(client("Conversations"), Namespace::Legacy);
        let stanza = conversation.stanza("a", &conversation.key(3));
        codes(&conversation.heard(logged(&stanza, lines)).diagnose())
    };
    assert_eq!(told(&[OPENED]), [(Code::BeyondSnapshot, None)]);
    assert_eq!(told(&[]), [(Code::NoSession, None)]);
}

#[test]
fn a_copy_of_a_message_that_failed_without_a_store_failed_too() {
    let stanza = ratchet("a", 0, 1);
    let log = logged(&stanza, &[FAILED, BAD_MAC]) + &logged(&stanza, &[]);
    assert_eq!(codes(&log_only(&log, Some(OURS))), [(Code::MacMismatch, None); 2]);
}

/// Android cuts a line after some 4 kB; the key stands before the text.
#[test]
fn what_the_log_cut_is_no_fault_of_the_sender() {
    let mut conversation = Conversation::begun(client("Conversations"), Namespace::Legacy);
    let key = key_element(OURS, "", &conversation.alice.wire(1, &sealed().0));
    let payload = format!("<payload>{}</payload>", "A".repeat(6000));
    let stanza = conversation.sealed("a", &key, "<iv>BQUFBQUFBQUFBQUF</iv>", &payload);
    let cut = |length: usize| logged(&stanza[..length], &[]);
    assert_eq!(codes(&conversation.heard(cut(4100)).diagnose()), [(Code::Ok, Some("text-not-in-log"))]);
    conversation.log.clear();
    let within_key = stanza.find("</key>").unwrap() - 4;
    assert_eq!(codes(&conversation.heard(cut(within_key)).diagnose()), [(Code::MalformedStanza, Some("cut-off"))]);
}

/// Profanity tries one state of a session after the other.
#[test]
fn what_opens_in_the_end_did_not_fail() {
    let told = |lines: &[&str]| {
        let at = "2026-11-23T03:03:15.527102Z: ";
        let lines: String = lines.iter().map(|text| format!("{at}prof: DBG: [OMEMO]{text}\n")).collect();
        let stanza = ratchet("a", 0, 1);
        codes(&log_only(&format!("{at}xmpp: DBG: RECV: {stanza}{lines}"), Some(OURS)))
    };
    let tries = "[RECV] decrypting message with existing session";
    let stored = "[STORE] Store session for alice@example.org (9)";
    assert_eq!(told(&[tries, "[SIGNAL] Bad MAC", stored]), [(Code::Ok, Some("read-by-client"))]);
    let failed = "[RECV] cannot decrypt message key";
    assert_eq!(told(&[tries, "[SIGNAL] Bad MAC", failed, stored]), [(Code::MacMismatch, None)]);
    // Of a session that it begins, it says the same as of one that it misses.
    assert_eq!(told(&[" There is no Session for alice@example.org ( 9) ,... building session."]), [UNTRIED]);
}

/// Gajim reads several stanzas at once, and then tries one after the other.
#[test]
fn of_several_at_once_each_has_its_own_lines() {
    let line = |level: &str, text: &str| {
        format!("11/23/26 02:53:21 ({level}) gajim.p.omemo            |          (bob@example.org) {text}\n")
    };
    let tries = || line("I", "Message received from: alice@example.org");
    let stanzas: String = ["a", "b", "c"].iter().zip(1..).map(|(id, counter)| ratchet(id, counter, counter)).collect();
    let lines = [
        line("I", "::::: DATA RECEIVED ::::"),
        format!("\n{}\n\n", stanzas.replace('\n', "")),
        tries() + &line("W", "No valid sessionsBad Mac!"),
        tries() + &line("I", "Set last seen for alice@example.org"),
        tries() + &line("W", "No such prekeyRecord!"),
    ];
    let told = [(Code::MacMismatch, None), (Code::Ok, Some("read-by-client")), (Code::PrekeyMissing, None)];
    assert_eq!(codes(&log_only(&lines.concat(), Some(OURS))), told);
}

/// Which of our devices wrote the log is not known, and what it sent itself comes back to it from the archive.
#[test]
fn what_the_owner_of_a_log_sent_did_not_fail() {
    let told = |from: &str| {
        let line = |level: &str, text: &str| {
            format!("11/23/26 02:53:21 ({level}) gajim.p.omemo            |          (bob@example.org) {text}\n")
        };
        let stanza = ratchet("a", 1, 1).replace("alice@example.org", from);
        let log = line("I", "::::: DATA RECEIVED ::::") + &format!("\n{stanza}\n") + &line("W", "No valid sessionsBad Mac!");
        codes(&log_only(&log, None))
    };
    assert_eq!(told("bob@example.org"), [UNTRIED]);
    assert_eq!(told("alice@example.org"), [(Code::MacMismatch, None)]);
}

/// A Conversations log: lines without their head.
fn logcat(lines: &[(&str, &str)]) -> Diagnosis {
    let head = |(time, text): &(&str, &str)| format!("10-05 09:14:{time}  5211  5230 W conversations: {text}\n");
    let file = captured(&lines.iter().map(head).collect::<String>());
    let account = BareJid::new("bob@example.org");
    diagnose(Question { account, device: Some(OURS), ..Question::default() }, file.path())
}

const BACKGROUND: &str = "[background stanza] ";

fn stanza(id: &str) -> String {
    format!("{BACKGROUND}{}", ratchet(id, 0, 1).trim_end())
}

#[test]
fn a_log_without_stanzas_still_tells_what_failed() {
    let found = logcat(&[
        ("01.000", "AxolotlService (bob@example.org):  Received Message with session fingerprint: 05f067d0"),
        ("02.000", "AxolotlService (bob@example.org): Failed to decrypt message from alice@example.org"),
        ("02.000", "Caused by: org.whispersystems.libsignal.InvalidKeyIdException: No such PreKeyRecord: 15"),
        ("03.000", "bob@example.org: broken session with carol@example.org:7 detected"),
        ("03.000", "Caused by: org.whispersystems.libsignal.InvalidMessageException: Bad Mac!"),
        ("04.000", "AxolotlService (bob@example.org): Failed to decrypt message from alice@example.org"),
        ("04.000", "Caused by: org.whispersystems.libsignal.DuplicateMessageException: Received message with old counter: 9, 6"),
    ]);
    let told: Vec<_> = found.findings.iter().map(|f| (f.code, f.confidence)).collect();
    // A second copy is no failure.
    assert_eq!(told, [(Code::PrekeyMissing, Confidence::Likely), (Code::MacMismatch, Confidence::Possible)]);
    assert!(found.findings[0].sentence.contains("alice@example.org"), "{}", found.findings[0].sentence);
    assert!(found.findings[1].sentence.contains("device 7 of carol@example.org"), "{}", found.findings[1].sentence);
    assert!(found.summary[0].contains("1 that opened and 2 that do not"), "{:?}", found.summary);
}

#[test]
fn a_log_in_which_all_opens_has_no_finding() {
    let opened = "AxolotlService (bob@example.org):  Received Message with session fingerprint: 05f067d0";
    let found = logcat(&[("01.000", opened), ("02.000", opened), ("03.000", "mark prekey for removal 8")]);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert!(found.summary[0].contains("2 that opened"), "{:?}", found.summary);
}

#[test]
fn without_a_store_the_clients_complaint_is_the_verdict() {
    let complaint = "AxolotlService (bob@example.org): Failed to decrypt message from alice@example.org";
    let cause = "Caused by: org.whispersystems.libsignal.InvalidMessageException: Bad Mac!";
    let found = logcat(&[("01.000", &stanza("a")), ("01.001", complaint), ("01.001", cause)]);
    let verdict = &found.messages[0];
    assert_eq!((verdict.code, verdict.confidence), (Code::MacMismatch, Confidence::Possible));
    assert!(!verdict.open_questions.is_empty(), "what would settle it is said");
    assert!(found.findings.is_empty(), "nothing is said twice: {:?}", found.findings);

    let healthy = logcat(&[("01.000", &stanza("a"))]);
    assert_eq!(healthy.messages[0].fate(), Fate::Untried);
}

#[test]
fn a_complaint_about_somebody_else_is_not_laid_at_a_messages_door() {
    let about_carol = "bob@example.org: broken session with carol@example.org:7 detected";
    let found = logcat(&[("01.000", &stanza("a")), ("01.001", about_carol)]);
    assert_eq!(found.messages[0].fate(), Fate::Untried);
    assert!(found.findings.iter().any(|f| f.sentence.contains("carol")), "{:?}", found.findings);
}

#[test]
fn a_quoted_text_is_not_the_clients_word() {
    let found = logcat(&[("01.000", "omemo: Message decrypted: b'my phone says Bad MAC all day'")]);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
}

/// Poezio shows what stands beside an encrypted text that it could not read, whatever that is.
#[test]
fn a_client_that_shows_the_text_beside_a_message_did_not_read_it() {
    let told = |shown: &str| {
        let line = |text: &str| format!("2026-11-23 02:43:37,709 DEBUG:session_manager:{text}\n");
        let stanza = ratchet("a", 0, 1).replace("<encrypted", "<body>Beside it.</body><encrypted");
        let tries = "Decrypting message: Message(namespace='urn:xmpp:omemo:2', bare_jid='alice@example.org', device_id=9";
        let done = format!("2026-11-23 02:43:37,716 DEBUG:plugin_e2ee:Decrypted omemo message: '{shown}'\n");
        codes(&log_only(&format!("2026-11-23 02:43:37,700 DEBUG:xmlstream:RECV: {stanza}{}{done}", line(tries)), Some(OURS)))
    };
    assert_eq!(told("Beside it."), [(Code::MacMismatch, None)]);
    assert_eq!(told("my phone says Bad MAC all day"), [UNTRIED]);
}
