//! What the weather in the network is like.

use crate::{random::Generator, time::Instant};
use std::{ops::Range, time::Duration};

/// How quick a simulated network is, and how often what goes wrong in it.
///
/// Probabilities are between zero (never) and one (always). The default takes between 0.1 and 2 milliseconds for each way,
/// tears what is written into pieces now and then, and wakes somebody for nothing now and then: all of that is within the
/// rules, and a correct program does not notice. What makes operations *fail* has to be asked for.
///
/// ```
/// use runtime::{Runtime, world::Conditions};
/// use std::time::Duration;
/// let stormy = Conditions::default().latency(Duration::ZERO..Duration::from_secs(1)).resets(0.01).lost_calls(0.1);
/// let runtime = Runtime::builder().simulated(7).conditions(stormy).build().unwrap();
/// # runtime.block_on(async {});
/// ```
#[derive(Clone, Debug)]
pub struct Conditions {
    pub(super) latency: Range<Duration>,
    pub(super) bandwidth: Option<u64>,
    pub(super) buffer: usize,
    pub(super) pieces: f64,
    pub(super) spurious: f64,
    pub(super) resets: f64,
    pub(super) refusals: f64,
    pub(super) lost_calls: f64,
    pub(super) slow_calls: f64,
    pub(super) failing_accepts: f64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            latency: Duration::from_micros(100)..Duration::from_millis(2),
            bandwidth: None,
            buffer: 64 * 1024,
            pieces: 0.1,
            spurious: 0.02,
            resets: 0.0,
            refusals: 0.0,
            lost_calls: 0.0,
            slow_calls: 0.0,
            failing_accepts: 0.0,
        }
    }
}

impl Conditions {
    /// How long anything is under way from one end to the other. Drawn anew for each piece; pieces of one connection never
    /// overtake each other. An empty range means its start.
    ///
    /// ```
    /// use runtime::{Runtime, time::Instant, world::{Conditions, TcpListener, TcpStream}};
    /// use std::time::Duration;
    /// let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
    /// let runtime = Runtime::builder().simulated(1).conditions(Conditions::default().latency(one..two)).build().unwrap();
    /// runtime.block_on(async {
    ///     let (listener, start) = (TcpListener::bind(([10, 0, 0, 1], 80).into())?, Instant::now());
    ///     TcpStream::connect(listener.local_addr()).await?;
    ///     assert!((2 * one..2 * two).contains(&start.elapsed())); // there and back
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn latency(mut self, range: Range<Duration>) -> Self {
        self.latency = range;
        self
    }

    /// How many bytes each direction of a connection carries in a second; without a limit by default. At least one.
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use runtime::{Runtime, future::join, time::Instant, world::{Conditions, TcpListener, TcpStream}};
    /// let slow = Conditions::default().bandwidth(1000);
    /// Runtime::builder().simulated(1).conditions(slow).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     let start = Instant::now();
    ///     ours?.write_all(&[0; 5000]).await?;
    ///     theirs?.0.read_exact(&mut [0; 5000]).await?;
    ///     assert_eq!(start.elapsed().as_secs(), 5);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn bandwidth(mut self, bytes_a_second: u64) -> Self {
        self.bandwidth = Some(bytes_a_second.max(1));
        self
    }

    /// How many bytes may have been written to a direction of a connection and not been read yet: 64 KiB by default, at least
    /// one. Whoever writes more has to wait.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// use runtime::{Runtime, future::join, world::{Conditions, TcpListener, TcpStream}};
    /// let narrow = Conditions::default().buffer(3).pieces(0.0);
    /// Runtime::builder().simulated(1).conditions(narrow).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, _theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     assert_eq!(ours?.write(b"hello").await?, 3);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes.max(1);
        self
    }

    /// How often a read or a write moves fewer bytes than it could, and a piece that is sent arrives as several.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// use runtime::{Runtime, future::join, world::{Conditions, TcpListener, TcpStream}};
    /// let torn = Conditions::default().pieces(1.0);
    /// Runtime::builder().simulated(1).conditions(torn).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, _theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     assert!(ours?.write(b"hello").await? < 5); // so use `write_all`
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn pieces(mut self, probability: f64) -> Self {
        self.pieces = probability;
        self
    }

    /// How often something that arrives is followed by a readiness event for nothing.
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use runtime::{Runtime, future::join, world::{Conditions, TcpListener, TcpStream}};
    /// let nervous = Conditions::default().spurious(1.0);
    /// Runtime::builder().simulated(1).conditions(nervous).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     ours?.write_all(b"hello").await?;
    ///     theirs?.0.read_exact(&mut [0; 5]).await // a correct program does not notice
    /// }).unwrap();
    /// ```
    pub fn spurious(mut self, probability: f64) -> Self {
        self.spurious = probability;
        self
    }

    /// How often a piece that is sent breaks the connection instead: both ends see "connection reset".
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use runtime::{Runtime, future::join, world::{Conditions, TcpListener, TcpStream}};
    /// use std::io::ErrorKind;
    /// let broken = Conditions::default().resets(1.0);
    /// Runtime::builder().simulated(1).conditions(broken).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into())?;
    ///     let (ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     let _ = ours?.write(b"hello").await;
    ///     assert_eq!(theirs?.0.read(&mut [0; 5]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn resets(mut self, probability: f64) -> Self {
        self.resets = probability;
        self
    }

    /// How often a call is refused, though somebody listens.
    ///
    /// ```
    /// use runtime::{Runtime, world::{Conditions, TcpListener, TcpStream}};
    /// use std::io::ErrorKind;
    /// let unkind = Conditions::default().refusals(1.0);
    /// Runtime::builder().simulated(1).conditions(unkind).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     let refused = TcpStream::connect(listener.local_addr()).await.unwrap_err();
    ///     assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    /// });
    /// ```
    pub fn refusals(mut self, probability: f64) -> Self {
        self.refusals = probability;
        self
    }

    /// How often a call is lost for good: connecting never ends, unless somebody gives up.
    ///
    /// ```
    /// use runtime::{Runtime, time::timeout, world::{Conditions, TcpListener, TcpStream}};
    /// use std::time::Duration;
    /// let deaf = Conditions::default().lost_calls(1.0);
    /// Runtime::builder().simulated(1).conditions(deaf).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     let call = TcpStream::connect(listener.local_addr());
    ///     assert!(timeout(Duration::from_secs(3600), call).await.is_err());
    /// });
    /// ```
    pub fn lost_calls(mut self, probability: f64) -> Self {
        self.lost_calls = probability;
        self
    }

    /// How often a call is lost once and comes through a second later, when it is repeated.
    ///
    /// ```
    /// use runtime::{Runtime, time::Instant, world::{Conditions, TcpListener, TcpStream}};
    /// let slow = Conditions::default().slow_calls(1.0);
    /// Runtime::builder().simulated(1).conditions(slow).build().unwrap().block_on(async {
    ///     let (listener, start) = (TcpListener::bind(([10, 0, 0, 1], 80).into())?, Instant::now());
    ///     TcpStream::connect(listener.local_addr()).await?;
    ///     assert_eq!(start.elapsed().as_secs(), 1);
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn slow_calls(mut self, probability: f64) -> Self {
        self.slow_calls = probability;
        self
    }

    /// How often accepting a connection that is there fails with "too many open files". The connection stays in the backlog.
    ///
    /// ```
    /// use runtime::{Runtime, future::join, world::{Conditions, TcpListener, TcpStream, current}};
    /// let exhausted = Conditions::default().failing_accepts(1.0);
    /// Runtime::builder().simulated(1).conditions(exhausted).build().unwrap().block_on(async {
    ///     let listener = TcpListener::bind(([10, 0, 0, 1], 80).into()).unwrap();
    ///     let (_ours, theirs) = join(TcpStream::connect(listener.local_addr()), listener.accept()).await;
    ///     assert!(theirs.is_err());
    ///     current().unwrap().set_conditions(Conditions::default());
    ///     assert!(listener.accept().await.is_ok()); // it was still in the backlog
    /// });
    /// ```
    pub fn failing_accepts(mut self, probability: f64) -> Self {
        self.failing_accepts = probability;
        self
    }

    /// Draws a latency, and counts it from `start`.
    pub(super) fn arrival(&self, start: Instant, random: &mut Generator) -> Instant {
        let Range { start: least, end } = self.latency;
        let spread = u64::try_from(end.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX);
        start + least + Duration::from_nanos(random.below(spread))
    }
}
