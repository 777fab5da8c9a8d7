//! tokio: the current-thread runtime for one worker, the multi-thread one for more.

use super::{Listener, Side, Stream, Unwrapped};
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

pub(crate) struct Tokio(Runtime);

impl Side for Tokio {
    type Joined<T: Send + 'static> = Unwrapped<JoinHandle<T>>;
    type Remote = Handle;
    type Listener = TcpListener;

    fn new(workers: usize) -> Self {
        let runtime = match workers {
            1 => Builder::new_current_thread().enable_all().build(),
            _ => Builder::new_multi_thread().worker_threads(workers).enable_all().build(),
        };
        Self(runtime.expect("descriptors and threads for tokio"))
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
        Unwrapped(tokio::spawn(future))
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
        tokio::task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(duration)
    }

    fn spawn_blocking<T: Send + 'static>(
        job: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        Unwrapped(tokio::task::spawn_blocking(job))
    }

    fn listen(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Stream for TcpStream {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        poll_fn(|context| Pin::new(&mut *self).poll_read(context, &mut buffer)).await?;
        Ok(buffer.filled().len())
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *self).poll_write(context, bytes)).await
    }
}
