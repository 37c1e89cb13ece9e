//! `omemoscope explain`: what a code means.

use super::terminal::Terminal;
use super::{Outcome, Stop};
use crate::analysis::client_words::{Kind, recognise};
use crate::analysis::diagnose::{capital, explanation, fine_causes, section};
use crate::analysis::states::{self, STATES, StateWord};
use crate::analysis::words;
use crate::model::{Code, Concern};
use crate::report::explain::{Explanation, Explanations};
use crate::report::safe::safe;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsStr;

const EXAMPLES: &str = "\
Examples:
  All codes in a few words
  $ omemoscope explain

  One of them in full
  $ omemoscope explain no-session

  A word of the device audit
  $ omemoscope explain stale

  The words that the explanations use
  $ omemoscope explain words";

/// Explain a code of a diagnosis, or a word of the device audit
///
/// Tells what the code means, whose fault it is, what to do and what is lost; then, for those who repair
/// clients, how it comes about, what proves it and which other causes look alike. Without a code it lists
/// all of them; `words` explains session, ratchet, prekey and the like.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Explain {
    /// A code as `diagnose` writes it, a word for trust or activity as `devices` writes it, or `words`
    #[arg(value_name = "CODE", value_parser = TopicParser, hide_possible_values = true)]
    topic: Option<Topic>,
}

/// What can be explained.
#[derive(Clone, Debug)]
enum Topic {
    Code(Code),
    State(&'static StateWord),
    Words,
    /// A finer cause, of one code or of whichever has it.
    FineCause {
        name: String,
        code: Option<Code>,
    },
    /// A word of the list of words, and what it means.
    Word(&'static str, &'static str),
}

impl Topic {
    /// Those of the list: codes by who has to do something, then the words of the device audit.
    fn listed() -> impl Iterator<Item = Self> {
        let codes = Concern::ALL.iter().flat_map(|concern| Code::ALL.iter().filter(move |code| code.concern() == *concern));
        codes.copied().map(Self::Code).chain(STATES.iter().map(Self::State))
    }

    /// The words of all topics that are not made up of others.
    fn words() -> impl Iterator<Item = &'static str> {
        Code::ALL.iter().map(|code| code.as_str()).chain(STATES.iter().map(|state| state.word)).chain([words::TOPIC])
    }

    /// What stands for this text, written in small letters.
    fn parse(text: &str) -> Option<Self> {
        let (word, detail) = text.split_once('/').map_or((text, None), |(word, detail)| (word, Some(detail)));
        if let Some(code) = Code::parse(word) {
            let name = detail.filter(|name| fine_causes(code).iter().any(|(known, _)| known == name));
            return Some(name.map_or(Self::Code(code), |name| Self::FineCause { name: name.to_owned(), code: Some(code) }));
        }
        if text == words::TOPIC {
            return Some(Self::Words);
        }
        if let Some(state) = STATES.iter().find(|state| state.word == text) {
            return Some(Self::State(state));
        }
        let fine_cause = || is_fine_cause(text).then(|| Self::FineCause { name: text.to_owned(), code: None });
        // What a client writes into its log.
        let wording = || match recognise(text)?.kind {
            Kind::Failed(code) | Kind::Unclear(code) | Kind::Harmless(code) => Some(Self::Code(code)),
            _ => None,
        };
        words::meaning(text).map(|(word, says)| Self::Word(word, says)).or_else(fine_cause).or_else(wording)
    }

    fn explained(self) -> Explanation {
        match self {
            Self::Code(code) => Explanation {
                code: code.as_str().to_owned(),
                group: code.concern().title(),
                subject: code.subject(),
                title: code.title().to_owned(),
                harmless: code.is_harmless(),
                markdown: explanation(code).to_owned(),
            },
            Self::State(state) => Explanation {
                code: state.word.to_owned(),
                group: state.about,
                subject: states::SUBJECT,
                title: state.title.to_owned(),
                harmless: matches!(state.word, "active" | "trusted"),
                markdown: state.says.to_owned(),
            },
            Self::FineCause { name, code } => fine_cause(&name, code),
            Self::Word(word, says) => Explanation {
                code: word.to_owned(),
                group: "",
                subject: "",
                title: says.replace('`', ""),
                harmless: true,
                markdown: word_markdown(word),
            },
            Self::Words => Explanation {
                code: words::TOPIC.to_owned(),
                group: "",
                subject: "",
                title: words::TITLE.to_owned(),
                harmless: true,
                markdown: words::explanation(),
            },
        }
    }
}

fn is_fine_cause(text: &str) -> bool {
    Code::ALL.iter().any(|code| fine_causes(*code).iter().any(|(known, _)| known == text))
}

/// What stands behind the meaning of a word: how a repair is done, and that a finer cause has the same name.
fn word_markdown(word: &str) -> String {
    let also = Code::ALL.iter().filter(|code| fine_causes(**code).iter().any(|(known, _)| known == word));
    let also = also.map(|code| format!("It is a finer cause, too: `omemoscope explain {code}/{word}`\n"));
    words::repair(word).into_iter().chain(also).collect()
}

/// What is said of a finer cause under each code that has it.
fn fine_cause(name: &str, only: Option<Code>) -> Explanation {
    let codes = Code::ALL.iter().filter(|code| only.is_none_or(|only| only == **code));
    let told: Vec<(Code, String)> = codes
        .flat_map(|code| fine_causes(*code).into_iter().filter(|(known, _)| known == name).map(|(_, says)| (*code, says)))
        .collect();
    let of = told.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>().join(" and of ");
    let says = |(code, says): &(Code, String)| {
        // What its line refers to.
        let above = says.to_lowercase().contains("do as above").then(|| section(*code, "What to do")).flatten();
        let above = above.map_or_else(String::new, |todo| format!("**What to do.**\n{todo}\n\n"));
        format!("{}\n\n{above}More about it: `omemoscope explain {code}`\n\n", capital(says))
    };
    Explanation {
        code: name.to_owned(),
        group: "",
        subject: "",
        title: format!("a finer cause of {of}"),
        harmless: told.iter().all(|(code, _)| code.is_harmless()),
        markdown: told.iter().map(says).collect(),
    }
}

/// Takes a word in letters of any case, with or without the `/detail` behind it, and knows all words for
/// completions and for `did you mean`.
#[derive(Clone)]
struct TopicParser;

impl TypedValueParser for TopicParser {
    type Value = Topic;

    fn parse_ref(&self, cmd: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<Topic, clap::Error> {
        let text = value.to_string_lossy();
        let word = text.to_ascii_lowercase();
        if let Some(topic) = Topic::parse(&word) {
            return Ok(topic);
        }
        // The parser of fixed words knows which of them is near.
        let known = PossibleValuesParser::new(Topic::words());
        let near = known.parse_ref(cmd, arg, OsStr::new(&word)).err();
        let near = near.as_ref().and_then(|error| error.get(ContextKind::SuggestedValue)).and_then(suggestion);
        Err(cmd.clone().error(ErrorKind::InvalidValue, unknown(&text, near)))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Topic::words().map(PossibleValue::new)))
    }
}

fn suggestion(value: &ContextValue) -> Option<&str> {
    match value {
        ContextValue::String(word) => Some(word),
        ContextValue::Strings(words) => words.first().map(String::as_str),
        _ => None,
    }
}

/// What is said of an unknown word: the near one first, the list after it.
fn unknown(text: &str, near: Option<&str>) -> String {
    let near = near.map(|word| format!("  Did you mean {word}?\n")).unwrap_or_default();
    let all: Vec<&str> = Topic::words().collect();
    format!("'{}' is no code or word that can be explained.\n{near}  Known are: {}", safe(text), all.join(", "))
}

impl Explain {
    /// Explains one word, or lists all.
    pub fn run(&self, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        match self.topic.clone() {
            Some(topic) => terminal.show(&topic.explained())?,
            None => terminal.show(&Explanations { codes: Topic::listed().map(Topic::explained).collect() })?,
        }
        Ok(Outcome::Clean)
    }
}
