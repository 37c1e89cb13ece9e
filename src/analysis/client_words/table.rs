//! The wordings that are known, by client. Source: each client's code, as its file of facts names it; most were also seen
//! in real logs.

use super::wording::Wording;
use crate::model::Code;

/// How the meaning of every wording begins that denies a key for this device.
pub(super) const NO_KEY: &str = "there is no key for this device";
/// The meaning of every wording that misses a session.
pub(super) const NO_SESSION: &str = "there is no session with this device";
/// The meaning of a wording that takes a message for a second copy.
const USED: &str = "the key of this message was used before";
/// The same, of libraries that cannot tell it from a dropped key.
const USED_OR_DROPPED: &str = "the key of this message was used before, or dropped";
const NO_STATE: &str = "no state of the session fits: a bad MAC, and many causes have this one wording";
const BAD_MAC: &str = "a bad MAC, and many causes have this one wording";
const NOT_OPENED: &str = "the ratchet did not open the key; the reason stands in another line";
const GAP: &str = "too many messages are missing before this one";
const NO_PREKEY: &str = "the one-time prekey it names is not in the store";
const NO_SIGNED_PREKEY: &str = "the signed prekey it names is not in the store";
const NO_PREKEY_OF_BOTH: &str = "a one-time or signed prekey is not in the store (the same wording for both)";
const OTHER_IDENTITY: &str = "another identity key than the known one";
const NO_MESSAGE: &str = "the bytes of the key element are no message";
const PAYLOAD: &str = "the payload does not belong to its key";
const VERSION: &str = "the message is of a version that the client does not know, or not of the session's";
const ROOM: &str = "the room hides the sender's real address";
const BARE_EXCHANGE: &str = "a key exchange without one-time prekey, which this client refuses";
const NEVER_COMPLETED: &str = "the session was never completed";
const UNUSABLE: &str = "the XML of the message is unusable for this client";
const ONE_OF_MANY: &str = "the message did not open; many causes have this one wording";
const UNPUBLISHED: &str = "this client could not publish its keys";
const UNLISTED: &str = "a device was missing from its owner's list";
const NO_BUNDLE: &str = "a device has no bundle that could be fetched, so it gets no messages";
const BAD_BUNDLE: &str = "a device's bundle was refused, rightly or not, so it gets no messages";

/// A message did not open, and this is why.
const fn failed(text: &'static str, code: Code, means: &'static str) -> Wording {
    Wording::failed(text, code, means)
}

/// A message did not open; the wording stands for several causes, of which the code is the least one can say.
const fn unclear(text: &'static str, code: Code, means: &'static str) -> Wording {
    Wording::unclear(text, code, means)
}

/// A message did not open; why stands in another line.
const fn somehow(text: &'static str, means: &'static str) -> Wording {
    Wording::somehow(text, means)
}

/// Nothing is lost.
const fn harmless(text: &'static str, code: Code, means: &'static str) -> Wording {
    Wording::harmless(text, code, means)
}

/// A message opened.
const fn opened(text: &'static str) -> Wording {
    Wording::opened(text)
}

/// A client is done with a message and quotes its text: that beside it, where it did not open.
const fn done(text: &'static str, means: &'static str) -> Wording {
    Wording::done(text, means)
}

/// A try begins, or ends; what comes of it stands in other lines.
const fn progress(text: &'static str) -> Wording {
    Wording::progress(text)
}

/// Somebody does not get what is sent.
const fn unreached(text: &'static str, detail: &'static str, means: &'static str) -> Wording {
    Wording::unreached(text, detail, means)
}

/// The more telling ones first: of several in one line, or in the lines of one message, the first is taken.
#[rustfmt::skip] // one line a wording
pub(super) static WORDINGS: &[Wording] = &[
    // Libraries of the libsignal family, in any client's log
    failed("Over 2000 messages into the future!", Code::TooManySkipped, GAP),
    failed("message from too far into the future", Code::TooManySkipped, GAP),
    failed("Uninitialized session!", Code::NoSession, NEVER_COMPLETED),
    failed("but session version", Code::UnsupportedVersion, VERSION),
    failed("No such signedprekeyrecord", Code::SignedPrekeyMissing, NO_SIGNED_PREKEY),
    failed("No such prekeyRecord", Code::PrekeyMissing, NO_PREKEY),
    failed("No such prekey record", Code::PrekeyMissing, NO_PREKEY),
    harmless("We've already setup", Code::Ok, "a repeated key exchange of a session that is there"),
    failed("Inner message version mismatch", Code::UnsupportedVersion, VERSION),
    failed("Unsupported legacy version", Code::UnsupportedVersion, VERSION),
    failed("InvalidVersionException", Code::UnsupportedVersion, VERSION),
    failed("LegacyMessageException", Code::UnsupportedVersion, VERSION),
    failed("Incomplete message", Code::MalformedMessage, "the bytes of the key element are no complete message"),

    // Conversations and its relatives
    failed("because it was marked as compromised", Code::UntrustedDevice, "the sender's key is marked as compromised, and this client refuses its messages"),
    failed("preexisting identity key changed", Code::IdentityChanged, OTHER_IDENTITY),
    failed("PreKeyWhisperMessage did not contain a PreKeyId", Code::MalformedMessage, BARE_EXCHANGE),
    failed("Key did not contain auth tag", Code::PayloadAuthFailed, "an old sender put the tag behind the payload"),
    failed("AEADBadTagException", Code::PayloadAuthFailed, PAYLOAD),
    failed("CryptoFailedException: javax.crypto.", Code::PayloadAuthFailed, PAYLOAD),
    failed("CryptoFailedException: java.security.", Code::PayloadAuthFailed, PAYLOAD),
    failed("invalid omemo message received", Code::MalformedStanza, UNUSABLE),
    failed("invalid omemo key transport message received", Code::MalformedStanza, UNUSABLE),
    failed("in anonymous conference received and no possible fallbacks", Code::WrongRecipientJid, ROOM),
    failed("received omemo message in anonymous conference", Code::WrongRecipientJid, ROOM),
    harmless("Reflected omemo message received", Code::OwnMessage, "a copy of an own message"),
    opened("Received Message with session fingerprint").begins(),
    unclear("ignoring broken session exception because checkForDuplicates failed", Code::DuplicateMessage, "a message from the archive did not open; it may be a second copy"),
    unclear("ignoring broken session exception because contact was not trusted", Code::MacMismatch, "a message of somebody who is no contact did not open"),
    progress("attempt to heal"),

    // Gajim, gajim-omemo, omemo-dr, python-axolotl
    failed("Received Pre Key Message without PreKey", Code::MalformedMessage, BARE_EXCHANGE),
    failed("Unable to find jid for group chat message", Code::WrongRecipientJid, ROOM),
    failed("can not be mapped to a real jid", Code::WrongRecipientJid, ROOM),
    failed("Error parsing message with type", Code::MalformedMessage, NO_MESSAGE),
    failed("Legacy message", Code::UnsupportedVersion, VERSION),
    failed("Unknown version", Code::UnsupportedVersion, VERSION),
    harmless("Received duplicated message", Code::DuplicateMessage, USED),
    harmless("Received message not for our device", Code::NotAddressed, NO_KEY),
    harmless("Received previously sent message by us", Code::OwnMessage, "a copy of an own message"),
    harmless("Can't decrypt own group chat message", Code::OwnMessage, "a copy of an own message"),
    opened("Set last seen for"),
    progress("Message received from:").begins(),

    // Profanity
    failed("cannot find MUC message sender fulljid", Code::WrongRecipientJid, ROOM),
    failed("cannot deserialize message", Code::MalformedMessage, "the bytes of the key element are no message of the announced kind"),
    failed("cannot decrypt message:", Code::PayloadAuthFailed, PAYLOAD),
    failed("invalid key length", Code::PayloadAuthFailed, "the key inside has an old or unknown length"),
    harmless("received a message with no corresponding key", Code::NotAddressed, "there is no key for this device (its own messages are told of in the same words)"),
    progress("decrypting message with prekey").begins(),
    progress("decrypting message with existing session").begins(),
    opened("[STORE] Store session for"),

    // Dino
    failed("Tried to use a different identity key for a known device id", Code::IdentityChanged, OTHER_IDENTITY),
    failed("Failed updating db for prekey", Code::IdentityChanged, OTHER_IDENTITY),
    failed("Received message from unknown entity with device id", Code::WrongRecipientJid, "the sender is not known"),
    progress("Starting new session for decryption with device from").begins().fails_aloud(),
    progress("Continuing session for decryption with device from").begins().fails_aloud(),
    // It tells nothing new behind a failure, and stands alone behind a message that has no key for this device.
    progress("Received OMEMO encryped message that could not be decrypted"),

    // python-omemo: the first exception of a chain tells, the last wraps it
    failed("No signed pre key with id", Code::SignedPrekeyMissing, NO_SIGNED_PREKEY),
    failed("uses a signed pre key", Code::SignedPrekeyMissing, NO_SIGNED_PREKEY),
    failed("No pre key with id", Code::PrekeyMissing, NO_PREKEY),
    failed("uses a pre key", Code::PrekeyMissing, NO_PREKEY),
    failed("DoSProtectionException", Code::TooManySkipped, GAP).goes_on(),
    failed("PublicDataInconsistency", Code::IdentityChanged, OTHER_IDENTITY),
    failed("SenderDistrusted", Code::UntrustedDevice, "the sender's key is marked as distrusted"),
    failed("Ciphertext decryption failed", Code::PayloadAuthFailed, PAYLOAD),
    failed("Authentication tag verification failed", Code::PayloadAuthFailed, PAYLOAD),
    failed("Public key not serialized in network format", Code::MalformedMessage, "a key exchange that is not announced as one"),
    failed("Version byte missing", Code::MalformedMessage, NO_MESSAGE),
    failed("Wire format was corrupt", Code::MalformedMessage, NO_MESSAGE),
    failed("UnknownNamespace", Code::VariantMismatch, "the client does not speak this variant"),
    progress("Decrypting message: Message(").begins(),
    opened("Message decrypted:"),
    opened("Plain key material:"),
    done("Decrypted omemo message", "it shows the text that was sent beside the encrypted one"),
    unclear("SenderNotFound", Code::WrongRecipientJid, "nothing is known of the sending device"),
    unclear("AuthenticationFailedException", Code::MacMismatch, BAD_MAC).goes_on(),
    harmless("DuplicateMessageException", Code::DuplicateMessage, USED_OR_DROPPED).goes_on(),
    harmless("MessageNotForUs", Code::NotAddressed, "there is no key for this device (its own messages are told of in the same words)"),
    failed("omemo.session_manager.NoSession", Code::NoSession, NO_SESSION),
    failed("KeyExchangeFailed", Code::PrekeyMissing, "the key exchange names a prekey that is not in the store"),
    failed("NoSessionException", Code::NoSession, NO_SESSION),
    failed("NoSession:", Code::NoSession, NO_SESSION),

    // QXmpp, Kaidan
    failed("no session with sending device, new session is being built", Code::NoSession, NO_SESSION),
    failed("Session for OMEMO envelope data could not be found", Code::NoSession, NO_SESSION),
    failed("could not be found locally", Code::PrekeyMissing, "a one-time or signed prekey is not in the store (the number is always the one-time one's)"),
    failed("OMEMO envelope data could not be deserialized", Code::MalformedMessage, NO_MESSAGE),
    failed("is incorrectly formatted", Code::MalformedMessage, NO_MESSAGE),
    failed("format is deprecated", Code::UnsupportedVersion, VERSION),
    failed("Identity key of OMEMO envelope data", Code::IdentityChanged, "the client refused the identity key"),
    failed("Message authentication code does not match expected one", Code::PayloadAuthFailed, PAYLOAD),
    failed("Following payload could not be decrypted", Code::PayloadAuthFailed, PAYLOAD),
    failed("Recipient of group chat message does not match SCE affix element", Code::WrongRecipientJid, "the envelope names another room"),
    harmless("OMEMO envelope data is already received", Code::DuplicateMessage, USED),
    harmless("OMEMO envelope data for key exchange is already received", Code::DuplicateMessage, USED),
    unclear("OMEMO envelope data for key exchange is not valid", Code::MacMismatch, "a bad MAC in a key exchange"),
    unclear("OMEMO envelope data is not valid", Code::MacMismatch, NO_STATE),

    // Converse and other web clients
    failed("Missing Signed PreKey", Code::SignedPrekeyMissing, NO_SIGNED_PREKEY),
    failed("Invalid prekey id", Code::PrekeyMissing, NO_PREKEY).goes_on(),
    failed("Identity key changed", Code::IdentityChanged, OTHER_IDENTITY),
    failed("Unknown identity key", Code::IdentityChanged, OTHER_IDENTITY),
    failed("No record for", Code::NoSession, NO_SESSION),
    failed("No session found to decrypt message from", Code::NoSession, NO_SESSION),
    failed("SCE HMAC verification failed", Code::PayloadAuthFailed, PAYLOAD),
    failed("SCE affix mismatch", Code::WrongRecipientJid, "the envelope names another sender or recipient"),
    failed("SCE decryption failed", Code::MalformedStanza, "there is no envelope in the message that this client can read"),
    failed("Incompatible version number on", Code::UnsupportedVersion, VERSION),
    failed("Got invalid request to extend chain", Code::MessageKeyEvicted, "its chain was closed before this message came"),
    failed("Tried to decrypt on a sending chain", Code::DeviceIdCollision, "the message carries a ratchet key of this very device"),
    failed("Error OperationError", Code::PayloadAuthFailed, PAYLOAD),
    harmless("Ignoring a duplicate OMEMO message", Code::DuplicateMessage, USED_OR_DROPPED),
    harmless("MessageCounterError", Code::DuplicateMessage, USED_OR_DROPPED),

    // lurch
    failed("no session with the device exists", Code::NoSession, NO_SESSION),
    failed("failed to decrypt payload", Code::PayloadAuthFailed, PAYLOAD),
    failed("failed import msg for decryption", Code::MalformedStanza, UNUSABLE),
    failed("is the room anonymous?", Code::WrongRecipientJid, ROOM),
    harmless("does not contain a key for this device", Code::NotAddressed, NO_KEY),
    harmless("ignoring decryption error due to a duplicate message", Code::DuplicateMessage, USED),
    harmless("failed to decrypt key", Code::DuplicateMessage, USED).and("(-1001)"),
    harmless("failed to process incoming encrypted key", Code::DuplicateMessage, USED).and("(-1001)"),
    failed("failed to process incoming encrypted key", Code::PrekeyMissing, NO_PREKEY_OF_BOTH).and("(-1003)").begins(),
    failed("failed to decrypt key", Code::NoSession, NO_SESSION).and("(-1008)").begins(),
    unclear("failed to decrypt key", Code::MacMismatch, NO_STATE).and("(-1005)").begins(),
    unclear("failed to process incoming encrypted key", Code::MacMismatch, NO_STATE).and("(-1005)").begins(),

    // Monal: the numbers of the library's wrapper
    failed("Could not get muc participant jid", Code::WrongRecipientJid, ROOM),
    failed("(GCM error)", Code::PayloadAuthFailed, PAYLOAD),
    failed("Could not decrypt message: iv length", Code::PayloadAuthFailed, "the sender's initialisation vector has not the 12 bytes that this client wants"),
    harmless("Could not decrypt to obtain key", Code::DuplicateMessage, USED_OR_DROPPED).and("Code=3 "),
    failed("Could not decrypt to obtain key", Code::PrekeyMissing, NO_PREKEY_OF_BOTH).and("Code=5 ").begins(),
    failed("Could not decrypt to obtain key", Code::UnsupportedVersion, VERSION).and("Code=8 ").begins(),
    failed("Could not decrypt to obtain key", Code::UnsupportedVersion, VERSION).and("Code=9 ").begins(),
    failed("Could not decrypt to obtain key", Code::NoSession, NO_SESSION).and("Code=10 ").begins(),
    failed("Could not decrypt to obtain key", Code::IdentityChanged, "the client refused the identity key").and("Code=12 ").begins(),
    failed("Could not decrypt to obtain key", Code::MalformedMessage, NO_MESSAGE).and("Code=13 ").begins(),
    unclear("Could not decrypt to obtain key", Code::MacMismatch, NO_STATE).and("Code=7 ").begins(),
    harmless("Message was not encrypted for this device", Code::NotAddressed, "there is no key for this device (Siskin and Beagle say the same when a MAC is wrong)"),

    // Smack
    failed("No signed preKey with id", Code::SignedPrekeyMissing, NO_SIGNED_PREKEY),
    failed("No PreKey with Id", Code::PrekeyMissing, NO_PREKEY),
    failed("contained unknown identityKey", Code::IdentityChanged, OTHER_IDENTITY),
    failed("PreKeyMessage did not contain a preKeyId", Code::MalformedMessage, BARE_EXCHANGE),
    failed("could not decipher message body", Code::PayloadAuthFailed, PAYLOAD),
    failed("MessageKey has wrong length", Code::PayloadAuthFailed, "the key inside has an old or unknown length"),
    failed("AuthenticationTag is null or has wrong length", Code::PayloadAuthFailed, "the tag of the payload is missing"),
    failed("Cannot decrypt OMEMO MUC message", Code::WrongRecipientJid, ROOM),
    harmless("since the message has been decrypted before", Code::DuplicateMessage, USED),
    harmless("Transported key could not be decrypted", Code::NotAddressed, "there is no key for this device, or its key was used before"),

    // Aparte, Psi, Movim
    failed("invalid signed prekey identifier", Code::SignedPrekeyMissing, NO_SIGNED_PREKEY),
    failed("PreKey not found", Code::PrekeyMissing, NO_PREKEY_OF_BOTH),
    failed("untrusted identity for address", Code::IdentityChanged, "the client refused the identity key"),
    failed("No session available to decrypt", Code::NoSession, NO_SESSION),
    failed("Legacy OMEMO payload authentication failed", Code::PayloadAuthFailed, PAYLOAD),
    failed("Malformed OMEMO encrypted stanza", Code::MalformedStanza, UNUSABLE),
    harmless("message with old counter", Code::DuplicateMessage, USED_OR_DROPPED),
    harmless("Missing OMEMO key for current device", Code::NotAddressed, NO_KEY),
    harmless("OMEMO stanza has no encrypted key for this device", Code::NotAddressed, NO_KEY),

    // libsignal-protocol-c and libomemo-c, in any client: what is left when no other line told more
    failed("No session for", Code::NoSession, NO_SESSION),
    failed("SG_ERR_INVALID_KEY_ID", Code::PrekeyMissing, NO_PREKEY_OF_BOTH),
    harmless("SG_ERR_DUPLICATE_MESSAGE", Code::DuplicateMessage, USED_OR_DROPPED),
    failed("SG_ERR_NO_SESSION", Code::NoSession, NO_SESSION),
    failed("SG_ERR_UNTRUSTED_IDENTITY", Code::IdentityChanged, "the client refused the identity key"),
    failed("SG_ERR_INVALID_PROTO_BUF", Code::MalformedMessage, NO_MESSAGE),
    failed("SG_ERR_INVALID_VERSION", Code::UnsupportedVersion, VERSION),
    failed("SG_ERR_LEGACY_MESSAGE", Code::UnsupportedVersion, VERSION),
    failed("Decrypting message from", Code::PrekeyMissing, NO_PREKEY_OF_BOTH).and("SG_ERR_INVALID_KEY"),
    failed("Decrypting message from", Code::PayloadAuthFailed, PAYLOAD).and("SG_ERR_UNKNOWN"),
    unclear("SG_ERR_INVALID_MESSAGE", Code::MacMismatch, NO_STATE),
    failed("INVALID_KEY_ID", Code::PrekeyMissing, NO_PREKEY_OF_BOTH),
    harmless("DUPLICATE_MESSAGE", Code::DuplicateMessage, USED_OR_DROPPED),
    unclear("INVALID_MESSAGE", Code::MacMismatch, NO_STATE),
    failed("NO_SESSION", Code::NoSession, NO_SESSION),
    failed("UNTRUSTED_IDENTITY", Code::IdentityChanged, "the client refused the identity key"),
    failed("INVALID_PROTO_BUF", Code::MalformedMessage, NO_MESSAGE),
    unclear("No valid sessions", Code::MacMismatch, NO_STATE),
    unclear("Message mac not verified", Code::MacMismatch, BAD_MAC),
    unclear("MAC verification failed", Code::MacMismatch, BAD_MAC),
    unclear("Bad MAC", Code::MacMismatch, "a bad MAC, and many causes have this one wording (in web clients a missing prekey among them)"),

    // Somebody does not get what is sent
    unreached("to list of expired devices", "own-device-not-listed", "this client took another device of yours off your list, because it had been silent for long"),
    unreached("Own device publish attempt threshold exceeded", "own-device-not-listed", UNPUBLISHED),
    unreached("device list pre condition still not met on second attempt", "pep-access-denied", UNPUBLISHED),
    unreached("bundle precondition still not met after second attempt", "pep-access-denied", UNPUBLISHED),
    unreached("Error received while publishing own device id", "own-device-not-listed", UNPUBLISHED),
    unreached("Error received while publishing bundle", "bundle-missing", UNPUBLISHED),
    unreached("Publishing device list failed", "own-device-not-listed", UNPUBLISHED),
    unreached("Unable to publish own OMEMO device list", "own-device-not-listed", UNPUBLISHED),
    unreached("definitely cannot publish bundle with an open access model", "pep-access-denied", UNPUBLISHED),
    unreached("Unexpected error while publishing bundle", "bundle-missing", UNPUBLISHED),
    unreached("Device bundle and device list could not be published", "own-device-not-listed", UNPUBLISHED),
    unreached("Device bundle could not be published", "bundle-missing", UNPUBLISHED),
    unreached("Could not publish our deviceList", "own-device-not-listed", UNPUBLISHED),
    unreached("Not on device list, adding id", "own-device-not-listed", "this device was missing from your list, and put itself on it again"),
    unreached("own id was missing, adding it", "own-device-not-listed", "this device was missing from your list, and put itself on it again"),
    unreached("No device ID for our device. Publishing device list", "own-device-not-listed", "this device was missing from your list, and put itself on it again"),
    unreached("Own device id was not included in the online device list", "own-device-not-listed", UNLISTED),
    unreached("Could not fetch own devicelist, faking empty devicelist", "own-device-not-listed", "your list could not be read, and this client publishes one without your other devices"),
    unreached("because their bundle could not be fetched", "bundle-missing", NO_BUNDLE),
    unreached("Bundle request failed", "bundle-missing", NO_BUNDLE),
    unreached("No OMEMO bundle published for device", "bundle-missing", NO_BUNDLE),
    unreached("Could not fetch bundle", "bundle-missing", NO_BUNDLE),
    unreached("does not have a bundle and will be skipped", "bundle-missing", NO_BUNDLE),
    unreached(": No bundle", "bundle-missing", NO_BUNDLE),
    unreached(": Bad bundle:", "bundle-unusable", BAD_BUNDLE),
    unreached("Building session failed", "bundle-unusable", BAD_BUNDLE),
    unreached("Error building session for", "bundle-unusable", BAD_BUNDLE),
    unreached("bundle as broken, due to a invalid bundle", "bundle-unusable", BAD_BUNDLE),
    unreached("because their bundle seems to be corrupt", "bundle-unusable", BAD_BUNDLE),
    unreached("Invalid signature", "bundle-unusable", BAD_BUNDLE),
    unreached("because of", "sender-considers-us-inactive", "a device was given up because it never answered, and gets no messages").and("unacknowledged messages"),
    unreached("seems to be read-only", "sender-considers-us-inactive", "a device was given up because it never answered, and gets no messages"),
    unreached("is untrusted. Message is not encrypted for it", "sender-untrusts-us", "a device is not trusted, and gets no messages"),
    unreached("because it's broken", "bundle-unusable", BAD_BUNDLE),

    // Nothing but that it failed
    somehow("cannot decrypt message key", NOT_OPENED),
    somehow("failed to decrypt key", NOT_OPENED),
    somehow("failed to process incoming encrypted key", NOT_OPENED),
    somehow("Could not decrypt to obtain key", NOT_OPENED),
    somehow("broken session with", "no state of the session fits, or there is none").begins(),
    somehow("Failed to decrypt message from", "the message did not open; the cause follows as an exception").begins(),
    somehow("could not decrypt keyTransport message", NOT_OPENED),
    somehow("No raw session found for contact", NOT_OPENED).begins(),
    somehow("Could not decrypt incoming message", ONE_OF_MANY).begins(),
    somehow("OMEMO decryption failed", ONE_OF_MANY),
    somehow("DecryptionFailed", ONE_OF_MANY),
    somehow("Decrypting message from", ONE_OF_MANY).and("failed"),
];
