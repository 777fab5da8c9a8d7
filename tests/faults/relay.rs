//! Something between a client and a server that passes bytes on, and breaks the connection at exactly the byte it is told.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::net::{TcpListener, TcpStream};
use runtime::{
    JoinHandle,
    time::{sleep, timeout},
};
use std::{
    io,
    net::{Shutdown, SocketAddr},
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

/// A relay to a server. Each connection has the next trouble of the list; when the list is over, connections are sound.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    passed: Arc<[AtomicU64; 2]>,
    task: JoinHandle<io::Result<()>>,
}

impl Relay {
    pub(crate) fn start(server: SocketAddr, troubles: Vec<Option<Trouble>>) -> Relay {
        let listener = TcpListener::bind("10.0.0.3:80").unwrap();
        let address = listener.local_addr().unwrap();
        let passed: Arc<[AtomicU64; 2]> = Arc::default();
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

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a connection has no more than its end before it.
enum Broken {
    Closed,
    Reset,
    Silent,
}

async fn relay(caller: TcpStream, server: SocketAddr, trouble: Option<Trouble>, passed: Arc<[AtomicU64; 2]>) {
    // A call can be lost for good.
    let Ok(Ok(callee)) = timeout(FOR_EVER, TcpStream::connect(server)).await else {
        return caller.reset().unwrap_or_default();
    };
    let pump = async |way: Way, from: &TcpStream, to: &TcpStream| {
        let trouble = trouble.filter(|trouble| trouble.way == way);
        pass_on(from, to, trouble, &passed[way as usize]).await
    };
    match runtime::try_join!(pump(Way::Up, &caller, &callee), pump(Way::Down, &callee, &caller)) {
        Ok(_) | Err(Broken::Closed) => {}
        Err(Broken::Reset) => [caller, callee].into_iter().for_each(|end| end.reset().unwrap_or_default()),
        Err(Broken::Silent) => sleep(FOR_EVER).await,
    }
}

/// Passes on what comes, until its end or the trouble.
async fn pass_on(
    mut from: &TcpStream,
    mut to: &TcpStream,
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
    let _ = to.shutdown(Shutdown::Write);
    while from.read(&mut buffer).await.map_err(|_| Broken::Reset)? > 0 {}
    Ok(())
}
