//! The standard output, and the standard error output.

use super::OnPool;
use futures_io::AsyncWrite;
use std::{
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll},
};

/// The standard output of the process.
///
/// What is written goes the way of `println!`, on a blocking thread: neither tears the other's lines apart, if each line is
/// written at once. A write is under way when it returns; [flush](futures_io::AsyncWrite::poll_flush) to be sure that it is out,
/// and before the runtime ends.
///
/// ```
/// use futures_lite::AsyncWriteExt;
/// runtime::block_on(async {
///     let mut out = runtime::io::stdout();
///     out.write_all(b"hello\n").await?;
///     out.flush().await
/// }).unwrap();
/// ```
pub fn stdout() -> Stdout {
    Stdout(OnPool::new(io::stdout()))
}

/// The standard error output of the process: as [`stdout`].
///
/// ```
/// use futures_lite::AsyncWriteExt;
/// runtime::block_on(async {
///     let mut err = runtime::io::stderr();
///     err.write_all(b"oh no\n").await?;
///     err.flush().await
/// }).unwrap();
/// ```
pub fn stderr() -> Stderr {
    Stderr(OnPool::new(io::stderr()))
}

/// Writes to the standard output: see [`stdout`].
///
/// # Cancel safety
/// What a write has taken is written, also if the future of the flush or this itself is dropped. A write that has begun cannot
/// be stopped: while nobody reads the other end of a full pipe, it holds a blocking thread.
///
/// ```
/// let out: runtime::io::Stdout = runtime::io::stdout();
/// ```
#[derive(Debug)]
pub struct Stdout(OnPool<io::Stdout>);

/// Writes to the standard error output: see [`stderr`].
///
/// # Cancel safety
/// As that of [`Stdout`].
///
/// ```
/// let err: runtime::io::Stderr = runtime::io::stderr();
/// ```
#[derive(Debug)]
pub struct Stderr(OnPool<io::Stderr>);

/// There is nothing that was read ahead.
fn write(to: &mut impl Write, _: u64, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

impl AsyncWrite for Stdout {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(context, bytes, write)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(context)
    }

    /// Flushes. The standard output stays open.
    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

impl AsyncWrite for Stderr {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(context, bytes, write)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(context)
    }

    /// Flushes. The standard error output stays open.
    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
