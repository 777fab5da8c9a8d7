//! Header fields. RFC 9112, 5.

use super::case::{Case, fields, raw};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        fields("a name in capitals", "9110 5.1", "CONTENT-LENGTH: 2"),
        fields("no space behind the colon", "9112 5", "Content-Length:2"),
        fields("white space around the value", "9112 5", "Content-Length: \t 2 \t"),
        fields("a field without a value", "9110 5.5", "X:\r\nContent-Length: 2"),
        fields("a field twice", "9110 5.2", "X: 1\r\nX: 2\r\nContent-Length: 2"),
        fields("letters beyond ASCII in a value", "9110 5.5", "X: \u{e9}\r\nContent-Length: 2"),
        fields("a tab in a value", "9110 5.5", "X: a\tb\r\nContent-Length: 2"),
        fields("every letter that a name may have", "9110 5.6.2", "!#$%&'*+-.^_`|~09azAZ: x\r\nContent-Length: 2"),
    ];
    for (name, section, text) in [
        ("white space before the colon", "9112 5.1", "Content-Length : 2"),
        ("a line that is folded", "9112 5.2", "X: a\r\n b\r\nContent-Length: 2"),
        ("a line that is folded with a tab", "9112 5.2", "X: a\r\n\tb\r\nContent-Length: 2"),
        ("a first field that begins with a space", "9112 2.2", " Content-Length: 2"),
        ("a field without a name", "9110 5.1", ": x\r\nContent-Length: 2"),
        ("a field without a colon", "9112 5", "X\r\nContent-Length: 2"),
        ("a space in a name", "9110 5.1", "X Y: z\r\nContent-Length: 2"),
        ("a letter beyond ASCII in a name", "9110 5.1", "\u{e9}: x\r\nContent-Length: 2"),
        ("a bracket in a name", "9110 5.6.2", "X(: x\r\nContent-Length: 2"),
        ("a NUL in a value", "9110 5.5", "X: a\0b\r\nContent-Length: 2"),
        ("a control character in a value", "9110 5.5", "X: a\x01b\r\nContent-Length: 2"),
        ("a delete in a value", "9110 5.5", "X: a\x7fb\r\nContent-Length: 2"),
        ("a bare carriage return in a value", "9112 2.2", "X: a\rb\r\nContent-Length: 2"),
        ("a carriage return at the end of a value", "9112 2.2", "X: a\r\r\nContent-Length: 2"),
        ("a bare line feed behind a value", "9112 2.2", "X: a\nContent-Length: 2"),
    ] {
        cases.push(fields(name, section, text).fails("protocol, head"));
    }
    let half = raw("a head without its end", "9112 8", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "");
    cases.push(half.hangs_up().fails("lost, head"));
    let bare = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok";
    cases.push(raw("an empty line of a line feed alone", "9112 2.2", bare, "").fails("protocol, head"));
    cases
}
