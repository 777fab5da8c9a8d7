//! What is asked for: the target of a request, and the host that it is asked of. RFC 9112, 3.2 and 3.3.

use crate::http::fault::Fault;
use ::http::{Method, StatusCode, Uri, uri::Authority};
use bytes::Bytes;
use std::net::Ipv6Addr;

/// For each byte, whether it is one of these.
macro_rules! table {
    ($bytes:pat) => {{
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < table.len() {
            table[byte] = matches!(byte as u8, $bytes);
            byte += 1;
        }
        table
    }};
}

/// The target as a path (or `*`), and the host if the target names one.
pub(super) fn read(head: &Bytes, target: &str, method: &Method) -> Result<(Uri, Option<Authority>), Fault> {
    const MALFORMED: Fault = Fault::bad("the target is malformed");
    if !target.bytes().all(|byte| IN_A_TARGET[usize::from(byte)]) {
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
const IN_A_TARGET: [bool; 256] = table!(b'!' | b'$'..=b';' | b'=' | b'?'..=b'~');

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
