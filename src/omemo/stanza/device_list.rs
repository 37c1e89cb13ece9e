//! Device lists: `<list>` (legacy) and `<devices>` (OMEMO 1 and 2).

use super::Fault;
use crate::omemo::Namespace;

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
    /// Its signature, decoded (OMEMO 2 since XEP-0384 0.9.0).
    pub label_signature: Option<Vec<u8>>,
}
