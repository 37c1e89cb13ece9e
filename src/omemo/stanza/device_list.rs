//! Device lists: `<list>` (legacy) and `<devices>` (OMEMO 1 and 2).

use super::{Fault, MAX_ID, base64, number, shorten};
use crate::omemo::Namespace;
use crate::omemo::xml::Element;
use std::collections::HashSet;

/// Longest label that XEP-0384 advises, in Unicode code points.
const ADVISED_LABEL_LENGTH: usize = 53;

/// A device list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceList {
    /// The variant.
    pub namespace: Namespace,
    /// The devices in document order.
    pub devices: Vec<ListedDevice>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// One device on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// The id.
    pub id: u32,
    /// The label, if one is given (OMEMO 1 and 2).
    pub label: Option<String>,
    /// Its signature, decoded (OMEMO 2 since XEP-0384 0.9.0); empty if it is there but no base64.
    pub label_signature: Option<Vec<u8>>,
}

impl DeviceList {
    /// Reads the element; `None` if it is not a device list of a known variant. An id that is no number
    /// of 32 bits is left out; one outside 1..=2^31-1 is kept, both are named in `faults`.
    pub fn from_element(element: &Element) -> Option<Self> {
        let namespace = Namespace::from_uri(&element.namespace)?;
        if element.name != if namespace.is_legacy() { "list" } else { "devices" } {
            return None;
        }
        let mut this = Self { namespace, devices: Vec::new(), faults: Vec::new() };
        let mut seen = HashSet::new();
        for (index, device) in element.elements().filter(|e| e.is("device", namespace.uri())).enumerate() {
            this.device(device, &format!("device[{}]", index + 1), &mut seen);
        }
        Some(this)
    }

    fn device(&mut self, device: &Element, place: &str, seen: &mut HashSet<u32>) {
        let value = device.attribute("id").unwrap_or_default();
        let Some(id) = number(value).and_then(|id| u32::try_from(id).ok()) else {
            let says = format!("the id is \u{201c}{}\u{201d}, expected a number from 1 to {MAX_ID}", shorten(value));
            self.faults.push(Fault::odd(format!("{place}/@id"), says).breaks("DEV-1"));
            return;
        };
        if !(1..=MAX_ID).contains(&id) {
            self.faults
                .push(Fault::odd(format!("{place}/@id"), format!("the id is {id}, expected 1 to {MAX_ID}")).breaks("DEV-1"));
        }
        if !seen.insert(id) {
            self.faults.push(Fault::odd(format!("{place}/@id"), format!("device {id} is listed twice")));
        }
        let label = device.attribute("label").map(str::to_owned);
        if label.as_ref().is_some_and(|l| l.chars().count() > ADVISED_LABEL_LENGTH) {
            let says = format!("longer than the advised {ADVISED_LABEL_LENGTH} characters");
            self.faults.push(Fault::odd(format!("{place}/@label"), says).breaks("LBL-2"));
        }
        let label_signature = device.attribute("labelsig").map(|text| {
            let mut faults = Vec::new();
            let bytes = base64::decode(text, &format!("{place}/@labelsig"), &mut faults).unwrap_or_default();
            // A bad signature costs the label only, not the list.
            self.faults.extend(faults.into_iter().map(|f| Fault { fatal: false, ..f }));
            bytes
        });
        self.devices.push(ListedDevice { id, label, label_signature });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Option<DeviceList> {
        DeviceList::from_element(&Element::parse(xml).expect("well-formed"))
    }

    #[test]
    fn both_forms() {
        let legacy =
            read("<list xmlns='eu.siacs.conversations.axolotl'><device id='1'/><device id='2'/></list>").expect("a list");
        assert_eq!(legacy.devices.iter().map(|d| d.id).collect::<Vec<_>>(), [1, 2]);
        let two = read("<devices xmlns='urn:xmpp:omemo:2'><device id='1' label='a &amp; b' labelsig='AQI='/></devices>")
            .expect("a list");
        assert_eq!(two.devices, [ListedDevice { id: 1, label: Some("a & b".into()), label_signature: Some(vec![1, 2]) }]);
        assert!(read("<devices xmlns='eu.siacs.conversations.axolotl'/>").is_none());
        assert!(read("<devices xmlns='urn:xmpp:omemo:2'/>").is_some_and(|l| l.devices.is_empty() && l.faults.is_empty()));
    }

    #[test]
    fn odd_ids_are_named() {
        let list = read("<list xmlns='eu.siacs.conversations.axolotl'><device id='0'/><device id='-1'/><device/><device id='7'/><device id='7'/><device id='4294967295'/></list>").expect("a list");
        assert_eq!(list.devices.iter().map(|d| d.id).collect::<Vec<_>>(), [0, 7, 7, u32::MAX]);
        assert_eq!(list.faults.len(), 5);
        assert!(list.faults.iter().all(|f| !f.fatal));
    }

    #[test]
    fn bad_label_signature_is_kept_as_empty() {
        let list = read("<devices xmlns='urn:xmpp:omemo:2'><device id='1' label='a' labelsig='??'/></devices>").expect("a list");
        assert_eq!(list.devices[0].label_signature, Some(vec![]));
        assert_eq!(list.faults.len(), 1);
    }
}
