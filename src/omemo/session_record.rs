//! Session, prekey and identity records as libraries store them -> [`crate::omemo::ratchet`] types.

pub mod javascript;
mod json;
pub mod libsignal;
pub mod python;

/// Something read, and what in it could not be read or contradicts itself.
#[derive(Clone, Debug)]
pub struct Parsed<T> {
    /// What was read.
    pub value: T,
    /// One sentence each, naming the field; never a key's bytes.
    pub problems: Vec<String>,
}

impl<T> Parsed<T> {
    /// Without problems.
    pub fn clean(value: T) -> Self {
        Self { value, problems: Vec::new() }
    }
}

/// Why a record could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are no protobuf, or no JSON, of the record's shape.
    #[error("{record}: {reason}")]
    Unreadable {
        /// Which record.
        record: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A field is missing or has another form.
    #[error("{field}: expected {expected}, found {found}")]
    Field {
        /// The field with its path, like `currentSession.rootKey`.
        field: String,
        /// What should be there.
        expected: &'static str,
        /// What is there: a length or a kind, never the value.
        found: String,
    },
    /// The record belongs to something else than OMEMO.
    #[error("{0}")]
    Foreign(String),
}

impl RecordError {
    /// A byte field of a wrong length, or none.
    pub(crate) fn bytes(field: impl Into<String>, expected: &'static str, found: Option<usize>) -> Self {
        let found = found.map_or_else(|| "nothing".into(), |length| format!("{length} bytes"));
        Self::Field { field: field.into(), expected, found }
    }
}
