//! Findings to a view. Each command has one value here; text and JSON are two views of that value,
//! so neither can say what the other does not.

pub mod decrypt;
pub mod devices;
pub mod diagnose;
pub mod explain;
pub mod inspect;
pub mod json;
pub mod page;
pub mod rules;
pub mod safe;
pub mod sessions;
pub mod stanza;
pub mod stores;

mod joined_evidence;
mod message;
mod shared;
mod upgrade;

pub use page::{Line, Page};

/// A value that can be shown as text and as JSON.
pub trait View: serde::Serialize {
    /// The command's name, as in `omemoscope/<command>/1`.
    const COMMAND: &'static str;

    /// Writes it for a person.
    fn text(&self, page: &mut Page);
}

/// The calm answer to captures without OMEMO.
pub fn nothing_found(stanzas: usize) -> String {
    if stanzas == 0 {
        return "Nothing found: there is no XMPP stanza in the capture.".into();
    }
    format!("Nothing found: {} read, no OMEMO in {}.", shared::count(stanzas, "stanza"), if stanzas == 1 { "it" } else { "them" })
}
