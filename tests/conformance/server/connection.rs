//! What becomes of the connection: RFC 9112, 9; RFC 9110, 7.6.1 and 7.8.

use super::case::{Case, get, post, raw};

pub(super) fn cases() -> Vec<Case> {
    const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    let option = |name: &str, fields: &str| get(name, "9112 9.6", fields);
    let old = |name: &str, fields: &str| raw(name, "9112 9.3", format!("GET / HTTP/1.0\r\n{fields}\r\n"));
    let upgrade = |name: &str, fields: &str| get(name, "9110 7.8", fields);
    vec![
        get("nothing said: it stays", "9112 9.3", "X: y").serves(["GET / a"]),
        get("keep-alive said: it stays", "9112 9.3", "Connection: keep-alive").serves(["GET / a"]),
        option("close", "Connection: close").serves(["GET / a"]).closes(),
        option("close in mixed letters", "connection: CLose").serves(["GET / a"]).closes(),
        option("close in white space", "Connection: \tclose ").serves(["GET / a"]).closes(),
        option("close among others", "Connection: x, close ,y").serves(["GET / a"]).closes(),
        option("close behind a comma", "Connection: ,close").serves(["GET / a"]).closes(),
        option("close and keep-alive", "Connection: close, keep-alive").serves(["GET / a"]).closes(),
        option("keep-alive and close", "Connection: keep-alive, close").serves(["GET / a"]).closes(),
        option("close in a second field", "Connection: x\r\nConnection: close").serves(["GET / a"]).closes(),
        option("close, and a field of keep-alive", "Connection: close\r\nConnection: keep-alive")
            .serves(["GET / a"])
            .closes(),
        option("a word that begins with close", "Connection: closed").serves(["GET / a"]),
        option("an option of a proxy", "Proxy-Connection: close").serves(["GET / a"]),
        option("an empty option", "Connection:").serves(["GET / a"]),
        option("an option that is no word", "Connection: clos\u{e9}").serves(["GET / a"]).closes(),
        option("an option of two words", "Connection: keep-alive close").serves(["GET / a"]).closes(),
        raw(
            "a request behind close is not read",
            "9112 9.6",
            format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n{NEXT}"),
        )
        .serves(["GET / a"])
        .closes(),
        post("a body before close is read", "9112 9.6", "Connection: close\r\nContent-Length: 5\r\n\r\nhello")
            .serves(["POST / a hello"])
            .closes(),
        get("an option that names a field", "9110 7.6.1", "Connection: X\r\nX: y").serves(["GET / a"]),
        get("an option that names the host", "9110 7.6.1", "Connection: Host").serves(["GET / a"]),
        old("HTTP/1.0 closes", "").serves(["GET / -"]).closes(),
        old("HTTP/1.0 closes with a host too", "Host: a\r\n").serves(["GET / a"]).closes(),
        old("HTTP/1.0 stays if it is asked to", "Connection: keep-alive\r\n")
            .serves(["GET / -"])
            .says("connection: keep-alive"),
        old("HTTP/1.0 stays, in mixed letters", "Connection: Keep-Alive\r\n").serves(["GET / -"]),
        old("HTTP/1.0 closes if it is asked for both", "Connection: keep-alive, close\r\n")
            .serves(["GET / -"])
            .closes(),
        old("HTTP/1.0 closes for an option that is no word", "Connection: keep-alive, clos\u{e9}\r\n")
            .serves(["GET / -"])
            .closes(),
        old("HTTP/1.0 does not stay for a number", "Keep-Alive: 300\r\n").serves(["GET / -"]).closes(),
        old("HTTP/1.0 does not stay for a proxy", "Proxy-Connection: keep-alive\r\n").serves(["GET / -"]).closes(),
        raw("a request behind HTTP/1.0 is not read", "9112 9.3", format!("GET / HTTP/1.0\r\n\r\n{NEXT}"))
            .serves(["GET / -"])
            .closes(),
        raw(
            "HTTP/1.0 with a body stays",
            "9112 9.3",
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        )
        .serves(["POST / - hello"]),
        raw(
            "the versions of two requests differ",
            "9112 9.3",
            format!("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n{NEXT}"),
        )
        .serves(["GET / -", "GET /next a"]),
        upgrade("another protocol that nobody here speaks", "Connection: Upgrade\r\nUpgrade: foo/2")
            .serves(["GET / a"]),
        upgrade("HTTP/2 by its old name", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x")
            .serves(["GET / a"]),
        upgrade("a protocol without the option", "Upgrade: websocket").serves(["GET / a"]),
        upgrade("the option without a protocol", "Connection: upgrade").serves(["GET / a"]),
        raw("a protocol in HTTP/1.0", "9110 7.8", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n")
            .serves(["GET / -"])
            .closes(),
        post(
            "a protocol and a body",
            "9110 7.8",
            "Connection: upgrade\r\nUpgrade: foo\r\nContent-Length: 5\r\n\r\nhello",
        )
        .serves(["POST / a hello"]),
    ]
}
