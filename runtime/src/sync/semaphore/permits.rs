//! So many permits, and a line for those who want more than there are: the core of the semaphore and of every lock here.
//!
//! One word says it all:
//!
//! ```text
//!   63                          2      1        0
//!   ┌───────────────────────────┬──────┬────────┐
//!   │ permits that nobody has   │ LINE │ CLOSED │
//!   └───────────────────────────┴──────┴────────┘
//! ```
//!
//! - While `LINE` is not set nobody waits, and whoever takes permits or gives them back changes the word with one
//!   compare-and-swap: an uncontended lock and unlock are two of them.
//! - **`LINE` freezes the word.** It is set with the lock of the line held, and from then on only one who holds that lock
//!   changes the word. A release that read the word before fails its comparison and comes to the line; so no waiter lines up
//!   beside a release that does not see it, and nobody takes a permit past those in line.
//! - With the lock held, permits go from hand to hand: whoever brings some gives them to the first in line, if they are enough
//!   for it, then to the next. What is not enough stays in the word, and the first in line holds back all behind it, for
//!   otherwise one who wants many would starve.
//! - Whoever leaves the line lets the next try: it may have been chosen, or have held others back.
//! - Closed is for ever: all in line are refused, and all who come.
//!
//! Who gives permits back orders what it did before what their next owner does: every change of the word releases, every look
//! that takes from it acquires, and one that changes it with the lock does both.

use crate::{
    awaits, budget,
    std_or_loom::{
        AtomicUsize, Mutex,
        Ordering::{Acquire, Relaxed, Release},
        const_fn,
    },
    sync::waiters::{self, Key, Waiters, Wakers},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

const CLOSED: usize = 0b01;
const LINE: usize = 0b10;
/// Where the permits begin.
const ONE: usize = 0b100;

/// The most that there can be.
pub(in crate::sync) const MAX: usize = usize::MAX >> 3;

fn free(word: usize) -> usize {
    word / ONE
}

/// As many as both together, and no more than there can be.
fn sum(some: usize, others: usize) -> usize {
    some.saturating_add(others).min(MAX)
}

pub(in crate::sync) struct Permits {
    word: AtomicUsize,
    line: Mutex<Line>,
}

type Line = Waiters<Want>;

#[derive(Debug)]
struct Want {
    permits: usize,
    /// It was chosen because there will never be any.
    refused: bool,
}

/// Why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sync) enum Refused {
    NotNow,
    Closed,
}

impl Permits {
    const_fn! {
        pub(in crate::sync) fn new(permits: usize) -> Self {
            assert!(permits <= MAX, "a semaphore has at most `Semaphore::MAX_PERMITS` permits");
            Self { word: AtomicUsize::new(permits * ONE), line: Mutex::new(Waiters::new()) }
        }
    }

    pub(in crate::sync) fn is_closed(&self) -> bool {
        self.word.load(Acquire) & CLOSED != 0
    }

    /// How many nobody has.
    pub(in crate::sync) fn free(&self) -> usize {
        free(self.word.load(Acquire))
    }

    /// Names them, for `awaits`.
    fn address(&self) -> usize {
        (&raw const *self).addr()
    }

    /// Takes `wants`, if they are there and nobody is in line. None of zero is always there.
    #[inline]
    pub(in crate::sync) fn try_take(&self, wants: usize, kind: &'static str) -> Result<(), Refused> {
        check(wants);
        let mut taken = self.take(wants, false);
        if taken == Err(Refused::NotNow) && free(self.word.load(Relaxed)) >= wants {
            // There are enough. Are they kept for one in line who wants more, or has somebody the lock for a moment?
            if self.with_line(|line, _| line.is_empty()) {
                taken = self.take(wants, false);
            }
        }
        if taken.is_ok() {
            awaits::taken(kind, self.address());
        }
        taken
    }

    /// Waits for `wants` permits.
    pub(in crate::sync) fn acquire(&self, wants: usize, kind: &'static str) -> Wait<'_> {
        check(wants);
        Wait { permits: self, wants, kind, key: None, granted: false }
    }

    /// One who had `permits` gives them back.
    #[inline]
    pub(in crate::sync) fn give_back(&self, permits: usize) {
        awaits::given_back(self.address());
        self.bring_back(permits);
    }

    /// What was taken comes back. Those who do that are being dropped, and must not panic for what others have added meanwhile:
    /// what is too much is let go.
    #[inline]
    fn bring_back(&self, permits: usize) {
        if !self.try_add(permits) {
            self.with_line(|_, free| *free = sum(*free, permits));
        }
    }

    /// One owner's permits are in two hands now.
    pub(in crate::sync) fn shared(&self, kind: &'static str) {
        awaits::taken(kind, self.address());
    }

    /// So many more.
    #[inline]
    pub(in crate::sync) fn add(&self, permits: usize) {
        assert!(self.try_add(permits), "too many permits: a semaphore has at most `Semaphore::MAX_PERMITS`");
    }

    /// So many more; or none, if those were more than there can be: `false`.
    #[inline]
    fn try_add(&self, permits: usize) -> bool {
        if permits == 0 {
            return true;
        }
        let mut word = self.word.load(Relaxed);
        while word & LINE == 0 && permits <= MAX && free(word) + permits <= MAX {
            // Pairs with the `Acquire` of `take`.
            match self.word.compare_exchange_weak(word, word + permits * ONE, Release, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        self.with_line(|_, free| match free.checked_add(permits).filter(|sum| *sum <= MAX) {
            Some(sum) => {
                *free = sum;
                true
            }
            None => false,
        })
    }

    /// So many fewer; or as many as nobody has, if those are less. How many went.
    pub(in crate::sync) fn remove(&self, permits: usize) -> usize {
        self.with_line(|_, free| {
            let going = permits.min(*free);
            *free -= going;
            going
        })
    }

    /// Refuses all who wait and all who come.
    pub(in crate::sync) fn close(&self) {
        let mut wakers = Wakers::default();
        self.with_line(|line, _| {
            // The word is frozen: nobody comes in between.
            self.word.fetch_or(CLOSED, Relaxed);
            while let Some(want) = line.first() {
                want.refused = true;
                wakers.extend(line.choose());
            }
        });
        wakers.wake();
    }

    /// Takes `wants` permits from the word. `alone`: the lock is held, and nobody is in line.
    #[inline]
    fn take(&self, wants: usize, alone: bool) -> Result<(), Refused> {
        let mut word = self.word.load(Acquire);
        loop {
            if word & CLOSED != 0 {
                return Err(Refused::Closed);
            }
            if wants == 0 {
                return Ok(());
            }
            if free(word) < wants || (word & LINE != 0 && !alone) {
                return Err(Refused::NotNow);
            }
            // Pairs with the `Release` of all who change the word.
            match self.word.compare_exchange_weak(word, (word & !LINE) - wants * ONE, Acquire, Acquire) {
                Ok(_) => return Ok(()),
                Err(now) => word = now,
            }
        }
    }

    /// With the lock, and so with the word frozen: `change` may change who is in line and how many permits are free. Then those
    /// at the front who can have what they want have it, and are woken without the lock.
    fn with_line<R>(&self, change: impl FnOnce(&mut Line, &mut usize) -> R) -> R {
        let mut wakers = Wakers::default();
        let mut line = self.line.lock().unwrap();
        let mut free = free(self.freeze());
        let changed = change(&mut line, &mut free);
        while let Some(want) = line.first()
            && want.permits <= free
        {
            free -= want.permits;
            wakers.extend(line.choose());
        }
        let closed = self.word.load(Relaxed) & CLOSED;
        let still = if line.is_empty() { 0 } else { LINE };
        self.word.store((free * ONE) | still | closed, Release);
        drop(line);
        wakers.wake();
        changed
    }

    /// With the lock: what the word says now holds until it is written by who called this.
    pub(super) fn freeze(&self) -> usize {
        let word = self.word.load(Acquire);
        // Pairs with the `Release` of all who change the word.
        if word & LINE != 0 { word } else { self.word.fetch_or(LINE, Acquire) }
    }

    /// One poll of one who waits.
    fn wait(&self, key: &mut Option<Key>, wants: usize, context: &Context<'_>) -> Poll<Result<(), Refused>> {
        let look = |line: &mut Line, key: Option<Key>| match key {
            None => {
                // Before the look: what is seen holds until the waiter is in line.
                self.freeze();
                let taken = self.take(wants, line.is_empty());
                (taken != Err(Refused::NotNow)).then_some(taken)
            }
            Some(key) if line.is_chosen(key) => {
                let refused = line.remove(key).wants.refused;
                Some(if refused { Err(Refused::Closed) } else { Ok(()) })
            }
            Some(_) => None,
        };
        waiters::poll_expecting_to_wait(
            &self.line,
            key,
            context,
            look,
            |line| line,
            || Want { permits: wants, refused: false },
        )
    }
}

fn check(wants: usize) {
    assert!(wants <= MAX, "{wants} permits can never be had: a semaphore has at most `Semaphore::MAX_PERMITS`");
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.load(Relaxed);
        f.debug_struct("Permits").field("free", &free(word)).field("closed", &(word & CLOSED != 0)).finish()
    }
}

/// Waits for permits, and then owes them to whoever awaits it.
#[must_use = "waiting does nothing until it is awaited"]
pub(in crate::sync) struct Wait<'permits> {
    permits: &'permits Permits,
    wants: usize,
    kind: &'static str,
    /// In line, or chosen.
    key: Option<Key>,
    /// It has its permits, and its task has not been told: the budget is spent.
    granted: bool,
}

impl Future for Wait<'_> {
    /// The only refusal is that they are closed.
    type Output = Result<(), Refused>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let permits = this.permits;
        let mut refused = Ok(());
        if !this.granted {
            let at_once = if this.key.is_none() { permits.take(this.wants, false) } else { Err(Refused::NotNow) };
            let found = match at_once {
                Err(Refused::NotNow) => permits.wait(&mut this.key, this.wants, context),
                found => Poll::Ready(found),
            };
            match found {
                Poll::Ready(Ok(())) => this.granted = true,
                Poll::Ready(closed) => refused = closed,
                Poll::Pending => {
                    awaits::waits_for(this.kind, permits.address());
                    return Poll::Pending;
                }
            }
        }
        // Only now: one whose budget is spent has its place in line, or its permits, all the same.
        ready!(budget::spend(context));
        if this.granted {
            this.granted = false;
            awaits::taken(this.kind, permits.address());
        }
        Poll::Ready(refused)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let permits = self.permits;
        if self.granted {
            permits.bring_back(self.wants);
        }
        let Some(key) = self.key else { return };
        let waker = permits.with_line(|line, free| {
            let gone = line.remove(key);
            if gone.chosen && !gone.wants.refused {
                *free = sum(*free, self.wants);
            }
            gone.waker
        });
        drop(waker);
    }
}
