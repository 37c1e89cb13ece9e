//! Cuts stanzas out of the text of one stream, however it is chopped up and whatever stands between
//! them. One broken stanza never hides the next.

use memchr::{memchr, memchr_iter};

/// Longest stanza that is taken in. Servers refuse far shorter ones (Prosody 256 kB to 10 MB); the limit
/// keeps memory bounded when a stanza never ends.
pub const MAX_STANZA: usize = 16 << 20;

/// How much of a stanza beyond [`MAX_STANZA`] is kept, to tell whose it was.
const KEPT_OF_TOO_LONG: usize = 64 << 10;

/// Longest tag outside stanzas (stream headers, wrappers) that is looked at.
const MAX_WRAPPER_TAG: usize = 64 << 10;

/// Open elements that are remembered by name; deeper ones are counted only. The XML reader refuses
/// such stanzas ([`crate::omemo::xml::MAX_DEPTH`]), and every end tag is searched among them.
const MAX_OPEN: usize = 128;

/// Prefix declarations of wrapper elements that are remembered.
const MAX_SCOPE: usize = 64;

/// Stanzas proper. They begin a new stanza wherever they may not stand inside one.
const STANZAS: [&[u8]; 3] = [b"message", b"iq", b"presence"];

/// Elements that are worth reading when they stand alone, as people paste them.
const FRAGMENTS: [&[u8]; 5] = [b"list", b"devices", b"bundle", b"items", b"event"];

/// What is inside an encrypted message, when it stands alone in its own namespace.
const DECRYPTED: [&[u8]; 3] = [b"envelope", b"content", b"opt-out"];

/// Elements in which a whole stanza may stand: forwarding (XEP-0297), and rules about kinds of stanzas.
const MAY_HOLD_STANZAS: [&[u8]; 7] = [b"forwarded", b"item", b"result", b"sent", b"received", b"stanza", b"chat"];

/// A piece of text that holds one stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut<M> {
    /// The stanza as it stood there, preceded by a document type declaration if there was one.
    pub text: Vec<u8>,
    /// Line of its first byte.
    pub line: u64,
    /// Offset of its first byte in the file.
    pub byte: u64,
    /// What was known of the record in which it begins.
    pub meta: M,
    /// Its end was found.
    pub complete: bool,
    /// It was longer than [`MAX_STANZA`]; `text` is only its beginning.
    pub too_long: bool,
    /// What the log had lost.
    pub repairs: Vec<String>,
    /// Prefixes declared around it.
    pub scope: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Text,
    /// After `<`.
    Markup,
    Tag {
        quote: Option<u8>,
    },
    /// After `<!`.
    Bang,
    Comment,
    Cdata,
    Doctype {
        brackets: u32,
    },
    /// `<?…>` and `<!…>`.
    Instruction,
}

/// See the module.
#[derive(Debug)]
pub struct StanzaSplitter<M> {
    mode: Mode,
    /// The stanza under way; outside a stanza the markup under way.
    buffer: Vec<u8>,
    /// Where in the buffer the markup under way begins.
    markup: usize,
    /// Names of open elements; empty outside a stanza.
    open: Vec<Vec<u8>>,
    /// Open elements beyond [`MAX_OPEN`].
    beyond: usize,
    /// A document type declaration seen before the stanza.
    doctype: Vec<u8>,
    scope: Vec<(String, String)>,
    /// Line and byte where the buffer begins, and the record's facts.
    start: Option<(u64, u64, M)>,
    /// The same for the markup under way inside a stanza: it may turn out to begin the next one.
    markup_start: Option<(u64, u64, M)>,
    repairs: Vec<String>,
}

impl<M> Default for StanzaSplitter<M> {
    fn default() -> Self {
        Self {
            mode: Mode::Text,
            buffer: Vec::new(),
            markup: 0,
            open: Vec::new(),
            beyond: 0,
            doctype: Vec::new(),
            scope: Vec::new(),
            start: None,
            markup_start: None,
            repairs: Vec::new(),
        }
    }
}

impl<M: Clone> StanzaSplitter<M> {
    /// Takes the next piece of the stream, which begins at `line` and `byte` of the file.
    pub fn feed(&mut self, piece: &[u8], line: u64, byte: u64, meta: &M, out: &mut Vec<Cut<M>>) {
        let mut line = line;
        let mut counted = 0;
        let mut i = 0;
        while i < piece.len() {
            if self.mode == Mode::Text {
                let rest = &piece[i..];
                let next = memchr(b'<', rest).unwrap_or(rest.len());
                if !self.open.is_empty() {
                    self.buffer.extend_from_slice(&rest[..next]);
                    self.limit(out);
                }
                i += next;
                if i >= piece.len() {
                    break;
                }
            }
            let b = piece[i];
            if b == b'<' {
                line += newlines(&piece[counted..i]);
                counted = i;
                let here = (line, byte.saturating_add(i as u64), meta.clone());
                if matches!(self.mode, Mode::Text | Mode::Markup | Mode::Tag { .. } | Mode::Bang | Mode::Instruction) {
                    self.begin_markup(here);
                    i += 1;
                    continue;
                }
                // Inside comments and the like it counts only if a stanza begins here.
                self.markup_start = Some(here);
            }
            self.byte(b, out);
            self.limit(out);
            i += 1;
        }
    }

    /// The stream ends, or the record does that holds exactly one stanza.
    pub fn finish(&mut self, out: &mut Vec<Cut<M>>) {
        if !self.open.is_empty() {
            if matches!(self.mode, Mode::Tag { .. }) && self.begins_stanza() {
                self.cut_before_markup(out);
                self.emit(false, false, out);
            } else {
                self.emit(false, false, out);
            }
        } else if matches!(self.mode, Mode::Tag { .. }) && self.begins_any() {
            self.emit(false, false, out);
        }
        self.reset();
        self.doctype.clear();
        self.repairs.clear();
    }

    /// Whether a stanza is under way.
    pub fn is_inside(&self) -> bool {
        !self.open.is_empty()
    }

    /// A sentence for the stanza under way, or the next one.
    pub fn repair(&mut self, says: String) {
        if !self.repairs.contains(&says) {
            self.repairs.push(says);
        }
    }

    fn begin_markup(&mut self, here: (u64, u64, M)) {
        if self.open.is_empty() {
            self.buffer.clear();
            self.start = Some(here.clone());
        }
        self.markup_start = Some(here);
        self.markup = self.buffer.len();
        self.buffer.push(b'<');
        self.mode = Mode::Markup;
    }

    fn byte(&mut self, b: u8, out: &mut Vec<Cut<M>>) {
        self.buffer.push(b);
        match self.mode {
            Mode::Text => {}
            Mode::Markup => match b {
                b'/' => self.mode = Mode::Tag { quote: None },
                b'!' => self.mode = Mode::Bang,
                b'?' => self.mode = Mode::Instruction,
                b if b.is_ascii_alphabetic() || b == b'_' || b >= 0x80 => self.mode = Mode::Tag { quote: None },
                _ => self.leave_markup(),
            },
            Mode::Tag { quote: Some(q) } => {
                if b == q {
                    self.mode = Mode::Tag { quote: None };
                }
            }
            Mode::Tag { quote: None } => match b {
                b'"' | b'\'' => self.mode = Mode::Tag { quote: Some(b) },
                b'>' => self.tag(out),
                _ => {}
            },
            Mode::Bang => {
                let seen = &self.buffer[self.markup..];
                self.mode = match seen {
                    b"<!--" => Mode::Comment,
                    b"<![CDATA[" => Mode::Cdata,
                    b"<!DOCTYPE" => Mode::Doctype { brackets: 0 },
                    _ if b"<!--".starts_with(seen) || b"<![CDATA[".starts_with(seen) || b"<!DOCTYPE".starts_with(seen) => {
                        Mode::Bang
                    }
                    _ if b == b'>' => return self.leave_markup(),
                    _ => Mode::Instruction,
                };
            }
            Mode::Instruction => {
                if b == b'>' {
                    self.leave_markup();
                }
            }
            Mode::Comment => self.hidden(b, b"-->", 7, out),
            Mode::Cdata => self.hidden(b, b"]]>", 12, out),
            Mode::Doctype { brackets } => {
                match b {
                    b'[' => self.mode = Mode::Doctype { brackets: brackets.saturating_add(1) },
                    b']' => self.mode = Mode::Doctype { brackets: brackets.saturating_sub(1) },
                    b'>' if brackets == 0 => {
                        if self.open.is_empty() {
                            self.doctype = std::mem::take(&mut self.buffer);
                        }
                        return self.leave_markup();
                    }
                    _ => {}
                }
                self.hidden(b, b"", 0, out);
            }
        }
    }

    /// Text that is no markup: comments, CDATA, DTDs. XMPP forbids all of them, so a stanza that begins
    /// inside means that the end got lost.
    fn hidden(&mut self, b: u8, end: &[u8], shortest: usize, out: &mut Vec<Cut<M>>) {
        let ends = !end.is_empty() && self.buffer.len() - self.markup >= shortest && self.buffer.ends_with(end);
        if ends {
            return self.leave_markup();
        }
        if matches!(b, b' ' | b'\n' | b'\t' | b'\r' | b'>' | b'/') {
            let before = &self.buffer[..self.buffer.len() - 1];
            let Some(stanza) = STANZAS.iter().find(|s| before.ends_with(s) && before[..before.len() - s.len()].ends_with(b"<"))
            else {
                return;
            };
            self.markup = self.buffer.len() - 2 - stanza.len();
            self.cut_before_markup(out);
            self.mode = Mode::Tag { quote: None };
            if b == b'>' {
                self.tag(out);
            }
        }
    }

    /// The markup under way was none, or needs no attention.
    fn leave_markup(&mut self) {
        self.mode = Mode::Text;
        if self.open.is_empty() {
            self.buffer.clear();
        }
    }

    /// A complete tag.
    fn tag(&mut self, out: &mut Vec<Cut<M>>) {
        self.mode = Mode::Text;
        let tag = &self.buffer[self.markup..];
        let name = tag_name(tag).to_vec();
        if tag.starts_with(b"</") {
            self.close(&name, out);
            return;
        }
        let empty = tag.ends_with(b"/>");
        if self.open.is_empty() {
            if !self.begins_any() {
                self.remember_scope();
                self.buffer.clear();
                return;
            }
        } else if self.begins_stanza() {
            self.cut_before_markup(out);
        }
        if !empty {
            if self.open.len() < MAX_OPEN {
                self.open.push(name);
            } else {
                self.beyond += 1;
            }
        } else if self.open.is_empty() {
            self.emit(true, false, out);
        }
    }

    fn close(&mut self, name: &[u8], out: &mut Vec<Cut<M>>) {
        if self.open.is_empty() {
            self.buffer.clear();
            return;
        }
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        // An end tag closes what stands open inside; one without a start is left to the XML reader.
        if let Some(index) = self.open.iter().rposition(|n| n == name) {
            self.open.truncate(index);
            if index == 0 {
                self.emit(true, false, out);
            }
        }
    }

    /// Whether the markup under way begins a stanza that cannot be part of the one around it.
    fn begins_stanza(&self) -> bool {
        let tag = &self.buffer[self.markup..];
        let name = tag_name(tag);
        if tag.starts_with(b"</") || !STANZAS.contains(&local(name)) {
            return false;
        }
        let bare = tag.len() <= name.len() + 3;
        let parent = self.open.last().map(|n| local(n)).unwrap_or_default();
        !bare && !MAY_HOLD_STANZAS.contains(&parent)
    }

    /// Whether the markup under way begins something to read.
    fn begins_any(&self) -> bool {
        let tag = &self.buffer[self.markup..];
        if tag.starts_with(b"</") {
            return false;
        }
        let name = tag_name(tag);
        let local = local(name);
        if STANZAS.contains(&local) || local == b"encrypted" {
            return true;
        }
        let says = |words: &[&[u8]]| words.iter().any(|w| memchr::memmem::find(tag, w).is_some());
        if DECRYPTED.contains(&local) {
            return says(&[b"urn:xmpp:sce:", b"urn:xmpp:omemo:"]);
        }
        let speaks_of_omemo = || says(&[b"omemo", b"axolotl", b"pubsub"]);
        FRAGMENTS.contains(&local) && (local.len() != name.len() || speaks_of_omemo())
    }

    /// Ends the stanza before the markup under way and lets a new one begin there.
    fn cut_before_markup(&mut self, out: &mut Vec<Cut<M>>) {
        let next = self.buffer.split_off(self.markup.min(self.buffer.len()));
        let start = self.markup_start.take();
        if !self.open.is_empty() {
            self.emit(false, false, out);
        }
        self.open.clear();
        self.beyond = 0;
        self.buffer = next;
        self.markup = 0;
        self.markup_start = start.clone();
        self.start = start;
    }

    fn remember_scope(&mut self) {
        let tag = String::from_utf8_lossy(&self.buffer).into_owned();
        for declaration in tag.split("xmlns:").skip(1) {
            let Some((prefix, rest)) = declaration.split_once('=') else { continue };
            let rest = rest.trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let Some(uri) = rest[1..].split(quote).next() else { continue };
            let prefix = prefix.trim();
            if prefix.is_empty() || prefix.len() + uri.len() > 1024 {
                continue;
            }
            self.scope.retain(|(p, _)| p != prefix);
            if self.scope.len() < MAX_SCOPE {
                self.scope.push((prefix.to_owned(), uri.to_owned()));
            }
        }
    }

    fn limit(&mut self, out: &mut Vec<Cut<M>>) {
        if !self.open.is_empty() {
            if self.buffer.len() > MAX_STANZA {
                self.buffer.truncate(KEPT_OF_TOO_LONG);
                self.emit(false, true, out);
            }
        } else if self.buffer.len() > MAX_WRAPPER_TAG {
            if matches!(self.mode, Mode::Tag { .. }) && self.begins_any() {
                self.emit(false, true, out);
            }
            self.reset();
        }
    }

    fn emit(&mut self, complete: bool, too_long: bool, out: &mut Vec<Cut<M>>) {
        let mut text = std::mem::take(&mut self.doctype);
        text.append(&mut self.buffer);
        if let Some((line, byte, meta)) = self.start.take() {
            let repairs = std::mem::take(&mut self.repairs);
            out.push(Cut { text, line, byte, meta, complete, too_long, repairs, scope: self.scope.clone() });
        }
        self.reset();
    }

    fn reset(&mut self) {
        self.mode = Mode::Text;
        self.buffer.clear();
        self.markup = 0;
        self.open.clear();
        self.beyond = 0;
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// The name in a tag, without `<` and `/`.
fn tag_name(tag: &[u8]) -> &[u8] {
    let tag = tag.strip_prefix(b"<").unwrap_or(tag);
    let tag = tag.strip_prefix(b"/").unwrap_or(tag);
    let end = tag.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/' | b'=' | b'"' | b'\''));
    &tag[..end.unwrap_or(tag.len())]
}

fn local(name: &[u8]) -> &[u8] {
    memchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut_in(pieces: &[&[u8]]) -> Vec<Cut<()>> {
        let mut splitter = StanzaSplitter::default();
        let mut out = Vec::new();
        let (mut line, mut byte) = (1, 0);
        for piece in pieces {
            splitter.feed(piece, line, byte, &(), &mut out);
            line += newlines(piece);
            byte += piece.len() as u64;
        }
        splitter.finish(&mut out);
        out
    }

    fn cut(text: &str) -> Vec<(String, bool, u64, u64)> {
        cut_in(&[text.as_bytes()])
            .into_iter()
            .map(|c| (String::from_utf8_lossy(&c.text).into_owned(), c.complete, c.line, c.byte))
            .collect()
    }

    fn texts(text: &str) -> Vec<(String, bool)> {
        cut(text).into_iter().map(|c| (c.0, c.1)).collect()
    }

    fn whole(list: &[&str]) -> Vec<(String, bool)> {
        list.iter().map(|t| ((*t).to_owned(), true)).collect()
    }

    #[test]
    fn looks_through_wrappers_and_garbage() {
        assert_eq!(
            texts(
                "<?xml version='1.0'?><stream:stream xmlns='a'>\nlog <line> <message a='1'><b/></message> & <\n<presence/><x><iq>t</iq></x></stream:stream>"
            ),
            whole(&["<message a='1'><b/></message>", "<presence/>", "<iq>t</iq>"])
        );
    }

    #[test]
    fn positions() {
        assert_eq!(
            cut("a\nb\n <iq/>\n<message>\n</message>"),
            [("<iq/>".into(), true, 3, 5), ("<message>\n</message>".into(), true, 4, 11)]
        );
    }

    #[test]
    fn quotes_comments_cdata() {
        assert_eq!(texts("<message a='>'><b c=\"/>\"/><!-- </message> --><![CDATA[</message>]]></message>").len(), 1);
        assert_eq!(texts("<message to='x'><privacy><message/></privacy></message>").len(), 1);
        assert_eq!(texts("<iq><query><item><message/><presence-in/></item></query></iq>").len(), 1);
    }

    #[test]
    fn forwarded_stanzas_stay_inside() {
        let text = "<message a='1'><sent><forwarded><message b='2'><body>x</body></message></forwarded></sent></message>";
        assert_eq!(texts(text), whole(&[text]));
    }

    #[test]
    fn a_cut_off_stanza_does_not_hide_the_next() {
        for broken in
            ["<message id='1'><key>AAA", "<message id='1'><key>AAA</ke", "<message id='1'><!-- ", "<message id='1'><![CDATA[ "]
        {
            let all = texts(&format!("{broken}<message id='2'><a/></message><iq/>"));
            assert_eq!(all.len(), 3, "{broken}");
            assert_eq!((all[0].1, all[1].0.as_str(), all[1].1), (false, "<message id='2'><a/></message>", true), "{broken}");
        }
        // Cut in the middle of an attribute.
        let all = texts("<message id='1' to='bo\n<message id='2'/>");
        assert_eq!(all.last(), Some(&("<message id='2'/>".to_owned(), true)));
        assert_eq!(texts("<iq/><message id='1'><a>t"), [("<iq/>".to_owned(), true), ("<message id='1'><a>t".to_owned(), false)]);
        assert_eq!(texts("<message id='1"), [("<message id='1".to_owned(), false)]);
    }

    #[test]
    fn wrong_end_tags_do_not_hide_the_next() {
        let all = texts("<message><a><b></message><message></c></message>");
        assert_eq!(all, whole(&["<message><a><b></message>", "<message></c></message>"]));
    }

    #[test]
    fn a_dtd_goes_with_its_stanza() {
        let all = cut("\n<!DOCTYPE m [<!ENTITY a \"b>\">]><message/><iq/>");
        assert_eq!(all[0], ("<!DOCTYPE m [<!ENTITY a \"b>\">]><message/>".into(), true, 2, 32));
        assert_eq!(all[1].0, "<iq/>");
    }

    #[test]
    fn fragments_alone() {
        assert_eq!(texts("<encrypted xmlns='urn:xmpp:omemo:2'></encrypted>").len(), 1);
        assert_eq!(texts("<bundle xmlns='urn:xmpp:omemo:2'/> <list>not ours</list>").len(), 1);
        let scoped = cut_in(&[b"<x xmlns:o='urn:xmpp:omemo:2'><o:devices><o:device/></o:devices></x>"]);
        assert_eq!(scoped.len(), 1);
        assert_eq!(scoped[0].scope, [("o".to_owned(), "urn:xmpp:omemo:2".to_owned())]);
    }

    #[test]
    fn too_long_is_reported_and_left_behind() {
        let mut text = b"<message id='1'><body>".to_vec();
        text.resize(MAX_STANZA + 10, b'a');
        text.extend_from_slice(b"</body></message><iq/>");
        let cuts = cut_in(&text.chunks(1 << 16).collect::<Vec<_>>());
        assert_eq!(cuts.len(), 2);
        assert!(cuts[0].too_long && cuts[0].text.len() == KEPT_OF_TOO_LONG);
        assert_eq!(cuts[1].text, b"<iq/>");
        let tag = format!("<message {}/><iq/>", "a='' ".repeat(MAX_WRAPPER_TAG));
        let cuts = cut_in(&[tag.as_bytes()]);
        assert!(cuts[0].too_long && cuts[1].text == b"<iq/>");
    }

    /// Pieces of markup in any order: more likely to reach odd states than random bytes.
    fn scraps() -> impl Strategy<Value = Vec<u8>> {
        let scrap = prop::sample::select(vec![
            "<message ",
            "<message>",
            "</message>",
            "<iq/>",
            "<presence",
            "'",
            "\"",
            "<",
            ">",
            "/>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<!DOCTYPE ",
            "[",
            "]",
            "<?",
            "?>",
            "<a>",
            "</a>",
            "<forwarded>",
            "</forwarded>",
            " ",
            "\n",
            "é",
            "&lt;",
            "<encrypted>",
            "=",
        ]);
        prop::collection::vec(scrap, 0..60).prop_map(|v| v.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            cut_in(&[&bytes]);
        }

        #[test]
        fn chunks_do_not_matter(text in scraps(), at in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let mut cuts: Vec<usize> = at.iter().map(|i| i.index(text.len() + 1)).collect();
            cuts.push(0);
            cuts.push(text.len());
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            prop_assert_eq!(cut_in(&pieces), cut_in(&[&text]));
        }

        #[test]
        fn garbage_before_does_not_hide_a_stanza(garbage in scraps()) {
            let mut text = garbage;
            text.extend_from_slice(b"\n<message id='last' type='chat'><body>x</body></message>");
            let cuts = cut_in(&[&text]);
            let found = cuts.iter().any(|c| memchr::memmem::find(&c.text, b"id='last'").is_some());
            prop_assert!(found);
        }
    }
}
