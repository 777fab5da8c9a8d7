//! A part of a task that can be stopped by itself: by a deadline that moves, or by whoever holds the scope.

use super::on_cancel::keep_place;
use crate::{
    time::{Deadline, Elapsed, Instant, Wait},
    worker::Place,
};
use pin_project_lite::pin_project;
use std::{
    cell::RefCell,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

/// Stops what runs in it, at a deadline or when it is told, and lets the task go on behind it. Clones are the same scope: give one to
/// the body, so that it can move its own deadline, or to another task, that it may cancel.
///
/// When it stops, it first asks: handlers inside ([`on_cancel`](super::CancelExt::on_cancel), [`cancelled`](super::cancelled), …) act as
/// if the task had been asked to end, awaits included. Then, and at once if there is none, the body is dropped. A body that
/// gives its output although it was asked has won.
///
/// | elsewhere | here |
/// |---|---|
/// | trio's `move_on_after(d)`, `cancelled_caught` | [`move_on_after`], or `run(…)` and [`is_caught`](CancelScope::is_caught) |
/// | `asyncio.timeout(d)`, `fail_after(d)` | [`fail_after`] |
/// | `reschedule(when)`, `scope.deadline = when` | [`set_deadline`](CancelScope::set_deadline) |
/// | `when()`, `expired()` | [`deadline`](CancelScope::deadline), [`is_called`](CancelScope::is_called) |
/// | `shield = True` | what must go on is spawned: a scope ends futures, not tasks |
///
/// - Where two are due at once, one in the other, the outer one catches.
/// - It stays stopped: whatever runs in it later is stopped at its first suspension. Once stopped, its deadline moves no more.
/// - A body that is ready when the deadline has passed has won, also against zero.
///
/// It is the same in the future that was given to `block_on`.
///
/// ```
/// use runtime::{group::CancelScope, time::{Instant, sleep}};
/// use std::time::Duration;
///
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let (start, second) = (Instant::now(), Duration::from_secs(1));
///     let idle = CancelScope::after(10 * second);
///     let download = async {
///         for _ in 0..3 {
///             sleep(8 * second).await; // a piece arrives…
///             idle.set_deadline(Some(Instant::now() + 10 * second));
///         }
///         sleep(60 * second).await; // now the peer is silent
///     };
///     assert!(idle.run(download).await.is_err());
///     assert_eq!(start.elapsed(), (3 * 8 + 10) * second);
/// });
/// ```
#[derive(Clone)]
pub struct CancelScope(Arc<Scope>);

struct Scope {
    deadline: Deadline,
    /// For good, whatever becomes of the deadline.
    called: AtomicBool,
    caught: AtomicBool,
}

impl Default for CancelScope {
    fn default() -> Self {
        Self::new()
    }
}

impl CancelScope {
    /// One without a deadline.
    ///
    /// ```
    /// use runtime::group::CancelScope;
    /// let scope = CancelScope::new();
    /// assert_eq!(scope.deadline(), None);
    /// assert_eq!(runtime::block_on(scope.run(async { 5 })), Ok(5));
    /// ```
    pub fn new() -> Self {
        Self::with_deadline(Deadline::never())
    }

    /// Up to that moment; one that has passed stops at the first suspension.
    ///
    /// ```
    /// use runtime::{group::CancelScope, time::Instant, yield_now};
    /// let scope = CancelScope::at(Instant::now());
    /// assert!(runtime::block_on(scope.run(yield_now())).is_err());
    /// ```
    pub fn at(deadline: Instant) -> Self {
        Self::with_deadline(Deadline::at(deadline))
    }

    /// `duration` from now. Zero stops at the first suspension.
    ///
    /// ```
    /// use runtime::group::CancelScope;
    /// use std::time::Duration;
    /// assert_eq!(CancelScope::after(Duration::MAX).deadline(), None); // beyond the end of the clock
    /// ```
    pub fn after(duration: Duration) -> Self {
        Self::with_deadline(Deadline::after(duration))
    }

    fn with_deadline(deadline: Deadline) -> Self {
        Self(Arc::new(Scope { deadline, called: AtomicBool::new(false), caught: AtomicBool::new(false) }))
    }

    /// When it stops; `None`: at no set time.
    ///
    /// ```
    /// use runtime::{group::CancelScope, time::Instant};
    /// let now = Instant::now();
    /// assert_eq!(CancelScope::at(now).deadline(), Some(now));
    /// ```
    #[doc(alias = "when")]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline.when()
    }

    /// Moves the deadline, to later or to earlier, or takes it away. When it has [stopped](CancelScope::is_called), that is too late, and
    /// nothing changes.
    ///
    /// ```
    /// use runtime::{group::CancelScope, time::Instant, yield_now};
    /// runtime::block_on(async {
    ///     let scope = CancelScope::at(Instant::now());
    ///     scope.set_deadline(None);
    ///     assert!(scope.run(yield_now()).await.is_ok());
    /// });
    /// ```
    #[doc(alias = "reschedule")]
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        if !self.is_called() {
            deadline.map_or_else(|| self.0.deadline.clear(), |at| self.0.deadline.set(at));
        }
    }

    /// Stops it now; before it is entered, it stops then. Again: nothing.
    ///
    /// ```
    /// use runtime::{future::join, group::CancelScope};
    /// runtime::block_on(async {
    ///     let scope = CancelScope::new();
    ///     let (stopped, ()) = join(scope.run(std::future::pending::<()>()), async { scope.cancel() }).await;
    ///     assert!(stopped.is_err());
    /// });
    /// ```
    pub fn cancel(&self) {
        self.0.called.store(true, Relaxed);
        // Wakes those who wait for the deadline, wherever it is; they look at `called` first.
        self.0.deadline.set_after(Duration::ZERO);
    }

    /// Was it cancelled, or did its deadline pass while it ran?
    ///
    /// ```
    /// let scope = runtime::group::CancelScope::new();
    /// scope.cancel();
    /// assert!(scope.is_called() && !scope.is_caught()); // there was nothing in it
    /// ```
    #[doc(alias = "cancel_called")]
    #[doc(alias = "expired")]
    pub fn is_called(&self) -> bool {
        self.0.called.load(Relaxed)
    }

    /// Did it stop something that ran in it?
    ///
    /// ```
    /// use runtime::{group::CancelScope, yield_now};
    /// let scope = CancelScope::new();
    /// scope.cancel();
    /// assert_eq!(runtime::block_on(scope.run(async { 5 })), Ok(5)); // it was ready at once
    /// assert!(!scope.is_caught());
    /// assert!(runtime::block_on(scope.run(yield_now())).is_err());
    /// assert!(scope.is_caught());
    /// ```
    #[doc(alias = "cancelled_caught")]
    pub fn is_caught(&self) -> bool {
        self.0.caught.load(Relaxed)
    }

    /// Runs `body` in the scope. It may be used again, and for several bodies at once.
    ///
    /// # Errors
    /// [`ScopeCancelled`] when the scope stopped, and not one around it.
    ///
    /// # Cancel safety
    /// As that of `body`, which is dropped with it.
    ///
    /// # Panics
    /// When it would have to wait outside a runtime.
    ///
    /// ```
    /// use runtime::{group::CancelScope, time::sleep};
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let scope = CancelScope::after(Duration::from_millis(1));
    ///     let stopped = scope.run(sleep(Duration::from_secs(3600))).await.unwrap_err();
    ///     assert_eq!(stopped.to_string(), "stopped by its scope");
    /// });
    /// ```
    pub fn run<B: Future>(&self, body: B) -> Run<B> {
        Run {
            body: Some(body),
            wait: self.0.deadline.wait(),
            scope: self.clone(),
            asked: false,
            over: false,
            deferred: 0,
            place: None,
        }
    }

    /// Has it to stop? Once it has, it has for good.
    fn is_due(&self) -> bool {
        if !self.is_called() && self.0.deadline.passed() {
            self.0.called.store(true, Relaxed);
        }
        self.is_called()
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("deadline", &self.deadline())
            .field("called", &self.is_called())
            .field("caught", &self.is_caught())
            .finish()
    }
}

/// Gives `body` until `duration` has passed, counted from this call, and goes on: `None`, if it was not ready. As [`CancelScope::run`];
/// `body` gets the scope.
///
/// # Panics
/// When it would have to wait outside a runtime.
///
/// # Cancel safety
/// As that of `body`, which is dropped with it.
///
/// ```
/// use runtime::{group::move_on_after, time::sleep};
/// use std::time::Duration;
/// let runtime = runtime::Runtime::builder().virtual_clock().build().unwrap();
/// runtime.block_on(async {
///     let second = Duration::from_secs(1);
///     assert_eq!(move_on_after(second, async |_| 5).await, Some(5));
///     assert_eq!(move_on_after(second, async |_| sleep(2 * second).await).await, None);
///     let patient = move_on_after(second, async |scope| {
///         scope.set_deadline(None);
///         sleep(2 * second).await;
///     });
///     assert_eq!(patient.await, Some(()));
/// });
/// ```
pub fn move_on_after<T>(
    duration: Duration,
    body: impl AsyncFnOnce(CancelScope) -> T,
) -> impl Future<Output = Option<T>> {
    let scope = CancelScope::after(duration);
    async move { scope.run(body(scope.clone())).await.ok() }
}

/// [`move_on_after`], for those who must not go on without the result.
///
/// # Errors
/// [`Elapsed`] when `body` was not ready in time; also when it cancelled its own scope.
///
/// # Panics
/// When it would have to wait outside a runtime.
///
/// # Cancel safety
/// As that of `body`, which is dropped with it.
///
/// ```
/// use runtime::{group::fail_after, time::sleep};
/// use std::time::Duration;
/// runtime::block_on(async {
///     let slow = fail_after(Duration::from_millis(1), async |_| sleep(Duration::from_secs(3600)).await);
///     assert_eq!(slow.await.unwrap_err().to_string(), "timed out after 1ms");
/// });
/// ```
pub fn fail_after<T>(
    duration: Duration,
    body: impl AsyncFnOnce(CancelScope) -> T,
) -> impl Future<Output = Result<T, Elapsed>> {
    let start = Instant::now();
    let scope = CancelScope::at(start + duration);
    async move {
        let ran = scope.run(body(scope.clone())).await;
        ran.map_err(|ScopeCancelled(())| Elapsed(scope.deadline().unwrap_or_else(Instant::now) - start))
    }
}

/// A scope stopped what ran in it.
///
/// ```
/// use runtime::{group::{CancelScope, ScopeCancelled}, yield_now};
/// let scope = CancelScope::new();
/// scope.cancel();
/// let stopped: Result<(), ScopeCancelled> = runtime::block_on(scope.run(yield_now()));
/// assert!(stopped.is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeCancelled(());

impl fmt::Display for ScopeCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped by its scope")
    }
}

impl std::error::Error for ScopeCancelled {}

thread_local! {
    /// The scopes whose bodies are being polled, and that have not asked yet, the innermost last.
    static AROUND: RefCell<Vec<CancelScope>> = const { RefCell::new(Vec::new()) };
}

/// Polls the body, with the scope around it.
fn inside<R>(scope: &CancelScope, poll: impl FnOnce() -> R) -> R {
    /// The poll may unwind.
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            let left = AROUND.with_borrow_mut(Vec::pop);
            drop(left);
        }
    }
    AROUND.with_borrow_mut(|around| around.push(scope.clone()));
    let _leave = Leave;
    poll()
}

/// Polls a clean-up. No scope around it can end that, so scopes in it wait for none of them.
pub(super) fn shielded<R>(place: Option<&Place>, poll: impl FnOnce() -> R) -> R {
    /// The poll may unwind.
    struct Restore(Vec<CancelScope>);
    impl Drop for Restore {
        fn drop(&mut self) {
            AROUND.set(std::mem::take(&mut self.0));
        }
    }
    let _restore = Restore(AROUND.take());
    match place {
        Some(place) => place.shielding(poll),
        None => poll(),
    }
}

/// How often one that is due leaves the end to another one, around it, that is due too. Who is asked more often is so by an
/// executor that runs inside the poll of that one, and that would ask for ever.
const MOST_DEFERRED: u8 = 100;

/// Must one around stop too? Then that one catches.
fn is_one_around_due() -> bool {
    AROUND.with_borrow(|around| around.iter().any(CancelScope::is_due))
}

pin_project! {
    /// What runs in a scope. From [`CancelScope::run`].
    ///
    /// ```
    /// use runtime::group::{CancelScope, Run};
    /// use std::future::{Ready, ready};
    /// let run: Run<Ready<u8>> = CancelScope::new().run(ready(5));
    /// assert_eq!(runtime::block_on(run), Ok(5));
    /// ```
    #[must_use = "it does nothing until it is awaited"]
    pub struct Run<B> {
        // `None`: it has ended.
        #[pin]
        body: Option<B>,
        wait: Wait,
        scope: CancelScope,
        // Handlers inside were asked, and act.
        asked: bool,
        // The task is asked to end: nothing is given any more.
        over: bool,
        // How often it left the end to one around it.
        deferred: u8,
        // After the body: those inside go first.
        place: Option<Place>,
    }
}

impl<B: Future> Future for Run<B> {
    type Output = Result<B::Output, ScopeCancelled>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if *this.over {
                return Poll::Pending;
            }
            let body = this.body.as_mut().as_pin_mut().expect("polled after it was ready");
            keep_place(this.place, context);
            if let Some(place) = this.place.as_ref().filter(|place| place.is_told(context.waker())) {
                // Those inside have acted, or there are none.
                if *this.asked && place.catches() {
                    break;
                }
                place.clean();
                this.body.set(None);
                *this.over = true;
                place.is_over();
                continue;
            }
            let place = this.place.as_ref();
            let poll = || match place {
                Some(place) => place.around(|| body.poll(context)),
                None => body.poll(context),
            };
            let polled = if *this.asked { poll() } else { inside(this.scope, poll) };
            if let Poll::Ready(output) = polled {
                this.body.set(None);
                *this.place = None;
                return Poll::Ready(Ok(output));
            }
            if *this.asked {
                // (It may have been told in this very poll.)
                if this.place.as_ref().is_some_and(|place| place.is_told(context.waker())) {
                    continue;
                }
                return Poll::Pending;
            }
            if !this.scope.is_due() && Pin::new(&mut *this.wait).poll(context).is_pending() && !this.scope.is_due() {
                return Poll::Pending;
            }
            if !this.scope.is_due() {
                // The deadline was moved away just now.
                continue;
            }
            if is_one_around_due() && *this.deferred < MOST_DEFERRED {
                // That one ends us, in the very poll of it that we are in.
                *this.deferred += 1;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            *this.asked = true;
            if !this.place.as_ref().is_some_and(Place::ask_inside) {
                break;
            }
        }
        this.scope.0.caught.store(true, Relaxed);
        this.body.set(None);
        *this.place = None;
        Poll::Ready(Err(ScopeCancelled(())))
    }
}

impl<B> fmt::Debug for Run<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("scope", &self.scope).field("asked", &self.asked).finish_non_exhaustive()
    }
}
