//! `<opt-out>`: the sender asks for plaintext from now on (XEP-0384, section 5.9).

/// The element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// `<reason>`, if given.
    pub reason: Option<String>,
}
