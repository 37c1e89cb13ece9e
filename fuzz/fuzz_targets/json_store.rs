//! Any bytes as a JSON store: what a damaged or hostile export can look like.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::input::store::candidate::Candidate;
use omemoscope::input::store::{OpenOptions, json_text, recognise};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = json_text::read(bytes);
    // Beginnings by which each reader takes the file for its own.
    for start in [
        &b""[..],
        b"{\"/own_device_id\": 1, \"/ikp/is_seed\": true, \"/ikp/key\": \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\", ",
        b"{\"localStorage\": {\"2.a@b.registrationId\": \"1\", \"2.a@b.identityKey\": ",
        b"{\"converse.omemosession-a@b-converse.omemosession-a@b\": ",
    ] {
        let candidate = Candidate::from_bytes(Path::new("fuzz/store.json"), [start, bytes].concat());
        if let Some(format) = recognise(&candidate) {
            let _ = (format.read)(&candidate, &OpenOptions::default());
        }
    }
});
