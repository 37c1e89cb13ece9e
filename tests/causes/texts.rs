//! What `explain` says of every cause.

use crate::common::Case;
use crate::pairs::sources;
use omemoscope::analysis::diagnose::explanation;
use omemoscope::analysis::states::STATES;
use omemoscope::analysis::words;
use omemoscope::model::Code;

const PARTS: [&str; 9] = [
    "**What happened.**",
    "**What to do.**",
    "**What is lost.**",
    "### For those who repair clients",
    "**How it shows.**",
    "**Mistaken for.**",
    "**Mechanism.**",
    "**What proves it.**",
    "**References.**",
];

#[test]
fn every_explanation_has_all_its_parts_in_order() {
    for code in Code::ALL {
        let text = explanation(*code);
        let places: Vec<Option<usize>> = PARTS.iter().map(|part| text.find(&format!("\n{part}"))).collect();
        assert!(places.iter().all(Option::is_some), "{code}: {PARTS:?} at {places:?}");
        assert!(places.is_sorted(), "{code}: the parts are out of order");
        // A reader who knows nothing of OMEMO stops here.
        let first = text.split("**What happened.**").nth(1).unwrap().split("\n\n").next().unwrap();
        assert!(first.matches(". ").count() + first.matches(".\n").count() >= 1, "{code}: one sentence is not enough: {first}");
    }
}

/// Words that leave open who is meant, or give the one repair another name.
const UNCLEAR: &[&str] = &["our", "ours", "we", "us", "here", "reset", "drop the session", "replace the session"];

/// A text without what it quotes: the words of clients, and names.
fn unquoted(text: &str) -> String {
    let outside = |text: &str, quote| text.split(quote).step_by(2).collect::<Vec<_>>().join("");
    outside(&outside(text, '`'), '"')
}

#[test]
fn every_explanation_speaks_to_its_reader() {
    let texts = Code::ALL.iter().map(|code| (code.as_str(), format!("{} {}", code.title(), explanation(*code))));
    let words = STATES.iter().map(|state| (state.word, format!("{} {}", state.title, state.says)));
    for (name, text) in texts.chain(words).chain([("words", words::explanation())]) {
        let plain = unquoted(&text).to_lowercase().replace(|c: char| !c.is_alphanumeric(), " ");
        let plain = format!(" {} ", plain.split_whitespace().collect::<Vec<_>>().join(" "));
        let found: Vec<_> = UNCLEAR.iter().filter(|word| plain.contains(&format!(" {word} "))).collect();
        assert!(found.is_empty(), "{name} says {found:?}");
    }
}

#[test]
fn every_finer_cause_is_explained() {
    let mut total = 0;
    for (file, details) in sources() {
        let code = match file.trim_end_matches(".rs") {
            "not_addressed_reason" | "published_faults" => Code::NotAddressed,
            "published" => Code::LabelSignatureInvalid,
            "altered" => Code::MacMismatch,
            // Several codes have a finding of it.
            "between_copies" => {
                let explained =
                    |detail: &String| Code::ALL.iter().any(|code| explanation(*code).contains(&format!("- `{detail}`: ")));
                assert!(details.iter().all(explained), "{details:?}");
                total += details.len();
                continue;
            }
            name => match Code::parse(&name.replace('_', "-")) {
                Some(code) => code,
                None => {
                    assert!(details.is_empty(), "{file} has finer causes, and no cause explains them: {details:?}");
                    continue;
                }
            },
        };
        let text = explanation(code);
        for detail in details {
            total += 1;
            assert!(text.contains(&format!("- `{detail}`: ")), "{code}/{detail} is not explained");
        }
    }
    assert!(total > 55, "only {total} finer causes were found");
}

#[test]
fn every_finer_cause_that_is_said_is_explained() {
    let mut told = std::collections::BTreeSet::new();
    for case in Case::all() {
        let found = case.diagnose();
        let said = found.messages.iter().map(|m| (m.code, m.detail)).chain(found.findings.iter().map(|f| (f.code, f.detail)));
        told.extend(said.filter_map(|(code, detail)| Some((code, detail?))));
    }
    for (code, detail) in &told {
        assert!(explanation(*code).contains(&format!("- `{detail}`: ")), "{code}/{detail} is not explained");
    }
    assert!(told.len() > 10, "{told:?}");
}
