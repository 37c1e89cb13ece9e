//! Group chats.

use crate::conversation::{ALICE, BOB, Conversation, client};
use crate::pairs::{Pair, pair};
use crate::stanzas::{OURS, list, log_only, message, ratchet_message};
use omemoscope::model::{Code, Diagnosis};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    // The room hides the sender: no session fits, or the MAC finds one.
    pair(
        Code::WrongRecipientJid,
        "muc-sender-unknown",
        || hidden(Conversation::new(client("Dino"), Namespace::Legacy)),
        || hidden(Conversation::begun(client("Dino"), Namespace::Legacy)),
        (Code::EmptyMessage, None),
    ),
    // The room shows who it is: then the session is just missing.
    pair(
        Code::WrongRecipientJid,
        "muc-sender-unknown",
        || hidden(Conversation::new(client("Dino"), Namespace::Legacy)),
        || {
            let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
            conversation.heard(presence());
            hidden(conversation)
        },
        (Code::NoSession, None),
    ),
    // No device of ours is addressed, or another one is.
    pair(
        Code::NotAddressed,
        "muc-not-in-members",
        || in_room(&[OURS, 8], 99),
        || in_room(&[OURS, 8], 8),
        (Code::NotAddressed, None),
    ),
    // We have no other device that could have been left out as well.
    pair(
        Code::NotAddressed,
        "muc-not-in-members",
        || in_room(&[OURS, 8], 99),
        || in_room(&[OURS], 99),
        (Code::NotAddressed, None),
    ),
];

const ROOM: &str = "room@muc.example.org";

fn presence() -> String {
    format!(
        "<presence xmlns='jabber:client' from='{ROOM}/al' to='{BOB}/b'><x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='member' jid='{ALICE}/a'/></x></presence>\n"
    )
}

fn through_room(stanza: &str) -> String {
    stanza.replace(&format!("from='{ALICE}/a'"), &format!("from='{ROOM}/al'")).replace("type='chat'", "type='groupchat'")
}

fn hidden(mut conversation: Conversation) -> Diagnosis {
    let stanza = through_room(&conversation.stanza("a", &conversation.key(1)));
    conversation.heard(stanza).diagnose()
}

fn in_room(listed: &[u32], rid: u32) -> Diagnosis {
    let stanza = through_room(&message("a", rid, false, &ratchet_message(0, 1)));
    log_only(&[list(listed), presence(), stanza].concat(), Some(OURS))
}
