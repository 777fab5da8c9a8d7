//! Bodies in chunks.
//!
//! - A body is read in the same way however its bytes come.
//! - Another reader, who takes the grammar of RFC 9112, 7.1 one rule after the other, reads the same.
//! - What we write is read as what was to be written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netio::http::fuzz::{Body, chunked, write_chunks};

fuzz_target!(|input: &[u8]| {
    let [cut, wire @ ..] = input else { return };
    let whole = chunked([wire]);
    let (first, second) = wire.split_at(usize::from(*cut).min(wire.len()));
    assert_eq!(whole, chunked([first, second]), "in two pieces");
    assert_eq!(whole, chunked(wire.chunks(1)), "byte by byte");
    match (read(wire), &whole) {
        (Some(expected), whole) => assert_eq!(Ok(&expected), whole.as_ref()),
        (None, Ok(body)) => assert!(!body.ended, "{body:?}"),
        (None, Err(_)) => {}
    }

    let pieces = || wire.chunks(usize::from(*cut) + 1);
    let written = write_chunks(pieces());
    assert_eq!(chunked([&written[..]]), Ok(Body { data: wire.to_vec(), ended: true, ..Body::default() }));
});

/// A whole body, if there is one.
fn read(mut wire: &[u8]) -> Option<Body> {
    let (mut data, mut extensions) = (Vec::new(), 0);
    loop {
        let line = line(&mut wire)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, rest) = line.split_at(digits);
        let mark = rest.iter().position(|byte| !b" \t".contains(byte));
        let extended = rest.is_empty() || mark.is_some_and(|at| rest[at] == b';');
        if digits.is_empty() || digits.len() > 16 || !extended || !rest.iter().all(|byte| is_value(*byte)) {
            return None;
        }
        extensions += rest.len();
        if extensions > 4096 {
            return None;
        }
        let size =
            digits.iter().fold(0u64, |size, digit| size * 16 + u64::from(char::from(*digit).to_digit(16).unwrap()));
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).ok()?;
        data.extend_from_slice(wire.get(..size)?);
        wire = wire[size..].strip_prefix(b"\r\n")?;
    }
    let (mut trailers, mut bytes, mut count) = (Vec::<(String, Vec<u8>)>::new(), 0, 0);
    loop {
        let line = line(&mut wire)?;
        if line.is_empty() {
            break;
        }
        (bytes, count) = (bytes + line.len() + 2, count + 1);
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = std::str::from_utf8(&line[..colon]).ok()?.to_ascii_lowercase();
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let value = &line[colon + 1..];
        let bad = name.is_empty() || !name.chars().all(is_token) || !value.iter().all(|byte| is_value(*byte));
        if bad || bytes > 8192 || count > 100 {
            return None;
        }
        if !LATE.contains(&&*name) {
            let text: Vec<u8> = value.iter().copied().skip_while(|byte| b" \t".contains(byte)).collect();
            let end = text.iter().rposition(|byte| !b" \t".contains(byte)).map_or(0, |at| at + 1);
            trailers.push((name, text[..end].to_vec()));
        }
    }
    // As a map of fields gives them: those of one name together.
    let mut order: Vec<String> = Vec::new();
    for (name, _) in &trailers {
        if !order.contains(name) {
            order.push(name.clone());
        }
    }
    trailers.sort_by_key(|(name, _)| order.iter().position(|other| other == name));
    Some(Body { data, trailers, ended: true, left: wire.len() })
}

/// A line, without its CR LF.
fn line<'wire>(wire: &mut &'wire [u8]) -> Option<&'wire [u8]> {
    let end = wire.windows(2).position(|two| two == b"\r\n")?;
    let line = &wire[..end];
    *wire = &wire[end + 2..];
    (!line.contains(&b'\r') && !line.contains(&b'\n')).then_some(line)
}

fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Fields that come too late behind a body.
const LATE: &[&str] = &[
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "warning",
    "www-authenticate",
];
