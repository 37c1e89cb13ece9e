//! One conversation in several logs: what each of them holds is one message, and counts once.

use crate::common::{captured, diagnose_all};
use crate::stanzas::*;
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{BareJid, Code, Diagnosis};

const AT: &str = "2026-11-23T03:03:15.527102Z: ";

fn heard(logs: &[&str]) -> Diagnosis {
    let question = Question { account: BareJid::new("bob@example.org"), device: Some(OURS), ..Question::default() };
    let files: Vec<_> = logs.iter().map(|log| captured(log)).collect();
    diagnose_all(question, files.iter().map(|file| file.path()))
}

/// A message in our own client's log, at which it fails.
fn our_log() -> String {
    let line = |text: &str| format!("{AT}prof: DBG: [OMEMO]{text}\n");
    let lines = [line("[RECV] decrypting message with existing session"), line("[RECV] cannot decrypt message key")];
    format!("{AT}xmpp: DBG: RECV: {}{}", ratchet("a", 0, 1), lines.concat())
}

#[test]
fn what_the_client_says_holds_for_the_message_in_every_log() {
    let (log, stanzas) = (our_log(), ratchet("a", 0, 1));
    let failed = [(Code::MacMismatch, None)];
    assert_eq!(codes(&heard(&[&log])), failed);
    assert_eq!(codes(&heard(&[&log, &stanzas])), failed);
    assert_eq!(codes(&heard(&[&stanzas, &log])), failed);
}

#[test]
fn the_log_of_the_other_end_tells_of_no_other_message() {
    let sent = format!("{AT}conn: DBG: SENT: {}", ratchet("a", 0, 1));
    assert_eq!(codes(&heard(&[&our_log(), &sent])), [(Code::MacMismatch, None)]);
    assert_eq!(codes(&heard(&[&sent, &our_log()])), [(Code::MacMismatch, None)]);
}

#[test]
fn another_text_in_the_other_log_is_another_message() {
    let altered = ratchet("a", 0, 1).replace("<payload>AAAA", "<payload>BAAA");
    assert_eq!(codes(&heard(&[&ratchet("a", 0, 1), &altered])).len(), 2);
    // One log holds it twice: it came twice.
    assert_eq!(codes(&heard(&[&ratchet("a", 0, 1).repeat(2)])).len(), 2);
}
