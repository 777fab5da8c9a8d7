//! Stage 15: a semaphore, a mutex and a notify. All three are a number and a line of those who wait.
//!
//! While somebody is in line the number is zero: what comes back is handed to the first in line, and nobody passes it.

// ANCHOR: imports
use std::{
    collections::VecDeque,
    future::Future,
    mem,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::{Arc, Mutex as StdMutex, MutexGuard as StdMutexGuard},
    task::{Context, Poll, Waker},
};
// ANCHOR_END: imports

// ANCHOR: permits
/// The number, and the line.
struct Permits {
    state: StdMutex<State>,
    /// More than so many are not kept.
    most: usize,
}

struct State {
    free: usize,
    /// Who came first is in front.
    line: VecDeque<(u64, Waker)>,
    /// How many ever came into the line: their names.
    came: u64,
}

impl Permits {
    fn new(free: usize, most: usize) -> Arc<Self> {
        let state = State { free, line: VecDeque::new(), came: 0 };
        Arc::new(Permits { state: StdMutex::new(state), most })
    }

    fn lock(&self) -> StdMutexGuard<'_, State> {
        self.state.lock().expect("nothing that can panic runs under this lock")
    }

    /// One comes back, or comes new. From now on it belongs to the first in line, which leaves the line.
    fn give(&self) {
        let mut state = self.lock();
        let first = state.line.pop_front();
        if first.is_none() && state.free < self.most {
            state.free += 1;
        }
        drop(state);
        first.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Waits for one.
    fn take(&self) -> Taking<'_> {
        Taking { permits: self, name: None }
    }
}
// ANCHOR_END: permits

// ANCHOR: taking
struct Taking<'permits> {
    permits: &'permits Permits,
    /// While it waits, and until it knows that it had its turn.
    name: Option<u64>,
}

impl Future for Taking<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = self.permits.lock();
        let Some(name) = self.name else {
            if state.free > 0 {
                state.free -= 1;
                return Poll::Ready(());
            }
            state.came += 1;
            let name = state.came;
            state.line.push_back((name, waker));
            drop(state);
            self.name = Some(name);
            return Poll::Pending;
        };
        let Some((_, waiting)) = state.line.iter_mut().find(|(other, _)| *other == name) else {
            drop(state);
            self.name = None;
            return Poll::Ready(());
        };
        let stale = mem::replace(waiting, waker);
        drop(state);
        drop(stale);
        Poll::Pending
    }
}
// ANCHOR_END: taking

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        let Some(name) = self.name else { return };
        let mut state = self.permits.lock();
        let place = state.line.iter().position(|(other, _)| *other == name);
        let waiting = place.and_then(|place| state.line.remove(place));
        drop(state);
        if waiting.is_none() {
            // It had its turn, and goes without having heard of it.
            self.permits.give();
        }
    }
}

// ANCHOR: semaphore
/// So many at once, first come first served.
#[derive(Clone)]
pub struct Semaphore(Arc<Permits>);

impl Semaphore {
    /// With so many permits.
    pub fn new(permits: usize) -> Self {
        Semaphore(Permits::new(permits, usize::MAX))
    }

    /// A permit. It comes back when it is dropped.
    pub async fn acquire(&self) -> Permit {
        self.0.take().await;
        Permit(self.0.clone())
    }
}

/// From [`Semaphore::acquire`].
pub struct Permit(Arc<Permits>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.give();
    }
}
// ANCHOR_END: semaphore

// ANCHOR: mutex
/// A value for one task at a time, which may wait while it has the value.
pub struct Mutex<T> {
    turn: Semaphore,
    /// Empty while somebody has it.
    value: Arc<StdMutex<Option<T>>>,
}

impl<T> Mutex<T> {
    /// A mutex for this value.
    pub fn new(value: T) -> Self {
        Mutex { turn: Semaphore::new(1), value: Arc::new(StdMutex::new(Some(value))) }
    }

    /// The value, in a guard that puts it back.
    pub async fn lock(&self) -> Guard<T> {
        let turn = self.turn.acquire().await;
        let value = self.value.lock().unwrap().take();
        Guard { value, home: self.value.clone(), _turn: turn }
    }
}

impl<T> Clone for Mutex<T> {
    fn clone(&self) -> Self {
        Mutex { turn: self.turn.clone(), value: self.value.clone() }
    }
}

/// From [`Mutex::lock`].
pub struct Guard<T> {
    value: Option<T>,
    home: Arc<StdMutex<Option<T>>>,
    /// Dropped after `drop` has run: the value is back before the next one has its turn.
    _turn: Permit,
}

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        *self.home.lock().unwrap() = self.value.take();
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is here until the guard is dropped")
    }
}

impl<T> DerefMut for Guard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is here until the guard is dropped")
    }
}
// ANCHOR_END: mutex

// ANCHOR: notify
/// "Something is new: look again." One who waits is woken; if nobody does, a note is left.
#[derive(Clone)]
pub struct Notify(Arc<Permits>);

impl Notify {
    /// Nothing is new.
    pub fn new() -> Self {
        Notify(Permits::new(0, 1))
    }

    /// Wakes whoever has waited longest, or leaves a note. Two notes are one.
    pub fn notify_one(&self) {
        self.0.give();
    }

    /// Waits for it. Dropped after its turn has come, it passes it on.
    pub async fn notified(&self) {
        self.0.take().await;
    }
}

impl Default for Notify {
    fn default() -> Self {
        Notify::new()
    }
}
// ANCHOR_END: notify
