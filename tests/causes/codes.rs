//! Every code with a case of `fixtures/diagnosis` that has it, and its neighbour.

use crate::common::Case;
use crate::pairs::{Pair, finding_pair, pair};
use omemoscope::model::{Code, Diagnosis};

/// A cause, where it is named, and a neighbour where it is not.
const PAIRS: &[(Code, &str, &str)] = &[
    (Code::UnsupportedVersion, "gajim/unsupported-version-2", "gajim/variant-mismatch-omemo2-key-in-legacy"),
    (Code::MalformedStanza, "python-omemo/malformed-stanza-missing-sid", "python-omemo/malformed-message-truncated"),
    (Code::StoreCorrupt, "gajim/store-corrupt-session-blob", "python-omemo/no-session-deleted"),
    (Code::OwnMessage, "python-omemo/own-message-reflection", "gajim/device-id-collision-sender-has-our-id"),
    (Code::DeviceIdCollision, "gajim/device-id-collision-sender-has-our-id", "python-omemo/own-message-reflection"),
    (Code::DeviceIdCollision, "python-omemo/device-id-collision-two-identities", "python-omemo/identity-changed-same-device-id"),
    (Code::NotAddressed, "python-omemo/not-addressed-other-device", "python-omemo/wrong-recipient-jid-keys-group"),
    (Code::WrongRecipientJid, "python-omemo/wrong-recipient-jid-keys-group", "python-omemo/not-addressed-other-device"),
    (Code::VariantMismatch, "gajim/variant-mismatch-omemo2-key-in-legacy", "gajim/unsupported-version-2"),
    (Code::MalformedMessage, "python-omemo/malformed-message-truncated", "python-omemo/variant-mismatch-legacy-key-in-omemo2"),
    (Code::IdentityChanged, "python-omemo/identity-changed-same-device-id", "python-omemo/device-id-collision-two-identities"),
    (Code::UntrustedDevice, "gajim/untrusted-device-distrusted", "gajim/ok-repeated-prekey"),
    (Code::SimultaneousInitiation, "python-omemo/simultaneous-initiation-crossing", "gajim/simultaneous-initiation-in-order"),
    (Code::DuplicateMessage, "python-omemo/duplicate-message-replayed", "python-omemo/sender-rolled-back-both-captured"),
    (Code::SenderRolledBack, "python-omemo/sender-rolled-back-both-captured", "python-omemo/duplicate-message-replayed"),
    (Code::MessageKeyEvicted, "gajim/message-key-evicted-chain-dropped", "python-omemo/ok-old-chain-late"),
    (Code::TooManySkipped, "python-omemo/too-many-skipped-1001", "python-omemo/ok-out-of-order"),
    (Code::ReceiverRolledBack, "gajim/receiver-rolled-back-10", "python-omemo/ok-rolled-back-10-no-step"),
    (Code::SignedPrekeyMissing, "gajim/signed-prekey-missing-rotated", "python-omemo/prekey-missing-two-senders"),
    (Code::PrekeyMissing, "python-omemo/prekey-missing-two-senders", "gajim/signed-prekey-missing-rotated"),
    (Code::NoSession, "python-omemo/no-session-deleted", "gajim/store-corrupt-session-blob"),
    (Code::AdMismatch, "python-omemo/ad-mismatch-swapped", "python-omemo/mac-mismatch-flip-mac"),
    (Code::MacMismatch, "python-omemo/mac-mismatch-flip-mac", "python-omemo/ad-mismatch-swapped"),
    (Code::PayloadAuthFailed, "python-omemo/payload-auth-failed-flip", "python-omemo/mac-mismatch-flip-ciphertext"),
    (Code::EmptyMessage, "python-omemo/empty-message-key-exchange", "gajim/ok-repeated-prekey"),
    (Code::BundleSignatureInvalid, "gajim/bundle-signature-invalid-flipped", "gajim/ok-bundle-valid"),
    (Code::LabelSignatureInvalid, "python-omemo/label-signature-invalid-flipped", "python-omemo/ok-labels-valid"),
    (Code::Ok, "python-omemo/ok-out-of-order", "gajim/untrusted-device-distrusted"),
];

pub fn names(diagnosis: &Diagnosis, code: Code) -> bool {
    diagnosis.messages.iter().any(|m| m.code == code) || finds(diagnosis, code)
}

/// Findings that say that it does no harm are not meant.
pub fn finds(diagnosis: &Diagnosis, code: Code) -> bool {
    diagnosis.findings.iter().any(|f| f.code == code && f.detail != Some("harmless"))
}

#[test]
fn each_cause_is_named_and_its_neighbour_is_not_mistaken_for_it() {
    for (code, broken, neighbour) in PAIRS {
        let case = Case::named(broken);
        assert!(names(&case.diagnose(), *code), "{code} is not named in {broken}");
        // What came before the message in question may be fine in both.
        let other = Case::named(neighbour).diagnose();
        let last = other.messages.last().is_some_and(|m| m.code == *code);
        assert!(!last && !finds(&other, *code), "{code} is named in {neighbour}");
    }
    let covered = |code: &Code| PAIRS.iter().any(|(c, ..)| c == code) || *code == Code::BeyondSnapshot;
    assert!(Code::ALL.iter().all(covered), "a cause has no pair");
}

#[test]
fn the_same_evidence_is_a_snapshots_age_only_where_it_is_one() {
    let case = Case::named("gajim/receiver-rolled-back-10");
    assert!(!names(&case.diagnose(), Code::BeyondSnapshot));
    assert!(names(&case.diagnose_with(|q| q.snapshots_only = true), Code::BeyondSnapshot));
}

/// Finer causes that a fixture has.
pub const DETAILS: &[Pair] = &[
    pair(
        Code::AdMismatch,
        "swapped",
        || fixture("python-omemo/ad-mismatch-swapped"),
        || fixture("python-omemo/mac-mismatch-flip-mac"),
        (Code::MacMismatch, None),
    ),
    pair(
        Code::AdMismatch,
        "other-sender-key",
        || fixture("gajim/ad-mismatch-sender-identity"),
        || fixture("python-omemo/ad-mismatch-swapped"),
        (Code::AdMismatch, Some("swapped")),
    ),
    pair(
        Code::DeviceIdCollision,
        "id-clash-across-accounts",
        || fixture("gajim/device-id-collision-sender-has-our-id"),
        || fixture("python-omemo/own-message-reflection"),
        (Code::OwnMessage, None),
    ),
    pair(
        Code::DeviceIdCollision,
        "id-clash-same-account",
        || fixture("python-omemo/device-id-collision-two-identities"),
        || fixture("python-omemo/identity-changed-same-device-id"),
        (Code::IdentityChanged, None),
    ),
    pair(
        Code::WrongRecipientJid,
        "keys-group",
        || fixture("python-omemo/wrong-recipient-jid-keys-group"),
        || fixture("python-omemo/not-addressed-other-device"),
        (Code::NotAddressed, None),
    ),
    pair(
        Code::PayloadAuthFailed,
        "altered",
        || fixture("python-omemo/payload-auth-failed-flip"),
        || fixture("python-omemo/mac-mismatch-flip-ciphertext"),
        (Code::MacMismatch, None),
    ),
    pair(
        Code::ReceiverRolledBack,
        "store",
        || fixture("gajim/receiver-rolled-back-10"),
        || fixture("python-omemo/ok-rolled-back-10-no-step"),
        (Code::Ok, None),
    ),
    finding_pair(
        Code::LabelSignatureInvalid,
        "missing",
        || fixture("python-omemo/label-signature-invalid-missing-labelsig"),
        || fixture("python-omemo/label-signature-invalid-flipped"),
    ),
    finding_pair(
        Code::LabelSignatureInvalid,
        "invalid",
        || fixture("python-omemo/label-signature-invalid-flipped"),
        || fixture("python-omemo/ok-labels-valid"),
    ),
    pair(
        Code::MessageKeyEvicted,
        "chain-dropped",
        || fixture("gajim/message-key-evicted-chain-dropped"),
        || fixture("python-omemo/ok-old-chain-late"),
        (Code::Ok, None),
    ),
    pair(
        Code::MessageKeyEvicted,
        "skipped-key-dropped",
        || fixture("python-omemo/message-key-evicted-same-chain"),
        || fixture("python-omemo/ok-out-of-order"),
        (Code::Ok, None),
    ),
    pair(
        Code::VariantMismatch,
        "bytes-of-other-variant",
        || fixture("gajim/variant-mismatch-omemo2-key-in-legacy"),
        || fixture("gajim/unsupported-version-2"),
        (Code::UnsupportedVersion, None),
    ),
    pair(
        Code::MalformedMessage,
        "protobuf",
        || fixture("python-omemo/malformed-message-truncated"),
        || fixture("python-omemo/variant-mismatch-legacy-key-in-omemo2"),
        (Code::VariantMismatch, Some("bytes-of-other-variant")),
    ),
    pair(
        Code::SimultaneousInitiation,
        "harmless",
        || fixture("gajim/simultaneous-initiation-in-order"),
        || fixture("python-omemo/simultaneous-initiation-crossing"),
        (Code::SimultaneousInitiation, None),
    ),
];

fn fixture(name: &str) -> Diagnosis {
    Case::named(name).diagnose()
}
