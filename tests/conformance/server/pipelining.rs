//! Several requests on a connection: RFC 9112, 9.3.2 and 11.2.

use super::case::{Case, raw};

pub(super) fn cases() -> Vec<Case> {
    let raw = |name: &str, bytes: &str| raw(name, "9112 9.3.2", bytes);
    let one = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let two = "POST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello";
    let three = "PUT /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n";
    let head = "HEAD /4 HTTP/1.1\r\nHost: d\r\n\r\n";
    let last = "GET /5 HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n";
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    vec![
        raw("two", &one.repeat(2)).serves(["GET /1 a", "GET /1 a"]),
        raw("one of each kind", &[one, two, three, head].concat())
            .serves(["GET /1 a", "POST /2 b hello", "PUT /3 c hello", "HEAD /4 d"]),
        raw("bodies after each other", &[two, three, two].concat())
            .serves(["POST /2 b hello", "PUT /3 c hello", "POST /2 b hello"]),
        raw("the last one says so", &[one, last].concat()).serves(["GET /1 a", "GET /5 e"]).closes(),
        raw("more behind the last one", &[last, one, two].concat()).serves(["GET /5 e"]).closes(),
        raw("good, then bad, then good", &[one, "BAD\r\n\r\n", one].concat()).serves(["GET /1 a"]).refused(400),
        raw("good, then no host", &[one, "GET / HTTP/1.1\r\n\r\n", one].concat()).serves(["GET /1 a"]).refused(400),
        raw("good, then too much", &[one, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", one].concat())
            .serves(["GET /1 a"])
            .refused(413),
        raw("good, then a version that is none of ours", &[one, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"].concat())
            .serves(["GET /1 a"])
            .refused(505),
        raw("good, then a chunk without end", &[two, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"].concat())
            .serves(["POST /2 b hello"])
            .refused(400),
        raw("one that hides another by its length", &format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n{smuggled}{one}"))
            .serves(["POST / a GET /smuggled HTTP/1.1\r\nHost: a", "GET /1 a"]),
        raw("one that hides another in a chunk", &format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n{smuggled}\r\n0\r\n\r\n{one}"))
            .serves(["POST / a GET /smuggled HTTP/1.1\r\nHost: a", "GET /1 a"]),
        raw("a length for one reader and chunks for another", &format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG{one}"))
            .refused(400),
        raw("chunks for one reader and a length for another", &format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n23\r\n{smuggled}\r\n0\r\n\r\n"))
            .refused(400),
        raw("a body of a GET that one reader ignores", &format!("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n{smuggled}"))
            .serves(["GET / a GET /smuggled HTTP/1.1\r\nHost: a"]),
        raw("requests in five pieces", one).serves(["GET /1 a"]).pauses(1).sends(&two[..40]).pauses(1).sends(&two[40..])
            .pauses(1).sends(three).serves(["POST /2 b hello", "PUT /3 c hello"]),
    ]
}
