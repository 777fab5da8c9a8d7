//! Child processes, waited for by readiness: the pipes are sources, and so is what tells that a child has ended (its pidfd on
//! Linux, SIGCHLD on macOS). No threads.
//!
//! Every child is collected: by whoever waits for it; else by a task, once its handle is dropped; else, if it outlives the
//! runtime, when this process next has to do with children.
//!
//! ```
//! use futures_lite::{AsyncReadExt, AsyncWriteExt};
//! use runtime::process::Command;
//! use std::process::Stdio;
//! runtime::block_on(async {
//!     let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
//!     child.stdin.take().unwrap().write_all(b"there and back").await?; // and dropped: the input ends
//!     let mut heard = String::new();
//!     child.stdout.take().unwrap().read_to_string(&mut heard).await?;
//!     assert_eq!(heard, "there and back");
//!     assert!(child.wait().await?.success());
//!     std::io::Result::Ok(())
//! }).unwrap();
//! ```

#[cfg(any(not(target_os = "linux"), all(test, not(miri))))]
mod by_signal;
mod orphan;
#[cfg(all(test, not(miri)))]
mod tests;

#[cfg(target_os = "linux")]
use by_pidfd::Ended;
#[cfg(not(target_os = "linux"))]
use by_signal::Ended;

use crate::AsyncFd;
use futures_io::{AsyncRead, AsyncWrite};
use mio::unix::pipe;
use orphan::Orphan;
use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group};
use std::{
    ffi::OsStr,
    io,
    os::unix::process::CommandExt,
    path::Path,
    pin::Pin,
    process::{self, ExitStatus, Output, Stdio},
    task::{Context, Poll},
};

/// A program to be started: [`std::process::Command`], with children that can be awaited.
///
/// ```
/// use runtime::process::Command;
/// runtime::block_on(async {
///     let output = Command::new("echo").arg("hello").output().await?;
///     assert_eq!(output.stdout, b"hello\n");
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    process_group: bool,
    /// `inner` was told of a group, and cannot be told to forget it.
    told_of_group: bool,
    kill_on_drop: bool,
}

impl Command {
    /// Runs `program`, found as [`std::process::Command::new`] finds it.
    ///
    /// ```
    /// use runtime::process::Command;
    /// assert!(runtime::block_on(Command::new("true").output()).unwrap().status.success());
    /// let error = runtime::block_on(Command::new("no such program").output()).unwrap_err();
    /// assert!(error.to_string().starts_with("cannot start no such program: "));
    /// ```
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self { inner: process::Command::new(program), process_group: false, told_of_group: false, kill_on_drop: false }
    }

    /// Adds an argument.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("echo").arg("*").output()).unwrap(); // no shell looks at it
    /// assert_eq!(output.stdout, b"*\n");
    /// ```
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.inner.arg(argument);
        self
    }

    /// Adds arguments.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("sh").args(["-c", "echo $((6 * 7))"]).output()).unwrap();
    /// assert_eq!(output.stdout, b"42\n");
    /// ```
    pub fn args(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.inner.args(arguments);
        self
    }

    /// Sets a variable of the child's environment.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let mut greet = Command::new("sh");
    /// greet.args(["-c", "echo hello $NAME"]).env("NAME", "loom");
    /// assert_eq!(runtime::block_on(greet.output()).unwrap().stdout, b"hello loom\n");
    /// ```
    pub fn env(&mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.inner.env(key, value);
        self
    }

    /// Takes a variable out of the child's environment.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let mut show = Command::new("sh");
    /// show.args(["-c", "echo ${HOME-homeless}"]).env_remove("HOME");
    /// assert_eq!(runtime::block_on(show.output()).unwrap().stdout, b"homeless\n");
    /// ```
    pub fn env_remove(&mut self, key: impl AsRef<OsStr>) -> &mut Self {
        self.inner.env_remove(key);
        self
    }

    /// Where the child starts.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("pwd").current_dir("/").output()).unwrap();
    /// assert_eq!(output.stdout, b"/\n");
    /// ```
    pub fn current_dir(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.inner.current_dir(folder);
        self
    }

    /// What the child reads; inherited by default.
    ///
    /// ```
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("cat").stdin(Stdio::null()).spawn()?;
    ///     assert!(child.stdin.is_none()); // there is no pipe; and `cat` has nothing to read
    ///     assert!(child.wait().await?.success());
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn stdin(&mut self, from: impl Into<Stdio>) -> &mut Self {
        self.inner.stdin(from);
        self
    }

    /// Where the child's output goes; inherited by default.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    ///     let mut text = String::new();
    ///     child.stdout.take().unwrap().read_to_string(&mut text).await?;
    ///     assert_eq!(text, "hello\n");
    ///     child.wait().await
    /// }).unwrap();
    /// ```
    pub fn stdout(&mut self, to: impl Into<Stdio>) -> &mut Self {
        self.inner.stdout(to);
        self
    }

    /// Where the child's error output goes; inherited by default.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sh").args(["-c", "echo oh no >&2"]).stderr(Stdio::piped()).spawn()?;
    ///     let mut text = String::new();
    ///     child.stderr.take().unwrap().read_to_string(&mut text).await?;
    ///     assert_eq!(text, "oh no\n");
    ///     child.wait().await
    /// }).unwrap();
    /// ```
    pub fn stderr(&mut self, to: impl Into<Stdio>) -> &mut Self {
        self.inner.stderr(to);
        self
    }

    /// Makes the child the head of a process group of its own: [`Child::kill`] then ends its children too, and a Ctrl-C in the
    /// terminal does not reach it.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut shell = Command::new("sh");
    ///     let mut child = shell.args(["-c", "sleep 60 & wait"]).stdout(Stdio::piped()).process_group(true).spawn()?;
    ///     child.kill()?;
    ///     // The end comes when nobody has the pipe open any more: neither `sh` nor its `sleep`.
    ///     assert_eq!(child.stdout.take().unwrap().read(&mut [0; 8]).await?, 0);
    ///     child.wait().await
    /// }).unwrap();
    /// ```
    pub fn process_group(&mut self, own: bool) -> &mut Self {
        self.process_group = own;
        self
    }

    /// Kills the child (and its group, if it has its own) when the [`Child`] is dropped before it was waited for.
    /// The drop collects it: it returns when the child is gone.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sleep").arg("60").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    ///     let mut output = child.stdout.take().unwrap();
    ///     drop(child);
    ///     assert_eq!(output.read(&mut [0; 8]).await?, 0); // no minute later
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Self {
        self.kill_on_drop = kill;
        self
    }

    /// Starts the child.
    ///
    /// # Errors
    /// When the program cannot be started; the text names it.
    ///
    /// ```
    /// use runtime::process::Command;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
    ///     assert_eq!(child.wait().await?.code(), Some(3));
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn spawn(&mut self) -> io::Result<Child> {
        orphan::collect_ended();
        if self.process_group {
            self.inner.process_group(0);
            self.told_of_group = true;
        } else if self.told_of_group {
            // Ours: where it would be born anyway.
            self.inner.process_group(getpgrp().as_raw_nonzero().get());
        }
        let name = self.inner.get_program().to_owned();
        let mut inner = self
            .inner
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot start {}: {error}", name.display())))?;
        let id = inner.id();
        let (stdin, stdout, stderr) = (inner.stdin.take(), inner.stdout.take(), inner.stderr.take());
        // From here on a failure must not leave the child behind: it lives in its guard.
        let process = Reaped { inner, pid: pid_of(id), group: self.process_group, kill: true, over: false };
        let mut child = Child {
            stdin: stdin.map(ChildStdin::new).transpose()?,
            stdout: stdout.map(ChildStdout::new).transpose()?,
            stderr: stderr.map(ChildStderr::new).transpose()?,
            ended: Ended::of(process.pid)?,
            process,
        };
        child.process.kill = self.kill_on_drop;
        Ok(child)
    }

    /// Starts the child with no input, and gives all that it writes, once it has ended.
    ///
    /// # Errors
    /// As [`spawn`](Command::spawn) and [`wait`](Child::wait), and when reading its output fails.
    ///
    /// # Cancel safety
    /// Dropping the future kills the child, if [`kill_on_drop`](Command::kill_on_drop) says so; what it wrote is lost.
    ///
    /// ```
    /// use runtime::process::Command;
    /// let output = runtime::block_on(Command::new("sh").args(["-c", "echo fine; echo oh no >&2; exit 3"]).output()).unwrap();
    /// assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"fine\n"[..], &b"oh no\n"[..]));
    /// assert_eq!(output.status.code(), Some(3));
    /// ```
    pub async fn output(&mut self) -> io::Result<Output> {
        let mut child = self.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr) = crate::future::join(read_all(stdout), read_all(stderr)).await;
        Ok(Output { status: child.wait().await?, stdout: stdout?, stderr: stderr? })
    }
}

/// A pidfd becomes readable when its process has ended.
#[cfg(target_os = "linux")]
mod by_pidfd {
    use crate::AsyncFd;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::{io, os::fd::OwnedFd};

    /// Tells when a child has ended.
    #[derive(Debug)]
    pub(super) struct Ended(AsyncFd<OwnedFd>);

    impl Ended {
        pub(super) fn of(child: Pid) -> io::Result<Self> {
            Ok(Self(AsyncFd::new(pidfd_open(child, PidfdFlags::NONBLOCK)?)))
        }

        /// Waits until `look` finds that it has ended.
        pub(super) async fn wait<R>(&self, mut look: impl FnMut() -> io::Result<Option<R>>) -> io::Result<R> {
            self.0.read_with(|_| look()?.ok_or_else(|| io::ErrorKind::WouldBlock.into())).await
        }
    }
}

fn pid_of(id: u32) -> Pid {
    i32::try_from(id).ok().and_then(Pid::from_raw).expect("a child has a positive number")
}

async fn read_all(from: Option<ChildPipe>) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    if let Some(pipe) = from {
        let mut buffer = [0; 8192];
        loop {
            match std::future::poll_fn(|context| pipe.0.poll_read_bytes(context, &mut buffer)).await? {
                0 => break,
                length => all.extend_from_slice(&buffer[..length]),
            }
        }
    }
    Ok(all)
}

/// A child that was started. Its pipes are here if they were asked for with [`Stdio::piped`].
///
/// ```
/// use runtime::{process::Command, time::timeout};
/// use std::time::Duration;
/// runtime::block_on(async {
///     let mut child = Command::new("sleep").arg("60").spawn()?;
///     if timeout(Duration::from_millis(1), child.wait()).await.is_err() {
///         child.kill()?; // it has had its time
///     }
///     assert!(!child.wait().await?.success());
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct Child {
    /// Writes to the child.
    pub stdin: Option<ChildStdin>,
    /// Reads the child's output.
    pub stdout: Option<ChildStdout>,
    /// Reads the child's error output.
    pub stderr: Option<ChildStderr>,
    ended: Ended,
    process: Reaped,
}

impl Child {
    /// The number of the process.
    ///
    /// ```
    /// use futures_lite::AsyncReadExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sh").args(["-c", "echo $$"]).stdout(Stdio::piped()).spawn()?;
    ///     let mut says = String::new();
    ///     child.stdout.take().unwrap().read_to_string(&mut says).await?;
    ///     assert_eq!(says.trim().parse(), Ok(child.id()));
    ///     child.wait().await
    /// }).unwrap();
    /// ```
    pub fn id(&self) -> u32 {
        self.process.inner.id()
    }

    /// Waits until the child has ended. Closes [`stdin`](Child::stdin) first, lest both wait for each other.
    ///
    /// # Errors
    /// When there is no runtime to wait in (a simulated one knows no processes), or it ends meanwhile.
    ///
    /// # Cancel safety
    /// Nothing is lost, but the input is closed already.
    ///
    /// ```
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("cat").stdin(Stdio::piped()).spawn()?;
    ///     assert!(child.wait().await?.success()); // `cat` saw the end of its input
    ///     assert!(child.wait().await?.success()); // it may be asked again
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        let process = &mut self.process;
        let status = self.ended.wait(|| process.inner.try_wait()).await?;
        process.over = true;
        Ok(status)
    }

    /// Kills the child (and its group, if it has its own). It still has to be [waited for](Child::wait).
    ///
    /// # Errors
    /// When the system refuses. A child that has ended already is no error.
    ///
    /// ```
    /// use runtime::process::Command;
    /// use std::os::unix::process::ExitStatusExt;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("sleep").arg("60").spawn()?;
    ///     child.kill()?;
    ///     assert_eq!(child.wait().await?.signal(), Some(9));
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }
}

/// The process itself. Dropped, it is killed if that was asked for; if not, it lives on, and is collected when it ends.
#[derive(Debug)]
struct Reaped {
    inner: process::Child,
    pid: Pid,
    group: bool,
    kill: bool,
    over: bool,
}

impl Reaped {
    fn kill(&mut self) -> io::Result<()> {
        if self.over {
            return Ok(());
        }
        if self.group {
            // It fails if nobody is left in the group. The child itself may have moved to another one.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        // Its number cannot have been given to another: it was not waited for.
        match kill_process(self.pid, Signal::KILL) {
            // It has ended and only waits to be waited for.
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if self.kill {
            // Nothing survives SIGKILL for long; whom we were not allowed to kill, we do not wait for.
            if self.kill().is_ok() {
                let _ = self.inner.wait();
            }
        } else if let Ok(None) = self.inner.try_wait() {
            Orphan::new(self.pid).look_after();
        }
    }
}

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
    fn new(pipe: impl Into<pipe::Receiver>) -> io::Result<Self> {
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
    fn new(pipe: process::ChildStdin) -> io::Result<Self> {
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
