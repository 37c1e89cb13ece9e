//! The stores that were found: `omemoscope/stores/1`.

use super::shared::{count, time};
use super::{Line, Page, View, page::Look};
use crate::input::store::finder::{Finding, Found};
use serde::Serialize;
use std::path::Path;

/// The stores, and how far the search went.
#[derive(Debug, Serialize)]
pub struct StoreList {
    stores: Vec<StoreView>,
    /// Files and folders looked at.
    looked_at: u64,
    /// Folders and files without permission.
    closed: u64,
    /// The search ended at its limit; there may be more.
    limited: bool,
    /// What was searched, if it was one folder.
    searched: Option<String>,
}

#[derive(Debug, Serialize)]
struct StoreView {
    client: &'static str,
    accounts: Vec<AccountView>,
    path: String,
    /// Bytes.
    size: u64,
    modified: Option<String>,
    /// Why it could not be read.
    unreadable: Option<String>,
    /// The command to go on with.
    next: String,
}

#[derive(Debug, Serialize)]
struct AccountView {
    jid: Option<String>,
    own_device_id: Option<u32>,
}

impl StoreList {
    /// A search's result; `searched` is the folder, or nothing for the default places.
    pub fn new(finding: &Finding, searched: Option<&Path>) -> Self {
        Self {
            stores: finding.found.iter().map(store).collect(),
            looked_at: finding.looked_at,
            closed: finding.closed,
            limited: finding.limited,
            searched: searched.map(|path| path.display().to_string()),
        }
    }
}

fn store(found: &Found) -> StoreView {
    let subject = if found.unreadable.is_some() { "inspect" } else { "devices --store" };
    StoreView {
        client: found.client,
        accounts: found
            .accounts
            .iter()
            .map(|(jid, own_device_id)| AccountView { jid: jid.as_ref().map(ToString::to_string), own_device_id: *own_device_id })
            .collect(),
        path: found.path.display().to_string(),
        size: found.size,
        modified: found.modified.as_ref().map(time),
        unreadable: found.unreadable.clone(),
        next: format!("omemoscope {subject} {}", quoted(&found.path.display().to_string())),
    }
}

/// For a shell, if it has to be.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '@' | '+' | ',' | '=' | '~');
    if !path.starts_with('~') && !path.is_empty() && path.chars().all(plain) {
        return path.to_owned();
    }
    if cfg!(windows) { format!("\"{path}\"") } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

impl View for StoreList {
    const COMMAND: &'static str = "stores";

    fn text(&self, page: &mut Page) {
        for store in &self.stores {
            page.gap();
            page.line(0, Line::new().strong(store.client).plain(format!("  {}", accounts(store))));
            let written = store.modified.as_deref().map_or_else(String::new, |time| format!(", last written {time}"));
            page.line(2, Line::new().faint(format!("{}{written}", bytes(store.size))));
            if let Some(why) = &store.unreadable {
                page.bullet(2, Line::new().look(Look::Bad, "not readable").plain(": ").plain(why));
            }
            // Whole, so that it can be copied.
            page.unbroken(2, &format!("$ {}", store.next));
        }
        page.gap();
        page.line(0, self.summary());
    }
}

impl StoreList {
    fn summary(&self) -> String {
        let place = self.searched.as_deref().map_or_else(|| "the default places of known clients".to_owned(), str::to_owned);
        let mut says = if self.stores.is_empty() {
            format!("No store of a known client in {place}.")
        } else {
            format!("{} in {place}.", count(self.stores.len(), "store"))
        };
        if self.stores.is_empty() && self.searched.is_none() {
            says.push_str(" A folder is searched with --home, for example a copied home folder or an unpacked phone backup.");
        }
        if self.closed > 0 {
            let number = usize::try_from(self.closed).unwrap_or(usize::MAX);
            says.push_str(&format!(" {} could not be looked into (no permission).", count(number, "folder or file")));
        }
        if self.limited {
            says.push_str(&format!(" The search ended after {} files: name a smaller folder.", self.looked_at));
        }
        says
    }
}

fn accounts(store: &StoreView) -> String {
    let names: Vec<String> = store
        .accounts
        .iter()
        .map(|account| {
            let jid = account.jid.as_deref().unwrap_or("an account that the store does not name");
            account.own_device_id.map_or_else(|| jid.to_owned(), |id| format!("{jid} (device {id})"))
        })
        .collect();
    names.join(", ")
}

fn bytes(size: u64) -> String {
    const KIB: u64 = 1024;
    match size {
        0..KIB => format!("{size} bytes"),
        KIB..1_048_576 => format!("{} KiB", size / KIB),
        _ => format!("{} MiB", size / (KIB * KIB)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_the_shell() {
        assert_eq!(quoted("/home/me/.local/share/dino/omemo.db"), "/home/me/.local/share/dino/omemo.db");
        if !cfg!(windows) {
            assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
            assert_eq!(quoted("~x"), "'~x'");
        }
    }
}
