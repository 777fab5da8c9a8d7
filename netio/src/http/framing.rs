//! Where a body ends: after a number of bytes, after its last chunk, or with the connection.
//!
//! [`Decoder`] takes bytes that came in and gives the bytes of the body. It never takes a byte beyond the end: what stays
//! in the input is the next message.

use super::fault::Fault;
use bytes::{Buf, Bytes, BytesMut};

/// A line with a chunk's size and extensions is no longer than this.
const SIZE_LINE: usize = 1024;

/// The trailer fields together are no longer than this. Nobody asked for them; they are thrown away.
const TRAILERS: usize = 8 * 1024;

/// How a head tells the end of its body. RFC 9112, 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Takes a body out of its framing.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    /// Nothing more is taken.
    Done,
}

/// Where we are between two chunks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chunked {
    Size,
    Data(u64),
    /// The line end behind the data.
    DataEnd,
    /// The lines behind the last chunk; so much of them is still allowed.
    Trailers(usize),
}

/// What the input held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    Data(Bytes),
    /// More input is needed.
    More,
    End,
}

impl From<Framing> for Decoder {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Decoder::Length(length),
            Framing::Chunked => Decoder::Chunked(Chunked::Size),
            Framing::UntilClose => Decoder::UntilClose,
        }
    }
}

impl Decoder {
    /// Takes what can be taken.
    pub(crate) fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, Fault> {
        match self {
            Decoder::Length(0) => *self = Decoder::Done,
            Decoder::Length(left) => return Ok(take(left, input)),
            Decoder::UntilClose => return Ok(take(&mut u64::MAX.clone(), input)),
            Decoder::Chunked(chunked) => match chunked.decode(input)? {
                Decoded::End => *self = Decoder::Done,
                decoded => return Ok(decoded),
            },
            Decoder::Done => {}
        }
        Ok(Decoded::End)
    }

    /// How many bytes are certain to come, if the peer keeps its word.
    pub(crate) fn announced(&self) -> u64 {
        match self {
            Decoder::Length(left) | Decoder::Chunked(Chunked::Data(left)) => *left,
            _ => 0,
        }
    }

    /// Whether a connection that ends here ends the body well.
    pub(crate) fn may_end(&self) -> bool {
        matches!(self, Decoder::UntilClose | Decoder::Done | Decoder::Length(0))
    }
}

impl Chunked {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, Fault> {
        loop {
            *self = match self {
                Chunked::Size => match take_line(input, SIZE_LINE, "the size of a chunk is too long")? {
                    None => return Ok(Decoded::More),
                    Some(line) => match read_size(&line)? {
                        0 => Chunked::Trailers(TRAILERS),
                        size => Chunked::Data(size),
                    },
                },
                Chunked::Data(0) => Chunked::DataEnd,
                Chunked::Data(left) => return Ok(take(left, input)),
                Chunked::DataEnd => match take_line(input, 2, "a chunk is longer than its size")? {
                    None => return Ok(Decoded::More),
                    Some(line) if line.is_empty() => Chunked::Size,
                    Some(_) => return Err(Fault::bad("a chunk is longer than its size")),
                },
                Chunked::Trailers(left) => match take_line(input, *left, "the trailers are too long")? {
                    None => return Ok(Decoded::More),
                    Some(line) if line.is_empty() => return Ok(Decoded::End),
                    Some(line) => Chunked::Trailers(left.saturating_sub(line.len() + 2)),
                },
            }
        }
    }
}

/// Up to `left` bytes of data.
fn take(left: &mut u64, input: &mut BytesMut) -> Decoded {
    if input.is_empty() {
        return Decoded::More;
    }
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= length as u64;
    Decoded::Data(input.split_to(length).freeze())
}

/// A line without its end; `None` if that is still to come. With its end it has at most `most` bytes.
fn take_line(input: &mut BytesMut, most: usize, too_long: &'static str) -> Result<Option<Bytes>, Fault> {
    let end = input.iter().take(most).position(|&byte| byte == b'\n');
    let Some(end) = end else {
        return if input.len() < most { Ok(None) } else { Err(Fault::bad(too_long)) };
    };
    let line = input.split_to(end).freeze();
    input.advance(1);
    match line.as_ref() {
        [text @ .., b'\r'] if !text.contains(&b'\r') => Ok(Some(line.slice(..text.len()))),
        _ => Err(Fault::bad("a line in a chunked body does not end with CR LF")),
    }
}

/// Hexadecimal digits, then nothing or extensions, which mean nothing to us.
fn read_size(line: &[u8]) -> Result<u64, Fault> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    // Sixteen digits fill 64 bits: longer numbers would overflow. `from_str_radix` alone would take a sign.
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Fault::bad("the size of a chunk is no number"));
    }
    let digits = std::str::from_utf8(digits).expect("digits are text");
    u64::from_str_radix(digits, 16).map_err(|_| Fault::bad("the size of a chunk is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            for step in [1, wire.len()] {
                assert!(decode(Framing::Chunked, wire.as_bytes(), step).is_err(), "{wire:?} in steps of {step}");
            }
        }
        let long = format!("1;{}", "x".repeat(SIZE_LINE));
        assert!(decode(Framing::Chunked, long.as_bytes(), 100).is_err());
        let trailers = format!("0\r\n{}", "name: value\r\n".repeat(TRAILERS / 10));
        assert!(decode(Framing::Chunked, trailers.as_bytes(), 100).is_err());
    }
}
