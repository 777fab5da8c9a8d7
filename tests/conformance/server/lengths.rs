//! A body of known length: RFC 9112, 6.2 and 6.3; RFC 9110, 8.6.

use super::case::{Case, post, raw};

pub(super) fn cases() -> Vec<Case> {
    let length = |name: &str, value: &str| post(name, "9110 8.6", format!("Content-Length:{value}\r\n\r\nhello"));
    let post = |name: &str, rest: &str| post(name, "9112 6.3", rest);
    let raw = |name: &str, text: &str| raw(name, "9112 6.3", text);
    const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    vec![
        length("a length", " 5").serves(["POST / a hello"]),
        length("a length without a space before it", "5").serves(["POST / a hello"]),
        length("a length in white space", " \t5\t ").serves(["POST / a hello"]),
        length("a length with zeros first", " 0000000000000000000000000000005").serves(["POST / a hello"]),
        length("a length with a plus (RUSTSEC-2021-0078)", " +5").refused(400),
        length("a negative length", " -5").refused(400),
        length("a length of minus nothing", " -0").refused(400),
        length("a list of equal lengths", " 5, 5").refused(400),
        length("a list of equal lengths without a space", " 5,5").refused(400),
        length("a list of lengths", " 5, 6").refused(400),
        length("a length and a comma", " 5,").refused(400),
        length("a comma and a length", " ,5").refused(400),
        length("a length with a space in it", " 0 5").refused(400),
        length("a length with a tab in it", " 0\t5").refused(400),
        length("a length with an underscore", " 0_5").refused(400),
        length("a hexadecimal length", " 0x5").refused(400),
        length("an octal length", " 0o5").refused(400),
        length("a length with a fraction", " 5.0").refused(400),
        length("a length with an exponent", " 5e0").refused(400),
        length("a length with a parameter", " 5;x=y").refused(400),
        length("a length in quotes", " \"5\"").refused(400),
        length("a length with a unit", " 5B").refused(400),
        length("an empty length", "").refused(400),
        length("a length of white space", " ").refused(400),
        length("a length that is a word", " five").refused(400),
        length("a length in digits of another script", " ٥").refused(400),
        length("a length in digits of full width", " ５").refused(400),
        length("a length of 64 bits", " 18446744073709551615").refused(413),
        length("a length beyond 64 bits", " 18446744073709551616").refused(400),
        length("a length beyond 64 bits that would wrap to five", " 18446744073709551621").refused(400),
        length("a length of a hundred digits", &format!(" {}", "9".repeat(100))).refused(400),
        post("a length of nothing", "Content-Length: 0\r\n\r\n").serves(["POST / a"]),
        post("no length: no body", "\r\n").serves(["POST / a"]),
        post("no length, and bytes", "\r\nhello\r\n\r\n").serves(["POST / a"]).refused(400),
        post("no length, and a request", &format!("\r\n{SMUGGLED}")).serves(["POST / a", "GET /smuggled a"]),
        post("a body that looks like a request", &format!("Content-Length: 35\r\n\r\n{SMUGGLED}"))
            .serves(["POST / a GET /smuggled HTTP/1.1\r\nHost: a"]),
        post("a body of empty lines", "Content-Length: 4\r\n\r\n\r\n\r\n").serves(["POST / a"]),
        post("two lengths", &format!("Content-Length: 5\r\nContent-Length: 0\r\n\r\n{SMUGGLED}")).refused(400),
        post("two lengths, the other way round", &format!("Content-Length: 0\r\nContent-Length: 5\r\n\r\n{SMUGGLED}"))
            .refused(400),
        post("the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello").refused(400),
        post("the same length twice, in other letters", "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello")
            .refused(400),
        post("a length, and an empty one", "Content-Length: 5\r\nContent-Length:\r\n\r\nhello").refused(400),
        post("a field that only looks like a length", &format!("Content_Length: 5\r\n\r\n{SMUGGLED}"))
            .serves(["POST / a", "GET /smuggled a"]),
        raw("a GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            .serves(["GET / a hello"]),
        raw("a HEAD with a body", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            .serves(["HEAD / a hello"]),
        raw("a DELETE with a body", "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            .serves(["DELETE / a hello"]),
        raw("an OPTIONS with a body", "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            .serves(["OPTIONS * a hello"]),
        raw("a body in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello")
            .serves(["POST / - hello"])
            .closes(),
        raw("no length in HTTP/1.0", "POST / HTTP/1.0\r\n\r\nhello").serves(["POST / -"]).closes(),
    ]
}
