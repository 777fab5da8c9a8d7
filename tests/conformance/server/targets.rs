//! What is asked for: RFC 9112, 3.2 and its four forms.

use super::case::{Case, line, raw};

pub(super) fn cases() -> Vec<Case> {
    [paths(), urls(), others()].concat()
}

fn paths() -> Vec<Case> {
    let line = |name: &str, target: &str| line(name, "9112 3.2.1", &format!("GET {target} HTTP/1.1"));
    let mut cases = vec![
        line("a path", "/x/y").serves(["GET /x/y a"]),
        line("a path and a query", "/x?y=1&z").serves(["GET /x?y=1&z a"]),
        line("an empty query", "/?").serves(["GET /? a"]),
        line("question marks in the query", "/?a?b??").serves(["GET /?a?b?? a"]),
        line("two slashes first are a path, not a host", "//b/x").serves(["GET //b/x a"]),
        line("dots are the handler's business", "/a/../b/./c").serves(["GET /a/../b/./c a"]),
        line("every character of a path", "/AZaz09-._~!$&'()*+,;=:@%20").serves(["GET /AZaz09-._~!$&'()*+,;=:@%20 a"]),
        line("characters that browsers leave in a query", "/?`^{|}\\[]").serves(["GET /?`^{|}\\[] a"]),
        line("an encoded NUL is the handler's business", "/%00").serves(["GET /%00 a"]),
        line("a percent sign without digits too", "/%zz%").serves(["GET /%zz% a"]),
        line("an encoded line end is no line end", "/%0d%0aHost:%20b").serves(["GET /%0d%0aHost:%20b a"]),
        line("a URL as a path", "/http://b/").serves(["GET /http://b/ a"]),
        line("a space in the path", "/a b").refused(400),
        line("a fragment", "/#top").refused(400),
        line("a fragment behind a query", "/?a#top").refused(400),
        line("a quotation mark", "/\"").refused(400),
        line("a quotation mark in the query", "/?\"").refused(400),
        line("an opening angle", "/<").refused(400),
        line("a closing angle in the query", "/?a>b").refused(400),
        line("a letter beyond ASCII", "/é").refused(400),
        line("a letter beyond ASCII in the query", "/?é").refused(400),
        line("a no-break space", "/\u{a0}").refused(400),
        line("a path that does not begin with a slash", "index.html").refused(400),
        line("a path that begins with a dot", "./x").refused(400),
        line("a backslash for a slash", "\\x").refused(400),
        line("a query alone", "?x").refused(400),
    ];
    for byte in [0u8, 1, 8, 9, 0xb, 0xc, 0x1b, 0x1f, 0x7f] {
        let target = format!("/x{}", char::from(byte));
        cases.push(line(&format!("the byte {byte:#04x} in the path"), &target).refused(400));
    }
    cases
}

fn urls() -> Vec<Case> {
    let section = "9112 3.2.2";
    let line = |name: &str, target: &str| line(name, section, &format!("GET {target} HTTP/1.1"));
    let raw = |name: &str, text: &str| raw(name, section, text);
    vec![
        line("a URL: its host counts", "http://b/x?y").serves(["GET /x?y b"]),
        line("a URL with the same host", "http://a/").serves(["GET / a"]),
        line("a URL with a port", "http://b:8080/").serves(["GET / b:8080"]),
        line("a URL with an empty port", "http://b:/").serves(["GET / b:"]),
        line("a URL with an IPv6 number", "http://[::1]:80/").serves(["GET / [::1]:80"]),
        line("a URL in capital letters", "HTTP://B/").serves(["GET / B"]),
        line("a URL without a path", "http://b").serves(["GET / b"]),
        line("a URL without a path, with a query", "http://b?x").serves(["GET /?x b"]),
        line("a URL with a user", "http://user@b/").refused(400),
        line("a URL with a user and a password", "http://user:word@b/").refused(400),
        line("a URL with an empty user", "http://@b/").refused(400),
        line("a URL without a host", "http:///x").refused(400),
        line("a URL with nothing but a port", "http://:80/").refused(400),
        line("a URL with one slash", "http:/b/").refused(400),
        line("a URL without slashes", "http:b").refused(400),
        line("a URL that is a scheme", "http://").refused(400),
        line("a URL with a port that is no number", "http://b:x/").refused(400),
        line("a URL with a port that is too great", "http://b:65536/").refused(400),
        line("a URL with a fragment", "http://b/#x").refused(400),
        line("a URL with a number out of its brackets", "http://::1/").refused(400),
        line("a URL with an open bracket", "http://[::1/").refused(400),
        line("a file's URL", "file:///etc/passwd").refused(400),
        line("a URL of another protocol", "ftp://b/").refused(400),
        line("a socket's URL", "ws://b/").refused(400),
        raw("a URL, and no Host field", "GET http://b/ HTTP/1.1\r\n\r\n").refused(400),
        raw("a URL, and two Host fields", "GET http://b/ HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n").refused(400),
        raw("a URL, and a malformed Host field", "GET http://b/ HTTP/1.1\r\nHost: b/\r\n\r\n").refused(400),
        raw("a URL in HTTP/1.0, and no Host field", "GET http://b/x HTTP/1.0\r\n\r\n").serves(["GET /x b"]).closes(),
    ]
}

fn others() -> Vec<Case> {
    vec![
        line("a secure URL on an open connection", "9110 7.4", "GET https://a/ HTTP/1.1").refused(421),
        line("a host and a port for a page", "9112 3.2.3", "GET b:80 HTTP/1.1").refused(400),
        line("a host for a page", "9112 3.2.3", "GET example.com HTTP/1.1").refused(400),
        line("an IPv6 number for a page", "9112 3.2.3", "GET [::1]:80 HTTP/1.1").refused(400),
        line("an asterisk for the server", "9112 3.2.4", "OPTIONS * HTTP/1.1").serves(["OPTIONS * a"]),
        line("an asterisk for a page", "9112 3.2.4", "GET * HTTP/1.1").refused(400),
        line("an asterisk to be written to", "9112 3.2.4", "PUT * HTTP/1.1").refused(400),
        line("two asterisks", "9112 3.2.4", "OPTIONS ** HTTP/1.1").refused(400),
        line("an asterisk with a query", "9112 3.2.4", "OPTIONS *?x HTTP/1.1").refused(400),
        line("the options of a path", "9112 3.2.4", "OPTIONS /x HTTP/1.1").serves(["OPTIONS /x a"]),
        line("the options of a URL without a path", "9110 4.2.3", "OPTIONS http://b HTTP/1.1").serves(["OPTIONS * b"]),
        line("the options of a URL without a path, with a port", "9110 4.2.3", "OPTIONS http://b:80 HTTP/1.1")
            .serves(["OPTIONS * b:80"]),
        line("the options of a URL with a path", "9110 4.2.3", "OPTIONS http://b/ HTTP/1.1").serves(["OPTIONS / b"]),
        line("the options of a URL with a query", "9110 4.2.3", "OPTIONS http://b?x HTTP/1.1")
            .serves(["OPTIONS /?x b"]),
    ]
}
