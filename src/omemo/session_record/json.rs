//! Fields of the JSON records, with errors that name them.

use super::RecordError;
use crate::omemo::curve::PublicKey;
use crate::secret::{Secret, SecretBytes};
use serde_json::Value;

/// One byte per character, U+0000 to U+00FF; `None` if a character is beyond.
pub fn latin1(text: &str) -> Option<SecretBytes> {
    // As many bytes as characters at most: no growth that would leave copies behind.
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(text.len()));
    for character in text.chars() {
        bytes.push(u8::try_from(u32::from(character)).ok()?);
    }
    Some(SecretBytes::new(std::mem::take(&mut *bytes)))
}

/// A value with its path, for errors that name it.
pub(super) struct Field<'a> {
    pub path: String,
    pub value: Option<&'a Value>,
}

impl<'a> Field<'a> {
    pub fn field(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), value: self.value.and_then(|value| value.get(name)) }
    }

    pub fn is_null(&self) -> bool {
        self.value.is_none_or(Value::is_null)
    }

    pub fn object(self) -> Result<Self, RecordError> {
        if self.value.is_some_and(Value::is_object) { Ok(self) } else { Err(self.error("an object")) }
    }

    pub fn array(&self) -> Result<Vec<Self>, RecordError> {
        match self.value {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items
                .iter()
                .enumerate()
                .map(|(i, value)| Self { path: format!("{}[{i}]", self.path), value: Some(value) })
                .collect()),
            Some(_) => Err(self.error("an array")),
        }
    }

    pub fn latin1(&self) -> Result<SecretBytes, RecordError> {
        const EXPECTED: &str = "a string with one character (U+0000 to U+00FF) per byte";
        self.value.and_then(Value::as_str).and_then(latin1).ok_or_else(|| self.error(EXPECTED))
    }

    pub fn secret(&self) -> Result<Secret<32>, RecordError> {
        Secret::from_slice(self.latin1()?.expose()).ok_or_else(|| self.error("32 bytes"))
    }

    pub fn public_key(&self) -> Result<PublicKey, RecordError> {
        PublicKey::from_bytes(self.latin1()?.expose()).ok_or_else(|| self.error("32 bytes"))
    }

    /// A counter or length; null is `None`.
    pub fn count(&self) -> Result<Option<u32>, RecordError> {
        match self.value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().and_then(|number| u32::try_from(number).ok()) {
                Some(number) => Ok(Some(number)),
                None => Err(self.error("a number from 0 to 4294967295")),
            },
        }
    }

    pub fn error(&self, expected: &'static str) -> RecordError {
        let found = match self.value {
            None => "nothing".into(),
            Some(Value::Null) => "null".into(),
            Some(Value::Bool(_)) => "true or false".into(),
            Some(Value::Number(number)) => format!("the number {number}"),
            Some(Value::String(text)) => format!("a string of {} characters", text.chars().count()),
            Some(Value::Array(items)) => format!("an array of {}", items.len()),
            Some(Value::Object(_)) => "an object".into(),
        };
        RecordError::Field { field: self.path.clone(), expected, found }
    }
}
