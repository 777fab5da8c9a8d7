//! The simulated world: a network in memory that belongs to one runtime, with the weather that its seed and you make.
//!
//! ```text
//!   Runtime::simulated(seed) ──> a virtual clock          nothing waits in real time
//!                            ──> choices of the scheduler which of the runnable comes next
//!                            ──> random                   what the program draws
//!                            ──> a network                how long packets take, and what becomes of them
//! ```
//!
//! The same seed gives the same run: the same order, the same times, the same bytes, the same [`Trace`](crate::trace::Trace).
//! So a bug that one seed in a thousand shows is shown by that seed every time.
//!
//! Programs need not know. `netio`'s sockets are made in the world if the current runtime has one; HTTP above them runs as it
//! is. A test says what happens to them through [`current`]: it cuts links, breaks connections, changes the [`Conditions`].
//!
//! There is one network, and any address in it is somebody's. [`on_host`] says from where a future calls; who does not say
//! calls from the very host that is called.
//!
//! What is not in the world: threads of your own (nobody waits for them, and no seed knows when they run), descriptors (an
//! [`AsyncFd`](crate::AsyncFd) that would have to wait fails and says so), and the iteration order of std's hash maps.
//!
//! ```
//! use futures_lite::{AsyncReadExt, AsyncWriteExt};
//! use runtime::{Runtime, spawn, time::Instant, world};
//!
//! let run = |seed| Runtime::simulated(seed).block_on(async {
//!     let listener = world::TcpListener::bind("10.0.0.1:80".parse().unwrap())?;
//!     spawn(async move {
//!         let (mut stream, _) = listener.accept().await?;
//!         stream.write_all(b"hello").await
//!     });
//!     let mut stream = world::TcpStream::connect("10.0.0.1:80".parse().unwrap()).await?;
//!     let mut heard = String::new();
//!     stream.read_to_string(&mut heard).await?;
//!     assert_eq!(heard, "hello");
//!     std::io::Result::Ok(Instant::now())
//! }).unwrap();
//!
//! assert_eq!(run(1), run(1), "to the nanosecond");
//! assert_ne!(run(1), run(2));
//! ```

mod seeds;
mod sockets;

pub use crate::network::Conditions;
pub use seeds::{assert_same_trace, for_seeds};
pub use sockets::{TcpListener, TcpStream};

use crate::network::{self, Network};
use std::{
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
};

/// The world of a simulated runtime, to be asked and changed. Cheap to clone; it may be asked after its runtime has ended.
///
/// ```
/// use runtime::{Runtime, world::{self, TcpListener}};
/// let world = Runtime::simulated(9).block_on(async {
///     let _listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
///     let world = world::current().unwrap();
///     assert_eq!(world.open_sockets(), 1);
///     world
/// });
/// assert_eq!((world.seed(), world.open_sockets()), (9, 0));
/// ```
#[derive(Clone, Debug)]
pub struct World(Arc<Network>);

/// The world of the current runtime; `None` if it is a real one, or there is none.
///
/// ```
/// use runtime::{Runtime, world};
/// assert!(world::current().is_none());
/// let seed = Runtime::simulated(5).block_on(async { world::current().unwrap().seed() });
/// assert_eq!(seed, 5);
/// ```
pub fn current() -> Option<World> {
    Network::current().map(World)
}

/// Runs `future` on the host with this address: what it connects to sees it come from there. Tasks that it spawns are
/// elsewhere, unless they are wrapped themselves.
///
/// Calls to a loopback address always come from there.
///
/// ```
/// use runtime::{Runtime, future::join, world};
/// Runtime::simulated(1).block_on(async {
///     let listener = world::TcpListener::bind("10.0.0.1:80".parse().unwrap())?;
///     let call = world::on_host("10.0.0.2".parse().unwrap(), world::TcpStream::connect(listener.local_addr()));
///     let (called, accepted) = join(call, listener.accept()).await;
///     assert_eq!(called?.local_addr().ip().to_string(), "10.0.0.2");
///     assert_eq!(accepted?.1.ip().to_string(), "10.0.0.2");
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
pub async fn on_host<F: Future>(address: IpAddr, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _host = network::enter_host(address);
        future.as_mut().poll(context)
    })
    .await
}

impl World {
    /// What everything here follows from.
    ///
    /// ```
    /// use runtime::{Runtime, world};
    /// let world = Runtime::simulated(17).block_on(async { world::current().unwrap() });
    /// assert_eq!(world.seed(), 17);
    /// ```
    pub fn seed(&self) -> u64 {
        self.0.seed()
    }

    /// What the network is like now.
    ///
    /// ```
    /// use runtime::{Runtime, world::{TcpListener, TcpStream, current}};
    /// Runtime::simulated(1).block_on(async {
    ///     let (world, listener) = (current().unwrap(), TcpListener::bind(([10, 0, 0, 1], 80).into())?);
    ///     let calm = world.conditions();
    ///     world.set_conditions(calm.clone().refusals(1.0));
    ///     assert!(TcpStream::connect(listener.local_addr()).await.is_err());
    ///     world.set_conditions(calm); // as it was
    ///     assert!(TcpStream::connect(listener.local_addr()).await.is_ok());
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn conditions(&self) -> Conditions {
        self.0.conditions()
    }

    /// Changes what the network is like. What is under way already arrives when it would have.
    ///
    /// ```
    /// use runtime::{Runtime, world::{Conditions, TcpListener, TcpStream, current}};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     assert!(TcpStream::connect(listener.local_addr()).await.is_ok());
    ///     current().unwrap().set_conditions(Conditions::default().refusals(1.0));
    ///     assert!(TcpStream::connect(listener.local_addr()).await.is_err());
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn set_conditions(&self, conditions: Conditions) {
        self.0.set_conditions(conditions);
    }

    /// Cuts the link between two hosts: nothing arrives any more, either way, until it [heals](World::heal). Nobody is told.
    ///
    /// ```
    /// use runtime::{Runtime, time::timeout, world};
    /// use std::{net::IpAddr, time::Duration};
    /// Runtime::simulated(1).block_on(async {
    ///     let (near, far): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
    ///     let listener = world::TcpListener::bind((far, 80).into()).unwrap();
    ///     let world = world::current().unwrap();
    ///     world.partition(near, far);
    ///     let mut call = std::pin::pin!(world::on_host(near, world::TcpStream::connect(listener.local_addr())));
    ///     assert!(timeout(Duration::from_secs(60), call.as_mut()).await.is_err());
    ///     world.heal(near, far);
    ///     assert!(call.await.is_ok());
    /// });
    /// ```
    pub fn partition(&self, one: IpAddr, other: IpAddr) {
        self.0.partition(one, other);
    }

    /// Undoes [`partition`](World::partition): what was held back arrives at once, in the order in which it would have.
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream, current, on_host}};
    /// use std::net::IpAddr;
    /// Runtime::simulated(1).block_on(async {
    ///     let (near, far) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
    ///     let listener = TcpListener::bind((far, 80).into())?;
    ///     let (ours, theirs) = join(on_host(near, TcpStream::connect((far, 80).into())), listener.accept()).await;
    ///     let (mut ours, mut theirs) = (ours?, theirs?.0);
    ///     current().unwrap().partition(near, far);
    ///     ours.write_all(b"a letter").await?; // it is on its way…
    ///     current().unwrap().heal(near, far);
    ///     let mut letter = [0; 8];
    ///     theirs.read_exact(&mut letter).await?; // …and arrives after all
    ///     assert_eq!(&letter, b"a letter");
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn heal(&self, one: IpAddr, other: IpAddr) {
        self.0.heal(one, other);
    }

    /// Lets every call to `address` vanish that arrives from now on: connecting never ends, unless somebody gives up.
    ///
    /// ```
    /// use runtime::{Runtime, time::timeout, world::{TcpListener, TcpStream, current}};
    /// use std::time::Duration;
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     current().unwrap().silence(listener.local_addr());
    ///     let call = TcpStream::connect(listener.local_addr());
    ///     assert!(timeout(Duration::from_secs(3600), call).await.is_err()); // neither a connection nor a refusal
    /// });
    /// ```
    pub fn silence(&self, address: SocketAddr) {
        self.0.set_silent(address, true);
    }

    /// Undoes [`silence`](World::silence), for later calls.
    ///
    /// ```
    /// use runtime::{Runtime, world::{TcpListener, TcpStream, current}};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     current().unwrap().silence(listener.local_addr());
    ///     current().unwrap().unsilence(listener.local_addr());
    ///     assert!(TcpStream::connect(listener.local_addr()).await.is_ok());
    /// });
    /// ```
    pub fn unsilence(&self, address: SocketAddr) {
        self.0.set_silent(address, false);
    }

    /// Breaks every connection between two hosts: all ends see "connection reset". Says how many there were.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream, current, on_host}};
    /// use std::{io::ErrorKind, net::IpAddr};
    /// Runtime::simulated(1).block_on(async {
    ///     let (near, far) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
    ///     let listener = TcpListener::bind((far, 80).into())?;
    ///     let (ours, theirs) = join(on_host(near, TcpStream::connect((far, 80).into())), listener.accept()).await;
    ///     let (mut ours, _theirs) = (ours?, theirs?);
    ///     assert_eq!(current().unwrap().reset_between(near, far), 1);
    ///     assert_eq!(ours.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn reset_between(&self, one: IpAddr, other: IpAddr) -> usize {
        self.0.reset_between(one, other)
    }

    /// Lets the next `accept` of a connection at `address` fail with "too many open files"; the connection stays in the
    /// backlog. `false`: nobody listens there.
    ///
    /// ```
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream, current}};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     assert!(current().unwrap().fail_next_accept(listener.local_addr()));
    ///     let (call, accepted) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     assert!(call.is_ok() && accepted.is_err());
    ///     assert!(listener.accept().await.is_ok()); // the same connection, at the second try
    /// });
    /// ```
    pub fn fail_next_accept(&self, address: SocketAddr) -> bool {
        self.0.fail_next_accept(address)
    }

    /// Gives a host a name; it replaces what the name meant before. At first there is `localhost`, 127.0.0.1.
    ///
    /// ```
    /// use runtime::{Runtime, world};
    /// Runtime::simulated(1).block_on(async {
    ///     let world = world::current().unwrap();
    ///     world.set_name("shop.example", ["10.0.0.1".parse().unwrap()]);
    ///     assert_eq!(world.resolve("shop.example").unwrap().len(), 1);
    ///     assert_eq!(world.resolve("no.example").unwrap_err().to_string(), "this world has no host named no.example");
    /// });
    /// ```
    pub fn set_name(&self, name: impl Into<String>, addresses: impl IntoIterator<Item = IpAddr>) {
        self.0.set_name(name.into(), addresses.into_iter().collect());
    }

    /// The addresses of a host, by number or by [name](World::set_name). No resolver is asked.
    ///
    /// # Errors
    /// When nobody has the name.
    ///
    /// ```
    /// use runtime::{Runtime, world::current};
    /// use std::{io::ErrorKind, net::IpAddr};
    /// Runtime::simulated(1).block_on(async {
    ///     let world = current().unwrap();
    ///     assert_eq!(world.resolve("localhost").unwrap(), [IpAddr::from([127, 0, 0, 1])]);
    ///     assert_eq!(world.resolve("10.0.0.7").unwrap(), [IpAddr::from([10, 0, 0, 7])]);
    ///     assert_eq!(world.resolve("nobody").unwrap_err().kind(), ErrorKind::NotFound);
    /// });
    /// ```
    pub fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match host.parse() {
            Ok(number) => Ok(vec![number]),
            Err(_) => self
                .0
                .addresses_of(host)
                .ok_or_else(|| io::Error::new(ErrorKind::NotFound, format!("this world has no host named {host}"))),
        }
    }

    /// How many sockets there are: listeners, and ends of connections that somebody holds or that wait to be accepted. Zero
    /// when nothing was leaked.
    ///
    /// ```
    /// use runtime::{Runtime, future::join, world::{TcpListener, TcpStream, current}};
    /// Runtime::simulated(1).block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     let ends = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     assert_eq!(current().unwrap().open_sockets(), 3);
    ///     drop((listener, ends));
    ///     assert_eq!(current().unwrap().open_sockets(), 0);
    /// });
    /// ```
    pub fn open_sockets(&self) -> usize {
        self.0.open_sockets()
    }
}
