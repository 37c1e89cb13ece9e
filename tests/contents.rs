//! What `decrypt` and `diagnose` say of decrypted contents that are no plain text (fixtures/contents/).

use serde_json::Value;
use std::process::Command;

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_omemoscope"))
        .args(arguments)
        .args(["--store", "fixtures/contents/store.json", "fixtures/contents/incoming.xml", "--color", "never"])
        .env("COLUMNS", "200")
        .output()
        .expect("the program runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// On one line, so that wrapping does not matter.
fn text(arguments: &[&str]) -> String {
    run(arguments).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&run(&[arguments, &["--format", "json"]].concat())).expect("JSON")
}

#[test]
fn contents_are_told_by_their_kind() {
    let text = text(&["decrypt"]);
    for says in [
        "chat marker: displayed message “8e795597-7779-4225-919a-dbad7280de97”",
        "reaction to message “8e795597-7779-4225-919a-dbad7280de97”: 👍 🦊",
        "correction of message “8e795597-7779-4225-919a-dbad7280de97”",
        "chat state: composing",
    ] {
        assert!(text.contains(says), "{says} is not in {text}");
    }
    assert!(!text.contains("<displayed"), "what can be said in words is no XML: {text}");
    assert!(self::text(&["decrypt", "--verbose"]).contains("<displayed"), "-v shows the XML");
    let json = json(&["decrypt"]);
    let contents = json["messages"].as_array().into_iter().flatten().filter_map(|m| m["content"].as_array()).flatten();
    let marker = contents.filter(|c| c["name"] == "{urn:xmpp:chat-markers:0}displayed");
    assert!(marker.clone().count() > 0);
    for marker in marker {
        assert!(marker["xml"].as_str().is_some_and(|x| x.starts_with("<displayed")), "{marker}");
    }
}

#[test]
fn an_opt_out_says_what_to_do() {
    let decrypted = text(&["decrypt"]);
    assert!(decrypted.contains("the reason: “test: encryption is switched off for this chat”"), "{decrypted}");
    assert!(decrypted.contains("no reason is given"), "{decrypted}");
    assert!(decrypted.contains("The sessions stay"), "{decrypted}");
    let diagnosis = json(&["diagnose"]);
    let findings = diagnosis["findings"].as_array().expect("findings");
    let opted: Vec<_> = findings.iter().filter(|f| f["detail"] == "opt-out").collect();
    // Both come of one device.
    assert_eq!(opted.len(), 1, "{diagnosis}");
    assert_eq!(opted[0]["stanza_ids"].as_array().map(Vec::len), Some(2), "{diagnosis}");
    assert!(opted[0]["remedy"][0].as_str().is_some_and(|r| r.contains("hold back every message until you agree")), "{diagnosis}");
    assert!(!diagnosis.to_string().contains("switched off for this chat"), "the reason is private text");
}

#[test]
fn an_empty_message_is_known_by_its_zeros() {
    let diagnosis = json(&["diagnose"]);
    let empty: Vec<_> = diagnosis["messages"].as_array().into_iter().flatten().filter(|m| m["code"] == "empty-message").collect();
    assert!(!empty.is_empty());
    assert!(empty.iter().all(|m| m["evidence"].to_string().contains("32 zero bytes")), "{empty:?}");
}

#[test]
fn wrong_envelopes_are_told_with_their_rule() {
    let text = text(&["decrypt"]);
    for says in [
        "the envelope is for carol233@localhost, but it came to alice233@localhost [SCE-5]",
        "the envelope was written by dave233@localhost, but the stanza comes from bob233@localhost [SCE-4]",
        "the decrypted content is no envelope: not well-formed: text outside the element (at byte 0) [SCE-1]",
    ] {
        assert!(text.contains(says), "{says} is not in {text}");
    }
    let diagnosis = json(&["diagnose"]).to_string();
    assert!(diagnosis.contains("\"SCE-4\"") && diagnosis.contains("\"SCE-1\""), "{diagnosis}");
}
