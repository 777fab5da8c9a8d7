//! The timers under loom: arming, moving and cancelling on one thread while the worker turns the wheel on another.
//!
//! No clock runs here: a model's worker sees the moments that the model names.

use super::{
    Instant,
    timers::{Armed, Found, Timers},
    wheel::{Due, Key},
};
use crate::std_or_loom::model;
use loom::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use std::task::{Wake, Waker};

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Counts how often it is woken.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

fn count() -> (std::sync::Arc<Count>, Waker) {
    let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
    (count.clone(), count.into())
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

fn armed(timers: &Timers, deadline: Instant, waker: Waker) -> Key {
    match timers.arm(deadline, &mut Some(waker)) {
        Armed::Yes { key, .. } => key,
        refused => panic!("{refused:?}"),
    }
}

fn fire(timers: &Timers, now: Instant) {
    let mut due = Vec::new();
    timers.take_due(now, &mut due);
    due.drain(..).for_each(|Due { waker, .. }| waker.wake());
}

/// A timer that is cancelled while it falls due either fires or is cancelled, once; and a late cancel does not touch the timer
/// that has its place by then.
/// Broken by: `Wheel::waker` not comparing the numbers.
#[test]
fn a_timer_fires_or_is_cancelled() {
    model("timer_cancel", 3, || {
        let timers = Arc::new(Timers::new());
        let (first, waker) = count();
        let key = armed(&timers, at(10), waker);
        let canceller = {
            let timers = timers.clone();
            thread::spawn(move || timers.cancel(key).is_some())
        };
        fire(&timers, at(10));
        let (second, waker) = count();
        armed(&timers, at(20), waker);
        fire(&timers, at(20));
        let cancelled = canceller.join().unwrap();
        assert_eq!(first.get() + usize::from(cancelled), 1, "lost, or both");
        assert_eq!(second.get(), 1, "cancelled by the key of another");
    });
}

/// Two threads turn the same wheel (its worker, which is busy, and a neighbour): what is due fires once.
/// Broken by: `Timers::take_due_for_another` giving out clones of the wakers that are due, and taking them out under a second
/// hold of the lock.
#[test]
fn a_timer_fires_once_however_many_turn_the_wheel() {
    model("timer_neighbours", 3, || {
        let timers = Arc::new(Timers::new());
        let (fired, waker) = count();
        armed(&timers, at(10), waker);
        let neighbour = {
            let timers = timers.clone();
            thread::spawn(move || {
                let mut due = Vec::new();
                timers.take_due_for_another(at(10), &mut due);
                due.drain(..).for_each(|Due { waker, .. }| waker.wake());
            })
        };
        fire(&timers, at(10));
        neighbour.join().unwrap();
        assert_eq!(fired.get(), 1);
    });
}

/// A sleep that is polled by another task than before, while its timer falls due: either the poll sees that it has fired, or the
/// new task is woken.
/// Broken by: `sleep::look` giving `Found::Armed` whatever its `replace` says.
#[test]
fn a_waker_put_in_while_the_timer_fires_is_not_lost() {
    model("timer_replace", 3, || {
        let timers = Arc::new(Timers::new());
        let (_, old) = count();
        let key = armed(&timers, at(10), old);
        let (woken, new) = count();
        let poller = {
            let timers = timers.clone();
            thread::spawn(move || super::sleep::look(&timers, key, &new) == Found::Fired)
        };
        fire(&timers, at(10));
        let ready = poller.join().unwrap();
        assert!(ready || woken.get() == 1, "the new task waits for ever");
        assert!(!ready || woken.get() <= 1);
    });
}

/// A timer that is moved to later while it falls due has fired, or fires at the new deadline: never neither, never both.
/// Broken by: `Timers::reschedule` as a cancel and an arm in two holds of the lock, the waker armed again whatever the cancel
/// found.
#[test]
fn a_timer_moved_while_it_falls_due_fires_once() {
    model("timer_move", 3, || {
        let timers = Arc::new(Timers::new());
        let (fired, waker) = count();
        let key = armed(&timers, at(10), waker);
        let mover = {
            let timers = timers.clone();
            thread::spawn(move || timers.reschedule(key, at(20)).is_some())
        };
        fire(&timers, at(10));
        let early = fired.get();
        let moved = mover.join().unwrap();
        assert_eq!(early, usize::from(!moved));
        fire(&timers, at(20));
        assert_eq!(fired.get(), 1);
    });
}

/// The reactor's part, as a flag and a condition variable.
struct Sleeper {
    interrupted: Mutex<bool>,
    wake: Condvar,
}

/// A timer that is armed on another thread while the worker goes to sleep until a later one: the worker sees it before it
/// sleeps, or is interrupted. (If it is not, it sleeps until the later deadline, which in this model never comes: loom reports
/// that every thread is blocked.)
/// Broken by: `next_deadline` noting what it announces in a second hold of the lock (tokio #6682).
#[test]
fn an_earlier_timer_is_not_slept_past() {
    model("timer_earlier", 3, || {
        let timers = Arc::new(Timers::new());
        let (_, late) = count();
        armed(&timers, at(1000), late);
        let sleeper = Arc::new(Sleeper { interrupted: Mutex::new(false), wake: Condvar::new() });
        let (fired, waker) = count();
        let other = {
            let (timers, sleeper) = (timers.clone(), sleeper.clone());
            thread::spawn(move || {
                if let Armed::Yes { nudge: true, .. } = timers.arm(at(10), &mut Some(waker)) {
                    *sleeper.interrupted.lock().unwrap() = true;
                    sleeper.wake.notify_one();
                }
            })
        };
        while timers.next_deadline() != Some(at(10)) {
            let mut interrupted = sleeper.interrupted.lock().unwrap();
            while !*interrupted {
                interrupted = sleeper.wake.wait(interrupted).unwrap();
            }
            *interrupted = false;
            drop(interrupted);
            fire(&timers, at(5));
        }
        fire(&timers, at(10));
        assert_eq!(fired.get(), 1);
        other.join().unwrap();
    });
}

/// A timer that is armed while the worker ends is refused, or its waker is handed out: nobody waits for a wheel that does not
/// turn.
/// Broken by: `arm` not looking at `closed`.
#[test]
fn a_timer_armed_at_the_end_is_not_forgotten() {
    model("timer_close", 3, || {
        let timers = Arc::new(Timers::new());
        let (woken, waker) = count();
        let other = {
            let timers = timers.clone();
            thread::spawn(move || matches!(timers.arm(at(10), &mut Some(waker)), Armed::Closed))
        };
        timers.close().into_iter().for_each(Waker::wake);
        let refused = other.join().unwrap();
        assert_eq!(woken.get(), usize::from(!refused));
    });
}
