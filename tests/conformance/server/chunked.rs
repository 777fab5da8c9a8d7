//! Chunks, their sizes and extensions: RFC 9112, 7.1.

use super::case::{Case, chunks};

pub(super) fn cases() -> Vec<Case> {
    [sizes(), data(), extensions()].concat()
}

/// A body whose first chunk has this size line; its data would be `hello`.
fn size(name: &str, section: &'static str, line: &str) -> Case {
    chunks(name, section, format!("{line}hello\r\n0\r\n\r\n"))
}

fn sizes() -> Vec<Case> {
    let size = |name: &str, line: &str| size(name, "9112 7.1", line);
    let hello = ["POST / a hello"];
    vec![
        size("a chunk", "5\r\n").serves(hello),
        size("a size with zeros first", "00005\r\n").serves(hello),
        size("a size of sixteen digits", "0000000000000005\r\n").serves(hello),
        size("a size of seventeen digits", "00000000000000005\r\n").refused(400),
        size("a size of 64 bits", "ffffffffffffffff\r\n").refused(408),
        size("a size that would wrap to five (RUSTSEC-2021-0079)", "10000000000000005\r\n").refused(400),
        size("a size of a thousand digits", &format!("{}5\r\n", "0".repeat(1000))).refused(400),
        size("a size beyond what is allowed", "65\r\n").refused(408),
        size("a size with a plus", "+5\r\n").refused(400),
        size("a size with a minus", "-5\r\n").refused(400),
        size("a size with a prefix", "0x5\r\n").refused(400),
        size("a size with an underscore", "0_5\r\n").refused(400),
        size("a size that is no number", "g\r\n").refused(400),
        size("a size and a letter that is no digit", "5h\r\n").refused(400),
        size("an empty size", "\r\n").refused(400),
        size("an extension without a size", ";x\r\n").refused(400),
        size("a space before the size", " 5\r\n").refused(400),
        size("a space behind the size", "5 \r\n").refused(400),
        size("a tab behind the size", "5\t\r\n").refused(400),
        size("a NUL behind the size", "5\0\r\n").refused(400),
        size("a comma behind the size", "5,5\r\n").refused(400),
        size("a digit of full width", "５\r\n").refused(400),
        size("a bare line feed behind the size", "5\n").refused(400),
        size("a bare carriage return behind the size (CVE-2023-30589)", "5\r").refused(400),
        size("a carriage return too many behind the size", "5\r\r\n").refused(400),
        size("a line feed too many behind the size", "5\r\n\n").refused(400),
        chunks("a size in capital letters", "9112 7.1", format!("A\r\n{}\r\n0\r\n\r\n", "x".repeat(10)))
            .serves(["POST / a xxxxxxxxxx"]),
        chunks("a size in small letters", "9112 7.1", format!("a\r\n{}\r\n0\r\n\r\n", "x".repeat(10)))
            .serves(["POST / a xxxxxxxxxx"]),
    ]
}

fn data() -> Vec<Case> {
    let chunks = |name: &str, body: &str| chunks(name, "9112 7.1", body);
    vec![
        chunks("no chunk but the last", "0\r\n\r\n").serves(["POST / a"]),
        chunks("a last chunk of many zeros", "0000\r\n\r\n").serves(["POST / a"]),
        chunks("several chunks", "2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n").serves(["POST / a hello"]),
        chunks("line ends as data", "4\r\n\r\n\r\n\r\n0\r\n\r\n").serves(["POST / a"]),
        chunks("a chunked body as data", "5\r\n0\r\n\r\n\r\n0\r\n\r\n").serves(["POST / a 0"]),
        chunks("a hundred bytes in a hundred chunks", &("1\r\nx\r\n".repeat(100) + "0\r\n\r\n"))
            .serves([&*format!("POST / a {}", "x".repeat(100))]),
        chunks("one byte too much in many chunks", &("1\r\nx\r\n".repeat(101) + "0\r\n\r\n")).refused(413),
        chunks("a chunk longer than its size", "3\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("a chunk shorter than its size", "7\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("two bytes in place of the line end (CVE-2025-43859)", "5\r\nhelloXX0\r\n\r\n").refused(400),
        chunks("no line end behind the data", "5\r\nhello0\r\n\r\n").refused(400),
        chunks("a bare line feed behind the data", "5\r\nhello\n0\r\n\r\n").refused(400),
        chunks("a bare carriage return behind the data", "5\r\nhello\r0\r\n\r\n").refused(400),
        chunks("an empty line behind the data", "5\r\nhello\r\n\r\n0\r\n\r\n").refused(400),
        chunks("a bare line feed behind the last size", "0\n\r\n").refused(400),
        chunks("a bare line feed at the end", "0\r\n\n").refused(400),
        chunks("a carriage return too many at the end", "0\r\n\r\r\n").refused(400),
        chunks("a space at the end", "0\r\n \r\n").refused(400),
        chunks("bytes behind the end are the next request", "0\r\n\r\nhello\r\n\r\n").serves(["POST / a"]).refused(400),
        chunks("a request behind the end", "0\r\n\r\nGET /next HTTP/1.1\r\nHost: b\r\n\r\n")
            .serves(["POST / a", "GET /next b"]),
    ]
}

fn extensions() -> Vec<Case> {
    let hello = ["POST / a hello"];
    let size = |name: &str, line: &str| size(name, "9112 7.1.1", line);
    let chunks = |name: &str, body: &str| chunks(name, "9112 7.1.1", body);
    vec![
        size("an extension", "5;a\r\n").serves(hello),
        size("an extension with a value", "5;a=b\r\n").serves(hello),
        size("an extension with a value in quotes", "5;a=\"b;\\\"c\"\r\n").serves(hello),
        size("two extensions", "5;a=b;c\r\n").serves(hello),
        size("white space before an extension", "5 \t;a\r\n").serves(hello),
        size("white space in an extension", "5; a = b\r\n").serves(hello),
        size("an extension beyond ASCII", "5;é\r\n").serves(hello),
        size("an extension of nothing", "5;\r\n").serves(hello),
        chunks("an extension of the last chunk", "5\r\nhello\r\n0;a=b\r\n\r\n").serves(hello),
        size("a bare line feed in an extension (CVE-2024-52304)", "5;a\nb\r\n").refused(400),
        size("a bare line feed at the end of an extension (CVE-2025-22871)", "5;a\n").refused(400),
        size("a bare carriage return in an extension", "5;a\rb\r\n").refused(400),
        size("a line end in the quotes of an extension", "5;a=\"\r\n\"\r\n").refused(400),
        size("a NUL in an extension", "5;a\0\r\n").refused(400),
        size("a control character in an extension", "5;a\x01\r\n").refused(400),
        size("a DEL in an extension", "5;a\x7f\r\n").refused(400),
        size("an extension without a semicolon", "5 a\r\n").refused(400),
        size("an extension that is as long as is allowed", &format!("5;{}\r\n", "x".repeat(31))).serves(hello),
        size("an extension that is too long", &format!("5;{}\r\n", "x".repeat(32))).refused(400),
        size("an extension without end", &format!("5;{}", "x".repeat(900))).refused(400),
        chunks("extensions that are too long together (CVE-2023-39326)", &"1;xxxxxxxx\r\nx\r\n".repeat(10))
            .refused(400),
    ]
}
