//! A page of text for a person: lines of styled spans, wrapped at the terminal's width. Whatever comes
//! onto a page is made [`safe`] on the way in, so no view can forget it.

use super::safe::safe;
use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, TableStyle, Width};
use std::fmt::{Display, Write as _};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Narrowest width that lines are wrapped at.
pub const NARROWEST: usize = 40;

/// Widest lines that are still read with ease.
const WIDEST_PROSE: usize = 110;

/// How a piece of text looks. Meaning never hangs on the colour alone: the words say it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Ordinary.
    Plain,
    /// A heading or a name.
    Strong,
    /// Less important.
    Faint,
    /// Fine.
    Good,
    /// Needs a look.
    Warning,
    /// Broken.
    Bad,
}

impl Look {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// One line (or paragraph) made of spans.
#[derive(Clone, Debug, Default)]
pub struct Line {
    spans: Vec<(Look, String)>,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text with a look.
    pub fn look(mut self, look: Look, text: impl Display) -> Self {
        self.spans.push((look, safe(&text.to_string()).into_owned()));
        self
    }

    /// Adds ordinary text.
    pub fn plain(self, text: impl Display) -> Self {
        self.look(Look::Plain, text)
    }

    /// Adds strong text.
    pub fn strong(self, text: impl Display) -> Self {
        self.look(Look::Strong, text)
    }

    /// Adds faint text.
    pub fn faint(self, text: impl Display) -> Self {
        self.look(Look::Faint, text)
    }
}

impl<T: Display> From<T> for Line {
    fn from(text: T) -> Self {
        Self::new().plain(text)
    }
}

/// The page.
#[derive(Debug)]
pub struct Page {
    out: String,
    width: usize,
    verbose: bool,
}

impl Page {
    /// An empty page for a terminal of `width` columns.
    pub fn new(width: usize, verbose: bool) -> Self {
        Self { out: String::new(), width: width.max(NARROWEST), verbose }
    }

    /// Whether the reader asked for more.
    pub const fn verbose(&self) -> bool {
        self.verbose
    }

    /// Columns there are.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// What was written, with ANSI styles.
    pub fn finish(self) -> String {
        self.out
    }

    /// What was written so far; the page is empty afterwards.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// An empty line, but never two and none at the top.
    pub fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A heading with a gap above.
    pub fn heading(&mut self, text: impl Display) {
        self.gap();
        self.line(0, Line::new().strong(text));
    }

    /// A paragraph, all its lines indented by `indent` columns.
    pub fn line(&mut self, indent: usize, line: impl Into<Line>) {
        self.hanging(indent, indent, line);
    }

    /// `- ` and a paragraph that hangs behind it.
    pub fn bullet(&mut self, indent: usize, line: impl Into<Line>) {
        let mut spans = vec![(Look::Plain, "- ".to_owned())];
        spans.extend(line.into().spans);
        self.hanging(indent, indent + 2, Line { spans });
    }

    /// `name: value` with the value hanging behind the name's column.
    pub fn field(&mut self, indent: usize, name: &str, value: impl Into<Line>) {
        let pad = FIELD_COLUMN.saturating_sub(name.chars().count() + 1).max(1);
        let mut spans =
            vec![(Look::Faint, safe(name).replace(' ', &GLUE.to_string()) + ":"), (Look::Plain, GLUE.to_string().repeat(pad))];
        spans.extend(value.into().spans);
        self.hanging(indent, indent + FIELD_COLUMN, Line { spans });
    }

    /// Text of several lines as it is, each made safe, indented.
    pub fn verbatim(&mut self, indent: usize, text: &str) {
        for part in text.split('\n') {
            self.line(indent, part.trim_end_matches('\r').replace('\t', "    "));
        }
    }

    /// A line that is never broken, so that it can be copied.
    pub fn unbroken(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.out, "{:indent$}{}", "", safe(text));
    }

    /// A paragraph whose first line is indented by `first`, the others by `rest` columns.
    pub fn hanging(&mut self, first: usize, rest: usize, line: impl Into<Line>) {
        let line = line.into();
        let cells: Vec<Glyph> = line.spans.iter().flat_map(|(look, text)| text.chars().map(|c| (c, *look))).collect();
        let limit = self.width.min(WIDEST_PROSE);
        let mut rest_cells = cells.as_slice();
        let mut indent = first;
        loop {
            let room = limit.saturating_sub(indent).max(8);
            let (now, later) = split_at_width(rest_cells, room);
            self.out.extend(std::iter::repeat_n(' ', if now.is_empty() { 0 } else { indent }));
            self.write_cells(now);
            self.out.push('\n');
            if later.is_empty() {
                return;
            }
            rest_cells = later;
            indent = rest;
        }
    }

    /// A table with a faint header, fitted to the width. Where it does not fit, its rows follow each other as fields.
    pub fn columns(&mut self, indent: usize, header: &[&str], rows: Vec<Vec<(Look, String)>>) {
        let words = (0..header.len()).map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at).map(|(_, text)| text.as_str()));
            cells.chain(header.get(at).copied()).map(longest_word).max().unwrap_or_default()
        });
        let words: Vec<usize> = words.collect();
        let needed = words.iter().map(|word| word + GUTTER).sum::<usize>();
        if indent + needed > self.width + GUTTER {
            return self.stacked(indent, header, &rows);
        }
        let mut table = Table::new();
        table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic).enforce_styling();
        table.set_width(u16::try_from(self.width.saturating_sub(indent)).unwrap_or(u16::MAX));
        if header.iter().any(|h| !h.is_empty()) {
            table.set_header(header.iter().map(|h| Cell::new(h).add_attribute(Attribute::Dim)));
        }
        for row in rows {
            table.add_row(row.iter().map(|(look, text)| {
                // A cell may have lines of its own; each is made safe.
                let text = text.split('\n').map(|part| safe(part).into_owned()).collect::<Vec<_>>().join("\n");
                look_of_cell(*look, Cell::new(text))
            }));
        }
        for (at, word) in words.into_iter().enumerate() {
            let Some(column) = table.column_mut(at) else { continue };
            let padding = if at == 0 { 1 } else { GUTTER };
            if at == 0 {
                column.set_padding((0, 1));
            }
            let least = u16::try_from(word + padding).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
        for line in table.lines() {
            let _ = writeln!(self.out, "{:indent$}{}", "", trim_styled(&line));
        }
    }

    /// The rows of a table that is too wide: the first cell, and the others by name below it.
    fn stacked(&mut self, indent: usize, header: &[&str], rows: &[Vec<(Look, String)>]) {
        for row in rows {
            for (at, (look, text)) in row.iter().enumerate().filter(|(_, (_, text))| !text.is_empty()) {
                let value = Line::new().look(*look, text.replace('\n', " "));
                match header.get(at).filter(|name| at > 0 && !name.is_empty()) {
                    Some(name) => self.field(indent + 2, name, value),
                    None => self.line(if at == 0 { indent } else { indent + 2 }, value),
                }
            }
        }
    }

    fn write_cells(&mut self, cells: &[Glyph]) {
        let mut open: Option<Look> = None;
        for &(c, look) in cells {
            if open != Some(look) {
                if let Some(before) = open {
                    let _ = write!(self.out, "{:#}", before.style());
                }
                let _ = write!(self.out, "{}", look.style());
                open = Some(look);
            }
            self.out.push(if c == GLUE { ' ' } else { c });
        }
        if let Some(last) = open {
            let _ = write!(self.out, "{:#}", last.style());
        }
    }
}

/// A blank that no line is broken at.
const GLUE: char = '\u{a0}';

/// Column at which the values of fields begin.
const FIELD_COLUMN: usize = 20;

/// Blanks between the columns of a table.
const GUTTER: usize = 2;

fn longest_word(text: &str) -> usize {
    text.split([' ', '\n']).map(UnicodeWidthStr::width).max().unwrap_or_default()
}

fn look_of_cell(look: Look, cell: Cell) -> Cell {
    match look {
        Look::Plain => cell,
        Look::Strong => cell.add_attribute(Attribute::Bold),
        Look::Faint => cell.add_attribute(Attribute::Dim),
        Look::Good => cell.fg(Color::Green),
        Look::Warning => cell.fg(Color::Yellow),
        Look::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

/// Takes blanks off the end, also those before closing styles.
fn trim_styled(line: &str) -> String {
    let (mut text, mut styles) = (line.trim_end(), String::new());
    while let Some(start) = text.strip_suffix('m').and_then(|_| text.rfind("\u{1b}[")) {
        styles.insert_str(0, &text[start..]);
        text = text[..start].trim_end();
    }
    text.to_owned() + &styles
}

/// A character and how it looks.
type Glyph = (char, Look);

/// Splits at the last blank that fits into `room` columns. A word that is longer, like a path, runs over: it must stay
/// whole to be copied.
fn split_at_width(cells: &[Glyph], room: usize) -> (&[Glyph], &[Glyph]) {
    let mut used = 0;
    let mut last_blank = None;
    for (at, (c, _)) in cells.iter().enumerate() {
        if *c == ' ' && at > 0 {
            last_blank = Some(at);
        }
        used += c.width().unwrap_or(0);
        if used > room {
            let word_ends = || at + cells[at..].iter().take_while(|(c, _)| *c != ' ').count();
            let cut = last_blank.unwrap_or_else(word_ends);
            let (now, later) = cells.split_at(cut);
            let skip = later.iter().take_while(|(c, _)| *c == ' ').count();
            let keep = now.len() - now.iter().rev().take_while(|(c, _)| *c == ' ').count();
            return (now.get(..keep).unwrap_or_default(), later.get(skip..).unwrap_or_default());
        }
    }
    (cells, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(page: Page) -> String {
        anstream::adapter::strip_str(&page.finish()).to_string()
    }

    #[test]
    fn wraps_at_words_with_a_hanging_indent() {
        let mut page = Page::new(40, false);
        page.bullet(2, Line::new().plain("the message belongs to a ").strong("later state").plain(" of our ratchet"));
        assert_eq!(plain(page), "  - the message belongs to a later state\n    of our ratchet\n");
    }

    #[test]
    fn long_words_run_over_to_be_copied() {
        let mut page = Page::new(40, false);
        page.line(2, format!("at {} it stands", "x".repeat(100)));
        assert_eq!(plain(page), format!("  at\n  {}\n  it stands\n", "x".repeat(100)));
    }

    #[test]
    fn a_table_that_does_not_fit_becomes_a_list() {
        let table = |width| {
            let mut page = Page::new(width, false);
            let row = vec![
                (Look::Strong, "1577235761".into()),
                (Look::Plain, "not-yet-decided".into()),
                (Look::Plain, "4107bee9 628dbc94\n55c2792b e0e5674b".into()),
            ];
            page.columns(2, &["device", "trust", "fingerprint"], vec![row]);
            plain(page)
        };
        assert_eq!(table(60).lines().count(), 3);
        let names = ["1577235761", "trust:", "fingerprint:"];
        assert!(names.iter().all(|name| table(40).lines().any(|line| line.trim_start().starts_with(name))), "{}", table(40));
    }

    #[test]
    fn no_escape_sequence_from_input_survives() {
        let mut page = Page::new(80, false);
        page.line(0, Line::new().strong("evil\u{1b}]0;title\u{7}"));
        page.verbatim(2, "a\u{1b}[2Jb\nc");
        page.columns(0, &["h"], vec![vec![(Look::Bad, "x\u{1b}[2Jy".into())]]);
        let text = plain(page);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
        assert!(text.contains("evil\\u{1b}]0;title") && text.contains("x\\u{1b}[2Jy") && text.contains("a\\u{1b}[2Jb"));
    }
}
