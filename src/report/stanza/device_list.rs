//! Device lists.

use super::*;

#[derive(Debug, Serialize)]
pub(super) struct DeviceListView {
    owner: Option<String>,
    namespace: &'static str,
    devices: Vec<ListedView>,
    item_id: Option<String>,
    items: usize,
    pub(super) faults: Vec<FaultView>,
    #[serde(skip)]
    pub(super) variant: &'static str,
}

#[derive(Debug, Serialize)]
struct ListedView {
    id: u32,
    label: Option<String>,
    label_signature_bytes: Option<usize>,
    /// Hex.
    label_signature: Option<String>,
}

/// The view of one.
pub(super) fn view(l: &CapturedDeviceList) -> DeviceListView {
    DeviceListView {
        owner: l.owner.as_ref().map(ToString::to_string),
        namespace: l.list.namespace.uri(),
        variant: variant(l.list.namespace),
        devices: l
            .list
            .devices
            .iter()
            .map(|d| ListedView {
                id: d.id,
                label: d.label.clone(),
                label_signature_bytes: d.label_signature.as_ref().map(Vec::len),
                label_signature: d.label_signature.as_ref().map(hex::encode),
            })
            .collect(),
        item_id: l.item_id.clone(),
        items: l.items,
        faults: l.list.faults.iter().map(FaultView::from).collect(),
    }
}

/// Its text.
pub(super) fn text(page: &mut Page, l: &DeviceListView) {
    optional(page, 2, "of", l.owner.as_deref());
    optional(page, 2, "item id", l.item_id.as_deref());
    if l.items > 1 {
        page.field(2, "items", Line::new().look(Look::Warning, l.items).plain(" (the node should hold one)"));
    }
    if l.devices.is_empty() {
        page.field(2, "devices", "none");
    }
    for d in &l.devices {
        let mut line = Line::new().strong(d.id);
        if let Some(label) = &d.label {
            let signed =
                d.label_signature_bytes.map_or_else(|| "no signature".into(), |n| format!("signature of {}", count(n, "byte")));
            line = line.plain(format!("  label {label:?}, {signed}"));
        }
        page.field(2, "device", line);
        if page.verbose() {
            optional(page, 4, "signature", d.label_signature.as_deref().filter(|s| !s.is_empty()));
        }
    }
    faults_text(page, &l.faults);
}
