//! The lines of a multipart body: bytes in, heads and data out. No sockets, no waiting.
//!
//! ```text
//!   Preamble ──boundary──> Line ──line end──> Head ──> Data ──boundary──> Line ── `--` ──> Epilogue
//!                            ^                                              │
//!                            └──────────────── line end ────────────────────┘
//! ```
//!
//! A boundary stands at the beginning of a line, so the line end in front of it belongs to it. In front of the first line we
//! put one; and the one behind a head is kept, because of a part without data it is that of the boundary.

use super::{Limits, MultipartError};
use bytes::{Buf, Bytes, BytesMut};

/// The blanks that may stand behind a boundary.
const PADDING: usize = 64;

/// The most fields that the head of a part has.
const FIELDS: usize = 16;

const LINE_END: &[u8] = b"\r\n";

#[derive(Debug)]
pub(super) struct Parser {
    /// `\r\n--BOUNDARY`. The `\r` is nowhere else in it.
    delimiter: Vec<u8>,
    buffer: BytesMut,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In front of the first boundary; so many bytes of it were thrown away.
    Preamble(usize),
    /// Behind a boundary.
    Line,
    Head,
    /// The buffer may still begin with the line end of the head.
    Data {
        at_start: bool,
    },
    Epilogue,
}

/// What the input holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// More input is needed; if there is none, the body was cut off.
    More,
    /// The head of the next part, name by name.
    Head(Vec<(String, String)>),
    /// Data of this part.
    Data(Bytes),
    /// The end of this part.
    PartEnd,
    /// The end of the form. What follows means nothing.
    End,
}

impl Parser {
    /// A boundary that [`is_boundary`].
    pub(super) fn new(boundary: &str) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        Parser { delimiter, buffer: BytesMut::from(LINE_END), state: State::Preamble(0) }
    }

    /// Adds what has come.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.state != State::Epilogue {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Takes what can be taken.
    pub(super) fn next(&mut self, limits: &Limits) -> Result<Event, MultipartError> {
        loop {
            match self.state {
                State::Preamble(before) => match self.take_data() {
                    Data::Some(bytes) => {
                        if before + bytes.len() > limits.head_bytes {
                            return Err(MultipartError::HeadTooLarge { limit: limits.head_bytes });
                        }
                        self.state = State::Preamble(before + bytes.len());
                    }
                    Data::More => return Ok(Event::More),
                    Data::Over => self.state = State::Line,
                },
                State::Line => match self.take_line()? {
                    None => return Ok(Event::More),
                    Some(state) => self.state = state,
                },
                State::Head => return self.take_head(limits),
                State::Data { at_start } => {
                    let data = self.take_data();
                    if !matches!(data, Data::More) {
                        self.state = State::Data { at_start: false };
                    }
                    match data {
                        Data::Some(mut bytes) => {
                            if at_start {
                                bytes.advance(LINE_END.len());
                            }
                            if !bytes.is_empty() {
                                return Ok(Event::Data(bytes));
                            }
                        }
                        Data::More => return Ok(Event::More),
                        Data::Over => {
                            self.state = State::Line;
                            return Ok(Event::PartEnd);
                        }
                    }
                }
                State::Epilogue => return Ok(Event::End),
            }
        }
    }

    /// All that is certainly in front of the next boundary.
    fn take_data(&mut self) -> Data {
        let found = memchr::memmem::find(&self.buffer, &self.delimiter);
        if found == Some(0) {
            self.buffer.advance(self.delimiter.len());
            return Data::Over;
        }
        // A boundary may have begun, but only with the last carriage return: there is no other in it.
        let begun =
            || memchr::memrchr(b'\r', &self.buffer).filter(|at| self.delimiter.starts_with(&self.buffer[*at..]));
        let end = found.or_else(begun).unwrap_or(self.buffer.len());
        if end == 0 { Data::More } else { Data::Some(self.buffer.split_to(end).freeze()) }
    }

    /// The rest of a line with a boundary: what comes then.
    fn take_line(&mut self) -> Result<Option<State>, MultipartError> {
        if self.buffer.starts_with(b"--") {
            self.buffer.clear();
            return Ok(Some(State::Epilogue));
        }
        if b"--".starts_with(&self.buffer) {
            return Ok(None);
        }
        let blanks = self.buffer.iter().take_while(|byte| b" \t".contains(byte)).count();
        let behind = &self.buffer[blanks..];
        if blanks > PADDING || !(behind.starts_with(LINE_END) || LINE_END.starts_with(behind)) {
            return Err(MultipartError::Malformed { reason: "a line begins with the boundary and goes on otherwise" });
        }
        if !behind.starts_with(LINE_END) {
            return Ok(None);
        }
        self.buffer.advance(blanks + LINE_END.len());
        Ok(Some(State::Head))
    }

    fn take_head(&mut self, limits: &Limits) -> Result<Event, MultipartError> {
        let malformed = MultipartError::Malformed { reason: "the head of a part is not as it should be" };
        let length = memchr::memmem::find(&self.buffer, b"\r\n\r\n").map(|at| at + LINE_END.len());
        if length.unwrap_or(self.buffer.len()) > limits.head_bytes {
            return Err(MultipartError::HeadTooLarge { limit: limits.head_bytes });
        }
        if self.buffer.starts_with(LINE_END) {
            return Err(MultipartError::Malformed { reason: "a part has no head, and so no name" });
        }
        let Some(length) = length else { return Ok(Event::More) };
        let head = self.buffer.split_to(length);
        // httparse would take a bare line feed for a line end.
        let is_bare = |(at, byte): (usize, &u8)| *byte == b'\n' && !head[..at].ends_with(b"\r");
        let has_bare = head.iter().enumerate().any(is_bare);
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let head = [&head[..], LINE_END].concat();
        let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&head, &mut fields) else {
            return Err(malformed);
        };
        let text = |field: &httparse::Header<'_>| {
            Some((field.name.to_ascii_lowercase(), std::str::from_utf8(field.value).ok()?.to_owned()))
        };
        let fields = fields.iter().map(text).collect::<Option<Vec<_>>>().filter(|_| !has_bare).ok_or(malformed)?;
        self.state = State::Data { at_start: true };
        Ok(Event::Head(fields))
    }
}

enum Data {
    Some(Bytes),
    More,
    /// A boundary, which is taken.
    Over,
}

/// RFC 2046, 5.1.1: 1 to 70 of these characters, and no blank at the end.
pub(super) fn is_boundary(text: &str) -> bool {
    let may_be = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    (1..=70).contains(&text.len()) && text.bytes().all(may_be) && !text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { head_bytes: 100, ..Limits::default() }
    }

    /// What the parser says of `wire` that comes in pieces of `step`, with adjacent data joined.
    fn parse(wire: &[u8], step: usize) -> Result<String, MultipartError> {
        let mut parser = Parser::new("b-b");
        let mut said = String::new();
        let mut pieces = wire.chunks(step);
        loop {
            match parser.next(&limits())? {
                Event::More => match pieces.next() {
                    Some(piece) => parser.feed(piece),
                    None => return Ok(said + "cut off"),
                },
                Event::Head(fields) => {
                    let values: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    said.push_str(&format!("[{}]", values.join("|")));
                }
                Event::Data(bytes) => said.push_str(&String::from_utf8_lossy(&bytes)),
                Event::PartEnd => said.push('.'),
                Event::End => return Ok(said + "end"),
            }
        }
    }

    #[test]
    fn a_body_is_taken_apart_however_it_comes() {
        for (wire, expected) in [
            ("--b-b\r\nA: 1\r\n\r\none\r\n--b-b--", "[a=1]one.end"),
            ("--b-b\r\nA: 1\r\nB:2\r\n\r\none\r\n--b-b--\r\nepilogue", "[a=1|b=2]one.end"),
            ("preamble\r\n--b-b\r\nA: 1\r\n\r\none\r\n--b-b--\r\n", "[a=1]one.end"),
            ("\r\n--b-b\r\nA: 1\r\n\r\none\r\n--b-b--", "[a=1]one.end"),
            ("--b-b \t \r\nA: 1\r\n\r\none\r\n--b-b--", "[a=1]one.end"),
            ("--b-b\r\nA: 1\r\n\r\none\r\n--b-b\r\nB: 2\r\n\r\ntwo\r\n--b-b--", "[a=1]one.[b=2]two.end"),
            ("--b-b\r\nA: 1\r\n\r\n\r\n--b-b--", "[a=1].end"),
            ("--b-b\r\nA: 1\r\n\r\n--b-b--", "[a=1].end"),
            ("--b-b\r\nA: 1\r\n\r\n\r\n\r\n--b-b--", "[a=1]\r\n.end"),
            (
                "--b-b\r\nA: 1\r\n\r\n\r\r\n\r\n--b-\r\n--b-c\r--b-b\n--b-b\r\n--b-b--",
                "[a=1]\r\r\n\r\n--b-\r\n--b-c\r--b-b\n--b-b.end",
            ),
            ("--b-b\r\nA: 1\r\n\r\nx--b-b\r\r\n--b-b--", "[a=1]x--b-b\r.end"),
            ("--b-b--", "end"),
            ("", "cut off"),
            ("--b-b", "cut off"),
            ("--b-b\r\nA: 1", "cut off"),
            ("--b-b\r\nA: 1\r\n\r\none", "[a=1]onecut off"),
            ("--b-b\r\nA: 1\r\n\r\none\r\n--b-", "[a=1]onecut off"),
            ("--b-b\r\nA: 1\r\n\r\none\r\n--b-b", "[a=1]one.cut off"),
            ("--b-b\r\nA: 1\r\n\r\none\r\n--b-b-", "[a=1]one.cut off"),
        ] {
            for step in 1..=wire.len().max(1) {
                assert_eq!(parse(wire.as_bytes(), step).as_deref(), Ok(expected), "{wire:?} in steps of {step}");
            }
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let long = format!("--b-b\r\nA: {}\r\n\r\n", "x".repeat(100));
        let fields = format!("--b-b\r\n{}\r\n", "A:1\r\n".repeat(17));
        let padding = format!("--b-b{}\r\n", " ".repeat(65));
        for wire in [
            "--b-bX\r\nA: 1\r\n\r\none\r\n--b-b--",
            "--b-b\nA: 1\r\n\r\none\r\n--b-b--",
            "--b-b-\r\nA: 1\r\n\r\none\r\n--b-b--",
            "--b-b\r\nA: 1\r\n\r\none\r\n--b-bb--",
            "--b-b\r\n\r\none\r\n--b-b--",
            "--b-b\r\nA: 1\nB: 2\r\n\r\n",
            "--b-b\r\nA: 1\rB: 2\r\n\r\n",
            "--b-b\r\nA: 1\r\n folded\r\n\r\n",
            "--b-b\r\nA : 1\r\n\r\n",
            "--b-b\r\nA 1\r\n\r\n",
            "--b-b\r\n: 1\r\n\r\n",
            "--b-b\r\nA: \x01\r\n\r\n",
            &long,
            &fields,
            &padding,
            &"x".repeat(101),
        ] {
            for step in [1, 2, wire.len()] {
                let error = parse(wire.as_bytes(), step).unwrap_err();
                let expected = matches!(error, MultipartError::Malformed { .. } | MultipartError::HeadTooLarge { .. });
                assert!(expected, "{wire:?} in steps of {step}: {error}");
            }
        }
        // A value that is not UTF-8.
        assert!(parse(b"--b-b\r\nA: \xff\r\n\r\n", 1).is_err());
    }

    #[test]
    fn a_boundary_has_the_characters_that_the_standard_allows() {
        let (seventy, more) = ("x".repeat(70), "x".repeat(71));
        for good in ["x", "----WebKitFormBoundary7MA4YWxk", "a b", "'()+_,-./:=?", &seventy] {
            assert!(is_boundary(good), "{good}");
        }
        for bad in ["", " ", "a ", "a\r\n", "\"", "é", "a;b", &more] {
            assert!(!is_boundary(bad), "{bad}");
        }
    }
}
