//! Who stays reachable without the old variant: a part of the device audit.

use super::{Line, Page, page::Look};
use crate::analysis::upgrade::{self, ContactUpgrade, Reach};
use crate::model::Account;
use crate::omemo::Namespace;
use serde::Serialize;
use std::collections::BTreeSet;

/// How an account would fare.
#[derive(Debug, Serialize)]
pub struct UpgradeView {
    /// Whether the client itself speaks OMEMO 2.
    client_speaks_omemo2: bool,
    contacts: Vec<ContactView>,
    #[serde(skip)]
    client: &'static str,
}

#[derive(Debug, Serialize)]
struct ContactView {
    jid: String,
    /// lost, partly or reachable.
    reach: &'static str,
    only_old: BTreeSet<u32>,
    only_new: BTreeSet<u32>,
    both: BTreeSet<u32>,
    different_identity: BTreeSet<u32>,
    #[serde(skip)]
    look: Look,
}

impl UpgradeView {
    /// The view of one account.
    pub fn new(account: &Account) -> Self {
        Self {
            client_speaks_omemo2: account.client.namespaces.contains(&Namespace::Omemo2),
            client: account.client.name,
            contacts: upgrade::contacts(account).into_iter().map(contact).collect(),
        }
    }

    /// Writes it for a person.
    pub fn text(&self, page: &mut Page) {
        page.gap();
        if !self.client_speaks_omemo2 {
            let says = format!("{} does not speak OMEMO 2: leaving the old variant would mean leaving this client.", self.client);
            page.line(2, Line::new().look(Look::Warning, says));
            page.gap();
        }
        if self.contacts.is_empty() {
            page.line(2, "The store knows no other device.");
            return;
        }
        let rows = self
            .contacts
            .iter()
            .map(|c| {
                let stay: Vec<u32> = c.only_new.iter().chain(&c.both).copied().collect();
                vec![
                    (Look::Strong, c.jid.clone()),
                    (c.look, c.reach.to_owned()),
                    (Look::Plain, ids(stay.iter())),
                    (Look::Plain, ids(c.only_old.iter())),
                ]
            })
            .collect();
        page.columns(2, &["contact", "in OMEMO 2", "devices that stay", "devices that are lost"], rows);
        for c in self.contacts.iter().filter(|c| !c.different_identity.is_empty()) {
            let says = format!("{}: another identity key in one variant than in the other, device ", c.jid);
            page.line(2, Line::new().look(Look::Bad, says).plain(ids(c.different_identity.iter())));
        }
        page.gap();
        page.line(
            2,
            Line::new().faint("Known from this store (and captures given): a device may speak a variant that neither shows."),
        );
    }
}

fn contact(contact: ContactUpgrade) -> ContactView {
    ContactView {
        jid: contact.jid.to_string(),
        reach: contact.reach.as_str(),
        look: match contact.reach {
            Reach::Lost => Look::Bad,
            Reach::Partly => Look::Warning,
            Reach::Reachable => Look::Good,
        },
        only_old: contact.only_old,
        only_new: contact.only_new,
        both: contact.both,
        different_identity: contact.different_identity,
    }
}

fn ids<'a>(ids: impl Iterator<Item = &'a u32>) -> String {
    ids.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
