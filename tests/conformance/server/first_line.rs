//! The first line but for its target: RFC 9112, 2.3 and 3.1; RFC 9110, 9.

use super::case::{Case, line, raw};

/// What separates tokens, and is in none. RFC 9110, 5.6.2. (The slash is not among them here: it begins a target.)
pub(super) const DELIMITERS: &str = "\"(),:;<=>?@[\\]{}";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = methods();
    cases.extend(versions());
    cases.extend(shapes());
    cases
}

fn methods() -> Vec<Case> {
    let mut cases = vec![
        line("a method in small letters is another method", "9110 9.1", "get / HTTP/1.1").serves(["get / a"]),
        line("a method that nobody knows", "9110 9.1", "BREW /pot HTTP/1.1").serves(["BREW /pot a"]),
        line("every character of a token", "9110 5.6.2", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1")
            .serves(["!#$%&'*+-.^_`|~09azAZ / a"]),
        line("a method beyond ASCII", "9112 3.1", "GÉT / HTTP/1.1").refused(400),
        line("a NUL in the method", "9112 3.1", "GE\0T / HTTP/1.1").refused(400),
        line("a control character in the method", "9112 3.1", "GE\x01T / HTTP/1.1").refused(400),
        line("a slash in the method", "9112 3.1", "GE/T / HTTP/1.1").refused(400),
        line("HEAD", "9110 9.3.2", "HEAD /x HTTP/1.1").serves(["HEAD /x a"]),
        line("POST without a body", "9110 9.3.3", "POST /x HTTP/1.1").serves(["POST /x a"]),
        line("PUT", "9110 9.3.4", "PUT /x HTTP/1.1").serves(["PUT /x a"]),
        line("DELETE", "9110 9.3.5", "DELETE /x HTTP/1.1").serves(["DELETE /x a"]),
        line("CONNECT", "9110 9.3.6", "CONNECT b:80 HTTP/1.1").refused(501),
        line("CONNECT to a path", "9110 9.3.6", "CONNECT /x HTTP/1.1").refused(501),
        line("OPTIONS", "9110 9.3.7", "OPTIONS /x HTTP/1.1").serves(["OPTIONS /x a"]),
        line("TRACE", "9110 9.3.8", "TRACE /x HTTP/1.1").serves(["TRACE /x a"]),
        line("PATCH", "5789 2", "PATCH /x HTTP/1.1").serves(["PATCH /x a"]),
    ];
    for delimiter in DELIMITERS.chars() {
        let wire = format!("GE{delimiter}T / HTTP/1.1");
        cases.push(line(format!("{delimiter} in the method"), "9112 3.1", &wire).refused(400));
    }
    cases
}

fn versions() -> Vec<Case> {
    let line = |name: &str, version: &str| line(name, "9112 2.3", &format!("GET / {version}"));
    let later = |name: &str, text: &str| raw(name, "9110 2.5", text);
    vec![
        line("HTTP/1.0 with a host", "HTTP/1.0").serves(["GET / a"]).closes(),
        line("HTTP/2.0", "HTTP/2.0").refused(505),
        line("HTTP/3.0", "HTTP/3.0").refused(505),
        line("HTTP/0.9, said", "HTTP/0.9").refused(505),
        later("HTTP/1.2 means no less than HTTP/1.1", "GET / HTTP/1.2\r\nHost: a\r\n\r\n").serves(["GET / a"]),
        later("HTTP/1.9", "GET / HTTP/1.9\r\nHost: a\r\n\r\n").serves(["GET / a"]),
        later("HTTP/1.2 is answered in our version", "GET / HTTP/1.2\r\nHost: a\r\n\r\n")
            .serves(["GET / a"])
            .says("http/1.1 200 ok"),
        later("HTTP/1.2 without a host", "GET / HTTP/1.2\r\n\r\n").refused(400),
        later(
            "a body in HTTP/1.2",
            "POST / HTTP/1.2\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        )
        .serves(["POST / a hi"]),
        later(
            "leave to send, in HTTP/1.2",
            "POST / HTTP/1.2\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        )
        .hears("100 Continue")
        .sends("hi")
        .serves(["POST / a hi"])
        .answers([100, 200]),
        line("HTTP/2.1", "HTTP/2.1").refused(505),
        line("a version in small letters", "http/1.1").refused(400),
        line("a version of mixed letters", "Http/1.1").refused(400),
        line("a version of two digits", "HTTP/1.10").refused(400),
        line("a version with a zero first", "HTTP/01.1").refused(400),
        line("a version with a sign", "HTTP/+1.1").refused(400),
        line("a version with a comma", "HTTP/1,1").refused(400),
        line("a version without a point", "HTTP/11").refused(400),
        line("a version without a minor", "HTTP/1.").refused(400),
        line("a version without a major", "HTTP/.1").refused(400),
        line("a version that is no number", "HTTP/1.x").refused(400),
        line("a version of one digit", "HTTP/1").refused(400),
        line("a version without a slash", "HTTP 1.1").refused(400),
        line("a space before the slash", "HTTP /1.1").refused(400),
        line("another protocol's version", "HTPP/1.1").refused(400),
        line("a space behind the version", "HTTP/1.1 ").refused(400),
        line("a tab behind the version", "HTTP/1.1\t").refused(400),
        line("a word behind the version", "HTTP/1.1 x").refused(400),
        line("two versions", "HTTP/1.1 HTTP/1.1").refused(400),
        line("a NUL behind the version", "HTTP/1.1\0").refused(400),
    ]
}

fn shapes() -> Vec<Case> {
    let line = |name: &str, text: &str| line(name, "9112 3", text);
    let raw = |name: &str, section: &'static str, bytes: &str| raw(name, section, bytes);
    vec![
        raw("HTTP/0.9", "9112 3", "GET /\r\n\r\n").refused(400),
        line("no version", "GET /").refused(400),
        line("no version, and a space", "GET / ").refused(400),
        line("a method alone", "GET").refused(400),
        line("no method", " / HTTP/1.1").refused(400),
        line("no target", "GET HTTP/1.1").refused(400),
        line("no target between two spaces", "GET  HTTP/1.1").refused(400),
        line("two spaces before the target", "GET  / HTTP/1.1").refused(400),
        line("two spaces before the version", "GET /  HTTP/1.1").refused(400),
        line("tabs for spaces", "GET\t/\tHTTP/1.1").refused(400),
        line("a tab before the version", "GET /\tHTTP/1.1").refused(400),
        line("a vertical tab for a space", "GET\x0b/ HTTP/1.1").refused(400),
        line("a form feed for a space", "GET / \x0cHTTP/1.1").refused(400),
        line("a no-break space for a space", "GET\u{a0}/ HTTP/1.1").refused(400),
        raw("the preface of HTTP/2", "9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refused(505),
        raw("a TLS greeting", "9112 3", "\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03").refused(400),
        raw("zeros", "9112 3", &"\0".repeat(500)).refused(400),
        raw("another protocol's greeting", "9112 3", "SSH-2.0-OpenSSH_9.2\r\n").waits().refused(408),
        raw("a response", "9112 3", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n").refused(400),
        raw("fields alone", "9112 3", "Host: a\r\n\r\n").refused(400),
    ]
}
