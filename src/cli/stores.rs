//! `omemoscope stores`: find the stores of known clients.

use super::inputs::{self, PasswordArgs};
use super::terminal::Terminal;
use super::{Global, Outcome, Stop};
use crate::input::store::default_place::UserFolders;
use crate::input::store::finder;
use crate::report::stores::StoreList;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  Which clients of mine have OMEMO keys on this machine?
  $ omemoscope stores

  What is below this folder: an unpacked phone backup, a mounted disk?
  $ omemoscope stores --home .";

/// Find the stores of known clients on this machine or in a folder
///
/// Without --home the default places of each client are looked at. With --home every file of that folder
/// is, by name and first bytes before anything is read; links are not followed. Each store comes with its
/// client, accounts and the command to go on with. Nothing is changed, also where a client is running.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Stores {
    /// Search this whole folder instead of the default places
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

impl Stores {
    /// Searches.
    pub fn run(&self, global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let options = inputs::open_options(global, &self.password)?;
        let finding = match &self.home {
            Some(folder) => {
                if !folder.is_dir() {
                    return Err(Stop::Failure(format!("{}: a folder to search was expected", folder.display())));
                }
                let bar = terminal.progress().counter("files");
                let finding = finder::below(folder, &options, &mut |files| bar.set_position(files));
                bar.finish_and_clear();
                finding
            }
            None => {
                let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
                let folders = UserFolders::of_environment(variable)
                    .ok_or_else(|| Stop::Failure("there is no home folder in the environment; name one with --home".into()))?;
                finder::at_default_places(&folders, &options)
            }
        };
        terminal.show(&StoreList::new(&finding, self.home.as_deref()))?;
        Ok(Outcome::Clean)
    }
}
