//! From key material to what a person reads: payload, body, other content, and the envelope's checks.

mod kind;

use crate::model::Content;
use crate::omemo::Namespace;
use crate::omemo::payload::{self, Dialect, PayloadError};
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::stanza::envelope::{Envelope, EnvelopeContext, EnvelopeFinding};
use crate::omemo::stanza::opt_out::OptOut;
use crate::omemo::xml::Element;
use crate::secret::{Plaintext, SecretBytes};

/// What stands in a message whose ratchet layer opened.
#[derive(Clone, Debug)]
pub enum Payload {
    /// There is no payload.
    Empty {
        /// The key material is what the variant wants for an empty message (32 zero bytes in OMEMO 2).
        regular: bool,
    },
    /// There is one, but the log left its text out.
    LeftOut,
    /// It opened.
    Opened(Opened),
    /// It did not.
    Failed(PayloadError),
}

/// An opened payload.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// The body, if there is one.
    pub body: Option<Plaintext>,
    /// Everything else.
    pub content: Vec<Content>,
    /// How the payload was packed.
    pub dialect: Option<Dialect>,
    /// What is wrong with the envelope.
    pub findings: Vec<EnvelopeFinding>,
    /// The sender asks for plaintext from now on.
    pub opt_out: Option<OptOut>,
}

/// Opens the payload of a message with its key material.
pub fn open(encrypted: &Encrypted, key_material: &SecretBytes, context: &EnvelopeContext<'_>) -> Payload {
    let namespace = encrypted.namespace;
    let Some(payload) = &encrypted.payload else {
        if encrypted.payload_left_out {
            return Payload::LeftOut;
        }
        return Payload::Empty { regular: payload::is_empty_message(namespace, key_material.expose()) };
    };
    if namespace.is_legacy() {
        let iv = encrypted.iv.as_deref().unwrap_or_default();
        match payload::open_legacy(key_material.expose(), iv, payload) {
            Ok(opened) => Payload::Opened(Opened {
                body: Some(text(opened.content.expose())),
                dialect: Some(opened.dialect),
                ..Opened::default()
            }),
            Err(error) => Payload::Failed(error),
        }
    } else {
        match payload::open_omemo(namespace, key_material.expose(), payload) {
            Ok(opened) => {
                Payload::Opened(Opened { dialect: Some(opened.dialect), ..envelope(opened.content.expose(), namespace, context) })
            }
            Err(error) => Payload::Failed(error),
        }
    }
}

fn text(bytes: &[u8]) -> Plaintext {
    Plaintext::new(String::from_utf8_lossy(bytes).into_owned())
}

fn envelope(bytes: &[u8], namespace: Namespace, context: &EnvelopeContext<'_>) -> Opened {
    let envelope = match Envelope::parse(bytes, namespace) {
        Ok(envelope) => envelope,
        // Not an envelope: some programs encrypt plain text. It is shown as what it is.
        Err(finding) => {
            return Opened {
                content: vec![Content { name: "text".into(), says: None, xml: text(bytes) }],
                findings: vec![finding],
                ..Opened::default()
            };
        }
    };
    let mut opened = Opened { findings: envelope.check(context), ..Opened::default() };
    for element in &envelope.content {
        if element.is("body", "jabber:client") && opened.body.is_none() {
            opened.body = Some(Plaintext::new(element.text()));
        } else {
            opened.opt_out = opened.opt_out.take().or_else(|| OptOut::from_element(element));
            opened.content.push(Content {
                name: name(element),
                says: kind::of(element).map(Plaintext::new),
                xml: Plaintext::new(element.to_xml()),
            });
        }
    }
    opened
}

fn name(element: &Element) -> String {
    element.qualified_name()
}
