//! `omemoscope explain`: what a code means.

use super::terminal::Terminal;
use super::{Outcome, Stop};
use crate::analysis::diagnose::explanation;
use crate::analysis::states::{STATES, StateWord};
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
  $ omemoscope explain no-session

  A word of the device audit
  $ omemoscope explain stale";

/// Explain a code of a diagnosis, or a word of the device audit
///
/// Tells what the code means, how it comes about, what proves it, which other causes look alike and what
/// to do. Without a code it lists all of them.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Explain {
    /// A code as `diagnose` writes it, or a word for trust or activity as `devices` writes it
    #[arg(value_name = "CODE", value_parser = TopicParser, hide_possible_values = true)]
    topic: Option<Topic>,
}

/// What can be explained.
#[derive(Clone, Copy, Debug)]
enum Topic {
    Code(Code),
    State(&'static StateWord),
}

impl Topic {
    fn all() -> impl Iterator<Item = Self> {
        Code::ALL.iter().copied().map(Self::Code).chain(STATES.iter().map(Self::State))
    }

    fn word(self) -> &'static str {
        match self {
            Self::Code(code) => code.as_str(),
            Self::State(state) => state.word,
        }
    }

    fn explained(self) -> Explanation {
        match self {
            Self::Code(code) => Explanation {
                code: code.as_str(),
                title: code.title().to_owned(),
                harmless: code.is_harmless(),
                markdown: explanation(code).to_owned(),
            },
            Self::State(state) => Explanation {
                code: state.word,
                title: state.title.to_owned(),
                harmless: matches!(state.word, "active" | "trusted"),
                markdown: state.says.to_owned(),
            },
        }
    }
}

/// Takes a word, with or without the `/detail` behind it, and knows all words for completions and for
/// `did you mean`.
#[derive(Clone)]
struct TopicParser;

impl TypedValueParser for TopicParser {
    type Value = Topic;

    fn parse_ref(&self, cmd: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<Topic, clap::Error> {
        let text = value.to_string_lossy();
        let word = text.split('/').next().unwrap_or_default();
        let known = PossibleValuesParser::new(Topic::all().map(Topic::word));
        let word = known.parse_ref(cmd, arg, OsStr::new(word))?;
        let unknown = || clap::Error::new(clap::error::ErrorKind::InvalidValue).with_cmd(cmd);
        Topic::all().find(|topic| topic.word() == word).ok_or_else(unknown)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Topic::all().map(|topic| PossibleValue::new(topic.word()))))
    }
}

impl Explain {
    /// Explains one word, or lists all.
    pub fn run(&self, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        match self.topic {
            Some(topic) => terminal.show(&topic.explained())?,
            None => terminal.show(&Explanations { codes: Topic::all().map(Topic::explained).collect() })?,
        }
        Ok(Outcome::Clean)
    }
}
