//! Messages on their way out: heads, chunks, and the date.
//!
//! What belongs to the connection (the length of the body, whether the connection stays, the date) is written here and
//! nowhere else: fields of those names in a message are not copied.

use super::framing::Framing;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::{
    cell::RefCell,
    io::Write,
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What a server says when it has read the head of a request whose sender waits for leave to send the body.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Writes the end of a chunked body, and the fields that stand behind it.
pub(crate) fn last_chunk(output: &mut Vec<u8>, trailers: &HeaderMap) {
    output.extend_from_slice(b"0\r\n");
    trailers.iter().for_each(|(name, value)| field(output, name.as_str(), value.as_bytes()));
    output.extend_from_slice(b"\r\n");
}

/// The `Connection` field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Close,
    /// As HTTP/1.1 does if nothing is said.
    Stay,
    /// Said, for a client of HTTP/1.0.
    StaySaid,
    /// It goes on in another protocol; or it should, which the status says.
    Upgrade,
}

/// A response head while it is written.
pub(crate) struct ResponseWriter<'o> {
    output: &'o mut Vec<u8>,
    dated: bool,
}

impl<'o> ResponseWriter<'o> {
    /// Writes the status line.
    pub(crate) fn new(output: &'o mut Vec<u8>, status: StatusCode) -> Self {
        // What most heads need; so the vector grows once, if at all.
        output.reserve(256);
        match status {
            StatusCode::OK => output.extend_from_slice(b"HTTP/1.1 200 OK\r\n"),
            _ => status_line(output, status),
        }
        ResponseWriter { output, dated: false }
    }

    /// Writes a field, unless it is the connection's.
    pub(crate) fn field(&mut self, name: &HeaderName, value: &HeaderValue) {
        if !belongs_to_the_connection(name) {
            self.dated |= *name == header::DATE;
            field(self.output, name.as_str(), value.as_bytes());
        }
    }

    /// Writes what the connection says. `framing` is none for a response that has no body by its nature.
    pub(crate) fn end(self, framing: Option<Framing>, afterwards: Afterwards) {
        if !self.dated {
            DATE.with_borrow_mut(|date| date.write(self.output));
        }
        ending(self.output, framing, afterwards);
    }
}

/// The head of a response that is not the last one: it has no body, and nothing of it belongs to the connection.
pub(crate) fn interim_head(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let mut output = Vec::new();
    status_line(&mut output, status);
    for (name, value) in headers.iter().filter(|(name, _)| !belongs_to_the_connection(name)) {
        field(&mut output, name.as_str(), value.as_bytes());
    }
    output.extend_from_slice(b"\r\n");
    output
}

fn status_line(output: &mut Vec<u8>, status: StatusCode) {
    let reason = status.canonical_reason().unwrap_or_default();
    for part in ["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"] {
        output.extend_from_slice(part.as_bytes());
    }
}

fn belongs_to_the_connection(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH || *name == header::TRANSFER_ENCODING || *name == header::CONNECTION
}

fn field(output: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        output.extend_from_slice(part);
    }
}

fn ending(output: &mut Vec<u8>, framing: Option<Framing>, afterwards: Afterwards) {
    match framing {
        Some(Framing::Length(length)) => {
            output.extend_from_slice(b"content-length: ");
            output.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            output.extend_from_slice(b"\r\n");
        }
        Some(Framing::Chunked) => output.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Some(Framing::UntilClose) | None => {}
    }
    output.extend_from_slice(match afterwards {
        Afterwards::Close => b"connection: close\r\n\r\n",
        Afterwards::Stay => b"\r\n",
        Afterwards::StaySaid => b"connection: keep-alive\r\n\r\n",
        Afterwards::Upgrade => b"connection: upgrade\r\n\r\n",
    });
}

/// Writes a chunk. An empty one would be the end of the body, and is not written.
pub(crate) fn chunk(output: &mut Vec<u8>, data: &[u8]) {
    if !data.is_empty() {
        number(output, format_args!("{:x}\r\n", data.len()));
        output.extend_from_slice(data);
        output.extend_from_slice(b"\r\n");
    }
}

fn number(output: &mut Vec<u8>, number: std::fmt::Arguments<'_>) {
    output.write_fmt(number).expect("a vector takes every byte");
}

/// The `Date` field, made again only when the second changes.
struct Date {
    /// The second that it is for.
    second: Range<SystemTime>,
    line: Vec<u8>,
}

thread_local! {
    static DATE: RefCell<Date> = const { RefCell::new(Date { second: UNIX_EPOCH..UNIX_EPOCH, line: Vec::new() }) };
}

impl Date {
    fn write(&mut self, output: &mut Vec<u8>) {
        let now = runtime::time::wall_clock();
        if !self.second.contains(&now) {
            let begins = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let begins = UNIX_EPOCH + Duration::from_secs(begins);
            self.second = begins..begins + Duration::from_secs(1);
            self.line.clear();
            number(&mut self.line, format_args!("date: {}\r\n", httpdate::HttpDate::from(now)));
        }
        output.extend_from_slice(&self.line);
    }
}

/// Fields whose text was chosen by us.
pub(crate) fn plain(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("visible characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_writes_its_own_fields() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("77"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        headers.insert(header::ETAG, HeaderValue::from_static("\"x\""));
        let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
        let text = runtime.block_on(async {
            let mut output = Vec::new();
            let mut head = ResponseWriter::new(&mut output, StatusCode::OK);
            headers.iter().for_each(|(name, value)| head.field(name, value));
            head.end(Some(Framing::Length(5)), Afterwards::Stay);
            String::from_utf8(output).unwrap()
        });
        let expected =
            "HTTP/1.1 200 OK\r\netag: \"x\"\r\ndate: Sun, 09 Sep 2001 01:46:40 GMT\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_empty_chunk_does_not_end_the_body() {
        let mut output = Vec::new();
        chunk(&mut output, b"");
        chunk(&mut output, &[b'x'; 17]);
        assert_eq!(output, b"11\r\nxxxxxxxxxxxxxxxxx\r\n");
    }
}
