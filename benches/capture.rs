//! How fast captures are read: a debug log of a client and a plain stream dump, a few megabytes each.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use omemoscope::input::capture::Capture;
use omemoscope::input::capture::unwrap::Unwrapper;
use omemoscope::model::CaptureEvent;
use std::fmt::Write;
use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;

const STANZAS: usize = 2000;

fn message(number: usize) -> String {
    let payload = "QUJD".repeat(200);
    format!(
        "<message xmlns='jabber:client' from='bob@localhost/r' to='alice@localhost/r' type='chat' id='m{number}'><encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AQIDBAUG</key><iv>AAAAAAAAAAAAAAAA</iv></header><payload>{payload}</payload></encrypted><body>fallback</body><store xmlns='urn:xmpp:hints'/></message>"
    )
}

fn plain() -> String {
    (0..STANZAS).map(|n| message(n) + "\n").collect()
}

fn gajim() -> String {
    let mut log = String::new();
    for number in 0..STANZAS {
        // Writing to a String cannot fail.
        let _ = write!(
            log,
            "2026-11-23 02:30:58 (I) nbxmpp.connection        |          (alice@localhost) ::::: DATA RECEIVED ::::\n\n{}\n\n2026-11-23 02:30:58 (I) gajim.client             |          Signal: data-received\n",
            message(number)
        );
    }
    log
}

fn read(text: &str) -> usize {
    let capture = Capture::from_reader(Path::new("bench"), Box::new(Cursor::new(text.as_bytes().to_vec())));
    let mut unwrapper = Unwrapper::default();
    let mut items = 0;
    if let Ok(capture) = capture {
        let _ = capture.read(&mut |_| {}, &mut |event| {
            if let CaptureEvent::Stanza(stanza) = event {
                items += unwrapper.items(&stanza).len();
            }
        });
    }
    items
}

/// The XML parser alone over the same text, in the same run: the reader cannot be faster.
fn events(text: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut count = 0;
    while let Ok(event) = reader.read_event() {
        if matches!(event, quick_xml::events::Event::Eof) {
            break;
        }
        count += 1;
    }
    count
}

fn captures(c: &mut Criterion) {
    let mut group = c.benchmark_group("read a capture");
    for (name, text) in [("plain XML", plain()), ("Gajim debug log", gajim())] {
        assert_eq!(read(&text), STANZAS);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| read(black_box(&text))));
    }
    let text = plain();
    assert!(events(&text) > STANZAS);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("lower bound: quick-xml alone, plain XML", |b| b.iter(|| events(black_box(&text))));
    group.finish();
}

criterion_group!(benches, captures);
criterion_main!(benches);
