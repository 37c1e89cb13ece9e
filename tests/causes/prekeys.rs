//! Key exchanges and the prekeys that they name.

use crate::conversation::{Conversation, client, our_bundle};
use crate::pairs::{Pair, pair};
use crate::simulation::pair as key_pair;
use omemoscope::model::{Code, Diagnosis};
use omemoscope::omemo::Namespace;

pub const PAIRS: &[Pair] = &[
    // Two exchanges with one prekey, and one exchange that comes twice.
    pair(
        Code::PrekeyMissing,
        "prekey-consumed",
        || {
            named(5, |c| {
                let other = Conversation { alice: other_session(5), ..Conversation::new(client("Dino"), Namespace::Legacy) };
                let stanza = other.stanza("earlier", &other.exchange_key(0));
                c.heard(stanza);
            })
        },
        || {
            named(5, |c| {
                c.begins("earlier", 0);
            })
        },
        (Code::PrekeyMissing, None),
    ),
    pair(
        Code::PrekeyMissing,
        "store-older-than-bundle",
        || named(101, |_| {}),
        || named(100, |_| {}),
        (Code::PrekeyMissing, None),
    ),
    // Our newest bundle still offers the prekey, or no longer.
    pair(
        Code::PrekeyMissing,
        "bundle-stale-on-server",
        || named(50, |c| offer(c, &[50, 51])),
        || {
            named(50, |c| {
                offer(c, &[50, 51]);
                offer(c, &[51]);
            })
        },
        (Code::PrekeyMissing, None),
    ),
    // The bundle that the sender drew from was renewed after the message: it is not stale.
    pair(
        Code::PrekeyMissing,
        "bundle-stale-on-server",
        || named(50, |c| offer(c, &[50, 51])),
        || {
            let mut c = exchange(50);
            offer(&mut c, &[50, 51]);
            c.begins("a", 0);
            offer(&mut c, &[51]);
            c.diagnose()
        },
        (Code::PrekeyMissing, None),
    ),
    pair(Code::PrekeyMissing, "id-0", || named(0, |_| {}), || named(1, |_| {}), (Code::PrekeyMissing, None)),
    // The prekey is held, but the exchange was made for another key of the same id.
    pair(
        Code::MacMismatch,
        "prekey-id-reused",
        || reused(|c| c.heard(our_bundle(Namespace::Legacy, &[(2, key_pair(6).public)])).diagnose()),
        || reused(|c| c.heard(our_bundle(Namespace::Legacy, &[(2, key_pair(50).public)])).diagnose()),
        (Code::MacMismatch, None),
    ),
    pair(
        Code::MalformedMessage,
        "kex-without-prekey",
        || without_prekey("Gajim"),
        || without_prekey("Dino"),
        (Code::EmptyMessage, None),
    ),
    // Gajim believes the attribute, lurch looks at the bytes.
    pair(Code::MalformedMessage, "kex-flag", || unflagged("Gajim"), || unflagged("lurch"), (Code::EmptyMessage, None)),
];

/// A key exchange with prekey 2 under another id.
fn exchange(id: u32) -> Conversation {
    let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
    conversation.alice.exchange.prekey_id = Some(id);
    conversation
}

/// What is said of it, after what came before.
fn named(id: u32, before: impl Fn(&mut Conversation)) -> Diagnosis {
    let mut conversation = exchange(id);
    before(&mut conversation);
    conversation.begins("a", 0).diagnose()
}

/// Another key exchange with the same prekey.
fn other_session(id: u32) -> crate::simulation::Sender {
    let mut sender = crate::simulation::Sender::new(Namespace::Legacy);
    sender.exchange.prekey_id = Some(id);
    sender.exchange.base_key = key_pair(60).public;
    sender
}

fn offer(conversation: &mut Conversation, ids: &[u32]) {
    let keys: Vec<_> = ids.iter().map(|id| (*id, key_pair(6).public)).collect();
    conversation.heard(our_bundle(Namespace::Legacy, &keys));
}

/// Our store has given the id of the prekey that Alice drew to a new key.
fn reused(last: impl Fn(&mut Conversation) -> Diagnosis) -> Diagnosis {
    let mut conversation = Conversation::new(client("Dino"), Namespace::Legacy);
    conversation.account.prekeys.iter_mut().filter(|prekey| prekey.id == 2).for_each(|prekey| prekey.pair = key_pair(50));
    conversation.begins("a", 0);
    last(&mut conversation)
}

fn without_prekey(name: &str) -> Diagnosis {
    let mut conversation = Conversation::new(client(name), Namespace::Legacy);
    conversation.alice = crate::simulation::Sender::without_prekey(Namespace::Legacy);
    conversation.begins("a", 0).diagnose()
}

fn unflagged(name: &str) -> Diagnosis {
    let mut conversation = Conversation::new(client(name), Namespace::Legacy);
    let stanza = conversation.stanza("a", &conversation.exchange_key(0).replace(" prekey='true'", ""));
    conversation.heard(stanza).diagnose()
}
