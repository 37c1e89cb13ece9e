//! Arguments to the rooms; one file a subcommand.

mod decrypt;
mod devices;
mod diagnose;
mod explain;
mod generate;
mod inputs;
mod inspect;
mod sessions;
mod stanza;
mod stop;
mod stores;
mod terminal;

pub use stop::{Outcome, Stop};

use crate::model::BareJid;
use crate::report::safe::safe;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::process::ExitCode;
use terminal::Terminal;

const EXAMPLES: &str = "\
Where to begin:
  $ omemoscope inspect gajim gajim.log
  $ omemoscope diagnose --store gajim gajim-earlier.log gajim.log
  $ omemoscope explain receiver-rolled-back

Exit codes: 0 nothing wrong found, 1 findings that need attention, 2 the input or the call was wrong.
Nothing is ever written to a store, and nothing is sent anywhere.";

/// Offline inspector and debugger for OMEMO keys, sessions and messages
///
/// Reads the stores and logs of XMPP clients, decodes OMEMO (XEP-0384) stanzas, decrypts what the keys
/// at hand can decrypt, and says with proof why a message did not decrypt and what to do about it.
#[derive(Debug, Parser)]
#[command(name = "omemoscope", version, after_long_help = EXAMPLES, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every subcommand.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Our own address, where the store does not know it, or which of its accounts
    #[arg(long, value_name = "JID", global = true, value_parser = account)]
    account: Option<BareJid>,
    /// Our own device id, where several accounts or no store would leave it open
    #[arg(long, value_name = "ID", global = true, value_parser = clap::value_parser!(u32).range(1..))]
    device: Option<u32>,
    /// How to show the result
    #[arg(long, value_name = "FORMAT", global = true, value_enum, default_value_t = Format::Text, hide_default_value = true)]
    format: Format,
    /// When to use colours; the variable `NO_COLOR` turns them off too
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = Color::Auto, hide_default_value = true)]
    color: Color,
    /// Show more: reasons, places, harmless messages
    #[arg(short, long, global = true)]
    verbose: bool,
    /// No progress and no warnings on standard error
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal only
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Stores(stores::Stores),
    Inspect(inspect::Inspect),
    Devices(devices::Devices),
    Sessions(sessions::Sessions),
    Stanza(stanza::Stanza),
    Decrypt(decrypt::Decrypt),
    Diagnose(diagnose::Diagnose),
    Explain(explain::Explain),
    Generate(generate::Generate),
}

fn account(text: &str) -> Result<BareJid, String> {
    BareJid::new(text).ok_or_else(|| "expected an address like romeo@montague.example".to_owned())
}

/// The definition of the command line: source of help, man pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program.
pub fn main() -> ExitCode {
    quiet_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let mut terminal = Terminal::new(&cli.global);
    // A panic is a fault of this program; its message may hold private data, so only its place is shown.
    let run = std::panic::AssertUnwindSafe(|| run(&cli, &mut terminal));
    match std::panic::catch_unwind(run).unwrap_or(Err(Stop::Reported)) {
        Ok(outcome) => outcome.exit_code(),
        Err(Stop::BrokenPipe) => ExitCode::SUCCESS,
        Err(Stop::Reported) => ExitCode::from(2),
        Err(Stop::Failure(says)) => {
            terminal.failure(&says);
            ExitCode::from(2)
        }
    }
}

/// Answers a call that cannot be understood (or one for help); programs that want JSON get an object.
fn refuse(error: &clap::Error) -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let json = arguments.windows(2).any(|pair| pair == ["--format", "json"]) || arguments.iter().any(|a| a == "--format=json");
    if error.use_stderr() && json {
        let text = error.to_string();
        let says = text.split("\n\nUsage:").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        terminal::json_failure(says.strip_prefix("error: ").unwrap_or(&says));
    }
    // Nobody is left to be told where this fails.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn run(cli: &Cli, terminal: &mut Terminal) -> Result<Outcome, Stop> {
    let global = &cli.global;
    match &cli.command {
        Command::Stores(command) => command.run(global, terminal),
        Command::Inspect(command) => command.run(global, terminal),
        Command::Devices(command) => command.run(global, terminal),
        Command::Sessions(command) => command.run(global, terminal),
        Command::Stanza(command) => command.run(global, terminal),
        Command::Decrypt(command) => command.run(global, terminal),
        Command::Diagnose(command) => command.run(global, terminal),
        Command::Explain(command) => command.run(terminal),
        Command::Generate(command) => command.run(terminal),
    }
}

/// Replaces the panic message and backtrace by one sentence with the place in our code.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
        let _ = writeln!(std::io::stderr(), "error: omemoscope met a fault of its own{}. Please report it.", safe(&place));
    }));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_consistent() {
        super::command().debug_assert();
    }

    #[test]
    fn short_help_is_one_line_without_full_stop() {
        let command = super::command();
        for sub in command.get_subcommands() {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && !about.ends_with('.') && !about.contains('\n'), "{}: {about}", sub.get_name());
            for arg in sub.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty() && !help.ends_with('.'), "{} {}: {help}", sub.get_name(), arg.get_id());
            }
            assert!(sub.is_hide_set() || sub.get_after_long_help().is_some(), "{} has no examples", sub.get_name());
        }
    }
}
