//! The fields behind the last chunk: RFC 9112, 7.1.2; RFC 9110, 6.5.

use super::case::{Case, chunks};

pub(super) fn cases() -> Vec<Case> {
    let trailer =
        |name: &str, section, fields: &str| chunks(name, section, format!("5\r\nhello\r\n0\r\n{fields}\r\n\r\n"));
    let field = |name: &str, fields: &str| trailer(name, "9112 7.1.2", fields);
    let late = |name: &str, fields: &str| trailer(name, "9110 6.5.1", fields);
    let hello = ["POST / a hello"];
    vec![
        field("a trailer field", "X: y").serves(hello),
        field("two trailer fields", "X: y\r\nZ:z").serves(hello),
        field("a trailer field twice", "X: y\r\nX: z").serves(hello),
        field("an empty trailer field", "X:").serves(hello),
        field("a trailer field beyond ASCII", "X: é").serves(hello),
        field("a trailer without a colon (CVE-2025-53643)", "GET /smuggled HTTP/1.1").refused(400),
        field("a trailer without a name", ": y").refused(400),
        field("a space before the colon of a trailer", "X : y").refused(400),
        field("a space before a trailer", " X: y").refused(400),
        field("a folded trailer", "X: y\r\n z").refused(400),
        field("a bare line feed behind a trailer", "X: y\nZ: z").refused(400),
        field("a bare carriage return in a trailer", "X: y\rZ: z").refused(400),
        field("a carriage return too many behind a trailer", "X: y\r").refused(400),
        field("a NUL in a trailer", "X: y\0").refused(400),
        field("a control character in a trailer", "X: \x0cy").refused(400),
        field("a DEL in a trailer", "X: \x7f").refused(400),
        field("a trailer whose name is no token", "X(Y): z").refused(400),
        field("a trailer whose name is beyond ASCII", "é: z").refused(400),
        field("ten trailers", &["X: y"; 10].join("\r\n")).serves(hello),
        field("eleven trailers", &["X: y"; 11].join("\r\n")).refused(400),
        field("trailers that are too long", &format!("X: {}\r\nX: {}", "y".repeat(50), "y".repeat(50))).refused(400),
        field("a trailer without end", &"x".repeat(1000)).refused(400),
        late("a length behind its body", "Content-Length: 50").serves(hello),
        late("a coding behind its body", "Transfer-Encoding: gzip").serves(hello),
        late("a host behind the body", "Host: b").serves(hello),
        late("a wish to close behind the body", "Connection: close").serves(hello),
        late("leave to send what was sent", "Expect: 100-continue").serves(hello),
    ]
}
