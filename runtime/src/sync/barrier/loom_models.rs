//! The barrier under loom: two who meet, one who goes, one who breaks it.

use super::*;
use crate::std_or_loom::{AtomicUsize, Flag, Ordering, model};
use loom::thread;
use std::{pin::pin, sync::Arc, task::Waker};

fn poll(wait: Pin<&mut Wait<'_>>, waker: &Waker) -> Poll<Result<BarrierWaitResult, Broken>> {
    wait.poll(&mut Context::from_waker(waker))
}

/// Two come at once: the last one leads and goes on, the first one is woken and passes, and each sees what the other wrote.
/// Broken by: `tell_all` choosing nobody.
#[test]
fn two_who_come_pass() {
    model("barrier_meet", 3, || {
        let barrier: &'static Barrier = Box::leak(Box::new(Barrier::new(2)));
        let written = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let thread = thread::spawn({
            let written = written.clone();
            move || {
                written[0].store(1, Ordering::Relaxed);
                let (woken, waker) = Flag::waker();
                let mut wait = Box::pin(barrier.wait());
                let polled = poll(wait.as_mut(), &waker);
                assert!(polled.is_pending() || written[1].load(Ordering::Relaxed) == 1, "it was alone");
                (wait, woken, polled)
            }
        });
        written[1].store(1, Ordering::Relaxed);
        let (woken, waker) = Flag::waker();
        let mut wait = Box::pin(barrier.wait());
        let ours = poll(wait.as_mut(), &waker);
        assert!(ours.is_pending() || written[0].load(Ordering::Relaxed) == 1, "it was alone");
        let (their_wait, they_are_woken, theirs) = thread.join().unwrap();
        let (mut first, woken) = match (ours, theirs) {
            (Poll::Ready(Ok(last)), Poll::Pending) if last.is_leader() => (their_wait, they_are_woken),
            (Poll::Pending, Poll::Ready(Ok(last))) if last.is_leader() => (wait, woken),
            both => panic!("one of them must lead: {both:?}"),
        };
        assert!(woken.is_up());
        assert!(matches!(poll(first.as_mut(), &waker), Poll::Ready(Ok(passed)) if passed.index() == 0));
    });
}

/// One waits, and goes while another comes: who comes after it has gone does not pass.
/// Broken by: `Wait::drop` not removing its place.
#[test]
fn one_who_goes_does_not_count() {
    model("barrier_cancel", 3, || {
        let shared = Arc::new((Barrier::new(2), AtomicUsize::new(0)));
        let mut goes = Box::pin(shared.0.wait());
        assert!(poll(goes.as_mut(), Waker::noop()).is_pending());
        let thread = thread::spawn({
            let shared = shared.clone();
            move || {
                let gone = shared.1.load(Ordering::Acquire) == 1;
                let passes = poll(pin!(shared.0.wait()), Waker::noop()).is_ready();
                assert!(!(gone && passes), "somebody was counted who was not there");
            }
        });
        drop(goes);
        shared.1.store(1, Ordering::Release);
        thread.join().unwrap();
        assert_eq!(shared.0.n_waiting(), 0);
    });
}

/// One waits while another aborts: it is told, whether it came before or after.
/// Broken by: `break_round` breaking what comes after, but not telling those who wait.
#[test]
fn nobody_waits_at_a_broken_barrier() {
    model("barrier_abort", 3, || {
        let barrier = Arc::new(Barrier::new(2));
        let thread = thread::spawn({
            let barrier = barrier.clone();
            move || barrier.abort()
        });
        let (woken, waker) = Flag::waker();
        let mut wait = pin!(barrier.wait());
        let polled = poll(wait.as_mut(), &waker);
        thread.join().unwrap();
        let told = match polled {
            Poll::Pending if woken.is_up() => poll(wait, &waker),
            polled => polled,
        };
        assert_eq!(told, Poll::Ready(Err(Broken)));
    });
}
