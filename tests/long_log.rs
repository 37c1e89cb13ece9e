//! A log that is longer than the messages that are kept in view: each is judged once and in order, and what happened
//! long before is still known.

#![allow(clippy::unwrap_used)] // A test may panic.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::captured;
use omemoscope::analysis::investigation::{Investigation, Question};
use omemoscope::input::capture;
use omemoscope::model::{Code, MessageVerdict};
use prost::Message;

/// SignalMessage (libsignal's `WhisperTextProtocol.proto`).
#[derive(Message)]
struct SignalMessage {
    #[prost(bytes = "vec", tag = "1")]
    ratchet_key: Vec<u8>,
    #[prost(uint32, required, tag = "2")]
    counter: u32,
    #[prost(uint32, tag = "3")]
    previous_counter: u32,
    #[prost(bytes = "vec", tag = "4")]
    ciphertext: Vec<u8>,
}

/// The message with this number among all; each device has one chain.
fn stanza(number: u32, device: u32, counter: u32) -> String {
    let ratchet_key = [&[5][..], &[u8::try_from(device).unwrap(); 32]].concat();
    let message = SignalMessage { ratchet_key, counter, previous_counter: 0, ciphertext: vec![0; 48] };
    // As unlike each other as real ones.
    let mac = u64::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let key = STANDARD.encode([&[0x33][..], &message.encode_to_vec(), &mac].concat());
    format!(
        "<message from='a{device}@example.org/x' to='bob@example.org/x' type='chat' id='m{number}'>\
         <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='{device}'><key rid='99'>{key}</key>\
         <iv>AAAAAAAAAAAAAAAA</iv></header><payload>AAAA</payload></encrypted></message>\n"
    )
}

const DEVICES: u32 = 8;
const MESSAGES: u32 = 40_000;

fn verdicts(log: &str) -> (Vec<MessageVerdict>, usize) {
    let file = captured(log);
    let mut investigation = Investigation::new(Question { device: Some(99), ..Question::default() });
    let mut verdicts = Vec::new();
    capture::read(file.path(), &mut |_| {}, &mut |event| investigation.take(event, &mut |v| verdicts.push(v))).unwrap();
    let before_the_end = verdicts.len();
    investigation.conclude(&mut |v| verdicts.push(v));
    (verdicts, before_the_end)
}

#[test]
fn each_message_is_judged_once_and_in_order() {
    let log: String = (0..MESSAGES).map(|n| stanza(n, 1 + n % DEVICES, n / DEVICES)).collect();
    let (verdicts, before_the_end) = verdicts(&log);
    let ids: Vec<String> = verdicts.iter().map(|v| v.id.clone().unwrap()).collect();
    assert_eq!(ids, (0..MESSAGES).map(|n| format!("m{n}")).collect::<Vec<_>>());
    assert!(before_the_end > 0, "verdicts are given while the log is read");
    let odd = verdicts.iter().find(|v| v.fate() != omemoscope::model::Fate::Untried);
    assert!(odd.is_none(), "{odd:?}");
}

#[test]
fn a_key_that_is_used_again_long_after_is_known() {
    let mut log: String = (0..MESSAGES).map(|n| stanza(n, 1 + n % DEVICES, n / DEVICES)).collect();
    log.push_str(&stanza(MESSAGES, 1, 3));
    let (verdicts, _) = verdicts(&log);
    let last = verdicts.last().unwrap();
    assert_eq!(last.code, Code::SenderRolledBack, "{last:?}");
    let first = verdicts.iter().find(|v| v.id.as_deref() == Some("m24")).unwrap();
    assert!(last.evidence.iter().any(|e| *e.place == first.position.to_string()), "{:?}", last.evidence);
}
