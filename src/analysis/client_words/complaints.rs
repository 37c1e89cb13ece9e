//! What a client says of messages that no capture holds: a log without stanzas still tells what failed.

use super::{Kind, Said, Subject, Wording};
use crate::model::{Position, When};
use jiff::SignedDuration;
use std::collections::HashMap;

/// Lines that are named for one complaint.
const SHOWN_LINES: usize = 3;

/// Different complaints that are kept. A log in which each line names another sender is no client's.
const MAX_COMPLAINTS: usize = 10_000;

/// Lines of one message do not stand further apart: stack traces are long.
const MAX_DISTANCE: u64 = 100;

/// Messages of one sender that a client complains of in the same way.
#[derive(Clone, Debug)]
pub struct Complaint {
    /// The client.
    pub client: &'static str,
    /// What it says, the most telling line of each message.
    pub words: &'static Wording,
    /// Of whom.
    pub subject: Subject,
    /// How many messages.
    pub count: usize,
    /// The first of these lines.
    pub lines: Vec<Position>,
    /// When the first of them was.
    pub first: Option<When>,
    /// When the last of them was.
    pub last: Option<When>,
}

/// How long a client takes for one message.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(2);

/// Lines about one message.
#[derive(Clone, Debug)]
struct Group {
    told: Said,
    subject: Subject,
    line: u64,
    begun: bool,
}

/// All complaints.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    known: HashMap<(&'static str, &'static str, &'static str, Subject), usize>,
    complaints: Vec<Complaint>,
    open: Option<Group>,
}

impl Complaints {
    /// Adds a line.
    pub fn add(&mut self, said: Said) {
        if let Kind::Unreached(_) = said.words.kind {
            // It is about no message, and may stand between the lines of one.
            let subject = said.subject.clone();
            return count(&mut self.known, &mut self.complaints, &said, subject);
        }
        match &mut self.open {
            Some(group) if group.goes_on_with(&said) => group.add(said),
            _ => {
                self.close();
                let (subject, line, begun) = (said.subject.clone(), said.position.line, said.words.begins);
                self.open = Some(Group { told: said, subject, line, begun });
            }
        }
    }

    fn close(&mut self) {
        if let Some(Group { told, subject, .. }) = self.open.take() {
            count(&mut self.known, &mut self.complaints, &told, subject);
        }
    }

    /// The complaints, and what was said of messages that opened.
    pub fn all(&self) -> Vec<Complaint> {
        let mut all = self.complaints.clone();
        let mut known = self.known.clone();
        if let Some(Group { told, subject, .. }) = &self.open {
            count(&mut known, &mut all, told, subject.clone());
        }
        all
    }
}

fn count(
    known: &mut HashMap<(&'static str, &'static str, &'static str, Subject), usize>,
    complaints: &mut Vec<Complaint>,
    told: &Said,
    subject: Subject,
) {
    // Whatever it says of messages that opened, one line is enough.
    let subject = if told.words.kind == Kind::Opened { Subject::default() } else { subject };
    let key = (told.client, told.words.text, told.words.means, subject.clone());
    if complaints.len() >= MAX_COMPLAINTS && !known.contains_key(&key) {
        return;
    }
    let number = *known.entry(key).or_insert(complaints.len());
    if let Some(complaint) = complaints.get_mut(number) {
        complaint.count += 1;
        complaint.last = told.time.clone().or(complaint.last.take());
        if complaint.lines.len() < SHOWN_LINES {
            complaint.lines.push(told.position.clone());
        }
    } else {
        complaints.push(Complaint {
            client: told.client,
            words: told.words,
            subject,
            count: 1,
            lines: vec![told.position.clone()],
            first: told.time.clone(),
            last: None,
        });
    }
}

impl Group {
    /// Whether a line is about the same message.
    fn goes_on_with(&self, said: &Said) -> bool {
        let told = &self.told;
        let near = said.position.file == told.position.file && said.position.line.saturating_sub(self.line) <= MAX_DISTANCE;
        // Where a client says when it begins, all lines up to the next beginning are about one message.
        let same = told.client == said.client && near && !said.words.begins && at_once(told, said, self.begun);
        let other = self.subject.jid.is_some() && said.subject.jid.is_some() && self.subject.jid != said.subject.jid;
        same && !other
    }

    fn add(&mut self, said: Said) {
        self.line = said.position.line;
        self.subject = std::mem::take(&mut self.subject).and(said.subject.clone());
        if said.words.weight() < self.told.words.weight() {
            self.told = Said { time: self.told.time.clone().or(said.time), ..said };
        }
    }
}

/// Lines that a client writes of one message bear one time, or none but the first. Where a client says when it begins
/// (`begun`), they may be spread over the moment that it takes.
fn at_once(told: &Said, said: &Said, begun: bool) -> bool {
    let second = |when: &When| when.text.split('.').next().unwrap_or_default().to_owned();
    match (&told.time, &said.time) {
        (Some(a), Some(b)) if begun => match (a.instant, b.instant) {
            (Some(a), Some(b)) => b.duration_since(a).abs() <= A_MOMENT,
            _ => second(a) == second(b),
        },
        (Some(a), Some(b)) => a == b,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClientWords;
    use super::*;
    use crate::model::{ClientLine, Code};
    use std::path::Path;
    use std::sync::Arc;

    fn complaints(lines: &[(&str, &str)]) -> Vec<(Kind, Option<String>, usize)> {
        let mut words = ClientWords::default();
        for (number, (time, text)) in (1..).zip(lines) {
            let position = Position::line(&Arc::from(Path::new("logcat")), number, 0);
            let time = Some(When { instant: None, text: (*time).into() });
            let said = words.note(&ClientLine { position, time, text: (*text).into(), client: "Conversations" });
            said.into_iter().for_each(|said| words.without_message(said));
        }
        words.complaints().into_iter().map(|c| (c.words.kind, c.subject.jid.map(|j| j.to_string()), c.count)).collect()
    }

    #[test]
    fn an_exception_is_one_complaint() {
        let told = complaints(&[
            ("1", "AxolotlService (a@x): Failed to decrypt message from bob@x"),
            ("1", "eu.siacs.conversations.crypto.axolotl.CryptoFailedException: Error decrypting SignalMessage"),
            ("1", "Caused by: org.whispersystems.libsignal.InvalidKeyIdException: No such PreKeyRecord: 15"),
            ("2", "a@x: broken session with carol@x:7 detected"),
            ("2", "BrokenSessionException: org.whispersystems.libsignal.InvalidMessageException: No valid sessions."),
            ("2", "Caused by: org.whispersystems.libsignal.InvalidMessageException: Bad Mac!"),
            ("3", "a@x: broken session with carol@x:7 detected"),
            ("3", "BrokenSessionException: org.whispersystems.libsignal.InvalidMessageException: No valid sessions."),
        ]);
        let expected = [
            (Kind::Failed(Code::PrekeyMissing), Some("bob@x".to_owned()), 1),
            (Kind::Unclear(Code::MacMismatch), Some("carol@x".to_owned()), 2),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn messages_that_opened_are_counted_together() {
        let opened = "Received Message with session fingerprint: 05f0";
        let told = complaints(&[("1", opened), ("2", opened), ("3", "Failed to decrypt message from bob@x")]);
        assert_eq!(told, [(Kind::Opened, None, 2), (Kind::FailedSomehow, Some("bob@x".to_owned()), 1)]);
    }
}
