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
        let mut failures: Vec<(&Code, &Tally)> = self.codes.iter().filter(|(code, _)| !code.is_harmless()).collect();
        failures.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.count));
        let failed: usize = failures.iter().map(|(_, tally)| tally.count).sum();
        let mut summary = Vec::new();
        if self.messages == 0 {
            summary.push("No OMEMO message was found.".into());
        } else {
            let own = self.count(Code::OwnMessage);
            if self.messages > own {
                summary.push(format!("{}: {}.", number(self.messages - own, "received message"), self.fates(failed).join(", ")));
            }
            if own > 0 {
                let more = if self.messages > own { "more " } else { "" };
                let messages = verb(own, "message was", "messages were");
                summary.push(format!("{own} {more}{messages} sent by this device itself."));
            }
        }
        if failed > 0 {
            summary.push("What needs attention:".into());
            summary.extend(failures.iter().map(|(code, tally)| tally.reason(**code)));
        }
        if !findings.is_empty() {
            summary.push(format!("{} about devices, bundles or the store as a whole below.", number(findings.len(), "finding")));
        }
        summary
    }

    /// What became of the received messages: numbers that add up.
    fn fates(&self, failed: usize) -> Vec<String> {
        let read = self.count(Code::Ok) - self.untried;
        let mut fates = Vec::new();
        // Without a store "0 decrypt" would say more than is known.
        if read > 0 || self.untried == 0 {
            fates.push(format!("{read} {}", verb(read, "decrypts", "decrypt")));
        }
        if self.untried > 0 {
            fates.push(format!("{} could not be tried without a store", self.untried));
        }
        if failed > 0 {
            fates.push(format!("{failed} {} attention", verb(failed, "needs", "need")));
        }
        let others = self.codes.iter().filter(|(code, _)| code.is_harmless() && !matches!(code, Code::Ok | Code::OwnMessage));
        fates.extend(others.map(|(code, tally)| format!("{} {}", tally.count, harmless_words(*code, tally.count))));
        fates
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

fn harmless_words(code: Code, count: usize) -> String {
    let be = verb(count, "is", "are");
    match code {
        Code::EmptyMessage => format!("{} no text", verb(count, "has", "have")),
        Code::DuplicateMessage => format!("{be} {} already read", verb(count, "a second copy of one", "second copies of ones")),
        Code::NotAddressed => format!("{be} not encrypted for this device"),
        _ => format!("{be} newer than this copy of the store"),
    }
}

fn verb(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}

/// `1 message`, `2 messages`.
fn number(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", verb(count, "", "s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, Position};
    use std::path::Path;

    fn summary(codes: &[Code]) -> Vec<String> {
        let mut summary = Summary::default();
        for code in codes {
            summary.note(&MessageVerdict {
                id: None,
                from: BareJid::new("bob@example.org"),
                sid: Some(1),
                to_device: None,
                account: None,
                time: None,
                position: Position { file: Arc::from(Path::new("log")), line: 1, byte: 0 },
                namespace: None,
                code: *code,
                detail: None,
                confidence: Confidence::Proven,
                sentence: "It is so.".into(),
                evidence: Vec::new(),
                remedy: Arc::default(),
                open_questions: Arc::default(),
                plaintext: None,
                content: Vec::new(),
            });
        }
        summary.sentences(&[])
    }

    #[test]
    fn the_numbers_add_up() {
        use Code::{DuplicateMessage, EmptyMessage, MacMismatch, NoSession, Ok, OwnMessage};
        assert_eq!(
            summary(&[Ok, Ok, OwnMessage, MacMismatch, NoSession, MacMismatch, EmptyMessage, DuplicateMessage, OwnMessage]),
            [
                "7 received messages: 2 decrypt, 3 need attention, 1 has no text, 1 is a second copy of one already read.",
                "2 more messages were sent by this device itself.",
                "What needs attention:",
                "2 × mac-mismatch: It is so.",
                "1 × no-session: It is so.",
            ]
        );
        assert_eq!(summary(&[OwnMessage]), ["1 message was sent by this device itself."]);
        assert_eq!(summary(&[Ok]), ["1 received message: 1 decrypts."]);
    }
}
