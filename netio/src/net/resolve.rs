//! Looking up names, and remembering what they meant.
//!
//! ```text
//!   Resolver: host ──> cached? ──> somebody is asking already? ──> the system's resolver, on the blocking pool
//!                        hit              joined                    lookup
//! ```

use super::address::{Address, addresses_of, no_address};
use runtime::cache::TtlLru;
use std::{
    fmt,
    future::Future,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

/// Every address of a host, in the order in which the system wants them tried; never none.
///
/// Numbers are used as they are, and nobody is asked. A name is asked of the system's resolver, on the blocking pool; a
/// simulated runtime asks the table of its [world](runtime::world). Nothing is remembered: that is what a [`Resolver`] does.
///
/// The system takes its time when its name servers do not answer (ten seconds are usual): put a
/// [`timeout`](runtime::time::timeout) around it. Names under `invalid` are never asked about (RFC 6761).
///
/// # Errors
/// [`LookupError`], with the name: it is not known, nobody could be asked, or the text is not `host:port`.
///
/// # Cancel safety
/// Nothing is lost; a query that has begun is finished on its thread, for nobody.
///
/// ```
/// use netio::net::lookup_host;
///
/// runtime::block_on(async {
///     assert_eq!(lookup_host("127.0.0.1:80").await.unwrap(), ["127.0.0.1:80".parse().unwrap()]);
///     assert!(lookup_host(("localhost", 80)).await.unwrap().iter().all(|address| address.ip().is_loopback()));
///
///     let unknown = lookup_host(("shop.invalid", 80)).await.unwrap_err();
///     assert_eq!(unknown.to_string(), "cannot look up shop.invalid:80: the name has no address");
/// });
/// ```
pub async fn lookup_host(address: impl Into<Address>) -> Result<Vec<SocketAddr>, LookupError> {
    let address = address.into();
    let name = address.to_string();
    address.resolve().await.map_err(|cause| LookupError::new(name, cause))
}

/// A name that could not be looked up: which, and why.
///
/// ```
/// use netio::net::lookup_host;
/// use std::io::{self, ErrorKind};
///
/// let error = runtime::block_on(lookup_host(("shop.invalid", 80))).unwrap_err();
/// assert_eq!((error.name(), error.kind()), ("shop.invalid:80", ErrorKind::NotFound));
/// assert_eq!(io::Error::from(error).kind(), ErrorKind::NotFound); // for who has `io::Result`s
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot look up {name}: {cause}")]
pub struct LookupError {
    name: String,
    /// Several may have waited for the same answer.
    cause: Arc<io::Error>,
}

impl LookupError {
    fn new(name: String, cause: io::Error) -> Self {
        Self { name, cause: Arc::new(cause) }
    }

    /// What was looked up, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the resolver said, as it said it to us, or as much of it as can be told again.
    pub(crate) fn into_cause(self) -> io::Error {
        let kind = self.cause.kind();
        Arc::try_unwrap(self.cause).unwrap_or_else(|shared| io::Error::new(kind, shared.to_string()))
    }

    /// `NotFound` if it is known that there is no such host, `InvalidInput` if this is no host and port; else whatever the
    /// system's resolver made of it.
    pub fn kind(&self) -> ErrorKind {
        self.cause.kind()
    }
}

impl From<LookupError> for io::Error {
    fn from(error: LookupError) -> Self {
        io::Error::new(error.kind(), error)
    }
}

/// Looks up names and remembers the answers for a while. Those who ask for the same name at the same time share one question.
///
/// - The system does not say for how long an answer may be kept, so all are kept equally long: five minutes unless
///   [told](Resolver::ttl) otherwise. Zero keeps none, and still lets those share who ask at the same time.
/// - Of more than a thousand names, those that were not used for the longest time are forgotten.
/// - Failures are not remembered: who asks next asks anew.
/// - Numbers are used as they are: neither a lookup nor a hit. The port is no part of the question.
///
/// A clone is another handle to the same memory.
///
/// ```
/// use netio::net::Resolver;
///
/// runtime::block_on(async {
///     let resolver = Resolver::new();
///     resolver.lookup(("localhost", 80)).await.unwrap();
///     resolver.lookup(("localhost", 443)).await.unwrap();
///     assert_eq!((resolver.stats().lookups, resolver.stats().hits), (1, 1));
/// });
/// ```
#[derive(Clone)]
pub struct Resolver {
    /// The addresses, with no port yet.
    answers: TtlLru<String, Arc<[SocketAddr]>>,
    ask: Arc<Ask>,
}

type Ask = dyn Fn(String) -> Asking + Send + Sync;
type Asking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// What a [`Resolver`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResolverStats {
    /// Questions that were asked.
    pub lookups: u64,
    /// Answers that were remembered.
    pub hits: u64,
    /// Those who waited for the answer to somebody else's question.
    pub joined: u64,
}

/// So many names are remembered.
const MOST_NAMES: usize = 1024;

impl Resolver {
    /// Asks as [`lookup_host`] does, and remembers for five minutes.
    pub fn new() -> Self {
        Self::made_of(|host| Box::pin(addresses_of(host, 0)))
    }

    /// Asks `lookup`, which is given the host: a table, a name server of one's own, a script in a test.
    ///
    /// ```
    /// use netio::net::Resolver;
    /// use std::net::IpAddr;
    ///
    /// let resolver = Resolver::with(|host| async move {
    ///     assert_eq!(host, "shop.example");
    ///     Ok(vec![IpAddr::from([10, 0, 0, 1])])
    /// });
    /// let addresses = runtime::block_on(resolver.lookup("shop.example:80")).unwrap();
    /// assert_eq!(addresses, [([10, 0, 0, 1], 80).into()]);
    /// ```
    pub fn with<F>(lookup: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self::made_of(move |host| {
            let lookup = lookup(host);
            Box::pin(async { Ok(lookup.await?.into_iter().map(|number| SocketAddr::new(number, 0)).collect()) })
        })
    }

    fn made_of(ask: impl Fn(String) -> Asking + Send + Sync + 'static) -> Self {
        Self { answers: TtlLru::new(MOST_NAMES).ttl(Duration::from_secs(300)), ask: Arc::new(ask) }
    }

    /// Remembers for so long what this handle (and its later clones) looks up.
    ///
    /// ```
    /// use netio::net::Resolver;
    /// use runtime::time::sleep;
    /// use std::time::Duration;
    ///
    /// runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
    ///     let resolver = Resolver::new().ttl(Duration::from_secs(10));
    ///     for seconds in [0, 9, 1] {
    ///         sleep(Duration::from_secs(seconds)).await;
    ///         resolver.lookup("localhost:80").await.unwrap();
    ///     }
    ///     assert_eq!((resolver.stats().lookups, resolver.stats().hits), (2, 1));
    /// });
    /// ```
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { answers: self.answers.ttl(ttl), ..self }
    }

    /// Every address of the host, in the order of the answer; never none.
    ///
    /// # Errors
    /// [`LookupError`], as [`lookup_host`]. All who waited for the same answer get the same one.
    ///
    /// # Cancel safety
    /// Nothing is lost: if others wait for the answer to this question, one of them asks again.
    ///
    /// ```
    /// use netio::net::Resolver;
    /// runtime::block_on(async {
    ///     let resolver = Resolver::new();
    ///     assert_eq!(resolver.lookup("[::1]:80").await.unwrap(), ["[::1]:80".parse().unwrap()]);
    ///     let unknown = resolver.lookup("shop.invalid:80").await.unwrap_err();
    ///     assert_eq!(unknown.to_string(), "cannot look up shop.invalid:80: the name has no address");
    /// });
    /// ```
    pub async fn lookup(&self, address: impl Into<Address>) -> Result<Vec<SocketAddr>, LookupError> {
        Ok(self.look(address).await?.0)
    }

    /// [`lookup`](Resolver::lookup), and whether nobody had to be asked by us.
    pub(crate) async fn look(&self, address: impl Into<Address>) -> Result<(Vec<SocketAddr>, bool), LookupError> {
        let address = address.into();
        let error = |cause| LookupError::new(address.to_string(), cause);
        let (host, port) = match address.number_or_name().map_err(error)? {
            Ok(number) => return Ok((vec![number], true)),
            Err(name) => name,
        };
        // `10.0.0.1` may also come as a name: one that a custom `lookup` need not know.
        if let Ok(number) = host.parse() {
            return Ok((vec![SocketAddr::new(number, port)], true));
        }
        // Names are the same in small letters and in capitals.
        let host = host.to_ascii_lowercase();
        let asked = host.clone();
        let mut cached = true;
        let answer = async || {
            cached = false;
            match (self.ask)(asked).await {
                Ok(addresses) if addresses.is_empty() => Err(Arc::new(no_address())),
                Ok(addresses) => Ok(addresses.into()),
                Err(cause) => Err(Arc::new(cause)),
            }
        };
        let with_port = |mut address: SocketAddr| {
            address.set_port(port);
            address
        };
        match self.answers.get_or_try_insert_with(host, answer).await {
            Ok(addresses) => Ok((addresses.iter().copied().map(with_port).collect(), cached)),
            Err(cause) => Err(LookupError { name: address.to_string(), cause }),
        }
    }

    /// Forgets all answers. One that is on its way will not be remembered, and who asks from now on does not wait for it.
    ///
    /// ```
    /// use netio::net::Resolver;
    /// runtime::block_on(async {
    ///     let resolver = Resolver::new();
    ///     resolver.lookup("localhost:80").await.unwrap();
    ///     resolver.clear(); // for the network is another one now
    ///     resolver.lookup("localhost:80").await.unwrap();
    ///     assert_eq!(resolver.stats().lookups, 2);
    /// });
    /// ```
    pub fn clear(&self) {
        self.answers.clear();
    }

    /// What it has done so far, through all handles.
    pub fn stats(&self) -> ResolverStats {
        let stats = self.answers.stats();
        ResolverStats { lookups: stats.misses, hits: stats.hits, joined: stats.coalesced }
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("names", &self.answers.len()).field("stats", &self.stats()).finish()
    }
}
