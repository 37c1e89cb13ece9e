//! Verdicts and findings: what a diagnosis says, before anyone prints it.

use super::{BareJid, Code, Confidence, Position, When};
use crate::omemo::Namespace;
use crate::secret::Plaintext;
use std::sync::Arc;

/// A whole diagnosis.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// What a person needs to know first, a few sentences.
    pub summary: Vec<String>,
    /// One verdict per message, in capture order.
    pub messages: Vec<MessageVerdict>,
    /// What concerns more than one message, most important first.
    pub findings: Vec<Finding>,
}

/// The verdict on one message. What many messages have in common is shared.
#[derive(Clone, Debug)]
pub struct MessageVerdict {
    /// Stanza id.
    pub id: Option<String>,
    /// Sender.
    pub from: Option<BareJid>,
    /// Sender's device id.
    pub sid: Option<u32>,
    /// Our device id, if a key was made for it.
    pub to_device: Option<u32>,
    /// The account whose device we are.
    pub account: Option<BareJid>,
    /// When it was sent or seen.
    pub time: Option<When>,
    /// Where it begins.
    pub position: Position,
    /// The variant; `None` if undefined.
    pub namespace: Option<Namespace>,
    /// The code.
    pub code: Code,
    /// A finer cause.
    pub detail: Option<&'static str>,
    /// How sure.
    pub confidence: Confidence,
    /// What happened, one sentence.
    pub sentence: Arc<str>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do, least drastic first.
    pub remedy: Arc<[String]>,
    /// Other causes that are not excluded, and the file or fact that would settle it.
    pub open_questions: Arc<[String]>,
    /// The body, when there is one and it opened.
    pub plaintext: Option<Plaintext>,
    /// Other decrypted elements.
    pub content: Vec<Content>,
}

impl MessageVerdict {
    /// The detail of a message that there was no store to try with.
    pub const NOT_TRIED: &'static str = "not-tried";

    /// The detail of a message that the client had dealt with before the store copy was made.
    pub const BEFORE_THE_COPY: &'static str = "before-the-copy";

    /// The same, where the client's own log says that it read the message.
    pub const READ_BEFORE_THE_COPY: &'static str = "read-before-the-copy";

    /// The detail of a message that opens with a copy of the store, and that the client could not read.
    pub const CLIENT_FAILED: &'static str = "client-failed";

    /// The detail of a message that there was no store to try with, and that the client read.
    pub const READ_BY_CLIENT: &'static str = "read-by-client";

    /// What became of the message, for somebody who wants to read it.
    pub fn fate(&self) -> Fate {
        match (self.code, self.detail) {
            (Code::Ok, Some(Self::NOT_TRIED)) => Fate::Untried,
            (Code::Ok, Some(Self::READ_BY_CLIENT)) => Fate::ReadByClient,
            (Code::Ok, Some(Self::CLIENT_FAILED)) => Fate::NeedsAttention,
            (Code::Ok, _) => Fate::Opens,
            (Code::DuplicateMessage, Some(Self::BEFORE_THE_COPY)) => Fate::BeforeTheCopy,
            (Code::DuplicateMessage, Some(Self::READ_BEFORE_THE_COPY)) => Fate::ReadByClient,
            (Code::DuplicateMessage, _) => Fate::SecondCopy,
            (Code::EmptyMessage, _) => Fate::Empty,
            (Code::OwnMessage, _) => Fate::Own,
            (Code::NotAddressed, _) => Fate::NotAddressed,
            (Code::BeyondSnapshot, _) => Fate::BeyondTheCopy,
            _ => Fate::NeedsAttention,
        }
    }

    /// This message with the judgement of another one.
    pub fn like(self, other: &Self) -> Self {
        Self {
            code: other.code,
            detail: other.detail,
            confidence: other.confidence,
            sentence: other.sentence.clone(),
            evidence: other.evidence.clone(),
            remedy: other.remedy.clone(),
            open_questions: other.open_questions.clone(),
            ..self
        }
    }
}

/// What became of a message, for somebody who wants to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// Something is wrong.
    NeedsAttention,
    /// It opens.
    Opens,
    /// The stores at hand cannot tell, and the client says that it read it.
    ReadByClient,
    /// There was no store to try it with.
    Untried,
    /// The client had dealt with it before the store copy was made; whether it read it, the copy cannot tell.
    BeforeTheCopy,
    /// It came before.
    SecondCopy,
    /// It carries no text.
    Empty,
    /// It is for other devices.
    NotAddressed,
    /// It came after the store copy was made.
    BeyondTheCopy,
    /// This device sent it.
    Own,
}

/// A decrypted element other than the body.
#[derive(Clone, Debug)]
pub struct Content {
    /// `{namespace}name`.
    pub name: String,
    /// What it is, in a few words, where the kind is known.
    pub says: Option<Plaintext>,
    /// As XML.
    pub xml: Plaintext,
}

/// A finding about the whole.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The code.
    pub code: Code,
    /// A finer cause.
    pub detail: Option<&'static str>,
    /// How sure.
    pub confidence: Confidence,
    /// What was found, one sentence.
    pub sentence: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do, least drastic first.
    pub remedy: Vec<String>,
    /// The stanzas it concerns.
    pub stanza_ids: Vec<String>,
}

impl Finding {
    /// The detail of a finding that is worth knowing but does no harm.
    pub const HARMLESS: &'static str = "harmless";

    /// Stanzas of one finding that are named by their ids, the first ones.
    pub const MAX_STANZA_IDS: usize = 1000;

    /// It concerns this stanza, too.
    pub fn concerns(&mut self, id: Option<String>) {
        Self::add_id(&mut self.stanza_ids, id);
    }

    /// Adds the id of a stanza to those of a finding, while there is room.
    pub fn add_id(ids: &mut Vec<String>, id: Option<String>) {
        if ids.len() < Self::MAX_STANZA_IDS {
            ids.extend(id);
        }
    }

    /// Whether somebody should do something about it. What is merely possible alarms nobody, unless a client complains.
    pub fn needs_attention(&self) -> bool {
        let complained = || self.evidence.iter().any(|piece| piece.kind == EvidenceKind::ClientLog);
        self.detail != Some(Self::HARMLESS) && (self.confidence > Confidence::Possible || complained())
    }
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What kind.
    pub kind: EvidenceKind,
    /// Where: file and row, line, or stanza.
    pub place: Box<str>,
    /// What it says, one sentence.
    pub says: Arc<str>,
}

/// Kinds of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvidenceKind {
    /// A row or file of the store.
    Store,
    /// This or another stanza of the capture.
    Stanza,
    /// A computation with keys: a MAC that verifies or does not.
    Computation,
    /// A line the client wrote.
    ClientLog,
    /// A rule of a specification or a client's known behaviour.
    Rule,
}

impl EvidenceKind {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Stanza => "stanza",
            Self::Computation => "computation",
            Self::ClientLog => "client-log",
            Self::Rule => "rule",
        }
    }
}
