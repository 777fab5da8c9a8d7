//! Children and their parent under loom: who wakes is on a thread of its own.

use super::{FuturesUnordered, few::Few};
use crate::std_or_loom::{Flag, Mutex, model};
use futures_core::Stream;
use loom::thread;
use std::{
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// Ready when it was raised; who raises it wakes the waker that was left.
#[derive(Clone)]
struct Raised(Arc<Mutex<(bool, Option<Waker>)>>);

impl Raised {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((false, None))))
    }

    fn raise(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            state.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Future for Raised {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        state.1 = Some(context.waker().clone());
        if state.0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Two children of a set are woken on two threads while the set is polled: whoever is not found in that poll was told of to the
/// task, and is found in the next one.
/// Broken by: `wait_unless` leaving the parent's waker without another look at the list under the same lock.
#[test]
fn a_child_that_wakes_is_found_or_announced() {
    model("future_children", 2, || {
        let children = [Raised::new(), Raised::new()];
        let mut set: FuturesUnordered<_> = children.iter().cloned().collect();
        let (_, first) = Flag::waker();
        assert!(Pin::new(&mut set).poll_next(&mut Context::from_waker(&first)).is_pending());
        let threads = children.map(|child| thread::spawn(move || child.raise()));
        let (woken, waker) = Flag::waker();
        let mut found = 0;
        while Pin::new(&mut set).poll_next(&mut Context::from_waker(&waker)) == Poll::Ready(Some(())) {
            found += 1;
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(found == 2 || woken.is_up(), "a child woke, and the task was not told");
        while Pin::new(&mut set).poll_next(&mut Context::from_waker(&waker)) == Poll::Ready(Some(())) {
            found += 1;
        }
        assert_eq!(found, 2, "a child woke, and is not polled");
    });
}

/// The same for a few, which have no list: their marks are looked at after the parent's waker was left.
/// Broken by: `listen` after the marks were looked at.
#[test]
fn one_of_a_few_that_wakes_is_found_or_announced() {
    model("future_few", 2, || {
        let mut children = [Raised::new(), Raised::new()];
        let others = children.clone();
        let mut few = Few::biased(2);
        let mut found = 0;
        let mut poll = |waker: &Waker| {
            let mut context = Context::from_waker(waker);
            let _: Poll<()> = few.poll(&mut context, |number, context| {
                found += usize::from(Pin::new(&mut children[number]).poll(context).is_ready());
                ControlFlow::Continue(())
            });
            found
        };
        let (_, first) = Flag::waker();
        // The third one gives each a waker of its own.
        assert_eq!((poll(&first), poll(&first), poll(&first)), (0, 0, 0));
        let threads = others.map(|child| thread::spawn(move || child.raise()));
        let (woken, waker) = Flag::waker();
        let found = poll(&waker);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(found == 2 || woken.is_up(), "a child woke, and the task was not told");
        assert!(poll(&waker) >= 2, "a child woke, and is not polled");
    });
}
