//! Servers that say too much, or too little, or lead in circles. RFC 9110, 17; RFC 9112, 11.

use super::case::{Case, chunks, fields, raw};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn cases() -> Vec<Case> {
    let long = "x".repeat(2000);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    let many = |count| "X: y\r\n".repeat(count);
    let elsewhere =
        |status: u16, to: &str| format!("HTTP/1.1 {status} There\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let mut drip = raw("a byte every three seconds", "9112 9.5", &head[..10], "");
    for byte in head.as_bytes()[10..].chunks(1) {
        drip = drip.pauses(3 * SECOND).sends(byte);
    }
    vec![
        raw("a head that does not end", "9110 17.5", format!("HTTP/1.1 200 OK\r\nX: {long}"), "")
            .fails("too large, head"),
        raw("a first line that does not end", "9110 17.5", format!("HTTP/1.1 200 {long}"), "").fails("too large, head"),
        fields("ten fields are allowed", "9110 17.5", &format!("{}Content-Length: 2", many(9))),
        fields("eleven are not", "9110 17.5", &format!("{}Content-Length: 2", many(10))).fails("protocol, head"),
        raw("a thousand bytes are allowed", "9110 17.5", sized(1000), &"x".repeat(1000)),
        raw("one more is not", "9110 17.5", sized(1001), "").fails("too large, body"),
        raw(
            "a length beyond all measure",
            "9110 17.5",
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n",
            "",
        )
        .fails("too large, body"),
        chunks("chunks without end", "9110 17.5", "64\r\n".to_owned() + &"y".repeat(100) + "\r\n", "")
            .repeated(11)
            .fails("too large, body"),
        raw("a body until the connection ends, without end", "9110 17.5", format!("HTTP/1.1 200 OK\r\n\r\n{long}"), "")
            .fails("too large, body"),
        chunks("an extension without end", "9112 7.1.1", format!("2;{}", "x".repeat(6000)), "").fails("protocol, body"),
        chunks("extensions that are long together", "9112 7.1.1", format!("1;{long}\r\nx\r\n").repeat(3), "")
            .fails("protocol, body"),
        chunks("trailers without end", "9112 7.1.2", format!("0\r\n{}", "X: y\r\n".repeat(101)), "")
            .fails("protocol, body"),
        raw("silence", "9112 9.5", "", "").pauses(30 * SECOND).fails("timeout, head"),
        raw("half a head, and silence", "9112 9.5", &head[..20], "").pauses(30 * SECOND).fails("timeout, head"),
        raw("half a body, and silence", "9112 9.5", format!("{head}ok"), "").pauses(30 * SECOND).fails("timeout, body"),
        drip.fails("timeout, total"),
        raw("a pause that is short enough", "9112 9.5", format!("{head}ok"), "okay").pauses(4 * SECOND).sends("ay"),
        raw("a redirect to itself", "9110 15.4", elsewhere(302, "/case"), "").always().fails("redirect"),
        raw("a redirect to itself, for ever", "9110 15.4", elsewhere(301, ""), "").always().fails("redirect"),
        raw("a redirect to another protocol", "9110 15.4", elsewhere(302, "ftp://host/"), "").fails("url").keeps(),
        raw("a redirect to nowhere", "9110 15.4", elsewhere(302, "http://"), "").fails("redirect").keeps(),
        raw("a redirect is followed", "9110 15.4", elsewhere(302, "/next"), "probe"),
        raw("a redirect without a place", "9110 15.4", "HTTP/1.1 302 There\r\nContent-Length: 0\r\n\r\n", "")
            .status(302),
        raw("300 is an answer", "9110 15.4.1", elsewhere(300, "/next"), "").status(300),
    ]
}

fn sized(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length))
}
