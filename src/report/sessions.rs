//! Session states without a secret: `omemoscope/sessions/1`.

use super::shared::{ProblemView, abbreviated, count, grouped, variant};
use super::{Line, Page, View, page::Look};
use crate::model::{Account, BareJid, Store, StoredSession};
use crate::omemo::ratchet::Session;
use serde::Serialize;

/// Which sessions to show.
#[derive(Clone, Debug)]
pub struct Peer {
    /// With whom; anybody if `None`.
    pub jid: Option<BareJid>,
    /// With which device; all if `None`.
    pub device: Option<u32>,
}

impl Peer {
    fn fits(&self, session: &StoredSession) -> bool {
        self.jid.as_ref().is_none_or(|jid| *jid == session.jid) && self.device.is_none_or(|d| d == session.device_id)
    }
}

/// The sessions of all accounts.
#[derive(Debug, Serialize)]
pub struct Sessions {
    accounts: Vec<AccountView>,
    problems: Vec<ProblemView>,
}

#[derive(Debug, Serialize)]
struct AccountView {
    client: &'static str,
    store: String,
    jid: Option<String>,
    own_device_id: Option<u32>,
    sessions: Vec<SessionView>,
    problems: Vec<ProblemView>,
}

#[derive(Debug, Serialize)]
struct SessionView {
    jid: String,
    device_id: u32,
    namespace: &'static str,
    implementation: &'static str,
    current: Option<StateView>,
    archived: Vec<StateView>,
    place: String,
    #[serde(skip)]
    variant: &'static str,
}

/// One state. Public keys are shortened; private and symmetric keys are not in it at all.
#[derive(Debug, Serialize)]
struct StateView {
    remote_fingerprint: String,
    own_identity_matches: Option<bool>,
    initiator: Option<bool>,
    base_key: Option<String>,
    sending: Option<SendingView>,
    previous_counter: u32,
    receiving: Vec<ReceivingView>,
    pending_prekey: Option<PendingView>,
}

#[derive(Debug, Serialize)]
struct SendingView {
    ratchet_key: String,
    /// Counter of the next message; `None` where the chain is made later.
    next_counter: Option<u32>,
}

#[derive(Debug, Serialize)]
struct ReceivingView {
    ratchet_key: String,
    /// Counter of the next message that is expected; `None` where the chain key was dropped.
    next_counter: Option<u32>,
    /// How many keys of passed-over messages are kept.
    skipped: usize,
    skipped_counters: Vec<u32>,
}

#[derive(Debug, Serialize)]
struct PendingView {
    prekey_id: Option<u32>,
    signed_prekey_id: u32,
    base_key: String,
}

impl Sessions {
    /// The sessions that `peers` name, or all.
    pub fn new(stores: &[Store], peers: &[Peer]) -> Self {
        let accounts = stores.iter().flat_map(|s| s.accounts.iter().map(move |a| account(s, a, peers))).collect();
        Self { accounts, problems: stores.iter().flat_map(|s| &s.problems).map(ProblemView::from).collect() }
    }

    /// How many sessions are shown.
    pub fn len(&self) -> usize {
        self.accounts.iter().map(|a| a.sessions.len()).sum()
    }

    /// Whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn account(store: &Store, account: &Account, peers: &[Peer]) -> AccountView {
    let mut sessions: Vec<&StoredSession> =
        account.sessions.iter().filter(|s| peers.is_empty() || peers.iter().any(|p| p.fits(s))).collect();
    sessions.sort_by(|a, b| (&a.jid, a.device_id, a.namespace).cmp(&(&b.jid, b.device_id, b.namespace)));
    AccountView {
        client: account.client.name,
        store: store.path.display().to_string(),
        jid: account.jid.as_ref().map(ToString::to_string),
        own_device_id: account.own_device_id,
        sessions: sessions.into_iter().map(|s| session(account, s)).collect(),
        problems: account.problems.iter().map(ProblemView::from).collect(),
    }
}

fn session(account: &Account, session: &StoredSession) -> SessionView {
    SessionView {
        jid: session.jid.to_string(),
        device_id: session.device_id,
        namespace: session.namespace.uri(),
        variant: variant(session.namespace),
        implementation: session.record.implementation.name(),
        current: session.record.current.as_ref().map(|s| state(account, s)),
        archived: session.record.archived.iter().map(|s| state(account, s)).collect(),
        place: session.place.to_string(),
    }
}

fn state(account: &Account, state: &Session) -> StateView {
    StateView {
        remote_fingerprint: state.remote_identity.fingerprint().to_string(),
        own_identity_matches: account.identity.as_ref().map(|own| own.public == state.local_identity),
        initiator: state.initiator,
        base_key: state.base_key.as_ref().map(abbreviated),
        sending: state.sender_chain.as_ref().map(|chain| SendingView {
            ratchet_key: abbreviated(&chain.ratchet_key.public),
            next_counter: chain.chain_key.as_ref().map(|key| key.index),
        }),
        previous_counter: state.previous_counter,
        receiving: state
            .receiver_chains
            .iter()
            .map(|chain| ReceivingView {
                ratchet_key: abbreviated(&chain.ratchet_key),
                next_counter: chain.chain_key.as_ref().map(|key| key.index),
                skipped: chain.skipped.len(),
                skipped_counters: chain.skipped.iter().map(|s| s.counter).collect(),
            })
            .collect(),
        pending_prekey: state.pending_prekey.as_ref().map(|p| PendingView {
            prekey_id: p.prekey_id,
            signed_prekey_id: p.signed_prekey_id,
            base_key: abbreviated(&p.base_key),
        }),
    }
}

impl View for Sessions {
    const COMMAND: &'static str = "sessions";

    fn text(&self, page: &mut Page) {
        for problem in &self.problems {
            page.bullet(0, Line::new().look(Look::Bad, "not readable").plain(format!(": {}: {}", problem.place, problem.says)));
        }
        for account in &self.accounts {
            page.gap();
            page.line(
                0,
                Line::new().strong(account.jid.as_deref().unwrap_or("account")).plain(format!(
                    "  {}, device {}, {}",
                    account.client,
                    account.own_device_id.map_or_else(|| "not known".into(), |id| id.to_string()),
                    count(account.sessions.len(), "session")
                )),
            );
            for problem in &account.problems {
                page.bullet(
                    2,
                    Line::new().look(Look::Bad, "not readable").plain(format!(": {}: {}", problem.place, problem.says)),
                );
            }
            for session in &account.sessions {
                session_text(page, session);
            }
        }
    }
}

fn session_text(page: &mut Page, session: &SessionView) {
    page.gap();
    page.line(2, Line::new().strong(format!("{}/{}", session.jid, session.device_id)).faint(format!("  {}", session.variant)));
    match &session.current {
        Some(state) => state_text(page, "current state", state),
        None => page.line(4, Line::new().look(Look::Warning, "no current state").plain(": the client begins a new session")),
    }
    for (n, state) in session.archived.iter().enumerate() {
        if page.verbose() {
            state_text(page, &format!("archived state {} of {}", n + 1, session.archived.len()), state);
        }
    }
    if !session.archived.is_empty() && !page.verbose() {
        page.line(4, Line::new().faint(format!("{} (-v shows them)", count(session.archived.len(), "archived state"))));
    }
    if page.verbose() {
        page.field(4, "where", &session.place);
        page.field(4, "library", session.implementation);
    }
}

fn state_text(page: &mut Page, name: &str, state: &StateView) {
    let began = match state.initiator {
        Some(true) => "we began it",
        Some(false) => "they began it",
        None => "who began it is not stored",
    };
    page.line(4, Line::new().plain(name).faint(format!("  ({began})")));
    if state.own_identity_matches == Some(false) {
        page.line(6, Line::new().look(Look::Bad, "It was made with another identity key of ours than the store's."));
    }
    match &state.sending {
        Some(chain) => page.field(
            6,
            "sending",
            format!(
                "ratchet key {}, {}",
                chain.ratchet_key,
                chain.next_counter.map_or_else(|| "chain not begun".into(), |n| format!("next message is number {n}"))
            ),
        ),
        None => page.field(6, "sending", "no chain"),
    }
    if state.receiving.is_empty() {
        page.field(6, "receiving", Line::new().look(Look::Warning, "nothing received yet"));
    }
    for chain in &state.receiving {
        let skipped =
            if chain.skipped > 0 { format!(", {} kept for late messages", count(chain.skipped, "key")) } else { String::new() };
        page.field(
            6,
            "receiving",
            format!(
                "ratchet key {}, {}{skipped}",
                chain.ratchet_key,
                chain.next_counter.map_or_else(|| "chain closed".into(), |n| format!("expects number {n}"))
            ),
        );
    }
    if let Some(pending) = &state.pending_prekey {
        let prekey = pending.prekey_id.map_or_else(|| "no one-time prekey".into(), |id| format!("prekey {id}"));
        page.field(
            6,
            "unanswered",
            Line::new()
                .look(Look::Warning, "our key exchange has no answer yet")
                .plain(format!(" ({prekey}, signed prekey {}, base key {})", pending.signed_prekey_id, pending.base_key)),
        );
    }
    if page.verbose() {
        page.field(6, "their identity", grouped(&state.remote_fingerprint, 8));
        if let Some(base) = &state.base_key {
            page.field(6, "base key", base);
        }
        page.field(6, "previous chain", state.previous_counter);
    }
}
