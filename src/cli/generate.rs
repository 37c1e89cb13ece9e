//! `omemoscope generate`: man pages and completions, from the same definitions as the help.

use super::terminal::Terminal;
use super::{Outcome, Stop, command};
use crate::analysis::diagnose::{CAUSES, explanation};
use crate::analysis::states::{self, STATES};
use crate::analysis::words;
use crate::model::{Code, Concern};
use clap::{Args, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// Write man pages or shell completions into a folder
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct Generate {
    /// What to write
    #[arg(value_enum)]
    what: What,
    /// The folder; it is made if it is not there
    folder: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Man pages, one a subcommand
    Man,
    /// Completions for bash, zsh and fish
    Completions,
    /// The page of all causes, `causes.md`
    Docs,
}

impl Generate {
    /// Writes the files.
    pub fn run(&self, _terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let fail = |error: std::io::Error| Stop::Failure(format!("{}: cannot write into it: {error}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).map_err(fail)?;
        match self.what {
            What::Man => {
                clap_mangen::generate_to(command().disable_help_subcommand(true), &self.folder).map_err(fail)?;
                for entry in std::fs::read_dir(&self.folder).map_err(fail)? {
                    let path = entry.map_err(fail)?.path();
                    let page = std::fs::read_to_string(&path).map_err(fail)?;
                    std::fs::write(&path, with_examples(&page)).map_err(fail)?;
                }
            }
            What::Completions => {
                for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
                    clap_complete::generate_to(shell, &mut command(), "omemoscope", &self.folder).map_err(fail)?;
                }
            }
            What::Docs => std::fs::write(self.folder.join("causes.md"), causes_page()).map_err(fail)?,
        }
        Ok(Outcome::Clean)
    }
}

/// The words, and all explanations in the order of decision, each below its code.
fn causes_page() -> String {
    let mut page = String::from(
        "# Causes\n\nWhat each code of a diagnosis means: the texts of `omemoscope explain CODE`, in the order of decision.\n",
    );
    page.push_str(&format!("\n## Words\n\n{}", words::explanation()));
    let mut codes = Vec::new();
    for code in CAUSES.iter().map(|cause| cause.code) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    page.push_str("\n## All codes\n");
    for concern in Concern::ALL {
        page.push_str(&format!("\n{}:\n\n", concern.title()));
        for code in codes.iter().filter(|code| code.concern() == *concern) {
            page.push_str(&format!("- [{code}](#{code}): {} {}\n", code.subject(), code.title()));
        }
    }
    page.push_str("\n## Words for activity and trust\n\nAs `devices` writes them.\n\n");
    for state in STATES {
        page.push_str(&format!("- **{}**: {} {}. {}\n", state.word, states::SUBJECT, state.title, state.says));
    }
    for code in codes {
        let text = explanation(code);
        let linked =
            Code::ALL.iter().fold(text, |text, other| text.replace(&format!("[{other}]"), &format!("[{other}](#{other})")));
        page.push_str(&format!("\n#{linked}\n"));
    }
    page
}

/// Gives the examples a heading of their own and keeps their lines.
fn with_examples(page: &str) -> String {
    let Some((before, behind)) = page.split_once(".SH EXTRA\n") else { return page.to_owned() };
    let (examples, after) = behind.split_once(".SH ").unwrap_or((behind, ""));
    let examples = examples.strip_prefix("Examples:\n").unwrap_or(examples);
    format!("{before}.SH EXAMPLES\n.nf\n{examples}.fi\n.SH {after}")
}
