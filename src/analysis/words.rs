//! The words that the explanations use, for a reader who does not know OMEMO.

use crate::input::store::FORMATS;
use crate::model::Remedies;

/// The word that asks for this list.
pub const TOPIC: &str = "words";

/// A few words on the list.
pub const TITLE: &str = "the words that the explanations use";

/// Each word and what it means.
const WORDS: &[(&str, &str)] = &[
    ("this device", "the phone or computer whose client could not read the message, even if you run omemoscope somewhere else."),
    ("your client", "the chat program on this device. It holds your keys."),
    ("the sender", "the other person of a message; sometimes yourself, on another device of yours."),
    ("verdict, code", "what omemoscope says about one message, and the word for it, as in `no-session`."),
    (
        "fine cause",
        "a word behind the slash of a code. It says more exactly what happened, as in `not-addressed/bundle-missing`.",
    ),
    ("finding", "a verdict that is not about one message, but about a device, a list or the whole store."),
    (
        "proven, likely, possible",
        "how sure a verdict is. Proven: nothing else fits. Likely: this fits best. Possible: other causes fit as well.",
    ),
    (
        "show the text",
        "`omemoscope decrypt --store STORE LOG` shows the text of each message that it can open. STORE is the copy of your \
         store, LOG is the log that holds the message.",
    ),
    (
        "session",
        "what two devices remember of each other to encrypt. Each pair of devices has its own session, and both ends must \
         stay in step.",
    ),
    (
        "end and restart the session",
        "throw away the session with one device of the other person, and write to them: that begins a new one. Do it on one \
         side only. What you have read stays. Few clients have a command for it: see below. If your client has none, ask \
         the other person to do it in theirs. If theirs has none either, one of you makes new OMEMO keys. Conversations, \
         Monal, Siskin, Beagle and Prose mostly begin a new session by themselves when a message does not fit. Gajim, Dino, \
         Profanity, Kaidan, Converse, Psi, Pidgin/Finch (lurch) and programs with python-omemo do not.",
    ),
    (
        "make new OMEMO keys",
        "begin again as a new device. Mostly this is the last resort. Read your waiting messages first: those not yet read \
         are lost. All contacts must compare your fingerprint anew. Afterwards take the old device off your device list. \
         How some clients do it: see below. `omemoscope stores` says where the files lie that it names.",
    ),
    ("identity key, fingerprint", "the lasting key of a device, and the row of digits and letters in which clients show it."),
    (
        "compare fingerprints",
        "call the other person or meet them; do not do it in the same chat. Let them read out the fingerprint that their \
         client shows for their own device. The one that your client shows for that device must be the same, sign by sign. \
         Spaces, dashes and capital letters do not matter. Kaidan, and Converse with OMEMO 2, show another row for the same \
         key than other clients: where your client is one of them, `omemoscope devices -v` shows both rows.",
    ),
    (
        "trust a device",
        "tell your client that the device is the right person's. Compare the fingerprint first. Most clients let you trust \
         a device where they show its fingerprint: in the contact's details, in the menu of the chat or in their OMEMO \
         settings. Profanity has commands for it, and Poezio asks you.",
    ),
    ("device id", "the number by which clients tell devices apart."),
    (
        "device list",
        "what an account publishes on its server: the device ids of its devices. Others write only to devices on this list. \
         Most clients put their device on the list when they start.",
    ),
    (
        "take a device off the list",
        "some clients can remove a device of yours, or clear the whole list (\"clear devices\"). If you cleared the list, \
         start the client on each device that you use: it puts its device on the list again. Messages written before that \
         are lost on it.",
    ),
    (
        "store",
        "the file or folder in which your client keeps its keys. Whoever has it may be able to read your messages: give it \
         to nobody else.",
    ),
    (
        "the sender's store (--peer)",
        "a copy of the store of the device that sent a message. You have it only where that device is yours, too: do not \
         ask others for theirs.",
    ),
    (
        "copy (of the store)",
        "the duplicate of the store that you gave to omemoscope. Your client goes on and the copy does not, so it is out of \
         date after a while.",
    ),
    (
        "copy the store",
        "`omemoscope stores` says where the store lies on a computer. Close the client. Copy the file or folder, and with \
         it the files beside it whose names begin the same and end in -wal, -shm or -journal. If in doubt, copy the whole \
         folder. In Conversations, make a backup in the app instead: omemoscope opens it with the password of your account.",
    ),
    (
        "profile",
        "all files of a client for one user: settings, keys and messages. If a copied profile runs on two machines, both \
         act as one device, and messages get lost.",
    ),
    (
        "log, capture",
        "what a client or a server wrote down of the messages as they went over the wire. Logs can be cut or changed, so \
         suspect them first.",
    ),
    (
        "another log",
        "a log of the same message that was written somewhere else, for example by another client of yours or by the \
         server. If you have none, leave this step out.",
    ),
    (
        "part for your device",
        "beside the encrypted text of a message stands one small part for each device that may read it. Your client opens \
         the part for your device, and with it the text.",
    ),
    (
        "key exchange, prekey",
        "the message that begins a session, and the keys that a device publishes for it: one-time prekeys for one use each, \
         and a signed prekey that lasts longer.",
    ),
    ("bundle", "the keys that a device publishes on the server, so that others can begin a session with it."),
    (
        "signature",
        "a mark that only the owner of a key can make and that everybody can check. A wrong one shows that something was \
         changed, or that it is somebody else's.",
    ),
    (
        "variant",
        "one of the kinds of OMEMO that do not understand each other: the old one (legacy, \
         `eu.siacs.conversations.axolotl`) and OMEMO 2 (`urn:xmpp:omemo:2`).",
    ),
    (
        "group chat",
        "a chat of several people, also called a room. For OMEMO it must show its members' addresses to each other \
         (non-anonymous).",
    ),
    (
        "carbon, archive",
        "two ways in which a message comes a second time: because another device of yours sent or received it, or from the \
         server's memory.",
    ),
    ("fallback text", "the sentence that a client writes beside the encrypted text, for programs that cannot decrypt it."),
    (
        "ratchet, chain, counter",
        "how a session makes a new key for each message. An answer turns the ratchet and begins a new chain; the counter \
         numbers the messages of a chain.",
    ),
    ("stanza, payload", "one message in the form in which it goes over the wire (XML), and the encrypted text in it."),
];

/// What one of the words means, and the word as the list has it.
pub fn meaning(word: &str) -> Option<(&'static str, &'static str)> {
    let bare = |word: &str| {
        let word = word.to_lowercase();
        let word = word.split(" (").next().unwrap_or_default();
        let article = ["the ", "your ", "this "].iter().find_map(|article| word.strip_prefix(article));
        article.unwrap_or(word).to_owned()
    };
    let is_it = |(words, _): &&(&str, &str)| bare(words) == bare(word) || words.split(", ").any(|one| bare(one) == bare(word));
    WORDS.iter().find(is_it).copied()
}

/// How a repair of this name is done, as far as it is known, as Markdown.
pub fn repair(word: &str) -> Option<String> {
    let (title, repair) = REPAIRS.iter().find(|(title, _)| title.eq_ignore_ascii_case(word))?;
    Some(list_of(title, *repair))
}

fn list_of(title: &str, repair: Repair) -> String {
    let mut list = format!("\n### {title}, where omemoscope knows how\n\n");
    let mut told: Vec<&str> = Vec::new();
    for says in FORMATS.iter().filter_map(|format| repair(&format.client.remedies)) {
        if !told.contains(&says) {
            told.push(says);
            list.push_str(&format!("- {says}.\n"));
        }
    }
    list
}

/// What the list says where a repair is done.
const REPAIRS: &[(&str, Repair)] = &[
    ("End and restart the session", |r| r.replace_session),
    ("Trust a device", |r| r.trust_device),
    ("Make new OMEMO keys", |r| r.reset),
];

/// One repair in a client's own words.
type Repair = fn(&Remedies) -> Option<&'static str>;

/// The list, as Markdown.
pub fn explanation() -> String {
    let mut page: String = WORDS.iter().map(|(word, says)| format!("- **{word}**: {says}\n")).collect();
    page.extend(REPAIRS.iter().map(|(title, repair)| list_of(title, *repair)));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repairs_of_all_clients_are_named_once() {
        let page = explanation();
        for remedies in FORMATS.iter().map(|format| format.client.remedies) {
            for says in [remedies.replace_session, remedies.trust_device, remedies.reset].into_iter().flatten() {
                assert_eq!(page.matches(says).count(), 1, "{says}");
                assert!(!says.ends_with('.') && says.starts_with(char::is_uppercase), "{says}");
            }
        }
    }
}
