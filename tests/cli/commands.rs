//! Calls with their whole output, kept as files in `tests/cmd`, and the console blocks of the documents.

use super::support::{example, root, run, stderr, stdout};

#[test]
fn recorded_calls() {
    trycmd::TestCases::new()
        .env("COLUMNS", "80")
        .case("tests/cmd/*.trycmd")
        .case("tests/cmd/*.toml")
        .case("README.md")
        .case("GUIDE.md");
}

/// Every view of the example stays within the terminal, down to 60 columns.
#[test]
fn text_fits_the_terminal() {
    for columns in ["60", "80", "132"] {
        for arguments in [
            &["devices", "--store", "gajim", "-v"][..],
            &["sessions", "--store", "gajim", "-v"],
            &["diagnose", "--store", "gajim", "gajim-earlier.log", "gajim.log", "-v"],
            &["inspect", "gajim", "gajim.log", "key.txt"],
            &["stanza", "gajim.log"],
            &["decrypt", "--store", "gajim", "gajim.log"],
            &["explain"],
        ] {
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_omemoscope"))
                .args(arguments)
                .current_dir(example())
                .env("COLUMNS", columns)
                .output()
                .expect("the program can be started");
            let width: usize = columns.parse().expect("a number");
            let text = stdout(&output);
            assert!(!text.is_empty(), "{arguments:?}: {}", stderr(&output));
            for line in text.lines() {
                // One long word, as an id, stays whole to be copied.
                let whole = line.rsplit(' ').next().is_some_and(|word| word.len() >= 40);
                assert!(whole || line.chars().count() <= width, "{arguments:?} at {columns}: {line}");
            }
        }
    }
}

/// What could not be tried is not called right.
#[test]
fn without_a_store_nothing_is_said_to_decrypt() {
    // The stanzas alone: the client's own lines would tell that it read them.
    let log = std::fs::read_to_string(example().join("gajim.log")).expect("a fixture");
    let stanzas: String = log.lines().filter(|line| line.starts_with('<')).map(|line| format!("{line}\n")).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("stanzas.xml"), stanzas).expect("written");
    let text = stdout(&run(folder.path(), &["diagnose", "--device", "1577235761", "stanzas.xml"]));
    let (_, untried) = text.split_once("\nCould not be checked\n").unwrap_or_else(|| panic!("{text}"));
    assert!(untried.contains("nothing in the clear speaks against decryption"), "{text}");
    let right = text.split_once("\nNothing wrong\n").map_or("", |(_, right)| right);
    assert!(!right.contains("  ok "), "{text}");
    let stored = ["diagnose", "--store", "gajim", "gajim.log"];
    assert!(!stdout(&run(&example(), &stored)).contains("Could not be checked"));
}

/// Shells sort names, and `log-2` stands before `log`.
#[test]
fn captures_are_read_in_the_order_of_time() {
    let messages = |captures: [&str; 2]| {
        let output = run(&example(), &["diagnose", "--store", "gajim", "--format", "json", captures[0], captures[1]]);
        let found: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        (found["messages"].clone(), stderr(&output))
    };
    let (right, quiet) = messages(["gajim-earlier.log", "gajim.log"]);
    let (wrong, told) = messages(["gajim.log", "gajim-earlier.log"]);
    assert_eq!(right, wrong);
    assert_eq!(quiet, "");
    assert!(told.contains("in the order of their times, or else of their numbers: gajim-earlier.log, gajim.log"), "{told}");
}

/// A reader that goes away is no error worth a word.
#[test]
fn broken_pipe_is_quiet() {
    use std::process::{Command, Stdio};
    for arguments in [&["explain"][..], &["explain", "--format", "json"], &["stanza", "gajim.log"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_omemoscope"))
            .args(arguments)
            .current_dir(example())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(stderr(&output), "", "{arguments:?}");
        assert!(output.status.success(), "{arguments:?}: {}", output.status);
    }
}

/// Colours only where they are wanted, and never in JSON.
#[test]
fn colours() {
    let plain = stdout(&run(root(), &["explain", "ok"]));
    assert!(!plain.contains('\u{1b}'));
    let coloured = stdout(&run(root(), &["explain", "ok", "--color", "always"]));
    assert!(coloured.contains("\u{1b}[1m"));
    assert!(!stdout(&run(root(), &["explain", "--color", "always", "--format", "json"])).contains('\u{1b}'));
}

/// Escape sequences in names of files and in stanzas never reach the terminal, coloured or not.
#[test]
fn hostile_text_does_not_steer_the_terminal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = "a\u{1b}[2Jb\u{9b}.xml";
    let xml = "<message from='eve\u{9b}[2J@example.org/x' id='\u{202e}1&#x9b;2J' to='a@example.org'>\
        <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AAAA</key><iv>AAAA</iv></header></encrypted></message>";
    std::fs::write(folder.path().join(name), xml).expect("a file can be written");
    for arguments in
        [&["stanza", name][..], &["inspect", name], &["devices", "--store", name], &["stanza", name, "--format", "json"]]
    {
        let output = run(folder.path(), arguments);
        let all = stdout(&output) + &stderr(&output);
        assert!(!all.is_empty());
        assert!(!all.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{arguments:?}: {all:?}");
    }
}

/// Where a file may not be read, the error says so; needs a user for whom permissions count.
#[cfg(unix)]
#[test]
fn no_permission() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("secret.db");
    std::fs::write(&file, b"SQLite format 3\0").expect("a file can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).expect("permissions can be set");
    let readable = std::fs::File::open(&file).is_ok();
    for arguments in [&["inspect", "secret.db"][..], &["devices", "--store", "secret.db"], &["stanza", "secret.db"]] {
        let output = run(folder.path(), arguments);
        let says = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {says}");
        assert!(says.starts_with("error: secret.db: ") && says.lines().count() == 1, "{arguments:?}: {says}");
        assert!(readable || says.to_lowercase().contains("permission denied"), "{arguments:?}: {says}");
    }
}

/// A backup whose password was not given is locked and not damaged, and its account's messages are not ours to judge.
#[test]
fn a_locked_backup_is_no_damaged_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backups = root().join("fixtures/stores/conversations/backup-3/store");
    std::fs::write(folder.path().join("passwords"), "secret-alice\n").expect("written");
    let stanza = "<message xmlns='jabber:client' from='bob@localhost/b' to='alice@chat.example/a' id='x'><encrypted \
                  xmlns='eu.siacs.conversations.axolotl'><header sid='5'><key rid='1193219673'>MwohBXE=</key></header>\
                  <payload>AAAA</payload></encrypted></message>";
    std::fs::write(folder.path().join("stanza.xml"), stanza).expect("written");
    let store = backups.to_string_lossy();
    let output = run(folder.path(), &["diagnose", "--password-file", "passwords", "--store", &store, "stanza.xml"]);
    let text = stdout(&output);
    assert!(!text.contains("store-corrupt") && !text.contains("not-addressed"), "{text}");
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains("they are to alice@chat.example"), "{text}");
    assert!(text.contains("Locked, because its password was not given"), "{text}");
    assert!(stderr(&output).contains("alice@chat.example"), "{}", stderr(&output));
}

/// What is shown of a damaged store may not be all of it.
#[test]
fn a_damaged_store_is_no_clean_result() {
    let damaged = root().join("fixtures/diagnosis/gajim/store-corrupt-file-cut/store");
    for command in ["devices", "sessions", "inspect"] {
        let store = damaged.to_string_lossy();
        let arguments = if command == "inspect" { vec![command, &store] } else { vec![command, "--store", &store] };
        assert_eq!(run(root(), &arguments).status.code(), Some(1), "{command}");
    }
    assert_eq!(run(&example(), &["devices", "--store", "gajim"]).status.code(), Some(0));
}
