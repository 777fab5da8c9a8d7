//! Connecting to a host: looking it up, trying its addresses, giving up in time.

mod error;
mod happy_eyeballs;

pub use error::{ConnectError, Failures};
pub use happy_eyeballs::{STAGGER, happy_eyeballs};

use super::{Address, LookupError, Resolver, TcpOptions, TcpStream, lookup_host};
use happy_eyeballs::first_of;
use runtime::time::{Instant, timeout_at};
use std::{net::SocketAddr, time::Duration};

/// How to connect: from where, with what options, how long to try. Then [`connect`](Connector::connect), as often as you like.
///
/// ```
/// use netio::net::{Connector, TcpListener, TcpOptions};
/// use std::time::Duration;
///
/// runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let connector = Connector::new()
///         .timeout(Duration::from_secs(5))
///         .local_address("127.0.0.1:0".parse().unwrap())
///         .options(TcpOptions::new().nodelay(true));
///     let stream = connector.connect(listener.local_addr()?).await?;
///     assert_eq!(stream.peer_addr()?, listener.local_addr()?);
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "it connects to nothing until it is told to"]
pub struct Connector {
    local: Option<SocketAddr>,
    reuse_address: bool,
    options: TcpOptions,
    limit: Option<Duration>,
    stagger: Duration,
    resolver: Option<Resolver>,
}

impl Connector {
    /// From any address, for as long as the system tries (about two minutes an address), with its options.
    pub fn new() -> Self {
        let options = TcpOptions::new();
        Self { local: None, reuse_address: false, options, limit: None, stagger: STAGGER, resolver: None }
    }

    /// Calls from this address; port 0 lets the system choose one. Addresses of the other family cannot be called then.
    ///
    /// In a simulated world the call comes [from that host](runtime::world::on_host), and the port must be 0.
    pub fn local_address(self, address: SocketAddr) -> Self {
        Self { local: Some(address), ..self }
    }

    /// Whether a local port is taken whose last connection has not faded yet, if that one was made with this too. (It may not
    /// call where that one called.) Of effect only with a [local address](Connector::local_address).
    pub fn reuse_address(self, reuse: bool) -> Self {
        Self { reuse_address: reuse, ..self }
    }

    /// What the connection is like.
    pub fn options(self, options: TcpOptions) -> Self {
        Self { options, ..self }
    }

    /// Tries for so long altogether, lookup included. Zero leaves time for what can be done at once.
    ///
    /// ```
    /// use netio::net::{Connector, TcpListener};
    /// use runtime::{Runtime, world};
    /// use std::time::Duration;
    ///
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind("10.0.0.1:80").unwrap();
    ///     world::current().unwrap().silence(listener.local_addr().unwrap());
    ///     let error = Connector::new().timeout(Duration::from_secs(5)).connect("10.0.0.1:80").await.unwrap_err();
    ///     assert_eq!(error.to_string(), "cannot connect to 10.0.0.1:80 within 5s");
    /// });
    /// ```
    pub fn timeout(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Gives each call so long before the next address is called too: [`STAGGER`], unless this says otherwise. Zero calls all at
    /// once; [`Duration::MAX`] calls the next one only when one has failed.
    pub fn stagger(self, stagger: Duration) -> Self {
        Self { stagger, ..self }
    }

    /// Looks names up with this, instead of each time anew.
    ///
    /// ```
    /// use netio::net::{Connector, Resolver, TcpListener};
    ///
    /// runtime::block_on(async {
    ///     let (listener, resolver) = (TcpListener::bind("127.0.0.1:0")?, Resolver::new());
    ///     let connector = Connector::new().resolver(resolver.clone());
    ///     for _ in 0..3 {
    ///         connector.connect(("localhost", listener.local_addr()?.port())).await?;
    ///     }
    ///     assert_eq!(resolver.stats().lookups, 1);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn resolver(self, resolver: Resolver) -> Self {
        Self { resolver: Some(resolver), ..self }
    }

    /// Connects to the address of the host that answers first: see [`happy_eyeballs`].
    ///
    /// # Errors
    /// [`ConnectError`]: the name is not known, no address could be connected to, or the time is over.
    ///
    /// # Cancel safety
    /// Connections that were being made are closed.
    pub async fn connect(&self, address: impl Into<Address>) -> Result<TcpStream, ConnectError> {
        let target = address.into();
        let mut failures = Failures::default();
        let connected = self.try_all(target.clone(), &mut failures);
        let connected = match self.limit {
            None => connected.await?,
            Some(limit) => match timeout_at(Instant::now() + limit, connected).await {
                Ok(connected) => connected?,
                Err(_) => return Err(ConnectError::Timeout { target, limit, failures }),
            },
        };
        connected.ok_or(ConnectError::Failed { target, failures })
    }

    /// Connects to the one of these addresses that answers first.
    pub(crate) async fn connect_to_any(&self, addresses: Vec<SocketAddr>) -> Result<TcpStream, Failures> {
        let mut failures = Failures::default();
        self.first_of(addresses, &mut failures).await.ok_or(failures)
    }

    async fn try_all(&self, target: Address, failures: &mut Failures) -> Result<Option<TcpStream>, LookupError> {
        let addresses = match &self.resolver {
            Some(resolver) => resolver.lookup(target).await?,
            None => lookup_host(target).await?,
        };
        Ok(self.first_of(addresses, failures).await)
    }

    async fn first_of(&self, addresses: Vec<SocketAddr>, failures: &mut Failures) -> Option<TcpStream> {
        let call = |address| TcpStream::call(address, self.local, self.reuse_address, &self.options);
        first_of(addresses, self.stagger, call, failures).await
    }
}

impl Default for Connector {
    fn default() -> Self {
        Self::new()
    }
}
