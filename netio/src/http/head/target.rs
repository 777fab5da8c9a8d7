//! What is asked for: the target of a request, and the host that it is asked of. RFC 9112, 3.2 and 3.3.

use crate::http::fault::Fault;
use ::http::{Method, StatusCode, Uri, uri::Authority};
use bytes::Bytes;
use std::net::Ipv6Addr;

/// The target as a path (or `*`), and the host if the target names one.
pub(super) fn read(head: &Bytes, target: &str, method: &Method) -> Result<(Uri, Option<Authority>), Fault> {
    const MALFORMED: Fault = Fault::bad("the target is malformed");
    if !target.bytes().all(may_stand_in_a_target) {
        return Err(MALFORMED);
    }
    let uri = Uri::from_maybe_shared(head.slice_ref(target.as_bytes())).map_err(|_| MALFORMED)?;
    match target.as_bytes() {
        [b'/', ..] => Ok((uri, None)),
        b"*" if *method == Method::OPTIONS => Ok((uri, None)),
        _ => {
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
            if *method == Method::OPTIONS && target.len() == "http://".len() + host.as_str().len() {
                return Ok((Uri::from_static("*"), Some(host)));
            }
            // So it is before a query.
            if let Some(target) = &parts.path_and_query
                && target.as_str().starts_with('?')
            {
                let target = format!("/{}", target.as_str());
                parts.path_and_query = Some(target.parse().map_err(|_| MALFORMED)?);
            }
            Ok((Uri::from_parts(parts).map_err(|_| MALFORMED)?, Some(host)))
        }
    }
}

/// RFC 3986 allows fewer, but browsers send ``\ ^ ` { | }`` as they are. A fragment is never sent.
fn may_stand_in_a_target(byte: u8) -> bool {
    matches!(byte, b'!' | b'$'..=b';' | b'=' | b'?'..=b'~')
}

/// A name, an IPv4 number or a bracketed IPv6 number, and perhaps a port; no user. RFC 3986, 3.2.2 and 3.2.3.
pub(super) fn is_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    if let Some((number, port)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return number.parse::<Ipv6Addr>().is_ok() && is_port(port);
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    is_name(name) && is_port(port)
}

fn is_name(name: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let two_digits =
        |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let allowed = |byte: u8| usual(byte) || b"_~%!$&'()*+,;=".contains(&byte);
    // Most names have nothing unusual in them, and are looked at once.
    !name.is_empty()
        && (name.bytes().all(usual) || (name.bytes().all(allowed) && name.split('%').skip(1).all(two_digits)))
}

/// Nothing, or a colon and a number; RFC 3986 lets the number be empty.
fn is_port(port: &str) -> bool {
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    port.is_empty() || port.strip_prefix(':').is_some_and(|digits| digits.is_empty() || is_number(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(target: &str, method: Method) -> Result<(String, Option<String>), u16> {
        let head = Bytes::copy_from_slice(target.as_bytes());
        let target = std::str::from_utf8(&head).unwrap();
        let read = read(&head, target, &method).map_err(|fault| fault.status.as_u16())?;
        Ok((read.0.path_and_query().unwrap().as_str().to_owned(), read.1.map(|host| host.to_string())))
    }

    #[test]
    fn a_target_becomes_a_path_and_perhaps_a_host() {
        for (target, path, host) in [
            ("/x?y=1", "/x?y=1", None),
            ("//x", "//x", None),
            ("/a^b|c{d}?`e\\f", "/a^b|c{d}?`e\\f", None),
            ("http://new/x?y", "/x?y", Some("new")),
            ("HTTP://new:81", "/", Some("new:81")),
            ("http://[::1]:81/", "/", Some("[::1]:81")),
            ("http://new?y", "/?y", Some("new")),
        ] {
            let expected = Ok((path.to_owned(), host.map(str::to_owned)));
            assert_eq!(parse(target, Method::GET), expected, "{target}");
        }
        for target in ["x", "host:80", "ftp://host/", "http://user@host/", "/x#y", "*", "http:///x", "/\"", "/<", "/é"]
        {
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
