//! What a client's own log says about a message: a line that reports a failed decryption is evidence beside
//! the stanza, and it settles whether the client itself could read a message that a store copy cannot.

use crate::model::{ClientLine, Evidence, EvidenceKind};

/// How lines begin that report a failed decryption, by the clients' and libraries' sources. Only beginnings
/// count: a chat text that quotes such a line, in a log that holds chat texts, must not.
const FAILURES: &[&str] = &[
    // Gajim, omemo-dr and python-axolotl
    "No valid sessions",
    "No session for",
    "No such prekeyRecord",
    "No such signedprekeyrecord",
    "Unknown version",
    "Incomplete message",
    // Profanity, and libsignal-protocol-c through it
    "[OMEMO][RECV] cannot decrypt message",
    "[OMEMO][RECV] cannot deserialize message",
    "[OMEMO][SIGNAL] Message mac not verified",
    "[OMEMO][SIGNAL] No valid sessions",
    "[OMEMO][SIGNAL] No session for",
    "[OMEMO][STORE] SG_ERR_INVALID_KEY_ID",
    // Dino
    "Received OMEMO encrypted message that could not be decrypted",
    // QXmpp and Kaidan
    "Error decrypting message",
    "Received OMEMO stanza cannot be decrypted",
];

/// Longest quotation of a line.
const MAX_QUOTE: usize = 160;

/// Lines that are kept for one message.
pub const MAX_LINES: usize = 4;

/// Whether the line reports that a message could not be decrypted.
pub fn reports_failure(line: &ClientLine) -> bool {
    let text = said(&line.text);
    let of_dino = text.starts_with("Decrypting message from ") && text.contains(" failed: ");
    of_dino || FAILURES.iter().any(|failure| text.starts_with(failure))
}

/// The line as evidence.
pub fn evidence(line: &ClientLine) -> Evidence {
    let text = said(&line.text);
    let quote: String = text.chars().take(MAX_QUOTE).collect();
    let more = if quote.len() < text.len() { "…" } else { "" };
    Evidence {
        kind: EvidenceKind::ClientLog,
        place: line.position.to_string(),
        says: format!("{} itself says: {quote}{more}", line.client),
    }
}

/// The text without what loggers put before it: `(account) `, `prof: DBG: `.
fn said(text: &str) -> &str {
    let text = text.trim_start();
    if let Some(at) = text.find("[OMEMO]").filter(|at| *at <= 16) {
        return text.get(at..).unwrap_or(text);
    }
    let account = text.strip_prefix('(').and_then(|t| t.split_once(") ")).filter(|(account, _)| !account.contains(' '));
    account.map_or(text, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Position;
    use std::path::Path;

    fn line(text: &str) -> ClientLine {
        let position = Position { file: Path::new("gajim.log").into(), line: 7, byte: 70 };
        ClientLine { position, time: None, text: text.into(), client: "Gajim" }
    }

    #[test]
    fn failures_of_each_client() {
        for text in [
            "(grace@localhost) No valid sessionsBad Mac!",
            "prof: ERR: [OMEMO][RECV] cannot decrypt message key",
            "Decrypting message from a@b/7 failed: Error while decrypting message: SG_ERR_NO_SESSION",
        ] {
            assert!(reports_failure(&line(text)), "{text}");
        }
    }

    #[test]
    fn chat_texts_and_good_news_are_no_failures() {
        for text in [
            "(grace@localhost) Decrypted Message => No valid sessions",
            "(grace@localhost) Process message from peggy@localhost",
            "prof: DBG: [OMEMO][RECV] decrypting message with existing session",
            "Decrypting message from a@b/7",
        ] {
            assert!(!reports_failure(&line(text)), "{text}");
        }
    }

    #[test]
    fn quotations_are_short_and_placed() {
        let evidence = evidence(&line(&format!("(a@b) No valid sessions{}", "x".repeat(500))));
        assert_eq!(evidence.place, "gajim.log:7");
        assert!(evidence.says.starts_with("Gajim itself says: No valid sessions") && evidence.says.chars().count() < 200);
    }
}
