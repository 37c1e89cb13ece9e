use super::*;
use crate::model::Position;
use crate::omemo::xml::XmlErrorKind;
use std::path::Path;
use std::sync::Arc;

const LEGACY: &str = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AQI=</key><iv>AAAAAAAAAAAAAAAA</iv></header><payload>AQI=</payload></encrypted>";

fn stanza(xml: &str) -> CapturedStanza {
    let (element, error) = match Element::parse(xml) {
        Ok(element) => (element, None),
        Err(failure) => (*failure.partial.expect("something could be read"), Some(failure.error)),
    };
    let position = Position::line(&Arc::from(Path::new("t")), 1, 0);
    CapturedStanza {
        position,
        time: None,
        direction: None,
        account: BareJid::new("me@here"),
        server: false,
        element,
        error,
        repairs: vec![],
    }
}

fn items(all: &[&str]) -> Vec<Item> {
    let mut unwrapper = Unwrapper::default();
    all.iter().flat_map(|xml| unwrapper.items(&stanza(xml))).collect()
}

fn message(all: &[&str]) -> CapturedMessage {
    match items(all).pop() {
        Some(Item::Message(message)) => *message,
        other => panic!("expected a message, found {other:?}"),
    }
}

fn jid(text: &str) -> Option<BareJid> {
    BareJid::new(text)
}

#[test]
fn direct() {
    let m = message(&[&format!(
        "<message from='Bob@there/r' to='me@here' id='i' type='chat'>{LEGACY}<origin-id xmlns='urn:xmpp:sid:0' id='o'/><stanza-id xmlns='urn:xmpp:sid:0' id='s' by='me@here'/><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/></message>"
    )]);
    assert_eq!((m.from, m.to, m.id.as_deref()), (jid("bob@there"), jid("me@here"), Some("i")));
    assert_eq!((m.origin_id.as_deref(), m.archive_ids, m.wrapper), (Some("o"), vec!["s".to_owned()], Wrapper::Direct));
    assert!(m.sent.is_some_and(|w| w.instant.is_some()));
    assert!(matches!(m.encrypted, EncryptedPart::Known(e) if e.sid == Some(1)));
}

#[test]
fn own_outgoing_line_without_from() {
    let m = message(&[&format!("<message to='bob@there' id='i' type='chat'>{LEGACY}</message>")]);
    assert_eq!((m.from, m.to), (jid("me@here"), jid("bob@there")));
}

#[test]
fn carbons_archive_and_both() {
    let inner = format!("<message xmlns='jabber:client' from='bob@there/r' to='me@here' id='i'>{LEGACY}</message>");
    let forwarded = format!(
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>{inner}</forwarded>"
    );
    let carbon = |from: &str| {
        format!("<message from='{from}' to='me@here/x'><received xmlns='urn:xmpp:carbons:2'>{forwarded}</received></message>")
    };
    let m = message(&[&carbon("me@here")]);
    assert_eq!((m.wrapper, m.id.as_deref(), m.repairs.len()), (Wrapper::CarbonReceived, Some("i"), 0));
    let m = message(&[&carbon("eve@there")]);
    assert_eq!(m.repairs.len(), 1, "a forged carbon is kept but named");
    let m = message(&[&format!("<message><result xmlns='urn:xmpp:mam:2' id='a'>{forwarded}</result></message>")]);
    assert_eq!((m.wrapper, m.archive_ids, m.from), (Wrapper::Archive, vec!["a".to_owned()], jid("bob@there")));
    assert!(m.sent.is_some());
    let nested = format!(
        "<message><result xmlns='urn:xmpp:mam:2' id='a'><forwarded xmlns='urn:xmpp:forward:0'>{}</forwarded></result></message>",
        carbon("me@here").replacen("<message", "<message xmlns='jabber:client'", 1)
    );
    assert_eq!(message(&[&nested]).id.as_deref(), Some("i"));
}

#[test]
fn group_chat() {
    let presence = "<presence from='room@muc/Bob' to='me@here/x'><x xmlns='http://jabber.org/protocol/muc#user'><item jid='bob@there/r' affiliation='member'/></x></presence>";
    let text = format!("<message from='room@muc/Bob' to='me@here/x' id='i' type='groupchat'>{LEGACY}</message>");
    let m = message(&[presence, &text]);
    assert_eq!((m.from, m.room, m.from_full.as_deref()), (jid("bob@there"), jid("room@muc"), Some("room@muc/Bob")));
    assert_eq!(message(&[&text]).from, None, "an unknown occupant is nobody");
    let archived =
        text.replace("</message>", "<x xmlns='http://jabber.org/protocol/muc#user'><item jid='carol@there'/></x></message>");
    assert_eq!(message(&[presence, &archived]).from, jid("carol@there"));
    let mut unwrapper = Unwrapper::default();
    let mut own = stanza(&format!("<message to='room@muc' id='i' type='groupchat'>{LEGACY}</message>"));
    own.direction = Some(Direction::Outgoing);
    let found = unwrapper.items(&own);
    assert!(matches!(&found[..], [Item::Message(m)] if m.from == jid("me@here") && m.room == jid("room@muc")));
}

#[test]
fn lists_and_bundles() {
    let list = "<list xmlns='eu.siacs.conversations.axolotl'><device id='5'/></list>";
    let event = format!(
        "<message from='bob@there' id='e'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='eu.siacs.conversations.axolotl.devicelist'><item id='current'>{list}</item></items></event></message>"
    );
    assert!(
        matches!(&items(&[&event])[..], [Item::DeviceList(l)] if l.owner == jid("bob@there") && l.item_id.as_deref() == Some("current"))
    );
    assert!(matches!(&items(&[list])[..], [Item::DeviceList(l)] if l.owner.is_none() && l.list.devices.len() == 1));
    let publish = format!(
        "<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='eu.siacs.conversations.axolotl.devicelist'><item id='current'>{list}</item></publish></pubsub></iq>"
    );
    assert!(
        matches!(&items(&[&publish])[..], [Item::DeviceList(l)] if l.owner == jid("me@here") && l.direction == Some(Direction::Outgoing))
    );
    let bundle = |ns: &str| {
        format!(
            "<iq type='result' id='r' from='bob@there'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{ns}'><item id='7'><bundle xmlns='{}'/></item></items></pubsub></iq>",
            if ns.starts_with("urn") { "urn:xmpp:omemo:2" } else { "eu.siacs.conversations.axolotl" }
        )
    };
    for node in ["urn:xmpp:omemo:2:bundles", "eu.siacs.conversations.axolotl.bundles:7"] {
        assert!(
            matches!(&items(&[&bundle(node)])[..], [Item::Bundle(b)] if b.device_id == Some(7) && b.owner == jid("bob@there")),
            "{node}"
        );
    }
}

#[test]
fn refusals() {
    let get = "<iq type='get' id='q1' to='bob@there'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='eu.siacs.conversations.axolotl.bundles:7'/></pubsub></iq>";
    let error = "<iq type='error' id='q1' from='bob@there'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    let found = items(&[get, error]);
    assert!(
        matches!(&found[..], [Item::PubsubFailure(f)] if f.condition == "item-not-found" && f.node.as_deref() == Some("eu.siacs.conversations.axolotl.bundles:7"))
    );
    assert!(items(&[error]).is_empty());
    let set = "<iq type='set' id='q2'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:omemo:2:devices'/></pubsub></iq>";
    let conflict = "<iq type='error' id='q2'><error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/></error></iq>";
    assert!(
        matches!(&items(&[set, conflict])[..], [Item::PubsubFailure(f)] if f.condition == "precondition-not-met" && f.owner == jid("me@here"))
    );
}

#[test]
fn unknown_versions_broken_stanzas_and_bounces() {
    let m = message(&["<message from='b@c' id='i'><encrypted xmlns='urn:xmpp:omemo:9'><header sid='3'/></encrypted></message>"]);
    assert!(matches!(m.encrypted, EncryptedPart::UnknownNamespace { ref uri, sid: Some(3) } if uri == "urn:xmpp:omemo:9"));
    let m = message(&["<message from='b@c' id='i'><encrypted xmlns='urn:xmpp:omemo:2'><header sid='3'><keys jid='a"]);
    assert!(
        matches!(m.encrypted, EncryptedPart::Broken { error, partial: Some(p) } if error.kind == XmlErrorKind::CutOff && p.sid == Some(3))
    );
    assert!(items(&["<message id='i'><body>plain"]).is_empty());
    assert!(items(&[&format!("<message type='error' id='i'>{LEGACY}<error/></message>")]).is_empty());
    assert!(matches!(&items(&[LEGACY])[..], [Item::Message(m)] if m.id.is_none() && m.from.is_none()));
}

#[test]
fn own_address_from_binding() {
    let mut unwrapper = Unwrapper::default();
    let mut bind =
        stanza("<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>ann@here/r</jid></bind></iq>");
    bind.account = None;
    assert!(unwrapper.items(&bind).is_empty());
    let mut own = stanza(&format!("<message to='bob@there' id='i'>{LEGACY}</message>"));
    own.account = None;
    assert!(matches!(&unwrapper.items(&own)[..], [Item::Message(m)] if m.from == jid("ann@here")));
}

#[test]
fn own_address_from_what_comes_in() {
    let mut unwrapper = Unwrapper::default();
    let mut incoming = stanza("<presence from='bob@there/r' to='ann@here/r'/>");
    incoming.account = None;
    incoming.direction = Some(Direction::Incoming);
    assert!(unwrapper.items(&incoming).is_empty());
    let mut own = stanza(&format!("<message to='bob@there' id='i'>{LEGACY}</message>"));
    own.account = None;
    own.direction = Some(Direction::Outgoing);
    assert!(matches!(&unwrapper.items(&own)[..], [Item::Message(m)] if m.from == jid("ann@here")));
}
