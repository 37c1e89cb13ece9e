//! Text that speaks of OMEMO messages although none can be read from it: wrapped by a mail program, escaped by a form.

use crate::model::CapturedStanza;
use crate::omemo::Namespace;
use crate::omemo::namespace::is_unknown_version;
use memchr::memmem::Finder;

/// How the namespaces of all variants begin.
const NAMESPACES: [&str; 2] = ["eu.siacs.conversations.axolotl", "urn:xmpp:omemo:"];

/// Elements of these namespaces that are no messages.
const OTHERS: [&[u8]; 4] = [b"list", b"devices", b"bundle", b"opt-out"];

/// Counts messages that a text names, until one is read.
pub struct Hidden {
    finders: [Finder<'static>; 2],
    named: usize,
    read: bool,
}

impl Default for Hidden {
    fn default() -> Self {
        Self { finders: NAMESPACES.map(Finder::new), named: 0, read: false }
    }
}

impl Hidden {
    /// Looks at a piece of the text.
    pub fn look(&mut self, text: &[u8]) {
        if self.read {
            return;
        }
        for finder in &self.finders {
            let length = finder.needle().len();
            self.named += finder.find_iter(text).filter(|at| is_of_message(&text[..*at], &text[at + length..])).count();
        }
    }

    /// Looks at what was read.
    pub fn stanza(&mut self, stanza: &CapturedStanza) {
        let is_message = |uri: &str| Namespace::from_uri(uri).is_some() || is_unknown_version(uri);
        self.read = self.read || stanza.element.descendants().any(|e| e.name == "encrypted" && is_message(&e.namespace));
    }

    /// What to tell the user.
    pub fn says(&self) -> Option<String> {
        let times = match self.named {
            _ if self.read => return None,
            0 => return None,
            1 => "once".to_owned(),
            n => format!("{n} times"),
        };
        Some(format!(
            "the text names OMEMO messages {times}, but they are wrapped or escaped so that none can be read: give the log file itself"
        ))
    }
}

/// Whether a namespace between these texts is that of a message's element, however its quotes are written.
fn is_of_message(before: &[u8], after: &[u8]) -> bool {
    let after = after.strip_prefix(&after[..after.iter().take_while(|byte| byte.is_ascii_digit()).count()]).unwrap_or(after);
    if after.starts_with(b"}:encrypted") {
        return true;
    }
    let near = &before[before.len().saturating_sub(MAX_QUOTE)..];
    let Some(at) = memchr::memmem::rfind(near, b"xmlns=") else { return false };
    let name = before[..before.len() - near.len() + at].trim_ascii_end();
    // A quote, or the beginning of one: an entity, an escape, a typographic one.
    matches!(after.first(), Some(b'\'' | b'"' | b'&' | b'\\' | 0xe2)) && !OTHERS.iter().any(|other| name.ends_with(other))
}

/// Longest form of `xmlns=` and a quote.
const MAX_QUOTE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_named() {
        for (text, named) in [
            ("&lt;encrypted xmlns=&quot;eu.siacs.conversations.axolotl&quot;", 1),
            ("<encrypted xmlns=\\\"urn:xmpp:omemo:2\\\">", 1),
            ("ted xmlns='eu.siacs.conversations.axolotl'> <encrypted xmlns=3D'urn:xmpp:omemo:1'", 2),
            ("&lt;{eu.siacs.conversations.axolotl}:encrypted", 1),
            ("<list xmlns='eu.siacs.conversations.axolotl'>", 0),
            ("<feature var='eu.siacs.conversations.axolotl.devicelist+notify'/>", 0),
            ("<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>", 0),
        ] {
            let mut hidden = Hidden::default();
            hidden.look(text.as_bytes());
            assert_eq!(hidden.named, named, "{text}");
        }
    }
}
