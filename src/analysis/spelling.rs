//! Addresses that are the same and spelled differently.

/// What two spellings may have in common once it is done, and the words for it.
type Step = (fn(&str) -> String, &'static str);

/// How the spelling of an address in a store differs from the one in a stanza; `None` if it is another address
/// altogether. Whether a session belongs to a message the MAC tells, so this only has to find the words.
pub fn difference(stored: &str, stanza: &str) -> Option<&'static str> {
    const STEPS: &[Step] = &[
        (without_resource, "a resource was left in"),
        (str::to_lowercase, "upper-case and lower-case letters"),
        (unescape, "characters are escaped in one of them"),
        (decode_domain, "the domain stands in its ASCII form (xn--) in one of them"),
        (without_accented, "accents are separate characters in one of them"),
    ];
    let (mut stored, mut stanza) = (stored.trim().to_owned(), stanza.trim().to_owned());
    STEPS.iter().find_map(|(step, says)| {
        (stored, stanza) = (step(&stored), step(&stanza));
        (stored == stanza).then_some(*says)
    })
}

/// Whether an address is spelled as no server writes it: no client that prepares addresses keeps it so.
pub fn is_odd(stored: &str) -> bool {
    without_resource(stored).to_lowercase() != stored || unescape_percent(stored) != stored
}

fn without_resource(jid: &str) -> String {
    jid.split('/').next().unwrap_or_default().to_owned()
}

/// `\\20` (XEP-0106) and `%20`.
fn unescape(jid: &str) -> String {
    unescape_with(&unescape_percent(jid), '\\')
}

fn unescape_percent(jid: &str) -> String {
    unescape_with(jid, '%')
}

fn unescape_with(text: &str, mark: char) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, after) = rest.split_at(at);
        bytes.extend_from_slice(before.as_bytes());
        let code = after.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.zip(after.get(3..)) {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.extend_from_slice(mark.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after.get(mark.len_utf8()..).unwrap_or_default();
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A domain's labels in Unicode.
fn decode_domain(jid: &str) -> String {
    let (local, domain) = jid.rsplit_once('@').unwrap_or(("", jid));
    let label = |label: &str| label.strip_prefix("xn--").and_then(decode_label).unwrap_or_else(|| label.to_owned());
    let domain: Vec<String> = domain.split('.').map(label).collect();
    format!("{local}@{}", domain.join("."))
}

/// Longest label of a domain name (RFC 1035).
const MAX_LABEL: usize = 63;

/// Punycode (RFC 3492, section 6.2).
fn decode_label(label: &str) -> Option<String> {
    const BASE: u32 = 36;
    if label.len() > MAX_LABEL {
        return None;
    }
    let (basic, rest) = label.rsplit_once('-').unwrap_or(("", label));
    let mut output: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (128u32, 0u32, 72u32);
    let mut digits = rest.chars();
    while !digits.as_str().is_empty() {
        let (start, mut weight) = (i, 1u32);
        for k in (BASE..).step_by(BASE as usize) {
            // a to z are 0 to 25, 0 to 9 follow.
            let digit = match digits.next()?.to_digit(BASE)? {
                number @ 0..=9 => number + 26,
                letter => letter - 10,
            };
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let length = u32::try_from(output.len()).ok()? + 1;
        bias = adapt(i - start, length, start == 0);
        n = n.checked_add(i / length)?;
        i %= length;
        output.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(output.into_iter().collect())
}

/// RFC 3492, section 6.1.
fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

/// What is left without accented letters, whether they are one character or a letter and combining marks.
fn without_accented(jid: &str) -> String {
    let combining = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let mut left = String::with_capacity(jid.len());
    let mut letters = jid.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii() && !letters.peek().is_some_and(combining) {
            left.push(letter);
        } else {
            // One mark for each accented letter.
            left.push('\u{fffd}');
            while letters.next_if(combining).is_some() {}
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_is_named() {
        for (stored, stanza, says) in [
            ("bob@example.org/phone", "bob@example.org", "resource"),
            ("Bob@Example.org", "bob@example.org", "upper-case"),
            ("J\u{dc}RGEN@example.org", "j\u{fc}rgen@example.org", "upper-case"),
            ("bob%40home@example.org", "bob\\40home@example.org", "escaped"),
            ("d\\27artagnan@example.org", "d'artagnan@example.org", "escaped"),
            ("bob@xn--mller-kva.example", "bob@m\u{fc}ller.example", "ASCII form"),
            ("ju\u{308}rgen@example.org", "j\u{fc}rgen@example.org", "accents"),
        ] {
            assert!(difference(stored, stanza).is_some_and(|found| found.contains(says)), "{stored}");
            assert_eq!(difference(stored, stanza).is_some(), difference(stanza, stored).is_some());
        }
    }

    #[test]
    fn another_address_is_no_spelling() {
        for (stored, stanza) in [
            ("bob@example.org", "bob@example.com"),
            ("bob@example.org", "bobby@example.org"),
            ("room@muc.example.org/bob", "bob@example.org"),
            ("bob@xn--mller-kva.example", "bob@xn--mller-kvb.example"),
            ("", "bob@example.org"),
        ] {
            assert_eq!(difference(stored, stanza), None, "{stored} {stanza}");
        }
    }

    #[test]
    fn only_what_no_server_writes_is_odd() {
        assert!(is_odd("Bob@example.org") && is_odd("bob@example.org/phone") && is_odd("a%20b@example.org"));
        assert!(!is_odd("bob@example.org") && !is_odd("j\u{fc}rgen@m\u{fc}ller.example") && !is_odd("a\\20b@example.org"));
    }

    #[test]
    fn hostile_labels_end() {
        for label in ["", "-", "a-", "zzzzzzzzzzzzzzzzzzzz", "99999999999", "\u{fc}", &"a".repeat(100)] {
            let _ = decode_label(label);
        }
    }
}
