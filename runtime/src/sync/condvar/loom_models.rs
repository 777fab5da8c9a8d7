//! The condition variable under loom: one who waits, one who changes something, one who goes.

use super::*;
use crate::{
    std_or_loom::{Flag, model},
    sync::Mutex,
};
use loom::thread;
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
};

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Polls when it is woken, and not before.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let (woken, waker) = Flag::waker();
        if let Poll::Ready(output) = poll(future.as_mut(), &waker) {
            return output;
        }
        while !woken.is_up() {
            thread::yield_now();
        }
    }
}

/// What is changed under the lock and then announced is found, by the look or by the wait.
/// Broken by: `wait` giving the lock back before it is in line (the model then waits for ever, and loom counts its branches).
#[test]
fn a_change_is_found() {
    model("condvar_wait", 2, || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = thread::spawn({
            let shared = shared.clone();
            move || {
                *run(shared.0.lock()) = true;
                shared.1.notify_one();
            }
        });
        let guard = run(async { shared.1.wait_while(shared.0.lock().await, |changed| !*changed).await });
        assert!(*guard);
        drop(guard);
        thread.join().unwrap();
    });
}

/// Two wait, one is notified while the first one goes, having been polled once more or not: the other one is told.
/// Broken by: `Waiting::drop` not passing on.
#[test]
fn one_who_goes_passes_it_on() {
    model("condvar_cancel", 2, || {
        let shared = Arc::new((Mutex::new(()), Condvar::new()));
        let (mutex, condvar) = &*shared;
        let (woken, waker) = Flag::waker();
        let wait = || condvar.wait(mutex.try_lock().unwrap());
        let mut goes = Box::pin(wait());
        assert!(poll(goes.as_mut(), Waker::noop()).is_pending());
        let mut stays = Box::pin(wait());
        assert!(poll(stays.as_mut(), &waker).is_pending());
        let thread = thread::spawn({
            let shared = shared.clone();
            move || shared.1.notify_one()
        });
        // While the lock is held it gets no further than the lock's line.
        let held = mutex.try_lock().unwrap();
        assert!(poll(goes.as_mut(), Waker::noop()).is_pending());
        drop(goes);
        drop(held);
        thread.join().unwrap();
        assert!(woken.is_up(), "the notification went with the one who went");
        assert!(poll(stays.as_mut(), &waker).is_ready());
    });
}
