//! Small helpers for reading log lines.

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
    fn glib_lines() {
        assert!(is_glib_line("(gajim:7591): Gtk-CRITICAL **: 03:11:59.394: text"));
        assert!(is_glib_line("** (dino-im:7): WARNING **: text"));
        assert!(!is_glib_line("(alice@localhost) text"));
    }
}
