//! One wording and what it stands for.

use super::table::{NO_KEY, NO_SESSION, WORDINGS};
use crate::model::Code;
use std::sync::LazyLock;

/// A known wording.
#[derive(Debug, PartialEq, Eq)]
pub struct Wording {
    /// The part of the line that does not vary.
    pub text: &'static str,
    /// Another part that must stand in the line, too: mostly a number.
    and: &'static str,
    /// What it means, one sentence without its full stop.
    pub means: &'static str,
    /// What it is about.
    pub kind: Kind,
    /// It is the first line about a message.
    pub begins: bool,
    /// Another line about the same message follows.
    pub goes_on: bool,
    /// It begins a try, and where the try fails another line says so.
    pub fails_aloud: bool,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message did not open; the code says why.
    Failed(Code),
    /// A message did not open; the wording stands for several causes, of which the code is the least one can say.
    Unclear(Code),
    /// A message did not open; why stands in another line.
    FailedSomehow,
    /// A message that need not open: nothing is lost.
    Harmless(Code),
    /// A message opened.
    Opened,
    /// A client is done with a message and quotes its text: that beside it, where it did not open.
    Done,
    /// A try begins or goes on.
    Progress,
    /// Somebody does not get what is sent; the fine cause of `not-addressed` says why.
    Unreached(&'static str),
}

impl Wording {
    const fn new(text: &'static str, kind: Kind, means: &'static str) -> Self {
        Self { text, and: "", means, kind, begins: false, goes_on: false, fails_aloud: false }
    }

    pub(super) const fn failed(text: &'static str, code: Code, means: &'static str) -> Self {
        Self::new(text, Kind::Failed(code), means)
    }

    pub(super) const fn unclear(text: &'static str, code: Code, means: &'static str) -> Self {
        Self::new(text, Kind::Unclear(code), means)
    }

    pub(super) const fn somehow(text: &'static str, means: &'static str) -> Self {
        Self::new(text, Kind::FailedSomehow, means)
    }

    pub(super) const fn harmless(text: &'static str, code: Code, means: &'static str) -> Self {
        Self::new(text, Kind::Harmless(code), means)
    }

    pub(super) const fn opened(text: &'static str) -> Self {
        Self::new(text, Kind::Opened, "the message opened")
    }

    pub(super) const fn done(text: &'static str, means: &'static str) -> Self {
        Self::new(text, Kind::Done, means)
    }

    pub(super) const fn progress(text: &'static str) -> Self {
        Self::new(text, Kind::Progress, "a message is being tried")
    }

    pub(super) const fn unreached(text: &'static str, detail: &'static str, means: &'static str) -> Self {
        Self::new(text, Kind::Unreached(detail), means)
    }

    /// With another part that must stand in the line.
    pub(super) const fn and(self, and: &'static str) -> Self {
        Self { and, ..self }
    }

    /// It is the first line about a message.
    pub(super) const fn begins(self) -> Self {
        Self { begins: true, ..self }
    }

    /// Another line about the same message follows.
    pub(super) const fn goes_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    /// It begins a try, and where the try fails another line says so.
    pub(super) const fn fails_aloud(self) -> Self {
        Self { fails_aloud: true, ..self }
    }

    /// The client failed to decrypt something.
    pub fn is_failure(&self) -> bool {
        matches!(self.kind, Kind::Failed(_) | Kind::Unclear(_) | Kind::FailedSomehow | Kind::Done)
    }

    /// A client begins to try a message.
    pub fn is_try(&self) -> bool {
        self.begins && self.kind == Kind::Progress
    }

    /// Whether it says anything of what became of a message.
    pub fn is_outcome(&self) -> bool {
        self.is_failure() || matches!(self.kind, Kind::Harmless(_))
    }

    /// It says that there is no key for this device.
    pub fn denies_key(&self) -> bool {
        self.means.starts_with(NO_KEY)
    }

    /// It says that there is no session with the sender's device.
    pub fn denies_session(&self) -> bool {
        self.means == NO_SESSION
    }

    /// It says that the message was read before.
    pub fn claims_duplicate(&self) -> bool {
        self.kind == Kind::Harmless(Code::DuplicateMessage)
    }

    /// How little it tells of a message, to compare: a cause tells more than anything else, and of two causes the first
    /// in the table.
    pub fn weight(&self) -> (u8, usize) {
        let kind = match self.kind {
            Kind::Failed(_) | Kind::Unclear(_) => 0,
            Kind::Harmless(_) => 1,
            Kind::FailedSomehow | Kind::Done => 2,
            Kind::Opened => 3,
            Kind::Progress | Kind::Unreached(_) => 4,
        };
        (kind, WORDINGS.iter().position(|other| std::ptr::eq(other, self)).unwrap_or(WORDINGS.len()))
    }
}

/// The texts in lower case: clients and their versions do not agree on letters.
static TEXTS: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| WORDINGS.iter().map(|w| (w.text.to_ascii_lowercase(), w.and.to_ascii_lowercase())).collect());

/// What a decrypted text stands behind: whatever it quotes is not the client's word.
const PLAINTEXT_LINES: &[&str] = &[
    "decrypted message",
    "message decrypted:",
    "decrypted omemo message",
    "encrypting plaintext",
    "plaintext:",
    "writing to db",
];

/// Lines about what a client sends, in words that mean something else where it reads.
const SENDING_LINES: &[&str] = &["there is no session for"];

/// The wording in a line.
pub fn recognise(text: &str) -> Option<&'static Wording> {
    let text = text.to_ascii_lowercase();
    if SENDING_LINES.iter().any(|mark| text.contains(mark)) {
        return None;
    }
    let plaintext = PLAINTEXT_LINES.iter().filter_map(|mark| Some(text.find(mark)? + mark.len())).min();
    let text = &text[..plaintext.unwrap_or(text.len())];
    let found = TEXTS.iter().position(|(words, and)| text.contains(words.as_str()) && text.contains(and.as_str()))?;
    WORDINGS.get(found)
}

/// The text that a line quotes behind its wording, as Python writes it.
pub fn quoted(line: &str, words: &Wording) -> Option<String> {
    let at = line.to_ascii_lowercase().find(&words.text.to_ascii_lowercase())? + words.text.len();
    let text = line.get(at..)?.trim_start_matches([':', ' ']).trim_end();
    let inside = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    inside('\'').or_else(|| inside('"')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_telling_part_of_a_line_is_taken() {
        let code = |line: &str| recognise(line).map(|w| w.kind);
        assert_eq!(code("Caused by: InvalidKeyIdException: No such PreKeyRecord: 15"), Some(Kind::Failed(Code::PrekeyMissing)));
        assert_eq!(code("OMEMO decryption failed: Error Bad MAC"), Some(Kind::Unclear(Code::MacMismatch)));
        assert_eq!(code("No valid sessionsUninitialized session!"), Some(Kind::Failed(Code::NoSession)));
        assert_eq!(code("lurch: failed to decrypt key (-1001)"), Some(Kind::Harmless(Code::DuplicateMessage)));
        assert_eq!(code("lurch: failed to decrypt key (-1099)"), Some(Kind::FailedSomehow));
    }

    #[test]
    fn unknown_lines_say_nothing() {
        assert_eq!(recognise("Session created for: bob@example.org"), None);
        assert_eq!(recognise("(a@b) Decrypted Message => No valid sessions"), None);
        assert_eq!(recognise("[OMEMO] There is no Session for bob@localhost ( 7) ,... building session."), None);
        let done = "plugin_e2ee:Decrypted omemo message: 'my phone says Bad MAC all day'";
        let words = recognise(done).filter(|w| w.kind == Kind::Done).expect("known");
        assert_eq!(quoted(done, words).as_deref(), Some("my phone says Bad MAC all day"));
        assert_eq!(recognise("Message decrypted: b'my phone says Bad MAC all day'").map(|w| w.kind), Some(Kind::Opened));
    }

    #[test]
    fn why_somebody_is_not_reached_is_a_finer_cause_that_is_explained() {
        let explained = crate::analysis::diagnose::explanation(Code::NotAddressed);
        for words in WORDINGS {
            if let Kind::Unreached(detail) = words.kind {
                assert!(explained.contains(&format!("- `{detail}`: ")), "{detail} is not explained");
            }
        }
    }

    #[test]
    fn a_missed_session_is_known_by_its_meaning() {
        for words in ["No session for", "NoSession: x", "SG_ERR_NO_SESSION", "no session with the device exists", "No record for"]
        {
            assert!(recognise(words).is_some_and(Wording::denies_session), "{words}");
        }
        assert!(!recognise("Bad MAC").is_some_and(Wording::denies_session));
    }

    /// A wording that contains an earlier one could never be found.
    #[test]
    fn no_wording_hides_a_later_one() {
        for (i, words) in WORDINGS.iter().enumerate() {
            let line = format!("{} {}", words.text, words.and);
            let found = recognise(&line).map(|words| words.weight().1);
            assert_eq!(found, Some(i), "{:?} is hidden by {:?}", words.text, found.and_then(|f| WORDINGS.get(f)));
        }
    }
}
