//! What OMEMO stanzas turn out to be after carbons, archive results and PubSub are taken off.

use super::{BareJid, Direction, Position, When};
use crate::omemo::Namespace;
use crate::omemo::stanza::bundle::Bundle;
use crate::omemo::stanza::device_list::DeviceList;
use crate::omemo::stanza::encrypted::Encrypted;
use crate::omemo::stanza::envelope::Envelope;
use crate::omemo::stanza::opt_out::OptOut;
use crate::omemo::xml::XmlError;

/// Something in a stanza that concerns OMEMO.
#[derive(Clone, Debug)]
pub enum Item {
    /// An encrypted message.
    Message(Box<CapturedMessage>),
    /// A device list, published, pushed or fetched.
    DeviceList(CapturedDeviceList),
    /// A bundle, published, pushed or fetched.
    Bundle(Box<CapturedBundle>),
    /// An envelope that is not encrypted.
    Envelope(Box<CapturedEnvelope>),
    /// A PubSub request on an OMEMO node that the server refused.
    PubsubFailure(PubsubFailure),
}

/// How a message was wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrapper {
    /// Not at all.
    Direct,
    /// Carbon of a message another own device sent (XEP-0280).
    CarbonSent,
    /// Carbon of a message another own resource received.
    CarbonReceived,
    /// Archive result (XEP-0313).
    Archive,
}

/// An encrypted message.
#[derive(Clone, Debug)]
pub struct CapturedMessage {
    /// Where the stanza begins.
    pub position: Position,
    /// When the log saw it.
    pub time: Option<When>,
    /// Which way.
    pub direction: Option<Direction>,
    /// Whose connection, if the log tells.
    pub account: Option<BareJid>,
    /// The log is a server's, with the connections of many.
    pub server: bool,
    /// Stanza id (`id` of the inner message).
    pub id: Option<String>,
    /// `origin-id` (XEP-0359).
    pub origin_id: Option<String>,
    /// Archive ids: `stanza-id` and the archive result's id.
    pub archive_ids: Vec<String>,
    /// The sender's real bare JID; in a group chat `None` if it is not known.
    pub from: Option<BareJid>,
    /// `from` as written.
    pub from_full: Option<String>,
    /// Bare `to`.
    pub to: Option<BareJid>,
    /// The room, in a group chat.
    pub room: Option<BareJid>,
    /// How it was wrapped.
    pub wrapper: Wrapper,
    /// Delay stamp (XEP-0203).
    pub sent: Option<When>,
    /// The encrypted part.
    pub encrypted: EncryptedPart,
    /// The body beside the encrypted text, hashed: bodies are not kept.
    pub beside: Option<u64>,
    /// Which clients write the fallback text that stands beside it, where it is one of the canned ones.
    pub fallback_of: Option<&'static str>,
    /// Repairs of the log reader.
    pub repairs: Vec<String>,
}

/// The encrypted part of a message.
#[derive(Clone, Debug)]
pub enum EncryptedPart {
    /// An element of a known variant.
    Known(Encrypted),
    /// An element in a namespace that looks like OMEMO but is not defined.
    UnknownNamespace {
        /// The namespace.
        uri: String,
        /// `sid`, if it can be read.
        sid: Option<u32>,
    },
    /// The stanza's XML broke; what could be read of the element before that, if anything.
    Broken {
        /// What broke.
        error: XmlError,
        /// What could be read.
        partial: Option<Encrypted>,
    },
}

/// A device list of an account.
#[derive(Clone, Debug)]
pub struct CapturedDeviceList {
    /// Where the stanza begins.
    pub position: Position,
    /// When.
    pub time: Option<When>,
    /// Which way (outgoing: published by this client).
    pub direction: Option<Direction>,
    /// The stanza's id.
    pub stanza_id: Option<String>,
    /// Whose list; `None` if the stanza does not say (a list we publish ourselves, before `--account` is known).
    pub owner: Option<BareJid>,
    /// The list.
    pub list: DeviceList,
    /// PubSub item id.
    pub item_id: Option<String>,
    /// How many items the node's answer had.
    pub items: usize,
}

/// A bundle of a device.
#[derive(Clone, Debug)]
pub struct CapturedBundle {
    /// Where the stanza begins.
    pub position: Position,
    /// When.
    pub time: Option<When>,
    /// Which way (outgoing: published by this client).
    pub direction: Option<Direction>,
    /// The stanza's id.
    pub stanza_id: Option<String>,
    /// Whose; `None` as in [`CapturedDeviceList::owner`].
    pub owner: Option<BareJid>,
    /// Device id, from the node's name or the item id.
    pub device_id: Option<u32>,
    /// The bundle.
    pub bundle: Bundle,
}

/// An envelope, or an opt-out alone, that is not encrypted: somebody pasted it, or a client sent it so by mistake.
#[derive(Clone, Debug)]
pub struct CapturedEnvelope {
    /// Where the stanza begins.
    pub position: Position,
    /// When.
    pub time: Option<When>,
    /// Which way.
    pub direction: Option<Direction>,
    /// The stanza's id.
    pub stanza_id: Option<String>,
    /// It stood in a message, so it was sent like that.
    pub sent: bool,
    /// The variant that has such envelopes.
    pub namespace: Namespace,
    /// The envelope; `None` for an opt-out alone.
    pub envelope: Option<Envelope>,
    /// The opt-out, if it is one.
    pub opt_out: Option<OptOut>,
}

/// A refused request on an OMEMO node.
#[derive(Clone, Debug)]
pub struct PubsubFailure {
    /// Where the error stanza begins.
    pub position: Position,
    /// When.
    pub time: Option<When>,
    /// Its id, the same as the request's.
    pub stanza_id: Option<String>,
    /// Whose node.
    pub owner: Option<BareJid>,
    /// The node, where the error repeats it or the request was seen.
    pub node: Option<String>,
    /// The error condition, like `item-not-found` or `precondition-not-met`.
    pub condition: String,
}
