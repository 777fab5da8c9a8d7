//! Where a head ends, in bytes that grow.

use crate::http::fault::Fault;
use ::http::StatusCode;
use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// So many empty lines before a request are passed over. A client that sends more is not one that ended a body one line too
/// late (RFC 9112, 2.2), but one that keeps its place by saying nothing.
const EMPTY_LINES: u8 = 4;

/// Looks for the end of one head. Each byte is looked at once, however the input comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    /// Where the unfinished line starts.
    line: usize,
    /// How far we looked.
    seen: usize,
    empty_lines: u8,
}

impl Scan {
    /// Takes the head of a request out of the input, with its empty line and without those before it; `None` while it is not
    /// all there. A head has at most `most` bytes.
    ///
    /// # Errors
    /// What [`end`](Scan::end) refuses; more bytes than allowed; too many empty lines.
    pub(crate) fn take(&mut self, input: &mut BytesMut, most: usize) -> Result<Option<Bytes>, Fault> {
        while input.starts_with(b"\r\n") {
            input.advance(2);
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES {
                return Err(Fault::bad("empty lines instead of a request"));
            }
        }
        if input.as_ref() == b"\r" {
            return Ok(None);
        }
        // No byte beyond the limit counts: what is refused, and why, must not depend on how much came at once.
        match self.end(&input[..input.len().min(most)])? {
            Some(length) => Ok(Some(input.split_to(length).freeze())),
            None if input.len() < most => Ok(None),
            None => Err(self.too_long()),
        }
    }

    /// Whether it has not looked at anything yet.
    pub(crate) fn is_new(&self) -> bool {
        (self.seen, self.empty_lines) == (0, 0)
    }

    /// The length of the head with its empty line, once that is there.
    ///
    /// # Errors
    /// A line that does not end with CR LF; a first byte that starts no message (a TLS greeting, for one).
    pub(crate) fn end(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        if input.first().is_some_and(|byte| !byte.is_ascii_graphic()) {
            return Err(Fault::bad("this is not HTTP"));
        }
        while let Some(offset) = memchr(b'\n', &input[self.seen..]) {
            let next = self.seen + offset + 1;
            match input[self.line..next] {
                [b'\r', b'\n'] => return Ok(Some(next)),
                [.., b'\r', b'\n'] => (self.line, self.seen) = (next, next),
                _ => return Err(Fault::bad("a line ends with a bare line feed")),
            }
        }
        self.seen = input.len();
        Ok(None)
    }

    /// What to say when the head is longer than allowed.
    pub(crate) fn too_long(&self) -> Fault {
        match self.line {
            0 => Fault::new(StatusCode::URI_TOO_LONG, "the request line is too long"),
            _ => Fault::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for cut in 0..head.len() {
            let mut scan = Scan::default();
            assert_eq!(scan.end(&head[..cut]), Ok(None), "{cut} bytes");
            assert_eq!(scan.end(&[head, &b"GET"[..]].concat()), Ok(Some(head.len())), "{cut} bytes first");
        }
        assert!(Scan::default().end(b"GET / HTTP/1.1\nHost: a\r\n\r\n").is_err());
        assert!(Scan::default().end(b"\x16\x03\x01").is_err());
    }

    #[test]
    fn a_head_is_taken_without_the_empty_lines_before_it() {
        let wire = b"\r\n\r\nGET / HTTP/1.1\r\n\r\nGET";
        for cut in 0..wire.len() {
            let (mut scan, mut input) = (Scan::default(), BytesMut::from(&wire[..cut]));
            let first = scan.take(&mut input, 18).unwrap();
            assert_eq!(first.is_some(), cut >= wire.len() - 3, "{cut} bytes");
            input.extend_from_slice(&wire[cut..]);
            let head = first.or_else(|| scan.take(&mut input, 18).unwrap()).unwrap();
            assert_eq!((&head[..], &input[..]), (&b"GET / HTTP/1.1\r\n\r\n"[..], &b"GET"[..]), "{cut} bytes first");
        }
    }

    #[test]
    fn neither_a_head_nor_the_empty_lines_before_it_are_endless() {
        let status = |text: &str, most| Scan::default().take(&mut BytesMut::from(text), most).unwrap_err().status;
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n", 17), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert_eq!(status("GET / HTTP/1.1\r\nHo", 18), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert_eq!(status("GET / HTTP/1.1", 14), StatusCode::URI_TOO_LONG);
        assert_eq!(status(&"\r\n".repeat(usize::from(EMPTY_LINES) + 1), 100), StatusCode::BAD_REQUEST);
    }
}
