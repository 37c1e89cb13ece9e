//! Every example in a help text is run, in `fixtures/example`, and its output compared with the file of
//! its name in `tests/examples` (`SNAPSHOTS=overwrite` writes them anew).

use super::support::{example, root, run, stderr, stdout};
use snapbox::{Data, assert_data_eq};

fn examples() -> Vec<(String, Vec<String>)> {
    let command = omemoscope::cli::command();
    let texts = std::iter::once(&command).chain(command.get_subcommands());
    texts
        .filter_map(|c| c.get_after_long_help().map(ToString::to_string))
        .flat_map(|text| {
            text.lines().filter_map(|l| l.trim().strip_prefix("$ omemoscope ").map(str::to_owned)).collect::<Vec<_>>()
        })
        .map(|line| {
            let name = line.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
            let short = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
            (short, line.split(' ').map(str::to_owned).collect())
        })
        .collect()
}

/// When a file was written is a matter of the checkout.
fn without_file_times(text: &str) -> String {
    let line =
        |l: &str| l.split_once("last written ").map_or_else(|| l.to_owned(), |(before, _)| format!("{before}last written …"));
    text.lines().map(|l| line(l) + "\n").collect()
}

#[test]
fn every_example_in_help_does_what_its_file_shows() {
    let examples = examples();
    assert!(examples.len() > 10, "the examples were not found in the help texts");
    for (name, arguments) in examples {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&example(), &arguments);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{arguments:?}: {code:?} {}", stderr(&output));
        let shown = format!(
            "$ omemoscope {}\n{}{}? {}\n",
            arguments.join(" "),
            without_file_times(&stdout(&output)),
            stderr(&output),
            code.unwrap_or(-1)
        );
        let kept = root().join("tests/examples").join(format!("{name}.txt"));
        assert_data_eq!(shown, Data::read_from(&kept, None).raw());
    }
}

#[test]
fn examples_on_disk_belong_to_help_texts() {
    let known: Vec<String> = examples().into_iter().map(|(name, _)| format!("{name}.txt")).collect();
    for entry in std::fs::read_dir(root().join("tests/examples")).expect("the folder is there") {
        let name = entry.expect("the folder can be read").file_name().to_string_lossy().into_owned();
        assert!(known.contains(&name), "tests/examples/{name} belongs to no example in a help text");
    }
}
