//! The nudge under loom: who notifies, who waits, who goes.

use super::*;
use crate::std_or_loom::{Flag, fence, model};
use loom::thread;
use std::{pin::pin, sync::Arc};

fn poll(notified: Pin<&mut Notified<'_>>, waker: &Waker) -> Poll<()> {
    notified.poll(&mut Context::from_waker(waker))
}

/// A waiter that is polled during `notify_one` is told or woken, and sees what was written before.
/// Broken by: `told_or_waiting` that leaves the word `EMPTY`, or `notify_one` that keeps its permit with a plain store.
#[test]
fn a_notification_is_given_or_kept() {
    model("notify_one", 3, || {
        let shared = Arc::new((Notify::new(), AtomicUsize::new(0)));
        let thread = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.1.store(7, Ordering::Relaxed);
                shared.0.notify_one();
            }
        });
        let (woken, waker) = Flag::waker();
        let mut notified = pin!(shared.0.notified());
        let polled = poll(notified.as_mut(), &waker);
        if polled.is_ready() {
            assert_eq!(shared.1.load(Ordering::Relaxed), 7, "told before what it was told of");
        }
        thread.join().unwrap();
        assert!(polled.is_ready() || woken.is_up() && poll(notified, &waker).is_ready(), "nobody was told");
    });
}

/// Two wait, and one is notified while the first one goes: the one who stays is told.
/// Broken by: `Notified::drop` not passing on.
#[test]
fn a_waiter_that_goes_passes_it_on() {
    model("notify_cancel", 3, || {
        let notify = Arc::new(Notify::new());
        let (woken, waker) = Flag::waker();
        let mut goes = Box::pin(notify.notified());
        let mut stays = pin!(notify.notified());
        assert!(poll(goes.as_mut(), Waker::noop()).is_pending());
        assert!(poll(stays.as_mut(), &waker).is_pending());
        let thread = thread::spawn({
            let notify = notify.clone();
            move || notify.notify_one()
        });
        drop(goes);
        thread.join().unwrap();
        assert!(woken.is_up(), "the notification went with the one who went");
        assert!(poll(stays, &waker).is_ready());
    });
}

/// One that comes while another goes and a third notifies: the notification is not lost between the word and the line.
/// Broken by: `notify_one` keeping nothing when it finds the line empty.
#[test]
fn a_notification_for_one_who_goes_is_kept_for_one_who_comes() {
    model("notify_come_and_go", 3, || {
        let notify = Arc::new(Notify::new());
        let mut goes = Box::pin(notify.notified());
        assert!(poll(goes.as_mut(), Waker::noop()).is_pending());
        let thread = thread::spawn({
            let notify = notify.clone();
            move || notify.notify_one()
        });
        drop(goes);
        let (woken, waker) = Flag::waker();
        let mut comes = pin!(notify.notified());
        let polled = poll(comes.as_mut(), &waker);
        thread.join().unwrap();
        assert!(polled.is_ready() || woken.is_up() && poll(comes, &waker).is_ready(), "it was lost");
    });
}

/// A condition without a lock: one sets it and calls `notify_waiters`, the other makes a `Notified`, looks, and waits.
/// Broken by: the count of calls not being looked at in `told_at_once` and `told_or_waiting`.
#[test]
fn notify_waiters_reaches_whoever_looked_too_early() {
    model("notify_waiters", 3, || {
        let shared = Arc::new((Notify::new(), AtomicUsize::new(0)));
        let thread = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.1.store(1, Ordering::Relaxed);
                shared.0.notify_waiters();
            }
        });
        let (woken, waker) = Flag::waker();
        let mut notified = pin!(shared.0.notified());
        let found = shared.1.load(Ordering::Relaxed) == 1;
        let told = found || poll(notified.as_mut(), &waker).is_ready();
        thread.join().unwrap();
        assert!(told || woken.is_up(), "it sleeps on what has happened");
    });
}

/// A toy with the fast path of smol-rs/event-listener: `notify` reads how many listen, and does nothing if nobody does. The
/// listener publishes itself, and looks at the condition once more.
#[derive(Default)]
struct Listeners {
    condition: AtomicUsize,
    listening: AtomicUsize,
    told: AtomicUsize,
}

/// R42 (smol-rs/event-listener#138): one listens, one notifies. Whoever comes second sees the other.
fn a_listener_sleeps_on_nothing(between: fn()) {
    let listeners = Arc::new(Listeners::default());
    let thread = thread::spawn({
        let listeners = listeners.clone();
        move || {
            listeners.condition.store(1, Ordering::Release);
            between();
            if listeners.listening.load(Ordering::Acquire) == 1 {
                listeners.told.store(1, Ordering::Release);
            }
        }
    });
    listeners.listening.store(1, Ordering::Release);
    between();
    let found = listeners.condition.load(Ordering::Acquire) == 1;
    thread.join().unwrap();
    assert!(found || listeners.told.load(Ordering::Acquire) == 1, "it sleeps on what has happened");
}

/// With a fence on both sides it holds. (Ours needs none: state and line are announced in one word, by read-modify-writes.)
/// Broken by: the next one.
#[test]
fn a_fast_path_with_fences() {
    model("listeners_fence", 3, || a_listener_sleeps_on_nothing(|| fence(Ordering::SeqCst)));
}

/// The broken twin: without the fence both read what was there before.
#[test]
#[should_panic(expected = "it sleeps on what has happened")]
fn a_fast_path_without_a_fence() {
    model("listeners_without", 3, || a_listener_sleeps_on_nothing(|| ()));
}
