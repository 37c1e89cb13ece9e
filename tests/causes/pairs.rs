//! Every finer cause has a pair here: a case that has it, and the nearest healthy or neighbouring case, in
//! which it is not named.

use omemoscope::analysis::diagnose::explanation;
use omemoscope::model::{Code, Diagnosis};
use std::collections::BTreeSet;
use std::path::Path;

/// What a message was said to be.
pub type Verdict = (Code, Option<&'static str>);

/// A finer cause and its two cases.
pub struct Pair {
    pub code: Code,
    pub detail: &'static str,
    /// The case that has it: a message, or a finding about the whole.
    pub broken: fn() -> Diagnosis,
    /// The nearest case that has not.
    pub neighbour: fn() -> Diagnosis,
    /// What is said of a message of the neighbour instead; `None` if only lists and bundles matter.
    pub instead: Option<Verdict>,
}

/// A pair; of a message of the neighbour is said `instead`.
pub const fn pair(
    code: Code,
    detail: &'static str,
    broken: fn() -> Diagnosis,
    neighbour: fn() -> Diagnosis,
    instead: Verdict,
) -> Pair {
    Pair { code, detail, broken, neighbour, instead: Some(instead) }
}

/// A pair of cases in which no message matters.
pub const fn finding_pair(code: Code, detail: &'static str, broken: fn() -> Diagnosis, neighbour: fn() -> Diagnosis) -> Pair {
    Pair { code, detail, broken, neighbour, instead: None }
}

/// All pairs.
fn all() -> impl Iterator<Item = &'static Pair> {
    [
        crate::addressing::PAIRS,
        crate::archives::PAIRS,
        crate::client_words::PAIRS,
        crate::clients::PAIRS,
        crate::codes::DETAILS,
        crate::copies::PAIRS,
        crate::in_step::PAIRS,
        crate::log_only::PAIRS,
        crate::payloads::PAIRS,
        crate::prekeys::PAIRS,
        crate::published::PAIRS,
        crate::rooms::PAIRS,
        crate::sessions::PAIRS,
        crate::spelling::PAIRS,
        crate::two_ends::PAIRS,
        crate::beyond_copy::PAIRS,
    ]
    .into_iter()
    .flatten()
}

fn named(found: &Diagnosis) -> BTreeSet<Verdict> {
    let messages = found.messages.iter().map(|m| (m.code, m.detail));
    messages.chain(found.findings.iter().map(|f| (f.code, f.detail))).collect()
}

#[test]
fn each_finer_cause_is_named_and_its_neighbour_is_not_mistaken_for_it() {
    let mut wrong = Vec::new();
    for Pair { code, detail, broken, neighbour, instead } in all() {
        let said = named(&broken());
        if !said.contains(&(*code, Some(detail))) {
            wrong.push(format!("{code}/{detail} is not named, only {said:?}"));
        }
        let other = neighbour();
        let said = named(&other);
        if said.contains(&(*code, Some(detail))) {
            wrong.push(format!("{code}/{detail} is named for its neighbour: {said:?}"));
        }
        let verdicts: Vec<Verdict> = other.messages.iter().map(|m| (m.code, m.detail)).collect();
        if instead.is_some_and(|instead| !verdicts.contains(&instead)) {
            wrong.push(format!("the neighbour of {code}/{detail} is not {instead:?}, but {verdicts:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The finer causes that `explain` tells of a code.
fn explained(code: Code) -> Vec<String> {
    let bullets = explanation(code);
    let names = bullets.lines().filter_map(|line| line.strip_prefix("- `")?.split_once("`: "));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_finer_cause_has_a_pair() {
    let pairs: BTreeSet<(Code, &str)> = all().map(|p| (p.code, p.detail)).collect();
    for code in Code::ALL {
        for detail in explained(*code) {
            assert!(pairs.contains(&(*code, detail.as_str())), "{code}/{detail} has no pair");
        }
    }
    for (code, detail) in &pairs {
        assert!(explained(*code).iter().any(|d| d == detail), "{code}/{detail} is not explained");
    }
    // What the sources can say and nobody explains.
    for (file, words) in sources() {
        for word in words {
            assert!(pairs.iter().any(|(_, detail)| *detail == word), "{word} in {file} has no pair");
        }
    }
}

/// Single words in the sources that are no finer causes.
const OTHER_WORDS: &[&str] = &[
    // error conditions
    "closed-node",
    "forbidden",
    "item-not-found",
    "not-allowed",
    "not-authorized",
    "not-in-roster-group",
    "precondition-not-met",
    "presence-subscription-required",
    // a node's name
    "bundles",
    // where something was computed
    "ratchet",
    // kinds of keys
    "base",
    "identity",
    // what is counted
    "chain",
    "time",
    // what is damaged
    "key",
    "session",
    // endings of files
    "ceb",
    "json",
    "txt",
    // parts of sentences
    "message",
    "no",
    "runs",
    "shows",
];

/// The words in the sources of the causes that are finer causes, read from their text: a detail that no
/// conversation reaches counts, too.
pub fn sources() -> Vec<(String, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/analysis");
    let mut files: Vec<_> = folder.join("diagnose").read_dir().unwrap().map(|e| e.unwrap().path()).collect();
    files.extend(["published.rs", "published_faults.rs"].map(|name| folder.join(name)));
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let details = |path: &Path| {
        let words = words(&std::fs::read_to_string(path).unwrap());
        // A finer cause of one code, elsewhere the place of last resort.
        words.into_iter().filter(|word| word != "store" || name(path) == "receiver_rolled_back.rs").collect()
    };
    files.iter().map(|path| (name(path), details(path))).collect()
}

/// Quoted texts of one word.
fn words(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let quoted = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    let kebab = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    quoted.filter(kebab).filter(|word| !OTHER_WORDS.contains(word)).map(str::to_owned).collect()
}
