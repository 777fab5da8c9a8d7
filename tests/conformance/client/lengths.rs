//! Where a body ends. RFC 9112, 6.

use super::case::{Case, fields, raw};

pub(super) fn cases() -> Vec<Case> {
    let response = |head: &str, body: &str| format!("HTTP/1.1 {head}\r\n\r\n{body}");
    let mut cases = vec![
        fields("a length", "9112 6.2", "Content-Length: 2"),
        fields("a length with zeros before it", "9110 8.6", "Content-Length: 002"),
        raw("a length of nothing", "9112 6.2", response("200 OK\r\nContent-Length: 0", ""), ""),
        raw("no length: all that comes", "9112 6.3", response("200 OK", "all"), "all").hangs_up(),
        raw("no length, and nothing comes", "9112 6.3", response("200 OK", ""), "").hangs_up(),
        raw("no length, and a wish to stay", "9112 6.3", response("200 OK\r\nConnection: keep-alive", "all"), "all")
            .hangs_up(),
        raw("no length, and a reset", "9112 8", response("200 OK", "all"), "").resets().fails("lost, body"),
        raw("a body that is too short", "9112 8", response("200 OK\r\nContent-Length: 9", "half"), "")
            .hangs_up()
            .fails("lost, body"),
        raw("a body that never begins", "9112 8", response("200 OK\r\nContent-Length: 9", ""), "")
            .hangs_up()
            .fails("lost, body"),
        raw("a reset in mid-body", "9112 8", response("200 OK\r\nContent-Length: 9", "half"), "")
            .resets()
            .fails("lost, body"),
        raw("more than its length", "9112 6.3", response("200 OK\r\nContent-Length: 2", "okay"), "ok").closed(),
        raw("a second response that nobody asked for", "9112 9.2", [OK, OK].concat(), "ok").closed(),
    ];
    for (name, section, text) in [
        ("a negative length", "9110 8.6", "Content-Length: -2"),
        ("a length with a sign", "9110 8.6", "Content-Length: +2"),
        ("a length in hexadecimal", "9110 8.6", "Content-Length: 0x2"),
        ("a length with a fraction", "9110 8.6", "Content-Length: 2.0"),
        ("a length that is empty", "9110 8.6", "Content-Length:"),
        ("a length with a letter", "9110 8.6", "Content-Length: 2x"),
        ("a length with a space", "9110 8.6", "Content-Length: 2 2"),
        ("a length of more than 64 bits", "9110 8.6", "Content-Length: 18446744073709551618"),
        ("a list of one length", "9110 8.6", "Content-Length: 2, 2"),
        ("two lengths that agree", "9112 6.3", "Content-Length: 2\r\nContent-Length: 2"),
        ("two lengths that do not", "9112 6.3", "Content-Length: 2\r\nContent-Length: 3"),
        ("a length and chunks", "9112 6.3", "Content-Length: 2\r\nTransfer-Encoding: chunked"),
        ("chunks and a length", "9112 6.3", "Transfer-Encoding: chunked\r\nContent-Length: 2"),
        ("chunked twice in a field", "9112 6.1", "Transfer-Encoding: chunked, chunked"),
        ("chunked in two fields", "9112 6.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ("a coding that we did not ask for", "9112 6.1", "Transfer-Encoding: gzip, chunked"),
        ("a coding that does not end", "9112 6.1", "Transfer-Encoding: gzip"),
        ("chunked before another coding", "9112 6.1", "Transfer-Encoding: chunked, gzip"),
        ("identity", "9112 7", "Transfer-Encoding: identity"),
        ("chunked with a parameter", "9112 7.1", "Transfer-Encoding: chunked;q=1"),
        ("a coding that looks like chunked", "9112 7", "Transfer-Encoding: xchunked"),
    ] {
        cases.push(fields(name, section, text).fails("protocol, head"));
    }
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    cases.push(raw("chunks in HTTP/1.0", "9112 6.1", old, "").fails("protocol, head"));
    cases
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
