//! smol, put together from its parts as the `smol` crate does: one executor for the process, run by as many threads as wanted,
//! each of which waits in async-io.

use super::{Listener, Side, Stream};
use crate::side_by_side::oneshot::{Sender, oneshot};
use async_executor::{Executor, Task};
use async_io::Async;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use std::{
    future::Future,
    io,
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

static EXECUTOR: Executor<'static> = Executor::new();

pub(crate) struct Smol {
    /// None for one worker, which is the thread that blocks.
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Side for Smol {
    type Joined<T: Send + 'static> = Task<T>;
    type Remote = ();
    type Listener = Async<TcpListener>;

    fn new(workers: usize) -> Self {
        let threads = if workers == 1 { 0 } else { workers };
        let start = |_| {
            let (stop, stopped) = oneshot();
            (stop, thread::spawn(|| async_io::block_on(EXECUTOR.run(stopped))))
        };
        Self { threads: (0..threads).map(start).collect() }
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        if self.threads.is_empty() { async_io::block_on(EXECUTOR.run(future)) } else { future::block_on(future) }
    }

    fn remote(&self) {}

    fn spawn<F>(future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        EXECUTOR.spawn(future)
    }

    fn spawn_from_outside<F>((): &(), future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        EXECUTOR.spawn(future)
    }

    fn detach<T: Send + 'static>(joined: Task<T>) {
        joined.detach();
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        future::yield_now()
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }

    fn spawn_blocking<T: Send + 'static>(
        job: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        blocking::unblock(job)
    }

    fn listen(listener: TcpListener) -> io::Result<Async<TcpListener>> {
        Async::new(listener)
    }
}

impl Drop for Smol {
    fn drop(&mut self) {
        let (stops, threads): (Vec<_>, Vec<_>) = self.threads.drain(..).unzip();
        stops.into_iter().for_each(|stop| stop.send(()));
        threads.into_iter().for_each(|thread| thread.join().expect("smol's thread ends well"));
    }
}

impl Listener for Async<TcpListener> {
    type Stream = Async<TcpStream>;

    async fn accept(&self) -> io::Result<Async<TcpStream>> {
        let (stream, _) = Async::<TcpListener>::accept(self).await?;
        stream.get_ref().set_nodelay(true)?;
        Ok(stream)
    }
}

impl Stream for Async<TcpStream> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        AsyncReadExt::read(self, buffer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        AsyncWriteExt::write(self, bytes).await
    }
}
