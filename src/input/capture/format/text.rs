//! Small helpers for reading log lines.

use std::borrow::Cow;

/// Without terminal colour codes (ECMA-48 control sequences).
pub(super) fn without_colours(line: &str) -> Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return line.into();
    }
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'[').is_some() {
            for c in chars.by_ref() {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
    }
    out.into()
}

/// A line that GLib's logging put between others, like `(gajim:75): Gtk-WARNING **: …`.
pub(super) fn is_glib_line(line: &str) -> bool {
    let line = line.strip_prefix("** ").unwrap_or(line);
    line.strip_prefix('(')
        .and_then(|rest| rest.split_once("): "))
        .and_then(|(program, _)| program.rsplit_once(':'))
        .is_some_and(|(_, pid)| !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()))
}

/// Text with the characters escaped that XML text may not hold.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go() {
        assert_eq!(without_colours("\u{1b}[32m(I)\u{1b}[0m x \u{1b}[1;31my\u{1b}[m\u{1b}"), "(I) x y");
    }

    #[test]
    fn glib_lines() {
        assert!(is_glib_line("(gajim:7591): Gtk-CRITICAL **: 03:11:59.394: text"));
        assert!(is_glib_line("** (dino-im:7): WARNING **: text"));
        assert!(!is_glib_line("(alice@localhost) text"));
    }
}
