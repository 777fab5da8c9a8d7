//! RFC 9112, 2.2: lines end with CR LF, and a request begins with its first line.

use super::case::{Case, get, raw};

pub(super) fn cases() -> Vec<Case> {
    const REST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let raw = |name: &str, bytes: &str| raw(name, "9112 2.2", bytes);
    let get = |name: &str, more: &str| get(name, "9112 2.2", more);
    vec![
        raw("an honest request", REST).serves(["GET / a"]),
        raw("bare line feeds", "GET / HTTP/1.1\nHost: a\n\n").refused(400),
        raw("a bare line feed behind the first line", "GET / HTTP/1.1\nHost: a\r\n\r\n").refused(400),
        raw("a bare line feed behind a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n").refused(400),
        raw("a bare line feed for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n").refused(400),
        raw("a bare line feed before the empty line", "GET / HTTP/1.1\r\nHost: a\n\r\n").refused(400),
        raw("bare carriage returns", "GET / HTTP/1.1\rHost: a\r\r").waits().refused(408),
        raw("a bare carriage return behind the first line", "GET / HTTP/1.1\rHost: a\r\n\r\n").refused(400),
        get("a bare carriage return between fields", "X: y\rZ: z").refused(400),
        get("a bare carriage return in a value", "X: y\rz").refused(400),
        get("a bare carriage return in front of a value", "X:\r y").refused(400),
        get("a bare carriage return in a name", "X\r: y").refused(400),
        get("two carriage returns at the end of a line", "X: y\r\r\nZ: z").refused(400),
        get("a carriage return and a field that smuggles", "X: y\rTransfer-Encoding: chunked").refused(400),
        raw("a bare carriage return in the target", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n").refused(400),
        raw("two carriage returns at the end", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n").refused(400),
        raw("the line end the wrong way round", "GET / HTTP/1.1\n\rHost: a\n\r\n\r").refused(400),
        raw("an empty line first", &format!("\r\n{REST}")).serves(["GET / a"]),
        raw("four empty lines first", &format!("\r\n\r\n\r\n\r\n{REST}")).serves(["GET / a"]),
        raw("five empty lines first", &format!("\r\n\r\n\r\n\r\n\r\n{REST}")).refused(400),
        raw("empty lines between requests", &format!("{REST}\r\n\r\n{REST}")).serves(["GET / a", "GET / a"]),
        raw("an empty line first, of a line feed", &format!("\n{REST}")).refused(400),
        raw("an empty line first, of a carriage return", &format!("\r{REST}")).refused(400),
        raw("a space first", &format!(" {REST}")).refused(400),
        raw("a tab first", &format!("\t{REST}")).refused(400),
        raw("a line of one space first", &format!(" \r\n{REST}")).refused(400),
        raw("a mark of byte order first", &format!("\u{feff}{REST}")).refused(400),
        raw("a space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n").refused(400),
        raw("a tab before the first field", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n").refused(400),
        raw("a folded line in place of the first field", "GET / HTTP/1.1\r\n folded\r\nHost: a\r\n\r\n").refused(400),
        raw("empty lines, and nothing behind them", "\r\n\r\n").waits().closes(),
    ]
}
