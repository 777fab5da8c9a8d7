//! The cases of the chapters, on every runtime that there is: each stage up to its own chapter, and the finished one, tokio and smol
//! in all, to show that what is asked is fair.
//!
//! A test program that runs itself: each case is a process of its own, so this one has no harness.

use stages::{
    cases::{Ended, Handle, Listener, Runtime, Stream},
    s05_block_on, s06_executor, s07_task_cell, s08_join, s09_timers,
    s10_reactor::{self, Direction, Watched},
    s12_tcp::{AsyncRead, AsyncWrite, TcpListener, TcpStream},
    s18_shared_queue, s19_stealing,
};
use std::{
    future::Future,
    io::{self, Read, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

struct BlockOn;

impl Runtime for BlockOn {
    fn block_on<F: Future>(future: F) -> F::Output {
        s05_block_on::block_on(future)
    }
}

struct Executor;

impl Runtime for Executor {
    // ANCHOR: ch06
    fn block_on<F: Future>(future: F) -> F::Output {
        s06_executor::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s06_executor::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        s06_executor::yield_now()
    }
    // ANCHOR_END: ch06

    // ANCHOR: ch08
    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (task, handle) = s08_join::joinable(task);
        s06_executor::spawn(task);
        Joined(handle)
    }
    // ANCHOR_END: ch08
}

struct TaskCell;

impl Runtime for TaskCell {
    fn block_on<F: Future>(future: F) -> F::Output {
        s07_task_cell::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s07_task_cell::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        s07_task_cell::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (task, handle) = s08_join::joinable(task);
        s07_task_cell::spawn(task);
        Joined(handle)
    }
}

struct Timers;

impl Runtime for Timers {
    fn block_on<F: Future>(future: F) -> F::Output {
        s09_timers::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s09_timers::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        s09_timers::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (task, handle) = s08_join::joinable(task);
        s09_timers::spawn(task);
        Joined(handle)
    }

    // ANCHOR: ch09
    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        s09_timers::sleep(time)
    }

    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        s09_timers::timeout(time, future)
    }
    // ANCHOR_END: ch09
}

struct Reactor;

impl Runtime for Reactor {
    fn block_on<F: Future>(future: F) -> F::Output {
        s10_reactor::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        s10_reactor::spawn(task);
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        s10_reactor::yield_now()
    }

    fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (task, handle) = s08_join::joinable(task);
        s10_reactor::spawn(task);
        Joined(handle)
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        s10_reactor::sleep(time)
    }

    fn timeout<F: Future<Output: Send> + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send {
        s10_reactor::timeout(time, future)
    }

    // ANCHOR: watch
    fn watch(socket: UnixStream) -> io::Result<impl Stream> {
        socket.set_nonblocking(true)?;
        Ok(Pair(Watched::new(mio::net::UnixStream::from_std(socket))?))
    }
    // ANCHOR_END: watch

    // ANCHOR: tcp
    fn listen(address: SocketAddr) -> io::Result<impl Listener> {
        TcpListener::bind(address).map(Listens)
    }

    async fn connect(address: SocketAddr) -> io::Result<impl Stream> {
        TcpStream::connect(address).await.map(Connection)
    }
    // ANCHOR_END: tcp
}

// ANCHOR: pair
struct Pair(Watched<mio::net::UnixStream>);

impl Stream for Pair {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_with(Direction::Read, context, |mut socket| socket.read(buffer))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_with(Direction::Write, context, |mut socket| socket.write(bytes))
    }
}
// ANCHOR_END: pair

// ANCHOR: connection
struct Listens(TcpListener);

impl Listener for Listens {
    type Stream = Connection;

    fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        self.0.poll_accept(context).map_ok(Connection)
    }
}

struct Connection(TcpStream);

impl Stream for Connection {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.0).poll_read(context, buffer)
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.0).poll_write(context, bytes)
    }

    fn shutdown(&self) -> io::Result<()> {
        self.0.shutdown()
    }
}
// ANCHOR_END: connection

/// Two stages with the same face.
macro_rules! many_workers {
    ($Name:ident, $stage:ident) => {
        struct $Name;

        impl Runtime for $Name {
            fn block_on<F: Future>(future: F) -> F::Output {
                $stage::block_on(future)
            }

            fn spawn(task: impl Future<Output = ()> + Send + 'static) {
                $stage::spawn(task);
            }

            fn yield_now() -> impl Future<Output = ()> + Send {
                $stage::yield_now()
            }

            fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
            where
                F: Future<Output: Send + 'static> + Send + 'static,
            {
                let (task, handle) = s08_join::joinable(task);
                $stage::spawn(task);
                Joined(handle)
            }

            fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
                $stage::sleep(time)
            }

            fn timeout<F: Future<Output: Send> + Send>(
                time: Duration,
                future: F,
            ) -> impl Future<Output = Option<F::Output>> + Send {
                $stage::timeout(time, future)
            }

            fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
                $stage::block_on_workers(workers, future)
            }
        }
    };
}

many_workers!(SharedQueue, s18_shared_queue);
many_workers!(Stealing, s19_stealing);

/// The reader's crate after chapter 18: two executors, and what a task calls goes to the one that runs it.
mod two_executors {
    use super::{Connection, Joined, Listens, Pair, TcpListener, TcpStream, Watched};
    use stages::{
        cases::{Handle, Listener, Stream},
        s08_join as join, s10_reactor as executor, s18_shared_queue as workers,
    };
    use std::{io, net::SocketAddr, os::unix::net::UnixStream};
    // ANCHOR: ch18_imports
    use stages::cases::Runtime;
    use std::{
        future::{Future, poll_fn},
        pin::Pin,
        task::Poll,
        time::Duration,
    };
    // ANCHOR_END: ch18_imports

    pub(super) struct TwoExecutors;

    impl Runtime for TwoExecutors {
        fn block_on<F: Future>(future: F) -> F::Output {
            executor::block_on(future)
        }

        fn yield_now() -> impl Future<Output = ()> + Send {
            executor::yield_now()
        }

        // ANCHOR: ch18
        fn block_on_workers<F: Future>(workers: usize, future: F) -> F::Output {
            workers::block_on_workers(workers, future)
        }

        // These were there before.
        fn spawn(task: impl Future<Output = ()> + Send + 'static) {
            if workers::is_current() { workers::spawn(task) } else { executor::spawn(task) }
        }

        fn spawn_with_handle<F>(task: F) -> impl Handle<F::Output>
        where
            F: Future<Output: Send + 'static> + Send + 'static,
        {
            let (task, handle) = join::joinable(task);
            Self::spawn(task);
            Joined(handle)
        }

        fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
            let sleep: Pin<Box<dyn Future<Output = ()> + Send>> =
                if workers::is_current() { Box::pin(workers::sleep(time)) } else { Box::pin(executor::sleep(time)) };
            sleep
        }

        fn timeout<F: Future<Output: Send> + Send>(
            time: Duration,
            future: F,
        ) -> impl Future<Output = Option<F::Output>> + Send {
            // Now, and not at the first poll: the time counts from the call.
            let (mut future, mut sleep) = (Box::pin(future), Box::pin(Self::sleep(time)));
            poll_fn(move |context| {
                if let Poll::Ready(output) = future.as_mut().poll(context) {
                    return Poll::Ready(Some(output));
                }
                sleep.as_mut().poll(context).map(|()| None)
            })
        }
        // ANCHOR_END: ch18

        fn watch(socket: UnixStream) -> io::Result<impl Stream> {
            socket.set_nonblocking(true)?;
            Ok(Pair(Watched::new(mio::net::UnixStream::from_std(socket))?))
        }

        fn listen(address: SocketAddr) -> io::Result<impl Listener> {
            TcpListener::bind(address).map(Listens)
        }

        async fn connect(address: SocketAddr) -> io::Result<impl Stream> {
            TcpStream::connect(address).await.map(Connection)
        }
    }
}

use two_executors::TwoExecutors;

// ANCHOR: joined
/// The handle of stage 8.
struct Joined<T>(s08_join::JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|error| match error {
            s08_join::JoinError::Cancelled => Ended::Cancelled,
            s08_join::JoinError::Panicked(panic) => Ended::Panicked(text(&*panic)),
        })
    }
}

impl<T: Send + 'static> Handle<T> for Joined<T> {
    fn abort(&self) {
        self.0.abort();
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<&str>().map_or_else(|| "?".to_owned(), |text| (*text).to_owned())
}
// ANCHOR_END: joined

stages::judge! {
    "stage 5", 5: BlockOn;
    // What chapter 7 mends is not asked of it.
    "stages 6 and 8", 8 without [7]: Executor;
    "stages 7 and 8", 8: TaskCell;
    "stage 9", 9: Timers;
    "stages 10 and 12", 12: Reactor;
    "stage 18", 19 without [10, 12, 13, 14, 15]: SharedQueue;
    "stages 10, 12 and 18", 18 without [13, 14, 15]: TwoExecutors;
    "stage 19", 19 without [10, 12, 13, 14, 15]: Stealing;
}
