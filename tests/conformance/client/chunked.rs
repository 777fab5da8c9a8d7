//! A body in chunks. RFC 9112, 7.1.

use super::case::{Case, chunks, raw};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        chunks("one chunk", "9112 7.1", "2\r\nok\r\n0\r\n\r\n", "ok"),
        chunks("two chunks", "9112 7.1", "1\r\no\r\n1\r\nk\r\n0\r\n\r\n", "ok"),
        chunks("no chunk but the last", "9112 7.1", "0\r\n\r\n", ""),
        chunks("a size in capitals", "9112 7.1", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        chunks("a size with zeros before it", "9112 7.1", "0002\r\nok\r\n000\r\n\r\n", "ok"),
        chunks("an extension", "9112 7.1.1", "2;a=b\r\nok\r\n0;c\r\n\r\n", "ok"),
        chunks("an extension in quotes", "9112 7.1.1", "2;a=\"b;c\"\r\nok\r\n0\r\n\r\n", "ok"),
        chunks("trailers", "9112 7.1.2", "2\r\nok\r\n0\r\nX: y\r\nZ: 1\r\n\r\n", "ok"),
        chunks("a length among the trailers", "9110 6.5.1", "2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n", "ok"),
        chunks("line ends in the data", "9112 7.1", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
        chunks("something behind the last chunk", "9112 7.1", "2\r\nok\r\n0\r\n\r\nmore", "ok").closed(),
        chunks("a response behind the last chunk", "9112 9.2", format!("0\r\n\r\n{NEXT}"), "").closed(),
    ];
    for (name, section, bytes) in [
        ("a size that is no number", "9112 7.1", "xyz\r\nok\r\n0\r\n\r\n"),
        ("a size with a sign", "9112 7.1", "+2\r\nok\r\n0\r\n\r\n"),
        ("a negative size", "9112 7.1", "-2\r\nok\r\n0\r\n\r\n"),
        ("a size with 0x before it", "9112 7.1", "0x2\r\nok\r\n0\r\n\r\n"),
        ("a space before a size", "9112 7.1", " 2\r\nok\r\n0\r\n\r\n"),
        ("a space behind a size", "9112 7.1", "2 \r\nok\r\n0\r\n\r\n"),
        ("an empty size", "9112 7.1", "\r\nok\r\n0\r\n\r\n"),
        ("a size of more than 64 bits", "9112 7.1", "10000000000000002\r\nok\r\n0\r\n\r\n"),
        ("a size with an underscore", "9112 7.1", "0_2\r\nok\r\n0\r\n\r\n"),
        ("a size that ends with a bare line feed", "9112 7.1", "2\nok\r\n0\r\n\r\n"),
        ("a chunk that is longer than its size", "9112 7.1", "2\r\nokay\r\n0\r\n\r\n"),
        ("a chunk that ends with a bare line feed", "9112 7.1", "2\r\nok\n0\r\n\r\n"),
        ("a bare line feed in an extension", "9112 7.1.1", "2;a\nb\r\nok\r\n0\r\n\r\n"),
        ("a bare carriage return in an extension", "9112 7.1.1", "2;a\rb\r\nok\r\n0\r\n\r\n"),
        ("a trailer that ends with a bare line feed", "9112 7.1.2", "2\r\nok\r\n0\r\nX: y\n\r\n"),
        ("a trailer without a colon", "9112 7.1.2", "2\r\nok\r\n0\r\nX\r\n\r\n"),
        ("a trailer that is folded", "9112 5.2", "2\r\nok\r\n0\r\nX: y\r\n z\r\n\r\n"),
        ("white space before the colon of a trailer", "9112 5.1", "2\r\nok\r\n0\r\nX : y\r\n\r\n"),
    ] {
        cases.push(chunks(name, section, bytes, "").fails("protocol, body"));
    }
    for (name, bytes) in [
        ("cut before the first chunk", ""),
        ("cut in a size", "2"),
        ("cut in a chunk", "2\r\no"),
        ("cut behind a chunk", "2\r\nok\r\n"),
        ("cut before the empty line at the end", "2\r\nok\r\n0\r\n"),
        ("cut in the trailers", "2\r\nok\r\n0\r\nX: y\r\n"),
    ] {
        cases.push(chunks(name, "9112 8", bytes, "").hangs_up().fails("lost, body"));
    }
    cases.push(chunks("a reset between chunks", "9112 8", "2\r\nok\r\n", "").resets().fails("lost, body"));
    cases.push(raw("Chunked in capitals", "9112 7", CAPITALS, "ok"));
    cases
}

const CAPITALS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n";
const NEXT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
