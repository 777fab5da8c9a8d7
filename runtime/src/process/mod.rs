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
mod child;
mod command;
mod orphan;
mod pipes;
#[cfg(all(test, not(miri)))]
mod tests;

#[cfg(target_os = "linux")]
use by_pidfd::Ended;
#[cfg(not(target_os = "linux"))]
use by_signal::Ended;

pub use child::Child;
pub use command::Command;
pub use pipes::{ChildPipe, ChildStderr, ChildStdin, ChildStdout};

use rustix::process::Pid;

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
