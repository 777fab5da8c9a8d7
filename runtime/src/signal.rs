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

use crate::{AsyncFd, stream::Stream};
use signal_hook::{SigId, consts, low_level};
use std::{
    io::{self, Read},
    os::unix::net::UnixStream,
    pin::Pin,
    task::{Context, Poll},
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

/// A signal that was asked for: to be received, or read as a stream, which has no end. Dropping it stops the listening, but does not bring the system's own reaction back.
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
        self.arrivals.read_with(take_all).await
    }
}

/// All that have arrived; they count as one.
fn take_all(mut arrivals: &UnixStream) -> io::Result<()> {
    let mut bytes = [0; 256];
    // The first may not be there yet. The rest of them, until it would block.
    let mut heard = arrivals.read(&mut bytes)?;
    while heard > 0 {
        heard = arrivals.read(&mut bytes).unwrap_or(0);
    }
    Ok(())
}

/// As [`recv`](Signal::recv), again and again. An error (outside a runtime) comes again each time.
///
/// ```
/// use runtime::{process::Command, signal, stream::StreamExt};
/// runtime::block_on(async {
///     let mut reloads = signal::hang_up()?.enumerate();
///     Command::new("sh").args(["-c", "kill -HUP $PPID"]).output().await?;
///     let (count, hung_up) = reloads.next().await.unwrap();
///     println!("reload number {count}");
///     hung_up
/// }).unwrap();
/// ```
impl Stream for Signal {
    type Item = io::Result<()>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<()>>> {
        self.arrivals.poll_read_with(context, take_all).map(Some)
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        low_level::unregister(self.handler);
    }
}
