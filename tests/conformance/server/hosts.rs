//! Whom it is asked of: RFC 9112, 3.2; RFC 9110, 7.2; RFC 3986, 3.2.2.

use super::case::{Case, fields, raw};

pub(super) fn cases() -> Vec<Case> {
    let host = |name: &str, host: &str| fields(name, "9110 7.2", &format!("Host: {host}"));
    let fields = |name: &str, text: &str| fields(name, "9112 3.2", text);
    let old = |name: &str, fields: &str| raw(name, "9112 3.2", format!("GET / HTTP/1.0\r\n{fields}\r\n"));
    vec![
        fields("no host", "X: y").refused(400),
        fields("two hosts", "Host: a\r\nHost: b").refused(400),
        fields("the same host twice", "Host: a\r\nhost: a").refused(400),
        fields("a host, and an empty one", "Host: a\r\nHost:").refused(400),
        fields("a host behind many fields", "A: 1\r\nB: 2\r\nC: 3\r\nHost: a").serves(["GET / a"]),
        fields("a host whose name is in capital letters", "HOST: a").serves(["GET / a"]),
        fields("a host whose name is in small letters", "host: a").serves(["GET / a"]),
        fields("a host that is told to us by a field of another name", "Host: a\r\nX-Forwarded-Host: b")
            .serves(["GET / a"]),
        fields("a host on a folded line", "Host:\r\n a").refused(400),
        fields("a space before the colon of the host", "Host : a").refused(400),
        old("no host in HTTP/1.0", "").serves(["GET / -"]).closes(),
        old("two hosts in HTTP/1.0", "Host: a\r\nHost: a\r\n").refused(400),
        old("a malformed host in HTTP/1.0", "Host: a b\r\n").refused(400),
        host("an empty host", "").refused(400),
        host("a host of white space", " \t ").refused(400),
        host("a host in white space", "\t a \t").serves(["GET / a"]),
        host("a host with a port", "a:8080").serves(["GET / a:8080"]),
        host("a host with an empty port", "a:").serves(["GET / a:"]),
        host("the greatest port", "a:65535").serves(["GET / a:65535"]),
        host("a port that is too great", "a:65536").refused(400),
        host("a port that is no number", "a:http").refused(400),
        host("a port with a sign", "a:+80").refused(400),
        host("a negative port", "a:-80").refused(400),
        host("a port with a space", "a: 80").refused(400),
        host("two ports", "a:80:80").refused(400),
        host("a port alone", ":80").refused(400),
        host("a long name", "a-b.c_d.example.").serves(["GET / a-b.c_d.example."]),
        host("an encoded letter in a name", "a%41").serves(["GET / a%41"]),
        host("a percent sign without digits in a name", "a%4").refused(400),
        host("an IPv4 number", "127.0.0.1").serves(["GET / 127.0.0.1"]),
        host("an IPv6 number", "[::1]").serves(["GET / [::1]"]),
        host("an IPv6 number with a port", "[2001:db8::1]:80").serves(["GET / [2001:db8::1]:80"]),
        host("an IPv6 number without brackets", "::1").refused(400),
        host("an IPv6 number in an open bracket", "[::1").refused(400),
        host("an IPv6 number and a letter", "[::1]a").refused(400),
        host("an IPv6 number with a zone", "[fe80::1%25eth0]").refused(400),
        host("an IPv4 number in brackets", "[127.0.0.1]").refused(400),
        host("an empty bracket", "[]").refused(400),
        host("a host with a user", "user@a").refused(400),
        host("a host with a path", "a/b").refused(400),
        host("a host with a query", "a?b").refused(400),
        host("a host with a fragment", "a#b").refused(400),
        host("a host that is a URL", "http://a").refused(400),
        host("a host of two words", "a b").refused(400),
        host("a list of hosts", "a, b").refused(400),
        host("a backslash in a host", "a\\b").refused(400),
        host("a quotation mark in a host", "\"a\"").refused(400),
        host("a host beyond ASCII", "é").refused(400),
    ]
}
