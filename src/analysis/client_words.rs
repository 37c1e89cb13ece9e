//! What clients say in their own logs, and what it means. One wording stands for several causes, so a
//! line is never believed alone: it is evidence that the client failed, and a hint at why.
//!
//! Only the known part of a line is ever shown: the rest may hold plaintext. Of names it takes addresses and devices.

mod complaints;
mod subject;
mod table;
mod wording;

use crate::mark::mark;
use crate::model::{ClientLine, Evidence, EvidenceKind, Position, When};
pub use complaints::Complaint;
use complaints::Complaints;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
pub use subject::Subject;
use wording::quoted;
pub use wording::{Kind, Wording, recognise};

/// Lines that are taken to be about one message; clients write a handful.
const MAX_LINES: usize = 12;

/// Lines of one wording that are kept to point at.
const MAX_OF_ONE_WORDING: usize = 100;

/// A line with a known wording.
#[derive(Clone, Debug)]
pub struct Said {
    /// Where.
    pub position: Position,
    /// When.
    pub time: Option<When>,
    /// Which client.
    pub client: &'static str,
    /// What.
    pub words: &'static Wording,
    /// Of whom.
    pub subject: Subject,
    /// The text that it quotes, hashed: it may be a decrypted one.
    pub quoted: Option<u64>,
}

impl Said {
    /// As evidence: what the client says, and what it means.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            kind: EvidenceKind::ClientLog,
            place: self.position.to_string().into(),
            says: format!("{} says \u{201c}{}\u{201d}: {}", self.client, self.words.text, self.words.means).into(),
        }
    }

    /// Whether the client that wrote it tries messages while it goes on reading, so that what it says may stand behind
    /// later stanzas.
    pub fn is_late(&self) -> bool {
        ["Converse", "Kaidan", "QXmpp"].contains(&self.client)
    }
}

/// What clients said.
#[derive(Debug, Default)]
pub struct ClientWords {
    /// The first lines with each wording.
    first: BTreeMap<&'static str, Vec<Said>>,
    complaining: BTreeSet<Arc<Path>>,
    complaints: Complaints,
    /// Logs that hold stanzas.
    with_stanzas: BTreeSet<Arc<Path>>,
}

impl ClientWords {
    /// Notes a line and gives what it says, if its wording is known.
    pub fn note(&mut self, line: &ClientLine) -> Option<Said> {
        let words = recognise(&line.text)?;
        let (position, time) = (line.position.clone(), line.time.clone());
        let quoted = (words.kind == Kind::Done).then(|| quoted(&line.text, words)).flatten().map(|text| mark(text.as_str()));
        let said = Said { position, time, client: line.client, words, subject: Subject::of(&line.text), quoted };
        let first = self.first.entry(words.text).or_default();
        if first.len() < MAX_OF_ONE_WORDING {
            first.push(said.clone());
        }
        if words.is_failure() {
            self.complaining.insert(line.position.file.clone());
        }
        Some(said)
    }

    /// Notes that a log holds a stanza.
    pub fn note_stanza(&mut self, file: &Arc<Path>) {
        if !self.with_stanzas.contains(file) {
            self.with_stanzas.insert(file.clone());
        }
    }

    /// Whether a log holds stanzas.
    pub fn has_stanzas(&self, file: &Path) -> bool {
        self.with_stanzas.contains(file)
    }

    /// Notes that what a client said is about no message that the captures hold.
    pub fn without_message(&mut self, said: Said) {
        if said.words.kind != Kind::Done {
            self.complaints.add(said);
        }
    }

    /// What clients said of messages that the captures do not hold.
    pub fn complaints(&self) -> Vec<Complaint> {
        self.complaints.all()
    }

    /// By client, how many messages that no capture holds opened, and how many did not.
    pub fn told(&self) -> Vec<(&'static str, usize, usize)> {
        let mut told: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
        for complaint in self.complaints() {
            let (opened, failed) = told.entry(complaint.client).or_default();
            match complaint.words.kind {
                Kind::Opened => *opened += complaint.count,
                _ if complaint.words.is_failure() => *failed += complaint.count,
                _ => {}
            }
        }
        let told = told.into_iter().filter(|(_, (opened, failed))| opened + failed > 0);
        told.map(|(client, (opened, failed))| (client, opened, failed)).collect()
    }

    /// The first lines with this wording.
    pub fn with(&self, text: &str) -> &[Said] {
        self.first.get(text).map_or(&[], Vec::as_slice)
    }

    /// Whether the client complains anywhere in this log.
    pub fn complains_in(&self, file: &Path) -> bool {
        self.complaining.contains(file)
    }
}

/// What the client said of one message.
#[derive(Clone, Debug, Default)]
pub struct Comments {
    lines: Vec<Said>,
    begun: Option<Box<Said>>,
    opened: Option<Box<Said>>,
}

impl Comments {
    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Said> {
        self.lines.iter()
    }

    /// Whether the client said what became of the message.
    pub fn tell_outcome(&self) -> bool {
        self.lines.iter().any(|said| said.words.is_outcome())
    }

    /// What the client says of the message, if it is that it failed: of several lines the most telling one counts. A
    /// client tries one state of a session after the other, so what failed may open in the end.
    pub fn failure(&self) -> Option<&Said> {
        let told = self.lines.iter().min_by_key(|said| said.words.weight())?;
        (told.words.is_failure() && self.opened.is_none()).then_some(told)
    }

    /// What the client says of the message, if it is that it opened, or that it tried it, and no failure follows.
    pub fn opened(&self) -> Option<&Said> {
        let tried = self.begun.as_deref().filter(|said| said.words.fails_aloud && self.lines.is_empty());
        self.opened.as_deref().or(tried)
    }

    /// Whether the client said that it tries the message.
    pub fn begun(&self) -> bool {
        self.begun.is_some()
    }

    /// The client says that it tries the message.
    pub fn begin(&mut self, said: Said) {
        self.begun.get_or_insert(Box::new(said));
    }

    /// Adds a line while there are not too many.
    pub fn add(&mut self, said: Said) {
        if said.words.kind == Kind::Opened {
            // After the last word on a failure it is about a session that was begun since.
            let ended = self.lines.iter().any(|line| line.words.kind == Kind::FailedSomehow);
            self.opened = self.opened.take().or_else(|| (!ended).then(|| Box::new(said)));
            return;
        }
        if said.words.kind == Kind::Done && self.opened.is_some() {
            return;
        }
        // The key opened, and then the text did not.
        self.opened.take_if(|_| said.words.is_failure());
        if self.lines.len() < MAX_LINES {
            self.lines.push(said);
        }
    }

    /// Takes away what belongs to a stanza that begins at `next`: readers hand over a stanza when it ends, and its
    /// log may have gone on meanwhile.
    pub fn split(&mut self, next: &Position) -> Self {
        let (before, mut after): (Vec<_>, Vec<_>) = std::mem::take(&mut self.lines)
            .into_iter()
            .partition(|said| said.position.file != next.file || said.position.line < next.line);
        after.retain(|said| said.position.line > next.line);
        self.lines = before;
        Self { lines: after, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: u64, text: &str) -> Option<Said> {
        let position = Position::line(&Arc::from(Path::new("log")), number, 0);
        ClientWords::default().note(&ClientLine { position, time: None, text: text.into(), client: "Gajim" })
    }

    #[test]
    fn lines_behind_the_next_stanza_are_about_that() {
        let mut comments = Comments::default();
        for (number, text) in [(5, "(W) No valid sessionsBad Mac!"), (9, "(I) Received duplicated message")] {
            comments.add(said(number, text).expect("a known wording"));
        }
        let next = comments.split(&Position::line(&Arc::from(Path::new("log")), 7, 0));
        let says = |comments: &Comments| comments.iter().map(|s| (s.words.text, s.words.is_failure())).collect::<Vec<_>>();
        assert_eq!(says(&comments), [("No valid sessions", true)]);
        assert_eq!(says(&next), [("Received duplicated message", false)]);
    }

    #[test]
    fn the_most_telling_complaint_counts() {
        let mut comments = Comments::default();
        for text in ["Failed to decrypt message from bob@localhost", "Caused by: InvalidKeyIdException: No such PreKeyRecord: 15"]
        {
            comments.add(said(1, text).expect("a known wording"));
        }
        let code = comments.failure().map(|said| said.words.kind);
        assert_eq!(code, Some(Kind::Failed(crate::model::Code::PrekeyMissing)));
    }
}
