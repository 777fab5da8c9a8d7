//! Permits under loom: they come, go, and are waited for, and somebody gives up.

use super::*;
use crate::std_or_loom::{Flag, model};
use loom::thread;
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

/// Runs a future to its end on a thread of a model.
pub(in crate::sync) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls `acquire_many(wants)` once, and gives up. What it was given by then, or is given meanwhile, it gives back.
fn give_up(semaphore: &Semaphore, wants: usize) {
    let mut acquire = pin!(semaphore.acquire_many(wants));
    drop(acquire.as_mut().poll(&mut Context::from_waker(Waker::noop())));
}

/// One wants two permits and gives up, one behind it or before it wants one, and a permit comes back: the one gets it, or is
/// told that it can have it; and in the end there are as many permits as in the beginning, and nobody is in line.
/// Broken by: `Wait::drop` not letting those behind it try (the loop in `with_line` left out if it is called from there).
#[test]
fn batch_acquire_and_release_with_cancellation() {
    model("semaphore_batch", 3, || {
        let semaphore = Arc::new(Semaphore::new(2));
        let permit = semaphore.clone().try_acquire_owned().unwrap();
        let releasing = thread::spawn(move || drop(permit));
        let many = semaphore.clone();
        let giving_up = thread::spawn(move || give_up(&many, 2));
        let (woken, waker) = Flag::waker();
        let mut one = Box::pin(semaphore.acquire());
        let mut polled = one.as_mut().poll(&mut Context::from_waker(&waker));
        releasing.join().unwrap();
        giving_up.join().unwrap();
        if polled.is_pending() {
            assert!(woken.is_up(), "there is a permit, and it was not told");
            polled = one.as_mut().poll(&mut Context::from_waker(&waker));
        }
        let Poll::Ready(permit) = polled else { panic!("it was told, and there is none") };
        drop(permit);
        drop(one);
        assert_eq!(semaphore.try_acquire_many(2).map(Permit::forget), Ok(()), "permits are lost, or a place is held");
    });
}

/// A release that comes while somebody lines up is seen by it, or sees it. (Bug bank, R42.)
/// Broken by: `wait` looking at the word before it freezes it; `add` looking for `LINE` and then adding, in two steps.
#[test]
fn a_release_is_seen_by_one_who_lines_up_or_sees_it() {
    model("semaphore_release", 3, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let adding = semaphore.clone();
        let thread = thread::spawn(move || adding.add_permits(1));
        let (woken, waker) = Flag::waker();
        let mut acquire = pin!(semaphore.acquire());
        let polled = acquire.as_mut().poll(&mut Context::from_waker(&waker));
        thread.join().unwrap();
        assert!(polled.is_ready() || woken.is_up(), "the permit is there, and it was not told");
        if polled.is_pending() {
            assert!(acquire.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        }
    });
}

/// Two wait, one permit comes, and the first gives up at any moment: the second is told. (Bug bank, R12 and R13.)
/// Broken by: `Wait::drop` not giving back what a chosen waiter was given.
#[test]
fn a_waiter_that_gives_up_passes_its_permit_on() {
    model("semaphore_give_up", 3, || {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut first = Box::pin(semaphore.clone().acquire_owned());
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let (woken, waker) = Flag::waker();
        let mut second = pin!(semaphore.acquire());
        assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let giving_up = thread::spawn(move || drop(first));
        let adding = semaphore.clone();
        let releasing = thread::spawn(move || adding.add_permits(1));
        giving_up.join().unwrap();
        releasing.join().unwrap();
        assert!(woken.is_up(), "the permit went with the one who gave up");
        assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    });
}

/// Whoever waits while the semaphore is closed, and while a permit comes back, is told of the one or the other; a permit that
/// it does not get is free.
/// Broken by: `close` setting the bit after it has told those in line, and without the lock.
#[test]
fn a_close_is_told_to_those_who_line_up() {
    model("semaphore_close", 3, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.clone().try_acquire_owned().unwrap();
        let closing = semaphore.clone();
        let closes = thread::spawn(move || closing.close());
        let releases = thread::spawn(move || drop(permit));
        let (woken, waker) = Flag::waker();
        let mut acquire = Box::pin(semaphore.acquire());
        let mut polled = acquire.as_mut().poll(&mut Context::from_waker(&waker));
        closes.join().unwrap();
        releases.join().unwrap();
        if polled.is_pending() {
            assert!(woken.is_up(), "it waits for a semaphore that is closed");
            polled = acquire.as_mut().poll(&mut Context::from_waker(&waker));
        }
        let Poll::Ready(acquired) = polled else { panic!("it was told nothing") };
        drop(acquired);
        drop(acquire);
        assert_eq!(semaphore.available_permits(), 1);
        assert!(semaphore.is_closed());
    });
}

/// Whoever asks without waiting never finds a permit missing: of two who ask for one of two permits, both have it; and who finds
/// somebody in line leaves the word as it was.
/// Broken by: `take` not trying again when its comparison fails.
#[test]
fn who_asks_without_waiting_gets_what_is_there() {
    model("semaphore_try", 3, || {
        let semaphore = Arc::new(Semaphore::new(2));
        let others = semaphore.clone();
        let asking = thread::spawn(move || others.try_acquire_owned().is_ok());
        assert!(semaphore.try_acquire().is_ok());
        assert!(asking.join().unwrap());
        assert_eq!(semaphore.available_permits(), 2);
    });
}
