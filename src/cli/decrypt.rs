//! `omemoscope decrypt`: plaintexts.

use super::inputs::{self, StoreArgs};
use super::terminal::Terminal;
use super::{Global, Outcome, Stop, diagnose};
use crate::report::decrypt::Decrypted;
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
        let (conclusion, sources) = diagnose::investigate(global, terminal, stores, Vec::new(), true, &self.captures)?;
        let view = Decrypted::new(&conclusion, sources);
        terminal.show(&view)?;
        Ok(Outcome::findings(view.needs_attention()))
    }
}
