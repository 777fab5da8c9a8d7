//! Ours.

use super::{Listener, Side, Stream, Unwrapped};
use runtime::{AsyncFd, Handle, JoinHandle, Runtime};
use std::{
    future::{Future, poll_fn},
    io,
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// The one place that says how ours is built.
fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().expect("descriptors for a runtime")
}

pub(crate) struct Ours(Runtime);

impl Side for Ours {
    type Joined<T: Send + 'static> = Unwrapped<JoinHandle<T>>;
    type Remote = Handle;
    type Listener = AsyncFd<TcpListener>;

    fn new(workers: usize) -> Self {
        Self(runtime(workers))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn remote(&self) -> Handle {
        self.0.handle().clone()
    }

    fn spawn<F>(future: F) -> Self::Joined<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Unwrapped(runtime::spawn(future))
    }

    fn spawn_from_outside<F>(remote: &Handle, future: F) -> Self::Joined<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Unwrapped(remote.spawn(future))
    }

    fn detach<T: Send + 'static>(joined: Self::Joined<T>) {
        drop(joined);
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        runtime::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        runtime::time::sleep(duration)
    }

    fn spawn_blocking<T: Send + 'static>(
        job: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        Unwrapped(runtime::spawn_blocking(job))
    }

    fn listen(listener: TcpListener) -> io::Result<Self::Listener> {
        listener.set_nonblocking(true)?;
        Ok(AsyncFd::new(listener))
    }
}

impl Listener for AsyncFd<TcpListener> {
    type Stream = AsyncFd<TcpStream>;

    async fn accept(&self) -> io::Result<AsyncFd<TcpStream>> {
        let (stream, _) = self.read_with(TcpListener::accept).await?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(AsyncFd::new(stream))
    }
}

impl Stream for AsyncFd<TcpStream> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_read_bytes(context, buffer)).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_write_bytes(context, bytes)).await
    }
}
