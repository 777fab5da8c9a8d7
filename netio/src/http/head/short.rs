//! The short way through a head: one pass over what most clients send.
//!
//! It takes less than httparse does, and what it takes it takes in the same way: a first line of three parts, fields without control
//! characters but the tab, and each line ended by CR LF. Whatever else comes goes the long way, and there it is said what is wrong with it.
//! (A test and a fuzz target compare the two.)

use super::table::table;
use memchr::memchr;

/// The words of the head of a request, but for its fields.
pub(super) struct Words<'h> {
    pub(super) method: &'h [u8],
    pub(super) target: &'h [u8],
    pub(super) minor_version: u8,
    /// How many bytes it has, with the empty line.
    pub(super) length: usize,
}

/// Reads the head of a request at the beginning of `bytes`, and shows each field: its name and its value. `None`: it is to be
/// read the long way. The method and the target are not looked at.
pub(super) fn request<'h>(
    bytes: &'h [u8],
    most_fields: usize,
    show: impl FnMut(&'h [u8], &'h [u8]) -> Option<()>,
) -> Option<Words<'h>> {
    let (method, rest) = word(bytes)?;
    let (target, rest) = word(rest)?;
    let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ (b'0' | b'1'), b'\r', b'\n', rest @ ..] = rest else {
        return None;
    };
    let behind = fields(rest, most_fields, show)?;
    Some(Words { method, target, minor_version: minor - b'0', length: bytes.len() - behind.len() })
}

/// The first line of a response, but for its reason.
pub(super) struct StatusLine {
    pub(super) minor_version: u8,
    pub(super) status: u16,
    /// How many bytes the head has, with the empty line.
    pub(super) length: usize,
}

/// The same for the head of a response.
pub(super) fn response<'h>(
    bytes: &'h [u8],
    most_fields: usize,
    show: impl FnMut(&'h [u8], &'h [u8]) -> Option<()>,
) -> Option<StatusLine> {
    let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ (b'0' | b'1'), b' ', a, b, c, b' ', reason @ ..] = bytes
    else {
        return None;
    };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let status = digit(a)? * 100 + digit(b)? * 10 + digit(c)?;
    let (_, rest) = line(reason)?;
    let behind = fields(rest, most_fields, show)?;
    Some(StatusLine { minor_version: minor - b'0', status, length: bytes.len() - behind.len() })
}

/// Shows the fields, and gives what comes behind the empty line.
fn fields<'h>(
    mut rest: &'h [u8],
    most: usize,
    mut show: impl FnMut(&'h [u8], &'h [u8]) -> Option<()>,
) -> Option<&'h [u8]> {
    let mut number = 0;
    loop {
        if let [b'\r', b'\n', behind @ ..] = rest {
            return Some(behind);
        }
        let colon = rest.iter().position(|byte| !IN_A_TOKEN[usize::from(*byte)])?;
        let (value, behind) = line(rest[colon..].strip_prefix(b":")?)?;
        number += 1;
        if colon == 0 || number > most {
            return None;
        }
        show(&rest[..colon], value.trim_ascii())?;
        rest = behind;
    }
}

/// What stands before the end of a line, which is in sight, and what behind it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = bytes.split_at(memchr(b'\r', bytes)?);
    // Control characters have no place there, but a tab. Without an early end, so that many bytes are looked at at once.
    let bad = line.iter().fold(false, |bad, &byte| bad | ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f));
    let rest = rest.strip_prefix(b"\r\n")?;
    (!bad).then_some((line, rest))
}

/// What stands before the first space, and what behind it.
fn word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    (space > 0).then(|| (&bytes[..space], &bytes[space + 1..]))
}

/// What the names of things in the protocol are made of. RFC 9110, 5.6.2.
pub(crate) const IN_A_TOKEN: [bool; 256] = table!(
    b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~'
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    type Fields = Vec<(Vec<u8>, Vec<u8>)>;

    const MOST: usize = 3;

    /// Method, target, minor version, length.
    type RequestLine = (Vec<u8>, Vec<u8>, u8, usize);

    fn short_request(head: &[u8]) -> Option<(RequestLine, Fields)> {
        let mut fields = Fields::new();
        let words = request(head, MOST, |name, value| {
            fields.push((name.to_owned(), value.to_owned()));
            Some(())
        })?;
        // They are looked at later.
        let is_token = words.method.iter().all(|byte| IN_A_TOKEN[usize::from(*byte)]);
        let holds = is_token && words.target.iter().all(u8::is_ascii_graphic);
        holds.then(|| ((words.method.into(), words.target.into(), words.minor_version, words.length), fields))
    }

    fn long_request(head: &[u8]) -> Option<(RequestLine, Fields)> {
        let mut slots = [httparse::EMPTY_HEADER; MOST];
        let mut parsed = httparse::Request::new(&mut slots);
        let Ok(httparse::Status::Complete(length)) = parsed.parse(head) else { return None };
        let words = (parsed.method?.into(), parsed.path?.into(), parsed.version?, length);
        Some((words, owned(parsed.headers)))
    }

    /// Minor version, status, length.
    fn short_response(head: &[u8]) -> Option<((u8, u16, usize), Fields)> {
        let mut fields = Fields::new();
        let line = response(head, MOST, |name, value| {
            fields.push((name.to_owned(), value.to_owned()));
            Some(())
        })?;
        Some(((line.minor_version, line.status, line.length), fields))
    }

    fn long_response(head: &[u8]) -> Option<((u8, u16, usize), Fields)> {
        let mut slots = [httparse::EMPTY_HEADER; MOST];
        let mut parsed = httparse::Response::new(&mut slots);
        let Ok(httparse::Status::Complete(length)) = parsed.parse(head) else { return None };
        Some(((parsed.version?, parsed.code?, length), owned(parsed.headers)))
    }

    fn owned(fields: &[httparse::Header<'_>]) -> Fields {
        fields.iter().map(|field| (field.name.into(), field.value.into())).collect()
    }

    /// Each byte of each head is left out, doubled, and replaced by each other; and each head is cut off everywhere.
    fn compare<R: PartialEq + Debug>(heads: &[&[u8]], short: fn(&[u8]) -> Option<R>, long: fn(&[u8]) -> Option<R>) {
        let mut taken = 0;
        let mut look = |head: &[u8]| {
            if let Some(found) = short(head) {
                assert_eq!(Some(found), long(head), "{}", head.escape_ascii());
                taken += 1;
            }
        };
        for head in heads {
            look(head);
            for at in 0..head.len() {
                look(&head[..at]);
                look(&[&head[..at], &head[at + 1..]].concat());
                look(&[&head[..at], &head[at..=at], &head[at..]].concat());
                for byte in 0..=u8::MAX {
                    look(&[&head[..at], &[byte], &head[at + 1..]].concat());
                }
            }
        }
        assert!(taken > 1000, "{taken}");
    }

    #[test]
    fn what_the_short_way_takes_the_long_way_takes_in_the_same_way() {
        let requests = [
            &b"GET /x?y=1 HTTP/1.1\r\nHost: a.b\r\nAccept:\t*/* \r\n\r\n"[..],
            b"POST / HTTP/1.0\r\nx:\r\n y: z\r\n\r\nbody\r\n\r\n",
            b"GET /\x80 HTTP/1.1\r\na: \xffb c\td\r\nb-c: d\r\ne: f\r\n\r\n",
            b"GET / HTTP/1.1\r\n1: 2\r\n3: 4\r\n5: 6\r\n7: 8\r\n\r\n",
        ];
        compare(&requests, short_request, long_request);
        let responses = [
            &b"HTTP/1.1 200 OK\r\nserver: a\r\ncontent-length:\t5 \r\n\r\nhello"[..],
            b"HTTP/1.0 404 \r\n\r\n",
            b"HTTP/1.1 099 \x80 not\tfound \r\na: \xffb\r\n\r\n",
            b"HTTP/1.1 200\r\n1: 2\r\n3: 4\r\n5: 6\r\n7: 8\r\n\r\n",
        ];
        compare(&responses, short_response, long_response);
    }
}
