//! Each rule has a capture that breaks it and the nearest one that keeps it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omemoscope::analysis::rules::{self, Breach, RuleBook, envelope};
use omemoscope::input::capture::unwrap::Unwrapper;
use omemoscope::input::store::{self, OpenOptions};
use omemoscope::model::{Account, BareJid, CapturedStanza, ClientLine, Direction, Position, TrustLevel, When};
use omemoscope::omemo::Namespace;
use omemoscope::omemo::stanza::envelope::{Envelope, EnvelopeContext};
use omemoscope::omemo::xml::Element;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const LEGACY: &str = "eu.siacs.conversations.axolotl";
const TWO: &str = "urn:xmpp:omemo:2";

/// One thing in a capture.
enum Step {
    In(String),
    Out(String),
    /// What comes after this is so many days later.
    Days(i64),
    Line(&'static str),
}
use Step::{Days, In, Line, Out};

fn run(steps: &[Step], accounts: &[Account]) -> Vec<Breach> {
    let own = accounts.first().map_or_else(|| BareJid::new("alice@x"), |a| a.jid.clone());
    let mut book = RuleBook::new(own.clone(), accounts.first().and_then(|a| a.own_device_id));
    let mut unwrapper = Unwrapper::default();
    let mut days = 0;
    for (line, step) in (1u64..).zip(steps) {
        let position = Position::line(&Arc::from(Path::new("log")), line, 0);
        let time = When::from_unix_seconds(days * 86_400);
        let (direction, xml) = match step {
            In(xml) => (Direction::Incoming, xml),
            Out(xml) => (Direction::Outgoing, xml),
            Days(n) => {
                days += n;
                continue;
            }
            Line(text) => {
                book.take_line(&ClientLine { position, time, text: (*text).into(), client: "poezio" });
                continue;
            }
        };
        let stanza = CapturedStanza {
            position,
            time,
            direction: Some(direction),
            account: own.clone(),
            server: false,
            element: Element::parse(xml).expect("well-formed"),
            error: None,
            repairs: Vec::new(),
        };
        book.take_stanza(&stanza);
        unwrapper.items(&stanza).iter().for_each(|item| book.take(item));
    }
    book.finish(accounts)
}

fn broken(steps: &[Step], accounts: &[Account]) -> BTreeSet<&'static str> {
    run(steps, accounts).iter().map(|b| b.rule.id).collect()
}

/// Fails unless the first capture breaks the rule and the second one does not.
fn both(id: &str, breaks: &[Step], keeps: &[Step]) {
    with_store(id, breaks, keeps, &[]);
}

fn with_store(id: &str, breaks: &[Step], keeps: &[Step], accounts: &[Account]) {
    assert!(rules::by_id(id).is_some(), "{id} is a rule");
    let found = broken(breaks, accounts);
    assert!(found.contains(id), "{id} is not found, only {found:?}");
    let found = broken(keeps, accounts);
    assert!(!found.contains(id), "{id} is found where it is kept: {found:?}");
}

// Pieces of XML.

fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn list(from: &str, devices: &str) -> String {
    listed(from, "current", devices)
}

fn listed(from: &str, item: &str, devices: &str) -> String {
    format!(
        "<message from='{from}'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{TWO}:devices'><item id='{item}'><devices xmlns='{TWO}'>{devices}</devices></item></items></event></message>"
    )
}

fn publish(node: &str, item: &str, content: &str, options: &str) -> String {
    format!(
        "<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='{node}'><item id='{item}'>{content}</item></publish>{options}</pubsub></iq>"
    )
}

fn devices(ids: &[u32]) -> String {
    ids.iter().map(|id| format!("<device id='{id}'/>")).collect()
}

/// The base point of Ed25519, a valid identity key, and two times it.
const IK: [u8; 32] = {
    let mut key = [0x66; 32];
    key[0] = 0x58;
    key
};
const OTHER_IK: [u8; 32] = [
    0xc9, 0xa3, 0xf8, 0x6a, 0xae, 0x46, 0x5f, 0x0e, 0x56, 0x51, 0x38, 0x64, 0x51, 0x0f, 0x39, 0x97, 0x56, 0x1f, 0xa2, 0xc9, 0xe8,
    0x5e, 0xa2, 0x1d, 0xc2, 0x29, 0x23, 0x09, 0xf3, 0xcd, 0x60, 0x22,
];

fn pks(ids: impl Iterator<Item = u32>) -> String {
    ids.map(|id| format!("<pk id='{id}'>{}</pk>", b64(&[id as u8; 32]))).collect()
}

fn bundle(ik: &[u8; 32], spk: u8, pks: &str) -> String {
    format!(
        "<bundle xmlns='{TWO}'><spk id='1'>{}</spk><spks>{}</spks><ik>{}</ik><prekeys>{pks}</prekeys></bundle>",
        b64(&[spk; 32]),
        b64(&[7; 64]),
        b64(ik)
    )
}

fn bundle_of(from: &str, device: u32, bundle: &str) -> String {
    format!(
        "<message from='{from}'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{TWO}:bundles'><item id='{device}'>{bundle}</item></items></event></message>"
    )
}

/// A field of protobuf: bytes (wire type 2).
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(content.len()).expect("short enough for one byte")], content].concat()
}

fn varint(number: u8, value: u8) -> Vec<u8> {
    assert!(value < 128);
    vec![number << 3, value]
}

/// OMEMOAuthenticatedMessage with this counter.
fn message(counter: u8) -> Vec<u8> {
    let inner = [varint(1, counter), varint(2, 0), bytes(3, &[9; 32]), bytes(4, &[0; 16])].concat();
    [bytes(1, &[0; 16]), bytes(2, &inner)].concat()
}

/// OMEMOKeyExchange.
fn exchange(prekey: Option<u8>, counter: u8) -> Vec<u8> {
    let id = prekey.map(|id| varint(1, id)).unwrap_or_default();
    [id, varint(2, 1), bytes(3, &IK), bytes(4, &[3; 32]), bytes(5, &message(counter))].concat()
}

fn key(rid: u32, content: &[u8], kex: bool) -> String {
    format!("<key rid='{rid}'{}>{}</key>", if kex { " kex='true'" } else { "" }, b64(content))
}

fn encrypted(sid: u32, keys: &str, payload: bool) -> String {
    let payload = if payload { "<payload>AAAA</payload>" } else { "" };
    format!("<encrypted xmlns='{TWO}'><header sid='{sid}'>{keys}</header>{payload}</encrypted>")
}

const AROUND: &str = "<store xmlns='urn:xmpp:hints'/><encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>";

/// From our device 5 to Bob's device 8, or with other keys.
fn from_us(keys: &str, payload: bool) -> String {
    let keys = format!("<keys jid='bob@x'>{keys}</keys>");
    format!("<message to='bob@x' from='alice@x/r' type='chat'>{}{AROUND}</message>", encrypted(5, &keys, payload))
}

fn from_bob(content: &[u8], kex: bool, payload: bool) -> String {
    let keys = format!("<keys jid='alice@x'>{}</keys>", key(5, content, kex));
    format!("<message from='bob@x/r' to='alice@x/r' type='chat' id='m'>{}{AROUND}</message>", encrypted(8, &keys, payload))
}

fn hello() -> Step {
    Out(from_us(&key(8, &message(0), false), true))
}

/// The account of the example store.
fn account() -> Account {
    let store = store::open(Path::new("fixtures/example/gajim"), &OpenOptions::default()).expect("the example store opens");
    store.accounts.into_iter().next().expect("an account")
}

// Devices and labels.

#[test]
fn device_ids() {
    both("DEV-1", &[In(list("bob@x", &devices(&[0])))], &[In(list("bob@x", &devices(&[1])))]);
    both("DEV-1", &[In(list("bob@x", &devices(&[0x8000_0000])))], &[In(list("bob@x", &devices(&[0x7fff_ffff])))]);
    both(
        "DEV-2",
        &[In(bundle_of("bob@x", 8, &bundle(&IK, 1, ""))), In(bundle_of("bob@x", 8, &bundle(&OTHER_IK, 1, "")))],
        &[In(bundle_of("bob@x", 8, &bundle(&IK, 1, ""))), In(bundle_of("bob@x", 9, &bundle(&OTHER_IK, 1, "")))],
    );
}

#[test]
fn own_device_on_the_own_list() {
    both("DEV-3", &[hello(), In(list("alice@x", &devices(&[6])))], &[hello(), In(list("alice@x", &devices(&[6, 5])))]);
    let again =
        Out(publish(&format!("{TWO}:devices"), "current", &format!("<devices xmlns='{TWO}'>{}</devices>", devices(&[6, 5])), ""));
    both("DEV-3", &[hello(), In(list("alice@x", &devices(&[6])))], &[hello(), In(list("alice@x", &devices(&[6]))), again]);
    let off = || Out(publish(&format!("{TWO}:devices"), "current", &format!("<devices xmlns='{TWO}'/>"), ""));
    let removed = Out(format!(
        "<iq type='set' id='r'><pubsub xmlns='http://jabber.org/protocol/pubsub'><retract node='{TWO}:bundles'><item id='5'/></retract></pubsub></iq>"
    ));
    both("DEV-7", &[hello(), off()], &[hello(), off(), removed]);
}

#[test]
fn list_nodes() {
    both("DEV-4", &[In(listed("bob@x", "1", &devices(&[8])))], &[In(listed("bob@x", "current", &devices(&[8])))]);
    let two = list("bob@x", &devices(&[8])).replace("</items>", "<item id='current'/></items>");
    both("DEV-4", &[In(two)], &[In(list("bob@x", &devices(&[8])))]);
    let options = |field: &str, value: &str| {
        let options = format!(
            "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='{field}'><value>{value}</value></field></x></publish-options>"
        );
        [Out(publish(&format!("{TWO}:bundles"), "5", &bundle(&IK, 1, ""), &options))]
    };
    both("DEV-5", &options("pubsub#access_model", "presence"), &options("pubsub#access_model", "open"));
    both("DEV-5", &options("pubsub#max_items", "1"), &options("pubsub#max_items", "max"));
    both(
        "DEV-6",
        &[In(list("bob@x", &devices(&[7]))), In(from_bob(&message(0), false, true))],
        &[In(list("bob@x", &devices(&[7]))), In(from_bob(&message(0), false, true)), In(list("bob@x", &devices(&[7, 8])))],
    );
}

#[test]
fn labels() {
    let text = std::fs::read_to_string("fixtures/vectors/labels.json").expect("the fixture is in the repository");
    let data: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let valid = &data["labels"][0];
    let ik: [u8; 32] =
        hex::decode(valid["identity_key_ed25519"].as_str().expect("hex")).expect("hex").try_into().expect("32 bytes");
    let labelled = |label: &str, attributes: &str| {
        let device = format!("<device id='8' label='{label}'{attributes}/>");
        [In(bundle_of("bob@x", 8, &bundle(&ik, 1, ""))), In(list("bob@x", &device))]
    };
    let label = valid["label"].as_str().expect("text");
    let signed = format!(" labelsig='{}'", valid["labelsig"].as_str().expect("text"));
    both("LBL-1", &labelled(label, ""), &labelled(label, &signed));
    both("LBL-1", &labelled("another label", &signed), &labelled(label, &signed));
    both("LBL-2", &labelled(&"x".repeat(54), ""), &labelled(&"x".repeat(53), ""));
}

// Bundles.

#[test]
fn bundle_content() {
    let text = std::fs::read_to_string("fixtures/vectors/stanzas.json").expect("the fixture is in the repository");
    let data: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for case in data["cases"].as_array().expect("cases") {
        let xml = case["bundles"][0]["xml"].as_str().expect("text");
        let other = case["bundles"][1]["xml"].as_str().expect("text");
        let signature = |xml: &str| {
            xml.split('<').find(|p| p.starts_with("spks>") || p.starts_with("signedPreKeySignature>")).map(str::to_owned)
        };
        let swapped = xml.replace(&signature(xml).expect("signed"), &signature(other).expect("signed"));
        both("BND-1", &[In(swapped)], &[In(xml.to_owned())]);
    }
    both("BND-1", &[In(bundle(&IK, 1, "").replace("spks>", "x>"))], &[In(format!("<list xmlns='{LEGACY}'/>"))]);
    let of = |pks: &str| [In(bundle_of("bob@x", 8, &bundle(&IK, 1, pks)))];
    both("BND-2", &of(&pks(1..25)), &of(&pks(1..26)));
    both("BND-3", &of(&pks(0..30)), &of(&pks(1..31)));
    both("BND-3", &of(&(pks(1..30) + &pks(7..8))), &of(&pks(1..30)));
}

#[test]
fn bundles_over_time() {
    let of = |spk| In(bundle_of("bob@x", 8, &bundle(&IK, spk, "")));
    both("BND-4", &[of(1), Days(40), of(1)], &[of(1), Days(20), of(1), Days(20), of(2)]);
    let out = |pks: &str| Out(publish(&format!("{TWO}:bundles"), "5", &bundle(&IK, 1, pks), ""));
    both(
        "BND-6",
        &[hello(), out(&pks(1..26)), In(from_bob(&exchange(Some(3), 0), true, true)), out(&pks(1..26))],
        &[hello(), out(&pks(1..26)), In(from_bob(&exchange(Some(3), 0), true, true)), out(&pks(4..30))],
    );
}

#[test]
fn bundle_against_the_store() {
    let account = account();
    let identity = account.identity.as_ref().expect("an identity").public.curve().to_signal();
    let signed = account.signed_prekeys.last().expect("a signed prekey").pair.public.to_signal();
    let legacy = |signed: &[u8], first: &[u8]| {
        let keys: String = account
            .prekeys
            .iter()
            .take(25)
            .enumerate()
            .map(|(i, k)| {
                let public = k.pair.public.to_signal();
                let public = if i == 0 { first } else { &public[..] };
                format!("<preKeyPublic preKeyId='{}'>{}</preKeyPublic>", k.id, b64(public))
            })
            .collect();
        let bundle = format!(
            "<bundle xmlns='{LEGACY}'><signedPreKeyPublic signedPreKeyId='1'>{}</signedPreKeyPublic><signedPreKeySignature>{}</signedPreKeySignature><identityKey>{}</identityKey><prekeys>{keys}</prekeys></bundle>",
            b64(signed),
            b64(&[0; 64]),
            b64(&identity)
        );
        Out(publish(&format!("{LEGACY}.bundles:{}", account.own_device_id.expect("an id")), "current", &bundle, ""))
    };
    let first = account.prekeys.first().expect("a prekey").pair.public.to_signal();
    let mut strange = [8; 33];
    strange[0] = 5;
    let accounts = [account.clone()];
    with_store("BND-7", &[legacy(&strange, &first)], &[legacy(&signed, &first)], &accounts);
    with_store("BND-7", &[legacy(&signed, &strange)], &[legacy(&signed, &first)], &accounts);
    with_store("BND-5", &[legacy(&strange, &first), legacy(&signed, &first)], &[legacy(&signed, &first)], &accounts);
    let made = account.signed_prekeys.iter().filter_map(|k| k.created.as_ref()?.instant).max().expect("the store knows when");
    let days = made.as_second() / 86_400;
    let unrotated = [Days(days + 40), legacy(&signed, &first)];
    with_store("BND-4", &unrotated, &[Days(days + 20), legacy(&signed, &first)], &accounts);
}

// Sessions.

#[test]
fn sessions() {
    let begin = |payload| Out(from_us(&key(8, &exchange(Some(1), 0), true), payload));
    both("SES-1", &[begin(false)], &[begin(true)]);
    both("SES-1", &[begin(false)], &[hello(), In(from_bob(&message(0), false, true)), begin(false)]);
    both("SES-2", &[In(from_bob(&exchange(None, 0), true, true))], &[In(from_bob(&exchange(Some(1), 0), true, true))]);
    let theirs = |n| In(from_bob(&exchange(Some(1), n), true, true));
    both("SES-3", &[hello(), theirs(0), theirs(1)], &[hello(), theirs(0), theirs(1), hello()]);
    both("SES-3", &[hello(), theirs(0), theirs(1)], &[hello(), theirs(0)]);
    let failed = "DecryptionFailed: AuthenticationFailedException";
    let ordinary = || In(from_bob(&message(1), false, true));
    both("SES-6", &[hello(), ordinary(), Line(failed), begin(false)], &[hello(), ordinary(), begin(false)]);
    both("SES-6", &[hello(), ordinary(), Line(failed), begin(false)], &[hello(), ordinary(), Line("NoSession"), begin(false)]);
    let far = |n| In(from_bob(&message(n), false, true));
    both("SES-7", &[hello(), far(53)], &[hello(), far(52)]);
    both("SES-7", &[hello(), far(53)], &[hello(), far(53), Out(from_us(&key(8, &message(0), false), false))]);
}

// Messages.

#[test]
fn whom_it_is_for() {
    let for_itself = from_us(&key(8, &message(0), false), true)
        .replace("</header>", &format!("<keys jid='alice@x'>{}</keys></header>", key(5, &message(0), false)));
    both("MSG-1", &[Out(for_itself.clone())], &[Out(for_itself.replace("rid='5'", "rid='6'"))]);
    both("MSG-1", &[In(list("bob@x", &devices(&[8, 9]))), hello()], &[In(list("bob@x", &devices(&[8]))), hello()]);
    both(
        "MSG-2",
        &[Out(from_us(&key(8, &message(0), false), true).replace("jid='bob@x'", "jid='bob@x/r'"))],
        &[Out(from_us(&key(8, &message(0), false), true))],
    );
    let bare = |xml: &str| xml.replace(AROUND, "<store xmlns='urn:xmpp:hints'/>");
    let xml = from_us(&key(8, &message(0), false), true);
    both("MSG-3", &[Out(bare(&xml))], &[Out(xml.clone())]);
    both("MSG-3", &[Out(xml.replace("<store xmlns='urn:xmpp:hints'/>", ""))], &[Out(xml.clone())]);
    both("MSG-4", &[Out(xml.replace("header", "head"))], &[Out(xml.clone())]);
    both("MSG-4", &[Out(xml.replace(" sid='5'", ""))], &[Out(xml)]);
}

#[test]
fn what_trust_says() {
    let mut account = account();
    let device = account.devices.iter_mut().find(|d| d.device_id.is_some()).expect("a device");
    let (jid, id) = (device.jid.clone(), device.device_id.expect("an id"));
    let own = account.own_device_id.expect("an id");
    let from = account.jid.clone().expect("an address");
    let text = |rid: u32| {
        let header = format!("<header sid='{own}'><key rid='{rid}'>AAAA</key><iv>AAAAAAAAAAAAAAAA</iv></header>");
        let element = format!("<encrypted xmlns='{LEGACY}'>{header}<payload>AAAA</payload></encrypted>");
        Out(format!("<message from='{from}/r' to='{jid}' type='chat'>{element}{AROUND}</message>"))
    };
    let listed = || {
        In(format!(
            "<message from='{jid}'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{LEGACY}.devicelist'><item id='current'><list xmlns='{LEGACY}'><device id='{id}'/></list></item></items></event></message>"
        ))
    };
    let with_trust = |level: TrustLevel| {
        let mut account = account.clone();
        account.devices.iter_mut().filter(|d| d.jid == jid && d.device_id == Some(id)).for_each(|d| d.trust.level = level);
        [account]
    };
    let undecided = with_trust(TrustLevel::Undecided);
    with_store("SES-9", &[text(id)], &[text(id.wrapping_add(1))], &undecided);
    assert!(!broken(&[text(id)], &with_trust(TrustLevel::Trusted)).contains("SES-9"));
    let trusted = with_trust(TrustLevel::Trusted);
    with_store("MSG-1", &[listed(), text(1)], &[listed(), text(id)], &trusted);
    let strict = |accounts: &[Account]| {
        run(&[listed(), text(1)], accounts).iter().any(|b| b.rule.id == "MSG-1" && b.rule.level == rules::Level::Must)
    };
    assert!(strict(&trusted), "a trusted device without key is a broken MUST");
    assert!(!broken(&[listed(), text(1)], &with_trust(TrustLevel::Untrusted)).contains("MSG-1"), "it is right to leave it out");
}

// Envelopes.

#[test]
fn envelopes() {
    let context = EnvelopeContext { from: Some("bob@x"), to: Some("alice@x"), room: None, time: None };
    let room = EnvelopeContext { room: Some("room@y"), ..context };
    let ids = |xml: &str, context: &EnvelopeContext<'_>| -> BTreeSet<&'static str> {
        match Envelope::parse(xml.as_bytes(), Namespace::Omemo2) {
            Ok(envelope) => envelope.check(context).iter().map(|f| envelope::rule(f).id).collect(),
            Err(finding) => [envelope::rule(&finding).id].into(),
        }
    };
    let good = "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>a</body></content><rpad>x</rpad><from jid='bob@x'/><to jid='room@y'/><time stamp='2026-01-01T00:00:00Z'/></envelope>";
    assert_eq!(ids(good, &room), BTreeSet::new());
    for (id, from, to) in [
        ("SCE-1", "urn:xmpp:sce:1", "urn:xmpp:sce:7"),
        ("SCE-2", "<rpad>x</rpad>", ""),
        ("SCE-3", "<from jid='bob@x'/>", ""),
        ("SCE-3", "jid='bob@x'", "jid='bob@x/r'"),
        ("SCE-4", "jid='bob@x'", "jid='carol@x'"),
        ("SCE-5", "<to jid='room@y'/>", ""),
        ("SCE-5", "jid='room@y'", "jid='other@y'"),
        ("SCE-6", "2026-01-01T00:00:00Z", "yesterday"),
        ("SCE-7", " xmlns='jabber:client'", ""),
        ("SCE-7", "<content>", "<content><store xmlns='urn:xmpp:hints'/>"),
    ] {
        assert_eq!(ids(&good.replace(from, to), &room), [id].into(), "{from} becomes {to}");
    }
    let open = |inner: &str| In(format!("<message from='bob@x/r' to='alice@x/r'>{inner}</message>"));
    both("SCE-8", &[open(good)], &[open("<body>a</body>")]);
    let text = from_bob(&message(0), false, true);
    both("SCE-9", &[In(text.replace("<store", "<body>I sent you an OMEMO message</body><store"))], &[In(text)]);
}

// Rooms.

fn in_room(keys: &str) -> Step {
    let element = encrypted(5, keys, true);
    Out(format!("<message from='alice@x/r' to='room@y' type='groupchat'>{element}{AROUND}</message>"))
}

fn for_bob() -> String {
    format!("<keys jid='bob@x'>{}</keys>", key(8, &message(0), false))
}

#[test]
fn rooms() {
    let disco = |features: &[&str]| {
        let features: String = features.iter().map(|f| format!("<feature var='{f}'/>")).collect();
        In(format!(
            "<iq type='result' from='room@y' id='d'><query xmlns='http://jabber.org/protocol/disco#info'>{features}</query></iq>"
        ))
    };
    both(
        "MUC-1",
        &[disco(&["muc_semianonymous", "muc_membersonly"]), in_room(&for_bob())],
        &[disco(&["muc_nonanonymous", "muc_membersonly"]), in_room(&for_bob())],
    );
    both("MUC-1", &[disco(&["muc_nonanonymous", "muc_open"]), in_room(&for_bob())], &[disco(&["muc_semianonymous", "muc_open"])]);
    let presence = |jid: &str| {
        In(format!(
            "<presence from='room@y/bob'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member'{jid}/></x></presence>"
        ))
    };
    both("MUC-1", &[presence(""), in_room(&for_bob())], &[presence(" jid='bob@x/r'"), in_room(&for_bob())]);
    let members = |carol: &str| {
        In(format!(
            "<iq type='result' from='room@y' id='l'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='member' jid='bob@x'/><item affiliation='{carol}' jid='carol@x'/></query></iq>"
        ))
    };
    let carol = || In(list("carol@x", &devices(&[3])));
    both("MUC-2", &[carol(), members("admin"), in_room(&for_bob())], &[carol(), members("outcast"), in_room(&for_bob())]);
    let for_both = format!("{}<keys jid='carol@x'>{}</keys>", for_bob(), key(3, &message(0), false));
    both("MUC-2", &[carol(), members("admin"), in_room(&for_bob())], &[carol(), members("admin"), in_room(&for_both)]);
    let asked = |to: &str| {
        Out(format!(
            "<iq type='get' to='{to}' id='q'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{TWO}:devices'/></pubsub></iq>"
        ))
    };
    both("MUC-3", &[asked("room@y/bob"), in_room(&for_bob())], &[asked("bob@x"), in_room(&for_bob())]);
    both("MSG-2", &[in_room(&for_bob().replace("bob@x", "room@y"))], &[in_room(&for_bob())]);
}

// The whole.

#[test]
fn repeated_breaches_are_told_once() {
    let bad = || In(list("bob@x", &devices(&[0])));
    let found = run(&[bad(), bad(), bad()], &[]);
    let told: Vec<_> = found.iter().filter(|b| b.rule.id == "DEV-1").collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].times, told[0].position().map(|p| p.line)), (3, Some(1)));
}

/// A rule that nobody tests would be a promise; its case stands in this file.
#[test]
fn every_rule_is_tested() {
    let source = include_str!("rules.rs");
    for rule in rules::all() {
        assert!(source.contains(&format!("\"{}\"", rule.id)), "{} has no test", rule.id);
        assert!(rule.says.ends_with('.') && !rule.variants.is_empty(), "{}", rule.id);
    }
}

/// What real clients write when nothing is wrong breaks no MUST.
#[test]
fn healthy_logs_stay_quiet() {
    use omemoscope::input::capture::Capture;
    use omemoscope::model::CaptureEvent;
    let mut read = 0;
    for file in std::fs::read_dir("fixtures/captures").expect("the fixtures are there") {
        let path = file.expect("readable").path();
        let mut book = RuleBook::new(None, None);
        let mut unwrapper = Unwrapper::default();
        let capture = Capture::open(&path).expect("a capture");
        let result = capture.read(&mut |_| {}, &mut |event| match event {
            CaptureEvent::Stanza(stanza) => {
                book.take_stanza(&stanza);
                for item in unwrapper.items(&stanza) {
                    read += 1;
                    book.take(&item);
                }
            }
            CaptureEvent::ClientLine(line) => book.take_line(&line),
        });
        result.expect("readable to its end");
        let broken: Vec<_> = book.finish(&[]).into_iter().filter(|b| b.rule.level == rules::Level::Must).collect();
        assert!(broken.is_empty(), "{}: {broken:?}", path.display());
    }
    assert!(read > 50, "only {read} elements were read");
}
