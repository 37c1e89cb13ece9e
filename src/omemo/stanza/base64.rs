//! Base64 as clients really write it: wrapped, indented, sometimes without padding.

use super::{Fault, shorten};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const STRICT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new());
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The bytes; oddities and failure go to `faults`. White space is always allowed, as receivers do, but
/// inside the text it is reported.
pub(super) fn decode(text: &str, place: &str, faults: &mut Vec<Fault>) -> Option<Vec<u8>> {
    let trimmed = text.trim();
    let packed: String = trimmed.chars().filter(|c| !c.is_whitespace()).collect();
    if packed.len() != trimmed.len() {
        faults.push(Fault::odd(place, "white space inside the base64, which strict receivers refuse"));
    }
    if packed.is_empty() {
        faults.push(Fault::fatal(place, "empty, expected base64"));
        return None;
    }
    if let Ok(bytes) = STRICT.decode(&packed) {
        return Some(bytes);
    }
    if let Ok(bytes) = ANY_PADDING.decode(&packed) {
        faults.push(Fault::odd(place, "base64 with wrong padding or stray last bits"));
        return Some(bytes);
    }
    // Words with dashes between them are no base64 of any form.
    if packed.len() == trimmed.len()
        && let Ok(bytes) = URL_SAFE.decode(&packed)
    {
        faults.push(Fault::odd(place, "the URL-safe form of base64, expected the standard one"));
        return Some(bytes);
    }
    faults.push(Fault::fatal(place, format!("not base64: \u{201c}{}\u{201d}", shorten(trimmed))));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (Option<Vec<u8>>, Vec<bool>) {
        let mut faults = Vec::new();
        let bytes = decode(text, "p", &mut faults);
        (bytes, faults.iter().map(|f| f.fatal).collect())
    }

    #[test]
    fn forms() {
        assert_eq!(run(" AQIDBA==\n"), (Some(vec![1, 2, 3, 4]), vec![]));
        assert_eq!(run("AQID\n  BA=="), (Some(vec![1, 2, 3, 4]), vec![false]));
        assert_eq!(run("AQIDBA"), (Some(vec![1, 2, 3, 4]), vec![false]));
        assert_eq!(run("-_8="), (Some(vec![0xfb, 0xff]), vec![false]));
        assert_eq!(run("!!!"), (None, vec![true]));
        assert_eq!(run("-- WORDS ALONE --"), (None, vec![false, true]));
        assert_eq!(run(" "), (None, vec![true]));
    }
}
