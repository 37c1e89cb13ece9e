//! The first sentences of a diagnosis: what a person needs to know.

use super::number::{number, verb};
use crate::model::{BareJid, Code, Fate, Finding, MessageVerdict, When};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What the messages of one code have in common.
#[derive(Debug)]
struct Tally {
    label: String,
    count: usize,
    sentence: Arc<str>,
    senders: BTreeSet<(Option<BareJid>, Option<u32>)>,
    span: Span,
}

/// From when to when.
#[derive(Debug, Default)]
struct Span {
    first: Option<When>,
    last: Option<When>,
    /// Some have no time that could be compared.
    open: bool,
}

impl Span {
    fn note(&mut self, time: Option<&When>) {
        let Some((time, instant)) = time.and_then(|time| Some((time, time.instant?))) else {
            self.open = true;
            return;
        };
        if self.first.as_ref().and_then(|first| first.instant).is_none_or(|first| instant < first) {
            self.first = Some(time.clone());
        }
        if self.last.as_ref().and_then(|last| last.instant).is_none_or(|last| instant > last) {
            self.last = Some(time.clone());
        }
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.first, &self.last) {
            (Some(first), Some(last)) if !self.open && first.short() == last.short() => write!(f, ", at {}", first.short()),
            (Some(first), Some(last)) if !self.open => write!(f, ", between {} and {}", first.short(), last.short()),
            _ => Ok(()),
        }
    }
}

/// A summary in the making.
#[derive(Debug, Default)]
pub struct Summary {
    fates: BTreeMap<Fate, usize>,
    /// What needs attention.
    failures: BTreeMap<Code, Tally>,
}

impl Summary {
    /// Takes the next verdict.
    pub fn note(&mut self, verdict: &MessageVerdict) {
        let fate = verdict.fate();
        *self.fates.entry(fate).or_default() += 1;
        if fate != Fate::NeedsAttention {
            return;
        }
        let tally = self.failures.entry(verdict.code).or_insert_with(|| Tally {
            label: label(verdict.code, verdict.detail),
            count: 0,
            sentence: verdict.sentence.clone(),
            senders: BTreeSet::new(),
            span: Span::default(),
        });
        tally.count += 1;
        tally.senders.insert((verdict.from.clone(), verdict.sid));
        tally.span.note(verdict.time.as_ref());
    }

    fn count(&self, fate: Fate) -> usize {
        self.fates.get(&fate).copied().unwrap_or_default()
    }

    /// The sentences, with these findings besides, and with what the captures hold that is no message to us. None, if
    /// nothing was found.
    pub fn sentences(&self, findings: &[Finding], besides: &Besides) -> Vec<String> {
        let failures = self.failures();
        let messages: usize = self.fates.values().sum();
        let mut summary = Vec::new();
        if messages == 0 {
            summary.extend(besides.sentence());
        } else {
            let own = self.count(Fate::Own);
            if messages > own {
                let fates = self.fates(besides.several_copies).join(", ");
                summary.push(format!("{}: {fates}.", number(messages - own, "received message")));
            }
            if own > 0 {
                let more = if messages > own { "more " } else { "" };
                let messages = verb(own, "message was", "messages were");
                summary.push(format!("{own} {more}{messages} sent by this device itself."));
            }
        }
        let locked = |file: &Arc<Path>| {
            format!(
                "Locked, because its password was not given or is another one: {}. Messages to its account were not judged.",
                file.display()
            )
        };
        summary.extend(besides.locked.iter().map(locked));
        summary.extend(besides.log_owner.map(|(own, owner)| other_log(own, owner)));
        if !failures.is_empty() {
            summary.push("What needs attention:".into());
            summary.extend(failures.iter().map(|(_, tally)| tally.reason()));
        }
        let also = also(findings, &failures, if summary.is_empty() { "" } else { "Also " });
        summary.extend(also);
        let absent = |peer: &String| format!("The store given with --peer tells nothing here: no message comes from {peer}.");
        summary.extend(besides.absent_peers.iter().map(absent));
        summary
    }

    /// The messages that need attention, what helps most first.
    fn failures(&self) -> Vec<(&Code, &Tally)> {
        let mut failures: Vec<_> = self.failures.iter().collect();
        failures.sort_by_key(|(code, tally)| (code.turn(), std::cmp::Reverse(tally.count)));
        failures
    }

    /// What became of the received messages: numbers that add up, what needs attention first.
    fn fates(&self, several_copies: bool) -> Vec<String> {
        let told = self.fates.iter().filter(|(fate, _)| **fate != Fate::Own);
        told.map(|(fate, count)| format!("{count} {}", fate_words(*fate, *count, several_copies))).collect()
    }
}

impl Tally {
    fn reason(&self) -> String {
        let others = self.senders.len().saturating_sub(1);
        let more =
            if others > 0 { format!(" The same code holds for {}.", number(others, "other device")) } else { String::new() };
        format!("{} × {}{}: {}{more}", self.count, self.label, self.span, self.sentence)
    }
}

/// The device that a log belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOwner {
    /// How many messages say so.
    pub messages: usize,
    /// Its id.
    pub device: u32,
    /// The log shows what it sent.
    pub sure: bool,
}

/// What the captures hold that is no message to us.
#[derive(Debug, Default)]
pub struct Besides {
    /// Messages that concern none of our devices.
    pub foreign: usize,
    /// To whom some of them are.
    pub receivers: BTreeSet<BareJid>,
    /// Our own addresses.
    pub own: Vec<BareJid>,
    /// One device was given with more than one copy of its store.
    pub several_copies: bool,
    /// Whose stores were given as those of another end, although no message comes from it.
    pub absent_peers: Vec<String>,
    /// Parts of a store whose password was not given.
    pub locked: BTreeSet<Arc<Path>>,
    /// Our device, and the other one that the log seems to belong to.
    pub log_owner: Option<(u32, LogOwner)>,
    /// Device lists.
    pub lists: usize,
    /// Bundles.
    pub bundles: usize,
    /// What clients tell of messages that no capture holds: the client, how many opened, how many did not.
    pub told: Vec<(&'static str, usize, usize)>,
}

impl Besides {
    fn sentence(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.foreign > 0 {
            sentences.push(format!(
                "{} found, but none to or from {}: {}. Does the store belong to this log, and is the account the right one?",
                number(self.foreign, "OMEMO message"),
                joined(&self.own, "this account"),
                match self.receivers.len() {
                    0 => "they do not say to whom they are".into(),
                    _ => format!("they are to {}", joined(&Vec::from_iter(self.receivers.iter().cloned()), "nobody")),
                }
            ));
        }
        for (client, opened, failed) in &self.told {
            let be = verb(*failed, "does", "do");
            let fate = format!("{opened} that opened and {failed} that {be} not");
            sentences.push(format!("The log of {client} holds no message itself, but tells of {fate}."));
        }
        if sentences.is_empty() && self.lists + self.bundles > 0 {
            let kinds = [(self.bundles, "bundle"), (self.lists, "device list")];
            let kinds: Vec<String> = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| number(*n, noun)).collect();
            sentences.push(format!("No message was found, but {}.", kinds.join(" and ")));
        }
        sentences
    }
}

fn other_log(own: u32, LogOwner { messages, device, sure }: LogOwner) -> String {
    let what = if sure { "was written by" } else { "may be that of" };
    format!(
        "The log {what} another device than the store: all {messages} messages have a key for device {device}, and none for {own}, the store's."
    )
}

fn joined(jids: &[BareJid], nobody: &str) -> String {
    match jids {
        [] => nobody.to_owned(),
        some => some.iter().map(BareJid::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// The code; with its finer cause where the code alone says that nothing is wrong.
fn label(code: Code, detail: Option<&str>) -> String {
    match detail {
        Some(detail) if code.is_harmless() => format!("{code}/{detail}"),
        _ => code.to_string(),
    }
}

/// Findings that are told at the beginning; all are told in full behind it.
const SHOWN_FINDINGS: usize = 3;

/// What the findings say beyond the messages.
fn also(findings: &[Finding], failures: &[(&Code, &Tally)], begin: &str) -> Vec<String> {
    let is_new = |finding: &&Finding| failures.iter().all(|(code, _)| **code != finding.code);
    let (mut also, calm): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().filter(is_new).partition(|finding| finding.needs_attention());
    also.extend(calm);
    let more = also.len().saturating_sub(SHOWN_FINDINGS);
    let shown = also
        .iter()
        .take(SHOWN_FINDINGS)
        .map(|finding| format!("{begin}{}: {}", label(finding.code, finding.detail), finding.sentence));
    shown.chain((more > 0).then(|| format!("And {}, below.", number(more, "more finding")))).collect()
}

/// What is said of so many messages of one fate.
fn fate_words(fate: Fate, count: usize, several_copies: bool) -> String {
    let (is, has) = (verb(count, "is", "are"), verb(count, "has", "have"));
    match fate {
        Fate::NeedsAttention => format!("{} attention", verb(count, "needs", "need")),
        Fate::Opens => verb(count, "decrypts", "decrypt").into(),
        Fate::ReadByClient => format!("{} read by the client, as its log says", verb(count, "was", "were")),
        Fate::Untried => "could not be tried without a store".into(),
        Fate::BeforeTheCopy => format!(
            "{} older than {}",
            is,
            if several_copies { "what the copies of the store can tell" } else { "this copy of the store" }
        ),
        Fate::SecondCopy => format!("{is} {}", verb(count, "a second copy", "second copies")),
        Fate::Empty => format!("{has} no text"),
        Fate::NotAddressed => format!("{is} not encrypted for this device"),
        Fate::BeyondTheCopy if several_copies => format!("{is} from a time that no copy of the store covers"),
        Fate::BeyondTheCopy => format!("{is} newer than this copy of the store"),
        Fate::Own => format!("{} sent by this device", verb(count, "was", "were")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, Position};
    use std::path::Path;

    fn summary(codes: &[Code]) -> Vec<String> {
        noted(codes).sentences(&[], &Besides::default())
    }

    fn noted(codes: &[Code]) -> Summary {
        let mut summary = Summary::default();
        for code in codes {
            summary.note(&MessageVerdict {
                id: None,
                from: BareJid::new("bob@example.org"),
                sid: Some(1),
                to_device: None,
                account: None,
                time: None,
                position: Position::line(&Arc::from(Path::new("log")), 1, 0),
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
        summary
    }

    #[test]
    fn what_falls_between_two_copies_is_not_called_newer() {
        let several = Besides { several_copies: true, ..Besides::default() };
        let says = |besides| noted(&[Code::BeyondSnapshot]).sentences(&[], besides);
        assert_eq!(says(&several), ["1 received message: 1 is from a time that no copy of the store covers."]);
        assert_eq!(says(&Besides::default()), ["1 received message: 1 is newer than this copy of the store."]);
    }

    #[test]
    fn the_numbers_add_up() {
        use Code::{DuplicateMessage, EmptyMessage, MacMismatch, NoSession, Ok, OwnMessage};
        assert_eq!(
            summary(&[Ok, Ok, OwnMessage, MacMismatch, NoSession, MacMismatch, EmptyMessage, DuplicateMessage, OwnMessage]),
            [
                "7 received messages: 3 need attention, 2 decrypt, 1 is a second copy, 1 has no text.",
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
