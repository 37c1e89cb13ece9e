//! `omemoscope decrypt`: plaintexts.

use super::inputs::{self, StoreArgs};
use super::terminal::Terminal;
use super::{Format, Global, Outcome, Stop, diagnose};
use crate::analysis::investigation::Question;
use crate::report::decrypt::{Decrypted, message_text};
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  What a conversation says
  $ omemoscope decrypt --store gajim gajim.log

  With several copies of the store taken over time, each message is tried on each of them
  $ omemoscope decrypt --store gajim --store gajim-newer gajim.log";

/// Decrypt messages with the keys of a store
///
/// A copy of a store opens messages that its client had not yet read when the copy was made, and those
/// that its client sent afterwards in the same chain; keys of messages that were read are destroyed, and
/// no copy brings them back. Content other than a text body is shown as XML under its name.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Decrypt {
    #[command(flatten)]
    store: StoreArgs,
    /// Captures; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

impl Decrypt {
    /// Decrypts what can be decrypted.
    pub fn run(&self, global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let stores = inputs::open_stores(global, terminal, &self.store)?;
        inputs::warn_of_problems(terminal, &stores);
        let json = terminal.format == Format::Json;
        if json {
            terminal.begin_list("decrypt", "messages")?;
        }
        let mut page = terminal.page();
        let mut decrypted = Decrypted::default();
        let (account, device) = (global.account.clone(), global.device);
        let question = Question { stores, peers: Vec::new(), account, device, snapshots_only: true };
        let (conclusion, sources, read) = diagnose::investigate(terminal, question, &self.captures, &mut |terminal, verdict| {
            let message = decrypted.take(&verdict);
            if json {
                return terminal.item(&message);
            }
            message_text(&mut page, &message);
            terminal.write_more(&page.take())
        })?;
        decrypted.finish(&conclusion, sources);
        if json {
            terminal.end_list(&decrypted)?;
        } else {
            terminal.write_more(decrypted.gap())?;
            decrypted.text(&mut page);
            terminal.write(&page.take())?;
        }
        let outcome = if conclusion.misfit { Outcome::PartlyUnusable } else { Outcome::findings(decrypted.needs_attention()) };
        Ok(read.outcome(outcome))
    }
}
