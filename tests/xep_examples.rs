//! The examples of XEP-0384 (fixtures/xep/): `stanza` shows every element and attribute of them, and says what
//! is wrong with those that are not valid.

use omemoscope::omemo::Namespace;
use omemoscope::omemo::xml::Element;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

fn shown(file: &str, format: &str) -> String {
    stanza(&format!("fixtures/xep/{file}"), format)
}

fn stanza(path: &str, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_omemoscope"))
        .args(["stanza", "--verbose", "--color", "never", "--format", format, path])
        .env("COLUMNS", "200")
        .output()
        .expect("the program runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The text on one line, so that wrapping does not matter.
fn text(file: &str) -> String {
    shown(file, "text").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(file: &str) -> Value {
    serde_json::from_str(&shown(file, "json")).expect("JSON")
}

fn files() -> Vec<String> {
    let mut files = Vec::new();
    for version in std::fs::read_dir("fixtures/xep").expect("the fixtures are there") {
        let version = version.expect("readable");
        for file in std::fs::read_dir(version.path()).expect("a folder") {
            let name = file.expect("readable").file_name().into_string().expect("UTF-8");
            files.push(format!("{}/{name}", version.file_name().to_string_lossy()));
        }
    }
    files.sort();
    files
}

/// The elements that OMEMO defines, and those of its envelope.
fn is_ours(element: &Element) -> bool {
    Namespace::from_uri(&element.namespace).is_some() || element.namespace.starts_with("urn:xmpp:sce:")
}

fn parsed(file: &str) -> Element {
    let xml = std::fs::read_to_string(format!("fixtures/xep/{file}")).expect("the fixture is in the repository");
    Element::parse(&xml).expect("well-formed")
}

/// Every value of every attribute stands in the output, and text that is no base64 is named where it stands.
#[test]
fn every_attribute_is_shown() {
    for file in files() {
        let (text, json) = (text(&file), json(&file).to_string());
        for element in parsed(&file).descendants().filter(|e| is_ours(e)) {
            for attribute in &element.attributes {
                let value = match (element.name.as_str(), attribute.name.as_str()) {
                    (_, "labelsig") => "/@labelsig".to_owned(),
                    ("key", "kex" | "prekey") => continue, // see `the_flag_is_shown`
                    _ => attribute.value.clone(),
                };
                assert!(text.contains(&value), "{file}: {} {}={value} is not in the text: {text}", element.name, attribute.name);
                assert!(json.contains(&value), "{file}: {} {}={value} is not in the JSON", element.name, attribute.name);
            }
        }
    }
}

/// Each element with a text of its own: what is no base64 is said of it, by its name.
#[test]
fn every_placeholder_is_named() {
    for file in files() {
        let text = text(&file);
        let mut names = BTreeSet::new();
        for element in parsed(&file).descendants().filter(|e| Namespace::from_uri(&e.namespace).is_some()) {
            let content = element.text();
            if content.contains("BASE64ENCODED") || content.contains("-- ") {
                names.insert(element.name.clone());
            }
        }
        for name in names {
            let named = text.split("not base64: ").skip(1).filter_map(|rest| rest.split(" [").nth(1)).any(|place| {
                // `header/keys[1]/key[1]]`, `prekeys/pk[2], id 91]`
                place.split(['/', '[', ']', ' ']).any(|part| part == name)
            });
            assert!(named, "{file}: nothing is said of {name}: {text}");
        }
    }
}

#[test]
fn the_flag_is_shown() {
    for (file, device) in
        [("0.3.0/message.xml", 12321), ("0.4.0/message.xml", 12321), ("0.7.0/message.xml", 12321), ("0.9.1/message.xml", 12321)]
    {
        let json = json(file);
        let keys = json["elements"][0]["keys"].as_array().expect("keys");
        for key in keys {
            assert_eq!(key["flagged"], key["rid"] == device, "{file}: {key}");
        }
        assert!(text(file).contains("said to be a key exchange"), "{file}");
    }
    let group = text("0.4.0/group-message.xml");
    assert!(group.contains("this variant calls the attribute kex [header/keys[2]/key[1]/@prekey]"), "{group}");
    assert!(!text("0.7.0/group-message.xml").contains("this variant calls"));
}

/// Each element of the schemas by the field of the output that holds it.
#[test]
fn every_element_has_its_field() {
    let legacy = json("0.3.0/bundle.xml");
    assert_eq!(legacy["elements"][0]["device_id"], 31415);
    assert_eq!(legacy["elements"][0]["signed_prekey_id"], 17);
    let transport = json("0.3.0/key-transport.xml");
    assert_eq!(transport["elements"][0]["iv"], "000102030405060708090a0b");
    assert_eq!(transport["elements"][0]["payload_bytes"], Value::Null);
    for version in ["0.4.0", "0.7.0", "0.9.1"] {
        let list = json(&format!("{version}/device-list.xml"));
        assert_eq!(list["elements"][0]["devices"][1]["id"], 4223, "{version}");
        assert_eq!(list["elements"][0]["devices"][1]["label"], "Client on a tablet", "{version}");
        let bundle = json(&format!("{version}/bundle.xml"));
        assert_eq!(bundle["elements"][0]["device_id"], 31415, "{version}");
        assert!(bundle["elements"][0]["signed_prekey_id"].is_u64(), "{version}");
        let message = json(&format!("{version}/message.xml"));
        assert_eq!(message["elements"][0]["sid"], 27183, "{version}");
        assert_eq!(message["elements"][0]["keys"][1]["jid"], "otto@harbour.example", "{version}");
        assert_eq!(message["elements"][0]["keys"][1]["rid"], 1337, "{version}");
        let group = json(&format!("{version}/group-message.xml"));
        assert_eq!(group["elements"][0]["room"], "den@rooms.harbour.example", "{version}");
        let opt_out = json(&format!("{version}/opt-out.xml"));
        assert_eq!(opt_out["elements"][0]["opt_out"]["reason"], "My new client cannot do it", "{version}");
        assert!(text(&format!("{version}/opt-out.xml")).contains("asks for messages without encryption"), "{version}");
        let envelope = json(&format!("{version}/{}.xml", if version == "0.9.1" { "envelope" } else { "content" }));
        let envelope = &envelope["elements"][0];
        assert_eq!(envelope["from"], "otto@harbour.example", "{version}");
        assert_eq!(envelope["to"], "den@rooms.harbour.example", "{version}");
        assert_eq!(envelope["rpad"], true, "{version}");
        assert!(envelope["stamp"].as_str().is_some_and(|s| s.contains("T10:00:00Z")), "{version}");
        assert_eq!(envelope["content"][0]["name"], "{jabber:client}body", "{version}");
        assert!(envelope["content"][1]["xml"].as_str().is_some_and(|x| x.contains("urn:example:unknown")), "{version}");
        assert_eq!(envelope["faults"], Value::Array(Vec::new()), "{version}");
    }
    // Real keys, whose values the placeholders do not have.
    let vectors = std::fs::read_to_string("fixtures/vectors/stanzas.json").expect("the fixture is in the repository");
    let vectors: Value = serde_json::from_str(&vectors).expect("JSON");
    for case in vectors["cases"].as_array().expect("cases") {
        let xml = case["bundles"][0]["xml"].as_str().expect("text");
        let path = std::env::temp_dir().join(format!("omemoscope-bundle-{}.xml", std::process::id()));
        std::fs::write(&path, xml).expect("a temporary file");
        let shown = stanza(&path.display().to_string(), "json");
        std::fs::remove_file(&path).expect("the temporary file");
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        let bundle = &shown["elements"][0];
        assert_eq!(bundle["signature"], "valid", "{shown}");
        assert_eq!(bundle["signature_bytes"].as_str().map(str::len), Some(128));
        assert!(bundle["fingerprint"].is_string() && bundle["signed_prekey"].is_string());
        assert!(bundle["prekeys"].as_array().is_some_and(|p| p.len() == 3 && p.iter().all(|p| p["key"].is_string())));
    }
}

#[test]
fn invalid_examples_are_told_plainly() {
    for (file, says) in [
        ("0.3.0/bundle.xml", "not base64: “BASE64ENCODED...” [identityKey]"),
        ("0.3.0/bundle.xml", "identity key: there, but not readable"),
        ("0.3.0/message.xml", "payload: there, but not readable"),
        ("0.3.0/message.xml", "not base64: “BASE64ENCODED...” [header/iv]"),
        ("0.3.0/key-transport.xml", "white space inside the base64, which strict receivers refuse [header/key[1]]"),
        ("0.4.0/bundle.xml", "the id is 0, expected 1 to 2147483647; some clients refuse it [spk/@id]"),
        ("0.7.0/bundle.xml", "the id is 0, expected 1 to 2147483647; some clients refuse it [prekeys/pk[1]/@id]"),
        ("0.7.0/bundle.xml", "not base64: “BASE64ENCODED...” [prekeys/pk[2], id 91]"),
        ("0.7.0/message.xml", "not base64: “-- THE ENCRYPTED ENVELOPE --” [payload]"),
        ("0.9.1/bundle.xml", "signature: there, but not readable"),
        ("0.9.1/device-list.xml", "the label of device 31415 of lena@garden.example has no signature"),
        ("0.9.1/device-list.xml", "not base64: “BASE64ENCODED...” [device[2]/@labelsig]"),
        ("0.9.1/empty-device-list.xml", "devices: none"),
        ("0.9.1/empty-message.xml", "payload: none (key transport or an empty message)"),
    ] {
        let text = text(file);
        assert!(text.contains(says), "{file}: “{says}” is not in {text}");
    }
    let valid = text("0.9.1/empty-device-list.xml");
    assert!(!valid.contains("fault") && !valid.contains("odd") && !valid.contains("Rules of"), "{valid}");
}

/// What is not there is said to be missing.
#[test]
fn missing_parts_are_named() {
    let bundle = "<bundle xmlns='urn:xmpp:omemo:2'><prekeys/></bundle>";
    let read = omemoscope::omemo::stanza::bundle::Bundle::from_element(&Element::parse(bundle).expect("well-formed"));
    let places: Vec<String> = read.expect("a bundle").faults.into_iter().map(|f| f.place).collect();
    assert_eq!(places, ["ik", "spk", "spks", "prekeys"]);
}
