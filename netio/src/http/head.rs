//! Heads: the first line of a message and its header fields.
//!
//! Two passes. [`Scan`] looks for the empty line as the bytes come, each byte once, and refuses what no later byte can
//! make right. Then httparse finds the words of the whole head, and this file decides what they mean.
//!
//! - A line ends with CR LF and nothing else; a field name is followed by its colon at once; no field is folded.
//! - The length of the body is told in at most one way: one `Content-Length` of digits, or `Transfer-Encoding: chunked`.
//! - A request for this server has one host; the handler sees it in the `Host` field and the target as a path, whether the
//!   client wrote `GET /x` or `GET http://host/x`.

use super::{Request, fault::Fault, framing::Framing};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header, uri::Authority};
use bytes::Bytes;
use std::mem::MaybeUninit;

/// No limit allows more fields than this: room for them is kept on the stack.
pub(crate) const MOST_FIELDS: usize = 128;

/// Looks for the end of a head in bytes that grow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    /// Where the unfinished line starts.
    line: usize,
    /// How far we looked.
    seen: usize,
}

impl Scan {
    /// The length of the head with its empty line, once that is there.
    ///
    /// # Errors
    /// A line that does not end with CR LF; a first byte that starts no message (a TLS greeting, for one).
    pub(crate) fn end(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        if input.first().is_some_and(|byte| !byte.is_ascii_graphic()) {
            return Err(Fault::bad("this is not HTTP"));
        }
        while let Some(offset) = input[self.seen..].iter().position(|&byte| byte == b'\n') {
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

/// The head of a request.
#[derive(Debug)]
pub(crate) struct RequestHead {
    /// Still without its body.
    pub(crate) request: Request,
    pub(crate) framing: Framing,
    /// The client would send another request on this connection.
    pub(crate) keep_alive: bool,
    /// The client waits for a word before it sends the body.
    pub(crate) expects_continue: bool,
}

/// The head of a response.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    /// The server would take another request on this connection.
    pub(crate) keep_alive: bool,
}

/// Understands the head of a request. `head` ends with its empty line.
pub(crate) fn request(head: &Bytes, most_fields: usize) -> Result<RequestHead, Fault> {
    let mut slots = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let slots = &mut slots[..most_fields.min(MOST_FIELDS)];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, slots) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Fault::bad("the head is malformed")),
        Err(error) => return Err(parse_fault(error, head)),
    }
    let version = version_of(parsed.version);
    let method =
        Method::from_bytes(parsed.method.unwrap_or_default().as_bytes()).map_err(|_| Fault::bad("no method"))?;
    if method == Method::CONNECT {
        return Err(Fault::new(StatusCode::NOT_IMPLEMENTED, "this server is no proxy"));
    }
    let mut request = Request::default();
    let headers = request.headers_mut();
    let facts = read_fields(head, parsed.headers, headers)?;
    let (uri, authority) = read_target(head, parsed.path.unwrap_or_default(), &method)?;
    match (&facts.host, version) {
        (Host::None, Version::HTTP_11) => return Err(Fault::bad("no Host field")),
        (Host::Several, _) => return Err(Fault::bad("several Host fields")),
        (Host::One, _) if !is_host(headers[header::HOST].as_bytes()) => {
            return Err(Fault::bad("the Host field is no host"));
        }
        _ => {}
    }
    if let Some(authority) = authority {
        // RFC 9112, 3.2.2: the host in the target wins.
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Fault::bad("the target has no host"))?;
        headers.insert(header::HOST, host);
    }
    if facts.expectation == Expectation::Other {
        return Err(Fault::new(StatusCode::EXPECTATION_FAILED, "only 100-continue can be expected"));
    }
    let framing = match (facts.coding, facts.length) {
        (Coding::None, None) => Framing::Length(0),
        (Coding::None, Some(length)) => Framing::Length(length),
        (_, Some(_)) => return Err(Fault::bad("both Transfer-Encoding and Content-Length")),
        (_, None) if version == Version::HTTP_10 => return Err(Fault::bad("Transfer-Encoding in HTTP/1.0")),
        (Coding::Chunked, None) => Framing::Chunked,
        (Coding::Other, None) => {
            return Err(Fault::new(StatusCode::NOT_IMPLEMENTED, "a Transfer-Encoding other than chunked"));
        }
    };
    let expects_continue = facts.expectation == Expectation::Continue && version == Version::HTTP_11;
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = version;
    Ok(RequestHead { request, framing, keep_alive: facts.keep_alive(version), expects_continue })
}

/// Understands the head of the response to a request that was a `HEAD`, or was not.
pub(crate) fn response(head: &Bytes, most_fields: usize, to_head: bool) -> Result<ResponseHead, Fault> {
    let mut slots = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let slots = &mut slots[..most_fields.min(MOST_FIELDS)];
    let mut parsed = httparse::Response::new(&mut []);
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, head, slots) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Fault::bad("the head is malformed")),
        Err(error) => return Err(parse_fault(error, head)),
    }
    let version = version_of(parsed.version);
    let status =
        StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(|_| Fault::bad("the status is no status"))?;
    let mut headers = HeaderMap::new();
    let facts = read_fields(head, parsed.headers, &mut headers)?;
    let bodiless =
        to_head || status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let framing = match (facts.coding, facts.length) {
        _ if bodiless => Framing::Length(0),
        (Coding::None, None) => Framing::UntilClose,
        (Coding::None, Some(length)) => Framing::Length(length),
        (_, Some(_)) => return Err(Fault::bad("both Transfer-Encoding and Content-Length")),
        (Coding::Chunked, None) => Framing::Chunked,
        (Coding::Other, None) => return Err(Fault::bad("a Transfer-Encoding other than chunked")),
    };
    let keep_alive = facts.keep_alive(version) && framing != Framing::UntilClose;
    Ok(ResponseHead { status, version, headers, framing, keep_alive })
}

fn version_of(minor: Option<u8>) -> Version {
    if minor == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 }
}

fn parse_fault(error: httparse::Error, head: &[u8]) -> Fault {
    match error {
        httparse::Error::HeaderName => Fault::bad("a field name is malformed"),
        httparse::Error::HeaderValue => Fault::bad("a field value is malformed"),
        httparse::Error::NewLine => Fault::bad("a carriage return stands alone"),
        httparse::Error::Status => Fault::bad("the status line is malformed"),
        httparse::Error::Token => Fault::bad("the request line is malformed"),
        httparse::Error::TooManyHeaders => {
            Fault::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head has too many fields")
        }
        httparse::Error::Version if names_another_version(head) => {
            Fault::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "this server speaks HTTP/1.1 and HTTP/1.0")
        }
        httparse::Error::Version => Fault::bad("the version is malformed"),
    }
}

/// Whether the first line is well formed, and only its version is none of ours.
fn names_another_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.splitn(4, |&byte| byte == b' ').collect();
    matches!(words[..], [_, [_, ..], [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// What the fields say about the message itself.
#[derive(Debug, Default)]
struct Facts {
    length: Option<u64>,
    coding: Coding,
    host: Host,
    close: bool,
    stay: bool,
    expectation: Expectation,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Coding {
    #[default]
    None,
    Chunked,
    Other,
}

#[derive(Debug, Default)]
enum Host {
    #[default]
    None,
    One,
    Several,
}

#[derive(Debug, Default, PartialEq)]
enum Expectation {
    #[default]
    None,
    Continue,
    Other,
}

impl Facts {
    /// HTTP/1.1 stays unless it is told to close; HTTP/1.0 closes unless it is asked to stay.
    fn keep_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.stay)
    }

    fn learn(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<(), Fault> {
        let value = value.as_bytes();
        if *name == header::CONTENT_LENGTH {
            if self.length.replace(read_length(value)?).is_some() {
                return Err(Fault::bad("several Content-Length fields"));
            }
        } else if *name == header::TRANSFER_ENCODING {
            self.coding = match (self.coding, value.eq_ignore_ascii_case(b"chunked")) {
                (Coding::None, true) => Coding::Chunked,
                (Coding::None, false) => Coding::Other,
                _ => return Err(Fault::bad("several Transfer-Encoding fields")),
            };
        } else if *name == header::HOST {
            self.host = if let Host::None = self.host { Host::One } else { Host::Several };
        } else if *name == header::CONNECTION {
            for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.stay |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if *name == header::EXPECT {
            let expected = value.eq_ignore_ascii_case(b"100-continue");
            self.expectation = if expected { Expectation::Continue } else { Expectation::Other };
        }
        Ok(())
    }
}

/// The fields, without copying them: each value is a part of `head`.
fn read_fields(head: &Bytes, parsed: &[httparse::Header<'_>], headers: &mut HeaderMap) -> Result<Facts, Fault> {
    headers.reserve(parsed.len());
    let mut facts = Facts::default();
    for field in parsed {
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Fault::bad("a field name is malformed"))?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value));
        let value = value.map_err(|_| Fault::bad("a field value is malformed"))?;
        facts.learn(&name, &value)?;
        headers.append(name, value);
    }
    Ok(facts)
}

/// Digits only: no sign, no list, nothing that overflows.
fn read_length(value: &[u8]) -> Result<u64, Fault> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Fault::bad("the Content-Length is no number"));
    }
    let digits = std::str::from_utf8(value).expect("digits are text");
    digits.parse().map_err(|_| Fault::bad("the Content-Length is no number"))
}

/// The target as a path (or `*`), and the host if the target names one. RFC 9112, 3.2.
fn read_target(head: &Bytes, target: &str, method: &Method) -> Result<(Uri, Option<Authority>), Fault> {
    if !target.is_ascii() || target.contains('#') {
        return Err(Fault::bad("the target is malformed"));
    }
    let uri =
        Uri::from_maybe_shared(head.slice_ref(target.as_bytes())).map_err(|_| Fault::bad("the target is malformed"))?;
    match target.as_bytes() {
        [b'/', ..] => Ok((uri, None)),
        b"*" if *method == Method::OPTIONS => Ok((uri, None)),
        _ => {
            let mut parts = uri.into_parts();
            let known = parts.scheme.take().is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https"));
            let authority = parts.authority.take().filter(|host| known && is_host(host.as_str().as_bytes()));
            let authority = authority.ok_or(Fault::bad("the target is malformed"))?;
            Ok((Uri::from_parts(parts).map_err(|_| Fault::bad("the target is malformed"))?, Some(authority)))
        }
    }
}

/// A name, an IPv4 or bracketed IPv6 number, perhaps a port; no user. RFC 3986, 3.2.2.
fn is_host(host: &[u8]) -> bool {
    let allowed = |byte: &u8| {
        matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'%' | b':' | b'[' | b']')
            || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
    };
    !host.is_empty() && host.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<RequestHead, Fault> {
        request(&Bytes::copy_from_slice(head.as_bytes()), MOST_FIELDS)
    }

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
    fn a_target_becomes_a_path_and_a_host() {
        for (target, path, host) in [
            ("/x?y=1", "/x?y=1", "old"),
            ("//x", "//x", "old"),
            ("http://new/x?y", "/x?y", "new"),
            ("http://new:81", "/", "new:81"),
            ("https://[::1]:81/", "/", "[::1]:81"),
        ] {
            let head = parse(&format!("GET {target} HTTP/1.1\r\nHost: old\r\n\r\n")).unwrap();
            assert_eq!(head.request.uri(), path, "{target}");
            assert_eq!(head.request.headers()[header::HOST], host, "{target}");
        }
        for target in ["x", "host:80", "ftp://host/", "http://user@host/", "/x#y", "*", "http:///x"] {
            let fault = parse(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap_err();
            assert_eq!(fault.status, StatusCode::BAD_REQUEST, "{target}");
        }
        assert_eq!(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").unwrap().request.uri(), "*");
    }

    #[test]
    fn staying_depends_on_version_and_wish() {
        for (version, wish, stays) in [
            ("1.1", "", true),
            ("1.1", "Connection: close\r\n", false),
            ("1.1", "Connection: Keep-Alive, CLOSE\r\n", false),
            ("1.0", "", false),
            ("1.0", "Connection: upgrade, Keep-Alive\r\n", true),
        ] {
            let head = parse(&format!("GET / HTTP/{version}\r\nHost: a\r\n{wish}\r\n")).unwrap();
            assert_eq!(head.keep_alive, stays, "{version} {wish}");
        }
    }

    #[test]
    fn a_response_tells_where_its_body_ends() {
        let parse = |fields: &str, to_head| {
            let text = format!("HTTP/1.1 {fields}\r\n\r\n");
            response(&Bytes::from(text), MOST_FIELDS, to_head).map(|head| (head.framing, head.keep_alive))
        };
        assert_eq!(parse("200 OK\r\nContent-Length: 5", false), Ok((Framing::Length(5), true)));
        assert_eq!(parse("200 OK\r\nContent-Length: 5", true), Ok((Framing::Length(0), true)));
        assert_eq!(parse("304 Not Modified\r\nContent-Length: 5", false), Ok((Framing::Length(0), true)));
        assert_eq!(parse("200\r\nTransfer-Encoding: Chunked", false), Ok((Framing::Chunked, true)));
        assert_eq!(parse("200 OK", false), Ok((Framing::UntilClose, false)));
        assert!(parse("200 OK\r\nTransfer-Encoding: gzip, chunked", false).is_err());
        assert!(parse("200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", false).is_err());
        assert!(parse("200 OK\r\nContent-Length: 5\r\nContent-Length: 5", false).is_err());
    }
}
