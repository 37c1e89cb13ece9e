//! Any text inside the elements that OMEMO defines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omemoscope::omemo::Namespace;
use omemoscope::omemo::stanza::bundle::Bundle;
use omemoscope::omemo::stanza::device_list::DeviceList;
use omemoscope::omemo::stanza::encrypted::Encrypted;
use omemoscope::omemo::stanza::envelope::{Envelope, EnvelopeContext};
use omemoscope::omemo::xml::Element;

fuzz_target!(|text: &str| {
    for namespace in Namespace::ALL {
        for name in ["encrypted", "list", "devices", "bundle"] {
            let xml = format!("<{name} xmlns='{namespace}'>{text}</{name}>");
            let element = match Element::parse(&xml) {
                Ok(element) => element,
                Err(failure) => match failure.partial {
                    Some(partial) => *partial,
                    None => continue,
                },
            };
            let _ = Encrypted::from_element(&element).map(|e| e.is_usable());
            let _ = DeviceList::from_element(&element);
            let _ = Bundle::from_element(&element);
        }
        let xml = format!("<envelope xmlns='urn:xmpp:sce:1'>{text}</envelope>");
        if let Ok(envelope) = Envelope::parse(xml.as_bytes(), namespace) {
            let context = EnvelopeContext { from: Some("a@b"), to: Some("c@d"), room: None, time: None };
            let _ = envelope.check(&context).iter().map(ToString::to_string).collect::<Vec<_>>();
        }
    }
});
