//! The device audit: `omemoscope/devices/1`.

use super::shared::{ProblemView, and_list, client_and_version, count, grouped, time};
use super::upgrade::UpgradeView;
use super::{Line, Page, View, page::Look};
use crate::analysis::activity;
use crate::model::{Account, ActivityState, Device, LabelSignature, Store, TrustLevel, When};
use crate::omemo::{IdentityKey, Namespace};
use serde::Serialize;

/// The audit of all accounts of all stores given.
#[derive(Debug, Serialize)]
pub struct DeviceAudit {
    accounts: Vec<AccountView>,
    /// What concerns whole stores and could not be read.
    problems: Vec<ProblemView>,
}

#[derive(Debug, Serialize)]
struct AccountView {
    client: &'static str,
    version: String,
    store: String,
    jid: Option<String>,
    own_device_id: Option<u32>,
    own_fingerprint: Option<String>,
    /// What the client itself shows, where that is another form.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_shown_as: Option<String>,
    devices: Vec<DeviceView>,
    /// Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade: Option<UpgradeView>,
    problems: Vec<ProblemView>,
}

#[derive(Debug, Serialize)]
struct DeviceView {
    jid: String,
    device_id: Option<u32>,
    /// 64 lower-case hex digits of the Curve25519 form.
    fingerprint: Option<String>,
    /// What the client itself shows, where that is another form.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown_as: Option<String>,
    /// The client's own word.
    trust: String,
    trust_level: &'static str,
    activity: ActivityView,
    label: Option<LabelView>,
    namespaces: Vec<&'static str>,
    last_listed: Option<String>,
    last_message: Option<String>,
    removed: Option<String>,
    unanswered: Option<u32>,
    has_session: bool,
    /// A device of the same account.
    own: bool,
    /// The device whose store this is.
    this_device: bool,
    place: String,
    #[serde(skip)]
    level: TrustLevel,
    #[serde(skip)]
    last_seen: Option<String>,
}

#[derive(Debug, Serialize)]
struct ActivityView {
    state: &'static str,
    reason: String,
    #[serde(skip)]
    look: Look,
}

#[derive(Debug, Serialize)]
struct LabelView {
    text: String,
    signature: &'static str,
}

impl DeviceAudit {
    /// Audits every account; `upgrade` adds how the contacts would fare without the old variant.
    pub fn new(stores: &[Store], upgrade: bool) -> Self {
        let accounts = stores.iter().flat_map(|s| s.accounts.iter().map(move |a| account(s, a, upgrade))).collect();
        Self { accounts, problems: stores.iter().flat_map(|s| &s.problems).map(ProblemView::from).collect() }
    }
}

fn account(store: &Store, account: &Account, upgrade: bool) -> AccountView {
    let mut devices: Vec<DeviceView> = account.devices.iter().map(|d| device(account, d)).collect();
    devices.extend(this_device(account));
    devices.sort_by(|a, b| (!a.this_device, !a.own, &a.jid, a.device_id).cmp(&(!b.this_device, !b.own, &b.jid, b.device_id)));
    AccountView {
        client: account.client.name,
        version: account.version.clone(),
        store: store.path.display().to_string(),
        jid: account.jid.as_ref().map(ToString::to_string),
        own_device_id: account.own_device_id,
        own_fingerprint: account.identity.as_ref().map(|i| i.public.fingerprint().to_string()),
        own_shown_as: account.identity.as_ref().and_then(|i| shown_as(account, &i.public, account.client.namespaces)),
        devices,
        upgrade: upgrade.then(|| UpgradeView::new(account)),
        problems: account.problems.iter().map(ProblemView::from).collect(),
    }
}

/// The device whose store this is. It belongs to the audit: its fingerprint is the one to read out to others.
fn this_device(account: &Account) -> Option<DeviceView> {
    let identity = account.identity.as_ref()?;
    Some(DeviceView {
        jid: account.jid.as_ref()?.to_string(),
        device_id: account.own_device_id,
        fingerprint: Some(identity.public.fingerprint().to_string()),
        shown_as: shown_as(account, &identity.public, account.client.namespaces),
        trust: "this device".into(),
        trust_level: TrustLevel::Trusted.as_str(),
        activity: ActivityView {
            state: ActivityState::Active.as_str(),
            reason: "the store is that of this device".into(),
            look: Look::Good,
        },
        label: None,
        namespaces: account.client.namespaces.iter().map(|n| n.uri()).collect(),
        last_listed: None,
        last_message: None,
        removed: None,
        unanswered: None,
        has_session: false,
        own: true,
        this_device: true,
        place: account.place.to_string(),
        level: TrustLevel::Trusted,
        last_seen: None,
    })
}

/// The fingerprint that the client itself shows, where it is not the Curve25519 form.
fn shown_as(account: &Account, identity: &IdentityKey, namespaces: &[Namespace]) -> Option<String> {
    let edwards = account.client.shows_edwards && namespaces.iter().any(|n| !n.is_legacy());
    identity.edwards().filter(|_| edwards).map(hex::encode)
}

fn device(account: &Account, device: &Device) -> DeviceView {
    let verdict = activity::judge(account, device);
    let facts = &device.activity;
    DeviceView {
        jid: device.jid.to_string(),
        device_id: device.device_id,
        fingerprint: device.identity.map(|i| i.fingerprint().to_string()),
        shown_as: device.identity.and_then(|i| shown_as(account, &i, &device.namespaces)),
        trust: device.trust.word.clone(),
        trust_level: device.trust.level.as_str(),
        activity: ActivityView {
            state: verdict.state.as_str(),
            reason: verdict.reason,
            look: match verdict.state {
                ActivityState::Active => Look::Good,
                ActivityState::Stale => Look::Warning,
                ActivityState::Inactive | ActivityState::Unknown => Look::Faint,
            },
        },
        label: device.label.as_ref().map(|l| LabelView { text: l.text.clone(), signature: l.signature.as_str() }),
        namespaces: device.namespaces.iter().map(|n| n.uri()).collect(),
        last_listed: facts.last_listed.as_ref().map(time),
        last_message: facts.last_message.as_ref().map(time),
        removed: facts.removed.as_ref().map(time),
        unanswered: facts.unanswered,
        has_session: account.sessions.iter().any(|s| s.jid == device.jid && Some(s.device_id) == device.device_id),
        own: account.jid.as_ref() == Some(&device.jid),
        this_device: false,
        place: device.place.to_string(),
        level: device.trust.level,
        last_seen: facts.last_message.as_ref().or(facts.last_listed.as_ref()).map(When::short),
    }
}

impl View for DeviceAudit {
    const COMMAND: &'static str = "devices";

    fn text(&self, page: &mut Page) {
        for problem in &self.problems {
            problem_line(page, problem);
        }
        for account in &self.accounts {
            account_text(page, account);
        }
        if self.accounts.is_empty() {
            page.line(0, "The store holds no account with OMEMO keys.");
        }
    }
}

fn problem_line(page: &mut Page, problem: &ProblemView) {
    page.bullet(
        0,
        Line::new().look(Look::Bad, "not readable").plain(": ").plain(&problem.place).plain(": ").plain(&problem.says),
    );
}

fn account_text(page: &mut Page, account: &AccountView) {
    page.gap();
    page.line(
        0,
        Line::new()
            .strong(account.jid.as_deref().unwrap_or("an account that the store does not name (--account names it)"))
            .plain("  ")
            .plain(client_and_version(account.client, &account.version)),
    );
    page.field(2, "store", &account.store);
    page.field(2, "own device", account.own_device_id.map_or_else(|| "not in the store".to_owned(), |id| id.to_string()));
    match &account.own_fingerprint {
        Some(hex) => page.field(2, "own fingerprint", grouped(hex, 8)),
        None => page.field(2, "own fingerprint", "not in the store"),
    }
    if let Some(hex) = &account.own_shown_as {
        page.field(2, &format!("in {}", account.client), grouped(hex, 8));
        let other = "shows the keys of OMEMO 2 in their Ed25519 form: other digits, the same key";
        page.line(2, Line::new().faint(format!("{} {other} (-v has both for each device).", account.client)));
    }
    for problem in &account.problems {
        problem_line(page, problem);
    }
    if let Some(upgrade) = &account.upgrade {
        upgrade.text(page);
        return;
    }
    // This device stands above already.
    let others = account.devices.split_at(account.devices.iter().take_while(|d| d.this_device).count()).1;
    for group in others.chunk_by(|a, b| a.jid == b.jid) {
        let Some(first) = group.first() else { continue };
        page.gap();
        let whose = if first.own { "  (own other devices)" } else { "" };
        page.line(2, Line::new().strong(&first.jid).faint(format!("  {}{whose}", count(group.len(), "device"))));
        table(page, group);
        if page.verbose() {
            details(page, account.client, group);
        }
    }
    if account.devices.is_empty() {
        page.line(2, "The store knows no other device.");
    }
    unsigned_labels(page, account);
}

fn table(page: &mut Page, devices: &[DeviceView]) {
    let per_line = match page.width() {
        118.. => 8,
        74.. => 4,
        _ => 2,
    };
    let labelled = devices.iter().any(|d| d.label.is_some());
    let mut header = vec!["device", "trust", "activity", "fingerprint"];
    if labelled {
        header.push("label");
    }
    let rows = devices
        .iter()
        .map(|d| {
            let fingerprint = d.fingerprint.as_deref().map_or_else(|| "not known".into(), |f| grouped(f, per_line));
            let trust_look = match d.level {
                TrustLevel::Trusted => Look::Good,
                TrustLevel::Untrusted | TrustLevel::Compromised => Look::Bad,
                TrustLevel::Undecided => Look::Warning,
                TrustLevel::Unknown => Look::Faint,
            };
            let trust = if d.trust.eq_ignore_ascii_case(d.trust_level) {
                d.trust_level.to_owned()
            } else {
                format!("{} ({})", d.trust_level, d.trust)
            };
            let mut row = vec![
                (Look::Strong, d.device_id.map_or_else(|| "id lost".into(), |id| id.to_string())),
                (trust_look, trust),
                (d.activity.look, d.activity.state.to_owned()),
                (Look::Plain, fingerprint),
            ];
            if labelled {
                row.push(label_cell(d.label.as_ref()));
            }
            row
        })
        .collect();
    page.columns(4, &header, rows);
}

/// A label may only be read as a name when its signature holds.
fn label_cell(label: Option<&LabelView>) -> (Look, String) {
    match label {
        None => (Look::Plain, String::new()),
        Some(l) if l.signature == LabelSignature::Valid.as_str() => (Look::Plain, l.text.clone()),
        Some(l) if l.signature == LabelSignature::Unchecked.as_str() => (Look::Faint, format!("{} (not checked)", l.text)),
        Some(l) => (Look::Bad, format!("{} (signature {}!)", l.text, l.signature)),
    }
}

fn details(page: &mut Page, client: &str, devices: &[DeviceView]) {
    for d in devices {
        page.gap();
        page.line(4, Line::new().strong(d.device_id.map_or_else(|| "id lost".into(), |id| format!("device {id}"))));
        page.field(6, "activity", Line::new().look(d.activity.look, d.activity.state).plain(": ").plain(&d.activity.reason));
        if let Some(seen) = &d.last_seen {
            page.field(6, "last seen", seen);
        }
        if !d.namespaces.is_empty() {
            page.field(6, "variants", d.namespaces.join(", "));
        }
        if let Some(hex) = &d.shown_as {
            page.field(6, &format!("in {client}"), grouped(hex, 8));
        }
        page.field(6, "session", if d.has_session { "yes" } else { "none" });
        page.field(6, "where", &d.place);
    }
}

fn unsigned_labels(page: &mut Page, account: &AccountView) {
    let bad: Vec<String> = account
        .devices
        .iter()
        .filter(|d| d.label.as_ref().is_some_and(|l| matches!(l.signature, "invalid" | "missing")))
        .filter_map(|d| d.device_id.map(|id| id.to_string()))
        .collect();
    if !bad.is_empty() {
        page.gap();
        page.line(
            2,
            Line::new().look(Look::Warning, "Do not trust the label").plain(format!(
                " of {}: its signature does not hold, so anyone who can write to the device list may have written it.",
                and_list(&bad)
            )),
        );
    }
}
