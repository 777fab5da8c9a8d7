//! The ends of the pipes to and from a child.

use crate::AsyncFd;
use futures_io::{AsyncRead, AsyncWrite};
use mio::unix::pipe;
use std::{
    io,
    pin::Pin,
    process,
    task::{Context, Poll},
};

/// The reading end of a child's output.
///
/// ```
/// use futures_lite::{AsyncBufReadExt, StreamExt, io::BufReader};
/// use runtime::process::Command;
/// use std::process::Stdio;
/// runtime::block_on(async {
///     let mut child = Command::new("sh").args(["-c", "echo one; echo two"]).stdout(Stdio::piped()).spawn()?;
///     let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
///     assert_eq!(lines.next().await.unwrap()?, "one");
///     assert_eq!(lines.next().await.unwrap()?, "two");
///     child.wait().await
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct ChildPipe(AsyncFd<pipe::Receiver>);

/// A child's output.
///
/// ```
/// use futures_lite::AsyncReadExt;
/// use runtime::process::{ChildStdout, Command};
/// use std::process::Stdio;
/// runtime::block_on(async {
///     let mut child = Command::new("echo").arg("42").stdout(Stdio::piped()).spawn()?;
///     let mut output: ChildStdout = child.stdout.take().unwrap();
///     let mut text = String::new();
///     output.read_to_string(&mut text).await?;
///     assert_eq!(text, "42\n");
///     child.wait().await
/// }).unwrap();
/// ```
pub type ChildStdout = ChildPipe;
/// A child's error output.
///
/// ```
/// use runtime::process::{ChildStderr, Command};
/// use std::process::Stdio;
/// runtime::block_on(async {
///     let mut child = Command::new("true").stderr(Stdio::piped()).spawn()?;
///     let errors: Option<ChildStderr> = child.stderr.take();
///     assert!(errors.is_some() && child.stdout.is_none()); // only what was asked for is piped
///     child.wait().await
/// }).unwrap();
/// ```
pub type ChildStderr = ChildPipe;

impl ChildPipe {
    pub(super) fn new(pipe: impl Into<pipe::Receiver>) -> io::Result<Self> {
        let pipe = pipe.into();
        pipe.set_nonblocking(true)?;
        Ok(Self(AsyncFd::new(pipe)))
    }
}

impl AsyncRead for ChildPipe {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read_bytes(context, buffer)
    }
}

/// The writing end of a child's input. Dropping it ends the input.
///
/// ```
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use runtime::process::Command;
/// use std::process::Stdio;
/// runtime::block_on(async {
///     let mut child = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
///     let mut input = child.stdin.take().unwrap();
///     input.write_all(b"wake\npoll\npark\n").await?;
///     drop(input); // now `sort` knows that it has all
///     let mut sorted = String::new();
///     child.stdout.take().unwrap().read_to_string(&mut sorted).await?;
///     assert_eq!(sorted, "park\npoll\nwake\n");
///     child.wait().await
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct ChildStdin(AsyncFd<pipe::Sender>);

impl ChildStdin {
    pub(super) fn new(pipe: process::ChildStdin) -> io::Result<Self> {
        let pipe = pipe::Sender::from(pipe);
        pipe.set_nonblocking(true)?;
        Ok(Self(AsyncFd::new(pipe)))
    }
}

impl AsyncWrite for ChildStdin {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write_bytes(context, buffer)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The input ends when this is dropped; there is nothing to do before.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
