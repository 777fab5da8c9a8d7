//! Chapter 8: a handle whose drop cancels.

use stages::{
    s06_executor::{block_on, spawn, yield_now},
    s08_join::{JoinError, JoinHandle, joinable},
};
use std::{
    cell::Cell,
    future::{Future, pending},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

// ANCHOR: owns
/// A handle that owns its task: while it lives the task may run, and not longer.
pub(crate) trait Owns<T>: Future<Output = Result<T, JoinError>> + Unpin {
    fn new(handle: JoinHandle<T>) -> Self;

    /// Lets the task run on, whatever happens to the handle.
    fn detach(self) -> JoinHandle<T>;
}
// ANCHOR_END: owns

mod starter {
    use super::*;

    // ANCHOR: starter
    /// TODO: its drop aborts the task, unless it was detached.
    pub(crate) struct Owned<T> {
        handle: JoinHandle<T>,
    }

    impl<T> Owns<T> for Owned<T> {
        fn new(handle: JoinHandle<T>) -> Self {
            Owned { handle }
        }

        fn detach(self) -> JoinHandle<T> {
            self.handle
        }
    }

    impl<T> Future for Owned<T> {
        type Output = Result<T, JoinError>;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            Pin::new(&mut self.handle).poll(context)
        }
    }
    // ANCHOR_END: starter

    pub(crate) fn new(handle: JoinHandle<u32>) -> Owned<u32> {
        Owned::new(handle)
    }
}

mod solution {
    use super::*;

    // ANCHOR: solution
    pub(crate) struct Owned<T> {
        /// `None`: detached. A field cannot be moved out of a type that has a `drop`, but out of an `Option` it can be taken.
        handle: Option<JoinHandle<T>>,
    }

    impl<T> Owns<T> for Owned<T> {
        fn new(handle: JoinHandle<T>) -> Self {
            Owned { handle: Some(handle) }
        }

        fn detach(mut self) -> JoinHandle<T> {
            self.handle.take().expect("only `detach` takes it")
        }
    }

    impl<T> Future for Owned<T> {
        type Output = Result<T, JoinError>;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            Pin::new(self.handle.as_mut().expect("only `detach` takes it")).poll(context)
        }
    }

    impl<T> Drop for Owned<T> {
        fn drop(&mut self) {
            // One that is over is left alone by `abort`.
            self.handle.iter().for_each(JoinHandle::abort);
        }
    }
    // ANCHOR_END: solution

    pub(crate) fn new(handle: JoinHandle<u32>) -> Owned<u32> {
        Owned::new(handle)
    }
}

/// Counts its drops.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn spawned(task: impl Future<Output = u32> + Send + 'static) -> JoinHandle<u32> {
    let (task, handle) = joinable(task);
    spawn(task);
    handle
}

async fn turns() {
    for _ in 0..5 {
        yield_now().await;
    }
}

fn check<O: Owns<u32>>(new: fn(JoinHandle<u32>) -> O) {
    let drops = Arc::new(AtomicUsize::new(0));
    let waits = || {
        let owned = Dropped(drops.clone());
        async move {
            let _owned = owned;
            pending().await
        }
    };
    let dropped = || drops.load(Ordering::Relaxed);
    block_on(async {
        let owned = new(spawned(waits()));
        turns().await;
        assert_eq!(dropped(), 0, "it may run while its handle lives");
        drop(owned);
        turns().await;
        assert_eq!(dropped(), 1, "its handle is dropped, and the task goes on");

        assert_eq!(new(spawned(async { 7 })).await.unwrap(), 7);

        drop(new(spawned(waits())).detach());
        turns().await;
        assert_eq!(dropped(), 1, "it was detached, and must go on");

        // A future that is dropped takes along the tasks whose handles it owns: this is what it is good for.
        let (owned, left) = (new(spawned(waits())), Rc::new(Cell::new(false)));
        let waits_for_it = async {
            let _ = owned.await;
            left.set(true);
        };
        let mut waits_for_it = Box::pin(waits_for_it);
        std::future::poll_fn(|context| {
            assert!(waits_for_it.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(waits_for_it);
        turns().await;
        assert_eq!((dropped(), left.get()), (2, false), "the one who waited is gone, and the task goes on");
    });
}

crate::judge! { check(new), the starter fails with "its handle is dropped, and the task goes on" }
