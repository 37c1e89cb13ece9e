//! What transports of logs put before each line: journald and syslog, docker and docker compose, mail programs.

use super::Dressed;
use std::ops::Range;

/// A prefix that a line has.
struct Found {
    length: usize,
    /// Where in it the time is.
    time: Range<usize>,
}

/// A kind of prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// `Nov 23 02:32:04 host app[1234]: `, as journald prints it and syslog's files hold it (RFC 3164); the time may be
    /// one of ISO 8601, a priority may stand before it.
    Syslog,
    /// `<13>1 2026-11-23T02:32:04.123Z host app 1234 - - ` (RFC 5424).
    Syslog5424,
    /// `2026-11-23T02:32:04.123456789Z `, as `docker logs -t` writes it. No client counts so finely; zeros at the end may
    /// be left out.
    Docker,
    /// `name-1  | `, as docker compose writes it.
    Compose,
    /// `> `, as mail programs quote.
    Quote,
    /// Nothing but a time, date and all.
    Time,
}

const ALL: [Prefix; 6] = [Prefix::Syslog, Prefix::Syslog5424, Prefix::Docker, Prefix::Compose, Prefix::Quote, Prefix::Time];

/// The prefixes that nearly all lines of a sample share, the surest first.
pub(super) fn shared(lines: &[Dressed]) -> impl Iterator<Item = Prefix> {
    ALL.into_iter().filter(|prefix| match prefix {
        // A sentence and a signature stand around what is quoted.
        Prefix::Quote => {
            let quoted = lines.iter().filter(|line| prefix.find(&line.text).is_some());
            quoted.clone().count() * 2 > lines.len()
                && quoted.clone().any(|line| memchr::memchr2(b'<', b'&', &line.text).is_some())
        }
        prefix => nearly_all(lines, |line| prefix.find(line).is_some()),
    })
}

/// Whether nine of ten lines are such.
pub(super) fn nearly_all(lines: &[Dressed], is: impl Fn(&[u8]) -> bool) -> bool {
    let allowed = lines.len() / 10;
    !lines.is_empty() && lines.iter().filter(|line| !is(&line.text)).take(allowed + 1).count() <= allowed
}

impl Prefix {
    /// Whether clients write such prefixes themselves.
    pub(super) fn is_only_a_time(self) -> bool {
        self == Self::Time
    }

    /// Takes it off a line that has it, and keeps its time.
    pub(super) fn take_off(self, line: &mut Dressed) {
        let Some(found) = self.find(&line.text) else { return };
        if let Some(time) = line.text.get(found.time).filter(|time| !time.is_empty()) {
            line.time = String::from_utf8_lossy(time).into_owned();
        }
        line.skip(found.length);
    }

    fn find(self, text: &[u8]) -> Option<Found> {
        let mut reader = Reader { text, at: 0 };
        let time = match self {
            Self::Syslog => {
                reader.priority();
                let time = reader.time()?;
                reader.blank()?;
                reader.word(is_host)?;
                reader.blank()?;
                reader.word(is_program)?;
                if reader.takes(b'[') {
                    reader.word(|byte| byte.is_ascii_digit())?;
                    reader.takes(b']').then_some(())?;
                }
                reader.takes(b':').then_some(())?;
                time
            }
            Self::Syslog5424 => {
                reader.priority()?;
                reader.takes(b'1').then_some(())?;
                reader.blank()?;
                let time = reader.time()?;
                reader.blank()?;
                // Host, program, process, kind of message.
                for _ in 0..4 {
                    reader.word(is_word)?;
                    reader.blank()?;
                }
                reader.structured_data()?;
                time
            }
            Self::Docker => {
                let time = reader.time()?;
                let fraction = text.get(time.clone())?.strip_suffix(b"Z")?.rsplit(|byte| *byte == b'.').next()?;
                (fraction.len() >= 7).then_some(time)?
            }
            Self::Compose => {
                reader.word(is_program)?;
                reader.blank()?;
                while reader.blank().is_some() {}
                reader.takes(b'|').then_some(0..0)?
            }
            Self::Quote => reader.takes(b'>').then_some(0..0)?,
            Self::Time => {
                let bracket = reader.takes(b'[');
                let time = reader.time()?;
                (!bracket || reader.takes(b']')).then_some(time)?
            }
        };
        // At the end of an empty line the blank may be missing.
        if reader.at < text.len() && reader.blank().is_none() && self != Self::Quote && reader.rest() != b"\r" {
            return None;
        }
        Some(Found { length: reader.at, time })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':')
}

fn is_program(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'@' | b'+')
}

/// Reads a line from its beginning on.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Longest word of a prefix.
    const LONGEST: usize = 64;

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is = self.rest().first() == Some(&byte);
        self.at += usize::from(is);
        is
    }

    fn blank(&mut self) -> Option<()> {
        self.takes(b' ').then_some(())
    }

    fn word(&mut self, is_part: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let word = self.rest();
        let word = &word[..word.iter().take(Self::LONGEST).take_while(|byte| is_part(**byte)).count()];
        self.at += word.len();
        Some(word).filter(|word| !word.is_empty())
    }

    /// `<13>`
    fn priority(&mut self) -> Option<()> {
        let number = self.rest().strip_prefix(b"<")?;
        let digits = number.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        (digits > 0 && number.get(digits) == Some(&b'>')).then(|| self.at += digits + 2)
    }

    /// `2026-11-23T02:32:04`, with fraction and zone or without, or `Nov 23 02:32:04`.
    fn time(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if self.shape(b"0000-00-00") {
            (self.takes(b'T') || self.takes(b' ')).then_some(())?;
        } else {
            // English names of months; a day of one digit is padded.
            let month = self.rest().get(..3)?;
            (month[0].is_ascii_uppercase() && month[1..].iter().all(u8::is_ascii_lowercase)).then(|| self.at += 3)?;
            (self.shape(b" 00 ") || self.shape(b"  0 ")).then_some(())?;
        }
        self.shape(b"00:00:00").then_some(())?;
        if matches!(self.rest().first(), Some(b'.' | b',')) {
            self.at += 1;
            self.word(|byte| byte.is_ascii_digit())?;
        }
        let _ =
            self.takes(b'Z') || self.shape(b"+00:00") || self.shape(b"-00:00") || self.shape(b"+0000") || self.shape(b"-0000");
        Some(start..self.at)
    }

    /// Takes what looks like this, with any digit for `0`.
    fn shape(&mut self, shape: &[u8]) -> bool {
        let Some(text) = self.rest().get(..shape.len()) else { return false };
        let fits = shape.iter().zip(text).all(|(want, byte)| if *want == b'0' { byte.is_ascii_digit() } else { want == byte });
        self.at += if fits { shape.len() } else { 0 };
        fits
    }

    /// `-`, or `[…]` once or several times.
    fn structured_data(&mut self) -> Option<()> {
        if self.takes(b'-') {
            return Some(());
        }
        let start = self.at;
        while self.rest().first() == Some(&b'[') {
            let end = self.rest().windows(2).position(|pair| pair[1] == b']' && pair[0] != b'\\')?;
            self.at += end + 2;
        }
        (self.at > start).then_some(())
    }
}
