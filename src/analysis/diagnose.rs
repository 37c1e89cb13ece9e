//! Causes: one a file. A cause looks at the facts of a message and says whether it explains them; the
//! first in [`CAUSES`] that does names the code. Its doc comment is what `explain CODE` prints.

use super::book::Book;
use super::client_words::ClientWords;
use super::own_device::OwnDevice;
use super::published::Published;
use super::window::Window;
use crate::model::{Code, Finding, Store};

mod ad_mismatch;
mod altered;
mod between_copies;
mod beyond_copy;
mod beyond_snapshot;
mod bundle_signature_invalid;
mod chain_age;
mod client_report;
mod client_said;
mod device_id_collision;
mod duplicate_message;
mod empty_message;
mod gathering;
mod hindsight;
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
mod remedies;
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

pub use gathering::Gathering;
pub use hindsight::{Hindsight, RolledBack};
pub use ok::OPT_OUT;
pub use scene::Scene;
pub use verdict::verdict_at;

use gathering::{at_the_end, nothing};
pub use judgement::capital;
use judgement::{Judgement, computed, in_stanza, in_store, rule};
pub use remedies::OVER;

/// A cause.
pub struct Cause {
    /// Its code.
    pub code: Code,
    /// The source of its file; the leading doc comment is its explanation.
    source: &'static str,
    /// Whether it explains a message.
    judge: fn(&Scene<'_>) -> Option<Judgement>,
    /// What it remembers, to say at the end what holds for the whole.
    gather: fn() -> Box<dyn Gathering>,
}

/// The causes in the order of decision: the first that fits names the code.
pub const CAUSES: &[Cause] = &[
    unsupported_version::CAUSE,
    malformed_stanza::CAUSE,
    store_corrupt::NO_ACCOUNT,
    own_message::CAUSE,
    mac_mismatch::ALTERED,
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
    /// The messages in view.
    pub window: &'a Window,
    /// What the client itself said.
    pub client_words: &'a ClientWords,
    /// The stores are early snapshots.
    pub snapshots_only: bool,
    /// The other end's stores.
    pub peers: &'a [Store],
    /// What shows only later in the capture.
    pub hindsight: &'a Hindsight,
}

impl Whole<'_> {
    /// The message at this place among all.
    pub fn scene(&self, order: usize) -> Option<Scene<'_>> {
        Some(Scene { outcome: self.window.get(order)?, whole: self, order })
    }
}

/// The memories of all causes, empty.
pub fn gatherings() -> Vec<Box<dyn Gathering>> {
    let reports: Box<dyn Gathering> = Box::<client_report::Reports>::default();
    CAUSES.iter().map(|cause| (cause.gather)()).chain([reports]).collect()
}

/// Findings about the whole, of all causes.
pub fn findings(gatherings: &[Box<dyn Gathering>], whole: &Whole<'_>) -> Vec<Finding> {
    let findings = gatherings.iter().flat_map(|gathering| gathering.findings(whole));
    findings.map(|finding| Finding { sentence: capital(&finding.sentence), ..finding }).collect()
}

/// The explanation of a code: the doc comment of its cause's file, as Markdown.
pub fn explanation(code: Code) -> String {
    let source = CAUSES.iter().find(|c| c.code == code).map_or("", |c| c.source);
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// What the explanation of a code says under one of its titles, as Markdown.
pub fn section(code: Code, title: &str) -> Option<String> {
    let text = explanation(code);
    let (_, section) = text.split_once(&format!("**{title}.**"))?;
    Some(section.trim_start().lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}

/// The finer causes of a code and what its explanation says of each, as Markdown.
pub fn fine_causes(code: Code) -> Vec<(String, String)> {
    let mut causes: Vec<(String, String)> = Vec::new();
    let mut in_bullet = false;
    for line in explanation(code).lines() {
        if let Some((name, says)) = line.strip_prefix("- `").and_then(|rest| rest.split_once("`: ")) {
            causes.push((name.to_owned(), says.to_owned()));
            in_bullet = true;
        } else if let (true, Some(more), Some((_, says))) = (in_bullet, line.strip_prefix("  "), causes.last_mut()) {
            says.push(' ');
            says.push_str(more);
        } else {
            in_bullet = false;
        }
    }
    causes
}
