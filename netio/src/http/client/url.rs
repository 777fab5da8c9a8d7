//! URLs as people and servers write them, and what is asked of a server for them.
//!
//! The [`url`] crate reads them as browsers do: a reference is resolved against a base, spaces and letters beyond ASCII are
//! percent-encoded, a host's name is put in ASCII. For requests the outcome is a [`Uri`]: what stands before `@` has become a
//! header field, and the fragment, which is never sent, an extension.

use super::{ClientRequest, Error, auth};
use crate::http::{Uri, header};
use std::{borrow::Cow, net::Ipv4Addr};
use url::{ParseError, Position, Url};

/// What stands behind the `#`: an extension of a request. It is never sent.
#[derive(Clone, Debug)]
pub(super) struct Fragment(pub(super) Box<str>);

/// Reads a URL, or a reference to be resolved against `base`.
pub(super) fn parse(text: &str, base: Option<&Url>) -> Result<Url, Error> {
    let url = Url::options().base_url(base).parse(text).map_err(|error| bad_url(text, reason(error)))?;
    if !url.has_host() {
        return Err(bad_url(text, "it names no host"));
    }
    Ok(url)
}

/// Reads what `Uri` takes for one, and that is less than a URL.
pub(super) fn of_uri(uri: &Uri) -> Result<Url, Error> {
    parse(&uri.to_string(), None)
}

/// Aims a request at a URL: its URI, its fragment, and, if the URL names a user, its `Authorization`, unless it has one.
pub(super) fn aim(request: &mut ClientRequest, url: &Url) -> Result<(), Error> {
    let bad = |reason: String| bad_url(url.as_str(), reason);
    let mut bare = Cow::Borrowed(url);
    if has_user(url) {
        let name = percent_encoding::percent_decode_str(url.username()).collect::<Vec<u8>>();
        let password = percent_encoding::percent_decode_str(url.password().unwrap_or_default()).collect::<Vec<u8>>();
        let value = auth::basic(&name, &password).map_err(|reason| bad(reason.to_owned()))?;
        request.headers_mut().entry(header::AUTHORIZATION).or_insert(value);
        without_user(bare.to_mut());
    }
    *request.uri_mut() =
        bare[..Position::AfterQuery].parse().map_err(|error: http::uri::InvalidUri| bad(error.to_string()))?;
    match url.fragment() {
        Some(fragment) => request.extensions_mut().insert(Fragment(fragment.into())),
        None => request.extensions_mut().remove::<Fragment>(),
    };
    Ok(())
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whoever was named before the host is not any more.
pub(super) fn without_user(url: &mut Url) {
    // Only a URL without a host refuses this, and names no user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

/// An error about a URL, in whose text no user is named.
pub(super) fn bad_url(url: &str, reason: impl ToString) -> Error {
    Error::Url { url: shown(url).into_owned(), reason: reason.to_string() }
}

/// A URL without the user that it names: for texts that others read. It may be no URL at all.
pub(super) fn shown(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]).into(),
        None => url.into(),
    }
}

fn reason(error: ParseError) -> &'static str {
    match error {
        ParseError::RelativeUrlWithoutBase | ParseError::RelativeUrlWithCannotBeABaseBase => "it is not absolute",
        ParseError::EmptyHost => "it names no host",
        ParseError::InvalidPort => "the port is no port",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "the host's name is none",
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => "the host's address is none",
        _ => "it cannot be read",
    }
}

/// A URL that stays as it is, however it is read: most of those that programs ask for again and again. (To read one properly
/// costs more than all the rest of a small request.)
///
/// It has the scheme, a host in small letters or an IPv4 number, perhaps a port, and a path without dot segments, and nothing in
/// it is or would be encoded.
pub(super) fn plain(text: &str) -> Option<Uri> {
    let rest = text.strip_prefix("http://")?;
    let (authority, target) = rest.split_at(rest.bytes().position(|byte| byte == b'/')?);
    let colon = authority.bytes().position(|byte| byte == b':');
    let host = &authority[..colon.unwrap_or(authority.len())];
    // The port 80 is left out, and so are zeros in front of it.
    let is_port = |port: &str| !port.starts_with(['0', '+']) && port != "80" && port.parse::<u16>().is_ok();
    let stays = (is_plain_name(host) || host.parse::<Ipv4Addr>().is_ok())
        && colon.is_none_or(|colon| is_port(&authority[colon + 1..]))
        && is_plain_target(target);
    if stays { text.parse().ok() } else { None }
}

/// Labels that begin with a small letter, and have no two hyphens together: those are names in other letters, or pretend to be.
fn is_plain_name(host: &str) -> bool {
    let mut before = b'.';
    let may_follow = |byte| match (std::mem::replace(&mut before, byte), byte) {
        (_, b'a'..=b'z') => true,
        (b'.', _) | (b'-', b'-') => false,
        (_, byte) => byte.is_ascii_digit() || byte == b'-' || byte == b'.',
    };
    host.bytes().all(may_follow) && before != b'.'
}

/// No segment begins with a dot.
fn is_plain_target(target: &str) -> bool {
    let mut before = 0;
    let may_follow = |byte: u8| match (std::mem::replace(&mut before, byte), byte) {
        (b'/', b'.') => false,
        (_, byte) => byte.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:@/?".contains(&byte),
    };
    target.bytes().all(may_follow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_url_is_what_it_would_be_if_it_were_read_properly() {
        let mut plain_ones = 0;
        let mut look = |text: &str| {
            let Some(uri) = plain(text) else { return };
            let mut request = ClientRequest::default();
            aim(&mut request, &parse(text, None).unwrap()).unwrap();
            assert_eq!((&uri, request.uri().to_string()), (request.uri(), uri.to_string()), "{text}");
            assert_eq!((request.headers().len(), request.extensions().len()), (0, 0), "{text}");
            plain_ones += 1;
        };
        for text in [
            "http://127.0.0.1:8080/text/world?a=b&c",
            "http://a-b.example/x/~y;z=1,2/",
            "http://a.b1:1/?q?/",
            "http://xn--bcher-kva.example:65535/a.b/..c",
        ] {
            look(text);
            for at in 0..text.len() {
                look(&[&text[..at], &text[at + 1..]].concat());
                for byte in 0..=0x7f_u8 {
                    let byte = char::from(byte).to_string();
                    look(&[&text[..at], &byte, &text[at..]].concat());
                    look(&[&text[..at], &byte, &text[at + 1..]].concat());
                }
            }
        }
        assert!(plain_ones > 2000, "{plain_ones}");
        assert!(plain("http://127.0.0.1:8080/text/world?a=b&c").is_some() && plain("http://user@host/").is_none());
    }

    /// RFC 3986, 5.4.1 and 5.4.2. Of the last example there are two readings; browsers take the second.
    #[test]
    fn references_are_resolved_as_in_the_standards_examples() {
        let base = parse("http://a/b/c/d;p?q", None).unwrap();
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g#s", "http://a/b/c/g#s"),
            ("g?y#s", "http://a/b/c/g?y#s"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y#s"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"),
            ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s/./x", "http://a/b/c/g#s/./x"),
            ("g#s/../x", "http://a/b/c/g#s/../x"),
            ("http:g", "http://a/b/c/g"),
        ] {
            assert_eq!(parse(reference, Some(&base)).unwrap().as_str(), expected, "{reference:?}");
        }
        let other = parse("g:h", Some(&base)).unwrap_err();
        assert_eq!(other.to_string(), "g:h: not a URL to fetch: it names no host");
    }

    #[test]
    fn a_request_asks_for_what_browsers_would_ask_for() {
        for (text, expected) in [
            ("http://Host.Example", "http://host.example/"),
            ("http://host:80/", "http://host/"),
            ("http://host:8080?q", "http://host:8080/?q"),
            ("http://host/a b/\u{e9}?q=\u{e9} x#f", "http://host/a%20b/%C3%A9?q=%C3%A9%20x"),
            ("http://host/100%", "http://host/100%"),
            ("http://host/%7e/%2F", "http://host/%7e/%2F"),
            ("http://host/<\"{}`>", "http://host/%3C%22%7B%7D%60%3E"),
            ("http://b\u{fc}cher.example/", "http://xn--bcher-kva.example/"),
            ("http://\u{4f8b}\u{3048}.example/", "http://xn--r8jz45g.example/"),
            ("http://127.1/", "http://127.0.0.1/"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
            ("  http://host/\n", "http://host/"),
            ("http:\\\\host\\path", "http://host/path"),
            ("http://host/a/../b/./c", "http://host/b/c"),
        ] {
            let mut request = ClientRequest::default();
            aim(&mut request, &parse(text, None).unwrap()).unwrap();
            assert_eq!(request.uri().to_string(), expected, "{text:?}");
        }
    }

    /// RFC 3986, 3.2.1: a password in a URL is not for the eyes of others.
    #[test]
    fn a_user_becomes_a_field_and_is_never_shown() {
        let mut request = ClientRequest::default();
        aim(&mut request, &parse("http://us%65r:p%40ss@host/x#f", None).unwrap()).unwrap();
        assert_eq!(request.uri().to_string(), "http://host/x");
        assert_eq!(request.headers()[header::AUTHORIZATION], "Basic dXNlcjpwQHNz");
        assert!(!format!("{request:?}").contains("dXNlcjpwQHNz"), "{request:?}");
        for (text, expected) in [
            ("http://u:p@host/", "http://host/"),
            ("http://u:p@x@host/a@b", "http://host/a@b"),
            ("http://host/a@b", "http://host/a@b"),
            ("http://host?u@x", "http://host?u@x"),
            ("http://u:p@", "http://"),
            ("http://u:p @host", "http://host"),
            ("u:p@host", "u:p@host"),
        ] {
            assert_eq!(shown(text), expected);
        }
        let bad = parse("http://user:secret@host:x/", None).unwrap_err();
        assert_eq!(bad.to_string(), "http://host:x/: not a URL to fetch: the port is no port");
    }
}
