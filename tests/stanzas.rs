//! The elements and envelopes of the test vectors (see fixtures/README.md).

use omemoscope::omemo::Namespace;
use omemoscope::omemo::stanza::bundle::Bundle;
use omemoscope::omemo::stanza::device_list::DeviceList;
use omemoscope::omemo::stanza::encrypted::Encrypted;
use omemoscope::omemo::stanza::envelope::{Envelope, EnvelopeContext, EnvelopeFinding};
use omemoscope::omemo::xml::Element;
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("fixtures/vectors/{name}")).expect("the fixture is in the repository");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is text"))
}

fn element(xml: &str) -> Element {
    Element::parse(xml).expect("the vector is well-formed")
}

#[test]
fn every_element_of_the_vectors_is_read() {
    let data = vectors("stanzas.json");
    let (mut bundles, mut messages) = (0, 0);
    for case in data["cases"].as_array().expect("cases") {
        let namespace = Namespace::from_uri(text(case, "variant")).expect("a known variant");
        let list = DeviceList::from_element(&element(text(case, "device_list"))).expect("a device list");
        assert_eq!(list.namespace, namespace);
        assert!(!list.devices.is_empty() && list.faults.is_empty());
        for bundle in case["bundles"].as_array().expect("bundles") {
            let read = Bundle::from_element(&element(text(bundle, "xml"))).expect("a bundle");
            // The vectors' bundles hold few prekeys; nothing else is wrong with them.
            assert!(read.faults.iter().all(|f| !f.fatal && f.place == "prekeys"), "{:?}", read.faults);
            let party = case["parties"].as_object().expect("parties").values().find(|p| p["device_id"] == bundle["device_id"]);
            let fingerprint = read.identity_key.expect("an identity key").fingerprint().to_string();
            assert_eq!(fingerprint, text(party.expect("a party"), "fingerprint"));
            bundles += 1;
        }
        for message in case["messages"].as_array().expect("messages") {
            let read = Encrypted::from_element(&element(text(message, "encrypted"))).expect("an encrypted element");
            assert!(read.is_usable(), "{:?}", read.faults);
            let rid = message["rid"].as_u64().and_then(|rid| u32::try_from(rid).ok());
            let jid = (!namespace.is_legacy()).then(|| text(message, "to"));
            let key = read.keys.iter().find(|k| k.rid == rid && k.jid.as_deref() == jid).expect("the receiver's key");
            assert_eq!(key.flagged, message["prekey"].as_bool().expect("prekey"));
            assert!(!key.content.is_empty());
            messages += 1;
        }
    }
    assert_eq!((bundles, messages), (6, 6));
}

#[test]
fn every_envelope_of_the_vectors_is_judged_as_they_say() {
    let data = vectors("sce.json");
    for case in data["cases"].as_array().expect("cases") {
        let name = text(case, "name");
        let namespace = case["variant"].as_str().map_or(Namespace::Omemo2, |v| Namespace::from_uri(v).expect("a known variant"));
        let stanza = &case["stanza"];
        let bare = |jid: &'static str, value: &Value| -> Option<String> {
            value[jid].as_str().map(|j| j.split('/').next().expect("never empty").to_owned())
        };
        let group = text(stanza, "type") == "groupchat";
        let from = bare(if group { "real_from" } else { "from" }, stanza);
        let to = bare("to", stanza);
        let room = group.then(|| bare("from", stanza)).flatten();
        let context = EnvelopeContext {
            from: from.as_deref(),
            to: to.as_deref(),
            room: room.as_deref(),
            time: text(stanza, "received_at").parse().ok(),
        };
        let parsed = Envelope::parse(text(case, "envelope").as_bytes(), namespace);
        let findings = match &parsed {
            Ok(envelope) => envelope.check(&context),
            Err(finding) => vec![finding.clone()],
        };
        let said: Vec<String> = findings
            .iter()
            .map(|f| match f {
                EnvelopeFinding::ServerElementInside(what) => format!("{}: {what}", f.name()),
                EnvelopeFinding::FromMissing => format!("{} (SHOULD)", f.name()),
                _ => f.name().to_owned(),
            })
            .collect();
        let expected: Vec<&str> = case["findings"].as_array().expect("findings").iter().filter_map(Value::as_str).collect();
        assert_eq!(said, expected, "{name}");
        assert_eq!(findings.iter().any(EnvelopeFinding::rejects), case["reject"].as_bool().unwrap_or(false), "{name}");
        if let Some(body) = case["body"].as_str() {
            assert_eq!(parsed.as_ref().ok().and_then(Envelope::body).as_deref(), Some(body), "{name}");
        }
        if let Some(reason) = case["opt_out"].as_str() {
            let opt_out = parsed.as_ref().ok().and_then(Envelope::opt_out);
            assert_eq!(opt_out.and_then(|o| o.reason).as_deref(), Some(reason), "{name}");
        }
    }
}
