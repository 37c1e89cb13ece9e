//! What a log wears besides its client's own form: a transport's prefix before each line, the JSON strings of docker,
//! entities of a web form, colours of a terminal. The beginning of the text decides what it is; it is taken off line by
//! line, before a format sees the lines, which keep their numbers and their places in the file. What was wrapped is put
//! together last; it stands where its first line does.

mod colours;
mod entities;
mod json_file;
mod margin;
mod prefix;
mod typography;
mod wrapping;

use super::format::{self, Format, Unit};
use super::source::{Line, MAX_LINE};
use std::borrow::Cow;
use wrapping::Wrapping;

/// How many coats lie one on the other: a quoted mail of a journal's lines with a service's name is three.
const MAX_COATS: usize = 4;

/// One line on its way out of its coats.
#[derive(Debug, Default)]
struct Dressed {
    /// What is left of it.
    text: Vec<u8>,
    /// How many bytes of the file stand before that.
    skipped: usize,
    /// When the transport says it was written.
    time: String,
}

impl Dressed {
    /// Takes off the first bytes.
    fn skip(&mut self, length: usize) {
        let length = length.min(self.text.len());
        self.text.drain(..length);
        self.skipped += length;
    }
}

/// One thing to take off.
#[derive(Clone, Copy, Debug)]
enum Coat {
    Prefix(prefix::Prefix),
    Margin(usize),
    Entities,
    Typography,
}

impl Coat {
    /// Those that the lines of a sample may wear, the surest first.
    fn candidates(lines: &[Dressed]) -> Vec<Self> {
        let mut found = Vec::new();
        found.extend(entities::are_in(lines).then_some(Self::Entities));
        found.extend(typography::is_in(lines).then_some(Self::Typography));
        found.extend(prefix::shared(lines).map(Self::Prefix));
        found.extend(margin::shared(lines).map(Self::Margin));
        found
    }

    fn take_off(self, line: &mut Dressed) {
        match self {
            Self::Prefix(prefix) => prefix.take_off(line),
            Self::Margin(width) => margin::take_off(width, line),
            Self::Entities => entities::decode(&mut line.text),
            Self::Typography => typography::undo(&mut line.text),
        }
    }
}

/// What a text wears.
#[derive(Clone, Debug, Default)]
pub(super) struct Dress {
    /// Each line is a JSON string of docker.
    in_json: bool,
    coloured: bool,
    coats: Vec<Coat>,
    wrapping: Option<Wrapping>,
}

impl Dress {
    /// What the beginning of a text wears, and the format of what is below.
    pub(super) fn of(sample: &[u8]) -> (Self, &'static Format) {
        let (naked, format) = format::detect(sample);
        let mut dress = Self::default();
        if format.unit == Unit::Records {
            return (dress, format);
        }
        let mut lines: Vec<Dressed> = lines(sample).map(|text| Dressed { text: text.to_vec(), ..Dressed::default() }).collect();
        dress.in_json = json_file::are_in(&lines);
        dress.coloured = colours::are_in(sample) || dress.in_json;
        for line in &mut lines {
            if dress.in_json {
                json_file::decode(line);
            }
            colours::take_off(line);
        }
        let (mut score, mut format) = if dress.coloured { detect(&lines) } else { (naked, format) };
        while dress.coats.len() < MAX_COATS {
            let candidates = Coat::candidates(&lines).into_iter().filter_map(|coat| {
                let below: Vec<Dressed> = lines.iter().map(|line| without(line, coat)).collect();
                let (after, format) = detect(&below);
                // Clients, too, begin their lines with times.
                let surely = score == 0 || !matches!(coat, Coat::Prefix(prefix) if prefix.is_only_a_time());
                (after > score || after == score && surely).then_some((after, coat, below, format))
            });
            // Of equal ones the surest, which comes first.
            let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
            let Some((after, coat, below, inner)) = best else { break };
            dress.coats.push(coat);
            (lines, score, format) = (below, after, inner);
        }
        dress.wrapping = Wrapping::of(&lines, &|line| is_head(format, line));
        (dress, format)
    }

    /// Whether the lines must be read one by one, whatever the format.
    pub(super) fn is_by_line(&self) -> bool {
        self.coloured || !self.coats.is_empty() || self.wrapping.is_some()
    }

    /// Whether the lines were broken.
    pub(super) fn is_wrapped(&self) -> bool {
        self.wrapping.is_some()
    }

    /// Starts taking it off what is below in this format.
    pub(super) fn open(self, format: &'static Format) -> Undressing {
        Undressing { dress: self, format, pending: None, wrapped: None, line: Dressed::default() }
    }
}

fn lines(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    sample.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.is_empty())
}

fn without(line: &Dressed, coat: Coat) -> Dressed {
    let mut line = Dressed { text: line.text.clone(), ..Dressed::default() };
    coat.take_off(&mut line);
    line
}

/// The format of lines, and how sure it is.
fn detect(lines: &[Dressed]) -> (usize, &'static Format) {
    let texts: Vec<Cow<'_, str>> = lines.iter().map(|line| String::from_utf8_lossy(&line.text)).collect();
    format::best(&texts.iter().map(AsRef::as_ref).collect::<Vec<&str>>())
}

/// Whether a record of a format begins with a line.
fn is_head(format: &Format, line: &[u8]) -> bool {
    (format.score)(&[&String::from_utf8_lossy(line)]) > 0
}

/// Takes a dress off, line by line.
pub(super) struct Undressing {
    dress: Dress,
    format: &'static Format,
    /// The first pieces of a line that docker has cut.
    pending: Option<Piece>,
    /// The first pieces of a line that was wrapped; of the last one where it begins.
    wrapped: Option<(Piece, usize)>,
    line: Dressed,
}

/// The beginning of a line, and where in the file it is.
#[derive(Default)]
struct Piece {
    text: Vec<u8>,
    time: String,
    number: u64,
    offset: u64,
}

/// Takes a line, with the transport's time.
type Each<'a> = &'a mut dyn FnMut(&Line<'_>, &str);

impl Undressing {
    /// Takes the next line of the file and hands over what is below.
    pub(super) fn line(&mut self, raw: &[u8], number: u64, offset: u64, each: Each<'_>) {
        let dress = &self.dress;
        let plain = !dress.in_json && dress.coats.is_empty() && dress.wrapping.is_none() && !colours::are_in(raw);
        let without_end = raw.strip_suffix(b"\n").unwrap_or(raw);
        if plain {
            let raw = if self.format.unit == Unit::Lines { without_end } else { raw };
            return hand_over(raw, number, offset, "", each);
        }
        self.line.text.clear();
        self.line.text.extend_from_slice(without_end);
        self.line.time.clear();
        self.line.skipped = 0;
        if !self.dress.in_json {
            return self.below(number, offset, each);
        }
        let whole = json_file::decode(&mut self.line);
        let offset = offset.saturating_add(self.line.skipped as u64);
        let piece = self.pending.get_or_insert_with(|| Piece { number, offset, ..Piece::default() });
        piece.text.extend_from_slice(&self.line.text);
        piece.time.clone_from(&self.line.time);
        if whole || piece.text.len() > MAX_LINE {
            self.put_together(each);
        }
    }

    /// The text ends.
    pub(super) fn finish(&mut self, each: Each<'_>) {
        self.put_together(each);
        if let Some((piece, _)) = self.wrapped.take() {
            self.give(piece, each);
        }
    }

    /// What docker has cut is whole.
    fn put_together(&mut self, each: Each<'_>) {
        let Some(Piece { text, time, number, offset }) = self.pending.take() else { return };
        self.line = Dressed { text, skipped: 0, time };
        self.below(number, offset, each);
    }

    fn below(&mut self, number: u64, offset: u64, each: Each<'_>) {
        colours::take_off(&mut self.line);
        for coat in &self.dress.coats {
            coat.take_off(&mut self.line);
        }
        let Dressed { text, skipped, time } = std::mem::take(&mut self.line);
        let piece = Piece { text, time, number, offset: offset.saturating_add(skipped as u64) };
        match self.dress.wrapping {
            Some(wrapping) => self.unwrap(wrapping, piece, each),
            None => self.give(piece, each),
        }
    }

    fn unwrap(&mut self, wrapping: Wrapping, mut piece: Piece, each: Each<'_>) {
        if piece.text.ends_with(b"\r") {
            piece.text.pop();
        }
        let is_head = is_head(self.format, &piece.text);
        if let Some((mut before, last)) = self.wrapped.take() {
            let joint = wrapping.joint(before.text.get(last..).unwrap_or_default(), &piece.text);
            match joint.filter(|_| before.text.len() <= MAX_LINE && !is_head) {
                Some(joint) => {
                    before.text.extend_from_slice(joint);
                    let last = before.text.len();
                    before.text.append(&mut piece.text);
                    self.wrapped = Some((before, last));
                    return;
                }
                None => self.give(before, each),
            }
        }
        // What is neither a record nor holds a stanza is some program's own text, a trace perhaps, line by line.
        if is_head || memchr::memchr(b'<', &piece.text).is_some() {
            self.wrapped = Some((piece, 0));
        } else {
            self.give(piece, each);
        }
    }

    fn give(&mut self, mut piece: Piece, each: Each<'_>) {
        if self.format.unit != Unit::Lines {
            piece.text.push(b'\n');
        }
        hand_over(&piece.text, piece.number, piece.offset, &piece.time, each);
    }
}

fn hand_over(raw: &[u8], number: u64, offset: u64, time: &str, each: Each<'_>) {
    let bytes = raw.strip_suffix(b"\r").unwrap_or(raw);
    let text = &String::from_utf8_lossy(bytes);
    each(&Line { bytes, raw, text, number, offset }, time);
}

#[cfg(test)]
mod tests;
