//! A child that was started: waited for, killed, collected.

use super::{ChildPipe, ChildStderr, ChildStdin, ChildStdout, Ended, orphan::Orphan, pid_of};
use crate::future::join;
use futures_io::AsyncRead;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    process::{self, ExitStatus, Output},
};

/// A child that was started. Its pipes are here if they were asked for with [`Stdio::piped`](std::process::Stdio::piped).
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
    pub(super) fn new(mut child: process::Child, group: bool, kill_on_drop: bool) -> io::Result<Self> {
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // From here on a failure must not leave the child behind: it lives in its guard.
        let process = Reaped { pid: pid_of(child.id()), inner: child, group, kill: true, over: false };
        let mut child = Self {
            stdin: stdin.map(ChildStdin::new).transpose()?,
            stdout: stdout.map(ChildStdout::new).transpose()?,
            stderr: stderr.map(ChildStderr::new).transpose()?,
            ended: Ended::of(process.pid)?,
            process,
        };
        child.process.kill = kill_on_drop;
        Ok(child)
    }

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

    /// Waits until the child has ended, and gives all that it wrote to its pipes. Closes [`stdin`](Child::stdin) first.
    ///
    /// # Errors
    /// As [`wait`](Child::wait), and when reading its output fails.
    ///
    /// # Cancel safety
    /// The child goes with the future: it is killed, if [`kill_on_drop`](super::Command::kill_on_drop) says so; what
    /// it wrote is lost.
    ///
    /// ```
    /// use futures_lite::AsyncWriteExt;
    /// use runtime::process::Command;
    /// use std::process::Stdio;
    /// runtime::block_on(async {
    ///     let mut child = Command::new("wc").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    ///     child.stdin.take().unwrap().write_all(b"hello").await?;
    ///     assert_eq!(child.wait_with_output().await?.stdout.trim_ascii(), b"5");
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (stdout, stderr) = join(read_all(stdout), read_all(stderr)).await;
        Ok(Output { status: self.wait().await?, stdout: stdout?, stderr: stderr? })
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

async fn read_all(from: Option<ChildPipe>) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    if let Some(mut pipe) = from {
        let mut buffer = [0; 8192];
        loop {
            match poll_fn(|context| Pin::new(&mut pipe).poll_read(context, &mut buffer)).await? {
                0 => break,
                length => all.extend_from_slice(&buffer[..length]),
            }
        }
    }
    Ok(all)
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
