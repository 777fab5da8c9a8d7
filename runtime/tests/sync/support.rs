//! What the tests of the primitives share: polls by hand, wakers that are watched, futures that are cut short.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

/// Counts how often it is woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    pub(crate) fn waker() -> (Arc<Wakes>, Waker) {
        let wakes = Arc::<Wakes>::default();
        (wakes.clone(), Waker::from(wakes))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// One poll, with nobody to wake.
pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The smallest executor that there is: it parks its thread.
pub(crate) fn by_hand<F: Future>(future: F) -> F::Output {
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

/// Polls `future` `polls` times at most, whenever it is woken, and then drops it where it stands: `None`.
///
/// With `0, 1, 2, …` until it comes to an end by itself, that is every place at which it can be cancelled.
pub(crate) fn cut_after<F: Future>(polls: usize, future: F) -> CutAfter<F> {
    CutAfter { future: Some(Box::pin(future)), left: polls }
}

pub(crate) struct CutAfter<F> {
    future: Option<Pin<Box<F>>>,
    left: usize,
}

/// The future is in a box.
impl<F> Unpin for CutAfter<F> {}

impl<F: Future> Future for CutAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(future) = &mut this.future else { panic!("polled when it was over") };
        if this.left > 0 {
            this.left -= 1;
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                this.future = None;
                return Poll::Ready(Some(output));
            }
            // Cut when it is woken again, not in the poll that said `Pending`: so a waiter that was chosen meanwhile is cut too.
            return Poll::Pending;
        }
        this.future = None;
        Poll::Ready(None)
    }
}

/// Runs `scenario` with one cut after another: `scenario(n)` says whether what was cut after `n` polls was cut indeed. It ends
/// when nothing is left to cut; that there was something to cut is checked.
pub(crate) fn at_every_poll(mut scenario: impl FnMut(usize) -> bool) {
    for polls in 0..1_000 {
        if !scenario(polls) {
            assert!(polls > 0, "nothing was cut");
            return;
        }
    }
    panic!("after a thousand polls it had not come to its end");
}

/// A waker that calls back when it is woken and when it is dropped.
struct CallsBack(Box<dyn Fn() + Send + Sync>);

impl Wake for CallsBack {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

impl Drop for CallsBack {
    fn drop(&mut self) {
        // A second panic would end the process.
        if !thread::panicking() {
            (self.0)();
        }
    }
}

/// Waits with wakers that call back into the primitive: one waker is replaced, and so dropped; one is dropped with its wait;
/// one is woken by `happen`. A primitive that holds its own lock while it does so never returns. (Bug bank, R11.)
pub(crate) fn wakers_may_call_back<W: Future>(
    wait: impl Fn() -> W,
    happen: impl Fn(),
    call_back: impl Fn() + Send + Sync + 'static,
) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let call_back = Arc::new(move || {
        call_back();
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let poll = |wait: Pin<&mut W>| {
        let call_back = call_back.clone();
        let waker = Waker::from(Arc::new(CallsBack(Box::new(move || call_back()))));
        wait.poll(&mut Context::from_waker(&waker)).is_pending()
    };
    {
        let mut given_up = pin!(wait());
        assert!(poll(given_up.as_mut()) && poll(given_up.as_mut()), "it was to wait");
    }
    let mut wait = pin!(wait());
    assert!(poll(wait.as_mut()), "it was to wait");
    let before = calls.load(Ordering::SeqCst);
    happen();
    assert!(calls.load(Ordering::SeqCst) >= before + 2, "it was not woken, and its waker dropped after that");
}
