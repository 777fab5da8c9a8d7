//! Signals as something to wait for: the handler writes a byte to a socket, and the reactor does the rest.
//!
//! ```
//! use runtime::{future::{Either, race}, signal};
//! runtime::block_on(async {
//!     let (mut ctrl_c, mut terminate) = (signal::ctrl_c()?, signal::terminate()?);
//!     # runtime::process::Command::new("sh").args(["-c", "kill -TERM $PPID"]).output().await?;
//!     let why = match race(ctrl_c.recv(), terminate.recv()).await {
//!         Either::Left(_) => "somebody at the keyboard",
//!         Either::Right(_) => "the service manager",
//!     };
//!     println!("{why} wants this to end");
//!     # assert_eq!(why, "the service manager");
//!     std::io::Result::Ok(())
//! }).unwrap();
//! ```

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
/// ```
/// runtime::block_on(async {
///     let mut ctrl_c = runtime::signal::ctrl_c()?;
/// #     runtime::process::Command::new("sh").args(["-c", "kill -INT $PPID"]).output().await?;
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
///
/// ```
/// use runtime::process::Command;
/// runtime::block_on(async {
///     let mut terminate = runtime::signal::terminate()?;
///     Command::new("sh").args(["-c", "kill -TERM $PPID"]).output().await?;
///     terminate.recv().await // we live on
/// }).unwrap();
/// ```
pub fn terminate() -> io::Result<Signal> {
    Signal::new(consts::SIGTERM)
}

/// SIGHUP: the terminal was closed.
///
/// # Errors
/// As [`ctrl_c`].
///
/// ```
/// use runtime::process::Command;
/// runtime::block_on(async {
///     let mut reload = runtime::signal::hang_up()?;
///     Command::new("sh").args(["-c", "kill -HUP $PPID"]).output().await?;
///     reload.recv().await
/// }).unwrap();
/// ```
pub fn hang_up() -> io::Result<Signal> {
    Signal::new(consts::SIGHUP)
}

/// A signal that was asked for. Dropping it stops the listening, but does not bring the system's own reaction back.
///
/// ```
/// use runtime::{process::Command, signal};
/// runtime::block_on(async {
///     let (mut one, mut other) = (signal::terminate()?, signal::terminate()?);
///     Command::new("sh").args(["-c", "kill -TERM $PPID"]).output().await?;
///     one.recv().await?;
///     other.recv().await // everybody who asked hears it
/// }).unwrap();
/// ```
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
    /// When there is no runtime to wait in (a simulated one knows no signals), or it ends meanwhile.
    ///
    /// # Cancel safety
    /// A signal that was not yet reported is kept.
    ///
    /// ```
    /// use runtime::{process::Command, signal, time::timeout};
    /// use std::time::Duration;
    /// runtime::block_on(async {
    ///     let mut hang_up = signal::hang_up()?;
    ///     Command::new("sh").args(["-c", "kill -HUP $PPID"]).output().await?;
    ///     hang_up.recv().await?;
    ///     assert!(timeout(Duration::from_millis(1), hang_up.recv()).await.is_err()); // there was but one
    ///     std::io::Result::Ok(())
    /// }).unwrap();
    /// ```
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
