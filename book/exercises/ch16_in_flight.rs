//! Chapter 16: a count that is right whatever becomes of a request.

use std::{
    cell::Cell,
    future::{Future, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

type Request = Pin<Box<dyn Future<Output = u32>>>;

mod starter {
    use super::*;

    // ANCHOR: starter
    /// Awaits the request. As long as that lasts, it counts as one in flight.
    pub(crate) async fn counted(in_flight: &Cell<u32>, request: Request) -> u32 {
        in_flight.set(in_flight.get() + 1);
        let answer = request.await;
        // TODO: a request that is dropped in the middle never comes here, and one that panics neither.
        in_flight.set(in_flight.get() - 1);
        answer
    }
    // ANCHOR_END: starter
}

mod solution {
    use super::*;

    // ANCHOR: solution
    /// One request that counts, until it is dropped.
    struct Counted<'a>(&'a Cell<u32>);

    impl<'a> Counted<'a> {
        fn new(in_flight: &'a Cell<u32>) -> Self {
            in_flight.set(in_flight.get() + 1);
            Counted(in_flight)
        }
    }

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    /// Awaits the request. As long as that lasts, it counts as one in flight.
    pub(crate) async fn counted(in_flight: &Cell<u32>, request: Request) -> u32 {
        let _counted = Counted::new(in_flight);
        request.await
    }
    // ANCHOR_END: solution
}

fn check(counted: impl AsyncFn(&Cell<u32>, Request) -> u32) {
    let in_flight = Cell::new(0);
    let mut cx = Context::from_waker(Waker::noop());

    assert_eq!(pin!(counted(&in_flight, Box::pin(ready(7)))).poll(&mut cx), Poll::Ready(7), "the answer is lost");
    assert_eq!(in_flight.get(), 0, "a request that was answered still counts");
    {
        let mut never = pin!(counted(&in_flight, Box::pin(std::future::pending())));
        assert_eq!(in_flight.get(), 0, "it counts before it was polled: nobody may ever poll it");
        assert!(never.as_mut().poll(&mut cx).is_pending());
        assert_eq!(in_flight.get(), 1, "a request that waits does not count");
    }
    assert_eq!(in_flight.get(), 0, "a request that was dropped still counts");
    let panics = catch_unwind(AssertUnwindSafe(|| {
        let request = Box::pin(async { std::panic::resume_unwind(Box::new("a panic")) });
        let _ = pin!(counted(&in_flight, request)).poll(&mut cx);
    }));
    assert!(panics.is_err(), "the panic is lost");
    assert_eq!(in_flight.get(), 0, "a request that panicked still counts");
}

crate::judge! { check(counted), the starter fails with "a request that was dropped still counts" }
