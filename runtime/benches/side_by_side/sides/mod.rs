//! The runtimes that are compared, behind one trait: each workload is written once, and compiled for each of them.

mod ours;
mod smol;
mod tokio;

pub(crate) use self::{ours::Ours, smol::Smol, tokio::Tokio};

use std::{
    fmt::Debug,
    future::Future,
    io,
    pin::Pin,
    str::FromStr,
    task::{Context, Poll},
    time::Duration,
};

/// Names a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Ours,
    Tokio,
    Smol,
}

impl Name {
    pub(crate) const ALL: [Name; 3] = [Name::Ours, Name::Tokio, Name::Smol];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Name::Ours => "ours",
            Name::Tokio => "tokio",
            Name::Smol => "smol",
        }
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Name::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| format!("no side is called {text}"))
    }
}

/// A runtime, made for one sample.
pub(crate) trait Side: 'static {
    type Joined<T: Send + 'static>: Future<Output = T> + Send + 'static;
    /// Reaches the runtime from a thread that is none of its own.
    type Remote: Send + 'static;
    type Listener: Listener;

    fn new(workers: usize) -> Self;

    fn block_on<F: Future>(&self, future: F) -> F::Output;

    fn remote(&self) -> Self::Remote;

    fn spawn<F>(future: F) -> Self::Joined<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    fn spawn_from_outside<F>(remote: &Self::Remote, future: F) -> Self::Joined<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    fn detach<T: Send + 'static>(joined: Self::Joined<T>);

    fn yield_now() -> impl Future<Output = ()> + Send + 'static;

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    fn spawn_blocking<T: Send + 'static>(
        job: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;

    fn listen(listener: std::net::TcpListener) -> io::Result<Self::Listener>;
}

pub(crate) trait Listener: Send + Sync + 'static {
    type Stream: Stream;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A connection. Both calls do as much as they can at once, as `read` and `write` of the system do.
pub(crate) trait Stream: Send + 'static {
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;
}

/// A handle whose task is known not to fail.
pub(crate) struct Unwrapped<H>(pub(crate) H);

impl<T, E: Debug, H: Future<Output = Result<T, E>> + Unpin> Future for Unwrapped<H> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(context).map(|output| output.expect("no task here fails"))
    }
}
