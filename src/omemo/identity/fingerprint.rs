//! The fingerprint of an identity key, in every text form that clients show.

use super::IdentityKey;
use std::fmt;
use std::str::FromStr;

/// Hexadecimal digits of a fingerprint.
const DIGITS: usize = 64;
/// Digits of one group.
const GROUP: usize = 8;
/// Groups on one line, where a client breaks it.
const GROUPS_PER_LINE: usize = 4;

/// A fingerprint: the 32 bytes of the Curve25519 identity key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// How clients write a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FingerprintForm {
    /// 64 lower-case digits.
    Plain,
    /// Lower case, groups of eight with blanks: XEP-0384, Conversations, Converse.
    Grouped,
    /// Upper case, groups of eight with blanks: Monal.
    GroupedUpper,
    /// Lower case, groups of eight joined with dashes: Profanity.
    Dashed,
    /// Lower case, four groups a line: Dino.
    Lines,
    /// Upper case, four groups a line: Gajim.
    LinesUpper,
    /// 05 and 64 lower-case digits, as Conversations stores it.
    WithType,
}

/// Why a text is no fingerprint. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Neither 64 digits nor 66 that begin with 05.
    #[error("a fingerprint has 64 hexadecimal digits (or 66 beginning with 05), this has {0}")]
    Length(usize),
    /// Something that is neither a digit nor a separator.
    #[error("character {0} is no hexadecimal digit")]
    Character(usize),
    /// Digits that are no Ed25519 public key, though they were given as one.
    #[error("the digits are no Ed25519 public key")]
    NoEdwardsPoint,
}

impl Fingerprint {
    /// From the Curve25519 form.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Eight groups of eight lower-case digits with blanks between, as XEP-0384 advises.
    pub fn grouped(&self) -> String {
        self.form(FingerprintForm::Grouped)
    }

    /// The text in one of the forms.
    pub fn form(&self, form: FingerprintForm) -> String {
        let digits = match form {
            FingerprintForm::GroupedUpper | FingerprintForm::LinesUpper => hex::encode_upper(self.0),
            _ => hex::encode(self.0),
        };
        let (between, per_line) = match form {
            FingerprintForm::Plain => return digits,
            FingerprintForm::WithType => return format!("05{digits}"),
            FingerprintForm::Grouped | FingerprintForm::GroupedUpper => (' ', usize::MAX),
            FingerprintForm::Dashed => ('-', usize::MAX),
            FingerprintForm::Lines | FingerprintForm::LinesUpper => (' ', GROUPS_PER_LINE),
        };
        let mut text = String::with_capacity(DIGITS + DIGITS / GROUP);
        for (i, digit) in digits.chars().enumerate() {
            let group = i / GROUP;
            if i > 0 && i % GROUP == 0 {
                text.push(if group.is_multiple_of(per_line) { '\n' } else { between });
            }
            text.push(digit);
        }
        text
    }

    /// Reads any client's form of the Curve25519 form: any case, groups in any way (blanks, no-break
    /// spaces, line breaks, dashes, colons), with or without a leading 05.
    ///
    /// # Errors
    /// When there are other characters or another number of digits.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let digits = digits(text)?;
        let digits = match digits.len() {
            DIGITS => digits.as_str(),
            // Only with 66 digits is 05 the type byte; a bare fingerprint may begin with 05 too.
            _ if digits.len() == DIGITS + 2 => digits.strip_prefix("05").ok_or(FingerprintError::Length(digits.len()))?,
            other => return Err(FingerprintError::Length(other)),
        };
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| FingerprintError::Length(digits.len()))?;
        Ok(Self(bytes))
    }

    /// Reads the Ed25519 form of an identity key, which Kaidan shows in place of the usual one.
    ///
    /// # Errors
    /// As [`Fingerprint::parse`], or when the digits are no Ed25519 public key.
    pub fn parse_edwards(text: &str) -> Result<Self, FingerprintError> {
        let Self(bytes) = Self::parse(text)?;
        IdentityKey::from_edwards(bytes).map(|key| key.fingerprint()).ok_or(FingerprintError::NoEdwardsPoint)
    }
}

/// The hexadecimal digits of a text, in lower case, without separators.
fn digits(text: &str) -> Result<String, FingerprintError> {
    let mut digits = String::with_capacity(DIGITS + 2);
    for (i, character) in text.chars().enumerate() {
        match character {
            _ if character.is_ascii_hexdigit() => digits.push(character.to_ascii_lowercase()),
            _ if is_separator(character) => {}
            _ => return Err(FingerprintError::Character(i + 1)),
        }
    }
    Ok(digits)
}

/// White space of every kind (the no-break space is among it), dashes, colons, and the invisible
/// characters that copying from a chat adds.
fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | ':' | '\u{2010}'..='\u{2015}' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// 64 lower-case hex digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "05b0bfa1c438eb764125d1364982833569740561170ccb8b72806f9958a30f51";

    #[test]
    fn every_form_reads_back() {
        let fingerprint = Fingerprint::parse(PLAIN).unwrap();
        use FingerprintForm::*;
        for form in [Plain, Grouped, GroupedUpper, Dashed, Lines, LinesUpper, WithType] {
            assert_eq!(Fingerprint::parse(&fingerprint.form(form)), Ok(fingerprint), "{form:?}");
        }
        assert_eq!(fingerprint.to_string(), PLAIN);
    }

    #[test]
    fn separators_of_all_kinds_are_passed_over() {
        let odd = PLAIN.to_uppercase().replace("1C", "1\u{a0}\r\n\t:C").replace("33", "3\u{2013}3\u{200b}");
        assert_eq!(Fingerprint::parse(&format!(" {odd}\n")).unwrap().to_string(), PLAIN);
    }

    #[test]
    fn other_lengths_and_characters_are_refused() {
        assert_eq!(Fingerprint::parse(&PLAIN[1..]), Err(FingerprintError::Length(63)));
        assert_eq!(Fingerprint::parse(&format!("06{PLAIN}")), Err(FingerprintError::Length(66)));
        assert_eq!(Fingerprint::parse(""), Err(FingerprintError::Length(0)));
        assert_eq!(Fingerprint::parse(&PLAIN.replace('f', "g")), Err(FingerprintError::Character(6)));
    }
}
