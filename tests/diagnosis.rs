//! Broken and healthy conversations with known causes: each folder of `fixtures/diagnosis` holds a store
//! (sometimes the sender's, too), a capture, and what is true of each message.

#![allow(clippy::unwrap_used)] // A test may panic.

mod common;

use common::{Case, codes};
use omemoscope::analysis::investigation::Question;
use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{Code, Confidence, Diagnosis};
use std::path::Path;

/// One fact, two names: whether the copy is the living store or an early snapshot.
fn fits(code: Code, wanted: &[&str]) -> bool {
    let same = |c: &str| matches!(c, "receiver-rolled-back" | "beyond-snapshot");
    wanted.contains(&code.as_str()) || (same(code.as_str()) && wanted.iter().any(|w| same(w)))
}

#[test]
fn every_cause_is_named_and_every_readable_text_is_read() {
    let mut messages = 0;
    for case in Case::all() {
        let found = case.diagnose();
        let mut taken = vec![false; found.messages.len()];
        for truth in case.truth["messages"].as_array().unwrap() {
            let (name, id) = (case.name(), truth["id"].as_str().unwrap());
            if matches!(truth["kind"].as_str(), Some("bundle" | "devicelist")) {
                let said = |code| found.findings.iter().any(|f| f.code == code && f.stanza_ids.iter().any(|i| i == id));
                let bad = said(Code::BundleSignatureInvalid) || said(Code::LabelSignatureInvalid);
                assert_eq!(bad, !codes(truth).contains(&"ok"), "{name} {id}");
                continue;
            }
            let index = (0..taken.len()).find(|i| !taken[*i] && found.messages[*i].id.as_deref() == Some(id));
            let index = index.unwrap_or_else(|| panic!("{name} {id}: no verdict"));
            taken[index] = true;
            let verdict = &found.messages[index];
            assert!(
                fits(verdict.code, &codes(truth)),
                "{name} {id}: {} instead of {:?}: {verdict:?}",
                verdict.code,
                codes(truth)
            );
            if let Some(text) = truth["plaintext"].as_str() {
                assert_eq!(verdict.plaintext.as_ref().map(|p| p.expose()), Some(text), "{name} {id}");
            }
            messages += 1;
        }
    }
    assert!(messages > 100, "only {messages} messages were judged");
}

#[test]
fn a_healthy_conversation_gives_no_finding_and_no_alarm() {
    for case in Case::all().into_iter().filter(|c| c.name().starts_with("ok-")) {
        let found = case.diagnose();
        let findings: Vec<_> = found.findings.iter().filter(|f| f.confidence > Confidence::Possible).collect();
        assert!(findings.is_empty(), "{}: {findings:?}", case.name());
        assert!(found.messages.iter().all(|m| m.code.is_harmless()), "{}", case.name());
    }
}

#[test]
fn every_verdict_carries_its_proof_and_every_alarm_a_remedy() {
    for case in Case::all() {
        for verdict in case.diagnose().messages {
            assert!(verdict.sentence.ends_with('.') && verdict.sentence.starts_with(char::is_uppercase), "{}", verdict.sentence);
            if !verdict.code.is_harmless() {
                assert!(!verdict.evidence.is_empty(), "{}: {}", case.name(), verdict.sentence);
                assert!(!verdict.remedy.is_empty(), "{}: {}", case.name(), verdict.sentence);
            }
            if verdict.confidence != Confidence::Proven {
                assert!(
                    !verdict.open_questions.is_empty(),
                    "{}: {} is not proven, but nothing is left open",
                    case.name(),
                    verdict.code
                );
            }
        }
    }
}

/// The same evidence, another question: what is the copy?
#[test]
fn a_snapshot_is_not_called_a_rolled_back_client() {
    let case = Case::named("gajim/receiver-rolled-back-10");
    let last = |d: Diagnosis| d.messages.last().unwrap().code;
    assert_eq!(last(case.diagnose()), Code::ReceiverRolledBack);
    assert_eq!(last(case.diagnose_with(|q| q.snapshots_only = true)), Code::BeyondSnapshot);
}

/// Without the sender's store a dropped chain, or an old store of ours, cannot be told from other causes.
#[test]
fn what_only_the_senders_store_tells_is_less_sure_without_it() {
    for name in ["gajim/message-key-evicted-chain-dropped", "gajim/receiver-rolled-back-200"] {
        let case = Case::named(name);
        let (with, without) = (case.diagnose(), case.diagnose_with(|q| q.peers.clear()));
        let [with, without] = [&with, &without].map(|found| found.messages.last().unwrap());
        assert!(name.contains(with.code.as_str()), "{name}: {with:?}");
        assert!(without.code != with.code || without.confidence < with.confidence, "{name}: {without:?}");
    }
}

/// The usual case at a support desk: the log is of the trouble, the store was copied afterwards.
#[test]
fn a_store_newer_than_the_log_accuses_nobody() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/example");
    let stores = vec![store::open(&example.join("gajim-newer"), &OpenOptions::default()).unwrap()];
    let found = common::diagnose(Question { stores, ..Question::default() }, &example.join("gajim-earlier.log"));
    assert!(found.messages.len() > 5, "the log holds messages both ways");
    let accused: Vec<_> = found.messages.iter().filter(|m| !m.code.is_harmless()).collect();
    assert!(accused.is_empty(), "{accused:?}");
    assert!(found.findings.iter().all(|f| !f.needs_attention()), "{:?}", found.findings);
}
