use super::*;

/// What is below, line by line, with the transport's times.
fn undressed(text: &str) -> Vec<(String, String)> {
    let (dress, _) = Dress::of(text.as_bytes());
    let mut undressing = dress.open(false);
    let mut found = Vec::new();
    let mut each = |line: &Line<'_>, time: &str| found.push((line.text.to_owned(), time.to_owned()));
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
