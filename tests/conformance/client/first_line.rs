//! The first line of a response. RFC 9112, 4.

use super::case::{Case, line, raw};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        line("an honest response", "9112 4", "HTTP/1.1 200 OK"),
        line("no words behind the status", "9112 4", "HTTP/1.1 200 "),
        line("not even a space behind the status", "9112 4", "HTTP/1.1 200"),
        line("words that say something else", "9112 4", "HTTP/1.1 200 Not Found"),
        line("words with letters beyond ASCII", "9112 4", "HTTP/1.1 200 \u{e9}t\u{e9}"),
        line("words with a tab", "9112 4", "HTTP/1.1 200 O\tK"),
        line("a status that nobody knows", "9110 15", "HTTP/1.1 299 What").status(299),
        line("a status beyond those of the standard", "9110 15", "HTTP/1.1 999 What").status(999),
        line("a server of HTTP/1.0", "9112 2.3", "HTTP/1.0 200 OK").closed(),
        line("a server of HTTP/1.2", "9110 2.5", "HTTP/1.2 200 OK"),
        line("a server of HTTP/1.9", "9110 2.5", "HTTP/1.9 200 OK"),
    ];
    for (name, section, first) in [
        ("a status of two digits", "9112 4", "HTTP/1.1 20 OK"),
        ("a status of four digits", "9112 4", "HTTP/1.1 2000 OK"),
        ("a status below 100", "9110 15", "HTTP/1.1 099 OK"),
        ("a status with a sign", "9112 4", "HTTP/1.1 +20 OK"),
        ("a status with a letter", "9112 4", "HTTP/1.1 2x0 OK"),
        ("a status that is missing", "9112 4", "HTTP/1.1  OK"),
        ("two spaces before the status", "9112 4", "HTTP/1.1  200 OK"),
        ("a tab before the status", "9112 4", "HTTP/1.1\t200 OK"),
        ("a space before the version", "9112 4", " HTTP/1.1 200 OK"),
        ("a version in small letters", "9112 2.3", "http/1.1 200 OK"),
        ("HTTP/2.0", "9112 2.3", "HTTP/2.0 200 OK"),
        ("HTTP/2.1", "9112 2.3", "HTTP/2.1 200 OK"),
        ("HTTP/0.9, said", "9112 2.3", "HTTP/0.9 200 OK"),
        ("HTTP/1.10", "9112 2.3", "HTTP/1.10 200 OK"),
        ("HTTP/1", "9112 2.3", "HTTP/1 200 OK"),
        ("a radio station", "9112 2.3", "ICY 200 OK"),
        ("a request instead", "9112 4", "GET / HTTP/1.1"),
        ("a carriage return in the words", "9112 2.2", "HTTP/1.1 200 O\rK"),
        ("a NUL in the words", "9112 4", "HTTP/1.1 200 O\0K"),
    ] {
        cases.push(line(name, section, first).fails("protocol, head"));
    }
    for (name, section, bytes) in [
        ("HTTP/0.9: a page and nothing else", "9112 2.1", &b"<html>\r\n\r\n"[..]),
        ("another protocol", "9112 2.1", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        ("an alert of TLS", "9112 2.1", b"\x15\x03\x01\0\x02\x02\x16"),
        ("an empty line first", "9112 2.2", b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("the first line ends with a bare line feed", "9112 2.2", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
        ("all lines end with bare line feeds", "9112 2.2", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        ("settings of HTTP/2", "9113 3.4", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\r\n\r\n"),
    ] {
        cases.push(raw(name, section, bytes, "").fails("protocol, head"));
    }
    cases
}
