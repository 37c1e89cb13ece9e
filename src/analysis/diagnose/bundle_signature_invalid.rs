//! # bundle-signature-invalid
//!
//! **What happened.** Every device publishes keys, its bundle, with a signature which shows that they are its own.
//! For one device this signature is wrong. Other clients refuse such keys, so nobody can begin a session with that
//! device. This is probably nobody's fault: mostly an error in a program or a damaged upload did it. But somebody
//! with access to the server could do it, too.
//!
//! **What to do.**
//! - The verdict names the device. If it is yours, close the client on it and start it again: it then publishes its
//!   keys anew. If it belongs to somebody else, tell them to do that.
//! - If the signature is still wrong, the owner reports it to the makers of that client, and asks the people who run
//!   the server whether somebody changed the keys.
//! - You need not do more: clients refuse wrong keys by themselves.
//!
//! **What is lost.** That device cannot read what was not encrypted for it in the meantime.
//!
//! **Fine causes.** If the verdict has this word behind the slash, its line replaces the advice above.
//! - `valid-but-refused`: the signature is right, and nothing is to be done on that device. Converse 14 has an error
//!   and wrongly says "Invalid signature". If you use Converse, update it. If that does not help, write to that
//!   device from another client.
//!
//! ### For those who repair clients
//!
//! **How it shows.** At the sender: "Invalid signature on device key!" (Gajim, libsignal), SG_ERR_INVALID_KEY (-1002),
//! "Invalid signature" (Converse), "Marking device … bundle as broken" (Monal), "Bad bundle" (Dino); the device is
//! skipped. The owner of the device sees [not-addressed].
//!
//! **Mistaken for.** A missing bundle ([not-addressed], `bundle-missing`). A client's bug: Converse 14 refuses valid
//! OMEMO 2 bundles whose identity key has its sign bit set.
//!
//! **Mechanism.** The signed prekey of a bundle is signed with the identity key. A bug, a damaged publication or
//! somebody on the server breaks that.
//!
//! **What proves it.** The signature itself, checked by every rule that clients use.
//!
//! **References.** XEP-0384, "Bundles"; XEdDSA; libsignal `curve_verify_signature`; signalapp/libsignal-protocol-c#70;
//! gkdr/lurch#53.

use super::{Cause, Scene, Whole, at_the_end, in_stanza, rule};
use crate::analysis::published::BundleSeen;
use crate::model::{BareJid, Code, Confidence, Evidence, EvidenceKind, Finding, Position};
use crate::omemo::Namespace;

/// The client that refuses valid bundles, as its log is named.
const CONVERSE: &str = "Converse";
/// What it says then.
const REFUSED: &str = "Invalid signature";

/// Found while bundles are read (`analysis::published`); no message has this code.
pub(super) const CAUSE: Cause = Cause {
    code: Code::BundleSignatureInvalid,
    source: include_str!("bundle_signature_invalid.rs"),
    judge: |_: &Scene<'_>| None,
    gather: || at_the_end(whole),
};

/// The client refuses a bundle, and all that the capture shows are valid.
fn whole(whole: &Whole<'_>) -> Vec<Finding> {
    if whole.published.bundles().any(|(.., bundle)| bundle.badly_signed) {
        return Vec::new();
    }
    let refusals = whole.client_words.with(REFUSED).iter().filter(|said| said.client == CONVERSE);
    let mut hits = refusals.filter_map(|said| Some((said, refused_by(whole, &said.position)?)));
    let Some((said, (owner, id, bundle))) = hits.next() else { return Vec::new() };
    let whose = owner.map_or_else(|| format!("device {id}"), |jid| format!("device {id} of {jid}"));
    let line = Evidence {
        kind: EvidenceKind::ClientLog,
        place: said.position.to_string().into(),
        says: format!("{} says \u{201c}{}\u{201d}", said.client, said.words.text).into(),
    };
    vec![Finding {
        code: Code::BundleSignatureInvalid,
        detail: Some("valid-but-refused"),
        confidence: Confidence::Likely,
        sentence: format!("{CONVERSE} refuses a bundle although it is valid, probably that of {whose}: a bug of {CONVERSE}."),
        evidence: vec![
            line,
            in_stanza(&bundle.last, "this bundle's signature verifies, and its identity key has the sign bit set"),
            rule(CONVERSE, "version 14 refuses valid OMEMO 2 bundles whose identity key has its sign bit set"),
        ],
        remedy: vec![
            format!("You, where you use {CONVERSE}: update it. Nothing is wrong with the device that it refuses."),
            "Until then, write to that device in the legacy variant, or from another client.".into(),
        ],
        stanza_ids: bundle.last.id.iter().cloned().collect(),
    }]
}

/// A bundle as it was seen: whose, which device.
type Seen<'a> = (Option<&'a BareJid>, u32, &'a BundleSeen);

/// The bundle that the client had fetched last before it refused one, of those that it is known to refuse.
fn refused_by<'a>(whole: &Whole<'a>, line: &Position) -> Option<Seen<'a>> {
    let signed = |bundle: &BundleSeen| {
        let form = bundle.identity.and_then(|identity| identity.edwards().copied());
        form.is_some_and(|form| form.last().is_some_and(|byte| byte & SIGN_BIT != 0))
    };
    let fetched = |bundle: &BundleSeen| {
        let at = &bundle.last.position;
        !bundle.sent_by_us && at.file == line.file && at.line < line.line
    };
    whole
        .published
        .bundles()
        .filter(|(_, _, namespace, bundle)| *namespace == Namespace::Omemo2 && fetched(bundle) && signed(bundle))
        .max_by_key(|(.., bundle)| bundle.last.position.line)
        .map(|(owner, id, _, bundle)| (owner, id, bundle))
}

/// The sign of an Ed25519 key: the highest bit of its last byte.
const SIGN_BIT: u8 = 0x80;
