//! Stanza Content Encryption envelopes (XEP-0420) and the OMEMO profile's checks (XEP-0384, "SCE Profile").

use super::opt_out::OptOut;
use super::shorten;
use crate::omemo::Namespace;
use crate::omemo::xml::{Element, XmlError};
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// XEP-0420 0.4 and later.
const SCE_1: &str = "urn:xmpp:sce:1";
/// XEP-0420 before 0.4, as omemo:1 uses it.
const SCE_0: &str = "urn:xmpp:sce:0";

/// How far the envelope's time may be from the stanza's before it is worth a word: clocks and time zones
/// are often wrong by hours.
const TIME_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// Namespaces of elements that only a server may set or read: inside an envelope they mean nothing.
const SERVER_NAMESPACES: [&str; 3] = ["urn:xmpp:hints", "http://jabber.org/protocol/address", "urn:xmpp:eme:0"];

/// A decrypted envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The elements of `<content>` (`<payload>` in omemo:1), server elements included.
    pub content: Vec<Element>,
    /// Whether `<rpad>` is there.
    pub has_rpad: bool,
    /// `<from jid>`.
    pub from: Option<String>,
    /// `<to jid>`.
    pub to: Option<String>,
    /// `<time stamp>`.
    pub time: Option<String>,
    /// The envelope is of the version that the other variant uses.
    pub other_version: bool,
}

/// What the envelope's affixes are compared with.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeContext<'a> {
    /// The sender's real bare JID; `None` if it is not known (an anonymous room).
    pub from: Option<&'a str>,
    /// The receiver's bare JID.
    pub to: Option<&'a str>,
    /// The room's bare JID, if the message came from a group chat.
    pub room: Option<&'a str>,
    /// When it was sent: delay or archive stamp, or when it was seen.
    pub time: Option<Timestamp>,
}

/// A rule that an envelope breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeFinding {
    /// No XML, or no envelope.
    Malformed(String),
    /// `rpad` is missing.
    RpadMissing,
    /// `from` is missing: it should be there.
    FromMissing,
    /// `from` names somebody else.
    FromMismatch {
        /// What it names.
        found: String,
        /// The stanza's sender.
        expected: String,
    },
    /// `from` has a resource.
    FromNotBare(String),
    /// `to` is missing in a group chat.
    ToMissing,
    /// `to` names somebody else.
    ToMismatch {
        /// What it names.
        found: String,
        /// The receiver or room.
        expected: String,
    },
    /// `time` is no date.
    TimeMalformed(String),
    /// `time` is far from the stanza's.
    TimeMismatch(String),
    /// An element that only servers use; the qualified name.
    ServerElementInside(String),
    /// `body` without its namespace: receivers pass it over.
    BodyWithoutNamespace,
    /// The envelope's version belongs to another variant.
    OtherVersion,
}

impl EnvelopeFinding {
    /// A receiver must not show the message as authentic.
    pub const fn rejects(&self) -> bool {
        matches!(self, Self::Malformed(_) | Self::FromMismatch { .. } | Self::ToMissing | Self::ToMismatch { .. })
    }

    /// A short name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed-xml",
            Self::RpadMissing => "rpad-missing",
            Self::FromMissing => "from-missing",
            Self::FromMismatch { .. } => "from-mismatch",
            Self::FromNotBare(_) => "from-not-bare",
            Self::ToMissing => "to-missing",
            Self::ToMismatch { .. } => "to-mismatch",
            Self::TimeMalformed(_) => "time-malformed",
            Self::TimeMismatch(_) => "time-mismatch",
            Self::ServerElementInside(_) => "server-element-inside",
            Self::BodyWithoutNamespace => "body-without-namespace",
            Self::OtherVersion => "other-version",
        }
    }
}

/// One sentence without full stop.
impl fmt::Display for EnvelopeFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "the decrypted content is no envelope: {why}"),
            Self::RpadMissing => f.write_str("the envelope has no random padding (rpad), which OMEMO demands"),
            Self::FromMissing => f.write_str("the envelope does not name its sender, which it should"),
            Self::FromMismatch { found, expected } => {
                write!(f, "the envelope was written by {found}, but the stanza comes from {expected}")
            }
            Self::FromNotBare(jid) => write!(f, "the envelope's sender {jid} has a resource, expected a bare JID"),
            Self::ToMissing => f.write_str("the envelope does not name the room, so it may come from another one"),
            Self::ToMismatch { found, expected } => write!(f, "the envelope is for {found}, but it came to {expected}"),
            Self::TimeMalformed(text) => write!(f, "the envelope's time \u{201c}{text}\u{201d} is no date (XEP-0082)"),
            Self::TimeMismatch(text) => write!(f, "the envelope's time {text} is far from the stanza's"),
            Self::ServerElementInside(name) => write!(f, "the envelope holds {name}, which only servers use"),
            Self::BodyWithoutNamespace => f.write_str("the envelope's body lacks the namespace jabber:client"),
            Self::OtherVersion => f.write_str("the envelope is of a version that this variant does not use"),
        }
    }
}

impl Envelope {
    /// Reads a decrypted payload of omemo:1 or omemo:2. Both versions of the envelope are read in both.
    pub fn parse(plaintext: &[u8], namespace: Namespace) -> Result<Self, EnvelopeFinding> {
        let text = std::str::from_utf8(plaintext).map_err(|_| EnvelopeFinding::Malformed("it is no UTF-8 text".into()))?;
        let root = Element::parse(text).map_err(|f| {
            let XmlError { byte, kind } = f.error;
            EnvelopeFinding::Malformed(format!("{kind} (at byte {byte})"))
        })?;
        Self::from_element(&root, namespace)
            .ok_or_else(|| EnvelopeFinding::Malformed(format!("its first element is {}", shorten(&root.qualified_name()))))
    }

    /// Reads the element; `None` if it is no envelope.
    pub fn from_element(root: &Element, namespace: Namespace) -> Option<Self> {
        let (version, content) = if root.is("envelope", SCE_1) {
            (SCE_1, "content")
        } else if root.is("content", SCE_0) {
            (SCE_0, "payload")
        } else {
            return None;
        };
        let jid = |name: &str| root.child(name, version).and_then(|e| e.attribute("jid")).map(|j| j.trim().to_owned());
        Some(Self {
            content: root.child(content, version)?.elements().cloned().collect(),
            has_rpad: root.child("rpad", version).is_some(),
            from: jid("from"),
            to: jid("to"),
            time: root.child("time", version).and_then(|e| e.attribute("stamp")).map(|t| t.trim().to_owned()),
            other_version: (version == SCE_0) != (namespace == Namespace::Omemo1),
        })
    }

    /// The body, if there is one in the right namespace.
    pub fn body(&self) -> Option<String> {
        self.content.iter().find(|e| e.name == "body" && e.namespace == "jabber:client").map(Element::text)
    }

    /// The opt-out, if it is one.
    pub fn opt_out(&self) -> Option<OptOut> {
        self.content.iter().find_map(OptOut::from_element)
    }

    /// Checks the affixes and the content against the stanza they came in.
    pub fn check(&self, context: &EnvelopeContext<'_>) -> Vec<EnvelopeFinding> {
        let mut findings = Vec::new();
        if self.other_version {
            findings.push(EnvelopeFinding::OtherVersion);
        }
        if !self.has_rpad {
            findings.push(EnvelopeFinding::RpadMissing);
        }
        self.check_from(context, &mut findings);
        self.check_to(context, &mut findings);
        self.check_time(context, &mut findings);
        for element in &self.content {
            if SERVER_NAMESPACES.contains(&element.namespace.as_str()) || element.is("stanza-id", "urn:xmpp:sid:0") {
                findings.push(EnvelopeFinding::ServerElementInside(element.qualified_name()));
            }
            if element.name == "body"
                && (element.namespace == SCE_1 || element.namespace == SCE_0 || element.namespace.is_empty())
            {
                findings.push(EnvelopeFinding::BodyWithoutNamespace);
            }
        }
        findings
    }

    fn check_from(&self, context: &EnvelopeContext<'_>, findings: &mut Vec<EnvelopeFinding>) {
        let Some(from) = &self.from else {
            findings.push(EnvelopeFinding::FromMissing);
            return;
        };
        match context.from {
            Some(expected) if !same_bare(from, expected) => {
                findings.push(EnvelopeFinding::FromMismatch { found: shorten(from), expected: expected.to_owned() });
            }
            _ if from.contains('/') => findings.push(EnvelopeFinding::FromNotBare(shorten(from))),
            _ => {}
        }
    }

    fn check_to(&self, context: &EnvelopeContext<'_>, findings: &mut Vec<EnvelopeFinding>) {
        let expected = context.room.or(context.to);
        match (&self.to, expected) {
            (None, _) if context.room.is_some() => findings.push(EnvelopeFinding::ToMissing),
            (Some(to), Some(expected)) if !same_bare(to, expected) => {
                findings.push(EnvelopeFinding::ToMismatch { found: shorten(to), expected: expected.to_owned() });
            }
            _ => {}
        }
    }

    fn check_time(&self, context: &EnvelopeContext<'_>, findings: &mut Vec<EnvelopeFinding>) {
        let Some(text) = &self.time else { return };
        match text.parse::<Timestamp>() {
            Err(_) => findings.push(EnvelopeFinding::TimeMalformed(shorten(text))),
            Ok(time) => {
                if context.time.is_some_and(|seen| seen.duration_since(time).abs() > TIME_TOLERANCE) {
                    findings.push(EnvelopeFinding::TimeMismatch(shorten(text)));
                }
            }
        }
    }
}

fn same_bare(a: &str, b: &str) -> bool {
    let bare = |jid: &str| jid.split('/').next().unwrap_or_default().to_lowercase();
    bare(a) == bare(b)
}
