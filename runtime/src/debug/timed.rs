//! A future that tells how long it took, and how it ended.

use super::say;
use crate::{awaits, task::TaskId, time::Instant};
use pin_project_lite::pin_project;
use std::{
    cell::Cell,
    fmt::{self, Display},
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
};

thread_local! {
    /// How many announced futures this thread is polling, one within the other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Tells on standard error how long `future` took, from its first poll on, by the clock of its runtime: once, whether it
/// returned, panicked or was dropped. A future that is never polled tells nothing.
///
/// # Cancel safety
/// As that of `future`.
///
/// ```
/// use runtime::debug::timed;
/// use std::{convert::Infallible, time::Duration};
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     timed("nap", runtime::time::sleep(Duration::from_millis(250))).await;
///     // nap executed in 0.2500 seconds
///     let fetch = timed("fetch", async { Err::<Infallible, _>("no route") }).announced().fallible();
///     assert!(fetch.await.is_err());
///     // Entering fetch
///     // fetch failed after 0.0000 seconds: no route
/// });
/// ```
pub fn timed<F: Future>(name: impl Into<Arc<str>>, future: F) -> Timed<F> {
    Timed { future, telling: Telling { name: name.into(), since: None, over: false, depth: None }, failure: |_| None }
}

pin_project! {
    /// A future that tells how it ended. From [`timed`].
    ///
    /// ```
    /// use runtime::debug::{Timed, timed};
    /// use std::future::{Ready, ready};
    /// let answer: Timed<Ready<u8>> = timed("answer", ready(42));
    /// assert_eq!(runtime::block_on(answer), 42); // answer executed in 0.0000 seconds
    /// ```
    #[must_use = "a future does nothing until it is awaited"]
    pub struct Timed<F: Future> {
        #[pin]
        future: F,
        telling: Telling,
        failure: fn(&F::Output) -> Option<String>,
    }
}

/// What is told. It tells when it is dropped, if it has not before.
struct Telling {
    name: Arc<str>,
    /// When it was polled first.
    since: Option<Instant>,
    over: bool,
    /// `Some`: it is announced, this deep in others.
    depth: Option<usize>,
}

impl<F: Future> Timed<F> {
    /// Tells also when it begins. Within others that are announced, both lines are indented; with debug on they bear the
    /// task's number.
    ///
    /// ```
    /// use runtime::debug::timed;
    /// let inner = timed("inner", async { 5 }).announced();
    /// assert_eq!(runtime::block_on(timed("outer", inner).announced()), 5);
    /// // Entering outer
    /// //   Entering inner
    /// //   inner executed in 0.0000 seconds
    /// // outer executed in 0.0001 seconds
    /// ```
    pub fn announced(mut self) -> Self {
        self.telling.depth = Some(0);
        self
    }
}

impl<T, E: Display, F: Future<Output = Result<T, E>>> Timed<F> {
    /// Tells an error from a success, and what it was.
    ///
    /// ```
    /// let parse = runtime::debug::timed("parse", async { "twelve".parse::<u8>() }).fallible();
    /// assert!(runtime::block_on(parse).is_err());
    /// // parse failed after 0.0000 seconds: invalid digit found in string
    /// ```
    pub fn fallible(mut self) -> Self {
        self.failure = |output| output.as_ref().err().map(E::to_string);
        self
    }
}

impl<F: Future> Future for Timed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.telling.begin();
        let polled = Polling::begin(this.telling).poll(|| this.future.poll(context));
        if let Poll::Ready(output) = &polled {
            match (this.failure)(output) {
                None => this.telling.end("executed in", None),
                Some(error) => this.telling.end("failed after", Some(&error)),
            }
        }
        polled
    }
}

impl<F: Future> fmt::Debug for Timed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timed").field("name", &self.telling.name).finish_non_exhaustive()
    }
}

/// One poll: puts the depth back, and knows if it unwinds.
struct Polling<'telling> {
    telling: &'telling mut Telling,
    depth_before: usize,
    /// It may be polled while something else unwinds.
    panicking_before: bool,
}

impl<'telling> Polling<'telling> {
    fn begin(telling: &'telling mut Telling) -> Self {
        let depth_before = DEPTH.get();
        DEPTH.set(depth_before + usize::from(telling.depth.is_some()));
        Self { telling, depth_before, panicking_before: thread::panicking() }
    }

    fn poll<R>(self, poll: impl FnOnce() -> R) -> R {
        poll()
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        DEPTH.set(self.depth_before);
        if thread::panicking() && !self.panicking_before {
            self.telling.end("panicked after", None);
        }
    }
}

impl Telling {
    fn begin(&mut self) {
        if self.since.is_some() {
            return;
        }
        self.since = Some(Instant::now());
        if let Some(depth) = &mut self.depth {
            *depth = DEPTH.get();
            self.tell(&format!("Entering {}", self.name));
        }
    }

    fn end(&mut self, how: &str, error: Option<&str>) {
        let Some(since) = self.since.filter(|_| !self.over) else { return };
        self.over = true;
        let error = error.map(|error| format!(": {error}")).unwrap_or_default();
        self.tell(&format!("{} {how} {:.4} seconds{error}", self.name, since.elapsed().as_secs_f64()));
    }

    fn tell(&self, line: &str) {
        let task = awaits::current().filter(|_| self.depth.is_some());
        let task = task.map(|who| format!("[{}] ", TaskId(who.task))).unwrap_or_default();
        say(&format!("{task}{:indent$}{line}\n", "", indent = 2 * self.depth.unwrap_or_default()));
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.end("was cancelled after", None);
    }
}
