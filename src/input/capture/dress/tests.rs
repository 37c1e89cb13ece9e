use super::*;

/// What is below, line by line, with the transport's times.
fn undressed(text: &str) -> Vec<(String, String)> {
    let (dress, format) = Dress::of(text.as_bytes());
    let mut undressing = dress.open(format);
    let mut found = Vec::new();
    let mut each = |line: &Line<'_>, time: &str| found.push((line.text.trim_end_matches('\n').to_owned(), time.to_owned()));
    for (number, line) in text.split_inclusive('\n').enumerate() {
        undressing.line(line.as_bytes(), number as u64, 0, &mut each);
    }
    undressing.finish(&mut each);
    found
}

fn below(text: &str) -> Vec<String> {
    undressed(text).into_iter().map(|(line, _)| line).collect()
}

#[test]
fn prefixes_and_their_times() {
    for (prefix, time) in [
        ("Nov 23 02:32:04 host app[1234]: ", "Nov 23 02:32:04"),
        ("Nov  3 02:32:04.123456 host systemd-run[1]: ", "Nov  3 02:32:04.123456"),
        ("<13>Nov 23 02:32:04 host app: ", "Nov 23 02:32:04"),
        ("2026-11-23T02:32:04+01:00 host app[1]: ", "2026-11-23T02:32:04+01:00"),
        ("<13>1 2026-11-23T02:32:04Z host app - - - ", "2026-11-23T02:32:04Z"),
        ("<13>1 2026-11-23T02:32:04Z host app - - [a b=\"c\\]\"][d] ", "2026-11-23T02:32:04Z"),
        ("2026-11-23T02:32:04.1234567Z ", "2026-11-23T02:32:04.1234567Z"),
        ("name-1  | ", ""),
        ("> ", ""),
        ("[2026-11-23 02:32:04,123] ", "2026-11-23 02:32:04,123"),
        ("    ", ""),
    ] {
        let found = undressed(&format!("{prefix}<iq>\n{prefix}  text\n{prefix}</iq>\n"));
        let expected = ["<iq>", "  text", "</iq>"].map(|line| (line.to_owned(), time.to_owned()));
        assert_eq!(found, expected, "{prefix}");
    }
}

#[test]
fn colours_go() {
    assert_eq!(below("\u{1b}[32m(I)\u{1b}[0m x \u{1b}[1;31my\u{1b}[m\u{1b}\n\u{1b}["), ["(I) x y", ""]);
}

#[test]
fn entities_are_put_back_once() {
    assert_eq!(
        below("&lt;message a=&quot;&#39;&#x27;&amp;lt;&unknown; & &#xd800;&quot;/&gt;"),
        ["<message a=\"''&lt;&unknown; & &#xd800;\"/>"]
    );
}

/// Times that clients write themselves are theirs to read.
#[test]
fn a_clients_own_times_stay() {
    for line in [
        "2026-11-23T02:05:25.984736Z: conn: DBG: RECV: <iq/>",
        "2026-11-23 02:05:25 DEBUG    slixmpp.xmlstream: RECV: <iq/>",
        "10-31 09:13:45.475  5177  5196 D conversations: text",
        "Nov 23 02:32:04 c2s5573\tdebug\tRECV: <iq/>",
        "11/23/26 02:32:00 (I) gajim.c.settings         |          Commit",
    ] {
        assert_eq!(below(&format!("{line}\n{line}\n")), [line, line]);
    }
}

#[test]
fn lines_without_the_prefix_stay() {
    let text = format!("-- Journal begins --\n{}", "Nov 23 02:32:04 host app[1]: <iq/>\n".repeat(20));
    assert_eq!(below(&text)[..2], ["-- Journal begins --", "<iq/>"]);
}

/// Breaks a text at a width: anywhere, or between words where they are not too long.
fn wrapped(text: &str, width: usize, at_words: bool) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut rest = line;
        while rest.chars().count() > width {
            let room = rest.char_indices().nth(width).map_or(rest.len(), |(at, _)| at);
            let blank = rest[..room].rfind(' ').filter(|at| at_words && *at > 0);
            let long = |at: usize| rest[at + 1..].split(' ').next().is_some_and(|word| word.chars().count() > width);
            match blank.filter(|at| !long(*at)) {
                Some(at) => {
                    out = out + &rest[..at] + "\n";
                    rest = &rest[at + 1..];
                }
                None => {
                    out = out + &rest[..room] + "\n";
                    rest = &rest[room..];
                }
            }
        }
        out = out + rest + "\n";
    }
    out
}

#[test]
fn what_was_wrapped_is_put_together() {
    let key = "MwohBSB0ACvIiJspXga8do02rUY2GTGv1ubquAic0juP/SA0EAEYACIwUp6sVpY0eLRWkUE01v8f9vNjfKYZYwET5PYEn2u2URhgG01rc9dHWOGNfmd6dyKMA9lOWZUdIUc=";
    let stanza = format!(
        "<message from='é@localhost'><encrypted xmlns='a'><key rid='1577235761'>{key}</key> two words<payload>{key}{key}</payload></encrypted></message>"
    );
    let log = format!(
        "11/23/26 02:32:00 (I) gajim.c.settings         |          Commit\n11/23/26 02:32:00 (I) nbxmpp.connection        |          (grace@localhost) ::::: DATA RECEIVED ::::\n\n{stanza}\n\n"
    );
    for text in [stanza.clone() + "\n", log.repeat(5)] {
        for width in [64, 76, 80, 99] {
            for at_words in [false, true] {
                let expected: Vec<&str> = text.lines().collect();
                assert_eq!(below(&wrapped(&text, width, at_words)), expected, "{width} {at_words}");
            }
        }
    }
}

#[test]
fn what_was_not_wrapped_stays() {
    let text = "<iq>\n".to_owned() + &format!("<a>{}</a>\n", "x".repeat(69)).repeat(5) + &"y".repeat(200) + "\n</iq>\n";
    assert_eq!(below(&text), text.lines().collect::<Vec<_>>());
}
