//! OMEMO elements decoded down to their last field, without any key: `omemoscope/stanza/1`.

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
struct MessageView {
    from: Option<String>,
    to: Option<String>,
    room: Option<String>,
    wrapper: &'static str,
    origin_id: Option<String>,
    archive_ids: Vec<String>,
    sent: Option<String>,
    namespace: Option<String>,
    sid: Option<u32>,
    keys: Vec<KeyView>,
    /// Hex.
    iv: Option<String>,
    payload_bytes: Option<usize>,
    faults: Vec<FaultView>,
    /// What the log had lost.
    repairs: Vec<String>,
    #[serde(skip)]
    variant: &'static str,
    #[serde(skip)]
    has_element: bool,
}

#[derive(Debug, Serialize)]
struct KeyView {
    jid: Option<String>,
    rid: Option<u32>,
    /// The `prekey` or `kex` attribute.
    flagged: bool,
    bytes: usize,
    flag_contradicts: bool,
    content: Option<KeyContentView>,
    /// Why the bytes are no message of this variant.
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct KeyContentView {
    #[serde(rename = "type")]
    kind: &'static str,
    ratchet_key: String,
    counter: u32,
    previous_counter: u32,
    ciphertext_bytes: usize,
    mac: String,
    key_exchange: Option<KeyExchangeView>,
}

#[derive(Debug, Serialize)]
struct KeyExchangeView {
    prekey_id: Option<u32>,
    signed_prekey_id: u32,
    base_key: String,
    identity_fingerprint: String,
    registration_id: Option<u32>,
}

#[derive(Debug, Serialize)]
struct DeviceListView {
    owner: Option<String>,
    namespace: &'static str,
    devices: Vec<ListedView>,
    item_id: Option<String>,
    items: usize,
    faults: Vec<FaultView>,
    #[serde(skip)]
    variant: &'static str,
}

#[derive(Debug, Serialize)]
struct ListedView {
    id: u32,
    label: Option<String>,
    label_signature_bytes: Option<usize>,
    /// Hex.
    label_signature: Option<String>,
}

#[derive(Debug, Serialize)]
struct BundleView {
    owner: Option<String>,
    device_id: Option<u32>,
    namespace: &'static str,
    fingerprint: Option<String>,
    signed_prekey_id: Option<u32>,
    signed_prekey: Option<String>,
    /// valid, invalid, missing or unchecked (a key is missing to check it with).
    signature: &'static str,
    /// Hex.
    signature_bytes: Option<String>,
    prekeys: Vec<PreKeyView>,
    faults: Vec<FaultView>,
    #[serde(skip)]
    variant: &'static str,
}

/// An envelope that is not encrypted.
#[derive(Debug, Serialize)]
struct EnvelopeView {
    namespace: &'static str,
    /// It was sent like that: receivers must drop it.
    sent: bool,
    from: Option<String>,
    to: Option<String>,
    stamp: Option<String>,
    /// There is random padding; null for an opt-out alone.
    rpad: Option<bool>,
    content: Vec<InClearView>,
    opt_out: Option<OptOutView>,
    faults: Vec<FaultView>,
    #[serde(skip)]
    variant: &'static str,
}

#[derive(Debug, Serialize)]
struct InClearView {
    name: String,
    xml: String,
}

#[derive(Debug, Serialize)]
struct OptOutView {
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct PreKeyView {
    id: u32,
    key: String,
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
                what: What::Message(message(m)),
            },
            Item::DeviceList(l) => Self {
                position: (&l.position).into(),
                time: l.time.as_ref().map(time),
                when: l.time.as_ref().map(When::short),
                direction: l.direction.map(direction),
                id: l.stanza_id.clone(),
                what: What::DeviceList(device_list(l)),
            },
            Item::Bundle(b) => Self {
                position: (&b.position).into(),
                time: b.time.as_ref().map(time),
                when: b.time.as_ref().map(When::short),
                direction: b.direction.map(direction),
                id: b.stanza_id.clone(),
                what: What::Bundle(bundle(b)),
            },
            Item::Envelope(e) => Self {
                position: (&e.position).into(),
                time: e.time.as_ref().map(time),
                when: e.time.as_ref().map(When::short),
                direction: e.direction.map(direction),
                id: e.stanza_id.clone(),
                what: What::Envelope(envelope(e)),
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
        page.hanging(0, 2, line.faint(format!("  {}, byte {}", self.position, self.position.byte)));
        if let Some(id) = &self.id {
            page.field(2, "stanza id", id);
        }
        match &self.what {
            What::Message(m) => message_text(page, m),
            What::DeviceList(l) => device_list_text(page, l),
            What::Bundle(b) => bundle_text(page, b),
            What::Envelope(e) => envelope_text(page, e),
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

fn wrapper(w: Wrapper) -> &'static str {
    match w {
        Wrapper::Direct => "direct",
        Wrapper::CarbonSent => "carbon-sent",
        Wrapper::CarbonReceived => "carbon-received",
        Wrapper::Archive => "archive",
    }
}

fn message(m: &CapturedMessage) -> MessageView {
    let mut view = MessageView {
        from: m.from_full.clone().or_else(|| m.from.as_ref().map(ToString::to_string)),
        to: m.to.as_ref().map(ToString::to_string),
        room: m.room.as_ref().map(ToString::to_string),
        wrapper: wrapper(m.wrapper),
        origin_id: m.origin_id.clone(),
        archive_ids: m.archive_ids.clone(),
        sent: m.sent.as_ref().map(time),
        namespace: None,
        sid: None,
        keys: Vec::new(),
        iv: None,
        payload_bytes: None,
        faults: Vec::new(),
        repairs: m.repairs.clone(),
        variant: "variant not known",
        has_element: false,
    };
    match &m.encrypted {
        EncryptedPart::Known(encrypted) => view.take(encrypted),
        EncryptedPart::UnknownNamespace { uri, sid } => {
            view.namespace = Some(uri.clone());
            view.sid = *sid;
            view.faults.push(FaultView {
                fatal: true,
                place: "encrypted".into(),
                says: format!("the namespace {uri} is no version of OMEMO that anybody has defined"),
            });
        }
        EncryptedPart::Broken { error, partial } => {
            if let Some(encrypted) = partial {
                view.take(encrypted);
            }
            view.faults.push(FaultView { fatal: true, place: "stanza".into(), says: error.to_string() });
        }
    }
    view
}

impl MessageView {
    fn take(&mut self, encrypted: &Encrypted) {
        self.has_element = true;
        self.variant = variant(encrypted.namespace);
        self.namespace = Some(encrypted.namespace.uri().to_owned());
        self.sid = encrypted.sid;
        self.keys = encrypted.keys.iter().map(|k| key(encrypted.namespace, k)).collect();
        self.iv = encrypted.iv.as_ref().map(hex::encode);
        self.payload_bytes = encrypted.payload.as_ref().map(Vec::len);
        self.faults.extend(encrypted.faults.iter().map(FaultView::from));
    }
}

fn key(namespace: Namespace, key: &KeyElement) -> KeyView {
    let mut view = KeyView {
        jid: key.jid.clone(),
        rid: key.rid,
        flagged: key.flagged,
        bytes: key.content.len(),
        flag_contradicts: false,
        content: None,
        error: None,
    };
    if key.content.is_empty() {
        return view;
    }
    match wire::parse(namespace, &key.content, key.flagged) {
        Ok(parsed) => {
            view.flag_contradicts = parsed.flag_contradicts;
            view.content = Some(key_content(&parsed.content));
        }
        Err(error) => view.error = Some(error.to_string()),
    }
    view
}

fn key_content(content: &wire::KeyContent) -> KeyContentView {
    let message = content.message();
    KeyContentView {
        kind: if content.key_exchange().is_some() { "key-exchange" } else { "message" },
        ratchet_key: message.ratchet_key.to_string(),
        counter: message.counter,
        previous_counter: message.previous_counter,
        ciphertext_bytes: message.ciphertext.len(),
        mac: hex::encode(&message.mac),
        key_exchange: content.key_exchange().map(|kex| KeyExchangeView {
            prekey_id: kex.prekey_id,
            signed_prekey_id: kex.signed_prekey_id,
            base_key: kex.base_key.to_string(),
            identity_fingerprint: kex.identity_key.fingerprint().to_string(),
            registration_id: kex.registration_id,
        }),
    }
}

fn is_signature(place: &str) -> bool {
    matches!(place, "spks" | "signedPreKeySignature")
}

fn device_list(l: &CapturedDeviceList) -> DeviceListView {
    DeviceListView {
        owner: l.owner.as_ref().map(ToString::to_string),
        namespace: l.list.namespace.uri(),
        variant: variant(l.list.namespace),
        devices: l
            .list
            .devices
            .iter()
            .map(|d| ListedView {
                id: d.id,
                label: d.label.clone(),
                label_signature_bytes: d.label_signature.as_ref().map(Vec::len),
                label_signature: d.label_signature.as_ref().map(hex::encode),
            })
            .collect(),
        item_id: l.item_id.clone(),
        items: l.items,
        faults: l.list.faults.iter().map(FaultView::from).collect(),
    }
}

fn bundle(b: &CapturedBundle) -> BundleView {
    let bundle = &b.bundle;
    BundleView {
        owner: b.owner.as_ref().map(ToString::to_string),
        device_id: b.device_id,
        namespace: bundle.namespace.uri(),
        variant: variant(bundle.namespace),
        fingerprint: bundle.identity_key.as_ref().map(|k: &IdentityKey| k.fingerprint().to_string()),
        signed_prekey_id: bundle.signed_prekey_id,
        signed_prekey: bundle.signed_prekey.as_ref().map(ToString::to_string),
        signature: match (&bundle.identity_key, &bundle.signed_prekey, &bundle.signature) {
            (_, _, None) if bundle.faults.iter().any(|f| is_signature(&f.place) && !f.says.starts_with("missing")) => "unchecked",
            (_, _, None) => "missing",
            (Some(identity), Some(signed), Some(bytes)) => {
                if signature::verify_signed_prekey(bundle.namespace, identity, signed, bytes) { "valid" } else { "invalid" }
            }
            _ => "unchecked",
        },
        signature_bytes: bundle.signature.as_ref().map(hex::encode),
        prekeys: bundle.prekeys.iter().map(|(id, key)| PreKeyView { id: *id, key: key.to_string() }).collect(),
        faults: bundle.faults.iter().map(FaultView::from).collect(),
    }
}

fn envelope(e: &CapturedEnvelope) -> EnvelopeView {
    let affixes = e.envelope.as_ref();
    let findings = affixes.map(|envelope| envelope.check(&EnvelopeContext::default())).unwrap_or_default();
    let fault = |f: &EnvelopeFinding| FaultView { fatal: f.rejects(), place: f.name().into(), says: f.to_string() };
    EnvelopeView {
        namespace: e.namespace.uri(),
        variant: variant(e.namespace),
        sent: e.sent,
        from: affixes.and_then(|a| a.from.clone()),
        to: affixes.and_then(|a| a.to.clone()),
        stamp: affixes.and_then(|a| a.time.clone()),
        rpad: affixes.map(|a| a.has_rpad),
        content: affixes
            .iter()
            .flat_map(|a| &a.content)
            .map(|c| InClearView { name: c.qualified_name(), xml: c.to_xml() })
            .collect(),
        opt_out: e.opt_out.as_ref().map(|o| OptOutView { reason: o.reason.clone() }),
        faults: findings.iter().map(fault).collect(),
    }
}

fn envelope_text(page: &mut Page, e: &EnvelopeView) {
    if e.sent {
        let says = "an envelope that is not encrypted proves nothing: receivers must drop it";
        page.field(2, "fault", Line::new().look(Look::Bad, says));
    }
    optional(page, 2, "from", e.from.as_deref());
    optional(page, 2, "to", e.to.as_deref());
    optional(page, 2, "time", e.stamp.as_deref());
    if let Some(rpad) = e.rpad {
        page.field(2, "random padding", if rpad { "yes" } else { "none" });
    }
    if let Some(opt_out) = &e.opt_out {
        page.field(2, "opt-out", Line::new().look(Look::Warning, "the sender asks for messages without encryption from now on"));
        page.field(2, "reason", opt_out.reason.as_deref().unwrap_or("none is given"));
    }
    for content in &e.content {
        page.field(2, "content", &content.name);
        page.verbatim(4, &content.xml);
    }
    faults_text(page, &e.faults);
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

fn message_text(page: &mut Page, m: &MessageView) {
    optional(page, 2, "from", m.from.as_deref());
    optional(page, 2, "to", m.to.as_deref());
    optional(page, 2, "room", m.room.as_deref());
    if m.wrapper != "direct" {
        page.field(2, "wrapped as", m.wrapper);
    }
    optional(page, 2, "origin id", m.origin_id.as_deref());
    if !m.archive_ids.is_empty() {
        page.field(2, "archive id", m.archive_ids.join(", "));
    }
    optional(page, 2, "sent", m.sent.as_deref());
    page.field(2, "sender's device", or_missing(m.sid));
    for (n, key) in m.keys.iter().enumerate() {
        key_text(page, n + 1, key);
    }
    if m.has_element && m.keys.is_empty() {
        page.field(2, "keys", Line::new().look(Look::Warning, "none"));
    }
    optional(page, 2, "iv", m.iv.as_deref());
    if m.has_element {
        let there = m.faults.iter().any(|f| f.place == "payload");
        let none = if there { "there, but not readable" } else { "none (key transport or an empty message)" };
        page.field(2, "payload", m.payload_bytes.map_or_else(|| none.to_owned(), |n| count(n, "byte")));
    }
    faults_text(page, &m.faults);
    for repair in &m.repairs {
        page.field(2, "log", repair);
    }
}

fn key_text(page: &mut Page, number: usize, key: &KeyView) {
    let mut line = Line::new().plain("for device ").strong(key.rid.map_or_else(|| "?".into(), |r| r.to_string()));
    if let Some(jid) = &key.jid {
        line = line.plain(" of ").plain(jid);
    }
    let kind = match &key.content {
        Some(content) if content.key_exchange.is_some() => "key exchange",
        Some(_) => "message",
        None if key.flagged => "said to be a key exchange, not decoded",
        None => "not decoded",
    };
    page.field(2, &format!("key {number}"), line.plain(format!(", {kind}, {}", count(key.bytes, "byte"))));
    if key.flag_contradicts {
        let says = if key.flagged {
            "says key exchange, the bytes are an ordinary message"
        } else {
            "is missing, the bytes are a key exchange"
        };
        page.field(4, "flag", Line::new().look(Look::Bad, format!("the prekey (kex) attribute {says}")));
    }
    if let Some(error) = &key.error {
        page.field(4, "fault", Line::new().look(Look::Bad, error));
    }
    let Some(content) = &key.content else { return };
    page.field(4, "ratchet key", &content.ratchet_key);
    page.field(4, "counter", format!("{} (previous chain: {})", content.counter, content.previous_counter));
    page.field(4, "ciphertext", format!("{}, MAC {}", count(content.ciphertext_bytes, "byte"), content.mac));
    if let Some(kex) = &content.key_exchange {
        page.field(4, "prekey", kex.prekey_id.map_or_else(|| "none".into(), |id| id.to_string()));
        page.field(4, "signed prekey", kex.signed_prekey_id);
        page.field(4, "base key", &kex.base_key);
        page.field(4, "fingerprint", grouped(&kex.identity_fingerprint, 8));
        if let Some(id) = kex.registration_id {
            page.field(4, "registration id", id);
        }
    }
}

fn device_list_text(page: &mut Page, l: &DeviceListView) {
    optional(page, 2, "of", l.owner.as_deref());
    optional(page, 2, "item id", l.item_id.as_deref());
    if l.items > 1 {
        page.field(2, "items", Line::new().look(Look::Warning, l.items).plain(" (the node should hold one)"));
    }
    if l.devices.is_empty() {
        page.field(2, "devices", "none");
    }
    for d in &l.devices {
        let mut line = Line::new().strong(d.id);
        if let Some(label) = &d.label {
            let signed =
                d.label_signature_bytes.map_or_else(|| "no signature".into(), |n| format!("signature of {}", count(n, "byte")));
            line = line.plain(format!("  label {label:?}, {signed}"));
        }
        page.field(2, "device", line);
        if page.verbose() {
            optional(page, 4, "signature", d.label_signature.as_deref().filter(|s| !s.is_empty()));
        }
    }
    faults_text(page, &l.faults);
}

/// Prekeys that are listed by key without -v: none, only their ids.
fn bundle_text(page: &mut Page, b: &BundleView) {
    optional(page, 2, "of", b.owner.as_deref());
    page.field(2, "device", or_missing(b.device_id));
    let unreadable = |f: &FaultView| matches!(f.place.as_str(), "ik" | "identityKey") && !f.says.starts_with("missing");
    match &b.fingerprint {
        Some(hex) => page.field(2, "fingerprint", grouped(hex, 8)),
        None if b.faults.iter().any(unreadable) => {
            page.field(2, "identity key", Line::new().look(Look::Bad, "there, but not readable"))
        }
        None => page.field(2, "identity key", or_missing::<u32>(None)),
    }
    page.field(2, "signed prekey", or_missing(b.signed_prekey_id));
    if let Some(key) = &b.signed_prekey {
        page.field(4, "key", key);
    }
    let look = match b.signature {
        "valid" => Look::Good,
        "unchecked" => Look::Warning,
        _ => Look::Bad,
    };
    let unreadable = b.signature == "unchecked" && b.signature_bytes.is_none();
    page.field(4, "signature", Line::new().look(look, if unreadable { "there, but not readable" } else { b.signature }));
    if page.verbose() {
        optional(page, 4, "signature bytes", b.signature_bytes.as_deref());
    }
    page.field(2, "prekeys", format!("{}: {}", b.prekeys.len(), ranges(b.prekeys.iter().map(|p| p.id))));
    if page.verbose() {
        for prekey in &b.prekeys {
            page.field(4, &prekey.id.to_string(), &prekey.key);
        }
    }
    faults_text(page, &b.faults);
}

fn faults_text(page: &mut Page, faults: &[FaultView]) {
    for fault in faults {
        let look = if fault.fatal { Look::Bad } else { Look::Warning };
        let name = if fault.fatal { "fault" } else { "odd" };
        page.field(2, name, Line::new().look(look, &fault.says).faint(format!("  [{}]", fault.place)));
    }
}

/// `1-5, 8`.
fn ranges(ids: impl Iterator<Item = u32>) -> String {
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.chunk_by(|a, b| a.checked_add(1) == Some(*b))
        .filter_map(|run| match run {
            [] => None,
            [one] => Some(one.to_string()),
            [first, .., last] => Some(format!("{first}-{last}")),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn ids_are_shown_as_ranges() {
        assert_eq!(ranges([5, 1, 2, 3, 9, 9].into_iter()), "1-3, 5, 9");
        assert_eq!(ranges([u32::MAX, 1].into_iter()), "1, 4294967295");
    }
}
