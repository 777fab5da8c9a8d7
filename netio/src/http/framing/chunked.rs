//! A body in chunks. RFC 9112, 7.1.
//!
//! ```text
//!   size [;extension] CR LF   data CR LF   ...   0 CR LF   trailer fields   CR LF
//!   └──────── Size ───────┘   └ Data ┘└ DataEnd        └────── Trailers ───────┘
//! ```

use super::{Decoded, Limits, take};
use crate::http::{fault::Fault, trailers::may_come_late};
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::{Buf, BytesMut};
use memchr::memchr;

/// Sixteen hexadecimal digits fill 64 bits: longer numbers would overflow.
const MOST_DIGITS: usize = 16;

#[derive(Debug)]
pub(crate) struct Chunked {
    at: At,
    /// What is left of them.
    limits: Limits,
    pub(super) trailers: Option<Box<HeaderMap>>,
}

/// Where we are between two chunks.
#[derive(Clone, Copy, Debug)]
enum At {
    Size,
    Data(u64),
    /// The line end behind the data.
    DataEnd,
    /// The lines behind the last chunk.
    Trailers,
}

impl Chunked {
    pub(super) fn new(limits: Limits) -> Self {
        Chunked { at: At::Size, limits, trailers: None }
    }

    pub(super) fn announced(&self) -> u64 {
        if let At::Data(left) = self.at { left } else { 0 }
    }

    pub(super) fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, Fault> {
        loop {
            match &mut self.at {
                At::Size => {
                    let most = MOST_DIGITS + self.limits.extension_bytes;
                    let too_long = Fault::bad("the extensions of the chunks are too long");
                    let Some(line) = line(input, most, too_long)? else { return Ok(Decoded::More) };
                    let length = line.len();
                    let (size, extension) = read_size(line)?;
                    self.limits.extension_bytes = self.limits.extension_bytes.checked_sub(extension).ok_or(too_long)?;
                    input.advance(length + 2);
                    self.at = if size == 0 { At::Trailers } else { At::Data(size) };
                }
                At::Data(0) => self.at = At::DataEnd,
                At::Data(left) => return Ok(take(left, input)),
                At::DataEnd => {
                    match input[..] {
                        [b'\r', b'\n', ..] => input.advance(2),
                        [] | [b'\r'] => return Ok(Decoded::More),
                        _ => return Err(Fault::bad("a chunk is longer than its size")),
                    }
                    self.at = At::Size;
                }
                At::Trailers => {
                    let too_many = Fault::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the trailers are too long");
                    let Some(line) = line(input, self.limits.trailer_bytes, too_many)? else {
                        return Ok(Decoded::More);
                    };
                    let length = line.len();
                    if length == 0 {
                        input.advance(2);
                        return Ok(Decoded::End);
                    }
                    self.limits.trailer_count = self.limits.trailer_count.checked_sub(1).ok_or(too_many)?;
                    self.limits.trailer_bytes = self.limits.trailer_bytes.checked_sub(length + 2).ok_or(too_many)?;
                    let (name, value) = read_field(line)?;
                    if may_come_late(&name) {
                        self.trailers.get_or_insert_default().append(name, value);
                    }
                    input.advance(length + 2);
                }
            }
        }
    }
}

/// The first line, without its end; `None` if that is still to come. It has at most `most` bytes.
fn line(input: &[u8], most: usize, too_long: Fault) -> Result<Option<&[u8]>, Fault> {
    match memchr(b'\n', &input[..input.len().min(most + 2)]) {
        Some(end) => match input[..end] {
            [.., b'\r'] => Ok(Some(&input[..end - 1])),
            _ => Err(Fault::bad("a line in a chunked body does not end with CR LF")),
        },
        None if input.len() < most + 2 => Ok(None),
        None => Err(too_long),
    }
}

/// Hexadecimal digits, then nothing or extensions. Gives the number, and the length of the extensions. Those mean nothing to
/// us, but where a line ends must be as clear in them as anywhere.
fn read_size(line: &[u8]) -> Result<(u64, usize), Fault> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, extension) = line.split_at(digits);
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return Err(Fault::bad("the size of a chunk is no number"));
    }
    // The grammar has white space before the semicolon, for the sake of those who have always sent it.
    match extension.trim_ascii_start() {
        [b';', ..] if extension.iter().all(is_of_a_value) => {}
        [] if extension.is_empty() => {}
        _ => return Err(Fault::bad("the size of a chunk is no number")),
    }
    let digits = std::str::from_utf8(digits).expect("digits are text");
    let size = u64::from_str_radix(digits, 16).map_err(|_| Fault::bad("the size of a chunk is no number"))?;
    Ok((size, extension.len()))
}

/// RFC 9110, 5.5: what may stand in the value of a field.
fn is_of_a_value(byte: &u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// A field by the same rules as in a head: httparse is asked there, and would need the whole section here.
fn read_field(line: &[u8]) -> Result<(HeaderName, HeaderValue), Fault> {
    const MALFORMED: Fault = Fault::bad("a trailer field is malformed");
    if !line.iter().all(is_of_a_value) {
        return Err(MALFORMED);
    }
    let colon = memchr(b':', line).ok_or(MALFORMED)?;
    // No white space belongs to a name: neither before the colon, nor at the start, where it would fold the line.
    let name = HeaderName::from_bytes(&line[..colon]).map_err(|_| MALFORMED)?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).map_err(|_| MALFORMED)?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::framing::{Decoder, Framing};

    /// Feeds `wire` in pieces of `step` bytes. Gives the body and what is left in the input.
    fn decode(framing: Framing, wire: &[u8], step: usize) -> Result<(Vec<u8>, Vec<u8>, bool), &'static str> {
        let (mut decoder, mut input, mut body) = (Decoder::from(framing), BytesMut::new(), Vec::new());
        let mut pieces = wire.chunks(step);
        loop {
            match decoder.decode(&mut input).map_err(|fault| fault.reason)? {
                Decoded::Data(bytes) => body.extend(bytes),
                Decoded::End => break,
                Decoded::More => match pieces.next() {
                    Some(piece) => input.extend_from_slice(piece),
                    None => return Ok((body, input.to_vec(), decoder.may_end())),
                },
            }
        }
        pieces.for_each(|piece| input.extend_from_slice(piece));
        Ok((body, input.to_vec(), decoder.may_end()))
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        let chunked = b"4\r\nWiki\r\nA;name=\"v\"\r\npedia in c\r\n00\r\nExpires: never\r\n\r\nNEXT";
        for step in 1..=chunked.len() {
            let (body, rest, _) = decode(Framing::Chunked, chunked, step).unwrap();
            assert_eq!((body.as_slice(), rest.as_slice()), (&b"Wikipedia in c"[..], &b"NEXT"[..]), "steps of {step}");
            let (body, rest, _) = decode(Framing::Length(4), b"WikiNEXT", step).unwrap();
            assert_eq!((body.as_slice(), rest.as_slice()), (&b"Wiki"[..], &b"NEXT"[..]), "steps of {step}");
            let (body, rest, _) = decode(Framing::Length(0), b"NEXT", step).unwrap();
            assert_eq!((body.as_slice(), rest.as_slice()), (&b""[..], &b"NEXT"[..]), "steps of {step}");
        }
    }

    #[test]
    fn only_some_bodies_may_end_with_the_connection() {
        assert!(decode(Framing::UntilClose, b"all", 1).unwrap().2);
        assert!(!decode(Framing::Length(4), b"all", 1).unwrap().2);
        for cut in 0..b"3\r\nall\r\n0\r\n\r\n".len() {
            assert!(!decode(Framing::Chunked, &b"3\r\nall\r\n0\r\n\r\n"[..cut], 1).unwrap().2, "{cut} bytes");
        }
    }

    #[test]
    fn a_size_or_a_line_end_that_two_readers_may_read_differently_is_refused() {
        for wire in [
            "\r\n",
            "g\r\n",
            "+1\r\n",
            "-1\r\n",
            "0x1\r\n",
            " 1\r\n",
            "1 \r\n",
            "1_0\r\n",
            "1\n",
            "1;a\nb\r\n",
            "1;a\rb\r\n",
            "10000000000000000\r\n",
            "ffffffffffffffffff\r\n",
            "1\r\nab\r\n",
            "1\r\na\nb",
            "1\r\na\r\r\n",
            "0\r\nname: value\n\r\n",
            "0\r\n\n",
            "0\r\nname : value\r\n\r\n",
            "0\r\n name: value\r\n\r\n",
            "0\r\nname: value\r\n folded\r\n\r\n",
            "0\r\nname: va\rlue\r\n\r\n",
            "0\r\nname: va\0lue\r\n\r\n",
            "0\r\nname: \x0cvalue\r\n\r\n",
            "0\r\n: value\r\n\r\n",
            "0\r\nname\r\n\r\n",
            "1;a\0b\r\n",
            "1\t\r\n",
            "1 a;b\r\n",
        ] {
            for step in [1, wire.len()] {
                assert!(decode(Framing::Chunked, wire.as_bytes(), step).is_err(), "{wire:?} in steps of {step}");
            }
        }
    }

    #[test]
    fn what_comes_besides_the_data_is_bounded_for_the_whole_body() {
        let limits = Limits { extension_bytes: 20, trailer_bytes: 30, trailer_count: 3 };
        let status = |wire: &str, step| {
            let (mut decoder, mut input) = (Decoder::new(Framing::Chunked, limits), BytesMut::new());
            for piece in wire.as_bytes().chunks(step) {
                input.extend_from_slice(piece);
                loop {
                    match decoder.decode(&mut input) {
                        Ok(Decoded::Data(_)) => {}
                        Ok(Decoded::More) => break,
                        Ok(Decoded::End) => return 200,
                        Err(fault) => return fault.status.as_u16(),
                    }
                }
            }
            0
        };
        for step in [1, 2, 7, 1000] {
            assert_eq!(status("1;23456789\r\nx\r\n1;23456789\r\nx\r\n0\r\n\r\n", step), 200);
            assert_eq!(status("1;23456789\r\nx\r\n1;234567890123\r\nx\r\n0\r\n\r\n", step), 400);
            assert_eq!(
                status(&format!("1;{}", "x".repeat(50)), step),
                400,
                "and the end of the line is not waited for"
            );
            assert_eq!(status("0\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n", step), 200);
            assert_eq!(status("0\r\na: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n\r\n", step), 431);
            assert_eq!(status("0\r\na: 1234567890\r\nb: 1234567890\r\n\r\n", step), 200);
            assert_eq!(status("0\r\na: 1234567890\r\nb: 12345678901\r\n\r\n", step), 431);
            assert_eq!(status(&format!("0\r\na: {}", "x".repeat(50)), step), 431);
        }
    }

    #[test]
    fn trailers_are_fields_and_those_that_come_too_late_are_dropped() {
        let (mut decoder, mut input) = (Decoder::from(Framing::Chunked), BytesMut::new());
        input.extend_from_slice(b"0\r\nX-Sum:\t 1 \r\nContent-Length: 5\r\nx-sum: 2\r\nHost: b\r\nEmpty:\r\n\r\nNEXT");
        assert!(decoder.take_trailers().is_empty(), "not before the end");
        assert_eq!(decoder.decode(&mut input), Ok(Decoded::End));
        assert_eq!(decoder.decode(&mut input), Ok(Decoded::End));
        assert!(decoder.may_end());
        let trailers = decoder.take_trailers();
        let fields: Vec<_> =
            trailers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        assert_eq!(fields, ["x-sum=1", "x-sum=2", "empty="]);
        assert!(decoder.take_trailers().is_empty());
        assert_eq!(input, "NEXT");
    }
}
