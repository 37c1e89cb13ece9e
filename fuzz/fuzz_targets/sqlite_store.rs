//! Any bytes as an SQLite store: examined and read by whichever reader takes them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::input::store::candidate::Candidate;
use omemoscope::input::store::sqlite::{journal, wal};
use omemoscope::input::store::{OpenOptions, recognise};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = wal::committed(bytes);
    let _ = journal::hot(bytes, 4096);
    let candidate = Candidate::from_bytes(Path::new("fuzz/omemo.db"), bytes.to_vec());
    if let Some(format) = recognise(&candidate) {
        let _ = (format.read)(&candidate, &OpenOptions::default());
    }
});
