//! Every log format with a fixture of it (see fixtures/README.md), and what no client writes on purpose.

use omemoscope::input::capture::unwrap::Unwrapper;
use omemoscope::input::capture::{self, splitter};
use omemoscope::model::{CaptureEvent, CapturedMessage, CapturedStanza, Direction, EncryptedPart, Item, Wrapper};
use omemoscope::omemo::xml::XmlErrorKind;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Capture {
    stanzas: Vec<CapturedStanza>,
    messages: Vec<CapturedMessage>,
    lines: Vec<(&'static str, String)>,
    others: usize,
}

fn read(path: &Path) -> Capture {
    let mut found = Capture::default();
    let mut unwrapper = Unwrapper::default();
    capture::read(path, &mut |_| {}, &mut |event| match event {
        CaptureEvent::ClientLine(line) => found.lines.push((line.client, line.text)),
        CaptureEvent::Stanza(stanza) => {
            for item in unwrapper.items(&stanza) {
                match item {
                    Item::Message(message) => found.messages.push(*message),
                    _ => found.others += 1,
                }
            }
            found.stanzas.push(*stanza);
        }
    })
    .unwrap_or_else(|error| panic!("{error}"));
    found
}

fn fixture(name: &str) -> PathBuf {
    Path::new("fixtures/captures").join(name)
}

/// Reads text as a file of its own.
fn read_text(text: impl AsRef<[u8]>) -> Capture {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_ref()).expect("a temporary file");
    read(file.path())
}

fn ids(capture: &Capture) -> Vec<&str> {
    capture.messages.iter().map(|m| m.id.as_deref().unwrap_or_default()).collect()
}

/// File, format, encrypted messages, of them incoming and outgoing, lines of the client, stanzas repaired.
const FIXTURES: &[(&str, &str, usize, usize, usize, usize, usize)] = &[
    ("beagle.txt", "Beagle XML console", 4, 4, 0, 0, 0),
    ("conversations-logcat-cut.log", "Android log", 2, 0, 0, 1, 1),
    ("conversations-logcat.log", "Android log", 8, 0, 0, 29, 0),
    ("converse-12.log", "Converse.js console", 2, 2, 0, 0, 0),
    ("converse-14.log", "Converse.js console", 8, 7, 1, 0, 0),
    ("converse.har", "HAR (browser network log)", 4, 3, 1, 0, 0),
    ("dino-0.4.log", "Dino --print-xmpp", 6, 6, 0, 8, 0),
    ("dino-0.5-left-out.log", "Dino --print-xmpp", 3, 3, 0, 3, 1),
    ("finch-2.14.log", "libpurple debug log", 3, 3, 0, 3, 0),
    ("gajim-1.7.log", "Gajim debug log", 2, 2, 0, 10, 0),
    ("gajim-2.1.log", "Gajim debug log", 4, 4, 0, 14, 0),
    ("kaidan-0.12.log", "Kaidan log", 7, 6, 1, 1, 1),
    ("monal.rawlog", "Monal raw log", 3, 3, 0, 1, 0),
    ("poezio-0.18.log", "slixmpp debug log", 1, 1, 0, 14, 0),
    ("profanity-0.13.log", "Profanity log", 3, 2, 1, 3, 0),
    ("profanity-0.15.log", "Profanity log", 5, 5, 0, 4, 0),
    ("prosody-0.12-both.log", "Prosody debug log", 10, 9, 1, 0, 0),
    ("prosody-0.12.log", "Prosody debug log", 7, 5, 2, 0, 0),
    ("prosody-heads-only.log", "Prosody debug log", 0, 0, 0, 1, 0),
    ("psi-1.4.txt", "XML", 3, 0, 0, 0, 0),
    ("psi-ring-buffer.txt", "Psi XML console", 3, 0, 0, 0, 0),
    ("slixmpp-loggers.log", "slixmpp debug log", 4, 3, 1, 5, 0),
    ("slixmpp-plain.log", "slixmpp debug log", 4, 3, 1, 5, 0),
    ("smack-4.3.log", "Smack debugger", 5, 5, 0, 0, 0),
    ("smack-4.4.log", "Smack debugger", 4, 4, 0, 0, 0),
];

#[test]
fn every_fixture_yields_what_is_in_it() {
    let mut listed: Vec<&str> = FIXTURES.iter().map(|f| f.0).collect();
    listed.sort_unstable();
    let mut present: Vec<String> = std::fs::read_dir("fixtures/captures")
        .expect("the fixtures are in the repository")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .collect();
    present.sort();
    assert_eq!(listed, present, "every fixture is listed");
    for (name, format, messages, incoming, outgoing, lines, repaired) in FIXTURES {
        let path = fixture(name);
        assert_eq!(capture::Capture::open(&path).expect("readable").format(), *format, "{name}");
        let found = read(&path);
        let of = |d| found.messages.iter().filter(|m| m.direction == Some(d)).count();
        let repairs = found.stanzas.iter().filter(|s| !s.repairs.is_empty()).count();
        assert_eq!(
            (found.messages.len(), of(Direction::Incoming), of(Direction::Outgoing), found.lines.len(), repairs),
            (*messages, *incoming, *outgoing, *lines, *repaired),
            "{name}: {:?} {:?}",
            ids(&found),
            found.lines
        );
        for message in &found.messages {
            if !name.contains("-cut") {
                assert!(
                    matches!(&message.encrypted, EncryptedPart::Known(e) if e.is_usable() && e.sid.is_some()),
                    "{name}: {message:?}"
                );
                assert!(message.from.is_some() || message.room.is_some(), "{name}: {message:?}");
            }
        }
    }
}

#[test]
fn what_dino_left_out_is_neither_empty_nor_broken() {
    let found = read(&fixture("dino-0.5-left-out.log"));
    let lost: Vec<_> = found
        .messages
        .iter()
        .filter(|m| matches!(&m.encrypted, EncryptedPart::Known(e) if e.payload_left_out && e.payload.is_none() && e.is_usable()))
        .collect();
    assert_eq!(lost.len(), 1);
    assert!(lost[0].repairs.iter().any(|r| r.contains("1000 bytes")));
}

#[test]
fn real_addresses_of_room_occupants() {
    let found = read(&fixture("prosody-0.12.log"));
    let in_rooms: Vec<_> = found.messages.iter().filter(|m| m.room.is_some()).collect();
    assert!(!in_rooms.is_empty());
    for message in in_rooms {
        let from = message.from.as_ref().expect("the room shows real addresses");
        assert_ne!(Some(from), message.room.as_ref());
    }
}

const ENCRYPTED: &str = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AQI=</key><iv>AAAAAAAAAAAAAAAA</iv></header><payload>AQI=</payload></encrypted>";

fn message(id: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='bob@localhost/r' to='alice@localhost/r' type='chat' id='{id}'>{ENCRYPTED}</message>"
    )
}

#[test]
fn gajim_console_knows_time_and_direction() {
    let text = format!(
        "<!-- Incoming Mon Nov 23 02:10:24 2026 (alice@localhost) -->\n{}\n\n<!-- Outgoing Mon Nov 23 02:10:25 2026 (alice@localhost) -->\n<iq />\n\n",
        message("1").replace("><", ">\n  <")
    );
    let found = read_text(text);
    assert_eq!(ids(&found), ["1"]);
    assert_eq!(
        found.stanzas.iter().map(|s| s.direction).collect::<Vec<_>>(),
        [Some(Direction::Incoming), Some(Direction::Outgoing)]
    );
    assert!(found.stanzas[0].time.as_ref().is_some_and(|t| t.instant.is_some()));
    assert_eq!(found.messages[0].account.as_ref().map(|a| a.as_str()), Some("alice@localhost"));
}

#[test]
fn profanity_console_is_unwrapped() {
    let text = "02:10:02 - RECV:\n02:10:02 - <message id=\"1\" to=\"alice@localhost\"\n           from=\"bob@localhost/prof\"><encrypted\n           xmlns=\"eu.siacs.conversations.axolotl\"><header sid=\"1\"><key rid=\"2\">AQID\n           BAUG</key><iv>AAAAAAAA\n           AAAAAAAA</iv></header><payload>AQ\n           I=</payload></encrypted><body>two\n           words</body></message>\n02:10:02 - \n";
    let found = read_text(text);
    assert_eq!(ids(&found), ["1"]);
    let EncryptedPart::Known(encrypted) = &found.messages[0].encrypted else { panic!("{:?}", found.messages[0].encrypted) };
    assert_eq!(encrypted.faults, []);
    assert_eq!(encrypted.keys[0].content, [1, 2, 3, 4, 5, 6]);
    assert_eq!(found.messages[0].repairs.len(), 1);
    let body = found.stanzas[0].element.child("body", "").map(omemoscope::omemo::xml::Element::text);
    assert_eq!(body.as_deref(), Some("two words"));
}

#[test]
fn programs_with_send_and_recv() {
    for (log, direction) in [
        (format!("DEBUG [aparte::core] RECV: {}\n", message("1")), Direction::Incoming),
        (format!("10:00:00 DEBUG SMACK - SENT: {}\n", message("1")), Direction::Outgoing),
        (format!("alice@localhost - received stanza: {}\n", message("1")), Direction::Incoming),
        (format!("Mon Nov 23 02:10:24 2026 SENT {}\n", message("1")), Direction::Outgoing),
        (format!("INFO: x\nFINE: RECV (0): {}\n", message("1")), Direction::Incoming),
    ] {
        let found = read_text(&log);
        assert_eq!(ids(&found), ["1"], "{log}");
        assert_eq!(found.messages[0].direction, Some(direction), "{log}");
    }
}

#[test]
fn the_next_stanza_is_always_found() {
    let dtd = format!(
        "<!DOCTYPE m [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\">]>{}",
        message("bomb").replace("<payload>", "<x>&b;</x><payload>")
    );
    let cut = message("cut").split("<payload>").next().expect("a beginning").to_owned();
    let crossed = message("crossed").replace("</header>", "");
    let text = format!("junk {dtd}\n{cut}\n{}\n{crossed}{}\n{}", message("a"), message("b"), &message("end")[..180]);
    let found = read_text(&text);
    assert_eq!(ids(&found), ["bomb", "cut", "a", "crossed", "b", "end"]);
    let kinds: Vec<_> = found.stanzas.iter().map(|s| s.error.as_ref().map(|e| e.kind.clone())).collect();
    assert_eq!(kinds[0], Some(XmlErrorKind::Doctype));
    assert_eq!(kinds[1], Some(XmlErrorKind::CutOff));
    assert!(matches!(kinds[3], Some(XmlErrorKind::Malformed(_))));
    assert_eq!((&kinds[2], &kinds[4], &kinds[5]), (&None, &None, &Some(XmlErrorKind::CutOff)));
    for message in &found.messages {
        let broken = matches!(message.encrypted, EncryptedPart::Broken { .. });
        assert_eq!(broken, !matches!(message.id.as_deref(), Some("a" | "b")), "{message:?}");
    }
}

#[test]
fn positions_point_to_the_stanza() {
    let text = format!("first line\n  {}\n\n{}", message("1"), message("2"));
    let found = read_text(&text);
    for (message, line) in found.messages.iter().zip([2, 4]) {
        assert_eq!(message.position.line, line);
        let byte = usize::try_from(message.position.byte).expect("small");
        assert!(text[byte..].starts_with(&format!(
            "<message xmlns='jabber:client' from='bob@localhost/r' to='alice@localhost/r' type='chat' id='{}'",
            message.id.as_deref().unwrap_or_default()
        )));
    }
}

#[test]
fn a_log_cut_at_any_byte_loses_only_the_end() {
    let path = fixture("gajim-2.1.log");
    let whole = std::fs::read(&path).expect("the fixture is in the repository");
    let all = read(&path);
    for end in (0..whole.len()).step_by(97) {
        let part = read_text(&whole[..end]);
        let complete: Vec<_> = part.messages.iter().filter(|m| matches!(m.encrypted, EncryptedPart::Known(_))).collect();
        for (a, b) in complete.iter().zip(&all.messages) {
            assert_eq!((&a.id, &a.position.byte), (&b.id, &b.position.byte), "cut at {end}");
        }
    }
}

#[test]
fn compressed_captures() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let gz = dir.path().join("log.gz");
    let mut encoder = flate2::write::GzEncoder::new(std::fs::File::create(&gz).expect("a file"), flate2::Compression::fast());
    encoder.write_all(message("1").as_bytes()).and_then(|()| encoder.finish().map(|_| ())).expect("written");
    assert_eq!(ids(&read(&gz)), ["1"]);
    let path = dir.path().join("logs.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    for (name, data) in
        [("a.xml", message("1").into_bytes()), ("b.png", b"\x89PNG\r\n".to_vec()), ("c/d.log", message("2").into_bytes())]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("written");
        zip.write_all(&data).expect("written");
    }
    zip.finish().expect("written");
    let found = read(&path);
    assert_eq!(ids(&found), ["1", "2"]);
    assert!(found.messages[1].position.file.ends_with("logs.zip/c/d.log"));
}

/// What a console prints is UTF-16 when Windows writes it to a file.
#[test]
fn utf_16_captures() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let text = format!("\u{feff}one\r\n{}", message("1"));
    for (name, encode) in [("le", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("be", u16::to_be_bytes)] {
        let path = dir.path().join(name);
        std::fs::write(&path, text.encode_utf16().flat_map(encode).collect::<Vec<u8>>()).expect("written");
        let found = read(&path);
        assert_eq!(ids(&found), ["1"]);
        assert_eq!(found.messages[0].position.line, 2);
    }
}

/// Logs that a client wrote one after the other lie in an archive, or a folder, in the order of their names.
#[test]
fn dated_logs_of_an_archive_are_read_in_the_order_of_time() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("logs.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    for (name, day) in [("a.log", 24), ("b.log", 23)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("written");
        let line = format!("2026-11-{day}T02:05:25.984736Z: conn: DBG: RECV: {}\n", message(name).trim_end());
        zip.write_all(line.as_bytes()).expect("written");
    }
    zip.finish().expect("written");
    assert_eq!(ids(&read(&path)), ["b.log", "a.log"]);
}

/// A log that is cut off still says what stands in it.
#[test]
fn what_stands_before_a_cut_is_read() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let text: String = (0..100).map(|n| message(&n.to_string())).collect();
    encoder.write_all(text.as_bytes()).expect("written");
    let whole = encoder.finish().expect("written");
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&whole[..whole.len() / 2]).expect("a temporary file");
    let mut stanzas = 0;
    let result = capture::read(file.path(), &mut |_| {}, &mut |_| stanzas += 1);
    let error = result.expect_err("it is cut off");
    assert!(error.partial && error.says.contains("cut off"), "{error}");
    assert!(stanzas > 40, "{stanzas}");
}

#[test]
fn what_is_no_capture_is_named() {
    let says = |data: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(data).expect("a temporary file");
        let result = capture::read(file.path(), &mut |_| {}, &mut |_| {});
        result.err().map(|e| e.says)
    };
    assert!(says(b"SQLite format 3\0rest").is_some_and(|s| s.contains("--store")));
    assert!(says(b"\x89PNG\r\n").is_some_and(|s| s.contains("PNG")));
    assert!(says(&[0u8; 100]).is_some_and(|s| s.contains("binary")));
    let tar = [b"gajim.log".as_slice(), &[0; 248], b"ustar\x0000", &[0; 248], b"log"].concat();
    for packed in [b"\xfd7zXZ\0".as_slice(), b"BZh91AY", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", &tar] {
        assert!(says(packed).is_some_and(|s| s.contains("give the log") && !s.contains("--store")));
    }
    let mut tgz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    tgz.write_all(&tar).expect("written");
    assert!(says(&tgz.finish().expect("written")).is_some_and(|s| s.contains("tar")));
    let mail = |encoding: &str, text: &str| format!("From: a@b\nContent-Transfer-Encoding: {encoding}\n\n{text}\n");
    assert!(says(mail("base64", "PG1lc3NhZ2U+").as_bytes()).is_some_and(|s| s.contains("mail")));
    assert!(says(mail("Quoted-Printable", "<message to=3D'a@b'/>").as_bytes()).is_some_and(|s| s.contains("mail")));
    assert_eq!(says(mail("7bit", "<message to='a@b'/>").as_bytes()), None);
    let wide: Vec<u8> = "<message to='a@b'/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(says(&wide).is_some_and(|s| s.contains("UTF-16")));
    assert!(says(b"PK\x03\x04rubbish").is_some_and(|s| s.contains("ZIP")));
    assert!(says(b"\x1f\x8b\x08rubbish").is_some_and(|s| s.contains("cannot be read")));
    assert_eq!(says(b""), None);
    assert_eq!(says(b"a log without any stanza\n"), None);
    let folder = capture::read(Path::new("fixtures"), &mut |_| {}, &mut |_| {});
    assert!(folder.is_err_and(|e| e.says.contains("folder")));
    let missing = capture::read(Path::new("fixtures/no such file"), &mut |_| {}, &mut |_| {});
    assert!(missing.is_err_and(|e| e.says.contains("cannot be read")));
}

/// An empty answer must not stand for a text that was only disfigured.
#[test]
fn omemo_that_cannot_be_read_is_told() {
    let hidden = |text: String| {
        let reader = Box::new(std::io::Cursor::new(text.into_bytes()));
        let capture = capture::Capture::from_reader(Path::new("a.log"), reader).expect("a text");
        capture.read(&mut |_| {}, &mut |_| {}).err().map(|error| (error.hidden, error.says))
    };
    let escaped = message("1").replace('\'', "\\u0027").replace('<', "\\u003c");
    let told = hidden(escaped);
    assert!(told.is_some_and(|(hidden, says)| hidden && says.contains("once")));
    assert_eq!(hidden(message("1")), None);
    let refused = format!("<message type='error' id='1'>{ENCRYPTED}</message>");
    assert_eq!(hidden(refused), None, "read, although it was never received");
}

#[test]
fn a_stanza_without_end_does_not_fill_the_memory() {
    let mut text = b"<message id='endless'><body>".to_vec();
    text.resize(splitter::MAX_STANZA + 1000, b'x');
    text.extend_from_slice(message("after").as_bytes());
    let found = read_text(&text);
    assert!(matches!(found.stanzas[0].error.as_ref().map(|e| &e.kind), Some(XmlErrorKind::TooLong(_))));
    assert_eq!(found.stanzas[0].element.attribute("id"), Some("endless"));
    assert_eq!(ids(&found), ["after"]);
}

#[test]
fn progress_counts_bytes() {
    let mut last = 0;
    let path = fixture("gajim-1.7.log");
    capture::read(&path, &mut |bytes| last = bytes, &mut |_| {}).expect("readable");
    assert_eq!(last, std::fs::metadata(&path).expect("there").len());
}

#[test]
fn wrappers_are_told() {
    let inner = message("1");
    let wrapped = format!(
        "<message from='alice@localhost' to='alice@localhost/r'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></received></message><message from='alice@localhost' to='alice@localhost/r'><result xmlns='urn:xmpp:mam:2' id='x'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></result></message>{inner}"
    );
    let found = read_text(wrapped);
    let wrappers: Vec<_> = found.messages.iter().map(|m| m.wrapper).collect();
    assert_eq!(wrappers, [Wrapper::CarbonReceived, Wrapper::Archive, Wrapper::Direct]);
}

#[test]
fn line_ends_of_windows_do_not_matter() {
    for name in [
        "gajim-2.1.log",
        "profanity-0.15.log",
        "dino-0.4.log",
        "kaidan-0.12.log",
        "prosody-0.12.log",
        "smack-4.4.log",
        "converse-14.log",
    ] {
        let text = std::fs::read_to_string(fixture(name)).expect("the fixture is in the repository");
        let found = read_text(text.replace('\n', "\r\n"));
        assert_eq!(ids(&found), ids(&read(&fixture(name))), "{name}");
        assert!(found.messages.iter().all(|m| matches!(&m.encrypted, EncryptedPart::Known(e) if e.is_usable())), "{name}");
    }
}

type PutOn = fn(&str) -> String;
/// What transports, terminals and forms make of a line.
const DRESSES: &[(&str, PutOn)] = &[
    ("journald", |line| format!("Nov 23 02:32:04 host app[1234]: {line}")),
    ("journald, ISO time", |line| format!("2026-11-23T02:32:04+0000 host org.gajim.Gajim[12]: {line}")),
    ("syslog", |line| format!("<13>Nov  3 02:32:04 host app: {line}")),
    ("syslog, RFC 5424", |line| format!("<13>1 2026-11-23T02:32:04.123Z host app 12 - [a b=\"c\"] {line}")),
    ("docker logs -t", |line| format!("2026-11-23T02:32:04.123456789Z {line}")),
    ("docker compose", |line| format!("\u{1b}[36mclient-1  | \u{1b}[0m{line}")),
    ("docker compose -t", |line| format!("client-1  | 2026-11-23T02:32:04.123456789Z {line}")),
    ("docker's file", |line| {
        serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026-11-23T02:32:04Z"}).to_string()
    }),
    ("a margin", |line| format!("    {line}")),
    ("a mail", |line| format!("> {line}")),
    ("a mail of a mail", |line| format!(">> {line}")),
    ("colours", |line| format!("\u{1b}[38;5;75m{line}\u{1b}[0m")),
    ("a web form", |line| {
        line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;")
    }),
    ("a quoted web form", |line| format!("&gt; {}", line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))),
];

#[test]
fn what_a_log_wears_is_taken_off() {
    for (name, format, ..) in
        FIXTURES.iter().filter(|fixture| fixture.1 != "Monal raw log" && fixture.1 != "HAR (browser network log)")
    {
        let naked = std::fs::read_to_string(fixture(name)).expect("the fixture is in the repository");
        let expected = read(&fixture(name));
        for (dress, put_on) in DRESSES {
            let dressed: String = naked.lines().map(|line| put_on(line) + "\n").collect();
            let reader = Box::new(std::io::Cursor::new(dressed.clone().into_bytes()));
            let capture = capture::Capture::from_reader(Path::new("dressed"), reader).expect("a text");
            assert_eq!(capture.format(), *format, "{name} in {dress}");
            let found = read_text(dressed);
            assert_eq!(found.lines, expected.lines, "{name} in {dress}");
            let seen = |capture: &Capture| -> Vec<_> {
                let places = capture.stanzas.iter().map(|s| (s.position.line, s.direction, s.error.is_some()));
                places.zip(capture.stanzas.iter().map(|s| s.element.clone())).collect()
            };
            assert_eq!(seen(&found), seen(&expected), "{name} in {dress}");
            assert_eq!(format!("{:?}", ids(&found)), format!("{:?}", ids(&expected)), "{name} in {dress}");
        }
    }
}

#[test]
fn a_place_in_a_dressed_log_is_that_in_its_file() {
    let text = format!("Nov 23 02:32:04 host app[1]: RECV: {0}\nNov 23 02:32:05 host app[1]: RECV: {0}\n", message("1"));
    let found = read_text(&text);
    assert_eq!(found.stanzas.iter().map(|s| s.position.line).collect::<Vec<_>>(), [1, 2]);
    for (stanza, time) in found.stanzas.iter().zip(["Nov 23 02:32:04", "Nov 23 02:32:05"]) {
        let byte = usize::try_from(stanza.position.byte).expect("small");
        assert!(text[byte..].starts_with("<message"));
        assert_eq!(stanza.time.as_ref().map(|t| t.text.as_str()), Some(time), "the transport's, for want of another");
    }
}

/// docker cuts lines of more than 16 KiB.
#[test]
fn a_line_that_docker_cut_is_put_together() {
    let message = message("1");
    let (first, second) = message.trim_end().split_at(100);
    let entry =
        |log: &str| serde_json::json!({"log": log, "stream": "stderr", "time": "2026-11-23T02:32:04Z"}).to_string() + "\n";
    let text = [entry("DEBUG    one\n"), entry(&format!("DEBUG    RECV: {first}")), entry(&format!("{second}\n"))].concat();
    let found = read_text(text);
    assert_eq!(ids(&found), ["1"]);
    assert_eq!(found.stanzas[0].position.line, 2);
    assert!(found.stanzas[0].error.is_none());
}

#[test]
fn what_a_word_processor_made_of_a_stanza_is_undone() {
    let text = message("1").replace('\'', "’").replace("<message ", "<message\u{a0}");
    let found = read_text(text);
    assert_eq!(ids(&found), ["1"]);
    assert!(found.stanzas[0].error.is_none());
}

/// Mail programs break lines; a number that was broken is one all the same.
#[test]
fn a_wrapped_stanza_is_put_together() {
    let key = "MwohBSB0ACvIiJspXga8do02rUY2GTGv1ubquAic0juP".repeat(3);
    let text = message("1").replace("AQI=</key>", &format!("{key}</key>")).replace("AQI=</payload>", &format!("{key}</payload>"));
    let columns: Vec<char> = text.chars().collect();
    let wrapped = columns.chunks(76).map(|line| line.iter().collect::<String>() + "\r\n").collect::<String>();
    let found = read_text(format!("Hello,\r\n\r\n{wrapped}\r\nThanks\r\n"));
    assert_eq!(ids(&found), ["1"]);
    assert_eq!((found.stanzas[0].position.line, &found.stanzas[0].error), (3, &None));
    assert!(found.stanzas[0].repairs[0].contains("put together"));
    let EncryptedPart::Known(encrypted) = &found.messages[0].encrypted else { panic!("it is whole") };
    assert!(encrypted.is_usable() && encrypted.keys[0].rid == Some(2));
    let broken = read_text(message("1").replace("rid='2'", "rid='2\n3'"));
    assert!(matches!(&broken.messages[0].encrypted, EncryptedPart::Known(e) if e.keys[0].rid == Some(23)));
}

/// What people write in messages is no dress.
#[test]
fn the_text_of_a_message_is_left_alone() {
    let body = "&lt;message to=&quot;x&quot;&gt; c’est «\u{a0}xmlns=’x’\u{a0}»";
    let text = format!("<message id='1' from='a@b'><body>{body}</body>{ENCRYPTED}</message>");
    let found = read_text(&text);
    let bodies: Vec<String> = found.stanzas[0].element.elements().filter(|e| e.name == "body").map(|e| e.text()).collect();
    assert_eq!(bodies, ["<message to=\"x\"> c’est «\u{a0}xmlns=’x’\u{a0}»"]);
}

#[test]
fn format_names_are_told_once() {
    let mut names: Vec<_> = capture::formats().collect();
    assert!(FIXTURES.iter().all(|f| names.contains(&f.1)));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// Pieces that logs, XML and JSON are made of: put in the wrong place they lead readers astray.
const WEDGES: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "\"",
    "'",
    "\n",
    "\r\n",
    "\u{1b}[31m",
    "é",
    "\u{feff}",
    "<message ",
    "<![CDATA[",
    "<!--",
    "<!DOCTYPE [",
    "{",
    "}",
    "\\",
    "(02:09:47) ",
    "jabber: Recv (99999): ",
    ": ",
    "XMPP IN [",
    "SEND: <",
    "::::: DATA SENT ::::",
    "<<\"",
    "&#x0;",
    "]",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    #[test]
    fn damaged_logs_never_stop_the_reader(
        which in proptest::prelude::any::<proptest::sample::Index>(),
        dress in 0..DRESSES.len() * 2,
        damage in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), 0..WEDGES.len() + 3), 1..12),
    ) {
        let path = fixture(FIXTURES[which.index(FIXTURES.len())].0);
        let mut bytes = std::fs::read(path).expect("the fixture is in the repository");
        if let Some((_, put_on)) = DRESSES.get(dress) {
            bytes = String::from_utf8_lossy(&bytes).lines().flat_map(|line| (put_on(line) + "\n").into_bytes()).collect();
        }
        for (place, kind) in damage {
            let at = place.index(bytes.len().max(1));
            match kind.checked_sub(WEDGES.len()) {
                None => drop(bytes.splice(at..at, WEDGES[kind].bytes())),
                Some(0) => bytes.truncate(at),
                Some(1) => bytes[at..].iter_mut().take(3).for_each(|b| *b = b.wrapping_add(0x55)),
                Some(_) => drop(bytes.drain(at..(at + 40).min(bytes.len()))),
            }
        }
        // Damaged beyond recognition is an error, never a panic.
        let reader = Box::new(std::io::Cursor::new(bytes));
        if let Ok(capture) = capture::Capture::from_reader(Path::new("damaged"), reader) {
            let mut unwrapper = Unwrapper::default();
            let mut stanzas = 0;
            let result = capture.read(&mut |_| {}, &mut |event| {
                if let CaptureEvent::Stanza(stanza) = event {
                    stanzas += 1;
                    let _ = unwrapper.items(&stanza);
                }
            });
            // So may be what was damaged beyond reading.
            proptest::prop_assert!(result.is_ok() || result.is_err_and(|error| error.hidden));
        }
    }
}
