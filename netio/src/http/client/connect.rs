//! The way to a server: straight, through a proxy, by a Unix socket, or as the program says.

use super::{
    Error, Phase,
    fetch::Exchange,
    observer::Event,
    proxy::{Proxy, tunnel},
    timeouts::TimeoutKind,
    url::bad_url,
    watch::Limit,
    wire::Target,
};
use crate::{
    http::{HeaderValue, Uri},
    net::{Connector, DuplexStream, Resolver, TcpStream, Transport, UnixStream},
};
use runtime::time::timeout_at;
use std::{borrow::Cow, fmt, future::Future, io, net::SocketAddr, path::Path, pin::Pin, sync::Arc};

/// How a client connects.
#[derive(Clone, Debug)]
pub(super) struct Dialing {
    pub(super) connector: Connector,
    pub(super) resolver: Resolver,
    pub(super) way: Way,
}

#[derive(Clone)]
pub(super) enum Way {
    Tcp(Option<Arc<Proxy>>),
    Unix(Arc<Path>),
    Own(Arc<Dial>),
}

/// Gives a connection to `host:port`.
pub(super) type Dial = dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<DuplexStream>> + Send>> + Send + Sync;

/// The way of one request.
pub(super) struct Route<'a> {
    /// `host:port`.
    host: Cow<'a, str>,
    proxy: Option<&'a Proxy>,
}

impl Dialing {
    /// The way to a URL.
    pub(super) fn route<'a>(&'a self, uri: &'a Uri) -> Result<Route<'a>, Error> {
        let host = host_and_port(uri)?;
        let proxy = match &self.way {
            Way::Tcp(Some(proxy)) if proxy.is_for(&host) => Some(&**proxy),
            _ => None,
        };
        Ok(Route { host, proxy })
    }
}

impl Route<'_> {
    /// Requests of the same key can share connections: those to a proxy, whatever hosts it is asked for.
    pub(super) fn key(&self) -> Cow<'_, str> {
        match self.proxy {
            None => Cow::Borrowed(&self.host),
            Some(proxy) if proxy.tunnels() => Cow::Owned(format!("{} through {}", self.host, proxy.host())),
            Some(proxy) => Cow::Owned(format!("proxy {}", proxy.host())),
        }
    }

    pub(super) fn target(&self) -> Target {
        if self.proxy.is_some_and(|proxy| !proxy.tunnels()) { Target::Absolute } else { Target::Origin }
    }

    /// For the proxy, with each request that it reads.
    pub(super) fn credentials(&self) -> Option<&HeaderValue> {
        self.proxy.filter(|proxy| !proxy.tunnels())?.credentials()
    }
}

/// Makes a connection for an exchange, in its time for that.
pub(super) async fn connect(
    exchange: &Exchange,
    route: &Route<'_>,
) -> Result<(Box<dyn Transport>, Option<SocketAddr>), Error> {
    let longest = exchange.timeouts.longest(TimeoutKind::Connect);
    let limit = Limit::after(longest, TimeoutKind::Connect).or(exchange.total);
    let mut phase = Phase::Connect;
    match timeout_at(limit.at, dial(exchange, route, &mut phase)).await {
        Ok(connected) => connected,
        Err(_) => Err(exchange.timeout(phase, limit)),
    }
}

async fn dial(
    exchange: &Exchange,
    route: &Route<'_>,
    phase: &mut Phase,
) -> Result<(Box<dyn Transport>, Option<SocketAddr>), Error> {
    let failed = |cause| Error::Connect { url: exchange.url(), cause };
    match &exchange.client.inner.settings.dialing.way {
        Way::Tcp(_) => {
            let first = route.proxy.map_or(&*route.host, Proxy::host);
            let mut stream = call(exchange, first, phase).await?;
            if let Some(proxy) = route.proxy.filter(|proxy| proxy.tunnels()) {
                tunnel(&mut stream, &route.host, proxy).await.map_err(failed)?;
            }
            let peer = stream.peer_addr().ok();
            exchange.tell(&Event::ConnectEnd { peer });
            Ok((Box::new(stream), peer))
        }
        Way::Unix(path) => {
            exchange.tell(&Event::ConnectStart);
            let stream = UnixStream::connect(path).await.map_err(failed)?;
            exchange.tell(&Event::ConnectEnd { peer: None });
            Ok((Box::new(stream), None))
        }
        Way::Own(dial) => {
            exchange.tell(&Event::ConnectStart);
            let stream = dial(route.host.clone().into_owned()).await.map_err(failed)?;
            exchange.tell(&Event::ConnectEnd { peer: None });
            Ok((Box::new(stream), None))
        }
    }
}

async fn call(exchange: &Exchange, host: &str, phase: &mut Phase) -> Result<TcpStream, Error> {
    let Dialing { connector, resolver, .. } = &exchange.client.inner.settings.dialing;
    *phase = Phase::Resolve;
    let is_name = host.parse::<SocketAddr>().is_err();
    if is_name {
        exchange.tell(&Event::LookupStart { host });
    }
    let (addresses, cached) =
        resolver.look(host).await.map_err(|error| Error::Dns { url: exchange.url(), cause: error.into_cause() })?;
    if is_name {
        exchange.tell(&Event::LookupEnd { addresses: &addresses, cached });
    }
    *phase = Phase::Connect;
    exchange.tell(&Event::ConnectStart);
    let stream = connector.connect_to_any(addresses).await;
    let stream = stream.map_err(|failures| Error::Connect { url: exchange.url(), cause: failures.into() })?;
    // A chunk must not wait for the acknowledgement of the one before. If this fails, so will the rest.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// `host:port`, as it is the key of a pool and the name to look up.
fn host_and_port(uri: &Uri) -> Result<Cow<'_, str>, Error> {
    let bad = |reason| Err(bad_url(&uri.to_string(), reason));
    let Some(authority) = uri.authority().filter(|_| uri.scheme_str().is_some()) else {
        return bad("it is not absolute");
    };
    if uri.scheme_str() != Some("http") {
        return bad("the scheme is not http");
    }
    let text = authority.as_str();
    if text.bytes().any(|byte| byte == b'@') {
        return bad("it names a user");
    }
    // Behind the last colon, unless that is one of a bracketed address.
    let colon = text.bytes().rposition(|byte| byte == b':').filter(|_| !text.ends_with(']'));
    let (host, port) = colon.map_or((text, ""), |colon| (&text[..colon], &text[colon + 1..]));
    let is_small = !host.bytes().any(|byte| byte.is_ascii_uppercase());
    match port.parse::<u16>() {
        // As it stands, if it is written as we would.
        Ok(number) if is_small && !port.starts_with(['0', '+']) && number > 0 => Ok(Cow::Borrowed(text)),
        Ok(number) => Ok(Cow::Owned(format!("{}:{number}", host.to_ascii_lowercase()))),
        Err(_) if port.is_empty() => Ok(Cow::Owned(format!("{}:80", host.to_ascii_lowercase()))),
        Err(_) => bad("the port is no port"),
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Tcp(proxy) => f.debug_tuple("Tcp").field(proxy).finish(),
            Way::Unix(path) => f.debug_tuple("Unix").field(path).finish(),
            Way::Own(_) => f.write_str("Own"),
        }
    }
}
