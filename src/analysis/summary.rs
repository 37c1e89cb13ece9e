//! The first sentences of a diagnosis: what a person needs to know.

use crate::model::{BareJid, Code, Finding, MessageVerdict, When};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the messages of one code have in common.
#[derive(Debug)]
struct Tally {
    count: usize,
    sentence: Arc<str>,
    senders: BTreeSet<(Option<BareJid>, Option<u32>)>,
    first: Option<When>,
    last: Option<When>,
}

/// A summary in the making.
#[derive(Debug, Default)]
pub struct Summary {
    messages: usize,
    untried: usize,
    codes: BTreeMap<Code, Tally>,
}

impl Summary {
    /// Takes the next verdict.
    pub fn note(&mut self, verdict: &MessageVerdict) {
        self.messages += 1;
        self.untried += usize::from(verdict.is_untried());
        let tally = self.codes.entry(verdict.code).or_insert_with(|| Tally {
            count: 0,
            sentence: verdict.sentence.clone(),
            senders: BTreeSet::new(),
            first: verdict.time.clone(),
            last: None,
        });
        tally.count += 1;
        tally.senders.insert((verdict.from.clone(), verdict.sid));
        tally.last = verdict.time.clone();
    }

    fn count(&self, code: Code) -> usize {
        self.codes.get(&code).map_or(0, |tally| tally.count)
    }

    /// The sentences, with these findings besides.
    pub fn sentences(&self, findings: &[Finding]) -> Vec<String> {
        let mut summary = Vec::new();
        if self.messages == 0 {
            summary.push("No OMEMO message was found.".into());
        } else {
            let read = self.count(Code::Ok) - self.untried;
            let received = self.messages - self.count(Code::OwnMessage);
            // Without a store "0 decrypt" would say more than is known.
            if read > 0 || self.untried == 0 {
                let received = number(received, "received message");
                summary.push(format!("{read} of {received} decrypt{}.", if read == 1 { "s" } else { "" }));
            }
            if self.untried > 0 {
                summary.push(format!("{} could not be tried without a store.", number(self.untried, "message")));
            }
            let harmless = self.codes.iter().filter(|(code, _)| code.is_harmless() && **code != Code::Ok);
            let harmless: Vec<String> =
                harmless.map(|(code, tally)| format!("{} {}", tally.count, harmless_words(*code, tally.count))).collect();
            if !harmless.is_empty() {
                summary.push(format!("Nothing to worry about: {}.", harmless.join(", ")));
            }
        }
        let mut failures: Vec<(&Code, &Tally)> = self.codes.iter().filter(|(code, _)| !code.is_harmless()).collect();
        failures.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.count));
        let failed: usize = failures.iter().map(|(_, tally)| tally.count).sum();
        if failed > 0 {
            summary.push(format!("{} {} attention:", number(failed, "message"), if failed == 1 { "needs" } else { "need" }));
            summary.extend(failures.iter().map(|(code, tally)| tally.reason(**code)));
        }
        if !findings.is_empty() {
            summary.push(format!("{} about devices, bundles or the store as a whole below.", number(findings.len(), "finding")));
        }
        summary
    }
}

impl Tally {
    fn reason(&self, code: Code) -> String {
        let span = match (&self.first, &self.last) {
            (Some(a), Some(b)) if self.count > 1 && a != b => format!(", between {} and {}", a.short(), b.short()),
            _ => String::new(),
        };
        let senders = self.senders.len();
        let more = if senders > 1 { format!(" The same holds for {} in all.", number(senders, "device")) } else { String::new() };
        format!("{} × {code}{span}: {}{more}", self.count, self.sentence)
    }
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
