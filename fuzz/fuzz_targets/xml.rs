//! Any text as XML; what is read must come back the same after it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::omemo::xml::Element;

fuzz_target!(|text: &str| {
    match Element::parse(text) {
        Ok(element) => {
            let again = Element::parse(&element.to_xml());
            // Undeclared prefixes become namespaces; everything else is kept.
            if !text.contains(':') {
                assert_eq!(again.as_ref(), Ok(&element));
            }
        }
        Err(failure) => {
            let _ = failure.partial.map(|partial| partial.to_xml());
        }
    }
});
