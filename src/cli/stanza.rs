//! `omemoscope stanza`: decode OMEMO elements.

use super::inputs::{self, PasswordArgs, StoreArgs};
use super::terminal::Terminal;
use super::{Format, Global, Outcome, Stop};
use crate::analysis::rules::RuleBook;
use crate::input::capture::unwrap::Unwrapper;
use crate::model::{Account, CaptureEvent};
use crate::report::Page;
use crate::report::nothing_found;
use crate::report::rules::{RuleView, rules_text};
use crate::report::stanza::ElementView;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  Every OMEMO element of a log
  $ omemoscope stanza gajim.log

  An element pasted into a file
  $ omemoscope stanza encrypted.xml

  The rules that only a store can tell about, too: what we publish and whom we encrypt for
  $ omemoscope stanza --store gajim gajim.log";

/// Decode OMEMO elements down to their last field, without keys
///
/// Encrypted messages with each key element (whose it is, ratchet key, counters, prekey ids, identity
/// key), device lists, and bundles with their signature checked. What a receiver could not use is said
/// in plain words. At the end stand the rules of XEP-0384 that the capture breaks (MUSTs; SHOULDs with
/// -v and in JSON). A capture is an XML stream, loose stanzas, a pasted element or a client's log.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Stanza {
    /// Captures; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// The store of the client whose log it is, to check rules that the capture alone cannot tell
    #[arg(short, long = "store", value_name = "PATH")]
    stores: Vec<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

impl Stanza {
    /// Shows each element as it is read: memory does not grow with the capture.
    pub fn run(&self, global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let accounts = self.accounts(global, terminal)?;
        let only = if let [one] = accounts.as_slice() { Some(one) } else { None };
        let own = global.account.clone().or_else(|| only.and_then(|a| a.jid.clone()));
        let mut rules = RuleBook::new(own, global.device.or_else(|| only.and_then(|a| a.own_device_id)));
        let mut list = List { page: terminal.page(), shown: 0, attention: false };
        if terminal.format == Format::Json {
            terminal.begin_list("stanza", "elements")?;
        }
        let mut unwrapper = Unwrapper::default();
        let mut result = Ok(());
        let read = inputs::read_captures(terminal.progress(), &self.captures, &mut |event| {
            let stanza = match event {
                CaptureEvent::Stanza(stanza) => stanza,
                CaptureEvent::ClientLine(line) => return rules.take_line(&line),
            };
            rules.take_stanza(&stanza);
            for item in unwrapper.items(&stanza) {
                rules.take(&item);
                if result.is_ok() {
                    result = list.show(terminal, &ElementView::new(&item));
                }
            }
            inputs::stop_early(&result);
        })?;
        result?;
        read.warn(terminal);
        let rules: Vec<RuleView> = rules.finish(&accounts).iter().map(RuleView::new).collect();
        list.finish(terminal, read.stanzas, &rules)?;
        Ok(read.outcome(Outcome::findings(list.attention)))
    }

    /// The accounts of the stores, if any are given.
    fn accounts(&self, global: &Global, terminal: &Terminal) -> Result<Vec<Account>, Stop> {
        let args = StoreArgs { stores: self.stores.clone(), password: self.password.clone() };
        let stores = inputs::open_stores(global, terminal, &args)?;
        inputs::warn_of_problems(terminal, &stores);
        Ok(stores.into_iter().flat_map(|s| s.accounts).collect())
    }
}

/// The list of elements, written piece by piece.
struct List {
    page: Page,
    shown: usize,
    attention: bool,
}

impl List {
    fn show(&mut self, terminal: &mut Terminal, view: &ElementView) -> Result<(), Stop> {
        self.attention |= view.needs_attention();
        let gap = self.shown > 0;
        self.shown += 1;
        if terminal.format == Format::Json {
            return terminal.item(view);
        }
        if gap {
            terminal.write_more("\n")?;
        }
        view.text(&mut self.page);
        terminal.write_more(&self.page.take())
    }

    fn finish(&mut self, terminal: &mut Terminal, stanzas: usize, rules: &[RuleView]) -> Result<(), Stop> {
        if terminal.format == Format::Json {
            return terminal.end_list(&Rest { rules });
        }
        if self.shown == 0 {
            terminal.write_more(&format!("{}\n", nothing_found(stanzas)))?;
        }
        rules_text(&mut self.page, rules);
        let text = self.page.take();
        terminal.write(&if text.is_empty() { text } else { format!("\n{text}") })
    }
}

/// What stands beside the list.
#[derive(Serialize)]
struct Rest<'a> {
    rules: &'a [RuleView],
}
