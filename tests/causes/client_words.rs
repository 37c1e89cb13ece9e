//! What the client itself said decides where nothing else is known: without a store, and of messages that no capture
//! holds.

use crate::common::{captured, diagnose};
use crate::stanzas::*;
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{BareJid, Code, Confidence, Diagnosis};

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
    assert!(healthy.messages[0].is_untried(), "{:?}", healthy.messages);
}

#[test]
fn a_complaint_about_somebody_else_is_not_laid_at_a_messages_door() {
    let about_carol = "bob@example.org: broken session with carol@example.org:7 detected";
    let found = logcat(&[("01.000", &stanza("a")), ("01.001", about_carol)]);
    assert!(found.messages[0].is_untried(), "{:?}", found.messages);
    assert!(found.findings.iter().any(|f| f.sentence.contains("carol")), "{:?}", found.findings);
}

#[test]
fn a_quoted_text_is_not_the_clients_word() {
    let found = logcat(&[("01.000", "omemo: Message decrypted: b'my phone says Bad MAC all day'")]);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
}
