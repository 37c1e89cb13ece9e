//! Tree to text.

use super::{Element, Node};
use std::fmt::Write;

impl Element {
    /// The element as XML. A default namespace is declared where it changes; prefixes of elements are
    /// not kept (they carry no meaning).
    pub fn to_xml(&self) -> String {
        let mut out = String::new();
        write_element(&mut out, self, "");
        out
    }
}

fn write_element(out: &mut String, element: &Element, inherited: &str) {
    // Writing to a String cannot fail.
    let _ = write!(out, "<{}", element.name);
    if element.namespace != inherited {
        let _ = write!(out, " xmlns='{}'", Escaped(&element.namespace));
    }
    for attribute in &element.attributes {
        out.push(' ');
        if let Some(prefix) = &attribute.prefix {
            let _ = write!(out, "{prefix}:");
        }
        let _ = write!(out, "{}='{}'", attribute.name, Escaped(&attribute.value));
    }
    if element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for child in &element.children {
        match child {
            Node::Element(child) => write_element(out, child, &element.namespace),
            Node::Text(text) => {
                let _ = write!(out, "{}", Escaped(text));
            }
        }
    }
    let _ = write!(out, "</{}>", element.name);
}

struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '\'' => f.write_str("&apos;")?,
                '"' => f.write_str("&quot;")?,
                // A raw carriage return would come back as a line feed.
                '\r' => f.write_str("&#13;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_text_reads_back_the_same() {
        let text =
            "<m xmlns='jabber:client' id='a&amp;&apos;b' xml:lang='en'><e xmlns='urn:xmpp:omemo:2'>&lt;t&gt;<f/></e><g/></m>";
        let e = Element::parse(text).expect("well-formed");
        assert_eq!(e.to_xml(), text);
        assert_eq!(Element::parse(&e.to_xml()).expect("well-formed"), e);
    }

    #[test]
    fn prefixes_become_default_namespaces() {
        let e = Element::parse("<o:a xmlns:o='x'><b/></o:a>").expect("well-formed");
        assert_eq!(e.to_xml(), "<a xmlns='x'><b xmlns=''/></a>");
    }
}
