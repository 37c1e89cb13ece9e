//! `omemoscope devices`: the device audit.

use super::inputs::{self, StoreArgs};
use super::terminal::Terminal;
use super::{Global, Outcome, Stop};
use crate::analysis::audit::Audit;
use crate::report::devices::DeviceAudit;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  All devices that this store knows
  $ omemoscope devices --store gajim

  Why a device counts as active or stale, when it was seen, and where that stands
  $ omemoscope devices --store gajim --verbose

  With what a log adds: devices on the lists it holds, labels with their signatures checked
  $ omemoscope devices --store gajim gajim.log

  Who would be lost without the old variant of OMEMO?
  $ omemoscope devices --store gajim --upgrade

  For a script
  $ omemoscope devices --store gajim --format json";

/// List the devices a store knows: keys, trust, activity
///
/// One table for each contact. `trust` is the client's own word beside a common scale: trusted, untrusted,
/// undecided, compromised, unknown. `activity` is active, inactive, stale or unknown; -v gives the rule
/// and the numbers that say so. Fingerprints are those of the Curve25519 form, as most clients show them.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Devices {
    #[command(flatten)]
    store: StoreArgs,
    /// Say who stays reachable if the old variant of OMEMO is left today
    ///
    /// For each contact: the devices that speak OMEMO 2, those that would be lost, and whether both
    /// variants carry the same identity key. Captures with device lists make the answer more complete.
    #[arg(long)]
    upgrade: bool,
    /// Captures, whose device lists and bundles complete what the store knows
    #[arg(value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

impl Devices {
    /// Audits the devices.
    pub fn run(&self, global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let stores = inputs::open_stores(global, terminal, &self.store)?;
        let damaged = inputs::is_damaged(&stores);
        let mut audit = Audit::new(stores);
        inputs::read_captures(terminal.progress(), &self.captures, &mut |event| audit.take(event))?;
        terminal.show(&DeviceAudit::new(&audit.finish(), self.upgrade))?;
        Ok(Outcome::findings(damaged))
    }
}
