//! The mutex under loom, and with it the cell that its guards lend out: loom watches each access to it.

use super::*;
use crate::{
    std_or_loom::{Flag, model},
    sync::semaphore::loom_models::block_on,
};
use loom::thread;
use std::{
    pin::pin,
    task::{Context, Waker},
};

/// One after the other: what one wrote is there for the next, whether it found the lock free or was handed it.
/// Broken by: `Permits::add` giving back with `Relaxed`; `take` taking with `Relaxed`.
#[test]
fn what_one_wrote_the_next_reads() {
    model("mutex_exclusion", 3, || {
        let mutex = Arc::new(Mutex::new(0));
        let threads = [0, 1].map(|_| {
            let mutex = mutex.clone();
            thread::spawn(move || block_on(async { *mutex.lock().await += 1 }))
        });
        block_on(async { *mutex.lock().await += 1 });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*mutex.try_lock().unwrap(), 3);
    });
}

/// A lock that goes to one who gives up goes on: the next is told, and finds what the last owner wrote.
/// Broken by: `Wait::drop` not giving back what a chosen waiter was given.
#[test]
fn a_lock_handed_to_one_who_gives_up_goes_on() {
    model("mutex_hand_over", 3, || {
        let mutex = Arc::new(Mutex::new(0));
        let mut owner = mutex.clone().try_lock_owned().unwrap();
        let mut given_up = Box::pin(mutex.clone().lock_owned());
        assert!(given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let (woken, waker) = Flag::waker();
        let mut next = pin!(mutex.lock());
        assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let releasing = thread::spawn(move || {
            *owner += 1;
            drop(owner);
        });
        let giving_up = thread::spawn(move || drop(given_up));
        releasing.join().unwrap();
        giving_up.join().unwrap();
        assert!(woken.is_up(), "the lock went with the one who gave up");
        assert_eq!(*block_on(next), 1);
    });
}
