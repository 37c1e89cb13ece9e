//! Device lists and bundles.

use crate::common::{captured, diagnose};
use crate::conversation::{ALICE, BOB, our_bundle};
use crate::pairs::{Pair, finding_pair};
use crate::stanzas::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use omemoscope::analysis::investigation::Question;
use omemoscope::model::{BareJid, Code, Confidence, Diagnosis, Finding};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    // Five times back and forth, and once.
    finding_pair(
        Code::NotAddressed,
        "device-list-war",
        || lists(&[&[OURS, 8][..], &[OURS]].repeat(5)),
        || lists(&[&[OURS, 8], &[OURS], &[OURS, 8]]),
    ),
    finding_pair(
        Code::NotAddressed,
        "device-list-clobbered",
        || lists(&[&[OURS, 8], &[OURS]]),
        || lists(&[&[OURS, 8], &[OURS], &[OURS, 8]]),
    ),
    // One device of two took itself off: three were there before.
    finding_pair(
        Code::NotAddressed,
        "device-list-clobbered",
        || lists(&[&[OURS, 8, 12], &[OURS]]),
        || lists(&[&[OURS, 8, 12], &[OURS, 8]]),
    ),
    finding_pair(Code::NotAddressed, "devicelist-multi-item", || ours(&list_items(&[OURS], 2)), || ours(&list_items(&[OURS], 1))),
    finding_pair(Code::MalformedStanza, "id-out-of-range", || lists(&[&[OURS, 0]]), || lists(&[&[OURS, 1]])),
    finding_pair(Code::MalformedStanza, "id-out-of-range", || lists(&[&[OURS, 0x8000_0000]]), || lists(&[&[OURS, 0x7fff_ffff]])),
    finding_pair(Code::NotAddressed, "own-device-not-listed", || lists(&[&[8]]), || lists(&[&[8], &[8, OURS]])),
    finding_pair(
        Code::NotAddressed,
        "bundle-missing",
        || ours(&refused("eu.siacs.conversations.axolotl.bundles:12", "item-not-found")),
        || ours(&refused("eu.siacs.conversations.axolotl.devicelist", "item-not-found")),
    ),
    // What was denied first was there after all.
    finding_pair(
        Code::NotAddressed,
        "pep-access-denied",
        || ours(&refused("urn:xmpp:omemo:2:devices", "forbidden")),
        || ours(&[refused("urn:xmpp:omemo:2:devices", "forbidden"), list(&[OURS])].concat()),
    ),
    finding_pair(
        Code::NotAddressed,
        "publish-refused",
        || ours(&refused("urn:xmpp:omemo:2:devices", "precondition-not-met")),
        || ours(&[refused("urn:xmpp:omemo:2:devices", "precondition-not-met"), list(&[OURS])].concat()),
    ),
    // A list that came before the refusal is not the one that was refused.
    finding_pair(
        Code::NotAddressed,
        "publish-refused",
        || ours(&[list(&[OURS]), refused("urn:xmpp:omemo:2:devices", "precondition-not-met")].concat()),
        || ours(&refused("urn:xmpp:omemo:2:devices", "resource-constraint")),
    ),
    finding_pair(
        Code::NotAddressed,
        "bundle-unusable",
        || ours(&our_bundle(Namespace::Omemo2, &[])),
        || ours(&whole_bundle(BOB, OURS, false)),
    ),
    finding_pair(
        Code::BundleSignatureInvalid,
        "valid-but-refused",
        || converse(&[(ALICE, 21, true)]),
        || converse(&[(ALICE, 21, false)]),
    ),
    // The key with the sign bit is our own, which Converse does not check.
    finding_pair(
        Code::BundleSignatureInvalid,
        "valid-but-refused",
        || converse(&[(ALICE, 21, true)]),
        || converse(&[(BOB, OURS, true), (ALICE, 21, false)]),
    ),
];

fn ours(text: &str) -> Diagnosis {
    log_only(text, Some(OURS))
}

fn lists(states: &[&[u32]]) -> Diagnosis {
    ours(&states.iter().map(|ids| list(ids)).collect::<String>())
}

/// A rightly signed bundle of OMEMO 2; the sign bit of the identity key is set, or not.
pub fn whole_bundle(owner: &str, device: u32, sign: bool) -> String {
    let keys = (1..).map(|seed| SigningKey::from_bytes(&[seed; 32]));
    let key = keys.into_iter().find(|key| (key.verifying_key().as_bytes()[31] & 0x80 != 0) == sign).unwrap();
    let prekey = [9; 32];
    let b64 = |bytes: &[u8]| STANDARD.encode(bytes);
    format!(
        "<message xmlns='jabber:client' from='{owner}' to='{BOB}/b'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='urn:xmpp:omemo:2:bundles'><item id='{device}'><bundle xmlns='urn:xmpp:omemo:2'><spk id='1'>{}</spk>\
         <spks>{}</spks><ik>{}</ik><prekeys><pk id='1'>{}</pk></prekeys></bundle></item></items></event></message>\n",
        b64(&prekey),
        b64(&key.sign(&prekey).to_bytes()),
        b64(key.verifying_key().as_bytes()),
        b64(&[8; 32]),
    )
}

/// What Converse's console shows: bundles, and that one was refused.
fn converse(bundles: &[(&str, u32, bool)]) -> Diagnosis {
    let line = |bundle: &(&str, u32, bool)| {
        let colour = if bundle.0 == BOB { "darkcyan" } else { "darkgoldenrod" };
        format!("[debug] %c%s color: {colour} {}", whole_bundle(bundle.0, bundle.1, bundle.2))
    };
    let log: String = bundles.iter().map(line).chain(["[error] Error: Invalid signature\n".to_owned()]).collect();
    let file = captured(&log);
    diagnose(Question { account: BareJid::new(BOB), device: Some(OURS), ..Question::default() }, file.path())
}

/// Of several bundles with the sign bit it is the last one before the refusal.
#[test]
fn the_refused_bundle_is_the_one_that_came_last() {
    let told = |found: &Diagnosis| finding(found, "valid-but-refused").map(|f: &Finding| f.sentence.clone());
    let found = converse(&[(ALICE, 21, true), ("carol@example.org", 20, true)]);
    assert!(told(&found).is_some_and(|says| says.contains("device 20 of carol@")), "{:?}", told(&found));
    let found = converse(&[(ALICE, 21, true), ("carol@example.org", 20, false)]);
    assert!(told(&found).is_some_and(|says| says.contains("device 21 of alice@")), "{:?}", told(&found));
}

#[test]
fn a_list_that_shrank_is_told_as_possible() {
    let found = lists(&[&[OURS, 8], &[OURS]]);
    assert_eq!(finding(&found, "device-list-clobbered").map(|f| f.confidence), Some(Confidence::Possible));
}

#[test]
fn the_fallback_text_tells_who_sent_what_cannot_be_read() {
    let told = |body: &str| {
        let stanza = message("a", OURS, false, &[255]).replace("<encrypted", &format!("<body>{body}</body><encrypted"));
        let found = log_only(&stanza, Some(OURS));
        found.messages[0].evidence.iter().any(|e| e.says.contains("Dino or Monal"))
    };
    assert!(told("[This message is OMEMO encrypted]"));
    assert!(!told("See you at eight"));
}
