//! Any bytes as a key file store.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::input::store::candidate::Candidate;
use omemoscope::input::store::key_file::KeyFile;
use omemoscope::input::store::{OpenOptions, recognise};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = KeyFile::parse(bytes);
    let candidate = Candidate::from_bytes(Path::new("fuzz/identity.txt"), [b"[identity]\ndevice_id=1\n", bytes].concat());
    if let Some(format) = recognise(&candidate) {
        let _ = (format.read)(&candidate, &OpenOptions::default());
    }
});
