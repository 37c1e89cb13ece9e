//! What to do, where several causes have the same remedy; and what to do where only the code is known.

use crate::model::{ClientProfile, Code};

/// A session that broke and works again.
pub const OVER: &str = "The session with this device works again: its later messages are read, so nothing is to be repaired there. Ask the sender to send again what you miss.";
/// Makes most clients begin a session where there is none.
pub(super) const WRITE: &str =
    "Send the sender any message from this device: most clients then begin a new session. Then ask for the lost message.";
/// Heals a broken session where one of the clients does that.
pub(super) const WRITE_BACK: &str = "Write something to the sender from this device. If they use Conversations, Monal, Siskin, Beagle or Prose, their client then mostly begins a new session by itself.";
/// The next step after [`WRITE_BACK`].
pub(super) const RESTART: &str = "If the sender's next message fails too, end and restart the session in your client. If your client has no command for it, ask the sender to do it in theirs.";
/// The next step where the sender must act.
pub(super) const SENDER_RESTARTS: &str = "If the sender's next message fails too, ask the sender to end and restart the session in their client. Then ask for the message again.";
/// Begins a session with fresh keys after a key exchange that failed.
pub(super) const WRITE_FRESH: &str = "Write to the sender from this device: that can begin a session with fresh keys. The sender's next message shows whether it helped.";
/// Ends a chain that is too long.
pub(super) const ANSWER: &str =
    "Write to the sender from this device: what they send after your message arrived can be read again.";
/// Before anybody trusts a key.
pub(super) const COMPARE: &str = "Compare the new fingerprint with the sender by phone or in person, not in this chat.";
/// Before anybody trusts a device whose messages are refused.
pub(super) const WHOSE: &str = "Ask the sender, by phone or in person and not in this chat, whether the device is theirs and its fingerprint is right. Trust it only then.";
/// A payload that is lost, in a session that is fine.
pub(super) const SEND_AGAIN: &str = "Ask the sender to send the message again. If it fails in the same way, ask them to update their client. The session is fine: do not end it.";
/// A fault of the sender's client, or of the way.
pub(super) const SEND_AGAIN_AND_UPDATE: &str = "Ask the sender to send the message again. If it fails in the same way, ask them to update their client and to report it to its makers.";
/// OMEMO in a room that hides addresses.
pub(super) const SHOW_ADDRESSES: &str = "Ask the owner of the group chat to make it show its members' addresses (non-anonymous), as OMEMO needs it. For old messages nothing helps.";

/// What to do where no more is known than the code, least drastic first. `client` is the one that complains.
pub(super) fn first_aid(code: Code, client: Option<&ClientProfile>) -> Vec<String> {
    let replace = client.and_then(|c| c.remedies.replace_session).filter(|_| code == Code::MacMismatch);
    let all: &[&str] = match code {
        Code::MacMismatch => &[WRITE_BACK, RESTART],
        Code::NoSession => &[WRITE],
        Code::PrekeyMissing | Code::SignedPrekeyMissing => &[WRITE_FRESH, SENDER_RESTARTS],
        Code::TooManySkipped => &[ANSWER],
        Code::IdentityChanged => &[COMPARE],
        Code::UntrustedDevice => &[WHOSE],
        Code::PayloadAuthFailed => &[SEND_AGAIN],
        Code::MalformedMessage | Code::MalformedStanza | Code::UnsupportedVersion | Code::VariantMismatch => {
            &[SEND_AGAIN_AND_UPDATE]
        }
        Code::WrongRecipientJid => &[SHOW_ADDRESSES],
        _ => &[],
    };
    all.iter().copied().chain(replace).map(str::to_owned).collect()
}
