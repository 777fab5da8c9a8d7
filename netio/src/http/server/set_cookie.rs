//! Cookies that a response sets.

use super::into_response::{BadHeader, IntoHeaders};
use crate::http::{HeaderMap, HeaderValue, header, is_token};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// A cookie for the browser to keep: a `Set-Cookie` field. RFC 6265 and its successor, RFC 6265bis.
///
/// ```
/// use netio::http::server::{IntoResponse, SameSite, SetCookie};
/// use std::time::Duration;
///
/// let cookie = SetCookie::new("id", "7").path("/").http_only().secure().same_site(SameSite::Lax).max_age(Duration::from_secs(60));
/// let response = (cookie, "hello").into_response();
/// assert_eq!(response.headers()["set-cookie"], "id=7; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax");
/// ```
///
/// As the headers of a response it is added to other cookies, of which several may be set: `(a_cookie, (another, "text"))`.
///
/// # What is checked
///
/// When it is put into a response, not before. What a browser would read otherwise than it is written, or throw away, makes
/// the response a 500:
///
/// - a name that is no token, a value with blanks, quotes, commas, semicolons, backslashes, or anything but ASCII (encode it);
/// - a path that does not begin with `/`, or a path or domain with control characters or semicolons;
/// - `SameSite=None` or `Partitioned` without `Secure`;
/// - a name with `__Secure-` without `Secure`; one with `__Host-` without that, without the path `/`, or with a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a cookie does nothing until it is put into a response"]
pub struct SetCookie {
    name: String,
    value: String,
    path: Option<String>,
    domain: Option<String>,
    max_age: Option<Duration>,
    expires: Option<SystemTime>,
    secure: bool,
    http_only: bool,
    same_site: Option<SameSite>,
    partitioned: bool,
}

/// Whether a browser sends a cookie when the request comes from another site's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// Only when a link is followed.
    Lax,
    /// Always.
    None,
}

impl fmt::Display for SameSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl SetCookie {
    /// A cookie that lasts until the browser is closed, and goes to this host, for the path that set it and those below.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> SetCookie {
        SetCookie {
            name: name.into(),
            value: value.into(),
            path: None,
            domain: None,
            max_age: None,
            expires: None,
            secure: false,
            http_only: false,
            same_site: None,
            partitioned: false,
        }
    }

    /// A cookie that takes one away. Path and domain must be those with which it was set.
    pub fn removal(name: impl Into<String>) -> SetCookie {
        SetCookie::new(name, "").max_age(Duration::ZERO)
    }

    /// For this path and those below.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// For this domain and all below; without it, for this host alone.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// For so long, in whole seconds. Zero takes it away. It goes before [`expires`](SetCookie::expires).
    pub fn max_age(mut self, time: Duration) -> Self {
        self.max_age = Some(time);
        self
    }

    /// Until then, by the browser's clock.
    pub fn expires(mut self, time: SystemTime) -> Self {
        self.expires = Some(time);
        self
    }

    /// Over TLS alone.
    pub fn secure(mut self) -> Self {
        self.secure = true;
        self
    }

    /// Not for scripts.
    pub fn http_only(mut self) -> Self {
        self.http_only = true;
        self
    }

    /// When it is sent from other sites' pages; browsers take `Lax` if nothing is said.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// A jar of its own for each site in whose pages this one is embedded.
    pub fn partitioned(mut self) -> Self {
        self.partitioned = true;
        self
    }

    /// The value of the field.
    ///
    /// # Errors
    /// See [above](SetCookie#what-is-checked).
    pub fn to_value(&self) -> Result<HeaderValue, BadHeader> {
        if !self.is_sound() {
            return Err(BadHeader);
        }
        let mut text = format!("{}={}", self.name, self.value);
        let mut add = |attribute: String| text += &format!("; {attribute}");
        self.path.iter().for_each(|path| add(format!("Path={path}")));
        self.domain.iter().for_each(|domain| add(format!("Domain={domain}")));
        self.max_age.iter().for_each(|age| add(format!("Max-Age={}", age.as_secs())));
        self.expires.iter().for_each(|time| add(format!("Expires={}", httpdate::fmt_http_date(*time))));
        let flags = [(self.secure, "Secure"), (self.http_only, "HttpOnly"), (self.partitioned, "Partitioned")];
        flags.iter().filter(|(is_set, _)| *is_set).for_each(|(_, name)| add((*name).to_owned()));
        self.same_site.iter().for_each(|same_site| add(format!("SameSite={same_site}")));
        HeaderValue::from_str(&text).map_err(|_| BadHeader)
    }

    fn is_sound(&self) -> bool {
        let is_octet = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        let is_attribute = |text: &String| text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b';');
        let is_root = self.path.as_deref() == Some("/");
        let has_prefix =
            |prefix: &str| self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        is_token(&self.name)
            && self.value.bytes().all(is_octet)
            && self.path.as_ref().is_none_or(|path| path.starts_with('/') && is_attribute(path))
            && self.domain.as_ref().is_none_or(|domain| !domain.is_empty() && is_attribute(domain))
            && (self.secure || !(self.partitioned || self.same_site == Some(SameSite::None)))
            && (self.secure || !has_prefix("__Secure-"))
            && (self.secure && is_root && self.domain.is_none() || !has_prefix("__Host-"))
            && self.expires.is_none_or(can_be_said)
    }
}

/// A date has four digits for its year, and none before 1970 here.
fn can_be_said(time: SystemTime) -> bool {
    const YEAR_10_000: u64 = 253_402_300_800;
    time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.as_secs() < YEAR_10_000)
}

/// Adds it to the cookies that are there.
impl IntoHeaders for SetCookie {
    fn put(self, headers: &mut HeaderMap) -> Result<(), BadHeader> {
        headers.append(header::SET_COOKIE, self.to_value()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::IntoResponse;

    #[test]
    fn a_cookie_is_written_as_browsers_read_it() {
        let new = || SetCookie::new("a", "b");
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (cookie, expected) in [
            (new(), "a=b"),
            (SetCookie::new("a", ""), "a="),
            (SetCookie::new("a", "b=c&d"), "a=b=c&d"),
            (new().path("/x y").domain("example.org"), "a=b; Path=/x y; Domain=example.org"),
            (new().max_age(Duration::from_millis(1999)), "a=b; Max-Age=1"),
            (new().expires(date), "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT"),
            (new().secure().http_only(), "a=b; Secure; HttpOnly"),
            (new().same_site(SameSite::Strict), "a=b; SameSite=Strict"),
            (new().secure().same_site(SameSite::None).partitioned(), "a=b; Secure; Partitioned; SameSite=None"),
            (SetCookie::removal("a").path("/"), "a=; Path=/; Max-Age=0"),
            (SetCookie::new("__Host-a", "b").secure().path("/"), "__Host-a=b; Path=/; Secure"),
            (SetCookie::new("__Secure-a", "b").secure(), "__Secure-a=b; Secure"),
        ] {
            assert_eq!(cookie.to_value().unwrap(), expected);
        }
    }

    #[test]
    fn what_a_browser_would_misread_is_refused() {
        let new = || SetCookie::new("a", "b");
        for cookie in [
            SetCookie::new("", "b"),
            SetCookie::new("a b", "c"),
            SetCookie::new("a=b", "c"),
            SetCookie::new("é", "c"),
            SetCookie::new("a", "b c"),
            SetCookie::new("a", "b;Secure"),
            SetCookie::new("a", "b\r\nSet-Cookie: c=d"),
            SetCookie::new("a", "\"b\""),
            SetCookie::new("a", "é"),
            new().path("x"),
            new().path("/;Domain=x"),
            new().path("/\r\n"),
            new().domain(""),
            new().domain("a;b"),
            new().same_site(SameSite::None),
            new().partitioned(),
            new().expires(SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800)),
            SetCookie::new("__Secure-a", "b"),
            SetCookie::new("__secure-a", "b"),
            SetCookie::new("__Host-a", "b").secure(),
            SetCookie::new("__Host-a", "b").path("/"),
            SetCookie::new("__Host-a", "b").secure().path("/").domain("x"),
        ] {
            assert_eq!(cookie.to_value(), Err(BadHeader), "{cookie:?}");
            assert_eq!((cookie, "text").into_response().status(), 500);
        }
    }

    #[test]
    fn several_cookies_are_set() {
        let response = (SetCookie::new("a", "1"), (SetCookie::new("b", "2"), "text")).into_response();
        let cookies: Vec<_> = response.headers().get_all(header::SET_COOKIE).into_iter().collect();
        assert_eq!(cookies, ["b=2", "a=1"]);
    }
}
