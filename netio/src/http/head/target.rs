//! What is asked for: the target of a request, and the host that it is asked of. RFC 9112, 3.2 and 3.3.

use super::table::table;
use crate::http::fault::Fault;
use ::http::{Method, StatusCode, Uri, uri::Authority};
use std::{net::Ipv6Addr, ops::Range};

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Target {
    /// Where in the head the path is, and where the target ends: there, or behind a query. A [`Uri`] of it is well formed.
    Path {
        path: Range<u32>,
        end: u32,
    },
    Other(Box<Other>),
}

/// A target that is more than a path, or none: the path (or `*`) that is left of it, and the host, if it names one.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) uri: Uri,
    pub(super) host: Option<Authority>,
}

/// Reads the target of a request, which is a part of `head`.
pub(super) fn read(head: &[u8], target: &[u8], method: &Method) -> Result<Target, Fault> {
    if let Some(length) = path_length(target) {
        let start = (target.as_ptr().addr() - head.as_ptr().addr()) as u32;
        return Ok(Target::Path { path: start..start + length, end: start + target.len() as u32 });
    }
    if !target.iter().all(|byte| IN_A_TARGET[usize::from(*byte)]) {
        return Err(MALFORMED);
    }
    let uri = Uri::try_from(target).map_err(|_| MALFORMED)?;
    match target {
        b"*" if *method == Method::OPTIONS => Ok(Target::Other(Box::new(Other { uri, host: None }))),
        _ => absolute(uri, target.len(), method).map(|other| Target::Other(Box::new(other))),
    }
}

/// The length of the path, if this is a path, perhaps with a query, and as most are.
fn path_length(target: &[u8]) -> Option<u32> {
    if target.first() != Some(&b'/') || target.len() > LONGEST {
        return None;
    }
    let path = target.iter().position(|byte| !IN_A_PATH[usize::from(*byte)]).unwrap_or(target.len());
    let query = &target[path..];
    let well_formed = query.is_empty() || query[0] == b'?' && query.iter().all(|byte| IN_A_TARGET[usize::from(*byte)]);
    well_formed.then_some(path as u32)
}

fn absolute(uri: Uri, length: usize, method: &Method) -> Result<Other, Fault> {
    let mut parts = uri.into_parts();
    let (Some(scheme), Some(host)) = (parts.scheme.take(), parts.authority.take()) else {
        return Err(MALFORMED);
    };
    match scheme.as_str() {
        "http" => {}
        // RFC 9110, 7.4: it must not be answered where nobody has proved to be that host.
        "https" => return Err(Fault::new(StatusCode::MISDIRECTED_REQUEST, "this connection is not secure")),
        _ => return Err(MALFORMED),
    }
    if !is_host(host.as_str().as_bytes()) {
        return Err(MALFORMED);
    }
    // RFC 9110, 4.2.3: an empty path is `/`, but for OPTIONS: there it means the server, and not a path of it.
    if *method == Method::OPTIONS && length == "http://".len() + host.as_str().len() {
        return Ok(Other { uri: Uri::from_static("*"), host: Some(host) });
    }
    // So it is before a query.
    if let Some(target) = &parts.path_and_query
        && target.as_str().starts_with('?')
    {
        let target = format!("/{}", target.as_str());
        parts.path_and_query = Some(target.parse().map_err(|_| MALFORMED)?);
    }
    Ok(Other { uri: Uri::from_parts(parts).map_err(|_| MALFORMED)?, host: Some(host) })
}

const MALFORMED: Fault = Fault::bad("the target is malformed");

/// No longer target becomes a [`Uri`].
const LONGEST: usize = u16::MAX as usize - 1;

/// RFC 3986 allows fewer, but browsers send ``\ ^ ` { | }`` as they are. A fragment is never sent.
const IN_A_TARGET: [bool; 256] = table!(b'!' | b'$'..=b';' | b'=' | b'?'..=b'~');

/// So does a path, but for the backtick, which [`Uri`] lets stand in a query only.
const IN_A_PATH: [bool; 256] = table!(b'!' | b'$'..=b';' | b'=' | b'@'..=b'_' | b'a'..=b'~');

/// What most hosts are made of.
const IN_A_PLAIN_NAME: [bool; 256] = table!(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-');

/// A name, an IPv4 number or a bracketed IPv6 number, and perhaps a port; no user. RFC 3986, 3.2.2 and 3.2.3.
pub(super) fn is_host(host: &[u8]) -> bool {
    // Most hosts are plain, and each byte is looked at once.
    let name = host.iter().take_while(|byte| IN_A_PLAIN_NAME[usize::from(**byte)]).count();
    match &host[name..] {
        [] if name > 0 => true,
        [b':', port @ ..] if name > 0 && port.len() <= 5 => {
            let digit = |number, byte: &u8| byte.is_ascii_digit().then(|| 10 * number + u32::from(byte - b'0'));
            port.iter().try_fold(0, digit).is_some_and(|number| number <= u32::from(u16::MAX))
        }
        _ => std::str::from_utf8(host).is_ok_and(is_unusual_host),
    }
}

fn is_unusual_host(host: &str) -> bool {
    if let Some((number, port)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return number.parse::<Ipv6Addr>().is_ok() && is_port(port);
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    is_name(name) && is_port(port)
}

fn is_name(name: &str) -> bool {
    let usual = |byte: u8| IN_A_PLAIN_NAME[usize::from(byte)];
    let two_digits =
        |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let allowed = |byte: u8| usual(byte) || b"_~%!$&'()*+,;=".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed) && name.split('%').skip(1).all(two_digits)
}

/// Nothing, or a colon and a number; RFC 3986 lets the number be empty.
fn is_port(port: &str) -> bool {
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    port.is_empty() || port.strip_prefix(':').is_some_and(|digits| digits.is_empty() || is_number(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::RequestHead;
    use ::http::Version;
    use bytes::Bytes;

    fn parse(target: &str, method: Method) -> Result<(String, Option<String>), u16> {
        let head = Bytes::copy_from_slice(target.as_bytes());
        let target = read(&head, &head, &method).map_err(|fault| fault.status.as_u16())?;
        let host = if let Target::Other(other) = &target { other.host.clone() } else { None };
        let read = RequestHead::new(method, Version::HTTP_11, head, target);
        let text = [read.path(), read.query().map_or("", |_| "?"), read.query().unwrap_or_default()].concat();
        assert_eq!(read.uri().path_and_query().unwrap().as_str(), text);
        Ok((text, host.map(|host| host.to_string())))
    }

    #[test]
    fn a_target_becomes_a_path_and_perhaps_a_host() {
        for (target, path, host) in [
            ("/x?y=1", "/x?y=1", None),
            ("//x", "//x", None),
            ("/", "/", None),
            ("/?", "/?", None),
            ("/?a?b", "/?a?b", None),
            ("/a^b|c{d}?`e\\f", "/a^b|c{d}?`e\\f", None),
            ("http://new/x?y", "/x?y", Some("new")),
            ("HTTP://new:81", "/", Some("new:81")),
            ("http://[::1]:81/", "/", Some("[::1]:81")),
            ("http://new?y", "/?y", Some("new")),
        ] {
            let expected = Ok((path.to_owned(), host.map(str::to_owned)));
            assert_eq!(parse(target, Method::GET), expected, "{target}");
        }
        for target in [
            "x",
            "host:80",
            "ftp://host/",
            "http://user@host/",
            "/x#y",
            "*",
            "http:///x",
            "/\"",
            "/<",
            "/é",
            "/`",
            "/x?y#",
        ] {
            assert_eq!(parse(target, Method::GET), Err(400), "{target}");
        }
        assert_eq!(parse("https://host/", Method::GET), Err(421));
        assert_eq!(parse("*", Method::OPTIONS), Ok(("*".to_owned(), None)));
    }

    #[test]
    fn a_host_is_a_name_or_a_number_and_perhaps_a_port() {
        for host in ["a", "a.b-c_d~e", "127.0.0.1:80", "a:", "a:65535", "[::1]", "[::1]:80", "a%20b", "A!$&'()*+,;="] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a:b", "a:-1", "a:+1", "a:65536", "a:1:2", "::1", "[::1", "[::1]x", "[::1]]", "[]", "[v1.x]",
            "[::1%1]", "a/b", "u@a", "a b", "a%", "a%2", "a%zz", "a\\b", "a?b", "a#b", "é", "a\"",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
        assert!(!is_host(b"a\xff"));
    }
}
