//! Causes: one a file. A cause looks at the facts of a message and says whether it explains them; the
//! first in [`CAUSES`] that does names the code. Its doc comment is what `explain CODE` prints.

use super::book::{Book, OwnRatchetKey, Sighting};
use super::client_words::{ClientWords, Said};
use super::content::Payload;
use super::groups::{Group, Groups};
use super::outcome::{OpenedBy, Outcome};
use super::own_device::OwnDevice;
use super::published::Published;
use super::rules::envelope;
use super::trial::Trial;
use crate::model::{ClientProfile, Code, Confidence, Evidence, EvidenceKind, Finding, MessageVerdict, Position, Store};

mod ad_mismatch;
mod between_copies;
mod beyond_copy;
mod beyond_snapshot;
mod bundle_signature_invalid;
mod chain_age;
mod device_id_collision;
mod duplicate_message;
mod empty_message;
mod identity_changed;
mod label_signature_invalid;
mod mac_mismatch;
mod malformed_message;
mod malformed_stanza;
mod message_key_evicted;
mod newer_copy;
mod no_session;
mod not_addressed;
mod not_addressed_reason;
mod ok;

pub use ok::OPT_OUT;

mod own_message;
mod own_ratchet_moved;
mod payload_auth_failed;
mod prekey_missing;
mod receiver_rolled_back;
mod recovery;
mod sender_rolled_back;
mod signed_prekey_missing;
mod simultaneous_initiation;
mod store_corrupt;
mod too_many_skipped;
mod unsupported_version;
mod untrusted_device;
mod variant_mismatch;
mod wrong_recipient_jid;

pub use beyond_copy::BeyondCopy;
pub use newer_copy::UsedUp;

/// A cause.
pub struct Cause {
    /// Its code.
    pub code: Code,
    /// The source of its file; the leading doc comment is its explanation.
    source: &'static str,
    /// Whether it explains a message.
    judge: fn(&Scene<'_>) -> Option<Judgement>,
    /// What it has to say about the whole.
    whole: fn(&Whole<'_>, &Verdicts<'_>) -> Vec<Finding>,
}

/// The causes in the order of decision: the first that fits names the code.
pub const CAUSES: &[Cause] = &[
    unsupported_version::CAUSE,
    malformed_stanza::CAUSE,
    store_corrupt::NO_ACCOUNT,
    own_message::CAUSE,
    device_id_collision::CAUSE,
    not_addressed::CAUSE,
    wrong_recipient_jid::CAUSE,
    variant_mismatch::CAUSE,
    malformed_message::CAUSE,
    store_corrupt::CAUSE,
    identity_changed::CAUSE,
    untrusted_device::CAUSE,
    simultaneous_initiation::CAUSE,
    duplicate_message::SAME_BYTES,
    sender_rolled_back::CAUSE,
    message_key_evicted::CAUSE,
    too_many_skipped::CAUSE,
    beyond_snapshot::CAUSE,
    receiver_rolled_back::CAUSE,
    signed_prekey_missing::CAUSE,
    prekey_missing::CAUSE,
    no_session::CAUSE,
    duplicate_message::CAUSE,
    ad_mismatch::CAUSE,
    mac_mismatch::CAUSE,
    payload_auth_failed::CAUSE,
    empty_message::CAUSE,
    bundle_signature_invalid::CAUSE,
    label_signature_invalid::CAUSE,
    ok::CAUSE,
];

/// Everything that is known, for judging one message or the whole.
pub struct Whole<'a> {
    /// Our own devices.
    pub own: &'a [OwnDevice],
    /// What the capture shows in clear.
    pub book: &'a Book,
    /// Lists and bundles.
    pub published: &'a Published,
    /// All messages.
    pub outcomes: &'a [Outcome],
    /// What the client itself said.
    pub client_words: &'a ClientWords,
    /// The stores are early snapshots.
    pub snapshots_only: bool,
    /// The other end's stores.
    pub peers: &'a [Store],
    /// A message whose failure by itself shows that our store is an older copy.
    pub rolled_back: Option<&'a RolledBack>,
    /// Messages that came live under keys that the store copy had used up.
    pub used_up: &'a UsedUp,
    /// How the client fares with what the copy cannot open.
    pub beyond_copy: &'a BeyondCopy,
}

/// A message that shows by itself that our store is an older copy.
#[derive(Clone, Debug)]
pub struct RolledBack {
    /// The sender's device.
    pub sid: u32,
    /// Where it stands.
    pub sighting: Sighting,
    /// How surely it shows that.
    pub confidence: Confidence,
}

impl Whole<'_> {
    /// All messages, in order.
    pub fn scenes(&self) -> impl Iterator<Item = Scene<'_>> {
        (0..self.outcomes.len()).filter_map(|order| self.scene(order))
    }

    /// The message at this place among all.
    pub fn scene(&self, order: usize) -> Option<Scene<'_>> {
        let next = self.outcomes.get(order + 1).map(|o| &o.header.position);
        Some(Scene { outcome: self.outcomes.get(order)?, whole: self, order, next })
    }

    /// Looks for a message that shows by itself that our store is an older copy; one that only may show it is taken
    /// where there is no better.
    pub fn find_rolled_back(&self) -> Option<RolledBack> {
        let mut possible = None;
        let surer = |found: RolledBack| match found.confidence {
            Confidence::Possible => {
                possible.get_or_insert(found);
                None
            }
            _ => Some(found),
        };
        self.rolled_back_signs().find_map(surer).or(possible)
    }

    fn rolled_back_signs(&self) -> impl Iterator<Item = RolledBack> {
        self.scenes().filter_map(|scene| {
            let outcome = scene.outcome;
            let moved = own_ratchet_moved::own_ratchet_moved(&scene)?;
            let header = &outcome.header;
            let sighting = Sighting { position: header.position.clone(), id: header.id.as_deref().map(Into::into) };
            let old = !moved.within_capture || scene.client_failed();
            (old && outcome.opened_by.is_none()).then_some(RolledBack {
                sid: outcome.element.sid()?,
                sighting,
                confidence: moved.confidence,
            })
        })
    }
}

/// One message before its judge.
pub struct Scene<'a> {
    /// The message.
    pub outcome: &'a Outcome,
    /// Everything else.
    pub whole: &'a Whole<'a>,
    /// Its place among all messages.
    pub order: usize,
    /// Where the next message begins.
    pub next: Option<&'a Position>,
}

impl<'a> Scene<'a> {
    /// Our own device.
    pub fn own(&self) -> Option<&'a OwnDevice> {
        self.whole.own.get(self.outcome.own)
    }

    /// The client whose store it is.
    pub fn client(&self) -> Option<&'static ClientProfile> {
        self.own().and_then(|o| o.client)
    }

    /// The client's name, or `the client`.
    pub fn client_name(&self) -> &'static str {
        self.client().map_or("the client", |c| c.name)
    }

    /// The trial that the verdict rests on.
    pub fn trial(&self) -> Option<&'a Trial> {
        self.outcome.trial()
    }

    /// Whether the ratchet layer opened, by whatever means.
    pub fn opened(&self) -> bool {
        self.outcome.opened_by.is_some()
    }

    /// Whether a copy of our own store opened it.
    pub fn opened_by_store(&self) -> bool {
        matches!(self.outcome.opened_by, Some(OpenedBy::Trial(_)))
    }

    /// The newest of our ratchet keys towards the sender's device that the capture showed before.
    pub fn own_newest(&self) -> Option<&'a OwnRatchetKey> {
        self.own_sent(self.outcome.own_newest?)
    }

    /// A key exchange of ours with the sender's device, seen before.
    pub fn own_exchange(&self) -> Option<&'a OwnRatchetKey> {
        self.own_sent(self.outcome.own_exchange?)
    }

    fn own_sent(&self, position: usize) -> Option<&'a OwnRatchetKey> {
        self.whole.book.own_ratchet_keys(self.outcome.namespace()?, self.outcome.element.sid()?).get(position)
    }

    /// `device 4711 of bob@example.org`.
    pub fn sender(&self) -> String {
        let device = self.outcome.element.sid().map_or_else(|| "an unnamed device".into(), |id| format!("device {id}"));
        match (&self.outcome.header.from, &self.outcome.header.from_full) {
            (Some(jid), _) => format!("{device} of {jid}"),
            (None, Some(full)) => format!("{device} ({full})"),
            (None, None) => device,
        }
    }

    /// `your device 4711`.
    pub fn our_device(&self) -> String {
        self.own().and_then(|o| o.device_id).map_or_else(|| "your device".into(), |id| format!("your device {id}"))
    }

    /// What the client itself said of this message: its lines up to the next stanza of the same log.
    pub fn client_said(&self) -> impl Iterator<Item = &'a Said> {
        let position = &self.outcome.header.position;
        let next = self.next.filter(|next| next.file == position.file).map(|next| next.line);
        self.whole.client_words.after(position, next)
    }

    /// Whether the client's own log says that it failed.
    pub fn client_failed(&self) -> bool {
        self.client_said().any(|said| said.words.failure)
    }

    /// Whether something in the capture came before this message was sent.
    pub fn is_after(&self, position: &Position) -> bool {
        let message = &self.outcome.header.position;
        !self.outcome.is_delayed() && (position.file != message.file || position.byte < message.byte)
    }

    /// Evidence from this stanza.
    pub fn stanza(&self, says: impl Into<String>) -> Evidence {
        Evidence { kind: EvidenceKind::Stanza, place: self.outcome.header.position.to_string().into(), says: says.into().into() }
    }
}

/// What a cause says of a message.
#[derive(Clone, Debug)]
pub struct Judgement {
    detail: Option<&'static str>,
    confidence: Confidence,
    sentence: String,
    evidence: Vec<Evidence>,
    remedy: Vec<String>,
    open_questions: Vec<String>,
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

    /// With the client's own remedy, if it has one.
    pub fn all_remedies(mut self, remedy: Option<&str>) -> Self {
        self.remedy.extend(remedy.map(str::to_owned));
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

/// A cause that has nothing to say about the whole.
fn nothing(_whole: &Whole<'_>, _verdicts: &Verdicts<'_>) -> Vec<Finding> {
    Vec::new()
}

/// The verdicts on all messages. Each is worked out when it is asked for: kept, they would take more memory than
/// everything that they rest on.
pub struct Verdicts<'a> {
    /// What is known.
    pub whole: &'a Whole<'a>,
    /// Which messages fare alike.
    pub groups: &'a Groups,
}

impl Verdicts<'_> {
    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.whole.outcomes.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code of the message at this place.
    pub fn code(&self, order: usize) -> Option<Code> {
        self.groups.of_message(order).map(|group| group.code)
    }

    /// The verdicts on the messages of the groups that fit, in the order of the capture.
    pub fn of(&self, fits: impl Fn(&Group) -> bool) -> impl Iterator<Item = MessageVerdict> {
        let orders = (0..self.len()).filter(move |order| self.groups.of_message(*order).is_some_and(&fits));
        orders.filter_map(|order| verdict_at(self.whole, order))
    }
}

/// The verdict on the message at this place. A second copy of a message that failed has failed for the same
/// reason, whatever the replay has made of the session meanwhile.
pub fn verdict_at(whole: &Whole<'_>, order: usize) -> Option<MessageVerdict> {
    let scene = whole.scene(order)?;
    let outcome = scene.outcome;
    let failed = !outcome.trials.is_empty() && outcome.opened_by.is_none();
    let copy = outcome.seen_before.as_ref().filter(|seen| failed && seen.same_bytes && !seen.opened && seen.order < order);
    let Some(earlier) = copy.and_then(|seen| verdict_at(whole, seen.order)) else { return Some(verdict(&scene)) };
    if earlier.code == Code::BeyondSnapshot {
        // The client read the first copy, if not with this store copy: this one was a second copy to it.
        return Some(written(&scene, Code::DuplicateMessage, duplicate_message::second_copy(&scene)));
    }
    let evidence = scene.stanza(format!("the same bytes as in {}, which failed already", earlier.position));
    Some(MessageVerdict { evidence: [vec![evidence], earlier.evidence.clone()].concat(), ..verdict(&scene).like(&earlier) })
}

/// The verdict on one message.
pub fn verdict(scene: &Scene<'_>) -> MessageVerdict {
    let found = CAUSES.iter().find_map(|cause| (cause.judge)(scene).map(|j| (cause.code, j)));
    let (code, judgement) =
        found.unwrap_or_else(|| (Code::Ok, Judgement::new(Confidence::Possible, "Nothing speaks against this message.")));
    written(scene, code, judgement)
}

/// A judgement on a message, with what the message itself and its client say.
fn written(scene: &Scene<'_>, code: Code, judgement: Judgement) -> MessageVerdict {
    let outcome = scene.outcome;
    let opened = match outcome.payload.as_deref() {
        Some(Payload::Opened(opened)) => Some(opened),
        _ => None,
    };
    let own = scene.own();
    let addressed = outcome.addressing.ours > 0 || outcome.addressing.other_jid.is_some();
    let mut evidence = judgement.evidence;
    if !code.is_harmless() || code == Code::DuplicateMessage {
        evidence.extend(scene.client_said().map(|said| {
            Evidence {
                kind: EvidenceKind::ClientLog,
                place: said.position.to_string().into(),
                says: format!(
                    "{} says \u{201c}{}\u{201d}: {}{}",
                    said.client,
                    said.words.text,
                    said.words.means,
                    contradiction(scene, said)
                )
                .into(),
            }
        }));
    }
    if blames_sender(code)
        && let Some(writer) = outcome.header.fallback_of
    {
        evidence.push(scene.stanza(format!("the fallback text beside it is the one that {writer} writes")));
    }
    evidence.extend(outcome.repairs.iter().map(|r| scene.stanza(r.clone())));
    if let Some(opened) = opened {
        evidence.extend(opened.findings.iter().map(|f| rule(envelope::rule(f).id, f.to_string())));
    }
    // What holds for every such message comes after what holds for this one.
    evidence.sort_by_key(|e| e.kind == EvidenceKind::Rule);
    MessageVerdict {
        id: outcome.header.id.as_deref().map(Into::into),
        from: outcome.header.from.clone(),
        sid: outcome.element.sid(),
        to_device: own.and_then(|o| o.device_id).filter(|_| addressed),
        account: own.and_then(|o| o.jid.clone()),
        time: outcome.header.time.clone(),
        position: outcome.header.position.clone(),
        namespace: outcome.namespace(),
        code,
        detail: judgement.detail,
        confidence: judgement.confidence,
        sentence: judgement.sentence.into(),
        evidence,
        remedy: judgement.remedy.into(),
        open_questions: judgement.open_questions.into(),
        plaintext: opened.and_then(|o| o.body.clone()),
        content: opened.map(|o| o.content.clone()).unwrap_or_default(),
    }
}

/// Whether the fault lies with the client that sent the message: then it helps to know which one it was.
const fn blames_sender(code: Code) -> bool {
    use Code::{MalformedMessage, MalformedStanza, PayloadAuthFailed, UnsupportedVersion, VariantMismatch};
    matches!(code, MalformedMessage | MalformedStanza | PayloadAuthFailed | UnsupportedVersion | VariantMismatch)
}

/// What speaks against the client's words.
fn contradiction(scene: &Scene<'_>, said: &Said) -> String {
    let outcome = scene.outcome;
    let other_bytes = outcome.seen_before.as_ref().is_some_and(|seen| !seen.same_bytes);
    if said.words.denies_key() && outcome.addressing.ours > 0 {
        format!(". That is not so: there is a key for {}", scene.our_device())
    } else if said.words.claims_duplicate() && other_bytes {
        ". That is not so: the bytes are others".into()
    } else {
        String::new()
    }
}

/// Findings about the whole, of all causes.
pub fn findings(whole: &Whole<'_>, verdicts: &Verdicts<'_>) -> Vec<Finding> {
    let findings = CAUSES.iter().flat_map(|cause| (cause.whole)(whole, verdicts));
    findings.map(|finding| Finding { sentence: capital(&finding.sentence), ..finding }).collect()
}

/// Sentences often begin with a device, and every sentence begins with a capital letter.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The explanation of a code: the doc comment of its cause's file, as Markdown.
pub fn explanation(code: Code) -> String {
    let source = CAUSES.iter().find(|c| c.code == code).map_or("", |c| c.source);
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
