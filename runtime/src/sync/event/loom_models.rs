//! The event under loom: one thread sets it, the others wait, clear and go.

use super::*;
use crate::std_or_loom::{AtomicUsize, Flag, model};
use loom::thread;
use std::{pin::pin, sync::Arc};

/// A waiter that is polled while the event is set passes or is woken; and what came before the event is seen after it.
/// Broken by: a `wait` that looks, and then stands in line without a look under the lock.
#[test]
fn a_waiter_passes_or_is_woken() {
    model("event_set", 3, || {
        let event = Arc::new((Event::new(), AtomicUsize::new(0)));
        let thread = thread::spawn({
            let event = event.clone();
            move || {
                event.1.store(7, Ordering::Relaxed);
                event.0.set();
            }
        });
        let mut wait = pin!(event.0.wait());
        let (_, first) = Flag::waker();
        let (woken, second) = Flag::waker();
        let mut polled = wait.as_mut().poll(&mut Context::from_waker(&first));
        if polled.is_pending() {
            polled = wait.as_mut().poll(&mut Context::from_waker(&second));
        }
        if polled.is_ready() {
            assert_eq!(event.1.load(Ordering::Relaxed), 7, "the event is seen before what it announces");
        }
        thread.join().unwrap();
        assert!(polled.is_ready() || woken.is_up(), "it is set, and nobody was told");
    });
}

/// A waiter that goes while the event is set keeps nobody: the other one is woken, and passes.
/// Broken by: `set` choosing the first one only.
#[test]
fn a_waiter_that_goes_disturbs_nobody() {
    model("event_cancel", 3, || {
        let event = Arc::new(Event::new());
        let (woken, waker) = Flag::waker();
        let mut goes = Box::pin(event.wait());
        let mut stays = Box::pin(event.wait());
        assert!(goes.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        assert!(stays.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let thread = thread::spawn({
            let event = event.clone();
            move || event.set()
        });
        drop(goes);
        thread.join().unwrap();
        assert!(woken.is_up());
        assert!(stays.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    });
}

/// Work that is announced while somebody clears the event and looks for work is found, or the event is set.
fn announced_work_is_found(set: fn(&Event)) {
    let shared = Arc::new((Event::new(), AtomicUsize::new(0)));
    shared.0.set();
    let thread = thread::spawn({
        let shared = shared.clone();
        move || {
            shared.1.store(1, Ordering::Relaxed);
            set(&shared.0);
        }
    });
    shared.0.clear();
    let found = shared.1.load(Ordering::Relaxed) == 1;
    thread.join().unwrap();
    assert!(found || shared.0.is_set(), "there is work, and nobody knows");
}

/// Broken by: the next one.
#[test]
fn a_set_beside_a_clear_announces() {
    model("event_set_clear", 3, || announced_work_is_found(Event::set));
}

/// The broken twin: a fast path for an event that is set already. It only looks, and what it sees may be old.
#[test]
#[should_panic(expected = "there is work, and nobody knows")]
fn a_set_that_only_looks() {
    model("event_set_that_only_looks", 3, || {
        announced_work_is_found(|event| {
            if !event.is_set() {
                event.set();
            }
        });
    });
}
