//! Something between a client and a server that passes bytes on, and breaks the connection at exactly the byte it is told.

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use netio::net::{DuplexStream, TcpListener, TcpStream, UnixStream};
use runtime::{
    JoinHandle,
    time::{sleep, timeout},
};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// A silence that everyone must have given up before it ends.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(3600);

/// An interruption that everyone must bear.
const MOMENT: Duration = Duration::from_secs(1);

/// A direction: `Up` to the server, `Down` to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Both ends see the end of the stream. (Or a reset, if the relay had something of theirs that it did not pass on.)
    Close,
    /// Both ends see a reset.
    Reset,
    /// The receiver of this direction sees its end; the other direction goes on.
    HalfClose,
    /// Nothing is taken or passed on in this direction any more, and nobody is told.
    Stall,
    /// The same in both directions.
    Silence,
    /// A second passes before the next byte.
    Pause,
    /// The next hundred bytes come one by one, a millisecond after each other.
    Drip,
}

impl Fault {
    pub(crate) const ALL: [Fault; 7] =
        [Fault::Close, Fault::Reset, Fault::HalfClose, Fault::Stall, Fault::Silence, Fault::Pause, Fault::Drip];

    /// Slow, but nothing is lost.
    pub(crate) fn is_harmless(self) -> bool {
        matches!(self, Fault::Pause | Fault::Drip)
    }

    /// Nobody is told.
    pub(crate) fn is_silent(self) -> bool {
        matches!(self, Fault::Stall | Fault::Silence)
    }
}

/// What happens, after how many bytes of which direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) way: Way,
    pub(crate) after: u64,
    pub(crate) fault: Fault,
}

/// How many bytes went each way, over all connections.
pub(crate) type Passed = Arc<[AtomicU64; 2]>;

/// A relay to a server. Each connection has the next trouble of the list; when the list is over, connections are sound.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    passed: Passed,
    task: JoinHandle<io::Result<()>>,
}

impl Relay {
    pub(crate) fn start(server: SocketAddr, troubles: Vec<Option<Trouble>>) -> Relay {
        let listener = TcpListener::bind("10.0.0.3:80").unwrap();
        let address = listener.local_addr().unwrap();
        let passed = Passed::default();
        let counts = passed.clone();
        let task = runtime::spawn(async move {
            let mut troubles = troubles.into_iter();
            loop {
                let Ok((caller, _)) = listener.accept().await else { continue };
                drop(runtime::spawn(relay(caller, server, troubles.next().flatten(), counts.clone())));
            }
        });
        Relay { address, passed, task }
    }

    /// How many bytes went this way, over all connections.
    pub(crate) fn passed(&self, way: Way) -> u64 {
        self.passed[way as usize].load(Relaxed)
    }
}

impl Relay {
    /// No connection comes any more.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Why a connection has no more than its end before it.
enum Broken {
    Closed,
    Reset,
    Silent,
}

async fn relay(caller: TcpStream, server: SocketAddr, trouble: Option<Trouble>, passed: Passed) {
    // A call can be lost for good.
    let Ok(Ok(callee)) = timeout(FOR_EVER, TcpStream::connect(server)).await else {
        return caller.reset().unwrap_or_default();
    };
    between(caller, callee, trouble, passed).await;
}

/// An end of a connection, of whatever kind.
pub(crate) trait End {
    /// Breaks the connection, so that the other end sees it, if there is such a thing.
    fn reset(self);
}

impl End for TcpStream {
    fn reset(self) {
        TcpStream::reset(self).unwrap_or_default();
    }
}

impl End for UnixStream {
    fn reset(self) {}
}

impl End for DuplexStream {
    fn reset(self) {}
}

/// Passes on what comes from either side, until both are done or the trouble comes.
pub(crate) async fn between<E: End>(caller: E, callee: E, trouble: Option<Trouble>, passed: Passed)
where
    for<'end> &'end E: AsyncRead + AsyncWrite + Unpin,
{
    let of = |way: Way| trouble.filter(|trouble| trouble.way == way);
    let up = pass_on(&caller, &callee, of(Way::Up), &passed[Way::Up as usize]);
    let down = pass_on(&callee, &caller, of(Way::Down), &passed[Way::Down as usize]);
    match runtime::try_join!(up, down) {
        Ok(_) | Err(Broken::Closed) => {}
        Err(Broken::Reset) => [caller, callee].into_iter().for_each(E::reset),
        Err(Broken::Silent) => sleep(FOR_EVER).await,
    }
}

/// Passes on what comes, until its end or the trouble.
async fn pass_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut trouble: Option<Trouble>,
    passed: &AtomicU64,
) -> Result<(), Broken> {
    let (mut buffer, mut count, mut drips) = ([0; 4096], 0, 0);
    loop {
        if let Some(Trouble { fault, .. }) = trouble.take_if(|trouble| trouble.after == count) {
            match fault {
                Fault::Close => return Err(Broken::Closed),
                Fault::Reset => return Err(Broken::Reset),
                Fault::Silence => return Err(Broken::Silent),
                Fault::Stall => {
                    sleep(FOR_EVER).await;
                    return Err(Broken::Closed);
                }
                Fault::HalfClose => break,
                Fault::Pause => sleep(MOMENT).await,
                Fault::Drip => drips = 100,
            }
        }
        let most = if drips > 0 { 1 } else { buffer.len() };
        let most = trouble.map_or(most, |trouble| most.min((trouble.after - count) as usize));
        let length = match from.read(&mut buffer[..most]).await {
            Ok(0) => break,
            Ok(length) => length,
            Err(_) => return Err(Broken::Reset),
        };
        if drips > 0 {
            drips -= 1;
            sleep(Duration::from_millis(1)).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
        count += length as u64;
        passed.fetch_add(length as u64, Relaxed);
    }
    // The receiver may be gone. What the sender still says is of no interest to anybody.
    let _ = to.close().await;
    while from.read(&mut buffer).await.map_err(|_| Broken::Reset)? > 0 {}
    Ok(())
}
