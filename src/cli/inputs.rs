//! Options and files that several subcommands take, and the calls into the reading room.

use super::terminal::{Progress, Terminal};
use super::{Global, Outcome, Stop};
use crate::input::InputError;
use crate::input::capture::{self, Capture, Dating};
use crate::input::store::{self, OpenOptions};
use crate::model::{CaptureEvent, ProblemScope, STDIN, Store};
use crate::secret::Plaintext;
use clap::Args;
use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Longest password file that is read.
const MAX_PASSWORD_FILE: u64 = 64 << 10;

/// Passwords for encrypted stores.
#[derive(Clone, Debug, Args)]
pub struct PasswordArgs {
    /// File with passwords for encrypted backups, one a line; `-` is standard input
    ///
    /// Each password is tried in turn. Without this option it is asked for on the terminal. Passwords are never taken from the command line itself, where
    /// other users of the machine could read them.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// The stores that a command must have.
#[derive(Clone, Debug, Args)]
pub struct StoreArgs {
    /// A client's store: a file or folder; repeat it for copies taken over time, the newest last
    ///
    /// Which client it is from is found out by looking. The store is only read: not a byte of it, no
    /// lock and no file beside it changes, and the client may be running.
    #[arg(short, long = "store", value_name = "PATH", required = true)]
    pub stores: Vec<PathBuf>,
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// Reads the passwords.
fn passwords(args: &PasswordArgs) -> Result<Vec<Plaintext>, Stop> {
    let Some(path) = &args.password_file else { return Ok(Vec::new()) };
    let fail = |says: String| Stop::Failure(format!("{}: {says}", path.display()));
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let read = if path.as_os_str() == STDIN {
        std::io::stdin().lock().take(MAX_PASSWORD_FILE + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_PASSWORD_FILE + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| fail(format!("cannot read the password file: {error}")))?;
    if bytes.len() as u64 > MAX_PASSWORD_FILE {
        return Err(fail("too long for a password file (one password a line)".into()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| fail("a password file must be UTF-8 text".into()))?;
    Ok(text.lines().filter(|l| !l.is_empty()).map(|l| Plaintext::new(l.to_owned())).collect())
}

/// What store readers may need.
pub fn open_options(global: &Global, args: &PasswordArgs) -> Result<OpenOptions, Stop> {
    Ok(OpenOptions { account: global.account.clone(), passwords: passwords(args)? })
}

/// Opens stores of ours and keeps the account that `--account` and `--device` name.
pub fn open_stores(global: &Global, terminal: &Terminal, args: &StoreArgs) -> Result<Vec<Store>, Stop> {
    let mut options = open_options(global, &args.password)?;
    args.stores.iter().map(|path| choose(global, open_store(terminal, path, &mut options)?)).collect()
}

/// Opens a store; where it is encrypted and somebody sits at the terminal, asks for its password.
pub fn open_store(terminal: &Terminal, path: &Path, options: &mut OpenOptions) -> Result<Store, InputError> {
    let mut result = store::open(path, options);
    for _ in 0..MAX_PROMPTS {
        match &result {
            Err(error) if error.locked => match terminal.password(&error.to_string()) {
                Some(password) => options.passwords.push(password),
                None => break,
            },
            _ => break,
        }
        result = store::open(path, options);
    }
    result
}

/// How often a password is asked for.
const MAX_PROMPTS: usize = 3;

/// Drops accounts other than the one asked for.
pub fn choose(global: &Global, mut store: Store) -> Result<Store, Stop> {
    let named: Vec<String> = store
        .accounts
        .iter()
        .map(|a| {
            let jid = a.jid.as_ref().map_or("an account without address", |j| j.as_str());
            a.own_device_id.map_or_else(|| jid.to_owned(), |id| format!("{jid} (device {id})"))
        })
        .collect();
    store.accounts.retain(|a| {
        let same_jid = global.account.is_none() || a.jid.is_none() || a.jid == global.account;
        let same_device = global.device.is_none() || a.own_device_id.is_none() || a.own_device_id == global.device;
        same_jid && same_device
    });
    if store.accounts.is_empty() && !named.is_empty() {
        let mut asked = global.account.as_ref().map(ToString::to_string).unwrap_or_default();
        if let Some(device) = global.device {
            asked.push_str(&format!(" device {device}"));
        }
        return Err(Stop::Failure(format!("{}: holds {}, not {}", store.path.display(), named.join(", "), asked.trim())));
    }
    // A store that does not know its own address gets the one the user named.
    for account in &mut store.accounts {
        if account.jid.is_none() {
            account.jid.clone_from(&global.account);
        }
    }
    Ok(store)
}

/// Warns of what could not be read of stores.
pub fn warn_of_problems(terminal: &Terminal, stores: &[Store]) {
    for store in stores {
        for problem in store.problems.iter().chain(store.accounts.iter().flat_map(|a| &a.problems)) {
            terminal.warn(&format!("{}: {}", problem.place, problem.says));
        }
    }
}

/// Whether a part of a store that matters could not be read: what was shown of it may not be all.
pub fn is_damaged(stores: &[Store]) -> bool {
    let problems = stores.iter().flat_map(|store| store.problems.iter().chain(store.accounts.iter().flat_map(|a| &a.problems)));
    problems.into_iter().any(|problem| !matches!(problem.scope, ProblemScope::Other | ProblemScope::Locked))
}

/// Captures in the order in which they are to be read: what one client wrote into several files in the order of time.
pub fn in_order(terminal: &Terminal, paths: &[PathBuf]) -> Vec<PathBuf> {
    // A pipe can be read only once.
    if paths.len() < 2 || !paths.iter().all(|path| path.is_file()) {
        return paths.to_vec();
    }
    let dating = |path: &PathBuf| Capture::open(path).map_or_else(|_| Dating::unknown(), |capture| capture.dating());
    let ordered = capture::in_order(paths.iter().map(|path| (dating(path), path.clone())).collect());
    if ordered != paths {
        let names: Vec<String> = ordered.iter().map(|path| path.display().to_string()).collect();
        terminal
            .warn(&format!("the captures are read in the order of their times, or else of their numbers: {}", names.join(", ")));
    }
    ordered
}

/// What reading captures came to.
#[derive(Debug, Default)]
pub struct Read {
    /// How many stanzas they hold.
    pub stanzas: usize,
    /// Captures that could not be read to their end, one sentence each.
    problems: Vec<String>,
    /// A capture names OMEMO messages but shows none.
    hidden: bool,
}

impl Read {
    /// Warns of what could not be read.
    pub fn warn(&self, terminal: &Terminal) {
        self.problems.iter().for_each(|problem| terminal.warn(problem));
    }

    /// How a command ends that ended like this on what could be read.
    pub const fn outcome(&self, outcome: Outcome) -> Outcome {
        if self.hidden { Outcome::PartlyUnusable } else { outcome }
    }
}

/// Reads captures one after the other and hands over what they hold. What cannot be read to its end does not hide the
/// others.
pub fn read_captures(progress: Progress, paths: &[PathBuf], sink: &mut dyn FnMut(CaptureEvent)) -> Result<Read, Stop> {
    if paths.iter().filter(|path| *path == STDIN).count() > 1 {
        return Err(Stop::Failure("`-` is given twice, but standard input can be read only once".into()));
    }
    let mut read = Read::default();
    let mut known = HashSet::new();
    let mut shown = false;
    for path in paths {
        if let Ok(file) = path.canonicalize()
            && file.is_file()
            && !known.insert(file)
        {
            read.problems.push(format!("{} was named before: it is read once", path.display()));
            continue;
        }
        let result = read_open_capture(progress, path, Capture::open(path)?, &mut |event| {
            read.stanzas += usize::from(matches!(event, CaptureEvent::Stanza(_)));
            shown |= matches!(event, CaptureEvent::ClientLine(_));
            sink(event);
        });
        match result {
            Err(error) if error.partial => {
                read.hidden |= error.hidden;
                shown |= !error.hidden;
                read.problems.push(error.to_string());
            }
            result => {
                shown = true;
                result?;
            }
        }
    }
    // Where nothing else was read, an answer about the rest would say nothing.
    match read.problems.first().filter(|_| read.hidden && !shown) {
        Some(problem) => Err(Stop::Failure(problem.clone())),
        None => Ok(read),
    }
}

/// Ends the program where nobody reads its output any more: captures are read to their end, and that may take long.
pub fn stop_early(written: &Result<(), Stop>) {
    if *written == Err(Stop::BrokenPipe) {
        std::process::exit(0);
    }
}

/// Reads a capture that is open, with a progress bar.
pub fn read_open_capture(
    progress: Progress,
    path: &Path,
    capture: Capture,
    sink: &mut dyn FnMut(CaptureEvent),
) -> Result<(), InputError> {
    let size = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
    let bar = progress.bar(size);
    let result = capture.read(&mut |bytes| bar.set_position(bytes), sink);
    bar.finish_and_clear();
    result
}
