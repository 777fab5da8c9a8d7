//! A nudge from one task to another.
//!
//! One word says what is there, and is changed by read-modify-writes alone; the line of those who wait is under a short lock.
//!
//! ```text
//!            notify_one                  poll of a `Notified`
//!   EMPTY ───────────────> PERMIT     EMPTY ─────────────────> WAITING (somebody is in line, or about to be)
//!         <───────────────                  <─────────────────
//!       poll of a `Notified`             the last in line goes
//! ```
//!
//! - Whoever is in line is in line while the word says `WAITING`, and only under the lock does it say so, or cease to.
//! - So whoever sees another state knows that nobody waits, and one compare-exchange is all: it cannot be old, as a look can.
//! - The rest of the word counts the calls of `notify_waiters`. A `Notified` knows the count from when it was made.

#[cfg(all(test, runtime_loom))]
mod loom_models;

use super::waiters::{self, Key, Waiters, Wakers};
use crate::{
    awaits, budget,
    std_or_loom::{AtomicUsize, Mutex, Ordering, const_fn},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

const EMPTY: usize = 0;
/// A notification is kept for the next one who asks.
const PERMIT: usize = 1;
/// A notification is for the first in line.
const WAITING: usize = 2;
const STATE: usize = 3;
/// One call of `notify_waiters`.
const CALL: usize = STATE + 1;

/// Wakes one task, or all that wait, without a value. It is what other primitives are made of: "look again".
///
/// [`notify_one`](Self::notify_one) wakes the one who waits longest; if nobody waits it keeps one permit, and no more than
/// one, for the next who does. [`notify_waiters`](Self::notify_waiters) wakes all who wait now, and keeps nothing.
///
/// ```
/// use runtime::{spawn, sync::Notify};
/// use std::{collections::VecDeque, sync::{Arc, Mutex}};
/// runtime::block_on(async {
///     let shared = Arc::new((Mutex::new(VecDeque::new()), Notify::new()));
///     let taker = spawn({
///         let shared = shared.clone();
///         async move {
///             loop {
///                 if let Some(found) = shared.0.lock().unwrap().pop_front() {
///                     return found;
///                 }
///                 // A notification that came since the look is kept: this does not sleep on it.
///                 shared.1.notified().await;
///             }
///         }
///     });
///     shared.0.lock().unwrap().push_back("work");
///     shared.1.notify_one();
///     assert_eq!(taker.await.unwrap(), "work");
/// });
/// ```
pub struct Notify {
    word: AtomicUsize,
    waiting: Mutex<Waiters<By>>,
}

/// Who told a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// `notify_one`: if it does not run, the next one must.
    One,
    /// `notify_waiters`: the others know as well.
    All,
}

impl Notify {
    const_fn! {
        /// One without a permit.
        ///
        /// ```
        /// static CHANGED: runtime::sync::Notify = runtime::sync::Notify::new();
        /// CHANGED.notify_one();
        /// runtime::block_on(CHANGED.notified());
        /// ```
        pub fn new() -> Self {
            Self { word: AtomicUsize::new(EMPTY), waiting: Mutex::new(Waiters::new()) }
        }
    }

    /// Wakes the one who waits longest. If nobody waits, the next who does passes at once; two such calls are kept as one.
    ///
    /// # Panics
    /// When the waker panics.
    ///
    /// ```
    /// use runtime::{sync::Notify, time::timeout};
    /// use std::time::Duration;
    /// let notify = Notify::new();
    /// notify.notify_one();
    /// notify.notify_one();
    /// runtime::block_on(async {
    ///     notify.notified().await; // at once
    ///     assert!(timeout(Duration::from_millis(1), notify.notified()).await.is_err());
    /// });
    /// ```
    pub fn notify_one(&self) {
        // Written also if there is a permit already: whoever takes it must see what this call announces.
        let kept = self.change(|word| (word & STATE != WAITING).then_some((word & !STATE) | PERMIT));
        if kept.is_ok() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap();
        let waker = waiting.choose();
        match &waker {
            Some(_) => self.nobody_waits_any_more(&waiting),
            // They went meanwhile, or the one who announced itself is not in line yet: it will look.
            None => _ = self.change(|word| Some((word & !STATE) | PERMIT)),
        }
        drop(waiting);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Wakes all who wait now, in the order in which they came: every [`Notified`] that was made before this call, also one
    /// that was not polled yet. Nothing is kept for later ones, and a permit that is there stays.
    ///
    /// # Panics
    /// When a waker panics; but not before all are woken.
    ///
    /// ```
    /// use runtime::{future::join_all, sync::Notify};
    /// let notify = Notify::new();
    /// let waits = [notify.notified(), notify.notified()];
    /// notify.notify_waiters();
    /// runtime::block_on(join_all(waits));
    /// ```
    pub fn notify_waiters(&self) {
        if self.change(|word| (word & STATE != WAITING).then(|| word.wrapping_add(CALL))).is_ok() {
            return;
        }
        let mut wakers = Wakers::default();
        let mut waiting = self.waiting.lock().unwrap();
        while let Some(by) = waiting.first() {
            *by = By::All;
            wakers.extend(waiting.choose());
        }
        let _ = self.change(|word| {
            let word = if word & STATE == WAITING { word - WAITING } else { word };
            Some(word.wrapping_add(CALL))
        });
        drop(waiting);
        wakers.wake();
    }

    /// Waits for a notification.
    ///
    /// It counts for [`notify_waiters`](Self::notify_waiters) from this call on, so make it before you look whether there is
    /// something to wait for. Its place in the line for [`notify_one`](Self::notify_one) it takes when it is polled first, or
    /// [enabled](Notified::enable).
    ///
    /// # Cancel safety
    /// Nothing is lost: a notification by `notify_one` that it had got, but had not told of, goes to the next in line. Its
    /// place is lost.
    ///
    /// ```
    /// use runtime::sync::Notify;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// async fn until_done(done: &AtomicBool, changed: &Notify) {
    ///     loop {
    ///         let notified = changed.notified(); // before the look
    ///         if done.load(Ordering::Acquire) {
    ///             return;
    ///         }
    ///         notified.await;
    ///     }
    /// }
    /// runtime::block_on(async {
    ///     let (done, changed) = (AtomicBool::new(false), Notify::new());
    ///     let finish = async {
    ///         done.store(true, Ordering::Release);
    ///         changed.notify_waiters();
    ///     };
    ///     runtime::future::join(until_done(&done, &changed), finish).await;
    /// });
    /// ```
    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, calls: self.word.load(Ordering::Acquire) / CALL, key: None, told: None }
    }

    /// What a `Notified` that is not in line is told without waiting, from when there were `calls`.
    fn told_at_once(&self, calls: usize) -> Option<By> {
        let word = self.word.load(Ordering::Acquire);
        if word / CALL != calls {
            return Some(By::All);
        }
        let taken = || self.word.compare_exchange(word, word - PERMIT, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        (word & STATE == PERMIT && taken()).then_some(By::One)
    }

    /// The same, under the lock; with nothing to tell, from now on the word says that somebody waits.
    fn told_or_waiting(&self, calls: usize) -> Option<By> {
        let before = self.change(|word| match word & STATE {
            _ if word / CALL != calls => None,
            PERMIT => Some(word - PERMIT),
            EMPTY => Some(word + WAITING),
            _ => None,
        });
        match before {
            Ok(word) => (word & STATE == PERMIT).then_some(By::One),
            Err(word) => (word / CALL != calls).then_some(By::All),
        }
    }

    /// Called under the lock when somebody left the line.
    fn nobody_waits_any_more(&self, waiting: &Waiters<By>) {
        if waiting.is_empty() {
            self.word.fetch_sub(WAITING, Ordering::AcqRel);
        }
    }

    /// One word, one order of all changes: each sees all that came before those before it.
    fn change(&self, change: impl FnMut(usize) -> Option<usize>) -> Result<usize, usize> {
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, change)
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.word.load(Ordering::Relaxed) & STATE;
        f.debug_struct("Notify")
            .field("permit", &(state == PERMIT))
            .field("waiting", &(state == WAITING))
            .finish_non_exhaustive()
    }
}

/// Waits for a notification: see [`Notify::notified`].
///
/// ```
/// let notify = runtime::sync::Notify::new();
/// let notified = notify.notified();
/// notify.notify_waiters();
/// runtime::block_on(notified); // it was there before the call
/// ```
#[derive(Debug)]
#[must_use = "waiting does nothing until it is awaited"]
pub struct Notified<'notify> {
    notify: &'notify Notify,
    /// How many calls of `notify_waiters` there had been when it was made.
    calls: usize,
    key: Option<Key>,
    /// It was told, and has not said so yet. (`All` when it has: then it owes nothing.)
    told: Option<By>,
}

impl Notified<'_> {
    /// Takes its place in line now, without a poll. `true`: it has been notified, and awaiting it returns at once.
    ///
    /// Useful when the look at what you wait for must come after the place in line is taken, and the notifications come from
    /// [`notify_one`](Notify::notify_one) with several tasks waiting.
    ///
    /// ```
    /// let notify = runtime::sync::Notify::new();
    /// let (mut first, mut second) = (notify.notified(), notify.notified());
    /// assert!(!second.enable());
    /// assert!(!first.enable());
    /// notify.notify_one();
    /// assert!(second.enable()); // it was in line first
    /// assert!(!first.enable());
    /// ```
    pub fn enable(&mut self) -> bool {
        if let (Some(key), None) = (self.key, self.told) {
            // It keeps the waker that it waits with.
            return self.notify.waiting.lock().unwrap().is_chosen(key);
        }
        self.poll_told(&Context::from_waker(Waker::noop())).is_ready()
    }

    fn poll_told(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.told.is_some() {
            return Poll::Ready(());
        }
        let (notify, calls) = (self.notify, self.calls);
        self.told = self.key.is_none().then(|| notify.told_at_once(calls)).flatten();
        if self.told.is_none() {
            let look = |waiting: &mut Waiters<By>, key| match key {
                Some(key) => waiting.is_chosen(key).then(|| waiting.remove(key).wants),
                None => notify.told_or_waiting(calls),
            };
            let told = waiters::poll_expecting_to_wait(
                &notify.waiting,
                &mut self.key,
                context,
                look,
                |waiting| waiting,
                || By::One,
            );
            self.told = Some(ready!(told));
        }
        Poll::Ready(())
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.poll_told(context).is_pending() {
            awaits::waits_for("notify", std::ptr::from_ref(self.notify).addr());
            return Poll::Pending;
        }
        // With nothing left to spend it is told already, and passes it on if it goes.
        ready!(budget::spend(context));
        self.told = Some(By::All);
        Poll::Ready(())
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let mut told = self.told;
        if let Some(key) = self.key {
            let mut waiting = self.notify.waiting.lock().unwrap();
            let gone = waiting.remove(key);
            if gone.chosen {
                told = Some(gone.wants);
            } else {
                self.notify.nobody_waits_any_more(&waiting);
            }
            drop(waiting);
            drop(gone.waker);
        }
        if told == Some(By::One) {
            self.notify.notify_one();
        }
    }
}
