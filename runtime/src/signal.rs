//! Signals as something to wait for: the handler writes a byte to a socket, and the reactor does the rest.

use crate::AsyncFd;
use signal_hook::{SigId, consts, low_level};
use std::{
    io::{self, Read},
    os::unix::net::UnixStream,
};

/// Ctrl-C (SIGINT). From now on it no longer ends the process: that is up to whoever waits.
///
/// # Errors
/// When the system refuses the socket pair or the handler.
///
/// ```no_run
/// runtime::block_on(async {
///     let mut ctrl_c = runtime::signal::ctrl_c()?;
///     ctrl_c.recv().await?;
///     println!("stopping");
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
pub fn ctrl_c() -> io::Result<Signal> {
    Signal::new(consts::SIGINT)
}

/// SIGTERM, as `kill` and service managers send it.
///
/// # Errors
/// As [`ctrl_c`].
pub fn terminate() -> io::Result<Signal> {
    Signal::new(consts::SIGTERM)
}

/// SIGHUP: the terminal was closed.
///
/// # Errors
/// As [`ctrl_c`].
pub fn hang_up() -> io::Result<Signal> {
    Signal::new(consts::SIGHUP)
}

/// A signal that was asked for. Dropping it stops the listening, but does not bring the system's own reaction back.
#[derive(Debug)]
pub struct Signal {
    arrivals: AsyncFd<UnixStream>,
    handler: SigId,
}

impl Signal {
    fn new(number: i32) -> io::Result<Self> {
        let (arrivals, from_handler) = UnixStream::pair()?;
        arrivals.set_nonblocking(true)?;
        // signal-hook writes one byte in the handler, and lets it go if the buffer is full: then enough lie there already.
        let handler = low_level::pipe::register(number, from_handler)?;
        Ok(Self { arrivals: AsyncFd::new(arrivals), handler })
    }

    /// Waits for the signal. Signals that came since the last call count as one.
    ///
    /// # Errors
    /// When the runtime ends meanwhile.
    ///
    /// # Cancel safety
    /// A signal that was not yet reported is kept.
    pub async fn recv(&mut self) -> io::Result<()> {
        let mut bytes = [0; 256];
        self.arrivals.read_with(|mut arrivals| arrivals.read(&mut bytes)).await?;
        // The rest of them, until it would block.
        while matches!(self.arrivals.get_ref().read(&mut bytes), Ok(1..)) {}
        Ok(())
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        low_level::unregister(self.handler);
    }
}
