//! What a code means: `omemoscope/explain/1`.

use super::{Line, Page, View, page::Look};
use crate::analysis::words::TOPIC;
use serde::Serialize;

/// One code or state with its documentation.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The word.
    pub code: String,
    /// The part of the list that it stands in.
    pub group: &'static str,
    /// What it is said of.
    pub subject: &'static str,
    /// A few words on it, to be read after the subject.
    pub title: String,
    /// Whether nothing is wrong when it is said.
    pub harmless: bool,
    /// The documentation, in Markdown.
    pub markdown: String,
}

/// The list of all words.
#[derive(Debug, Serialize)]
pub struct Explanations {
    /// Each with its documentation.
    pub codes: Vec<Explanation>,
}

impl View for Explanation {
    const COMMAND: &'static str = "explain";

    fn text(&self, page: &mut Page) {
        let subject = if self.subject.is_empty() { String::new() } else { format!("{} ", self.subject) };
        page.line(0, Line::new().strong(&self.code).plain(format!(": {subject}{}", self.title)));
        // The text begins with the code as its heading, which stands above already.
        let text = self.markdown.trim();
        let text = text.strip_prefix('#').and_then(|t| t.trim_start().strip_prefix(self.code.as_str())).unwrap_or(text);
        let (lay, more) = text.find(FOR_DEVELOPERS).map_or((text, ""), |at| text.split_at(at));
        page.gap();
        markdown(page, lay);
        if self.code != TOPIC {
            page.gap();
            page.line(0, words_line());
        }
        markdown(page, more);
    }
}

impl View for Explanations {
    const COMMAND: &'static str = "explain";

    fn text(&self, page: &mut Page) {
        for group in self.codes.chunk_by(|a, b| a.group == b.group) {
            let Some(first) = group.first() else { continue };
            page.heading(first.group);
            list(page, group);
        }
        page.gap();
        page.line(0, Line::new().plain("For one of them in full: ").strong("omemoscope explain CODE"));
        page.line(0, words_line());
    }
}

/// The heading of what only developers need.
const FOR_DEVELOPERS: &str = "### For those who repair clients";

/// Where the words of all explanations, and the repairs that they name, are explained.
fn words_line() -> Line {
    Line::new().plain("For the words used, and how to do a repair: ").strong("omemoscope explain words")
}

/// One group. What all are said of stands once above them.
fn list(page: &mut Page, group: &[Explanation]) {
    let one = group.first().map(|e| e.subject).filter(|subject| group.iter().all(|e| e.subject == *subject));
    let rows = group.iter().map(|e| {
        let look = if e.harmless { Look::Good } else { Look::Strong };
        let says = if one.is_some() { e.title.clone() } else { format!("{} {}", e.subject, e.title) };
        vec![(look, e.code.clone()), (Look::Plain, says)]
    });
    let subject = one.map(|subject| format!("{subject} …")).unwrap_or_default();
    page.columns(2, &["", &subject], rows.collect());
}

/// Shows the small part of Markdown that the explanations use: headings, paragraphs, lists, fenced text.
fn markdown(page: &mut Page, text: &str) {
    let mut paragraph = String::new();
    let mut bullet = false;
    let mut fenced = false;
    let flush = |page: &mut Page, paragraph: &mut String, bullet: &mut bool| {
        if !paragraph.is_empty() {
            let line = inline(paragraph);
            if *bullet { page.bullet(0, line) } else { page.line(0, line) }
        }
        paragraph.clear();
        *bullet = false;
    };
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            flush(page, &mut paragraph, &mut bullet);
            fenced = !fenced;
        } else if fenced {
            page.line(2, line);
        } else if trimmed.is_empty() {
            flush(page, &mut paragraph, &mut bullet);
            page.gap();
        } else if let Some(heading) = trimmed.strip_prefix('#') {
            flush(page, &mut paragraph, &mut bullet);
            page.heading(heading.trim_start_matches('#').trim());
        } else if let Some(item) = trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("* ")) {
            flush(page, &mut paragraph, &mut bullet);
            bullet = true;
            paragraph.push_str(item);
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(trimmed);
        }
    }
    flush(page, &mut paragraph, &mut bullet);
}

/// `code`, **strong** and [links] to other codes inside a paragraph.
fn inline(text: &str) -> Line {
    let mut line = Line::new();
    for (n, part) in text.split('`').enumerate() {
        if n % 2 == 1 {
            line = line.strong(part);
            continue;
        }
        for (n, part) in part.split("**").enumerate() {
            line = if n % 2 == 1 { line.strong(part) } else { links(line, part) };
        }
    }
    line
}

/// `[no-session]` becomes the code alone.
fn links(mut line: Line, text: &str) -> Line {
    let is_code = |word: &str| word.contains('-') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        match after.split_once(']') {
            Some((word, behind)) if is_code(word) => {
                line = line.plain(before).strong(word);
                rest = behind;
            }
            _ => {
                line = line.plain(before).plain('[');
                rest = after;
            }
        }
    }
    line.plain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_a_page() {
        let mut page = Page::new(60, false);
        markdown(&mut page, "One `a` and\n**b** [no-session] [x].\n\n# What to do\n\n- first\n  line\n- second\n");
        let text = anstream::adapter::strip_str(&page.finish()).to_string();
        assert_eq!(text, "One a and b no-session [x].\n\nWhat to do\n\n- first line\n- second\n");
    }
}
