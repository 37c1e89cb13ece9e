//! Numbers in sentences.

/// The form of a word that fits the number.
pub fn verb(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}

/// `1 message`, `2 messages`.
pub fn number(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", verb(count, "", "s"))
}
