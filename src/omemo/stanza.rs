//! OMEMO's XML elements as types. Reading never fails as a whole: what is missing or wrong is kept as a
//! [`Fault`] beside what could be read, because the one who debugs needs both.

pub mod bundle;
pub mod device_list;
pub mod encrypted;
pub mod envelope;
pub mod opt_out;

/// Something in an element that its specification does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether a receiver cannot use the element because of it (otherwise it is only odd).
    pub fatal: bool,
    /// The part it concerns, like `header/key[2]/@rid`.
    pub place: String,
    /// What is wrong and what was expected, one sentence without full stop.
    pub says: String,
}

impl Fault {
    /// A fault that makes the element unusable.
    pub fn fatal(place: impl Into<String>, says: impl Into<String>) -> Self {
        Self { fatal: true, place: place.into(), says: says.into() }
    }

    /// A fault that receivers get over.
    pub fn odd(place: impl Into<String>, says: impl Into<String>) -> Self {
        Self { fatal: false, place: place.into(), says: says.into() }
    }
}
