//! OMEMO elements decoded down to their last field, without any key: `omemoscope/stanza/1`.
mod bundle;
mod device_list;
mod envelope;
mod message;

use bundle::BundleView;
use device_list::DeviceListView;
use envelope::EnvelopeView;
use message::MessageView;

use super::shared::{PositionView, count, grouped, time, variant};
use super::{Line, Page, page::Look};
use crate::model::{
    CapturedBundle, CapturedDeviceList, CapturedEnvelope, CapturedMessage, Direction, EncryptedPart, Item, PubsubFailure, When,
    Wrapper,
};
use crate::omemo::stanza::Fault;
use crate::omemo::stanza::encrypted::{Encrypted, KeyElement};
use crate::omemo::stanza::envelope::{EnvelopeContext, EnvelopeFinding};
use crate::omemo::{IdentityKey, Namespace, signature, wire};
use serde::Serialize;
/// One element with where it was found.
#[derive(Debug, Serialize)]
pub struct ElementView {
    position: PositionView,
    time: Option<String>,
    direction: Option<&'static str>,
    /// The stanza's id.
    id: Option<String>,
    #[serde(flatten)]
    what: What,
    #[serde(skip)]
    when: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum What {
    Message(MessageView),
    DeviceList(DeviceListView),
    Bundle(BundleView),
    Envelope(EnvelopeView),
    PubsubError(PubsubErrorView),
}

#[derive(Debug, Serialize)]
struct PubsubErrorView {
    owner: Option<String>,
    node: Option<String>,
    condition: String,
}

#[derive(Debug, Serialize)]
struct FaultView {
    fatal: bool,
    #[serde(rename = "where")]
    place: String,
    says: String,
}

impl From<&Fault> for FaultView {
    fn from(f: &Fault) -> Self {
        Self { fatal: f.fatal, place: f.place.clone(), says: f.says.clone() }
    }
}

impl ElementView {
    /// The view of one item.
    pub fn new(item: &Item) -> Self {
        match item {
            Item::Message(m) => Self {
                position: (&m.position).into(),
                time: m.time.as_ref().map(time),
                when: m.time.as_ref().map(When::short),
                direction: m.direction.map(direction),
                id: m.id.clone(),
                what: What::Message(message::view(m)),
            },
            Item::DeviceList(l) => Self {
                position: (&l.position).into(),
                time: l.time.as_ref().map(time),
                when: l.time.as_ref().map(When::short),
                direction: l.direction.map(direction),
                id: l.stanza_id.clone(),
                what: What::DeviceList(device_list::view(l)),
            },
            Item::Bundle(b) => Self {
                position: (&b.position).into(),
                time: b.time.as_ref().map(time),
                when: b.time.as_ref().map(When::short),
                direction: b.direction.map(direction),
                id: b.stanza_id.clone(),
                what: What::Bundle(bundle::view(b)),
            },
            Item::Envelope(e) => Self {
                position: (&e.position).into(),
                time: e.time.as_ref().map(time),
                when: e.time.as_ref().map(When::short),
                direction: e.direction.map(direction),
                id: e.stanza_id.clone(),
                what: What::Envelope(envelope::view(e)),
            },
            Item::PubsubFailure(f) => Self {
                position: (&f.position).into(),
                time: f.time.as_ref().map(time),
                when: f.time.as_ref().map(When::short),
                direction: None,
                id: f.stanza_id.clone(),
                what: What::PubsubError(pubsub_error(f)),
            },
        }
    }

    /// Whether a receiver could not use it.
    pub fn needs_attention(&self) -> bool {
        match &self.what {
            What::Message(m) => {
                m.faults.iter().any(|f| f.fatal) || m.keys.iter().any(|k| k.error.is_some() || k.flag_contradicts)
            }
            What::DeviceList(l) => l.faults.iter().any(|f| f.fatal),
            What::Bundle(b) => b.signature == "invalid" || b.faults.iter().any(|f| f.fatal),
            What::Envelope(e) => e.sent || e.faults.iter().any(|f| f.fatal),
            What::PubsubError(_) => false,
        }
    }

    /// Writes it for a person.
    pub fn text(&self, page: &mut Page) {
        page.gap();
        let title = match &self.what {
            What::Message(m) => format!("Message ({})", m.variant),
            What::DeviceList(l) => format!("Device list ({})", l.variant),
            What::Bundle(b) => format!("Bundle ({})", b.variant),
            What::Envelope(e) => format!("Envelope, not encrypted ({})", e.variant),
            What::PubsubError(_) => "PubSub error".to_owned(),
        };
        let mut line = Line::new().strong(title);
        if let Some(direction) = self.direction {
            line = line.plain(format!(", {direction}"));
        }
        if let Some(when) = &self.when {
            line = line.plain(format!(", {when}"));
        }
        page.hanging(0, 2, line.faint(format!("  {}", self.position.to_the_byte())));
        if let Some(id) = &self.id {
            page.field(2, "stanza id", id);
        }
        match &self.what {
            What::Message(m) => message::text(page, m),
            What::DeviceList(l) => device_list::text(page, l),
            What::Bundle(b) => bundle::text(page, b),
            What::Envelope(e) => envelope::text(page, e),
            What::PubsubError(e) => {
                optional(page, 2, "owner", e.owner.as_deref());
                optional(page, 2, "node", e.node.as_deref());
                page.field(2, "condition", Line::new().look(Look::Warning, &e.condition));
            }
        }
    }
}

fn direction(d: Direction) -> &'static str {
    match d {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
    }
}

fn is_signature(place: &str) -> bool {
    matches!(place, "spks" | "signedPreKeySignature")
}

fn pubsub_error(f: &PubsubFailure) -> PubsubErrorView {
    PubsubErrorView { owner: f.owner.as_ref().map(ToString::to_string), node: f.node.clone(), condition: f.condition.clone() }
}

fn optional(page: &mut Page, indent: usize, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        page.field(indent, name, value);
    }
}

fn or_missing<T: ToString>(value: Option<T>) -> Line {
    value.map_or_else(|| Line::new().look(Look::Bad, "missing"), |v| Line::new().plain(v.to_string()))
}

fn faults_text(page: &mut Page, faults: &[FaultView]) {
    for fault in faults {
        let look = if fault.fatal { Look::Bad } else { Look::Warning };
        let name = if fault.fatal { "fault" } else { "odd" };
        page.field(2, name, Line::new().look(look, &fault.says).faint(format!("  [{}]", fault.place)));
    }
}
