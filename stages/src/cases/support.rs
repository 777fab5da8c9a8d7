//! What the cases share.

use super::Stream;
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

/// The cases of a chapter: each a generic function and the hint for whoever fails it.
macro_rules! cases {
    ($chapter:literal: $($case:ident: $hint:literal,)*) => {
        pub(super) fn cases<R: Runtime>() -> Vec<Case> {
            vec![$(Case { chapter: $chapter, name: stringify!($case), hint: $hint, run: $case::<R> }),*]
        }
    };
}
pub(super) use cases;

/// Counts, from wherever.
#[derive(Clone, Default)]
pub(super) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(super) fn up(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Counts its drops.
pub(super) struct Dropped(pub(super) Count);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.up();
    }
}

/// A waker that only counts.
pub(super) struct Woken(pub(super) Count);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.up();
    }
}

/// A future that counts its polls.
pub(super) struct Polled<F> {
    pub(super) future: Pin<Box<F>>,
    pub(super) polls: Count,
}

pub(super) fn polled<F: Future>(polls: &Count, future: F) -> Polled<F> {
    Polled { future: Box::pin(future), polls: polls.clone() }
}

impl<F: Future> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.up();
        self.future.as_mut().poll(context)
    }
}

/// One poll, with the waker of the task.
pub(super) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Polls this, which must not be ready.
macro_rules! waits {
    ($future:ident) => {
        assert!(
            super::support::poll_once($future.as_mut()).await.is_pending(),
            "`{}` is ready too early",
            stringify!($future)
        )
    };
}
pub(super) use waits;

/// A task polls this first, and then another one does. How often the second is woken.
pub(super) fn moves_to_another_task<F: Future>(mut future: Pin<&mut F>) -> Count {
    let wakes = Count::default();
    for waker in [Waker::noop().clone(), Arc::new(Woken(wakes.clone())).into()] {
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "it is ready too early");
    }
    wakes
}

/// A task that runs inside its waker: to wake it is to poll it. Whoever wakes it under a lock that it needs waits for itself.
pub(super) struct AtOnce<T> {
    /// Taken out while it is polled.
    future: Mutex<Option<Pin<Box<dyn Future<Output = T> + Send>>>>,
    output: Mutex<Option<T>>,
}

impl<T: Send + 'static> AtOnce<T> {
    /// It has been polled once, and waits.
    pub(super) fn start(future: impl Future<Output = T> + Send + 'static) -> Arc<Self> {
        let task = Arc::new(AtOnce { future: Mutex::new(Some(Box::pin(future))), output: Mutex::new(None) });
        task.clone().wake();
        assert!(task.output().is_none(), "it is ready too early");
        task
    }

    /// Its output, if it is over. Given once.
    pub(super) fn output(&self) -> Option<T> {
        self.output.lock().unwrap().take()
    }
}

impl<T: Send + 'static> Wake for AtOnce<T> {
    fn wake(self: Arc<Self>) {
        let Some(mut future) = self.future.lock().unwrap().take() else { return };
        match future.as_mut().poll(&mut Context::from_waker(&self.clone().into())) {
            Poll::Ready(output) => *self.output.lock().unwrap() = Some(output),
            Poll::Pending => *self.future.lock().unwrap() = Some(future),
        }
    }
}

/// Lets the other tasks go as far as they can.
pub(super) async fn a_few_turns<R: super::Runtime>() {
    for _ in 0..10 {
        R::yield_now().await;
    }
}

/// A gate that is opened once, from wherever, and lets one who waits pass. Only the latest waker is woken.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Mutex<GateState>>);

#[derive(Default)]
struct GateState {
    open: bool,
    waker: Option<Waker>,
}

impl Gate {
    pub(super) fn open(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.open = true;
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.lock().unwrap().open
    }

    /// Opened by another thread, after so long.
    pub(super) fn open_later(&self, time: Duration) -> thread::JoinHandle<()> {
        let gate = self.clone();
        thread::spawn(move || {
            thread::sleep(time);
            gate.open();
        })
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.open {
            return Poll::Ready(());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// What happened, in its order.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    #[track_caller]
    pub(super) fn expect(&self, expected: &[&str]) {
        let said = self.0.lock().unwrap();
        assert_eq!(*said, expected, "(left: what happened; right: what should have)");
    }
}

pub(super) async fn read(from: &impl Stream, buffer: &mut [u8]) -> io::Result<usize> {
    poll_fn(|context| from.poll_read(context, buffer)).await
}

pub(super) async fn write(to: &impl Stream, bytes: &[u8]) -> io::Result<usize> {
    poll_fn(|context| to.poll_write(context, bytes)).await
}

pub(super) async fn write_all(to: &impl Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = write(to, bytes).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}
