//! `Transfer-Encoding`: RFC 9112, 6.1 and 6.3. Each case here is a way in which a request was smuggled past somebody once.

use super::case::{Case, post, raw};

/// For one who reads chunks the body is empty, and a request follows; for one who does not, there is more of a body.
const BODY: &str = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

pub(super) fn cases() -> Vec<Case> {
    let coding = |name: &str, value: &str| post(name, "9112 6.1", format!("Transfer-Encoding:{value}\r\n\r\n{BODY}"));
    let two = |name: &str, fields: &str| post(name, "9112 6.3", format!("{fields}\r\n\r\n{BODY}"));
    let raw = |name: &str, head: &str| raw(name, "9112 6.1", format!("{head}\r\n\r\n{BODY}"));
    let chunked = ["POST / a", "GET /smuggled a"];
    vec![
        coding("chunked", " chunked").serves(chunked),
        coding("chunked in mixed letters", " ChUnKeD").serves(chunked),
        coding("chunked in white space", "\t chunked \t").serves(chunked),
        coding("chunked without a space before it", "chunked").serves(chunked),
        coding("a coding that we do not know, then chunked", " gzip, chunked").refused(501),
        coding("two codings that we do not know, then chunked", " deflate, gzip, chunked").refused(501),
        coding("chunked, and a coding that we do not know", " chunked, gzip").refused(400),
        coding("a coding that we do not know, alone", " gzip").refused(400),
        coding("identity (RUSTSEC-2021-0020)", " identity").refused(400),
        coding("chunked, identity", " chunked, identity").refused(400),
        coding("identity, chunked", " identity, chunked").refused(501),
        coding("chunked twice", " chunked, chunked").refused(400),
        coding("chunked, and a comma", " chunked,").refused(400),
        coding("a comma, and chunked (CVE-2024-1135)", " ,chunked").refused(400),
        coding("chunked, and a space in it", " chu nked").refused(400),
        coding("chunked, and a word", " chunked x").refused(400),
        coding("a word, and chunked", " x chunked").refused(400),
        coding("chunked, and a letter", " chunkedx").refused(400),
        coding("a letter, and chunked", " xchunked").refused(400),
        coding("a part of chunked", " chunke").refused(400),
        coding("chunked with a parameter", " chunked;q=1").refused(400),
        coding("chunked and a semicolon", " chunked;").refused(400),
        coding("chunked with a dot", " chunked.").refused(400),
        coding("chunked in quotes", " \"chunked\"").refused(400),
        coding("chunked in apostrophes", " 'chunked'").refused(400),
        coding("chunked behind an equals sign", " =chunked").refused(400),
        coding("chunked behind a colon", ": chunked").refused(400),
        coding("chunked behind a vertical tab", " \x0bchunked").refused(400),
        coding("chunked before a form feed", " chunked\x0c").refused(400),
        coding("chunked before a NUL", " chunked\0").refused(400),
        coding("chunked behind a no-break space", " \u{a0}chunked").refused(400),
        coding("chunked with a Kelvin sign for its k", " chun\u{212a}ed").refused(400),
        coding("an empty coding", "").refused(400),
        coding("a coding of commas", " ,,").refused(400),
        coding("chunked on a folded line", "\r\n chunked").refused(400),
        coding("chunked folded away", " x\r\n chunked").refused(400),
        two("two fields of chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked").refused(400),
        two("chunked, then a field of identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")
            .refused(400),
        two("a field of identity, then chunked", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked")
            .refused(400),
        two("a field of something, then chunked", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked").refused(400),
        two("an empty field, then chunked", "Transfer-Encoding:\r\nTransfer-Encoding: chunked").refused(400),
        two("chunked, and a length", "Transfer-Encoding: chunked\r\nContent-Length: 4").refused(400),
        two("a length, and chunked", "Content-Length: 4\r\nTransfer-Encoding: chunked").refused(400),
        two("chunked, and a length of nothing", "Transfer-Encoding: chunked\r\nContent-Length: 0").refused(400),
        two("chunked, and a length that fits", "Transfer-Encoding: chunked\r\nContent-Length: 5").refused(400),
        two("identity, and a length", "Transfer-Encoding: identity\r\nContent-Length: 5").refused(400),
        two("an empty coding, and a length", "Transfer-Encoding:\r\nContent-Length: 5").refused(400),
        two("chunked behind a space before the colon", "Transfer-Encoding : chunked").refused(400),
        two("chunked behind a space, and a length", "Content-Length: 5\r\nTransfer-Encoding : chunked").refused(400),
        two("chunked on a line that begins with a space", "Content-Length: 5\r\n Transfer-Encoding: chunked")
            .refused(400),
        two("chunked behind a bare line feed", "Content-Length: 5\r\nX: y\nTransfer-Encoding: chunked").refused(400),
        two("chunked behind a bare carriage return", "Content-Length: 5\r\nX: y\rTransfer-Encoding: chunked")
            .refused(400),
        two("a field that only looks like a coding", "Transfer_Encoding: chunked").serves(["POST / a"]).refused(400),
        two("a coding that is only wished for", "TE: chunked").serves(["POST / a"]).refused(400),
        two(
            "a coding that the connection is said to have",
            "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
        )
        .serves(chunked),
        two("a length that the connection is said to have", "Connection: Content-Length\r\nContent-Length: 5")
            .serves(["POST / a 0", "GET /smuggled a"]),
        raw("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked").refused(400),
        raw("identity in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: identity").refused(400),
        raw(
            "chunked in HTTP/1.0, to be kept",
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked",
        )
        .refused(400),
        raw("chunked and a length in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5")
            .refused(400),
        raw("a GET in chunks", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked")
            .serves(["GET / a", "GET /smuggled a"]),
        raw("a HEAD in chunks", "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked")
            .serves(["HEAD / a", "GET /smuggled a"]),
    ]
}
