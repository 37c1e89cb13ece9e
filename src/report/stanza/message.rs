//! `<encrypted>` with its keys, each decoded as far as it goes without a key.

use super::*;

#[derive(Debug, Serialize)]
pub(super) struct MessageView {
    from: Option<String>,
    to: Option<String>,
    room: Option<String>,
    wrapper: &'static str,
    origin_id: Option<String>,
    archive_ids: Vec<String>,
    sent: Option<String>,
    namespace: Option<String>,
    sid: Option<u32>,
    pub(super) keys: Vec<KeyView>,
    /// Hex.
    iv: Option<String>,
    payload_bytes: Option<usize>,
    pub(super) faults: Vec<FaultView>,
    /// What the log had lost.
    repairs: Vec<String>,
    #[serde(skip)]
    pub(super) variant: &'static str,
    #[serde(skip)]
    has_element: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct KeyView {
    jid: Option<String>,
    rid: Option<u32>,
    /// The `prekey` or `kex` attribute.
    flagged: bool,
    bytes: usize,
    pub(super) flag_contradicts: bool,
    content: Option<KeyContentView>,
    /// Why the bytes are no message of this variant.
    pub(super) error: Option<String>,
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

fn wrapper(w: Wrapper) -> &'static str {
    match w {
        Wrapper::Direct => "direct",
        Wrapper::CarbonSent => "carbon-sent",
        Wrapper::CarbonReceived => "carbon-received",
        Wrapper::Archive => "archive",
    }
}

/// The view of one.
pub(super) fn view(m: &CapturedMessage) -> MessageView {
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

/// Its text.
pub(super) fn text(page: &mut Page, m: &MessageView) {
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
