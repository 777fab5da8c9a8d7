//! Interim responses. RFC 9110, 15.2.

use super::case::{Case, raw};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

pub(super) fn cases() -> Vec<Case> {
    let before = |name: &str, section, interim: &str| raw(name, section, format!("{interim}{OK}"), "ok");
    vec![
        before("100 that nobody asked for", "9110 15.2.1", "HTTP/1.1 100 Continue\r\n\r\n"),
        before("102", "9110 15.2", "HTTP/1.1 102 Processing\r\n\r\n"),
        before("103 with fields", "8297 2", "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"),
        before("an interim status that nobody knows", "9110 15.2", "HTTP/1.1 199 What\r\n\r\n"),
        before("three of them", "9110 15.2", &"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3)),
        before("too many of them", "9110 15.2", &"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(4)).fails("protocol, head"),
        raw("nothing but interim ones", "9110 15.2", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100), "")
            .fails("protocol, head"),
        before("a length in an interim response", "9110 8.6", "HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n"),
        raw("an interim one, and then nothing", "9112 8", "HTTP/1.1 100 Continue\r\n\r\n", "")
            .hangs_up()
            .fails("lost, head"),
        raw("an interim one in HTTP/1.0", "9110 15.2", "HTTP/1.0 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n", "")
            .fails("protocol, head"),
        before("a malformed interim one", "9112 5", "HTTP/1.1 103 Early Hints\r\nX : y\r\n\r\n")
            .fails("protocol, head"),
        raw("a switch that nobody asked for", "9110 15.2.2", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "")
            .fails("protocol, head"),
        raw(
            "a switch to a protocol that nobody asked for",
            "9110 7.8",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            "",
        )
        .fails("protocol, head"),
        raw("a switch without its fields", "9110 7.8", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "")
            .field("connection", "upgrade")
            .field("upgrade", "x")
            .fails("protocol, head"),
        raw("a switch that is declined", "9110 7.8", OK, "ok").field("connection", "upgrade").field("upgrade", "x"),
    ]
}
