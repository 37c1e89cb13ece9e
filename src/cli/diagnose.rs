//! `omemoscope diagnose`: why did it not decrypt?

use super::inputs::{self, PasswordArgs, Read, StoreArgs};
use super::terminal::Terminal;
use super::{Format, Global, Outcome, Stop};
use crate::analysis::investigation::{Conclusion, Investigation, Question};
use crate::model::{MessageVerdict, Store};
use crate::report::View;
use crate::report::diagnose::{DiagnosisView, Sources};
use clap::{ArgGroup, Args};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  Why does this conversation not decrypt?
  $ omemoscope diagnose --store gajim gajim-earlier.log gajim.log

  The same for a script
  $ omemoscope diagnose --store gajim --format json gajim-earlier.log gajim.log

  The store is an old copy, not what the client works with now
  $ omemoscope diagnose --store gajim --snapshot gajim-earlier.log gajim.log";

/// Say why messages did not decrypt, what proves it and what to do
///
/// First a summary, then what concerns the whole conversation, then the messages that need attention,
/// grouped by cause: what happened, the evidence with its place, what to do (least drastic first), and
/// what is not settled with the file that would settle it. `proven` means that no other cause fits the
/// evidence; `likely` and `possible` say less. `omemoscope explain CODE` explains a cause.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[command(group = ArgGroup::new("input").required(true).multiple(true).args(["stores", "captures"]))]
pub struct Diagnose {
    /// A client's store: a file or folder; repeat it for copies taken over time, the newest last
    ///
    /// Which client it is from is found out by looking. The store is only read: not a byte of it, no
    /// lock and no file beside it changes, and the client may be running. Without a store only what stands in
    /// clear is judged.
    #[arg(short, long = "store", value_name = "PATH")]
    stores: Vec<PathBuf>,
    /// The other end's store; it settles much that one end leaves open
    #[arg(short, long = "peer", value_name = "PATH")]
    peers: Vec<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
    /// Show what the messages say, too
    #[arg(long)]
    show_plaintext: bool,
    /// Take the newest store for an early copy, not for what the client works with now
    #[arg(long)]
    snapshot: bool,
    /// Captures: logs, XML streams, stanzas, the oldest first; `-` is standard input
    #[arg(value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

impl Diagnose {
    /// Diagnoses.
    pub fn run(&self, global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let ours = StoreArgs { stores: self.stores.clone(), password: self.password.clone() };
        let stores = inputs::open_stores(global, terminal, &ours)?;
        let mut options = inputs::open_options(global, &self.password)?;
        options.account = None;
        let peers = self.peers.iter().map(|p| inputs::open_store(terminal, p, &mut options)).collect::<Result<Vec<_>, _>>()?;
        inputs::warn_of_problems(terminal, &stores);
        inputs::warn_of_problems(terminal, &peers);
        let json = terminal.format == Format::Json;
        if json {
            terminal.begin_list(DiagnosisView::COMMAND, "messages")?;
        }
        let mut view = DiagnosisView::new(self.show_plaintext, global.verbose);
        let question =
            Question { stores, peers, account: global.account.clone(), device: global.device, snapshots_only: self.snapshot };
        let (conclusion, sources, read) = investigate(terminal, question, &self.captures, &mut |terminal, verdict| {
            if !json {
                view.take(&verdict);
                return Ok(());
            }
            view.count(&verdict);
            terminal.item(&view.message(&verdict))
        })?;
        view.finish(&conclusion, sources);
        if json {
            terminal.end_list(&view)?
        } else {
            terminal.show(&view)?
        }
        Ok(read.outcome(if conclusion.misfit { Outcome::PartlyUnusable } else { Outcome::findings(view.needs_attention()) }))
    }
}

/// Where verdicts are shown, as they come.
pub type Shown<'a> = &'a mut dyn FnMut(&mut Terminal, MessageVerdict) -> Result<(), Stop>;

/// Stores and captures in, a diagnosis out.
pub fn investigate(
    terminal: &mut Terminal,
    question: Question,
    captures: &[PathBuf],
    shown: Shown<'_>,
) -> Result<(Conclusion, Sources, Read), Stop> {
    let captures = inputs::in_order(terminal, captures);
    let names = |stores: &[Store]| stores.iter().map(|s| s.path.display().to_string()).collect();
    let mut sources = Sources {
        stores: names(&question.stores),
        peers: names(&question.peers),
        captures: captures.iter().map(|p| p.display().to_string()).collect(),
        stanzas: 0,
    };
    let progress = terminal.progress();
    let mut result = Ok(());
    let mut show = |verdict| {
        if result.is_ok() {
            result = shown(terminal, verdict);
        }
        inputs::stop_early(&result);
    };
    let mut investigation = Investigation::new(question);
    let read = inputs::read_captures(progress, &captures, &mut |event| investigation.take(event, &mut show))?;
    sources.stanzas = read.stanzas;
    let conclusion = investigation.conclude(&mut show);
    result?;
    read.warn(terminal);
    Ok((conclusion, sources, read))
}
