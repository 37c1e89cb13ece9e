//! Bundles, with their signature checked.

use super::*;

#[derive(Debug, Serialize)]
pub(super) struct BundleView {
    owner: Option<String>,
    device_id: Option<u32>,
    namespace: &'static str,
    fingerprint: Option<String>,
    signed_prekey_id: Option<u32>,
    signed_prekey: Option<String>,
    /// valid, invalid, missing or unchecked (a key is missing to check it with).
    pub(super) signature: &'static str,
    /// Hex.
    signature_bytes: Option<String>,
    prekeys: Vec<PreKeyView>,
    pub(super) faults: Vec<FaultView>,
    #[serde(skip)]
    pub(super) variant: &'static str,
}

#[derive(Debug, Serialize)]
struct PreKeyView {
    id: u32,
    key: String,
}

/// The view of one.
pub(super) fn view(b: &CapturedBundle) -> BundleView {
    let bundle = &b.bundle;
    BundleView {
        owner: b.owner.as_ref().map(ToString::to_string),
        device_id: b.device_id,
        namespace: bundle.namespace.uri(),
        variant: variant(bundle.namespace),
        fingerprint: bundle.identity_key.as_ref().map(|k: &IdentityKey| k.fingerprint().to_string()),
        signed_prekey_id: bundle.signed_prekey_id,
        signed_prekey: bundle.signed_prekey.as_ref().map(ToString::to_string),
        signature: match (&bundle.identity_key, &bundle.signed_prekey, &bundle.signature) {
            (_, _, None) if bundle.faults.iter().any(|f| is_signature(&f.place) && !f.says.starts_with("missing")) => "unchecked",
            (_, _, None) => "missing",
            (Some(identity), Some(signed), Some(bytes)) => {
                if signature::verify_signed_prekey(bundle.namespace, identity, signed, bytes) { "valid" } else { "invalid" }
            }
            _ => "unchecked",
        },
        signature_bytes: bundle.signature.as_ref().map(hex::encode),
        prekeys: bundle.prekeys.iter().map(|(id, key)| PreKeyView { id: *id, key: key.to_string() }).collect(),
        faults: bundle.faults.iter().map(FaultView::from).collect(),
    }
}

/// Prekeys that are listed by key without -v: none, only their ids.
/// Its text.
pub(super) fn text(page: &mut Page, b: &BundleView) {
    optional(page, 2, "of", b.owner.as_deref());
    page.field(2, "device", or_missing(b.device_id));
    let unreadable = |f: &FaultView| matches!(f.place.as_str(), "ik" | "identityKey") && !f.says.starts_with("missing");
    match &b.fingerprint {
        Some(hex) => page.field(2, "fingerprint", grouped(hex, 8)),
        None if b.faults.iter().any(unreadable) => {
            page.field(2, "identity key", Line::new().look(Look::Bad, "there, but not readable"))
        }
        None => page.field(2, "identity key", or_missing::<u32>(None)),
    }
    page.field(2, "signed prekey", or_missing(b.signed_prekey_id));
    if let Some(key) = &b.signed_prekey {
        page.field(4, "key", key);
    }
    let look = match b.signature {
        "valid" => Look::Good,
        "unchecked" => Look::Warning,
        _ => Look::Bad,
    };
    let unreadable = b.signature == "unchecked" && b.signature_bytes.is_none();
    page.field(4, "signature", Line::new().look(look, if unreadable { "there, but not readable" } else { b.signature }));
    if page.verbose() {
        optional(page, 4, "signature bytes", b.signature_bytes.as_deref());
    }
    page.field(2, "prekeys", format!("{}: {}", b.prekeys.len(), ranges(b.prekeys.iter().map(|p| p.id))));
    if page.verbose() {
        for prekey in &b.prekeys {
            page.field(4, &prekey.id.to_string(), &prekey.key);
        }
    }
    faults_text(page, &b.faults);
}

/// `1-5, 8`.
fn ranges(ids: impl Iterator<Item = u32>) -> String {
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.chunk_by(|a, b| a.checked_add(1) == Some(*b))
        .filter_map(|run| match run {
            [] => None,
            [one] => Some(one.to_string()),
            [first, .., last] => Some(format!("{first}-{last}")),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn ids_are_shown_as_ranges() {
        assert_eq!(ranges([5, 1, 2, 3, 9, 9].into_iter()), "1-3, 5, 9");
        assert_eq!(ranges([u32::MAX, 1].into_iter()), "1, 4294967295");
    }
}
