//! Messages that are cut short: RFC 9112, 8.

use super::case::{Case, raw};

pub(super) fn cases() -> Vec<Case> {
    let raw = |name: &str, bytes: &str| raw(name, "9112 8", bytes);
    let good = "GET /good HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhel";
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut cases = vec![
        raw("a request, and the end", good).serves(["GET /good a"]).half_closes().closes(),
        raw("two requests, and the end", &good.repeat(2)).serves(["GET /good a", "GET /good a"]).half_closes().closes(),
        raw("a request, and silence", good).serves(["GET /good a"]).waits().closes(),
    ];
    for (name, bytes) in [
        ("a letter", "G".to_owned()),
        ("half a line", "GET / HT".to_owned()),
        ("half a head", "GET / HTTP/1.1\r\nHost: a\r\n".to_owned()),
        ("a head but for its last byte", "GET / HTTP/1.1\r\nHost: a\r\n\r".to_owned()),
        ("a head but for its body", length.trim_end_matches("hel").to_owned()),
        ("half a body", length.to_owned()),
        ("a body but for its last byte", format!("{length}lo bod")),
        ("no chunk", chunked.to_owned()),
        ("half the size of a chunk", format!("{chunked}5")),
        ("half a chunk", format!("{chunked}5\r\nhel")),
        ("a chunk but for its line end", format!("{chunked}5\r\nhello")),
        ("a chunk, and no more", format!("{chunked}5\r\nhello\r\n")),
        ("half the last chunk", format!("{chunked}5\r\nhello\r\n0")),
        ("a last chunk without its empty line", format!("{chunked}5\r\nhello\r\n0\r\n")),
        ("half a trailer", format!("{chunked}0\r\nX: y")),
        ("all but the last byte of a body in chunks", format!("{chunked}5\r\nhello\r\n0\r\nX: y\r\n\r")),
    ] {
        cases.push(raw(&format!("{name}, and silence"), &bytes).waits().refused(408));
        // With its head whole, it is the handler who is told that the body has no end.
        let cut = raw(&format!("{name}, and the end"), &bytes).half_closes();
        cases.push(if bytes.contains("\r\n\r\n") { cut.refused(400) } else { cut.closes() });
    }
    cases.push(raw("nothing, and silence", "").waits().closes());
    cases.push(raw("nothing, and the end", "").half_closes().closes());
    cases.push(raw("half a second request", &format!("{good}GET / HT")).serves(["GET /good a"]).waits().refused(408));
    cases
}
