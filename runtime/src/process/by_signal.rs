//! Where a process has no descriptor: SIGCHLD says that *some* child has ended, and each one that is waited for is looked at.

use crate::AsyncFd;
use rustix::process::Pid;
use signal_hook::{SigId, consts::SIGCHLD, low_level};
use std::{
    io::{self, Read},
    os::unix::net::UnixStream,
};

/// Tells when a child may have ended.
#[derive(Debug)]
pub(super) struct Ended {
    signals: AsyncFd<UnixStream>,
    handler: SigId,
}

impl Ended {
    pub(super) fn of(_: Pid) -> io::Result<Self> {
        let (signals, from_handler) = UnixStream::pair()?;
        signals.set_nonblocking(true)?;
        let handler = low_level::pipe::register(SIGCHLD, from_handler)?;
        Ok(Self { signals: AsyncFd::new(signals), handler })
    }

    /// Waits until `look` finds that it has ended.
    pub(super) async fn wait<R>(&self, mut look: impl FnMut() -> io::Result<Option<R>>) -> io::Result<R> {
        let mut bytes = [0; 64];
        self.signals
            .read_with(|mut signals| {
                // Take the signals, then look: a child that ends after the look sends another.
                while matches!(signals.read(&mut bytes), Ok(1..)) {}
                look()?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
            })
            .await
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        low_level::unregister(self.handler);
    }
}
