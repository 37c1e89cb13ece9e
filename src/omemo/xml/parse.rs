//! Text to tree.

use super::{Attribute, Element, MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, Node, ParseFailure, XmlError, XmlErrorKind};
use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};

/// The namespace the prefix `xml` stands for without being declared.
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Namespace declarations in scope: prefix (empty for the default namespace) and URI.
pub type Scope = Vec<(String, String)>;

impl Element {
    /// Reads one element. White space, comments, an XML declaration and processing instructions around
    /// it are allowed. A prefix that was never declared keeps the element readable: logs cut stanzas out
    /// of streams whose header declared it; its namespace then is the prefix itself, like `stream:`.
    pub fn parse(text: &str) -> Result<Self, ParseFailure> {
        Self::parse_in_scope(text, &[])
    }

    /// Reads one element that stood inside others, whose declarations are `scope`.
    pub fn parse_in_scope(text: &str, scope: &[(String, String)]) -> Result<Self, ParseFailure> {
        let mut builder = Builder { scope: scope.to_vec(), open: Vec::new(), root: None, error: None, elements: 0 };
        let mut reader = Reader::from_str(text);
        loop {
            let before = offset(reader.buffer_position());
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    builder.fail(offset(reader.error_position()), kind_of(&error));
                    break;
                }
            };
            if matches!(event, Event::Eof) {
                if !builder.open.is_empty() || builder.root.is_none() {
                    builder.fail(text.len(), XmlErrorKind::CutOff);
                }
                break;
            }
            if !builder.take(event, before) {
                break;
            }
        }
        builder.finish()
    }
}

/// What is being read: the elements still open, each with the number of declarations around it.
struct Builder {
    scope: Scope,
    open: Vec<(Element, usize)>,
    root: Option<Element>,
    /// The first thing that was wrong; reading goes on after some.
    error: Option<XmlError>,
    elements: usize,
}

impl Builder {
    fn fail(&mut self, byte: usize, kind: XmlErrorKind) {
        self.error.get_or_insert(XmlError { byte, kind });
    }

    /// Takes the next piece; `false` when nothing after it can be trusted.
    fn take(&mut self, event: Event<'_>, at: usize) -> bool {
        match event {
            Event::Start(start) => return self.start(&start, at),
            Event::Empty(start) => {
                if !self.start(&start, at) {
                    return false;
                }
                self.end();
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content(), at),
            Event::CData(text) => self.text(&text.into_inner(), at),
            Event::GeneralRef(reference) => {
                let name = reference.into_inner();
                match resolve(&name) {
                    Some(c) => self.text(c.encode_utf8(&mut [0; 4]), at),
                    None => self.fail(at, XmlErrorKind::Entity(name.into_owned())),
                }
            }
            // Reading goes on for the sake of what the stanza would say; nothing is ever expanded.
            Event::DocType(_) => self.fail(at, XmlErrorKind::Doctype),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::Eof => {}
        }
        true
    }

    fn start(&mut self, start: &BytesStart<'_>, at: usize) -> bool {
        if self.open.is_empty() && self.root.is_some() {
            self.fail(at, XmlErrorKind::Malformed("a second element after the end of the first".into()));
            return false;
        }
        if self.open.len() >= MAX_DEPTH {
            self.fail(at, XmlErrorKind::TooDeep);
            return false;
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            self.fail(at, XmlErrorKind::TooMany(MAX_ELEMENTS, "elements"));
            return false;
        }
        let declared = self.scope.len();
        let mut attributes: Vec<Attribute> = Vec::new();
        for attribute in start.attributes().with_checks(false) {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error) => {
                    self.fail(at, XmlErrorKind::Malformed(error.to_string()));
                    break;
                }
            };
            if attributes.len() >= MAX_ATTRIBUTES || self.scope.len() >= MAX_ATTRIBUTES {
                self.fail(at, XmlErrorKind::TooMany(MAX_ATTRIBUTES, "attributes or declarations"));
                return false;
            }
            let value = self.unescape(&attribute.value, at);
            let (prefix, name) = split(attribute.key.0);
            match prefix {
                None if name == "xmlns" => self.scope.push((String::new(), value)),
                Some("xmlns") => self.scope.push((name.to_owned(), value)),
                _ => {
                    if attributes.iter().any(|a| a.prefix.as_deref() == prefix && a.name == name) {
                        self.fail(at, XmlErrorKind::Malformed(format!("the attribute {name} is there twice")));
                        continue;
                    }
                    attributes.push(Attribute { prefix: prefix.map(str::to_owned), name: name.to_owned(), value });
                }
            }
        }
        let qualified = start.name();
        let (prefix, name) = split(qualified.0);
        let namespace = self.namespace(prefix);
        self.open.push((Element { name: name.to_owned(), namespace, attributes, children: Vec::new() }, declared));
        true
    }

    fn namespace(&self, prefix: Option<&str>) -> String {
        let wanted = prefix.unwrap_or_default();
        match self.scope.iter().rev().find(|(p, _)| p == wanted) {
            Some((_, uri)) => uri.clone(),
            None if wanted.is_empty() => String::new(),
            None if wanted == "xml" => XML_NAMESPACE.into(),
            None => format!("{wanted}:"),
        }
    }

    fn end(&mut self) {
        let Some((element, declared)) = self.open.pop() else { return };
        self.scope.truncate(declared);
        match self.open.last_mut() {
            Some((parent, _)) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, at: usize) {
        let Some((parent, _)) = self.open.last_mut() else {
            if !text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}').is_empty() {
                self.fail(at, XmlErrorKind::Malformed("text outside the element".into()));
            }
            return;
        };
        match parent.children.last_mut() {
            Some(Node::Text(last)) => last.push_str(text),
            _ => parent.children.push(Node::Text(text.to_owned())),
        }
    }

    /// Attribute values: references resolved, white space as XML 1.0 section 3.3.3 says.
    fn unescape(&mut self, raw: &str, at: usize) -> String {
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(amp) = rest.find('&') {
            let (head, tail) = rest.split_at(amp);
            out.push_str(head);
            let tail = &tail[1..];
            let Some(end) = tail.find(';') else {
                self.fail(at, XmlErrorKind::Malformed("an & that begins no reference".into()));
                out.push('&');
                rest = tail;
                continue;
            };
            let name = &tail[..end];
            match resolve(name) {
                Some(c) => out.push(c),
                None => self.fail(at, XmlErrorKind::Entity(name.to_owned())),
            }
            rest = &tail[end + 1..];
        }
        out.push_str(rest);
        if out.contains(['\n', '\t', '\r']) && !raw.contains("&#") {
            out = out.replace(['\n', '\t', '\r'], " ");
        }
        out
    }

    fn finish(mut self) -> Result<Element, ParseFailure> {
        while !self.open.is_empty() {
            self.end();
        }
        match (self.error, self.root) {
            (None, Some(root)) => Ok(root),
            (None, None) => Err(ParseFailure { error: XmlError { byte: 0, kind: XmlErrorKind::CutOff }, partial: None }),
            (Some(error), partial) => Err(ParseFailure { error, partial: partial.map(Box::new) }),
        }
    }
}

/// The character of a predefined entity or character reference (the text between `&` and `;`).
fn resolve(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok()?,
                None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
                _ => return None,
            };
            char::from_u32(code).filter(|c| matches!(c, '\t' | '\n' | '\r') || *c >= ' ')
        }
    }
}

fn split(qualified: &str) -> (Option<&str>, &str) {
    match qualified.split_once(':') {
        Some((prefix, name)) if !prefix.is_empty() && !name.is_empty() => (Some(prefix), name),
        _ => (None, qualified),
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn kind_of(error: &Error) -> XmlErrorKind {
    match error {
        Error::Syntax(SyntaxError::InvalidBangMarkup) => XmlErrorKind::Malformed(error.to_string()),
        Error::Syntax(_) | Error::IllFormed(IllFormedError::MissingEndTag(_)) => XmlErrorKind::CutOff,
        other => XmlErrorKind::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> ParseFailure {
        Element::parse(text).expect_err("must not be readable")
    }

    #[test]
    fn namespaces_attributes_and_text() {
        let e = Element::parse("<?xml version='1.0'?>\n<m xmlns='a' id=\"1&amp;2\" xml:lang='en'><p:x xmlns:p='b'>t<![CDATA[<]]>&#x41;</p:x><y xmlns=''/></m>\n").expect("well-formed");
        assert!(e.is("m", "a"));
        assert_eq!(e.attribute("id"), Some("1&2"));
        assert_eq!(e.attribute("lang"), None);
        let x = e.child("x", "b").expect("x");
        assert_eq!(x.text(), "t<A");
        assert_eq!(x.children.len(), 1);
        assert!(e.child("y", "").is_some());
    }

    #[test]
    fn undeclared_prefix_is_kept() {
        let e = Element::parse("<stream:error><x/></stream:error>").expect("tolerated");
        assert_eq!((e.name.as_str(), e.namespace.as_str()), ("error", "stream:"));
    }

    #[test]
    fn outer_declarations_count() {
        let scope = [("o".to_owned(), "urn:xmpp:omemo:2".to_owned())];
        assert!(Element::parse_in_scope("<o:encrypted/>", &scope).expect("declared outside").is("encrypted", "urn:xmpp:omemo:2"));
    }

    #[test]
    fn doctype_is_refused_and_nothing_expanded() {
        let f = failure("<!DOCTYPE m [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><m id='1'>x&b;y</m>");
        assert_eq!(f.error.kind, XmlErrorKind::Doctype);
        let partial = f.partial.expect("the rest is read");
        assert_eq!(partial.attribute("id"), Some("1"));
        assert_eq!(partial.text(), "xy");
    }

    #[test]
    fn undefined_entity_is_refused() {
        assert_eq!(failure("<m>&nbsp;</m>").error.kind, XmlErrorKind::Entity("nbsp".into()));
        assert_eq!(failure("<m a='&x;'/>").error.kind, XmlErrorKind::Entity("x".into()));
        assert_eq!(failure("<m>&#0;</m>").error.kind, XmlErrorKind::Entity("#0".into()));
    }

    #[test]
    fn cut_off_keeps_what_was_read() {
        for text in ["<m id='1'><a>te", "<m id='1'><a>text</a", "<m id='1'><a>text</a><b x='"] {
            let f = failure(text);
            assert_eq!(f.error.kind, XmlErrorKind::CutOff, "{text}");
            assert_eq!(f.partial.and_then(|p| p.attribute("id").map(str::to_owned)).as_deref(), Some("1"), "{text}");
        }
        assert_eq!(failure("").error.kind, XmlErrorKind::CutOff);
    }

    #[test]
    fn wrong_end_tag_and_doubled_attribute() {
        assert!(matches!(failure("<m><a></m>").error.kind, XmlErrorKind::Malformed(_)));
        assert!(matches!(failure("<m a='1' a='2'/>").error.kind, XmlErrorKind::Malformed(_)));
        assert!(matches!(failure("<m/><n/>").error.kind, XmlErrorKind::Malformed(_)));
    }

    #[test]
    fn numbers_are_limited() {
        let attributes: String = (0..=MAX_ATTRIBUTES).map(|i| format!(" a{i}=''")).collect();
        assert!(matches!(failure(&format!("<a{attributes}/>")).error.kind, XmlErrorKind::TooMany(..)));
        let declarations: String = (0..=MAX_ATTRIBUTES).map(|i| format!(" xmlns:a{i}='b'")).collect();
        assert!(matches!(failure(&format!("<a{declarations}/>")).error.kind, XmlErrorKind::TooMany(..)));
        let elements = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert!(matches!(failure(&elements).error.kind, XmlErrorKind::TooMany(..)));
    }

    #[test]
    fn depth_is_limited() {
        let deep = "<a>".repeat(MAX_DEPTH + 1) + &"</a>".repeat(MAX_DEPTH + 1);
        let f = failure(&deep);
        assert_eq!(f.error.kind, XmlErrorKind::TooDeep);
        assert!(Element::parse(&("<a>".repeat(MAX_DEPTH) + &"</a>".repeat(MAX_DEPTH))).is_ok());
    }
}
