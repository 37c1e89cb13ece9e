//! From a log's records to stanzas: text of one stream is collected, cut and handed over in order.

use super::Line;
use super::clock;
use super::hidden::Hidden;
use super::splitter::{Cut, MAX_STANZA, StanzaSplitter};
use crate::model::{BareJid, CaptureEvent, CapturedStanza, ClientLine, Direction, Landmark, Position, When};
use crate::omemo::xml::{Element, XmlError, XmlErrorKind};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Streams whose stanzas are collected at the same time. A log of one client has two a connection; the
/// limit keeps memory bounded when a log names a new stream in every line.
const MAX_STREAMS: usize = 32;

/// Longest name of a stream that is told apart from others.
const MAX_STREAM_NAME: usize = 4096;

/// Whether a record of a log holds stanzas whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The record is a piece of a stream: stanzas go over from one to the next.
    Chunk,
    /// Stanzas begin and end in the record.
    Whole,
}

/// What is known of a record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which stream of the log it belongs to; the directions are told apart besides.
    pub stream: String,
    /// See [`Framing`].
    pub framing: Framing,
    /// Which way.
    pub direction: Option<Direction>,
    /// When.
    pub time: Option<When>,
    /// Whose connection.
    pub account: Option<BareJid>,
}

impl Record {
    /// A record about which nothing is known.
    pub fn unknown(framing: Framing) -> Self {
        Self { stream: String::new(), framing, direction: None, time: None, account: None }
    }
}

type Key = (String, Option<Direction>);

/// What a stanza keeps of the record it begins in.
#[derive(Clone, Debug)]
struct Meta {
    direction: Option<Direction>,
    time: Option<When>,
    account: Option<BareJid>,
}

/// Where log formats put what they find.
pub struct Records<'a> {
    file: Arc<Path>,
    /// The file has records instead of lines.
    in_records: bool,
    /// It is a server's log.
    server: bool,
    /// Line of the last stanza.
    last: Option<u64>,
    sink: &'a mut dyn FnMut(CaptureEvent),
    streams: HashMap<Key, StanzaSplitter<Meta>>,
    current: Option<(Key, Framing, Meta)>,
    cuts: Vec<Cut<Meta>>,
    /// When the log's transport says the line was written, as it stands there and as it was read.
    carried: (String, Option<When>),
    /// What the text names but does not show.
    pub hidden: Hidden,
    /// The log's lines were wrapped: each stanza may have suffered.
    pub wrapped: bool,
}

impl<'a> Records<'a> {
    /// Puts everything into `sink`, with positions in `file`, which may have records instead of lines.
    pub fn new(file: Arc<Path>, in_records: bool, sink: &'a mut dyn FnMut(CaptureEvent)) -> Self {
        Self {
            file,
            in_records,
            server: false,
            last: None,
            sink,
            streams: HashMap::new(),
            current: None,
            cuts: Vec::new(),
            carried: (String::new(), None),
            hidden: Hidden::default(),
            wrapped: false,
        }
    }

    /// The time of the lines that follow, for those that have none of their own; it may be empty.
    pub fn carried_at(&mut self, time: &str) {
        // Most logs carry none; the length is the quickest to tell.
        if self.carried.0.len() != time.len() || !time.is_empty() && self.carried.0 != time {
            self.carried = (time.to_owned(), clock::read(time));
        }
    }

    /// The log is a server's.
    pub fn of_server(&mut self) {
        self.server = true;
    }

    /// A record begins; the one before ends.
    pub fn begin(&mut self, record: Record) {
        self.end();
        let mut stream = record.stream;
        if stream.len() > MAX_STREAM_NAME {
            stream.clear();
        }
        let key = (stream, record.direction);
        if !self.streams.contains_key(&key) && self.streams.len() >= MAX_STREAMS {
            self.finish_streams();
        }
        let meta = Meta { direction: record.direction, time: record.time, account: record.account };
        self.streams.entry(key.clone()).or_default();
        self.current = Some((key, record.framing, meta));
    }

    /// Whether a record is under way.
    pub const fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// Text of the record under way, which stands at this place in the file.
    pub fn text(&mut self, text: &[u8], line: u64, byte: u64) {
        let Some((key, _, meta)) = &self.current else { return };
        let carried;
        let meta = match &self.carried.1 {
            Some(time) if meta.time.is_none() => {
                carried = Meta { time: Some(time.clone()), ..meta.clone() };
                &carried
            }
            _ => meta,
        };
        if let Some(splitter) = self.streams.get_mut(key) {
            splitter.feed(text, line, byte, meta, &mut self.cuts);
        }
        self.hand_over();
    }

    /// Something was lost or put back in the stanza under way (or the next one of this record).
    pub fn repair(&mut self, says: &str) {
        if let Some((key, ..)) = &self.current
            && let Some(splitter) = self.streams.get_mut(key)
        {
            splitter.repair(says.to_owned());
        }
    }

    /// Whether the stream of the record under way is inside a stanza.
    pub fn is_inside_stanza(&self) -> bool {
        self.current.as_ref().and_then(|(key, ..)| self.streams.get(key)).is_some_and(StanzaSplitter::is_inside)
    }

    /// The record ends.
    pub fn end(&mut self) {
        let Some((key, framing, _)) = self.current.take() else { return };
        if framing == Framing::Whole
            && let Some(mut splitter) = self.streams.remove(&key)
        {
            splitter.finish(&mut self.cuts);
            self.hand_over();
        }
    }

    /// A line in which the client speaks of OMEMO.
    pub fn client_line(&mut self, client: &'static str, line: &Line<'_>, time: Option<When>, text: &str) {
        let text = text.trim().to_owned();
        let position = self.position(line.number, line.offset);
        let time = time.or_else(|| self.carried.1.clone());
        (self.sink)(CaptureEvent::ClientLine(ClientLine { position, time, text, client }));
    }

    /// A line too long to be read.
    pub fn too_long(&mut self, line: u64, byte: u64, limit: usize) {
        let element = Element { name: "line".into(), namespace: String::new(), attributes: Vec::new(), children: Vec::new() };
        let error = Some(XmlError { byte: 0, kind: XmlErrorKind::TooLong(limit) });
        let (position, repairs) = (self.position(line, byte), Vec::new());
        let stanza =
            CapturedStanza { position, time: None, direction: None, account: None, server: self.server, element, error, repairs };
        (self.sink)(CaptureEvent::Stanza(Box::new(stanza)));
    }

    /// The log ends.
    pub fn finish(&mut self) {
        self.end();
        self.finish_streams();
    }

    fn finish_streams(&mut self) {
        for (_, mut splitter) in std::mem::take(&mut self.streams) {
            splitter.finish(&mut self.cuts);
        }
        self.cuts.sort_by_key(|c| c.byte);
        self.hand_over();
    }

    fn position(&self, line: u64, byte: u64) -> Position {
        let landmark = if self.in_records { Landmark::Record } else { Landmark::Line };
        Position { file: self.file.clone(), line, byte, landmark }
    }

    fn hand_over(&mut self) {
        for cut in std::mem::take(&mut self.cuts) {
            let mut position = self.position(cut.line, cut.byte);
            if !self.in_records && self.last.replace(cut.line) == Some(cut.line) {
                position.landmark = Landmark::ByteInLine;
            }
            let mut stanza = stanza(cut, position, self.server);
            if self.wrapped {
                stanza.repairs.push("the lines of this log had been broken at a width and were put together again".into());
            }
            self.hidden.stanza(&stanza);
            (self.sink)(CaptureEvent::Stanza(Box::new(stanza)));
        }
    }
}

fn stanza(cut: Cut<Meta>, position: Position, server: bool) -> CapturedStanza {
    let mut repairs = cut.repairs;
    let text = String::from_utf8(cut.text).unwrap_or_else(|error| {
        repairs.push("bytes that are no UTF-8 text were replaced".into());
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    let (element, error) = match Element::parse_in_scope(&text, &cut.scope) {
        Ok(element) => (element, None),
        Err(failure) => (failure.partial.map_or_else(|| only_the_name(&text), |p| *p), Some(failure.error)),
    };
    let error = if cut.too_long { Some(XmlError { byte: 0, kind: XmlErrorKind::TooLong(MAX_STANZA) }) } else { error };
    let Meta { direction, time, account } = cut.meta;
    CapturedStanza { position, time, direction, account, server, element, error, repairs }
}

/// For a stanza that breaks off in its first tag.
fn only_the_name(text: &str) -> Element {
    let name = text.trim_start_matches('<').split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next();
    let name = name.and_then(|n| n.rsplit(':').next()).unwrap_or_default();
    Element { name: name.to_owned(), namespace: String::new(), attributes: Vec::new(), children: Vec::new() }
}
