//! The first sentences of a diagnosis: what a person needs to know.

use crate::model::{Code, Finding, MessageVerdict};
use std::collections::BTreeMap;

/// The summary of all verdicts and findings.
pub fn of(messages: &[MessageVerdict], findings: &[Finding]) -> Vec<String> {
    let mut summary = Vec::new();
    let mut groups: BTreeMap<Code, Vec<&MessageVerdict>> = BTreeMap::new();
    for message in messages {
        groups.entry(message.code).or_default().push(message);
    }
    let count = |code| groups.get(&code).map_or(0, Vec::len);
    if messages.is_empty() {
        summary.push("No OMEMO message was found.".into());
    } else {
        let read = messages.iter().filter(|m| m.code == Code::Ok && !m.is_untried()).count();
        let untried = count(Code::Ok) - read;
        let received = messages.len() - count(Code::OwnMessage);
        // Without a store "0 decrypt" would say more than is known.
        if read > 0 || untried == 0 {
            summary.push(format!(
                "{read} of {} decrypt{}.",
                number(received, "received message"),
                if read == 1 { "s" } else { "" }
            ));
        }
        if untried > 0 {
            summary.push(format!("{} could not be tried without a store.", number(untried, "message")));
        }
        let harmless: Vec<String> = groups
            .iter()
            .filter(|(code, _)| code.is_harmless() && **code != Code::Ok)
            .map(|(code, group)| format!("{} {}", group.len(), harmless_words(*code, group.len())))
            .collect();
        if !harmless.is_empty() {
            summary.push(format!("Nothing to worry about: {}.", harmless.join(", ")));
        }
    }
    let mut failures: Vec<(&Code, &Vec<&MessageVerdict>)> = groups.iter().filter(|(code, _)| !code.is_harmless()).collect();
    failures.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    let failed: usize = failures.iter().map(|(_, g)| g.len()).sum();
    if failed > 0 {
        summary.push(format!("{} {} attention:", number(failed, "message"), if failed == 1 { "needs" } else { "need" }));
        summary.extend(failures.iter().map(|(code, group)| reason(**code, group)));
    }
    if !findings.is_empty() {
        summary.push(format!("{} about devices, bundles or the store as a whole below.", number(findings.len(), "finding")));
    }
    summary
}

fn reason(code: Code, group: &[&MessageVerdict]) -> String {
    let first = group.first().map(|m| m.sentence.clone()).unwrap_or_default();
    let senders = group.iter().map(|m| (&m.from, m.sid)).collect::<std::collections::BTreeSet<_>>().len();
    let span = match (group.first().and_then(|m| m.time.as_ref()), group.last().and_then(|m| m.time.as_ref())) {
        (Some(a), Some(b)) if group.len() > 1 && a != b => format!(", between {} and {}", a.short(), b.short()),
        _ => String::new(),
    };
    let more = if senders > 1 { format!(" The same holds for {} in all.", number(senders, "device")) } else { String::new() };
    format!("{} × {code}{span}: {first}{more}", group.len())
}

fn harmless_words(code: Code, count: usize) -> &'static str {
    match (code, count) {
        (Code::EmptyMessage, 1) => "message without text",
        (Code::EmptyMessage, _) => "messages without text",
        (Code::OwnMessage, 1) => "copy of our own message",
        (Code::OwnMessage, _) => "copies of our own messages",
        (Code::DuplicateMessage, 1) => "second copy of a message already read",
        (Code::DuplicateMessage, _) => "second copies of messages already read",
        (Code::NotAddressed, _) => "not encrypted for this device",
        _ => "later than this copy of the store",
    }
}

/// `1 message`, `2 messages`.
fn number(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
