//! The documents tell the truth about the program.

use super::support::root;
use omemoscope::input::store::FORMATS;
use omemoscope::model::Code;
use omemoscope::omemo::Namespace;

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("the document is there")
}

/// Each client's row names its variants, no more and no fewer.
#[test]
fn readme_table_is_that_of_the_readers() {
    let readme = read("README.md");
    let rows: Vec<Vec<&str>> =
        readme.lines().filter(|l| l.starts_with("| ")).map(|l| l.split('|').map(str::trim).collect()).collect();
    let clients = rows.iter().filter(|r| r.len() == 5 && r[1] != "client" && (r[2].contains("legacy") || r[2].contains("OMEMO")));
    for format in FORMATS {
        let name = format.client.name;
        let row = clients
            .clone()
            .find(|r| r[1] == name)
            .or_else(|| clients.clone().find(|r| r[1].contains(name)))
            .unwrap_or_else(|| panic!("README.md has no row for {name}"));
        for (namespace, word) in [(Namespace::Legacy, "legacy"), (Namespace::Omemo1, "OMEMO 1"), (Namespace::Omemo2, "OMEMO 2")] {
            assert_eq!(row[2].contains(word), format.client.namespaces.contains(&namespace), "{name}: {word}");
        }
    }
}

#[test]
fn every_code_is_explained() {
    for code in Code::ALL {
        let text = omemoscope::analysis::diagnose::explanation(*code);
        assert!(text.lines().count() > 3, "{code} has no explanation of its own");
        assert!(text.contains("What happened") && text.contains("What to do"), "{code}: {text}");
    }
}

/// The schemas know every code.
#[test]
fn schemas_know_every_code() {
    for name in ["diagnose", "decrypt"] {
        let schema: serde_json::Value = serde_json::from_str(&read(&format!("jsonschemas/{name}.json"))).expect("JSON");
        let listed: Vec<&str> =
            schema["$defs"]["code"]["enum"].as_array().into_iter().flatten().filter_map(|c| c.as_str()).collect();
        assert_eq!(listed, Code::ALL.iter().map(|c| c.as_str()).collect::<Vec<_>>(), "{name}");
    }
}
