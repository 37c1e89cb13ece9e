//! `<encrypted>`: the message element of all variants (XEP-0384, "Sending a message").

use super::{Fault, base64, device_id, shorten};
use crate::omemo::Namespace;
use crate::omemo::xml::Element;
use std::collections::HashMap;

/// Length of the initialisation vector that AES-GCM is meant for and that all clients write today.
const USUAL_IV_LENGTH: usize = 12;
/// Length that old clients wrote.
const OLD_IV_LENGTH: usize = 16;

/// An `<encrypted>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The variant.
    pub namespace: Namespace,
    /// `sid`: the sender's device id; `None` when missing, 0 or no number of 32 bits (see `faults`). An id
    /// above 2^31-1 is kept and named in `faults`: some receivers refuse it.
    pub sid: Option<u32>,
    /// The `<key>` elements in document order.
    pub keys: Vec<KeyElement>,
    /// `<iv>` (legacy), decoded.
    pub iv: Option<Vec<u8>>,
    /// `<payload>`, decoded; `None` when there is none (an empty message), or when it could not be
    /// decoded (see `faults`).
    pub payload: Option<Vec<u8>>,
    /// There is a payload, but the log left out its text: `payload` is `None` without being empty.
    pub payload_left_out: bool,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// One `<key>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyElement {
    /// `jid` of the `<keys>` around it (not legacy).
    pub jid: Option<String>,
    /// `rid`: the receiving device's id; see [`Encrypted::sid`].
    pub rid: Option<u32>,
    /// `prekey` or `kex` is true.
    pub flagged: bool,
    /// The content, decoded; empty when it could not be (see `faults`).
    pub content: Vec<u8>,
}

impl Encrypted {
    /// Whether a receiver could use it.
    pub fn is_usable(&self) -> bool {
        !self.faults.iter().any(|f| f.fatal)
    }

    /// Reads the element; `None` if it is not `<encrypted>` of a known variant. The order of elements
    /// and their prefixes do not matter, elements nobody knows are passed over.
    pub fn from_element(element: &Element) -> Option<Self> {
        let namespace = Namespace::from_uri(&element.namespace).filter(|_| element.name == "encrypted")?;
        let uri = namespace.uri();
        let mut this =
            Self { namespace, sid: None, keys: Vec::new(), iv: None, payload: None, payload_left_out: false, faults: Vec::new() };
        let mut headers = element.elements().filter(|e| e.is("header", uri));
        match headers.next() {
            Some(header) => this.header(header),
            None => this.faults.push(Fault::fatal("header", "the header is missing").breaks("MSG-4")),
        }
        if headers.next().is_some() {
            this.faults.push(Fault::fatal("header", "there are several headers, expected one").breaks("MSG-4"));
        }
        if element.child("key", uri).is_some() || element.child("keys", uri).is_some() {
            this.faults.push(Fault::fatal("key", "keys stand outside the header").breaks("MSG-4"));
        }
        let mut payloads = element.elements().filter(|e| e.is("payload", uri));
        let payload = payloads.next();
        if payload.is_some_and(Element::is_left_out) {
            this.payload_left_out = true;
            this.faults.push(Fault::odd("payload", "the log left out the text of the payload"));
        } else if let Some(payload) = payload {
            this.payload = base64::decode(&payload.text(), "payload", &mut this.faults);
        }
        if payloads.next().is_some() {
            this.faults.push(Fault::fatal("payload", "there are several payloads, expected one").breaks("MSG-4"));
        }
        if namespace.is_legacy() && this.iv.is_none() && !this.faults.iter().any(|f| f.place == "header/iv") {
            this.faults.push(if payload.is_some() {
                Fault::fatal("header/iv", "the initialisation vector is missing, the payload cannot be read without it")
                    .breaks("MSG-4")
            } else {
                Fault::odd("header/iv", "the initialisation vector is missing")
            });
        }
        Some(this)
    }

    fn header(&mut self, header: &Element) {
        let uri = self.namespace.uri();
        self.sid = device_id(header.attribute("sid"), "sid", "header/@sid", &mut self.faults);
        if self.namespace.is_legacy() {
            self.initialisation_vector(header);
            for (index, key) in header.elements().filter(|e| e.is("key", uri)).enumerate() {
                self.key(key, None, &format!("header/key[{}]", index + 1));
            }
            if header.child("keys", uri).is_some() {
                self.faults.push(Fault::odd("header/keys", "a group of keys, which only later variants have"));
            }
        } else {
            self.groups(header);
            if header.child("iv", uri).is_some() {
                self.faults.push(Fault::odd("header/iv", "an initialisation vector, which this variant does not have"));
            }
        }
        if self.keys.is_empty() {
            self.faults.push(Fault::odd("header", "there is no key for any device"));
        }
        self.repeated_ids();
    }

    fn initialisation_vector(&mut self, header: &Element) {
        let mut vectors = header.elements().filter(|e| e.is("iv", self.namespace.uri()));
        let Some(first) = vectors.next() else { return };
        let several = vectors.next().is_some();
        self.iv = base64::decode(&first.text(), "header/iv", &mut self.faults);
        if several {
            self.faults.push(Fault::fatal("header/iv", "there are several initialisation vectors, expected one").breaks("MSG-4"));
        }
        match self.iv.as_ref().map(Vec::len) {
            None | Some(USUAL_IV_LENGTH) => {}
            Some(OLD_IV_LENGTH) => {
                self.faults.push(Fault::odd("header/iv", "16 bytes long, as old clients wrote it; some clients want 12 bytes"))
            }
            Some(other) => self.faults.push(Fault::odd("header/iv", format!("{other} bytes long, expected 12"))),
        }
    }

    /// `<keys jid>` groups of the variants after legacy.
    fn groups(&mut self, header: &Element) {
        let uri = self.namespace.uri();
        for (index, group) in header.elements().filter(|e| e.is("keys", uri)).enumerate() {
            let place = format!("header/keys[{}]", index + 1);
            let jid = group.attribute("jid").map(str::trim).filter(|j| !j.is_empty());
            if jid.is_none() {
                self.faults.push(
                    Fault::fatal(format!("{place}/@jid"), "jid is missing, nobody knows whose devices these are").breaks("MSG-2"),
                );
            }
            if jid.is_some_and(|j| j.contains('/')) {
                self.faults.push(Fault::odd(format!("{place}/@jid"), "jid has a resource, expected a bare JID").breaks("MSG-2"));
            }
            if group.child("key", uri).is_none() {
                self.faults.push(Fault::odd(&place, "the group has no keys"));
            }
            for (number, key) in group.elements().filter(|e| e.is("key", uri)).enumerate() {
                self.key(key, jid, &format!("{place}/key[{}]", number + 1));
            }
        }
        for (index, key) in header.elements().filter(|e| e.is("key", uri)).enumerate() {
            let place = format!("header/key[{}]", index + 1);
            self.faults.push(Fault::fatal(&place, "the key stands outside a group of keys").breaks("MSG-4"));
            self.key(key, None, &place);
        }
    }

    fn key(&mut self, key: &Element, jid: Option<&str>, place: &str) {
        let rid = device_id(key.attribute("rid"), "rid", &format!("{place}/@rid"), &mut self.faults);
        let flagged = self.flag(key, place);
        let content = if key.is_left_out() {
            self.faults.push(Fault::odd(place, "the log left out the text of the key"));
            Vec::new()
        } else {
            base64::decode(&key.text(), place, &mut self.faults).unwrap_or_default()
        };
        self.keys.push(KeyElement { jid: jid.map(str::to_owned), rid, flagged, content });
    }

    /// The key exchange flag under either name, as an XML boolean.
    fn flag(&mut self, key: &Element, place: &str) -> bool {
        let (right, wrong) = if self.namespace.is_legacy() { ("prekey", "kex") } else { ("kex", "prekey") };
        let mut flagged = false;
        for name in [right, wrong] {
            let Some(value) = key.attribute(name) else { continue };
            let place = format!("{place}/@{name}");
            if name == wrong {
                self.faults.push(Fault::odd(&place, format!("this variant calls the attribute {right}")));
            }
            match value.trim() {
                "true" => flagged = true,
                "1" => {
                    flagged = true;
                    self.faults.push(Fault::odd(place, "\u{201c}1\u{201d}, which some receivers do not take for true"));
                }
                "false" | "0" => {}
                other => {
                    self.faults.push(Fault::odd(place, format!("\u{201c}{}\u{201d}, expected true or false", shorten(other))))
                }
            }
        }
        flagged
    }

    /// The same id twice. The legacy header has no addresses, so two accounts may share one; Kaidan
    /// (0.12) writes several keys for a device it holds several sessions with. Receivers try each.
    fn repeated_ids(&mut self) {
        let mut seen = HashMap::new();
        for key in &self.keys {
            let Some(rid) = key.rid else { continue };
            let times: &mut usize = seen.entry((rid, key.jid.as_deref())).or_default();
            *times += 1;
            if *times != 2 {
                continue;
            }
            self.faults.push(if self.namespace.is_legacy() {
                Fault::odd("header/key/@rid", format!("device {rid} has several keys; two accounts may share the id"))
            } else {
                Fault::odd("header/keys/key/@rid", format!("device {rid} has several keys under one address"))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Encrypted {
        Encrypted::from_element(&Element::parse(xml).expect("well-formed")).expect("an encrypted element")
    }

    fn faults(xml: &str) -> Vec<(bool, String)> {
        read(xml).faults.into_iter().map(|f| (f.fatal, f.place)).collect()
    }

    fn legacy(header: &str, payload: &str) -> String {
        format!("<encrypted xmlns='eu.siacs.conversations.axolotl'>{header}{payload}</encrypted>")
    }

    const IV: &str = "<iv>AAAAAAAAAAAAAAAA</iv>";

    #[test]
    fn legacy_message() {
        let e = read(&legacy(
            &format!("<header sid='1'><key rid='2' prekey='true'>AQI=</key><key rid='3'>\n AwQ=\n</key>{IV}</header>"),
            "<payload>BQY=</payload>",
        ));
        assert_eq!(e.faults, []);
        assert!(e.is_usable());
        assert_eq!((e.sid, e.iv.as_ref().map(Vec::len), e.payload.as_deref()), (Some(1), Some(12), Some(&[5, 6][..])));
        let keys: Vec<_> = e.keys.iter().map(|k| (k.rid, k.flagged, k.content.as_slice())).collect();
        assert_eq!(keys, [(Some(2), true, &[1, 2][..]), (Some(3), false, &[3, 4][..])]);
    }

    #[test]
    fn order_and_prefixes_do_not_matter() {
        let e = read(&format!(
            "<o:encrypted xmlns:o='eu.siacs.conversations.axolotl'><o:payload>BQY=</o:payload><x xmlns='y'/><o:header sid='1'>{}<o:key rid='2'>AQI=</o:key></o:header></o:encrypted>",
            IV.replace("iv>", "o:iv>")
        ));
        assert_eq!((e.faults.len(), e.keys.len(), e.payload.is_some()), (0, 1, true));
    }

    #[test]
    fn omemo_2_message() {
        let e = read(
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@b'><key rid='2' kex='1'>AQI=</key></keys><keys jid='c@d'><key rid='2' prekey='true'>AQI=</key></keys></header></encrypted>",
        );
        assert!(e.is_usable());
        assert!(e.payload.is_none());
        assert_eq!(e.keys[1].jid.as_deref(), Some("c@d"));
        assert!(e.keys.iter().all(|k| k.flagged));
        assert_eq!(e.faults.len(), 2, "the odd flags are named: {:?}", e.faults);
    }

    #[test]
    fn what_is_fatal() {
        let fatal = |xml: &str| faults(xml).into_iter().filter(|f| f.0).map(|f| f.1).collect::<Vec<_>>();
        assert_eq!(fatal(&legacy("", "<payload>AQI=</payload>")), ["header", "header/iv"]);
        assert_eq!(fatal(&legacy("<header sid='1'><key rid='2'>AQI=</key></header>", "<payload>AQI=</payload>")), ["header/iv"]);
        assert_eq!(fatal(&legacy("<header sid='1'><key rid='2'>AQI=</key></header>", "")), [""; 0]);
        assert_eq!(fatal(&legacy(&format!("<header sid='1'><key rid='2'>AQI=</key>{IV}{IV}</header>"), "")), ["header/iv"]);
        for sid in ["", " sid=''", " sid='x'", " sid='0'", " sid='-1'", " sid='99999999999999999999'", " sid='+1'"] {
            assert_eq!(
                fatal(&legacy(&format!("<header{sid}><key rid='2'>AQI=</key>{IV}</header>"), "")),
                ["header/@sid"],
                "{sid}"
            );
        }
        assert_eq!(
            fatal(&legacy(&format!("<header sid='1'><key rid='x'>!!</key>{IV}</header>"), "")),
            ["header/key[1]/@rid", "header/key[1]"]
        );
        let two = |inner: &str| format!("<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'>{inner}</header></encrypted>");
        assert_eq!(fatal(&two("<keys><key rid='2'>AQI=</key></keys>")), ["header/keys[1]/@jid"]);
        assert_eq!(fatal(&two("<key rid='2'>AQI=</key>")), ["header/key[1]"]);
    }

    #[test]
    fn what_is_odd() {
        assert_eq!(
            faults(&legacy(&format!("<header sid='1'><key rid='2'>AQI=</key><key rid='2'>AQI=</key>{IV}</header>"), "")),
            [(false, "header/key/@rid".into())]
        );
        let two = "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@b'><key rid='2'>AQI=</key><key rid='2'>AQI=</key></keys></header></encrypted>";
        assert_eq!(faults(two), [(false, "header/keys/key/@rid".into())]);
        let high = legacy(&format!("<header sid='2147483648'><key rid='4294967295'>AQI=</key>{IV}</header>"), "");
        assert_eq!(read(&high).sid, Some(2_147_483_648));
        assert_eq!(faults(&high), [(false, "header/@sid".into()), (false, "header/key[1]/@rid".into())]);
        let long = "<iv>AAAAAAAAAAAAAAAAAAAAAA==</iv>";
        assert_eq!(
            faults(&legacy(&format!("<header sid='1'><key rid='2'>AQI=</key>{long}</header>"), "")),
            [(false, "header/iv".into())]
        );
    }

    #[test]
    fn other_elements_are_none() {
        for xml in ["<encrypted xmlns='urn:xmpp:omemo:9'/>", "<encrypted/>", "<list xmlns='urn:xmpp:omemo:2'/>"] {
            assert_eq!(Encrypted::from_element(&Element::parse(xml).expect("well-formed")), None, "{xml}");
        }
    }
}
