//! Heads: the first line of a message and its header fields.
//!
//! ```text
//!   input ──> Scan ──> a whole head ──> httparse ──> words ──┬─> target: the first line ──┬─> Request
//!             CR LF CR LF                                    └─> facts: the fields ───────┘   ResponseHead
//! ```
//!
//! [`Scan`] looks for the empty line as the bytes come, each byte once, and refuses what no later byte can make right. Then
//! httparse finds the words of the whole head, and this room decides what they mean. A head that came in one piece, and is as
//! most are, goes a [shorter way](short), which does both in one pass.
//!
//! - A later minor version is read as the one that we know, HTTP/1.1: that is what a minor version means (RFC 9110, 2.5).
//! - A line ends with CR LF and nothing else; a field name is followed by its colon at once; no field is folded.
//! - The length of the body is told in at most one way: one `Content-Length` of digits, or `Transfer-Encoding: chunked`.
//! - A request for this server has one host; the handler sees it in the `Host` field and the target as a path, whether the
//!   client wrote `GET /x` or `GET http://host/x`.

mod facts;
mod fields;
mod request;
mod scan;
mod short;
mod table;
mod target;

pub(crate) use fields::Fields;
pub(crate) use request::RequestHead;
pub(crate) use scan::Scan;
pub(crate) use short::IN_A_TOKEN;

use super::{Request, fault::Fault, framing::Framing};
use ::http::{HeaderValue, Method, StatusCode, Version, header};
use bytes::{Bytes, BytesMut};
use facts::{Coding, Expectation, Facts, Host};
use short::Words;
use std::mem::{self, MaybeUninit};
use target::Target;

/// No limit allows more fields than this: room for them is kept on the stack.
pub(crate) const MOST_FIELDS: usize = 128;

/// What the head of a request says about the message itself; the rest is in the [`Request`].
#[derive(Debug)]
pub(crate) struct RequestFacts {
    pub(crate) framing: Framing,
    /// The client would send another request on this connection.
    pub(crate) keep_alive: bool,
    /// The client waits for a word before it sends the body.
    pub(crate) expects_continue: bool,
    /// The client reads trailers.
    pub(crate) takes_trailers: bool,
}

/// The head of a response.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) fields: Fields,
    /// There is a `Content-Encoding`.
    pub(crate) coded: bool,
    pub(crate) framing: Framing,
    /// The server would take another request on this connection.
    pub(crate) keep_alive: bool,
    /// With status 101: what follows is in the protocol that the `Upgrade` field names.
    pub(crate) upgrades: bool,
}

/// Takes the head of a request out of the input, and understands it; `None` while it is not all there.
pub(crate) fn take_request(
    scan: &mut Scan,
    input: &mut BytesMut,
    most_bytes: usize,
    most_fields: usize,
) -> Result<Option<(RequestFacts, Request)>, Fault> {
    // Most heads come in one piece and are in order. What is wrong with another is said on the long way: so it does not depend on
    // how its bytes came.
    let most_fields = most_fields.min(MOST_FIELDS);
    if scan.is_new()
        && let Some(understood) = Understood::in_short(&input[..input.len().min(most_bytes)], most_fields)
    {
        let whole = understood.length == input.len();
        let bytes = if whole { mem::take(input) } else { input.split_to(understood.length) };
        return understood.into_request(bytes.freeze()).map(Some);
    }
    let Some(bytes) = scan.take(input, most_bytes)? else { return Ok(None) };
    request(bytes, most_fields).map(Some)
}

/// Understands the head of a request the long way. `head` ends with its empty line.
fn request(head: Bytes, most_fields: usize) -> Result<(RequestFacts, Request), Fault> {
    let mut slots = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let slots = &mut slots[..most_fields];
    let mut parsed = httparse::Request::new(&mut []);
    let length = match parsed.parse_with_uninit_headers(&head, slots) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => length,
        Err(httparse::Error::Version) if let Some(head) = as_http_1_1(&head) => return request(head, most_fields),
        Ok(_) => return Err(MALFORMED),
        Err(error) => return Err(parse_fault(error, &head)),
    };
    let method = parsed.method.unwrap_or_default().as_bytes();
    let target = parsed.path.unwrap_or_default().as_bytes();
    let words = Words { method, target, minor_version: parsed.version.unwrap_or_default(), length };
    Understood::new(&head, words, Facts::read(parsed.headers)?)?.into_request(head)
}

const MALFORMED: Fault = Fault::bad("the head is malformed");

/// What is found at the beginning of some bytes.
struct Understood {
    /// So many of them are the head.
    length: usize,
    facts: RequestFacts,
    method: Method,
    version: Version,
    target: Target,
}

impl Understood {
    /// Understands a head at the beginning of `bytes`, if it is all there, and can be read the short way.
    fn in_short(bytes: &[u8], most_fields: usize) -> Option<Understood> {
        let mut facts = Facts::default();
        let words = short::request(bytes, most_fields, |name, value| facts.learn(name, value).ok())?;
        Understood::new(bytes, words, facts).ok()
    }

    /// Decides what the words mean.
    fn new(bytes: &[u8], words: Words<'_>, facts: Facts) -> Result<Understood, Fault> {
        let version = version_of(words.minor_version);
        let method = Method::from_bytes(words.method).map_err(|_| Fault::bad("no method"))?;
        if method == Method::CONNECT {
            return Err(Fault::new(StatusCode::NOT_IMPLEMENTED, "this server is no proxy"));
        }
        match facts.host {
            Host::None if version == Version::HTTP_11 => return Err(Fault::bad("no Host field")),
            Host::Several => return Err(Fault::bad("several Host fields")),
            Host::Malformed => return Err(Fault::bad("the Host field is no host")),
            Host::None | Host::One => {}
        }
        let target = target::read(bytes, words.target, &method)?;
        if facts.expectation == Expectation::Other {
            return Err(Fault::new(StatusCode::EXPECTATION_FAILED, "only 100-continue can be expected"));
        }
        let framing = match (facts.coding, facts.length) {
            (Coding::None, length) => Framing::Length(length.unwrap_or(0)),
            (_, Some(_)) => return Err(Fault::bad("both Transfer-Encoding and Content-Length")),
            (_, None) if version == Version::HTTP_10 => return Err(Fault::bad("Transfer-Encoding in HTTP/1.0")),
            (Coding::Chunked, None) => Framing::Chunked,
            (Coding::Unknown, None) => {
                return Err(Fault::new(StatusCode::NOT_IMPLEMENTED, "a Transfer-Encoding other than chunked"));
            }
            (Coding::Endless, None) => {
                return Err(Fault::bad("the Transfer-Encoding does not end with one chunked"));
            }
        };
        let expects_continue =
            facts.expectation == Expectation::Continue && version == Version::HTTP_11 && framing != Framing::Length(0);
        let (keep_alive, takes_trailers) = (facts.keep_alive(version), facts.takes_trailers);
        let facts = RequestFacts { framing, keep_alive, expects_continue, takes_trailers };
        Ok(Understood { length: words.length, facts, method, version, target })
    }

    /// The request, still without its body. `head` is what was understood.
    fn into_request(self, head: Bytes) -> Result<(RequestFacts, Request), Fault> {
        let host = match &self.target {
            Target::Other(other) => other.host.clone(),
            Target::Path { .. } => None,
        };
        let head = RequestHead::new(self.method, self.version, head, self.target);
        let mut request = Request::received(head);
        if let Some(host) = host {
            // RFC 9112, 3.2.2: the host in the target wins.
            let host = HeaderValue::from_str(host.as_str()).map_err(|_| Fault::bad("the target has no host"))?;
            request.headers_mut().insert(header::HOST, host);
        }
        Ok((self.facts, request))
    }
}

/// Takes the head of a response out of the input, and understands it: of the response to a request that was a `HEAD`, or was
/// not. `None` while it is not all there, or if it is longer than `most_bytes`: that is for the caller to refuse.
pub(crate) fn take_response(
    scan: &mut Scan,
    input: &mut BytesMut,
    most_bytes: usize,
    most_fields: usize,
    to_head: bool,
) -> Result<Option<ResponseHead>, Fault> {
    let (bytes, most_fields) = (&input[..input.len().min(most_bytes)], most_fields.min(MOST_FIELDS));
    // As with requests. No byte beyond the limit counts: what is refused must not depend on how much came at once.
    if scan.is_new() {
        let mut facts = Facts::default();
        if let Some(line) = short::response(bytes, most_fields, |name, value| facts.learn(name, value).ok()) {
            let head = input.split_to(line.length).freeze();
            return ResponseHead::new(head, line.minor_version, line.status, &facts, to_head).map(Some);
        }
    }
    let Some(length) = scan.end(bytes)? else { return Ok(None) };
    response(input.split_to(length).freeze(), most_fields, to_head).map(Some)
}

/// Understands the head of a response the long way. `head` ends with its empty line.
fn response(head: Bytes, most_fields: usize, to_head: bool) -> Result<ResponseHead, Fault> {
    let mut slots = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let slots = &mut slots[..most_fields];
    let mut parsed = httparse::Response::new(&mut []);
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, &head, slots) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::Version) if let Some(head) = as_http_1_1(&head) => {
            return response(head, most_fields, to_head);
        }
        Ok(_) => return Err(MALFORMED),
        Err(error) => return Err(parse_fault(error, &head)),
    }
    let (minor_version, status) = (parsed.version.unwrap_or_default(), parsed.code.unwrap_or_default());
    let facts = Facts::read(parsed.headers)?;
    ResponseHead::new(head, minor_version, status, &facts, to_head)
}

impl ResponseHead {
    /// Decides what the words mean.
    fn new(head: Bytes, minor_version: u8, status: u16, facts: &Facts, to_head: bool) -> Result<ResponseHead, Fault> {
        let version = version_of(minor_version);
        let status = StatusCode::from_u16(status).map_err(|_| Fault::bad("the status is no status"))?;
        let told = match (facts.coding, facts.length) {
            (Coding::None, None) => Framing::UntilClose,
            (Coding::None, Some(length)) => Framing::Length(length),
            (_, Some(_)) => return Err(Fault::bad("both Transfer-Encoding and Content-Length")),
            (_, None) if version == Version::HTTP_10 => return Err(Fault::bad("Transfer-Encoding in HTTP/1.0")),
            (Coding::Chunked, None) => Framing::Chunked,
            (Coding::Unknown | Coding::Endless, None) => {
                return Err(Fault::bad("a Transfer-Encoding other than chunked"));
            }
        };
        // RFC 9112, 6.3: these end with their heads, whatever the fields say. RFC 9110, 8.6: a 1xx or 204 must not say anything;
        // one that speaks of a body may well be followed by it, and nothing else must be read from there.
        let never = status.is_informational() || status == StatusCode::NO_CONTENT;
        let suspect = never && !matches!(told, Framing::UntilClose | Framing::Length(0));
        let framing = if never || to_head || status == StatusCode::NOT_MODIFIED { Framing::Length(0) } else { told };
        let keep_alive = facts.keep_alive(version) && framing != Framing::UntilClose && !suspect;
        let (upgrades, coded) = (facts.upgrades(version), facts.coded);
        Ok(ResponseHead { status, version, fields: Fields::new(head), coded, framing, keep_alive, upgrades })
    }
}

fn version_of(minor: u8) -> Version {
    if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 }
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

/// Whether the first line of a request is well formed, and only its version is none of ours.
fn names_another_version(head: &[u8]) -> bool {
    version_in(head).is_some_and(|at| at > 0)
}

/// The head with the version HTTP/1.1, if it has a later one of the same major version.
fn as_http_1_1(head: &Bytes) -> Option<Bytes> {
    let minor = version_in(head)? + b"HTTP/1.".len();
    if !matches!(head[minor - 2..=minor], [b'1', b'.', b'2'..=b'9']) {
        return None;
    }
    let mut head = head.to_vec();
    head[minor] = b'1';
    Some(head.into())
}

/// Where the version stands in a first line that is well formed as far as its words go: as the third and last word of a request,
/// or as the first word of a response.
fn version_in(head: &[u8]) -> Option<usize> {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let is_version = |word: &[u8]| matches!(word, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit());
    let words: Vec<&[u8]> = line.splitn(4, |&byte| byte == b' ').collect();
    match words[..] {
        [_, [_, ..], last] if is_version(last) => Some(line.len() - last.len()),
        [first, ..] if is_version(first) => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<(RequestFacts, Request), Fault> {
        request(Bytes::copy_from_slice(head.as_bytes()), MOST_FIELDS)
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
            let (facts, _) = parse(&format!("GET / HTTP/{version}\r\nHost: a\r\n{wish}\r\n")).unwrap();
            assert_eq!(facts.keep_alive, stays, "{version} {wish}");
        }
    }

    #[test]
    fn a_later_minor_version_is_read_as_ours() {
        for minor in 1..=9 {
            let (facts, request) = parse(&format!("GET / HTTP/1.{minor}\r\nHost: a\r\n\r\n")).unwrap();
            assert_eq!((request.version(), facts.keep_alive), (Version::HTTP_11, true));
            assert!(parse(&format!("GET / HTTP/1.{minor}\r\n\r\n")).is_err(), "HTTP/1.{minor} has a host");
            let wire = format!("HTTP/1.{minor} 200\r\nContent-Length: 2\r\n\r\n");
            let head = response(wire.into(), MOST_FIELDS, false).unwrap();
            assert_eq!((head.version, head.keep_alive), (Version::HTTP_11, true));
        }
        for line in ["GET / HTTP/2.1", "GET / HTTP/0.9", "GET / HTTP/1.10", "GET / HTTP/1.a", "HTTP/1.2 / HTTP/1.x"] {
            assert!(parse(&format!("{line}\r\nHost: a\r\n\r\n")).is_err(), "{line}");
        }
        for line in ["HTTP/2.1 200", "HTTP/1.20 200", "HTTP/0.9 200"] {
            assert!(response(format!("{line}\r\n\r\n").into(), MOST_FIELDS, false).is_err(), "{line}");
        }
    }

    #[test]
    fn a_response_tells_where_its_body_ends() {
        let parse = |fields: &str, to_head| {
            let text = format!("HTTP/1.1 {fields}\r\n\r\n");
            let long = response(text.clone().into(), MOST_FIELDS, to_head).map(|head| (head.framing, head.keep_alive));
            let whole = take_response(&mut Scan::default(), &mut (*text).into(), text.len(), MOST_FIELDS, to_head);
            assert_eq!(whole.map(|head| head.map(|head| (head.framing, head.keep_alive))), long.map(Some), "{text}");
            long
        };
        assert_eq!(parse("200 OK\r\nContent-Length: 5", false), Ok((Framing::Length(5), true)));
        assert_eq!(parse("200 OK\r\nContent-Length: 5", true), Ok((Framing::Length(0), true)));
        assert_eq!(parse("304 Not Modified\r\nContent-Length: 5", false), Ok((Framing::Length(0), true)));
        assert_eq!(parse("200\r\nTransfer-Encoding: Chunked", false), Ok((Framing::Chunked, true)));
        assert_eq!(parse("200 OK", false), Ok((Framing::UntilClose, false)));
        assert_eq!(parse("204 No Content", false), Ok((Framing::Length(0), true)));
        assert_eq!(parse("204 No Content\r\nContent-Length: 0", false), Ok((Framing::Length(0), true)));
        // These speak of a body that they must not have: what follows may be it, and is not read as another response.
        for fields in ["204 No Content\r\nContent-Length: 5", "103 Early Hints\r\nTransfer-Encoding: chunked"] {
            assert_eq!(parse(fields, false), Ok((Framing::Length(0), false)), "{fields}");
        }
        for fields in [
            "200 OK\r\nTransfer-Encoding: gzip, chunked",
            "200 OK\r\nTransfer-Encoding: identity",
            "200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
            "200 OK\r\nContent-Length: 5\r\nContent-Length: 5",
            "200 OK\r\nContent-Length: 5, 5",
            "200 OK\r\nX : y",
            "200 OK\r\nX: y\r\n z",
            "20 OK",
            "2000 OK",
            "099 Early",
            "  200 OK",
        ] {
            assert!(parse(fields, false).is_err() && parse(fields, true).is_err(), "{fields}");
        }
        let old = |fields: &str| response(format!("HTTP/1.0 200 OK\r\n{fields}\r\n\r\n").into(), MOST_FIELDS, false);
        assert!(old("Transfer-Encoding: chunked").is_err());
        assert!(!old("Content-Length: 5").unwrap().keep_alive);
        assert!(old("Content-Length: 5\r\nConnection: keep-alive").unwrap().keep_alive);
    }

    #[test]
    fn what_is_accepted_becomes_a_uri_and_a_map() {
        let head = "GET /a?b?c HTTP/1.1\r\nHost: h\r\nX-Y:\t z \u{e9}\r\nhost-id:\r\nX-y: 2\r\n\r\n";
        let (_, mut head) = parse(head).unwrap();
        assert_eq!((head.path(), head.query(), &*head.uri().to_string()), ("/a", Some("b?c"), "/a?b?c"));
        let fields: Vec<_> = head.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(fields, [("host", &b"h"[..]), ("x-y", "z \u{e9}".as_bytes()), ("x-y", b"2"), ("host-id", b"")]);
        *head.uri_mut() = "/d?e".parse().unwrap();
        head.headers_mut().remove("x-y");
        assert_eq!((head.path(), head.query(), head.headers().len()), ("/d", Some("e"), 2));

        // The longest name that there can be, and one that cannot.
        let long = |length| parse(&format!("GET / HTTP/1.1\r\nHost: h\r\n{}: x\r\n\r\n", "n".repeat(length)));
        assert_eq!(long(usize::from(u16::MAX)).unwrap().1.headers().len(), 2);
        assert_eq!(long(1 << 16).unwrap_err().status, 400);
        // And the same with targets: a longer one goes the long way, and becomes none.
        let long = |length| parse(&format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "n".repeat(length)));
        assert_eq!(long(65_533).unwrap().1.uri().path().len(), 65_534);
        assert_eq!(long(65_534).unwrap_err().status, 400);
    }

    #[test]
    fn no_way_takes_more_fields_than_there_is_room_for() {
        for (fields, fit) in [(MOST_FIELDS, true), (MOST_FIELDS + 1, false)] {
            let fields = "a: b\r\n".repeat(fields - 1);
            let wire = |first| BytesMut::from(&*format!("{first}\r\nhost: h\r\n{fields}\r\n"));
            let (mut request, mut response) = (wire("GET / HTTP/1.1"), wire("HTTP/1.1 200 "));
            let request = take_request(&mut Scan::default(), &mut request, 10_000, usize::MAX);
            assert_eq!(request.map(|_| ()).map_err(|fault| fault.status.as_u16()), if fit { Ok(()) } else { Err(431) });
            let response = take_response(&mut Scan::default(), &mut response, 10_000, usize::MAX, false);
            assert_eq!(response.is_ok(), fit);
        }
    }

    #[test]
    fn whoever_takes_trailers_says_so() {
        for (value, takes) in [
            ("trailers", true),
            ("deflate;q=0.5, Trailers", true),
            ("deflate", false),
            ("trailers;q=0", false),
            ("xtrailers", false),
            ("", false),
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: {value}\r\n\r\n");
            assert_eq!(parse(&head).unwrap().0.takes_trailers, takes, "{value}");
        }
    }

    #[test]
    fn another_protocol_is_spoken_of_by_two_fields_together_and_not_in_http_1_0() {
        for (version, fields, wanted) in [
            ("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true),
            ("1.1", "Upgrade: websocket\r\nConnection: keep-alive, UPGRADE\r\n", true),
            ("1.1", "Upgrade: websocket\r\n", false),
            ("1.1", "Connection: upgrade\r\n", false),
            ("1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false),
        ] {
            let wire = format!("HTTP/{version} 101 Switching Protocols\r\n{fields}\r\n");
            assert_eq!(response(wire.into(), MOST_FIELDS, false).unwrap().upgrades, wanted, "{version} {fields}");
        }
    }

    /// What is written is made of these types alone: no text from outside can end a line of a head.
    #[test]
    fn no_part_of_a_head_can_hold_a_line_end() {
        for byte in (0..=0x1f).chain([0x7f]).filter(|&byte| byte != b'\t') {
            let text = [b'a', byte, b'b'];
            assert!(HeaderValue::from_bytes(&text).is_err(), "{byte:#x}");
            assert!(HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&text)).is_err(), "{byte:#x}");
            assert!(::http::HeaderName::from_bytes(&text).is_err(), "{byte:#x}");
            assert!(Method::from_bytes(&text).is_err(), "{byte:#x}");
            assert!(::http::Uri::try_from(&[b'/', byte, b'b'][..]).is_err(), "{byte:#x}");
            assert!(::http::Uri::try_from(&[b'/', b'?', byte, b'b'][..]).is_err(), "{byte:#x}");
        }
    }
}
