//! JSON values together with the path to them, so that an error can name its place.

use crate::omemo::curve::{PrivateKey, PublicKey};
use crate::secret::{Secret, SecretBytes};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use serde_json::{Map, Value};
use std::fmt;
use zeroize::Zeroizing;

/// A JSON value that is not what the format says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {says}")]
pub struct ShapeError {
    /// Path in the value, like `double_ratchet.root_chain.key`.
    pub path: String,
    /// What is wrong and what was expected. Never quotes the value: it may be a key.
    pub says: String,
}

/// How a format writes bytes into JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteForm {
    /// One character (U+0000 to U+00FF) for each byte.
    Binary,
    /// Base64, standard alphabet.
    Base64,
    /// Base64 with `-` and `_`.
    Base64Url,
}

// Writers pad; a hand-made or cut copy may not. Reading both costs nothing.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

impl ByteForm {
    /// The bytes that a text stands for; `None` if it is not in this form.
    pub fn decode(self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Binary => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>(),
            Self::Base64 => STANDARD.decode(text.trim()).ok(),
            Self::Base64Url => URL_SAFE.decode(text.trim()).ok(),
        }
        .map(Zeroizing::new)
    }

    /// Standard base64 of public bytes, as id maps use it for their keys.
    pub fn encode_base64(bytes: &[u8]) -> String {
        general_purpose::STANDARD.encode(bytes)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Binary => "a text of one character per byte",
            Self::Base64 => "base64",
            Self::Base64Url => "URL-safe base64",
        }
    }
}

/// A value and the path to it.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    /// The root of a path.
    pub fn new(path: impl Into<String>, value: &'a Value) -> Self {
        Self { value, path: path.into() }
    }

    /// The value itself.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// An error about this value.
    pub fn error(&self, says: impl fmt::Display) -> ShapeError {
        ShapeError { path: self.path.clone(), says: says.to_string() }
    }

    fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// The members, if this is an object.
    pub fn object(&self) -> Result<&'a Map<String, Value>, ShapeError> {
        self.value.as_object().ok_or_else(|| self.error(format_args!("an object was expected, this is {}", self.kind())))
    }

    /// The elements, if this is a list.
    pub fn list(&self) -> Result<Vec<Node<'a>>, ShapeError> {
        let list = self.value.as_array();
        let list = list.ok_or_else(|| self.error(format_args!("a list was expected, this is {}", self.kind())))?;
        Ok(list.iter().enumerate().map(|(i, value)| Node { value, path: format!("{}[{i}]", self.path) }).collect())
    }

    /// A member that must be there.
    pub fn field(&self, name: &str) -> Result<Node<'a>, ShapeError> {
        let value = self.object()?.get(name);
        let path = format!("{}.{name}", self.path);
        match value {
            Some(value) => Ok(Node { value, path }),
            None => Err(ShapeError { path, says: "this field is missing".into() }),
        }
    }

    /// A member that may be absent or null.
    pub fn optional(&self, name: &str) -> Result<Option<Node<'a>>, ShapeError> {
        let value = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| Node { value, path: format!("{}.{name}", self.path) }))
    }

    /// A whole number; numbers with a fraction of zero count.
    pub fn integer(&self) -> Result<i64, ShapeError> {
        let number = self.value.as_i64().or_else(|| {
            // JavaScript and Python may write whole numbers as floats; beyond 2^53 they are no longer exact.
            self.value.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9_007_199_254_740_992.0).map(|f| f as i64)
        });
        number.ok_or_else(|| self.error(format_args!("a whole number was expected, this is {}", self.kind())))
    }

    /// A whole number from 0 to 2^32-1, also when it is written as a text of digits.
    pub fn u32(&self) -> Result<u32, ShapeError> {
        let text = self.value.as_str().and_then(|text| text.trim().parse().ok());
        let number = match text {
            Some(number) => number,
            None => self.integer()?,
        };
        u32::try_from(number).map_err(|_| self.error("a number from 0 to 4294967295 was expected"))
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str, ShapeError> {
        self.value.as_str().ok_or_else(|| self.error(format_args!("a text was expected, this is {}", self.kind())))
    }

    /// True or false.
    pub fn boolean(&self) -> Result<bool, ShapeError> {
        self.value.as_bool().ok_or_else(|| self.error(format_args!("true or false was expected, this is {}", self.kind())))
    }

    /// Bytes in the given form.
    pub fn bytes(&self, form: ByteForm) -> Result<Zeroizing<Vec<u8>>, ShapeError> {
        form.decode(self.text()?).ok_or_else(|| self.error(format_args!("{} was expected", form.name())))
    }

    /// Secret bytes of a fixed length.
    pub fn secret<const N: usize>(&self, form: ByteForm) -> Result<Secret<N>, ShapeError> {
        let bytes = self.bytes(form)?;
        Secret::from_slice(&bytes).ok_or_else(|| self.error(format_args!("{N} bytes were expected, there are {}", bytes.len())))
    }

    /// Secret bytes of any length.
    pub fn secret_bytes(&self, form: ByteForm) -> Result<SecretBytes, ShapeError> {
        self.bytes(form).map(|bytes| SecretBytes::new(bytes.to_vec()))
    }

    /// A private key of 32 bytes.
    pub fn private_key(&self, form: ByteForm) -> Result<PrivateKey, ShapeError> {
        let bytes = self.bytes(form)?;
        PrivateKey::from_bytes(&bytes)
            .ok_or_else(|| self.error(format_args!("a private key of 32 bytes was expected, there are {}", bytes.len())))
    }

    /// A Curve25519 public key with or without its type byte.
    pub fn public_key(&self, form: ByteForm) -> Result<PublicKey, ShapeError> {
        let bytes = self.bytes(form)?;
        PublicKey::from_bytes(&bytes)
            .ok_or_else(|| self.error(format_args!("a public key of 32 or 33 bytes was expected, there are {}", bytes.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_names_the_path_and_not_the_value() {
        let value = json!({"a": {"key": "\u{1}\u{2}"}});
        let node = Node::new("ratchet", &value);
        let key = node.field("a").and_then(|a| a.field("key"));
        let error = key.and_then(|key| key.secret::<32>(ByteForm::Binary)).expect_err("two bytes are no key");
        assert_eq!(error.to_string(), "ratchet.a.key: 32 bytes were expected, there are 2");
        assert_eq!(node.field("b").expect_err("absent").to_string(), "ratchet.b: this field is missing");
    }

    #[test]
    fn a_binary_text_has_no_character_above_ff() {
        assert_eq!(ByteForm::Binary.decode("\u{0}\u{ff}").map(|b| b.to_vec()), Some(vec![0, 255]));
        assert!(ByteForm::Binary.decode("\u{100}").is_none());
    }

    #[test]
    fn base64_may_lack_its_padding() {
        for text in ["+/8=", "+/8"] {
            assert_eq!(ByteForm::Base64.decode(text).map(|b| b.to_vec()), Some(vec![0xfb, 0xff]));
        }
        assert_eq!(ByteForm::Base64Url.decode("-_8=").map(|b| b.to_vec()), Some(vec![0xfb, 0xff]));
    }
}
