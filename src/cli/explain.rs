//! `omemoscope explain`: what a code means.

use super::terminal::Terminal;
use super::{Outcome, Stop};
use crate::analysis::diagnose::explanation;
use crate::model::Code;
use crate::report::explain::{Explanation, Explanations};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::ffi::OsStr;

const EXAMPLES: &str = "\
Examples:
  All codes in a few words
  $ omemoscope explain

  One of them in full
  $ omemoscope explain no-session";

/// Explain a code of a diagnosis
///
/// Tells what the code means, how it comes about, what proves it, which other causes look alike and what
/// to do. Without a code it lists all of them.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Explain {
    /// A code, as `diagnose` writes it
    #[arg(value_parser = CodeParser, hide_possible_values = true)]
    code: Option<Code>,
}

/// Takes a code, with or without the `/detail` behind it, and knows all codes for completions and for
/// `did you mean`.
#[derive(Clone)]
struct CodeParser;

impl TypedValueParser for CodeParser {
    type Value = Code;

    fn parse_ref(&self, cmd: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<Code, clap::Error> {
        let text = value.to_string_lossy();
        let code = text.split('/').next().unwrap_or_default();
        let known = PossibleValuesParser::new(Code::ALL.iter().map(|c| c.as_str()));
        let word = known.parse_ref(cmd, arg, OsStr::new(code))?;
        Code::parse(&word).ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidValue).with_cmd(cmd))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Code::ALL.iter().map(|c| PossibleValue::new(c.as_str()).help(c.title()))))
    }
}

impl Explain {
    /// Explains one code, or lists all.
    pub fn run(&self, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        match self.code {
            Some(code) => terminal.show(&explained(code))?,
            None => terminal.show(&Explanations { codes: Code::ALL.iter().copied().map(explained).collect() })?,
        }
        Ok(Outcome::Clean)
    }
}

fn explained(code: Code) -> Explanation {
    Explanation {
        code: code.as_str(),
        title: code.title().to_owned(),
        harmless: code.is_harmless(),
        markdown: explanation(code).to_owned(),
    }
}
