//! What each input is: `omemoscope/inspect/1`.

use super::shared::{ProblemView, abbreviated, and_list, client_and_version, count, grouped, variant};
use super::{Line, Page, View, page::Look};
use crate::analysis::health;
use crate::analysis::survey::Survey;
use crate::input::lone;
use crate::model::{Account, Store, When, name_of};
use crate::omemo::ratchet::SessionRecord;
use crate::omemo::wire::KeyContent;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// All inputs.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// One entry an input.
    pub inputs: Vec<Inspected>,
}

/// One input.
#[derive(Debug, Serialize)]
pub struct Inspected {
    /// As it was named.
    pub path: String,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// What an input can be.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A client's store.
    Store(StoreSummary),
    /// A capture.
    Capture(Box<CaptureSummary>),
    /// Something small: a key element, a public key, a fingerprint, a URI, a session record.
    Lone(Lone),
    /// Readable, but nothing in it concerns us.
    Nothing {
        /// What it is, in words.
        says: String,
    },
    /// Nothing known.
    Unknown {
        /// Why, one sentence.
        error: String,
    },
}

/// A store.
#[derive(Debug, Serialize)]
pub struct StoreSummary {
    /// Its accounts.
    pub accounts: Vec<AccountSummary>,
    /// What could not be read.
    pub problems: Vec<ProblemView>,
}

/// An account of a store.
#[derive(Debug, Serialize)]
pub struct AccountSummary {
    /// The client.
    pub client: &'static str,
    /// What is known of its version.
    pub version: String,
    /// The ratchet library.
    pub library: &'static str,
    /// Variants that there are keys, sessions or devices of.
    pub namespaces: Vec<&'static str>,
    /// Address.
    pub jid: Option<String>,
    /// Device id.
    pub own_device_id: Option<u32>,
    /// Fingerprint.
    pub own_fingerprint: Option<String>,
    /// Other devices known.
    pub devices: usize,
    /// Sessions.
    pub sessions: usize,
    /// One-time prekeys left.
    pub prekeys: usize,
    /// Signed prekeys.
    pub signed_prekeys: usize,
    /// Ids of prekeys and so on are not shown; what is suspicious is, one sentence each.
    pub suspicious: Vec<String>,
    /// What could not be read.
    pub problems: Vec<ProblemView>,
}

/// A capture.
#[derive(Debug, Default, Serialize)]
pub struct CaptureSummary {
    /// The format that its beginning looks like.
    pub format: &'static str,
    /// Stanzas of any kind.
    pub stanzas: usize,
    /// Lines in which a client speaks of OMEMO.
    pub client_lines: usize,
    /// The clients that wrote such lines.
    pub clients: Vec<&'static str>,
    /// Encrypted messages by variant.
    pub messages: Vec<VariantCount>,
    /// Device lists.
    pub device_lists: usize,
    /// Bundles.
    pub bundles: usize,
    /// Refused PubSub requests.
    pub pubsub_errors: usize,
    /// Elements that a receiver cannot use.
    pub faulty: usize,
    /// Stanzas whose XML broke.
    pub broken: usize,
    /// Messages sent and received, where the log tells.
    pub outgoing: usize,
    /// Received.
    pub incoming: usize,
    /// Senders as `jid/device` with their number of messages, most frequent first.
    pub senders: Vec<SenderCount>,
    /// First moment.
    pub first: Option<String>,
    /// Last moment.
    pub last: Option<String>,
}

/// Something small.
#[derive(Debug, Serialize)]
pub struct Lone {
    /// What it is, in words.
    pub is: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// Messages of one variant.
#[derive(Debug, Serialize)]
pub struct VariantCount {
    /// XML namespace; `None` where nobody has defined it.
    pub namespace: Option<&'static str>,
    /// How many.
    pub messages: usize,
    #[serde(skip)]
    variant: &'static str,
}

/// Messages of one sender.
#[derive(Debug, Serialize)]
pub struct SenderCount {
    /// `jid/device`.
    pub sender: String,
    /// How many.
    pub messages: usize,
}

/// A name and a value.
#[derive(Debug, Serialize)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

impl From<&Store> for StoreSummary {
    fn from(store: &Store) -> Self {
        Self {
            accounts: store.accounts.iter().map(AccountSummary::from).collect(),
            problems: store.problems.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Account> for AccountSummary {
    fn from(account: &Account) -> Self {
        let namespaces: BTreeSet<_> = account
            .sessions
            .iter()
            .map(|s| s.namespace)
            .chain(account.devices.iter().flat_map(|d| d.namespaces.iter().copied()))
            .chain(account.prekeys.iter().flat_map(|p| p.namespaces.iter().copied()))
            .chain(account.signed_prekeys.iter().flat_map(|p| p.namespaces.iter().copied()))
            .collect();
        Self {
            client: account.client.name,
            version: account.version.clone(),
            library: account.client.implementation.name(),
            namespaces: namespaces.into_iter().map(|n| n.uri()).collect(),
            jid: account.jid.as_ref().map(ToString::to_string),
            own_device_id: account.own_device_id,
            own_fingerprint: account.identity.as_ref().map(|i| i.public.fingerprint().to_string()),
            devices: account.devices.len(),
            sessions: account.sessions.len(),
            prekeys: account.prekeys.len(),
            signed_prekeys: account.signed_prekeys.len(),
            suspicious: health::suspicions(account),
            problems: account.problems.iter().map(Into::into).collect(),
        }
    }
}

impl CaptureSummary {
    /// The summary of a capture in the format that its beginning looks like.
    pub fn new(survey: Survey, format: &'static str) -> Self {
        let mut senders: Vec<(String, usize)> = survey.senders.into_iter().collect();
        senders.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self {
            format,
            stanzas: survey.stanzas,
            client_lines: survey.client_lines,
            clients: survey.clients.into_iter().collect(),
            messages: survey
                .messages
                .into_iter()
                .map(|(namespace, messages)| VariantCount {
                    namespace: namespace.map(|n| n.uri()),
                    messages,
                    variant: namespace.map_or("a variant that nobody has defined", variant),
                })
                .collect(),
            device_lists: survey.device_lists,
            bundles: survey.bundles,
            pubsub_errors: survey.pubsub_errors,
            faulty: survey.faulty,
            broken: survey.broken,
            outgoing: survey.outgoing,
            incoming: survey.incoming,
            senders: senders.into_iter().map(|(sender, messages)| SenderCount { sender, messages }).collect(),
            first: survey.first.as_ref().map(When::short),
            last: survey.last.as_ref().map(When::short),
        }
    }
}

impl From<&lone::Lone> for Lone {
    fn from(thing: &lone::Lone) -> Self {
        let field = |name: &str, value: String| Field { name: name.to_owned(), value };
        match thing {
            lone::Lone::Fingerprint(f) => {
                Self { is: "a fingerprint".into(), fields: vec![field("fingerprint", grouped(&f.to_string(), 8))] }
            }
            lone::Lone::Uri { jid, devices } => Self {
                is: format!("an address with {}", count(devices.len(), "fingerprint")),
                fields: std::iter::once(field("address", jid.clone()))
                    .chain(devices.iter().map(|(id, f)| {
                        let device = id.map_or_else(|| "a device".to_owned(), |id| format!("device {id}"));
                        field(&device, grouped(&f.to_string(), 8))
                    }))
                    .collect(),
            },
            lone::Lone::PublicKey(key) => {
                Self { is: "a public key (Curve25519, or the Ed25519 form)".into(), fields: vec![field("key", key.to_string())] }
            }
            lone::Lone::Session(record) => {
                Self { is: "a session record of the libsignal family".into(), fields: session_fields(record) }
            }
            lone::Lone::PreKey(record) => Self {
                is: "a one-time prekey record of the libsignal family (it holds the private key)".into(),
                fields: vec![field("id", record.id.to_string()), field("public key", record.pair.public.to_string())],
            },
            lone::Lone::SignedPreKey(record) => Self {
                is: "a signed prekey record of the libsignal family (it holds the private key)".into(),
                fields: vec![field("id", record.id.to_string()), field("public key", record.pair.public.to_string())],
            },
            lone::Lone::IdentityKeyPair(pair) => Self {
                is: "an identity key pair (it holds the private key)".into(),
                fields: vec![field("fingerprint", grouped(&pair.public.fingerprint().to_string(), 8))],
            },
            lone::Lone::Key { namespace, parsed } => {
                let message = parsed.content.message();
                let mut fields = Vec::new();
                if let KeyContent::KeyExchange(kex) = &parsed.content {
                    fields.push(field("prekey", kex.prekey_id.map_or_else(|| "none".into(), |id| id.to_string())));
                    fields.push(field("signed prekey", kex.signed_prekey_id.to_string()));
                    fields.push(field("base key", abbreviated(&kex.base_key)));
                    fields.push(field("fingerprint", grouped(&kex.identity_key.fingerprint().to_string(), 8)));
                }
                fields.push(field("ratchet key", abbreviated(&message.ratchet_key)));
                fields.push(field("counter", message.counter.to_string()));
                fields.push(field("previous chain", message.previous_counter.to_string()));
                let what = if parsed.content.key_exchange().is_some() { "key exchange" } else { "message" };
                Self { is: format!("the content of a key element: {what} of {}", variant(*namespace)), fields }
            }
        }
    }
}

fn session_fields(record: &SessionRecord) -> Vec<Field> {
    let field = |name: &str, value: String| Field { name: name.to_owned(), value };
    let mut fields = vec![field("archived states", record.archived.len().to_string())];
    let Some(state) = &record.current else {
        fields.push(field("current state", "none".into()));
        return fields;
    };
    fields.push(field("variant", variant(state.namespace).to_owned()));
    fields.push(field("our identity", grouped(&state.local_identity.fingerprint().to_string(), 8)));
    fields.push(field("their identity", grouped(&state.remote_identity.fingerprint().to_string(), 8)));
    if let Some(chain) = &state.sender_chain {
        let next =
            chain.chain_key.as_ref().map_or_else(|| "chain not begun".into(), |k| format!("next message is number {}", k.index));
        fields.push(field("sending", format!("ratchet key {}, {next}", abbreviated(&chain.ratchet_key.public))));
    }
    for chain in &state.receiver_chains {
        let next = chain.index().map_or_else(|| "chain closed".into(), |index| format!("expects number {index}"));
        let kept = if chain.skipped.is_empty() { String::new() } else { format!(", {} kept", count(chain.skipped.len(), "key")) };
        fields.push(field("receiving", format!("ratchet key {}, {next}{kept}", abbreviated(&chain.ratchet_key))));
    }
    if let Some(pending) = &state.pending_prekey {
        fields.push(field("unanswered", format!("our key exchange with signed prekey {}", pending.signed_prekey_id)));
    }
    fields
}

impl View for Inspection {
    const COMMAND: &'static str = "inspect";

    fn text(&self, page: &mut Page) {
        for input in &self.inputs {
            let path = name_of(Path::new(&input.path)).to_string();
            page.gap();
            match &input.what {
                What::Store(store) => store_text(page, &path, store),
                What::Capture(capture) => capture_text(page, &path, capture),
                What::Lone(lone) => {
                    page.line(0, Line::new().strong(&path).plain(": ").plain(&lone.is));
                    for field in &lone.fields {
                        page.field(2, &field.name, &field.value);
                    }
                }
                What::Nothing { says } => page.line(0, Line::new().strong(&path).plain(": ").plain(says)),
                // The error goes to standard error.
                What::Unknown { .. } => {}
            }
        }
    }
}

fn store_text(page: &mut Page, path: &str, store: &StoreSummary) {
    let clients: Vec<String> = {
        let mut names: Vec<String> = store.accounts.iter().map(|a| a.client.to_owned()).collect();
        names.dedup();
        names
    };
    let of = if clients.is_empty() { "a store".to_owned() } else { format!("store of {}", and_list(&clients)) };
    page.line(0, Line::new().strong(path).plain(format!(": {of}, {}", count(store.accounts.len(), "account"))));
    problems_text(page, 2, &store.problems);
    for account in &store.accounts {
        page.gap();
        page.line(2, Line::new().strong(account.jid.as_deref().unwrap_or("address not in the store")));
        page.field(4, "client", client_and_version(account.client, &account.version));
        page.field(4, "variants", if account.namespaces.is_empty() { "none".into() } else { account.namespaces.join(", ") });
        page.field(4, "library", account.library);
        page.field(4, "own device", account.own_device_id.map_or_else(|| "not in the store".into(), |id| id.to_string()));
        if let Some(hex) = &account.own_fingerprint {
            page.field(4, "own fingerprint", grouped(hex, 8));
        }
        page.field(4, "knows", format!("{}, {}", count(account.devices, "other device"), count(account.sessions, "session")));
        page.field(
            4,
            "holds",
            format!("{}, {}", count(account.prekeys, "prekey"), count(account.signed_prekeys, "signed prekey")),
        );
        for sentence in &account.suspicious {
            page.field(4, "suspicious", Line::new().look(Look::Warning, sentence));
        }
        problems_text(page, 4, &account.problems);
    }
}

fn problems_text(page: &mut Page, indent: usize, problems: &[ProblemView]) {
    for problem in problems {
        page.field(indent, "not readable", Line::new().look(Look::Bad, &problem.says).faint(format!("  [{}]", problem.place)));
    }
}

/// Senders that are named without -v.
const SHOWN_SENDERS: usize = 10;

fn capture_text(page: &mut Page, path: &str, capture: &CaptureSummary) {
    let omemo = !capture.messages.is_empty() || capture.device_lists + capture.bundles + capture.pubsub_errors > 0;
    page.line(0, Line::new().strong(path).plain(format!(": capture ({}), {}", capture.format, count(capture.stanzas, "stanza"))));
    if !omemo {
        page.line(2, super::nothing_found(capture.stanzas));
    }
    for part in &capture.messages {
        page.field(2, "messages", format!("{} in {}", part.messages, part.variant));
    }
    if capture.incoming + capture.outgoing > 0 {
        page.field(2, "direction", format!("{} received, {} sent", capture.incoming, capture.outgoing));
    }
    if capture.device_lists > 0 {
        page.field(2, "device lists", capture.device_lists);
    }
    if capture.bundles > 0 {
        page.field(2, "bundles", capture.bundles);
    }
    if capture.pubsub_errors > 0 {
        page.field(2, "PubSub errors", capture.pubsub_errors);
    }
    if capture.faulty > 0 {
        page.field(
            2,
            "faulty",
            Line::new().look(Look::Bad, count(capture.faulty, "element")).plain(" (omemoscope stanza shows them)"),
        );
    }
    if capture.broken > 0 {
        page.field(2, "broken XML", Line::new().look(Look::Bad, count(capture.broken, "stanza")));
    }
    let shown = if page.verbose() { capture.senders.len() } else { SHOWN_SENDERS };
    for sender in capture.senders.iter().take(shown) {
        page.field(2, "sender", format!("{}, {}", sender.sender, count(sender.messages, "message")));
    }
    if capture.senders.len() > shown {
        page.field(2, "", Line::new().faint(format!("and {} more (-v shows them)", capture.senders.len() - shown)));
    }
    if let (Some(first), Some(last)) = (&capture.first, &capture.last) {
        page.field(2, "time", format!("{first} to {last}"));
    }
    if capture.client_lines > 0 {
        page.field(
            2,
            "client's words",
            format!("{} about OMEMO ({})", count(capture.client_lines, "line"), capture.clients.join(", ")),
        );
    }
}
