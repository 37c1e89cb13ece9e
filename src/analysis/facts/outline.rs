//! What a message says of itself, before it is tried.

use crate::analysis::client_words::Comments;
use crate::analysis::outcome::{Addressing, Element, Header, Origin, Outcome};
use crate::analysis::own_device::OwnDevice;
use crate::mark::mark;
use crate::model::{CapturedMessage, Direction, EncryptedPart};
use crate::omemo::stanza::encrypted::Encrypted;
use std::sync::Arc;

pub(super) fn blank(message: &CapturedMessage, own: usize) -> Outcome {
    let element = match &message.encrypted {
        EncryptedPart::Known(e) => Element::Known {
            namespace: e.namespace,
            sid: e.sid,
            faults: e.faults.as_slice().into(),
            has_payload: e.payload.is_some() || e.payload_left_out,
            payload: mark(&e.payload),
        },
        EncryptedPart::UnknownNamespace { uri, sid } => Element::Unknown { uri: uri.as_str().into(), sid: *sid },
        EncryptedPart::Broken { error, partial } => Element::Broken {
            error: Box::new(error.clone()),
            namespace: partial.as_ref().map(|e| e.namespace),
            sid: partial.as_ref().and_then(|e| e.sid),
        },
    };
    Outcome {
        header: Header {
            id: message.id.as_deref().map(Into::into),
            from: message.from.clone(),
            of_log_owner: message.from.is_some() && message.from == message.account,
            from_full: message.from_full.as_deref().filter(|_| message.from.is_none()).map(Into::into),
            room: message.room.clone(),
            wrapper: message.wrapper,
            delayed: message.sent.is_some(),
            time: message.sent.clone().or_else(|| message.time.clone()),
            direction: message.direction,
            position: message.position.clone(),
            also_at: Vec::new(),
            beside: message.beside,
            fallback_of: message.fallback_of,
        },
        element,
        own,
        origin: Origin::Contact,
        addressing: Arc::default(),
        key: None,
        trials: Arc::default(),
        opened_by: None,
        payload: None,
        seen_before: None,
        trust: None,
        own_newest: None,
        own_counter: None,
        own_exchange: None,
        heard: None,
        chain_end: None,
        peer: None,
        repairs: message.repairs.as_slice().into(),
        comments: Comments::default(),
    }
}

pub(super) fn origin(own: &OwnDevice, message: &CapturedMessage, sid: Option<u32>) -> Origin {
    let outgoing = message.direction == Some(Direction::Outgoing);
    let from_us = match &message.from {
        Some(from) => own.is_jid(from).unwrap_or(outgoing),
        // Our own log's outgoing line, or a room that hides addresses.
        None => outgoing || message.room.is_some(),
    };
    match (sid.is_some() && sid == own.device_id, from_us) {
        // Who does not say where it is from speaks of itself.
        (true, true) => Origin::ThisDevice,
        (true, false) if message.from.is_none() => Origin::ThisDevice,
        (true, false) => Origin::OurIdElsewhere,
        (false, _) if message.from.as_ref().is_some_and(|f| own.is_jid(f) == Some(true)) => Origin::OwnAccount,
        (false, _) => Origin::Contact,
    }
}

pub(super) fn addressing(own: &OwnDevice, encrypted: &Encrypted) -> Addressing {
    let mut addressing = Addressing::default();
    for key in &encrypted.keys {
        let Some(rid) = key.rid else { continue };
        addressing.rids.push(rid);
        let our_jid = own.is_key_jid(key.jid.as_deref());
        match (Some(rid) == own.device_id, our_jid) {
            (true, true) => addressing.ours += 1,
            (true, false) => addressing.other_jid = key.jid.clone(),
            (false, _) => {}
        }
    }
    addressing
}
