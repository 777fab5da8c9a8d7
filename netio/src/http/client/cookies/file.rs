//! Cookies in a file: a line each, as curl, wget and Netscape Navigator have them.

use super::{Cookie, Jar, SetCookie};
use std::{
    fmt::Write,
    io::{self, ErrorKind},
    time::{Duration, SystemTime},
};

const FIRST_LINE: &str = "# Netscape HTTP Cookie File\n";
const HTTP_ONLY: &str = "#HttpOnly_";

impl Jar {
    /// The cookies that are not over, in the format of `curl --cookie-jar`: also those of the session, with a time of 0. Leave
    /// them out with [`retain`](Jar::retain).
    ///
    /// ```
    /// # use netio::http::client::Jar;
    /// let jar = Jar::new();
    /// jar.set("http://shop.example/", "a=1; Path=/").unwrap();
    /// assert_eq!(jar.save(), "# Netscape HTTP Cookie File\nshop.example\tFALSE\t/\tFALSE\t0\ta\t1\n");
    ///
    /// let later = Jar::new();
    /// later.load(&jar.save()).unwrap();
    /// assert_eq!(later.get("http://shop.example/", "a").as_deref(), Some("1"));
    /// ```
    pub fn save(&self) -> String {
        let mut text = FIRST_LINE.to_owned();
        for cookie in self.all() {
            let Cookie { name, value, domain, host_only, path, secure, http_only, expires, .. } = &cookie;
            let prefix = if *http_only { HTTP_ONLY } else { "" };
            let dot = if *host_only { "" } else { "." };
            let expires =
                expires.map_or(0, |time| time.duration_since(SystemTime::UNIX_EPOCH).map_or(1, |t| t.as_secs()));
            let word = |yes| if yes { "TRUE" } else { "FALSE" };
            let (below, secure) = (word(!host_only), word(*secure));
            writeln!(text, "{prefix}{dot}{domain}\t{below}\t{path}\t{secure}\t{expires}\t{name}\t{value}")
                .expect("a string takes every character");
        }
        text
    }

    /// Adds what [`save`](Jar::save) gave. What is over is left out, and what is there already is replaced.
    ///
    /// # Errors
    /// `InvalidData`, with the number of the line that is no cookie. Those before it were added.
    pub fn load(&self, text: &str) -> io::Result<()> {
        for (number, line) in text.lines().enumerate() {
            let rest = line.strip_prefix(HTTP_ONLY);
            if rest.is_none() && (line.trim().is_empty() || line.starts_with('#')) {
                continue;
            }
            let mut cookie = read(rest.unwrap_or(line))
                .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("line {} is no cookie", number + 1)))?;
            cookie.http_only = rest.is_some();
            self.store().insert(cookie);
        }
        Ok(())
    }
}

fn read(line: &str) -> Option<Cookie> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[domain, below, path, secure, expires, name, value] = &fields[..] else { return None };
    let is = |word: &str| word.eq_ignore_ascii_case("TRUE");
    let expires: u64 = expires.parse().ok()?;
    let set = SetCookie::parse(&format!("{name}={value}"))?;
    let path = path.starts_with('/').then(|| path.to_owned())?;
    // More than the clock can tell.
    let end = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(expires))?;
    Some(Cookie {
        name: set.name,
        value: set.value,
        domain: domain.trim_start_matches('.').to_ascii_lowercase(),
        host_only: !is(below),
        path,
        secure: is(secure),
        http_only: false,
        expires: (expires > 0).then_some(end),
        made: 0,
    })
}
