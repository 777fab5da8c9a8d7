//! What is too much, and what takes too long: RFC 9112, 3; RFC 9110, 5.4 and 15.5. The limits are those of `allowed`.

use super::case::{Case, fields, get, line, post, raw};

pub(super) fn cases() -> Vec<Case> {
    [sizes(), times()].concat()
}

fn sizes() -> Vec<Case> {
    let fill = |length: usize| "x".repeat(length);
    // `GET / HTTP/1.1`, `Host: a`, `X: ` and the line ends have 32 bytes.
    let head = |name: &str, length: usize| get(name, "9110 5.4", &format!("X: {}", fill(length - 32)));
    let count =
        |name: &str, count: usize| fields(name, "9110 5.4", &format!("Host: a{}", "\r\nX: y".repeat(count - 1)));
    let body = |name: &str, length: usize| {
        post(name, "9110 15.5.14", format!("Content-Length: {length}\r\n\r\n{}", fill(length)))
    };
    let target = fill(1024 - 27);
    let seen = format!("GET /{target} a");
    vec![
        line("the longest target", "9112 3", &format!("GET /{target} HTTP/1.1")).serves([&*seen]),
        line("a target that is too long by a byte", "9110 15.5.15", &format!("GET /{target}x HTTP/1.1")).refused(431),
        line("a target that is too long by itself", "9110 15.5.15", &format!("GET /{} HTTP/1.1", fill(1100)))
            .refused(414),
        raw("a first line without end", "9110 15.5.15", fill(3000)).refused(414),
        line("a method that is too long", "9112 3", &format!("{} / HTTP/1.1", fill(1100))).refused(414),
        head("the longest head", 1024).serves(["GET / a"]),
        head("a head that is too long by a byte", 1025).refused(431),
        head("a head that is much too long", 5000).refused(431),
        raw("a field without end", "9110 5.4", format!("GET / HTTP/1.1\r\nX: {}", fill(3000))).refused(431),
        raw("a name without end", "9110 5.4", format!("GET / HTTP/1.1\r\n{}", fill(3000))).refused(431),
        raw("fields without end", "9110 5.4", format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(500))).refused(431),
        count("ten fields", 10).serves(["GET / a"]),
        count("eleven fields", 11).refused(431),
        body("the longest body", 100).serves([&*format!("POST / a {}", fill(100))]),
        body("a body that is too long by a byte", 101).refused(413),
        raw("five requests are all of a connection", "9112 9.6", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(7))
            .serves(["GET / a"; 5])
            .closes(),
    ]
}

fn times() -> Vec<Case> {
    let raw = |name: &str, section, text: &str| raw(name, section, text);
    let mut slow = raw("a head of a byte a second", "9110 15.5.9", "G");
    for byte in "ET / HTTP/1.1\r\n".bytes() {
        slow = slow.pauses(1).sends([byte]);
    }
    let mut drip =
        raw("a body of a byte a second", "9110 15.5.9", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    for byte in "slow body".bytes() {
        drip = drip.pauses(1).sends([byte]);
    }
    let mut trickle = raw(
        "a body of a byte a second, for ever",
        "9110 15.5.9",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n",
    );
    for _ in 0..15 {
        trickle = trickle.pauses(1).sends("x");
    }
    let mut idle = raw("empty lines for ever", "9112 2.2", "GET / HTTP/1.1\r\nHost: a\r\n\r\n").serves(["GET / a"]);
    for _ in 0..10 {
        idle = idle.pauses(1).sends("\r\n");
    }
    vec![
        slow.waits().refused(408),
        drip.serves(["POST / a slow body"]),
        trickle.waits().refused(408),
        idle.waits().refused(400),
        raw("a head that comes in time", "9110 15.5.9", "GET / HTTP/1.1\r\n")
            .pauses(4)
            .sends("Host: a\r\n\r\n")
            .serves(["GET / a"]),
        raw("a head that comes too late", "9110 15.5.9", "GET / HTTP/1.1\r\n")
            .pauses(6)
            .sends("Host: a\r\n\r\n")
            .refused(408),
        raw("a body that comes in time", "9110 15.5.9", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            .pauses(4)
            .sends("hello")
            .serves(["POST / a hello"]),
        raw("a body that comes too late", "9110 15.5.9", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            .pauses(6)
            .sends("hello")
            .refused(408),
        raw("a second request that comes in time", "9112 9.5", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .serves(["GET / a", "GET /2 a"])
            .pauses(4)
            .sends("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        raw("a second request that comes too late", "9112 9.5", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .serves(["GET / a"])
            .pauses(6)
            .sends("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            .waits()
            .closes(),
    ]
}
