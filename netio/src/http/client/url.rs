//! URLs as people and servers write them, and what is asked of a server for them.
//!
//! The [`url`] crate reads them as browsers do: a reference is resolved against a base, spaces and letters beyond ASCII are
//! percent-encoded, a host's name is put in ASCII. For requests the outcome is a [`Uri`]: what stands before `@` has become a
//! header field, and the fragment, which is never sent, an extension.

use super::{ClientRequest, Error, auth};
use crate::http::{Uri, header};
use std::borrow::Cow;
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

#[cfg(test)]
mod tests {
    use super::*;

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
