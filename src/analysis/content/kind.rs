//! Decrypted elements in a few words, by kind.

use crate::omemo::stanza::opt_out::OptOut;
use crate::omemo::xml::Element;

/// Longest value of an element that goes into the words.
const LONGEST: usize = 200;

/// What an element is; `None` if its kind is not known here.
pub(super) fn of(element: &Element) -> Option<String> {
    if let Some(opt_out) = OptOut::from_element(element) {
        return Some(self::opt_out(&opt_out));
    }
    let id = || quoted(element.attribute("id").unwrap_or_default());
    Some(match (element.namespace.as_str(), element.name.as_str()) {
        ("urn:xmpp:chat-markers:0", "markable") => "chat marker: asks whether it is read (XEP-0333)".into(),
        ("urn:xmpp:chat-markers:0", name) => format!("chat marker: {} message {} (XEP-0333)", short(name), id()),
        ("urn:xmpp:receipts", "request") => "asks for a receipt (XEP-0184)".into(),
        ("urn:xmpp:receipts", "received") => format!("receipt for message {} (XEP-0184)", id()),
        ("http://jabber.org/protocol/chatstates", name) => format!("chat state: {} (XEP-0085)", short(name)),
        ("urn:xmpp:reactions:0", "reactions") => {
            let all: Vec<String> = element.elements().filter(|e| e.name == "reaction").map(|e| short(&e.text())).collect();
            let what = if all.is_empty() { "none any more".into() } else { all.join(" ") };
            format!("reaction to message {}: {what} (XEP-0444)", id())
        }
        ("urn:xmpp:message-correct:0", "replace") => format!("correction of message {} (XEP-0308)", id()),
        ("urn:xmpp:message-retract:0" | "urn:xmpp:message-retract:1", "retract") => {
            format!("takes message {} back (XEP-0424)", id())
        }
        ("urn:xmpp:reply:0", "reply") => format!("answer to message {} (XEP-0461)", id()),
        ("urn:xmpp:fallback:0", "fallback") => "marks a part of the text as a stand-in (XEP-0428)".into(),
        ("urn:xmpp:sfs:0", "file-sharing") => format!("file: {} (XEP-0447)", file(element)),
        ("urn:xmpp:esfs:0", "encrypted") => format!("encrypted file: {} (XEP-0448)", file(element)),
        ("urn:xmpp:reference:0", "reference") if has(element, "media-sharing") => format!("file: {} (XEP-0385)", file(element)),
        ("urn:xmpp:reference:0", "reference") => "mentions somebody or something (XEP-0372)".into(),
        ("jabber:x:oob", "x") => {
            let url = element.elements().find(|e| e.name == "url").map(Element::text).unwrap_or_default();
            format!("link to a file: {} (XEP-0066)", short(&url))
        }
        ("urn:xmpp:tm:1" | "urn:xmpp:tm:0", "trust-message") => {
            "trust message: tells which keys are to be trusted (XEP-0434)".into()
        }
        ("urn:xmpp:sid:0", "origin-id") => format!("origin id {} (XEP-0359)", id()),
        ("urn:xmpp:thread:1" | "jabber:client" | "", "thread") => format!("thread {}", quoted(&element.text())),
        ("urn:xmpp:jingle-message:0", name) => format!("call: {} (XEP-0353)", short(name)),
        _ => return None,
    })
}

/// The opt-out in plain words, with what the client must do now.
fn opt_out(opt_out: &OptOut) -> String {
    let reason = opt_out.reason.as_deref().map(str::trim).filter(|r| !r.is_empty());
    let reason = reason.map_or_else(|| "no reason is given".into(), |r| format!("the reason: {}", quoted(r)));
    format!("opt-out: the sender asks for messages without encryption from now on; {reason}")
}

fn has(element: &Element, name: &str) -> bool {
    element.descendants().any(|e| e.name == name)
}

/// Name, type and size of a shared file.
fn file(element: &Element) -> String {
    let field = |name: &str| element.descendants().find(|e| e.name == name).map(Element::text).filter(|t| !t.trim().is_empty());
    let size = field("size").map(|s| format!("{} bytes", s.trim()));
    let all: Vec<String> = [field("name"), field("media-type"), size].into_iter().flatten().map(|t| short(&t)).collect();
    if all.is_empty() { "without a description".into() } else { all.join(", ") }
}

fn quoted(text: &str) -> String {
    format!("\u{201c}{}\u{201d}", short(text))
}

fn short(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['\u{2026}']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(xml: &str) -> Option<String> {
        of(&Element::parse(xml).expect("well-formed"))
    }

    #[test]
    fn kinds() {
        for (xml, words) in [
            ("<displayed xmlns='urn:xmpp:chat-markers:0' id='a'/>", "displayed message \u{201c}a\u{201d}"),
            ("<reactions xmlns='urn:xmpp:reactions:0' id='a'><reaction>\u{1f44b}</reaction></reactions>", "\u{1f44b}"),
            ("<reactions xmlns='urn:xmpp:reactions:0' id='a'/>", "none any more"),
            ("<replace xmlns='urn:xmpp:message-correct:0' id='a'/>", "correction of message \u{201c}a\u{201d}"),
            (
                "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><media-type>image/png</media-type><name>a.png</name><size>9</size></file></file-sharing>",
                "a.png, image/png, 9 bytes",
            ),
            ("<opt-out xmlns='urn:xmpp:omemo:2'><reason>new phone</reason></opt-out>", "the reason: \u{201c}new phone\u{201d}"),
            ("<opt-out xmlns='urn:xmpp:omemo:2'/>", "no reason is given"),
        ] {
            assert!(says(xml).is_some_and(|s| s.contains(words)), "{xml}: {:?}", says(xml));
        }
        assert_eq!(says("<x xmlns='urn:example:unknown'/>"), None);
    }
}
