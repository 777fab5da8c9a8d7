//! Where to connect to.
//!
//! Numbers are used as they are. A name is asked of the system's resolver, which only knows how to block: that happens on
//! the blocking pool, and the worker goes on with other tasks. A simulated runtime has a table of names instead.

use crate::blocking::blocking;
use runtime::world;
use std::{
    fmt,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, ToSocketAddrs},
};

/// A host, by number or by name, and a port.
///
/// ```
/// use netio::net::Address;
/// use std::net::SocketAddr;
///
/// runtime::block_on(async {
///     let number: SocketAddr = "127.0.0.1:80".parse().unwrap();
///     assert_eq!(Address::from(number).resolve().await.unwrap(), [number]);
///     assert_eq!(Address::from("127.0.0.1:80").resolve().await.unwrap(), [number]);
///     assert!(Address::from("no port here").resolve().await.is_err());
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Number(SocketAddr),
    /// `host:port`, not yet known to be well formed.
    Name(String),
}

impl Address {
    /// Every address of the host, in the order in which the system wants them tried; never none.
    ///
    /// # Errors
    /// When the text is not `host:port`, or the resolver does not know the host.
    ///
    /// # Cancel safety
    /// Nothing is lost; a query that has begun is finished on its thread, for nobody.
    pub async fn resolve(self) -> io::Result<Vec<SocketAddr>> {
        match self.0 {
            Kind::Number(address) => Ok(vec![address]),
            Kind::Name(name) => {
                let (host, port) = split(&name)?;
                addresses_of(host.to_owned(), port).await
            }
        }
    }

    /// The address, if it is given as a number; else the name and the port.
    pub(super) fn number_or_name(&self) -> io::Result<Result<SocketAddr, (&str, u16)>> {
        match &self.0 {
            Kind::Number(address) => Ok(Ok(*address)),
            Kind::Name(name) => split(name).map(Err),
        }
    }
}

fn split(name: &str) -> io::Result<(&str, u16)> {
    name.rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)))
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "this is no host and port"))
}

/// What a name means: in the table of a simulated world, or to the system's resolver.
pub(super) async fn addresses_of(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses = match world::current() {
        Some(world) => world.resolve(&host)?.into_iter().map(|number| SocketAddr::new(number, port)).collect(),
        None if never_exists(&host) => Vec::new(),
        None => blocking(move || (host.as_str(), port).to_socket_addrs().map(Vec::from_iter)).await?,
    };
    if addresses.is_empty() { Err(no_address()) } else { Ok(addresses) }
}

pub(super) fn no_address() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "the name has no address")
}

/// Names under `invalid` are there to be unknown, and no server is to be asked about them (RFC 6761, 6.4): where none can be
/// reached, the answer would take many seconds.
fn never_exists(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("invalid"))
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address(Kind::Number(address))
    }
}

impl From<&SocketAddr> for Address {
    fn from(address: &SocketAddr) -> Self {
        Address(Kind::Number(*address))
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from((host, port): (IpAddr, u16)) -> Self {
        SocketAddr::new(host, port).into()
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        match host.parse::<IpAddr>() {
            Ok(number) => (number, port).into(),
            Err(_) => Address(Kind::Name(format!("{host}:{port}"))),
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        match text.parse::<SocketAddr>() {
            Ok(number) => number.into(),
            Err(_) => Address(Kind::Name(text.to_owned())),
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Number(address) => address.fmt(f),
            Kind::Name(name) => name.fmt(f),
        }
    }
}
