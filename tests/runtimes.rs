//! The book's cases on runtimes that nobody wrote for them: the finished one, tokio and smol's crates. What is asked of a reader
//! must be what a runtime does.

use futures_lite::FutureExt;
use runtime::JoinError;
use stages::cases::{Ended, Handle, Runtime};
use std::{
    any::Any,
    cell::RefCell,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    rc::Rc,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

struct Ours;

impl Runtime for Ours {
    fn block_on<F: Future>(future: F) -> F::Output {
        runtime::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(runtime::spawn(task));
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        runtime::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        OurHandle(runtime::spawn(task))
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        runtime::time::sleep(time)
    }

    async fn timeout<F: Future<Output: Send> + Send>(time: Duration, future: F) -> Option<F::Output> {
        runtime::time::timeout(time, future).await.ok()
    }
}

struct OurHandle<T>(runtime::JoinHandle<T>);

impl<T> Future for OurHandle<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let output = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(output.map_err(|error| match error {
            JoinError::Cancelled => Ended::Cancelled,
            JoinError::Panicked(panic) => Ended::Panicked(panic.message().unwrap_or_default().to_owned()),
        }))
    }
}

impl<T: Send + 'static> Handle<T> for OurHandle<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

struct Tokio;

impl Runtime for Tokio {
    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        TokiosHandle(tokio::spawn(task))
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }

    async fn timeout<F: Future<Output: Send> + Send>(time: Duration, future: F) -> Option<F::Output> {
        tokio::time::timeout(time, future).await.ok()
    }
}

struct TokiosHandle<T>(tokio::task::JoinHandle<T>);

impl<T> Future for TokiosHandle<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let output = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(
            output
                .map_err(|error| if error.is_cancelled() { Ended::Cancelled } else { panicked(&*error.into_panic()) }),
        )
    }
}

impl<T: Send + 'static> Handle<T> for TokiosHandle<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

/// smol's own `block_on` leaves the tasks of its global executor where they are; this is what its users write for one of their own.
struct Smol;

thread_local! {
    static EXECUTOR: RefCell<Option<Rc<async_executor::Executor<'static>>>> = const { RefCell::new(None) };
}

fn executor() -> Rc<async_executor::Executor<'static>> {
    EXECUTOR.with_borrow(Clone::clone).expect("inside block_on")
}

impl Runtime for Smol {
    fn block_on<F: Future>(future: F) -> F::Output {
        let executor = Rc::new(async_executor::Executor::new());
        EXECUTOR.set(Some(executor.clone()));
        let output = async_io::block_on(executor.run(future));
        // The last of it: with it go its tasks.
        EXECUTOR.set(None);
        output
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        executor().spawn(task).detach();
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        futures_lite::future::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        SmolsHandle(Mutex::new(Smols::Runs(executor().spawn(AssertUnwindSafe(task).catch_unwind()))))
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        let timer = async_io::Timer::after(time);
        async move {
            timer.await;
        }
    }

    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        async move { Some(future.await) }.or(async move {
            async_io::Timer::after(time).await;
            None
        })
    }
}

/// What comes of a task: its output, or the panic that it ended with.
type Caught<T> = Result<T, Box<dyn Any + Send>>;

/// smol's handle cancels its task when it is dropped, and takes itself to cancel it: here it detaches, and can be told by reference.
enum Smols<T> {
    Runs(async_executor::Task<Caught<T>>),
    Cancelling(Pin<Box<dyn Future<Output = Option<Caught<T>>> + Send>>),
    Over,
}

struct SmolsHandle<T>(Mutex<Smols<T>>);

impl<T: Send + 'static> SmolsHandle<T> {
    fn state(&self) -> MutexGuard<'_, Smols<T>> {
        self.0.lock().unwrap()
    }
}

impl<T: Send + 'static> Future for SmolsHandle<T> {
    type Output = Result<T, Ended>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.state();
        let caught = match &mut *state {
            Smols::Runs(task) => Some(ready!(Pin::new(task).poll(context))),
            Smols::Cancelling(cancelling) => ready!(cancelling.as_mut().poll(context)),
            Smols::Over => panic!("polled after its end"),
        };
        *state = Smols::Over;
        Poll::Ready(match caught {
            Some(Ok(output)) => Ok(output),
            Some(Err(panic)) => Err(panicked(&*panic)),
            None => Err(Ended::Cancelled),
        })
    }
}

impl<T: Send + 'static> Handle<T> for SmolsHandle<T> {
    fn abort(&self) {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, Smols::Over) {
            Smols::Runs(task) => {
                let mut cancelling = task.cancel().boxed();
                // Its first poll is what cancels; that it is over already, nobody is told yet.
                match cancelling.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(caught) => Smols::Cancelling(std::future::ready(caught).boxed()),
                    Poll::Pending => Smols::Cancelling(cancelling),
                }
            }
            state => state,
        };
    }
}

impl<T> Drop for SmolsHandle<T> {
    fn drop(&mut self) {
        if let Smols::Runs(task) = std::mem::replace(self.0.get_mut().unwrap(), Smols::Over) {
            task.detach();
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Ended {
    Ended::Panicked(panic.downcast_ref::<&str>().map_or_else(|| "?".to_owned(), |text| (*text).to_owned()))
}

stages::judge! {
    "runtime", 9: Ours;
    "tokio", 9: Tokio;
    "smol", 9: Smol;
}
