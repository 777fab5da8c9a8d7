//! The cell under loom: several ask at once, and one makes the value.

use super::*;
use crate::{
    std_or_loom::{AtomicUsize, Flag, Ordering, model},
    sync::semaphore::loom_models::block_on,
};
use loom::thread;
use std::{
    future::pending,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// Of several who ask at once one makes the value, and all have it.
/// Broken by: `get_or_try_init` making the value without the permit.
#[test]
fn one_makes_it_and_all_have_it() {
    model("once_cell_once", 3, || {
        let cell = Arc::new(OnceCell::new());
        let made = Arc::new(AtomicUsize::new(0));
        let threads = [0, 1].map(|_| {
            let (cell, made) = (cell.clone(), made.clone());
            thread::spawn(move || {
                // Loom does not know `OnceLock`: what it knows, and what both touch, lets it try every order of their first looks.
                made.load(Ordering::SeqCst);
                *block_on(cell.get_or_init(async || made.fetch_add(1, Ordering::SeqCst) + 1))
            })
        });
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [1, 1]);
        assert_eq!(made.load(Ordering::SeqCst), 1);
    });
}

/// One who is making the value and is dropped lets the next make it.
/// Broken by: `Making` without its `drop`.
#[test]
fn who_gives_up_lets_the_next_make_it() {
    model("once_cell_give_up", 3, || {
        let cell = Arc::new(OnceCell::new());
        let other = cell.clone();
        let mut making = Box::pin(async move { *other.get_or_init(pending::<u8>).await });
        assert!(making.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let giving_up = thread::spawn(move || drop(making));
        let (woken, waker) = Flag::waker();
        let mut next = pin!(cell.get_or_init(async || 2));
        let mut polled = next.as_mut().poll(&mut Context::from_waker(&waker));
        giving_up.join().unwrap();
        if polled.is_pending() {
            assert!(woken.is_up(), "nobody makes the value, and it was not told");
            polled = next.as_mut().poll(&mut Context::from_waker(&waker));
        }
        assert_eq!(polled, Poll::Ready(&2));
    });
}
