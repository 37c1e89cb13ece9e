//! Decrypted envelopes that somebody pasted.

use super::*;

/// An envelope that is not encrypted.
#[derive(Debug, Serialize)]
pub(super) struct EnvelopeView {
    namespace: &'static str,
    /// It was sent like that: receivers must drop it.
    pub(super) sent: bool,
    from: Option<String>,
    to: Option<String>,
    stamp: Option<String>,
    /// There is random padding; null for an opt-out alone.
    rpad: Option<bool>,
    content: Vec<InClearView>,
    opt_out: Option<OptOutView>,
    pub(super) faults: Vec<FaultView>,
    #[serde(skip)]
    pub(super) variant: &'static str,
}

#[derive(Debug, Serialize)]
struct InClearView {
    name: String,
    xml: String,
}

#[derive(Debug, Serialize)]
struct OptOutView {
    reason: Option<String>,
}

/// The view of one.
pub(super) fn view(e: &CapturedEnvelope) -> EnvelopeView {
    let affixes = e.envelope.as_ref();
    let findings = affixes.map(|envelope| envelope.check(&EnvelopeContext::default())).unwrap_or_default();
    let fault = |f: &EnvelopeFinding| FaultView { fatal: f.rejects(), place: f.name().into(), says: f.to_string() };
    EnvelopeView {
        namespace: e.namespace.uri(),
        variant: variant(e.namespace),
        sent: e.sent,
        from: affixes.and_then(|a| a.from.clone()),
        to: affixes.and_then(|a| a.to.clone()),
        stamp: affixes.and_then(|a| a.time.clone()),
        rpad: affixes.map(|a| a.has_rpad),
        content: affixes
            .iter()
            .flat_map(|a| &a.content)
            .map(|c| InClearView { name: c.qualified_name(), xml: c.to_xml() })
            .collect(),
        opt_out: e.opt_out.as_ref().map(|o| OptOutView { reason: o.reason.clone() }),
        faults: findings.iter().map(fault).collect(),
    }
}

/// Its text.
pub(super) fn text(page: &mut Page, e: &EnvelopeView) {
    if e.sent {
        let says = "an envelope that is not encrypted proves nothing: receivers must drop it";
        page.field(2, "fault", Line::new().look(Look::Bad, says));
    }
    optional(page, 2, "from", e.from.as_deref());
    optional(page, 2, "to", e.to.as_deref());
    optional(page, 2, "time", e.stamp.as_deref());
    if let Some(rpad) = e.rpad {
        page.field(2, "random padding", if rpad { "yes" } else { "none" });
    }
    if let Some(opt_out) = &e.opt_out {
        page.field(2, "opt-out", Line::new().look(Look::Warning, "the sender asks for messages without encryption from now on"));
        page.field(2, "reason", opt_out.reason.as_deref().unwrap_or("none is given"));
    }
    for content in &e.content {
        page.field(2, "content", &content.name);
        page.verbatim(4, &content.xml);
    }
    faults_text(page, &e.faults);
}
