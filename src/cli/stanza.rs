//! `omemoscope stanza`: decode OMEMO elements.

use super::inputs;
use super::terminal::Terminal;
use super::{Format, Global, Outcome, Stop};
use crate::input::capture::unwrap::Unwrapper;
use crate::model::CaptureEvent;
use crate::report::Page;
use crate::report::json::{schema, to_json_item};
use crate::report::nothing_found;
use crate::report::stanza::ElementView;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  Every OMEMO element of a log
  $ omemoscope stanza gajim.log

  An element pasted into a file
  $ omemoscope stanza encrypted.xml";

/// Decode OMEMO elements down to their last field, without keys
///
/// Encrypted messages with each key element (whose it is, ratchet key, counters, prekey ids, identity
/// key), device lists, and bundles with their signature checked. What a receiver could not use is said
/// in plain words. A capture is an XML stream, loose stanzas, a pasted element or a client's log.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Stanza {
    /// Captures; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

impl Stanza {
    /// Shows each element as it is read: memory does not grow with the capture.
    pub fn run(&self, _global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let progress = terminal.progress();
        let mut list = List { json: terminal.format == Format::Json, page: terminal.page(), shown: 0, attention: false };
        let mut unwrapper = Unwrapper::default();
        let mut result = Ok(());
        let stanzas = inputs::read_captures(progress, &self.captures, &mut |event| {
            let CaptureEvent::Stanza(stanza) = event else { return };
            for item in unwrapper.items(&stanza) {
                if result.is_ok() {
                    result = list.show(terminal, &ElementView::new(&item));
                }
            }
            if result == Err(Stop::BrokenPipe) {
                // The reader cannot be stopped half-way, and nobody waits for the rest.
                std::process::exit(0);
            }
        })?;
        result?;
        list.finish(terminal, stanzas)?;
        Ok(Outcome::findings(list.attention))
    }
}

/// The list of elements, written piece by piece.
struct List {
    json: bool,
    page: Page,
    shown: usize,
    attention: bool,
}

impl List {
    fn show(&mut self, terminal: &mut Terminal, view: &ElementView) -> Result<(), Stop> {
        self.attention |= view.needs_attention();
        let text = if self.json {
            let before = if self.shown == 0 { Self::head() } else { ",".to_owned() };
            format!("{before}\n    {}", to_json_item(view)?)
        } else {
            if self.shown > 0 {
                terminal.write("\n")?;
            }
            view.text(&mut self.page);
            self.page.take()
        };
        self.shown += 1;
        terminal.write(&text)
    }

    fn head() -> String {
        format!("{{\n  \"schema\": \"{}\",\n  \"elements\": [", schema("stanza"))
    }

    fn finish(&self, terminal: &mut Terminal, stanzas: usize) -> Result<(), Stop> {
        match (self.json, self.shown) {
            (true, 0) => terminal.write(&format!("{}]\n}}\n", Self::head())),
            (true, _) => terminal.write("\n  ]\n}\n"),
            (false, 0) => terminal.write(&format!("{}\n", nothing_found(stanzas))),
            (false, _) => Ok(()),
        }
    }
}
