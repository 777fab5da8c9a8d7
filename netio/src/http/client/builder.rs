//! A client's choices.

use super::{
    Client, ClientRequest, Error, Inner, Jar,
    connect::{Dialing, Way},
    connection::ResponseLimits,
    middleware::{Layer, Middleware},
    observer::Observer,
    pool::{Pool, PoolLimits},
    proxy::Proxy,
    timeouts::Timeouts,
    url,
};
use crate::{
    http::{HeaderMap, HeaderValue, Uri, head::MOST_FIELDS},
    net::{Connector, DuplexStream, Resolver, TcpOptions},
};
use ::url::Url;
use std::{fmt, future::Future, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

/// Makes a [`Client`]. From [`Client::builder`].
#[derive(Clone, Debug, Default)]
pub struct ClientBuilder {
    settings: Settings,
    defaults: Defaults,
    layers: Layers,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) timeouts: Timeouts,
    pub(super) continue_time: Duration,
    pub(super) limits: ResponseLimits,
    pub(super) drain_bytes: u64,
    pub(super) pool: PoolLimits,
    pub(super) dialing: Dialing,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timeouts: Timeouts::new(),
            continue_time: Duration::from_secs(1),
            limits: ResponseLimits {
                head_bytes: 64 * 1024,
                head_fields: MOST_FIELDS,
                body_bytes: 64 * 1024 * 1024,
                interim: 16,
            },
            drain_bytes: 64 * 1024,
            pool: PoolLimits {
                total: 100,
                per_host: usize::MAX,
                idle_time: Duration::from_secs(30),
                lifetime: Duration::MAX,
            },
            dialing: Dialing { connector: Connector::new(), resolver: Resolver::new(), way: Way::Tcp(None) },
            observer: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("pool", &self.pool)
            .field("dialing", &self.dialing)
            .finish_non_exhaustive()
    }
}

/// What is said with every request, and done with every response.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) base: Option<Url>,
    pub(super) headers: HeaderMap,
    pub(super) user_agent: HeaderValue,
    pub(super) redirects: u32,
    pub(super) jar: Option<Jar>,
    pub(super) decompress: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Defaults {
            base: None,
            headers: HeaderMap::new(),
            user_agent: HeaderValue::from_static(concat!("handloom/", env!("CARGO_PKG_VERSION"))),
            redirects: 10,
            jar: None,
            decompress: true,
        }
    }
}

impl Defaults {
    /// Header fields for a request that does not have them.
    pub(super) fn add_to(&self, request: &mut ClientRequest) {
        if !self.headers.is_empty() && self.is_for(request.uri()) {
            let headers = request.headers_mut();
            for name in self.headers.keys().filter(|name| !headers.contains_key(*name)).collect::<Vec<_>>() {
                for value in self.headers.get_all(name) {
                    headers.append(name, value.clone());
                }
            }
        }
    }

    /// Whether a server may see the fields.
    fn is_for(&self, uri: &Uri) -> bool {
        let Some(base) = &self.base else { return true };
        url::of_uri(uri).is_ok_and(|url| url.origin() == base.origin())
    }
}

/// The outermost first.
#[derive(Clone, Default)]
struct Layers(Vec<Layer>);

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} layers", self.0.len())
    }
}

impl ClientBuilder {
    /// How long a fetch may wait, and what for. What these do not say stays as it is.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.settings.timeouts = timeouts.or(self.settings.timeouts);
        self
    }

    /// How long a whole fetch may take, from the place in the pool to the end of the body: 30 s. See [`Timeouts::total`].
    pub fn timeout(self, longest: Duration) -> Self {
        self.timeouts(Timeouts::new().total(longest))
    }

    /// How long looking up the name and connecting may take: 10 s. See [`Timeouts::connect`].
    pub fn connect_timeout(self, longest: Duration) -> Self {
        self.timeouts(Timeouts::new().connect(longest))
    }

    /// How many connections there may be at a time, the idle ones among them: 100. Who needs one more waits; those who wait
    /// longest are served first. Zero counts as one.
    pub fn connections(mut self, most: usize) -> Self {
        self.settings.pool.total = most.max(1);
        self
    }

    /// How many of them to one host (and port): as many as there may be, unless this says less. Zero counts as one.
    pub fn connections_per_host(mut self, most: usize) -> Self {
        self.settings.pool.per_host = most.max(1);
        self
    }

    /// How long a connection is kept for the next request: 30 s. Then it is closed, also if the client is not used any more.
    /// Zero keeps none.
    pub fn keep_alive_time(mut self, longest: Duration) -> Self {
        self.settings.pool.idle_time = longest;
        self
    }

    /// How old a connection may become and still be kept: as old as it likes. With less, clients notice in time that a name has
    /// moved to another server.
    pub fn connection_lifetime(mut self, longest: Duration) -> Self {
        self.settings.pool.lifetime = longest;
        self
    }

    /// How many bytes of a body that nobody wants any more are thrown away to save its connection, if they have come already:
    /// 64 KiB. With more left, or on its way, it is closed.
    pub fn drain_bytes(mut self, most: u64) -> Self {
        self.settings.drain_bytes = most;
        self
    }

    /// How long a body waits for the server's 100 if the request says `Expect: 100-continue`: 1 s. Then it goes out, for there are
    /// servers that do not know the word (RFC 9110, 10.1.1).
    pub fn continue_time(mut self, longest: Duration) -> Self {
        self.settings.continue_time = longest;
        self
    }

    /// How many bytes the head of a response may have: 64 KiB.
    pub fn head_bytes(mut self, most: usize) -> Self {
        self.settings.limits.head_bytes = most;
        self
    }

    /// How many fields the head of a response may have: 128, and no more than that.
    pub fn head_fields(mut self, most: usize) -> Self {
        self.settings.limits.head_fields = most;
        self
    }

    /// How many bytes the body of a response may have: 64 MiB. If it is compressed, so many on the wire, and so many after it was
    /// decompressed.
    pub fn body_bytes(mut self, most: u64) -> Self {
        self.settings.limits.body_bytes = most;
        self
    }

    /// How many interim responses (1xx) may come before the last one: 16.
    pub fn interim_responses(mut self, most: usize) -> Self {
        self.settings.limits.interim = most;
        self
    }

    /// Looks up names with this. Unless it is said, names are remembered for five minutes, each client for itself.
    pub fn resolver(mut self, resolver: Resolver) -> Self {
        self.settings.dialing.resolver = resolver;
        self
    }

    /// Remembers for so long what names meant; zero asks each time.
    pub fn dns_cache_ttl(mut self, ttl: Duration) -> Self {
        self.settings.dialing.resolver = self.settings.dialing.resolver.ttl(ttl);
        self
    }

    /// Calls from this address; port 0 lets the system choose one.
    pub fn local_address(mut self, address: SocketAddr) -> Self {
        self.settings.dialing.connector = self.settings.dialing.connector.local_address(address);
        self
    }

    /// What connections are like.
    pub fn tcp_options(mut self, options: TcpOptions) -> Self {
        self.settings.dialing.connector = self.settings.dialing.connector.options(options);
        self
    }

    /// How long a call has for itself before the next address of the host is called too: 250 ms. See
    /// [`happy_eyeballs`](crate::net::happy_eyeballs).
    pub fn stagger(mut self, stagger: Duration) -> Self {
        self.settings.dialing.connector = self.settings.dialing.connector.stagger(stagger);
        self
    }

    /// Goes through a proxy, but for those that it [excepts](Proxy::except). See [`Proxy::from_env`], too: unless it is said, the
    /// environment is not asked.
    pub fn proxy(mut self, proxy: impl Into<Option<Proxy>>) -> Self {
        self.settings.dialing.way = Way::Tcp(proxy.into().map(Arc::new));
        self
    }

    /// Sends every request to the server at this Unix socket, whatever its host: that only stands in the `Host` field.
    pub fn unix_socket(mut self, path: impl AsRef<Path>) -> Self {
        self.settings.dialing.way = Way::Unix(path.as_ref().into());
        self
    }

    /// Connects to servers within this program: `dial` is given `host:port`, and gives our end of a [pipe](crate::net::duplex).
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use netio::{http::client::Client, net::duplex};
    ///
    /// runtime::block_on(async {
    ///     let client = Client::builder().dial(|host| async move {
    ///         assert_eq!(host, "shop.example:80");
    ///         let (ours, mut theirs) = duplex(1024);
    ///         runtime::spawn(async move {
    ///             theirs.read(&mut [0; 1024]).await?;
    ///             theirs.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await
    ///         });
    ///         Ok(ours)
    ///     });
    ///     let answer = client.build().get("http://shop.example/").await.unwrap().text().await.unwrap();
    ///     assert_eq!(answer, "hello");
    /// });
    /// ```
    pub fn dial<F>(mut self, dial: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<DuplexStream>> + Send + 'static,
    {
        self.settings.dialing.way = Way::Own(Arc::new(move |host| Box::pin(dial(host))));
        self
    }

    /// Tells this what happens to every request. There is one; one that wants to tell others does so itself.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.settings.observer = Some(Arc::new(observer));
        self
    }

    /// Resolves the URLs of requests against this one, as a browser resolves the links of a page (RFC 3986, 5.2): with
    /// `http://host/v1/` as the base, `users` is `http://host/v1/users`, and `/users` is `http://host/users`. What stands behind
    /// the last slash of the base does not count. A user that it names is the user of every such request.
    ///
    /// # Errors
    /// [`Error::Url`].
    ///
    /// ```
    /// use netio::http::client::Client;
    /// let client = Client::builder().base_url("http://127.0.0.1:8080/v1/")?.build();
    /// let request = client.get("users?page=2").build()?;
    /// assert_eq!(*request.uri(), "http://127.0.0.1:8080/v1/users?page=2");
    /// # Ok::<(), netio::http::client::Error>(())
    /// ```
    pub fn base_url(mut self, base: impl AsRef<str>) -> Result<Self, Error> {
        self.defaults.base = Some(url::parse(base.as_ref(), None)?);
        Ok(self)
    }

    /// Header fields for every request that does not have them itself. With a [base URL](ClientBuilder::base_url) they are for
    /// its scheme, host and port only: a key for one server is not shown to another.
    pub fn default_headers(mut self, headers: HeaderMap) -> Self {
        self.defaults.headers.extend(headers);
        self
    }

    /// The name of the program, for every server: `handloom/` and a version, unless told otherwise.
    pub fn user_agent(mut self, name: HeaderValue) -> Self {
        self.defaults.user_agent = name;
        self
    }

    /// How many redirects a request follows: 10. One more is an [`Error::Redirect`]. With zero, a redirect is a response like any
    /// other.
    pub fn redirects(mut self, most: u32) -> Self {
        self.defaults.redirects = most;
        self
    }

    /// Whether the client has cookies: it has none. With them it takes what servers set, also with a redirect, and brings it
    /// along. A request with a `Cookie` field of its own is left alone.
    pub fn cookies(mut self, yes: bool) -> Self {
        self.defaults.jar = yes.then(Jar::new);
        self
    }

    /// The client has the cookies of this jar: for those that were saved, or are shared with another client.
    pub fn cookie_jar(mut self, jar: Jar) -> Self {
        self.defaults.jar = Some(jar);
        self
    }

    /// Whether the client asks for compressed bodies, and decompresses them: it does, if the cargo feature `compression` is
    /// on. A request with an `Accept-Encoding` or a `Range` of its own is left alone.
    pub fn decompress(mut self, yes: bool) -> Self {
        self.defaults.decompress = yes;
        self
    }

    /// Puts a [middleware](super::middleware) around every request, further in than those before it.
    pub fn layer(mut self, layer: impl Middleware) -> Self {
        self.layers.0.push(Arc::new(move |request, next| Box::pin(layer.handle(request, next))));
        self
    }

    /// The client.
    pub fn build(self) -> Client {
        let pool = Pool::new(self.settings.pool);
        let (settings, defaults) = (self.settings, self.defaults);
        let layers = self.layers.0.into();
        Client { inner: Arc::new(Inner { settings, defaults, pool, requests: Default::default(), layers }) }
    }
}
