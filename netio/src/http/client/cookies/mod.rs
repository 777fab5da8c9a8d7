//! Cookies: what a server asks us to bring along the next time. RFC 6265, and what its revision (6265bis) does for safety.
//!
//! ```text
//!   Set-Cookie ──> SetCookie ──> may this host set it? ──> Jar ──> domain, path, secure, time ──> Cookie
//!                  parse                                   by domain
//! ```
//!
//! - A cookie goes only to the host that set it, or to all hosts of the `Domain` that it names, of which that host is one.
//! - A `Secure` cookie is taken from `https` and goes to `https` only.
//! - Expiry is by the runtime's [wall clock](runtime::time::wall_clock): a virtual clock makes cookies old in no time.
//! - `SameSite` and `HttpOnly` mean nothing to a client without pages. They are read, and the latter is kept.

mod date;
mod file;
mod set_cookie;

use super::url;
use crate::http::{HeaderMap, HeaderValue, Uri, header};
use runtime::time::wall_clock;
use set_cookie::SetCookie;
use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

/// The most cookies of a domain, and the most in all: beyond, the oldest go.
const PER_DOMAIN: usize = 180;
const IN_ALL: usize = 3000;

/// The cookies of a client. Cloning it is cheap, and clones share them.
///
/// ```
/// use netio::http::client::{Client, Jar};
///
/// let jar = Jar::new();
/// jar.set("http://shop.example/cart/", "basket=apples; Path=/cart; Max-Age=60").unwrap();
/// assert_eq!(jar.get("http://shop.example/cart/pay", "basket").as_deref(), Some("apples"));
/// assert_eq!(jar.get("http://shop.example/", "basket"), None);
///
/// let client = Client::builder().cookie_jar(jar).build();
/// assert_eq!(client.cookies().unwrap().all().len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct Jar {
    store: Arc<Mutex<Store>>,
    is_public: Option<Arc<IsPublic>>,
}

type IsPublic = dyn Fn(&str) -> bool + Send + Sync;

/// By domain, so that only the few that a host can have are looked at.
#[derive(Debug, Default)]
struct Store {
    domains: BTreeMap<String, Vec<Cookie>>,
    /// How many were ever made: their order in time.
    made: u64,
}

/// A cookie in a [`Jar`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The host, or the domain of hosts, to which it goes: in small letters, without a dot in front.
    pub domain: String,
    /// It goes to that host only, and to none below it.
    pub host_only: bool,
    /// It goes to this path and those below it.
    pub path: String,
    /// It goes to `https` only.
    pub secure: bool,
    /// No script may see it: we have none.
    pub http_only: bool,
    /// When it is over. `None`: with the session, which here is the life of the jar.
    pub expires: Option<SystemTime>,
    made: u64,
}

/// Why a `Set-Cookie` was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// It has no name, or a character that is not allowed, or more than 4096 bytes.
    #[error("it is no cookie")]
    Malformed,
    /// The `Domain` is not one of which the host is part, or one of which too many are part, as `com`.
    #[error("this host may not set cookies for that domain")]
    Domain,
    /// A `Secure` cookie from a server that is not, or one that would take the place of such a cookie.
    #[error("a secure cookie is set with https only")]
    Secure,
    /// The name begins with `__Host-` or `__Secure-`, and does not keep what that promises.
    #[error("the cookie breaks the promise in its name")]
    Prefix,
}

impl Jar {
    /// An empty one.
    pub fn new() -> Jar {
        Jar::default()
    }

    /// Asks `is_public` whether a domain is one under which strangers have theirs, as `co.uk`: such a domain sets no cookies
    /// for all of them. Unless told otherwise, these are:
    ///
    /// - with the cargo feature `public-suffix`, those of the [public suffix list](https://publicsuffix.org), as old as the crate
    ///   [`psl`](https://docs.rs/psl) in `Cargo.lock`: the list changes every week;
    /// - without it, the names without a dot, as `com`. **A shop at `evil.co.uk` can then set cookies for all of `co.uk`**: a client
    ///   with cookies that talks to servers it does not know should have the feature, or a list of its own.
    ///
    /// ```
    /// use netio::http::client::{CookieError, Jar};
    /// let jar = Jar::new().public_suffixes(|domain| domain == "co.uk" || !domain.contains('.'));
    /// assert_eq!(jar.set("http://shop.co.uk/", "a=1; Domain=co.uk"), Err(CookieError::Domain));
    /// ```
    pub fn public_suffixes(mut self, is_public: impl Fn(&str) -> bool + Send + Sync + 'static) -> Jar {
        self.is_public = Some(Arc::new(is_public));
        self
    }

    /// Does what the server at `url` asks with this `Set-Cookie`. One that is over already removes what it names.
    ///
    /// # Errors
    /// [`CookieError`]; `Malformed` also if `url` is none.
    pub fn set(&self, url: &str, set_cookie: &str) -> Result<(), CookieError> {
        let url = url::parse(url, None).map_err(|_| CookieError::Malformed)?;
        self.take(&Place::of(&url), set_cookie)
    }

    /// The value of the cookie with that name that would go to `url`.
    pub fn get(&self, url: &str, name: &str) -> Option<String> {
        let place = Place::of(&url::parse(url, None).ok()?);
        self.store().matching(&place).find(|cookie| cookie.name == name).map(|cookie| cookie.value.clone())
    }

    /// All cookies that are not over, by domain.
    pub fn all(&self) -> Vec<Cookie> {
        let now = wall_clock();
        self.store().domains.values().flatten().filter(|cookie| !cookie.is_over(now)).cloned().collect()
    }

    /// Removes all cookies, or those that `keep` does not keep.
    ///
    /// ```
    /// # use netio::http::client::Jar;
    /// # let jar = Jar::new();
    /// jar.retain(|cookie| cookie.expires.is_some()); // the session is over
    /// jar.retain(|_| false); // and so is everything else
    /// ```
    pub fn retain(&self, keep: impl Fn(&Cookie) -> bool) {
        // Not under the lock: `keep` is not our code.
        let goes: Vec<Cookie> = self.all().into_iter().filter(|cookie| !keep(cookie)).collect();
        let mut store = self.store();
        goes.iter().for_each(|cookie| store.remove(cookie));
    }

    /// Takes what a response sets.
    pub(super) fn store_all(&self, uri: &Uri, headers: &HeaderMap) {
        let mut fields = headers.get_all(header::SET_COOKIE).iter().peekable();
        let Some(url) = fields.peek().and_then(|_| url::of_uri(uri).ok()) else { return };
        let place = Place::of(&url);
        for text in fields.filter_map(|field| std::str::from_utf8(field.as_bytes()).ok()) {
            // One that is refused is as good as not sent: the response is what was asked for.
            let _ = self.take(&place, text);
        }
    }

    /// What goes to a server.
    pub(super) fn field(&self, uri: &Uri) -> Option<HeaderValue> {
        let place = Place::of(&url::of_uri(uri).ok()?);
        let store = self.store();
        let mut cookies: Vec<&Cookie> = store.matching(&place).collect();
        // RFC 6265, 5.4: longer paths first, and among these the older ones.
        cookies.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.made));
        let text: Vec<String> = cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let mut value = HeaderValue::try_from(text.join("; ")).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    fn take(&self, place: &Place, text: &str) -> Result<(), CookieError> {
        let set = SetCookie::parse(text).ok_or(CookieError::Malformed)?;
        let (domain, host_only) = match set.domain {
            None => (place.host.clone(), true),
            Some(domain) if domain == place.host => (domain, place.is_address || self.is_public(&place.host)),
            Some(domain) if is_below(&place.host, &domain) && !place.is_address && !self.is_public(&domain) => {
                (domain, false)
            }
            Some(_) => return Err(CookieError::Domain),
        };
        if set.secure && !place.secure {
            return Err(CookieError::Secure);
        }
        let begins = |prefix: &str| set.name.get(..prefix.len()).is_some_and(|text| text.eq_ignore_ascii_case(prefix));
        let keeps_word = match () {
            () if begins("__Host-") => set.secure && host_only && set.path.as_deref() == Some("/"),
            () if begins("__Secure-") => set.secure,
            () => true,
        };
        if !keeps_word {
            return Err(CookieError::Prefix);
        }
        let cookie = Cookie {
            name: set.name,
            value: set.value,
            domain,
            host_only,
            path: set.path.unwrap_or_else(|| place.default_path()),
            secure: set.secure,
            http_only: set.http_only,
            expires: set.expires,
            made: 0,
        };
        let mut store = self.store();
        if !place.secure && store.same(&cookie).is_some_and(|old| old.secure) {
            return Err(CookieError::Secure);
        }
        store.insert(cookie);
        Ok(())
    }

    fn is_public(&self, domain: &str) -> bool {
        self.is_public.as_ref().map_or_else(|| is_listed(domain), |is_public| is_public(domain))
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().expect("no code that could panic runs under this lock")
    }
}

impl Store {
    /// What would go to a place now, in no order.
    fn matching(&self, place: &Place) -> impl Iterator<Item = &Cookie> {
        let now = wall_clock();
        let domains = place.domains().filter_map(|domain| self.domains.get(domain));
        domains.flatten().filter(move |cookie| cookie.goes_to(place) && !cookie.is_over(now))
    }

    fn same(&mut self, other: &Cookie) -> Option<&mut Cookie> {
        self.domains.get_mut(&other.domain)?.iter_mut().find(|cookie| cookie.is_same(other))
    }

    fn remove(&mut self, other: &Cookie) {
        if let Some(cookies) = self.domains.get_mut(&other.domain) {
            cookies.retain(|cookie| !cookie.is_same(other));
            if cookies.is_empty() {
                self.domains.remove(&other.domain);
            }
        }
    }

    fn insert(&mut self, mut cookie: Cookie) {
        let now = wall_clock();
        if cookie.is_over(now) {
            return self.remove(&cookie);
        }
        if let Some(old) = self.same(&cookie) {
            cookie.made = old.made;
            *old = cookie;
            return;
        }
        self.made += 1;
        cookie.made = self.made;
        let of_domain = self.domains.entry(cookie.domain.clone()).or_default();
        of_domain.push(cookie);
        if of_domain.len() > PER_DOMAIN {
            of_domain.retain(|cookie| !cookie.is_over(now));
        }
        if of_domain.len() > PER_DOMAIN {
            // They stand in the order in which they were made.
            of_domain.remove(0);
        }
        if self.domains.values().map(Vec::len).sum::<usize>() > IN_ALL {
            let oldest = self.domains.values().flatten().min_by_key(|cookie| cookie.made).cloned();
            oldest.iter().for_each(|cookie| self.remove(cookie));
        }
    }
}

impl Cookie {
    fn is_same(&self, other: &Cookie) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
    }

    fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    fn goes_to(&self, place: &Place) -> bool {
        (!self.host_only || self.domain == place.host)
            && (!self.secure || place.secure)
            // RFC 6265, 5.1.4.
            && place.path.strip_prefix(&self.path).is_some_and(|rest| {
                rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/')
            })
    }
}

/// Where a cookie comes from, or goes to.
struct Place {
    host: String,
    is_address: bool,
    path: String,
    secure: bool,
}

impl Place {
    fn of(url: &::url::Url) -> Place {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.').to_owned();
        let is_address = host.parse::<IpAddr>().is_ok();
        Place { host, is_address, path: url.path().to_owned(), secure: matches!(url.scheme(), "https" | "wss") }
    }

    /// The host, and all domains of which it is part.
    fn domains(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(&*self.host), |domain| {
            let (_, above) = domain.split_once('.').filter(|_| !self.is_address)?;
            Some(above)
        })
    }

    /// RFC 6265, 5.1.4: the path up to its last slash.
    fn default_path(&self) -> String {
        match self.path.rfind('/') {
            None | Some(0) => "/".to_owned(),
            Some(end) => self.path[..end].to_owned(),
        }
    }
}

/// Whether strangers have their domains under this one, as far as is known here.
#[cfg(feature = "public-suffix")]
fn is_listed(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

/// The same without a list.
#[cfg(not(feature = "public-suffix"))]
fn is_listed(domain: &str) -> bool {
    !domain.contains('.')
}

/// RFC 6265, 5.1.3.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values are keys to somebody's account.
        write!(f, "Jar({} cookies)", self.store().domains.values().map(Vec::len).sum::<usize>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6265, 5.3, step 5.
    #[test]
    fn a_domain_of_strangers_sets_no_cookies_for_all_of_them() {
        let set =
            |host: &str, domain: &str| Jar::new().set(&format!("http://{host}/"), &format!("a=1; Domain={domain}"));
        let listed = |refused| if cfg!(feature = "public-suffix") { refused } else { Ok(()) };
        for (host, domain, expected) in [
            ("shop.example.com", "example.com", Ok(())),
            ("shop.example.co.uk", "example.co.uk", Ok(())),
            ("shop.example.com", "com", Err(CookieError::Domain)),
            ("a.b.nowhere", "nowhere", Err(CookieError::Domain)),
            ("shop.co.uk", "co.uk", listed(Err(CookieError::Domain))),
            ("me.github.io", "github.io", listed(Err(CookieError::Domain))),
            ("a.city.kawasaki.jp", "city.kawasaki.jp", Ok(())),
            ("a.b.kawasaki.jp", "b.kawasaki.jp", listed(Err(CookieError::Domain))),
            ("xn--h1ahn.xn--80asehdb", "xn--80asehdb", Err(CookieError::Domain)),
        ] {
            assert_eq!(set(host, domain), expected, "{host} for {domain}");
        }
        // Such a domain itself is a host like any other, and its cookies are its own.
        let jar = Jar::new();
        jar.set("http://github.io/", "a=1; Domain=github.io").unwrap();
        assert_eq!(jar.get("http://me.github.io/", "a").is_none(), cfg!(feature = "public-suffix"));
        assert!(jar.get("http://github.io/", "a").is_some());
    }
}
