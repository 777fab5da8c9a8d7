//! `Expect: 100-continue`: RFC 9110, 10.1.1.

use super::case::{Case, post, raw};

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

pub(super) fn cases() -> Vec<Case> {
    let post = |name: &str, rest: &str| post(name, "9110 10.1.1", rest);
    let raw = |name: &str, text: &str| raw(name, "9110 10.1.1", text);
    let length = "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    vec![
        post("leave is given when the body is waited for", length)
            .hears(CONTINUE)
            .sends("hello")
            .serves(["POST / a hello"])
            .answers([100, 200]),
        post("leave is given once", length)
            .hears(CONTINUE)
            .sends("he")
            .pauses(1)
            .sends("llo")
            .serves(["POST / a hello"])
            .answers([100, 200]),
        post("leave for a body in chunks", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
            .hears(CONTINUE)
            .sends("5\r\nhello\r\n0\r\n\r\n")
            .serves(["POST / a hello"])
            .answers([100, 200]),
        post("leave in mixed letters", "expect: 100-CONTINUE\r\nContent-Length: 5\r\n\r\n")
            .hears(CONTINUE)
            .sends("hello")
            .serves(["POST / a hello"])
            .answers([100, 200]),
        post("leave for each of two requests", length)
            .hears(CONTINUE)
            .sends("hello")
            .pauses(1)
            .sends(format!("POST /2 HTTP/1.1\r\nHost: a\r\n{length}"))
            .pauses(1)
            .sends("world")
            .serves(["POST / a hello", "POST /2 a world"])
            .answers([100, 200, 100, 200]),
        post("no leave for what is there", &format!("{length}hello")).serves(["POST / a hello"]),
        post("one who does not wait for leave", length)
            .pauses(1)
            .sends("hello")
            .serves(["POST / a hello"])
            .answers([100, 200]),
        post("leave for nothing", "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n").serves(["POST / a"]),
        post("leave for no body", "Expect: 100-continue\r\n\r\n").serves(["POST / a"]),
        post("no leave for too much", "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n").refused(413),
        post("no leave for two lengths", "Expect: 100-continue\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n")
            .refused(400),
        post("no leave for what is never sent", length).hears(CONTINUE).waits().answers([100]).refused(408),
        post("another expectation", "Expect: tea\r\nContent-Length: 5\r\n\r\nhello").refused(417),
        post("another expectation besides", "Expect: 100-continue, tea\r\nContent-Length: 5\r\n\r\nhello").refused(417),
        post("another expectation in a field before", "Expect: tea\r\nExpect: 100-continue\r\n\r\n").refused(417),
        post("another expectation in a field behind", "Expect: 100-continue\r\nExpect: tea\r\n\r\n").refused(417),
        post("an empty expectation", "Expect:\r\n\r\n").refused(417),
        post("an expectation with a value", "Expect: 100-continue=yes\r\n\r\n").refused(417),
        raw("no leave in HTTP/1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            .pauses(1)
            .sends("hello")
            .serves(["POST / - hello"])
            .closes(),
    ]
}
