//! What a capture yields, in order.

use super::{BareJid, Position, When};
use crate::omemo::xml::{Element, XmlError};

/// One thing read from a capture.
#[derive(Clone, Debug)]
pub enum CaptureEvent {
    /// A stanza.
    Stanza(Box<CapturedStanza>),
    /// A line in which the client itself says something about OMEMO.
    ClientLine(ClientLine),
}

/// Which way a stanza went, seen from the client whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Received.
    Incoming,
    /// Sent.
    Outgoing,
}

/// A stanza with where, when and which way.
#[derive(Clone, Debug)]
pub struct CapturedStanza {
    /// Where it begins.
    pub position: Position,
    /// When the log says it was seen.
    pub time: Option<When>,
    /// Which way; `None` if the log does not tell.
    pub direction: Option<Direction>,
    /// Whose connection, if the log tells.
    pub account: Option<BareJid>,
    /// The log is a server's, with the connections of many.
    pub server: bool,
    /// The stanza, or as much of it as could be read before `error`.
    pub element: Element,
    /// Why it could not be read to its end.
    pub error: Option<XmlError>,
    /// What the log had lost and the reader put back or could not put back, one sentence each.
    pub repairs: Vec<String>,
}

/// A line of a client's log that speaks of OMEMO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLine {
    /// Where it is.
    pub position: Position,
    /// When.
    pub time: Option<When>,
    /// The line without its prefix. May hold names and plaintext: treat as private.
    pub text: String,
    /// Which client wrote it.
    pub client: &'static str,
}
