//! A small XML tree for one stanza. DTDs and entities other than the five predefined ones are refused,
//! depth and size are limited: input is hostile.

mod parse;
mod write;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 100;

/// Most elements in one stanza: the tree takes far more memory than the text. A long roster has some
/// thousands.
pub const MAX_ELEMENTS: usize = 200_000;

/// Most attributes of one element, and most namespace declarations in force at one place: both are
/// searched one by one.
pub const MAX_ATTRIBUTES: usize = 200;

/// An element that a log reader puts in the place of a text that the log left out, so that it is not
/// taken for an empty or broken one. No client sends it.
pub const LEFT_OUT_XML: &str = "<left-out xmlns='omemoscope:log'/>";

/// An element with its resolved namespace. `jabber:client`, `jabber:server` and no namespace at all
/// are the same to the methods that compare: logs lose the default namespace of their stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Namespace URI; empty if none was declared.
    pub namespace: String,
    /// Attributes in document order, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// Content in document order.
    pub children: Vec<Node>,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Prefix as written (`xml` in `xml:lang`), usually none.
    pub prefix: Option<String>,
    /// Local name.
    pub name: String,
    /// Value, unescaped.
    pub value: String,
}

/// A piece of an element's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Text, unescaped.
    Text(String),
}

/// Why text is no readable XML element.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (at byte {byte} of the stanza)")]
pub struct XmlError {
    /// Offset in the stanza's text.
    pub byte: usize,
    /// What is wrong.
    pub kind: XmlErrorKind,
}

/// The kinds of [`XmlError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlErrorKind {
    /// A document type declaration: XMPP forbids it (RFC 6120, 11.1), and it can be an attack.
    #[error("a document type declaration (DTD), which XMPP forbids")]
    Doctype,
    /// A reference to an entity that is not predefined.
    #[error("a reference to the undefined entity &{0};")]
    Entity(String),
    /// The text ends inside the element.
    #[error("the stanza is cut off")]
    CutOff,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// More elements, attributes or declarations than [`MAX_ELEMENTS`] and [`MAX_ATTRIBUTES`].
    #[error("more than {0} {1}")]
    TooMany(usize, &'static str),
    /// Longer than a reader of captures takes in.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// Not well-formed in another way.
    #[error("not well-formed: {0}")]
    Malformed(String),
}

/// Why text could not be read, and what could be read all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ParseFailure {
    /// The first thing that was wrong.
    pub error: XmlError,
    /// What was read up to it, with open elements closed. After a refused DTD or entity the rest was
    /// read too, with nothing in the place of the entity.
    pub partial: Option<Box<Element>>,
}

/// Whether two namespaces are the same for stanza-level elements.
fn same_namespace(a: &str, b: &str) -> bool {
    let client = |n: &str| n.is_empty() || n == "jabber:client" || n == "jabber:server";
    a == b || (client(a) && client(b))
}

impl Element {
    /// Whether it has this name and namespace.
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name == name && same_namespace(&self.namespace, namespace)
    }

    /// The value of an attribute without prefix.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.prefix.is_none() && a.name == name).map(|a| a.value.as_str())
    }

    /// The child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|n| match n {
            Node::Element(e) => Some(e),
            Node::Text(_) => None,
        })
    }

    /// The first child with this name and namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.elements().find(|e| e.is(name, namespace))
    }

    /// The text directly inside, joined.
    pub fn text(&self) -> String {
        self.children.iter().filter_map(|n| if let Node::Text(t) = n { Some(t.as_str()) } else { None }).collect()
    }

    /// Whether the log left out the text of this element (see [`LEFT_OUT_XML`]).
    pub fn is_left_out(&self) -> bool {
        self.child("left-out", "omemoscope:log").is_some()
    }

    /// `{namespace}name`, or the bare name when there is no namespace.
    pub fn qualified_name(&self) -> String {
        if self.namespace.is_empty() { self.name.clone() } else { format!("{{{}}}{}", self.namespace, self.name) }
    }

    /// The element itself and everything below it, in document order.
    pub fn descendants(&self) -> impl Iterator<Item = &Element> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let element = stack.pop()?;
            stack.extend(element.elements().collect::<Vec<_>>().into_iter().rev());
            Some(element)
        })
    }
}
