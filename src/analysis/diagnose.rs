//! Causes: one a file. A cause looks at the facts of a message and says whether it explains them; the
//! first in [`CAUSES`] that does names the code. Its doc comment is what `explain CODE` prints.

use super::book::{Book, Sighting};
use super::client_words::ClientWords;
use super::outcome::Outcome;
use super::own_device::OwnDevice;
use super::published::Published;
use crate::model::{Code, Confidence, Finding, Store};

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
mod judgement;
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
mod own_message;
mod own_ratchet_moved;
mod payload_auth_failed;
mod prekey_missing;
mod receiver_rolled_back;
mod recovery;
mod scene;
mod sender_rolled_back;
mod signed_prekey_missing;
mod simultaneous_initiation;
mod store_corrupt;
mod too_many_skipped;
mod unsupported_version;
mod untrusted_device;
mod variant_mismatch;
mod verdict;
mod wrong_recipient_jid;

pub use beyond_copy::BeyondCopy;
pub use newer_copy::UsedUp;
pub use ok::OPT_OUT;
pub use scene::Scene;
pub use verdict::{Verdicts, verdict_at};

use judgement::{Judgement, capital, computed, in_stanza, in_store, rule};

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

/// A cause that has nothing to say about the whole.
fn nothing(_whole: &Whole<'_>, _verdicts: &Verdicts<'_>) -> Vec<Finding> {
    Vec::new()
}

/// Findings about the whole, of all causes.
pub fn findings(whole: &Whole<'_>, verdicts: &Verdicts<'_>) -> Vec<Finding> {
    let findings = CAUSES.iter().flat_map(|cause| (cause.whole)(whole, verdicts));
    findings.map(|finding| Finding { sentence: capital(&finding.sentence), ..finding }).collect()
}

/// The explanation of a code: the doc comment of its cause's file, as Markdown.
pub fn explanation(code: Code) -> String {
    let source = CAUSES.iter().find(|c| c.code == code).map_or("", |c| c.source);
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
