//! OMEMO's XML elements as types. Reading never fails as a whole: what is missing or wrong is kept as a
//! [`Fault`] beside what could be read, because the one who debugs needs both.

mod base64;
pub mod bundle;
pub mod device_list;
pub mod encrypted;
pub mod envelope;
pub mod opt_out;

/// The highest device or prekey id that XEP-0384 (0.7.0 and later) allows. Receivers that read ids as
/// signed 32-bit numbers throw away whole stanzas with higher ones.
pub const MAX_ID: u32 = 0x7fff_ffff;

/// Something in an element that its specification does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether a receiver cannot use the element because of it (otherwise it is only odd).
    pub fatal: bool,
    /// The part it concerns, like `header/key[2]/@rid`.
    pub place: String,
    /// What is wrong and what was expected, one sentence without full stop.
    pub says: String,
    /// The rule of the specification that it breaks, by the id that `analysis::rules` gives it.
    pub rule: Option<&'static str>,
}

impl Fault {
    /// The same fault as the breach of a rule.
    #[must_use]
    pub fn breaks(self, rule: &'static str) -> Self {
        Self { rule: Some(rule), ..self }
    }

    /// A fault that makes the element unusable.
    pub fn fatal(place: impl Into<String>, says: impl Into<String>) -> Self {
        Self { fatal: true, place: place.into(), says: says.into(), rule: None }
    }

    /// A fault that receivers get over.
    pub fn odd(place: impl Into<String>, says: impl Into<String>) -> Self {
        Self { fatal: false, place: place.into(), says: says.into(), rule: None }
    }
}

/// A decimal number without sign, white space around it allowed (XML Schema `unsignedInt`), and within it: no client writes
/// it there, but mail programs break lines anywhere.
fn number(text: &str) -> Option<u64> {
    let digits: String = text.split_ascii_whitespace().collect();
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// A device id from an attribute. Receivers differ above 2^31-1: Conversations and Dino read signed
/// numbers and throw the stanza away, Siskin and others read unsigned ones; such an id is kept and odd.
fn device_id(value: Option<&str>, name: &str, place: &str, faults: &mut Vec<Fault>) -> Option<u32> {
    let Some(value) = value else {
        faults.push(Fault::fatal(place, format!("{name} is missing")).breaks("MSG-4"));
        return None;
    };
    let Some(id) = number(value) else {
        faults.push(
            Fault::fatal(place, format!("{name} is \u{201c}{}\u{201d}, expected a number", shorten(value))).breaks("DEV-1"),
        );
        return None;
    };
    let says = format!("{name} is {id}, expected 1 to {MAX_ID}");
    match u32::try_from(id) {
        Ok(id) if (1..=MAX_ID).contains(&id) => Some(id),
        Ok(id) if id > MAX_ID => {
            faults.push(Fault::odd(place, says).breaks("DEV-1"));
            Some(id)
        }
        _ => {
            faults.push(Fault::fatal(place, says).breaks("DEV-1"));
            None
        }
    }
}

/// A stranger's text, short enough for a sentence.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['\u{2026}']).collect() }
}
