//! Standard output and standard error: colour, width, warnings, progress.

use super::{Color, Format, Global, Stop};
use crate::report::json::{ListWriter, write_json};
use crate::report::safe::safe;
use crate::report::{Page, View};
use crate::secret::Plaintext;
use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, StdoutLock, Write};

/// Width where there is no terminal and no `COLUMNS`.
const DEFAULT_WIDTH: usize = 80;

/// Inputs from this size on get a progress bar.
const LONG_INPUT: u64 = 8 << 20;

/// Results are handed to standard output in pieces of this size.
const BUFFER: usize = 64 << 10;

/// Where results and warnings go.
pub struct Terminal {
    out: BufWriter<AutoStream<StdoutLock<'static>>>,
    /// A list of JSON items that has begun and not ended.
    list: Option<ListWriter>,
    color: ColorChoice,
    /// How results are shown.
    pub format: Format,
    width: usize,
    verbose: bool,
    quiet: bool,
}

impl Terminal {
    /// As the user wants it.
    pub fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            out: BufWriter::with_capacity(BUFFER, AutoStream::new(std::io::stdout().lock(), color)),
            list: None,
            color,
            format: global.format,
            width: width(),
            verbose: global.verbose,
            quiet: global.quiet,
        }
    }

    /// An empty page of this terminal's width.
    pub fn page(&self) -> Page {
        Page::new(self.width, self.verbose)
    }

    /// Shows a result in the format asked for.
    pub fn show<V: View>(&mut self, view: &V) -> Result<(), Stop> {
        match self.format {
            Format::Json => self.json(view),
            Format::Text => {
                let mut page = self.page();
                view.text(&mut page);
                self.write(&page.finish())
            }
        }
    }

    /// Writes finished text. It must have been made safe.
    pub fn write(&mut self, text: &str) -> Result<(), Stop> {
        self.write_more(text)?;
        self.out.flush()?;
        Ok(())
    }

    /// Writes text that more will follow soon. It must have been made safe.
    pub fn write_more(&mut self, text: &str) -> Result<(), Stop> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Writes a result as JSON while it is made.
    fn json<V: View>(&mut self, view: &V) -> Result<(), Stop> {
        write_json(view, &mut self.out)?;
        self.out.flush()?;
        Ok(())
    }

    /// Begins a JSON object whose first list is shown item by item.
    pub fn begin_list(&mut self, command: &str, list: &str) -> Result<(), Stop> {
        self.list = Some(ListWriter::begin(command, list, &mut self.out)?);
        Ok(())
    }

    /// Shows the next item of the list that was begun.
    pub fn item<T: Serialize>(&mut self, item: &T) -> Result<(), Stop> {
        match &mut self.list {
            Some(list) => Ok(list.item(item, &mut self.out)?),
            None => Ok(()),
        }
    }

    /// Ends the list; the fields of `rest` follow.
    pub fn end_list<T: Serialize>(&mut self, rest: &T) -> Result<(), Stop> {
        if let Some(list) = self.list.take() {
            list.end(rest, &mut self.out)?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Says on standard error why the command stopped; programs that want JSON get it as an object too.
    pub fn failure(&mut self, says: &str) {
        self.error(says);
        let error = ErrorView { error: says };
        let _ = match self.format {
            // What was shown so far stays one object.
            Format::Json if self.list.is_some() => self.end_list(&error),
            Format::Json => self.json(&error),
            Format::Text => self.out.flush().map_err(Stop::from),
        };
    }

    /// What is wrong with an input, on standard error.
    pub fn error(&self, says: &str) {
        self.complain("error", says, anstyle::AnsiColor::Red);
    }

    /// Something the user should know, on standard error.
    pub fn warn(&self, says: &str) {
        if !self.quiet {
            self.complain("warning", says, anstyle::AnsiColor::Yellow);
        }
    }

    fn complain(&self, word: &str, says: &str, color: anstyle::AnsiColor) {
        let style = color.on_default().bold();
        let mut err = AutoStream::new(std::io::stderr().lock(), self.color);
        let _ = writeln!(err, "{style}{word}{style:#}: {}", safe(says));
    }

    /// Asks for a password, which is not shown while it is typed. `None` where nobody can be asked, or
    /// nothing was typed.
    pub fn password(&self, why: &str) -> Option<Plaintext> {
        if self.quiet || !std::io::stderr().is_terminal() || !std::io::stdin().is_terminal() {
            return None;
        }
        self.warn(why);
        let term = console::Term::stderr();
        term.write_str("Password: ").ok()?;
        let password = term.read_secure_line().ok().map(Plaintext::new)?;
        (!password.expose().is_empty()).then_some(password)
    }

    /// How to show progress.
    pub fn progress(&self) -> Progress {
        Progress { quiet: self.quiet }
    }
}

/// Writes an error as JSON where no terminal was set up yet.
pub fn json_failure(says: &str) {
    let mut out = std::io::stdout().lock();
    if write_json(&ErrorView { error: says }, &mut out).is_ok() {
        let _ = out.flush();
    }
}

/// `omemoscope/error/1`.
#[derive(Debug, Serialize)]
struct ErrorView<'a> {
    error: &'a str,
}

impl View for ErrorView<'_> {
    const COMMAND: &'static str = "error";

    fn text(&self, page: &mut Page) {
        page.line(0, self.error);
    }
}

/// Shows progress on long inputs, where somebody looks.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    quiet: bool,
}

impl Progress {
    /// A bar for `bytes` of input; hidden where nobody looks or it would only flicker.
    pub fn bar(self, bytes: Option<u64>) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() || bytes.is_some_and(|b| b < LONG_INPUT) {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr_with_hz(8));
        let template = if bytes.is_some() { "{bar:30} {bytes} of {total_bytes} ({eta} left)" } else { "{spinner} {bytes} read" };
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// A count of things whose number is not known before.
    pub fn counter(self, things: &str) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        match ProgressStyle::with_template(&format!("{{spinner}} {{human_pos}} {things}")) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    let terminal = || terminal_size::terminal_size_of(std::io::stdout()).map(|(w, _)| usize::from(w.0));
    terminal().or_else(columns).unwrap_or(DEFAULT_WIDTH)
}
