//! Any bytes as a capture of any format; what it holds is unwrapped.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::input::capture::Capture;
use omemoscope::input::capture::unwrap::Unwrapper;
use omemoscope::model::CaptureEvent;
use std::io::Cursor;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Ok(capture) = Capture::from_reader(Path::new("fuzz"), Box::new(Cursor::new(bytes.to_vec()))) else { return };
    let mut unwrapper = Unwrapper::default();
    let _ = capture.read(&mut |_| {}, &mut |event| {
        if let CaptureEvent::Stanza(stanza) = event {
            let _ = unwrapper.items(&stanza);
        }
    });
});
