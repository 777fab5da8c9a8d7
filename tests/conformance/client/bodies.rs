//! Responses that have no body, and such as are compressed.

use super::case::{Case, raw};

pub(super) fn cases() -> Vec<Case> {
    let response = |head: &str, body: &[u8]| [format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat();
    let gzip = |section, name: &str, bytes: &[u8], body: &str| {
        let head = format!("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}", bytes.len());
        raw(name, section, response(&head, bytes), body)
    };
    vec![
        raw("HEAD: a length and no body", "9110 9.3.2", response("200 OK\r\nContent-Length: 99", b""), "")
            .asked("HEAD"),
        raw("HEAD: chunks and no body", "9110 9.3.2", response("200 OK\r\nTransfer-Encoding: chunked", b""), "")
            .asked("HEAD"),
        raw("HEAD: no length", "9112 6.3", response("200 OK", b""), "").asked("HEAD"),
        raw("HEAD: an error", "9112 6.3", response("404 No\r\nContent-Length: 9", b""), "").asked("HEAD").status(404),
        raw("HEAD: a body all the same", "9112 6.3", response("200 OK\r\nContent-Length: 2", b"ok"), "")
            .asked("HEAD")
            .closed(),
        raw(
            "HEAD: a conflict of lengths",
            "9112 6.3",
            response("200 OK\r\nContent-Length: 1\r\nContent-Length: 2", b""),
            "",
        )
        .asked("HEAD")
        .fails("protocol, head"),
        raw("204", "9112 6.3", response("204 No Content", b""), "").status(204),
        raw("204 with a length", "9110 8.6", response("204 No Content\r\nContent-Length: 5", b""), "")
            .status(204)
            .closed(),
        raw("204 with a length of nothing", "9110 8.6", response("204 No Content\r\nContent-Length: 0", b""), "")
            .status(204),
        raw("204 with a body", "9110 15.3.5", response("204 No Content\r\nContent-Length: 2", b"ok"), "")
            .status(204)
            .closed(),
        raw("204 in chunks", "9112 6.1", response("204 No Content\r\nTransfer-Encoding: chunked", b""), "")
            .status(204)
            .closed(),
        raw("304", "9112 6.3", response("304 Not Modified", b""), "").status(304),
        raw(
            "304 with the length of what it does not send",
            "9110 8.6",
            response("304 Not Modified\r\nContent-Length: 99", b""),
            "",
        )
        .status(304),
        raw("304 with a body", "9110 15.4.5", response("304 Not Modified\r\nContent-Length: 2", b"ok"), "")
            .status(304)
            .closed(),
        raw("205 with a body", "9110 15.3.6", response("205 Reset\r\nContent-Length: 2", b"ok"), "ok").status(205),
        gzip("9110 8.4", "gzip", HELLO, "hello"),
        gzip("9110 8.4", "gzip with its end missing", &HELLO[..HELLO.len() - 8], "").fails("coding").keeps_or_not(),
        gzip("9110 8.4", "gzip that is none", b"hello", "").fails("coding").keeps_or_not(),
        gzip("9110 17.6", "a gzip bomb", BOMB, "").fails("too large, body").keeps_or_not(),
        raw(
            "a coding that we do not know is left alone",
            "9110 8.4",
            response("200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 2", b"bx"),
            "bx",
        ),
        gzip("9110 12.5.3", "who asks for gzip himself gets it as it is", b"\x1f\x8b", "\x1f\u{fffd}")
            .field("accept-encoding", "gzip"),
    ]
}

/// `hello`, and ten thousand letters.
const HELLO: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00";
const BOMB: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xac\xef\x5f\xc2\x1c\x6e\x40\
\x01\x00\x00\x00\x00\x00\x00\x00\x00\xc0\xbf\x01\x97\xd4\x7e\x46\x10\x27\x00\x00";
