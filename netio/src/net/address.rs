//! Where to connect to.
//!
//! Numbers are used as they are. A name is asked of the system's resolver, which only knows how to block: that happens on
//! the blocking pool, and the worker goes on with other tasks. A simulated runtime has a table of names instead.

use crate::blocking::blocking;
use runtime::world::{self, World};
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
        let name = match self.0 {
            Kind::Number(address) => return Ok(vec![address]),
            Kind::Name(name) => name,
        };
        let addresses = match world::current() {
            Some(world) => resolve_in(&world, &name)?,
            None => blocking(move || name.to_socket_addrs().map(Vec::from_iter)).await?,
        };
        if addresses.is_empty() {
            return Err(io::Error::new(ErrorKind::NotFound, "the name has no address"));
        }
        Ok(addresses)
    }
}

/// As the system's resolver does it, from the table of a simulated world.
fn resolve_in(world: &World, name: &str) -> io::Result<Vec<SocketAddr>> {
    let Some((host, port)) = name.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "this is no host and port"));
    };
    Ok(world.resolve(host)?.into_iter().map(|number| SocketAddr::new(number, port)).collect())
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
