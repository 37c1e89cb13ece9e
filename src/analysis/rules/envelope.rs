//! Rules about the envelope (XEP-0420 and the OMEMO profile, XEP-0384 section 5.8). What is inside is only
//! known when a message is decrypted: see [`rule`].

use super::{Breaches, LATER, NEWEST, Rule, must, should, stanza_sighting};
use crate::analysis::book::Sighting;
use crate::model::CapturedStanza;
use crate::omemo::Namespace;
use crate::omemo::stanza::envelope::EnvelopeFinding;
use crate::omemo::xml::Element;

const SCE_1: Rule = must("SCE-1", LATER, "What is encrypted is an envelope of the variant's version.");
const SCE_2: Rule = must("SCE-2", LATER, "The envelope has random padding.");
const SCE_3: Rule = should("SCE-3", LATER, "The envelope names the sender by its bare address.");
const SCE_4: Rule = must("SCE-4", LATER, "The sender in the envelope is the one of the stanza.");
const SCE_5: Rule = must("SCE-5", LATER, "In a group chat the envelope names the room, and it is the right one.");
const SCE_6: Rule = must("SCE-6", LATER, "The time in the envelope is a date and near the time of the stanza.");
const SCE_7: Rule = must("SCE-7", LATER, "The envelope holds nothing that is for servers, and elements have their namespaces.");
const SCE_8: Rule = must("SCE-8", LATER, "An envelope is never sent unencrypted; a receiver drops it.");
const SCE_9: Rule = should("SCE-9", NEWEST, "An encrypted message has no body beside it.");

pub(super) const RULES: &[&Rule] = &[&SCE_1, &SCE_2, &SCE_3, &SCE_4, &SCE_5, &SCE_6, &SCE_7, &SCE_8, &SCE_9];

/// The rule that a decrypted envelope breaks.
pub fn rule(finding: &EnvelopeFinding) -> &'static Rule {
    match finding {
        EnvelopeFinding::Malformed(_) | EnvelopeFinding::OtherVersion => &SCE_1,
        EnvelopeFinding::RpadMissing => &SCE_2,
        EnvelopeFinding::FromMissing | EnvelopeFinding::FromNotBare(_) => &SCE_3,
        EnvelopeFinding::FromMismatch { .. } => &SCE_4,
        EnvelopeFinding::ToMissing | EnvelopeFinding::ToMismatch { .. } => &SCE_5,
        EnvelopeFinding::TimeMalformed(_) | EnvelopeFinding::TimeMismatch(_) => &SCE_6,
        EnvelopeFinding::ServerElementInside(_) | EnvelopeFinding::BodyWithoutNamespace => &SCE_7,
    }
}

/// What the stanza shows without decrypting.
pub(super) fn take_stanza(stanza: &CapturedStanza, breaches: &mut Breaches) {
    for message in stanza.element.descendants().filter(|e| e.name == "message") {
        let seen = Sighting { id: message.attribute("id").map(str::to_owned), ..stanza_sighting(stanza) };
        if message.child("envelope", "urn:xmpp:sce:1").is_some() || message.child("content", "urn:xmpp:sce:0").is_some() {
            breaches.note(&SCE_8, Namespace::Omemo2, "an envelope that is not encrypted", &seen);
        }
        let encrypted = message.elements().any(|e: &Element| e.is("encrypted", Namespace::Omemo2.uri()));
        let legacy = message.elements().any(|e| e.is("encrypted", Namespace::Legacy.uri()));
        if encrypted && !legacy && message.child("body", "jabber:client").is_some() {
            breaches.note(&SCE_9, Namespace::Omemo2, "a body stands beside the encrypted element", &seen);
        }
    }
}
