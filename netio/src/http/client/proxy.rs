//! A proxy: a server that fetches for us, or passes our bytes on.

use super::{Error, auth, url::bad_url};
use crate::{
    http::{
        HeaderValue, Uri,
        framing::Framing,
        head::{self, MOST_FIELDS, Scan},
        input::poll_fill,
    },
    net::TcpStream,
};
use bytes::BytesMut;
use futures_lite::AsyncWriteExt;
use std::{
    fmt,
    future::poll_fn,
    io::{self, ErrorKind},
    net::IpAddr,
};

/// An HTTP proxy, and the hosts that are reached without it.
///
/// ```
/// use netio::http::client::{Client, Proxy};
///
/// let proxy = Proxy::new("http://user:secret@proxy.example:3128").unwrap().except("localhost, .internal, 10.0.0.0/8");
/// assert_eq!(format!("{proxy:?}"), r#"Proxy { host: "proxy.example:3128", tunnel: false }"#); // no secrets
/// let client = Client::builder().proxy(proxy).build();
/// # drop(client);
/// ```
#[derive(Clone)]
pub struct Proxy {
    host: String,
    credentials: Option<HeaderValue>,
    except: Vec<Except>,
    tunnel: bool,
}

/// Who is reached without the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Except {
    All,
    /// The domain and what is under it; perhaps only one port of it.
    Name(String, Option<u16>),
    /// The addresses that share so many first bits.
    Net(IpAddr, u8),
}

impl Proxy {
    /// The proxy at `http://[user:password@]host[:port]`; the port is 80 if none is given. User and password may be
    /// percent-encoded.
    ///
    /// # Errors
    /// [`Error::Url`]; it does not tell the password.
    pub fn new(url: &str) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let rest = rest.trim_end_matches('/');
        let (user, host) = rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
        let bad = |reason: &'static str| bad_url(&format!("{scheme}://{host}"), reason);
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(bad("the scheme of a proxy is http"));
        }
        let uri: Uri = format!("http://{host}/").parse().map_err(|_| bad("it is no proxy"))?;
        let authority = uri.authority().filter(|_| !host.contains('/')).ok_or_else(|| bad("it is no proxy"))?;
        let host = match authority.as_str().strip_prefix(authority.host()).and_then(|port| port.strip_prefix(':')) {
            None | Some("") => format!("{}:80", authority.host()),
            Some(port) if port.parse::<u16>().is_ok() => authority.as_str().to_owned(),
            Some(_) => return Err(bad("the port is no port")),
        };
        let credentials = user.map(credentials).transpose().map_err(bad)?;
        Ok(Proxy { host: host.to_ascii_lowercase(), credentials, except: Vec::new(), tunnel: false })
    }

    /// The proxy that the environment names, if it names one: `http_proxy` or else `all_proxy`, and `no_proxy` for those that are
    /// reached without it. (`HTTP_PROXY` in capitals is not looked at: in a CGI program it is what the client sent as a
    /// `Proxy` field.)
    ///
    /// # Errors
    /// [`Error::Url`]: it is no proxy of this kind.
    pub fn from_env() -> Result<Option<Self>, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        let named = |names: &[&str]| names.iter().find_map(|name| get(name).filter(|value| !value.is_empty()));
        let Some(url) = named(&["http_proxy", "all_proxy", "ALL_PROXY"]) else { return Ok(None) };
        let except = named(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Ok(Some(Proxy::new(&url)?.except(&except)))
    }

    /// Reaches these without the proxy: domains with all that is under them (`example.com` and `.example.com` are the same),
    /// addresses and networks (`10.0.0.0/8`), or `*`, separated by commas. A domain may have a port.
    pub fn except(mut self, hosts: &str) -> Self {
        let words = hosts.split(',').map(str::trim).filter(|word| !word.is_empty());
        self.except.extend(words.map(Except::read));
        self
    }

    /// Whether the proxy is asked for a tunnel (`CONNECT`) instead of fetching itself: it sees bytes, and no requests.
    pub fn tunnel(self, tunnel: bool) -> Self {
        Self { tunnel, ..self }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref()
    }

    pub(super) fn tunnels(&self) -> bool {
        self.tunnel
    }

    /// Whether it is to be used for `host:port`.
    pub(super) fn is_for(&self, host: &str) -> bool {
        let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
        let host = host.trim_matches(['[', ']']).trim_end_matches('.');
        !self.except.iter().any(|except| except.covers(host, port.parse().ok()))
    }
}

impl Except {
    fn read(word: &str) -> Self {
        if word == "*" {
            return Except::All;
        }
        let (number, bits) = word.split_once('/').map_or((word, None), |(number, bits)| (number, Some(bits)));
        if let Ok(address) = number.trim_matches(['[', ']']).parse::<IpAddr>() {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.and_then(|bits| bits.parse().ok()).filter(|&bits| bits <= most).unwrap_or(most);
            return Except::Net(address, bits);
        }
        let (name, port) = match word.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
            _ => (word, None),
        };
        let name = name.trim_start_matches("*.").trim_matches('.');
        Except::Name(name.to_ascii_lowercase(), port)
    }

    fn covers(&self, host: &str, port: Option<u16>) -> bool {
        match self {
            Except::All => true,
            Except::Name(name, only) => {
                (only.is_none() || *only == port)
                    && host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Except::Net(net, bits) => match (net, host.parse()) {
                (IpAddr::V4(net), Ok(IpAddr::V4(host))) => {
                    let differ = net.to_bits() ^ host.to_bits();
                    differ.leading_zeros() >= u32::from(*bits)
                }
                (IpAddr::V6(net), Ok(IpAddr::V6(host))) => {
                    let differ = net.to_bits() ^ host.to_bits();
                    differ.leading_zeros() >= u32::from(*bits)
                }
                _ => false,
            },
        }
    }
}

/// The credentials that a URL names.
fn credentials(user: &str) -> Result<HeaderValue, &'static str> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let [name, password] = [name, password].map(|text| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>());
    auth::basic(&name, &password)
}

/// The head of a proxy's answer is no longer than this.
const HEAD: usize = 16 * 1024;

/// Asks for a tunnel to `host`. RFC 9110, 9.3.6.
pub(super) async fn tunnel(stream: &mut TcpStream, host: &str, proxy: &Proxy) -> io::Result<()> {
    let bad = |reason: String| io::Error::new(ErrorKind::InvalidData, format!("the proxy {}: {reason}", proxy.host));
    let mut request = format!("CONNECT {host} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
    if let Some(credentials) = &proxy.credentials {
        request.extend_from_slice(b"proxy-authorization: ");
        request.extend_from_slice(credentials.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    let (mut input, mut scan) = (BytesMut::new(), Scan::default());
    let answer = loop {
        let head = head::take_response(&mut scan, &mut input, HEAD, MOST_FIELDS, false);
        match head.map_err(|fault| bad(fault.reason.to_owned()))? {
            Some(head) => break head,
            None if input.len() >= HEAD => return Err(bad("the head of its answer is too long".to_owned())),
            None => {}
        }
        if poll_fn(|context| poll_fill(stream, &mut input, context)).await? == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, format!("the proxy {} hung up", proxy.host)));
        }
    };
    if !answer.status.is_success() {
        return Err(io::Error::new(ErrorKind::ConnectionRefused, bad(format!("it said {}", answer.status))));
    }
    // A success has no body, whatever it says; and the server behind it speaks only when it is asked.
    if !input.is_empty() || matches!(answer.framing, Framing::Chunked) {
        return Err(bad("something came behind its answer".to_owned()));
    }
    Ok(())
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("tunnel", &self.tunnel).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_reached_without_it() {
        let proxy =
            Proxy::new("proxy").unwrap().except("localhost, .internal,shop.example:8080, 10.0.0.0/8,fe80::/10,*.x");
        for (host, through) in [
            ("localhost:80", false),
            ("notlocalhost:80", true),
            ("internal:80", false),
            ("a.b.internal.:80", false),
            ("shop.example:80", true),
            ("shop.example:8080", false),
            ("www.shop.example:8080", false),
            ("10.255.0.1:80", false),
            ("11.0.0.1:80", true),
            ("[fe80::1]:80", false),
            ("[::1]:80", true),
            ("y.x:80", false),
        ] {
            assert_eq!(proxy.is_for(host), through, "{host}");
        }
        assert!(!Proxy::new("proxy").unwrap().except("*").is_for("anybody:80"));
    }

    #[test]
    fn the_environment_names_it() {
        let read = |variables: &[(&str, &str)]| {
            Proxy::from_variables(|name| Some(variables.iter().find(|(n, _)| *n == name)?.1.to_owned()))
        };
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("HTTP_PROXY", "http://evil")]).unwrap().is_none());
        assert!(read(&[("http_proxy", "")]).unwrap().is_none());
        let proxy = read(&[("http_proxy", "http://u:p%20w@Proxy:3128/"), ("no_proxy", "localhost")]).unwrap().unwrap();
        assert_eq!(proxy.host(), "proxy:3128");
        assert_eq!(proxy.credentials().unwrap(), "Basic dTpwIHc=");
        assert!(!proxy.is_for("localhost:80"));
        for url in ["socks5://user:secret@proxy", "http://user:secret@proxy:port", "http://user:secret@", "http://a/b"]
        {
            let error = read(&[("all_proxy", url)]).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
