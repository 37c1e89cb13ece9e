//! `<opt-out>`: the sender asks for plaintext from now on (XEP-0384, "Opting out").

use crate::omemo::Namespace;
use crate::omemo::xml::Element;

/// The element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// `<reason>`, if given.
    pub reason: Option<String>,
}

impl OptOut {
    /// Reads the element; `None` if it is not `<opt-out>` of a variant that has it.
    pub fn from_element(element: &Element) -> Option<Self> {
        let namespace = Namespace::from_uri(&element.namespace).filter(|n| !n.is_legacy() && element.name == "opt-out")?;
        Some(Self { reason: element.child("reason", namespace.uri()).map(Element::text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_optional() {
        let read = |xml: &str| OptOut::from_element(&Element::parse(xml).expect("well-formed"));
        assert_eq!(read("<opt-out xmlns='urn:xmpp:omemo:2'/>"), Some(OptOut { reason: None }));
        assert_eq!(
            read("<opt-out xmlns='urn:xmpp:omemo:1'><reason>r</reason></opt-out>"),
            Some(OptOut { reason: Some("r".into()) })
        );
        assert_eq!(read("<opt-out xmlns='eu.siacs.conversations.axolotl'/>"), None);
    }
}
