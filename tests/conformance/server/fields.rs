//! Header fields: RFC 9112, 5; RFC 9110, 5.

use super::{
    case::{Case, fields, get, raw},
    first_line::DELIMITERS,
};

pub(super) fn cases() -> Vec<Case> {
    [names(), values(), folded()].concat()
}

fn names() -> Vec<Case> {
    let get = |name: &str, more: &str| get(name, "9112 5.1", more);
    let mut cases = vec![
        get("a space before the colon", "X : y").refused(400),
        get("a tab before the colon", "X\t: y").refused(400),
        get("a vertical tab before the colon", "X\x0b: y").refused(400),
        get("a space in a name", "X Y: z").refused(400),
        get("a field without a name", ": y").refused(400),
        get("a field without a colon", "X").refused(400),
        get("a field without a colon, last", "Y: z\r\nX").refused(400),
        get("a name beyond ASCII", "é: y").refused(400),
        get("a NUL in a name", "X\0: y").refused(400),
        get("a control character in a name", "X\x01: y").refused(400),
        get("a slash in a name", "X/Y: z").refused(400),
        get("every character of a name", "!#$%&'*+-.^_`|~09azAZ: y").serves(["GET / a"]),
        get("a field twice", "X: y\r\nX: z").serves(["GET / a"]),
        get("two colons", "X:: y").serves(["GET / a"]),
        fields("a name with a no-break space before it", "9112 5.1", "Host: a\r\n\u{a0}X: y").refused(400),
        fields("a second first line", "9112 5.1", "Host: a\r\nGET / HTTP/1.1").refused(400),
    ];
    for delimiter in DELIMITERS.chars().filter(|&delimiter| delimiter != ':') {
        cases.push(get(&format!("{delimiter} in a name"), &format!("X{delimiter}Y: z")).refused(400));
    }
    cases
}

fn values() -> Vec<Case> {
    let get = |name: &str, more: &str| get(name, "9110 5.5", more);
    let mut cases = vec![
        get("an empty value", "X:").serves(["GET / a"]),
        get("a value of white space", "X: \t ").serves(["GET / a"]),
        get("a value in white space", "X:\t y \t").serves(["GET / a"]),
        get("a value without a space before it", "X:y").serves(["GET / a"]),
        get("white space in a value", "X: y \t z").serves(["GET / a"]),
        get("a value beyond ASCII", "X: é").serves(["GET / a"]),
        get("every visible character in a value", "X: !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~").serves(["GET / a"]),
        raw("bytes that are no text in a value", "9110 5.5", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\r\n\r\n")
            .serves(["GET / a"]),
    ];
    for byte in [0u8, 1, 7, 8, 0xb, 0xc, 0xe, 0x1b, 0x1f, 0x7f] {
        let name = format!("the byte {byte:#04x} in a value");
        cases.push(get(&name, &format!("X: y{}z", char::from(byte))).refused(400));
    }
    cases.push(get("a NUL at the end of a value", "X: y\0").refused(400));
    cases
}

fn folded() -> Vec<Case> {
    let get = |name: &str, more: &str| get(name, "9112 5.2", more);
    vec![
        get("a folded line", "X: y\r\n z").refused(400),
        get("a line folded with a tab", "X: y\r\n\tz").refused(400),
        get("a line folded behind its colon", "X:\r\n y").refused(400),
        get("a line folded twice", "X: y\r\n z\r\n z").refused(400),
        get("a line folded to nothing", "X: y\r\n ").refused(400),
        get("a folded field that smuggles", "X: y\r\n Transfer-Encoding: chunked").refused(400),
        get("a folded length", "Content-Length:\r\n 5").refused(400),
    ]
}
