//! What a cause says of a message, and how evidence is written down.

use crate::model::{Confidence, Evidence, EvidenceKind, Position};

/// What a cause says of a message.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub(super) detail: Option<&'static str>,
    pub(super) confidence: Confidence,
    pub(super) sentence: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) remedy: Vec<String>,
    pub(super) open_questions: Vec<String>,
}

impl Judgement {
    /// A judgement with its sentence.
    pub fn new(confidence: Confidence, sentence: impl Into<String>) -> Self {
        Self {
            detail: None,
            confidence,
            sentence: capital(&sentence.into()),
            evidence: Vec::new(),
            remedy: Vec::new(),
            open_questions: Vec::new(),
        }
    }

    /// With a finer cause.
    pub fn detail(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// With a finer cause, if there is one.
    pub fn maybe_detail(mut self, detail: Option<&'static str>) -> Self {
        self.detail = detail.or(self.detail);
        self
    }

    /// With a piece of evidence.
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// With more evidence.
    pub fn all_evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// With something to do; call in order, least drastic first.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy.push(remedy.into());
        self
    }

    /// With nothing else to do than this.
    pub fn only_remedy(self, remedy: &str) -> Self {
        Self { remedy: vec![remedy.to_owned()], ..self }
    }

    /// With the client's own remedy, if it has one.
    pub fn all_remedies(mut self, remedy: Option<&str>) -> Self {
        self.remedy.extend(remedy.map(str::to_owned));
        self
    }

    /// With other causes that are not excluded and what would decide.
    pub fn all_open_questions(mut self, questions: Option<&str>) -> Self {
        self.open_questions.extend(questions.map(str::to_owned));
        self
    }

    /// With another cause that is not excluded and what would decide.
    pub fn open_question(mut self, question: impl Into<String>) -> Self {
        self.open_questions.push(question.into());
        self
    }
}

/// Evidence from a store.
pub fn in_store(place: impl ToString, says: impl Into<String>) -> Evidence {
    Evidence { kind: EvidenceKind::Store, place: place.to_string().into(), says: says.into().into() }
}

/// Evidence from another stanza.
pub fn in_stanza(at: &impl AsRef<Position>, says: impl Into<String>) -> Evidence {
    Evidence { kind: EvidenceKind::Stanza, place: at.as_ref().to_string().into(), says: says.into().into() }
}

/// Evidence from a computation.
pub fn computed(says: impl Into<String>) -> Evidence {
    Evidence { kind: EvidenceKind::Computation, place: "ratchet".into(), says: says.into().into() }
}

/// A known rule.
pub fn rule(place: impl Into<String>, says: impl Into<String>) -> Evidence {
    Evidence { kind: EvidenceKind::Rule, place: place.into().into(), says: says.into().into() }
}

/// Sentences often begin with a device, and every sentence begins with a capital letter.
pub fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
