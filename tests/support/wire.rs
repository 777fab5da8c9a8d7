//! A peer that speaks in bytes, for tests of what is said on the wire.
//!
//! Everything runs on a virtual clock: a deadline costs no time, and a test that waits for ever is reported instead.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use netio::{
    http::{
        Request, Response,
        server::{Limits, Server},
    },
    net::TcpStream,
};
use runtime::{
    Backend, JoinHandle, Runtime,
    world::{self, Conditions},
};
use std::{future::Future, io, net::SocketAddr, time::Duration};

/// Runs a test with the system's sockets on a virtual clock, and then in simulated worlds where packets take no time.
pub fn run(test: impl AsyncFn()) {
    run_outside(test());
    in_worlds(test);
}

/// Runs a test with the system's sockets on a virtual clock, on each poller.
pub fn on_each_poller(test: impl AsyncFn()) {
    let pollers = [
        Backend::default(),
        #[cfg(feature = "polling")]
        Backend::Polling,
        #[cfg(feature = "polling")]
        Backend::PollingOneShot,
    ];
    for poller in pollers {
        Runtime::builder().virtual_clock().poller(poller).build().unwrap().block_on(test());
    }
}

/// Runs a test in simulated worlds where packets take no time.
pub fn in_worlds(test: impl AsyncFn()) {
    let loopback = || Conditions::default().latency(Duration::ZERO..Duration::ZERO).pieces(0.0);
    world::for_seeds(SEEDS, async || {
        world::current().unwrap().set_conditions(loopback());
        test().await;
    });
}

/// In how many worlds a test runs.
const SEEDS: u64 = 4;

/// Runs a test with the system's sockets on a virtual clock.
pub fn run_outside<T>(test: impl Future<Output = T>) -> T {
    Runtime::builder().virtual_clock().build().unwrap().block_on(test)
}

/// Starts a server; it ends with the runtime.
pub fn serve<F>(limits: Limits, handler: impl Fn(Request) -> F + Send + Sync + 'static) -> SocketAddr
where
    F: Future<Output = Response> + Send + 'static,
{
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
    let address = server.local_addr();
    drop::<JoinHandle<_>>(runtime::spawn(server.serve(handler)));
    address
}

/// One end of a connection.
pub struct Peer {
    /// The connection.
    pub stream: TcpStream,
    heard: Vec<u8>,
}

impl Peer {
    /// Connects to a server.
    pub async fn connect(address: SocketAddr) -> Peer {
        let stream = TcpStream::connect(address).await.unwrap();
        // The system would hold back small pieces for tens of real milliseconds: longer than a virtual clock waits.
        stream.set_nodelay(true).unwrap();
        stream.into()
    }

    /// Sends all of it.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends what the other end may not want to hear: it may have hung up meanwhile.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Reads once. Zero bytes are the end.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; 256 * 1024];
        let length = self.stream.read(&mut buffer).await?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Everything up to and with `mark`.
    pub async fn read_until(&mut self, mark: &str) -> String {
        loop {
            if let Some(found) = self.heard.windows(mark.len()).position(|window| window == mark.as_bytes()) {
                let rest = self.heard.split_off(found + mark.len());
                return String::from_utf8(std::mem::replace(&mut self.heard, rest)).unwrap();
            }
            let more = self.read().await.unwrap();
            assert!(!more.is_empty(), "the end came before {mark:?}; heard {:?}", String::from_utf8_lossy(&self.heard));
            self.heard.extend(more);
        }
    }

    /// The head of the next request; `None` at the end of the connection.
    pub async fn hear_head(&mut self) -> Option<String> {
        while !self.heard.windows(4).any(|end| end == b"\r\n\r\n") {
            let more = self.read().await.ok().filter(|more| !more.is_empty())?;
            self.heard.extend(more);
        }
        Some(self.read_until("\r\n\r\n").await)
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = std::mem::take(&mut self.heard);
        self.stream.read_to_end(&mut rest).await?;
        Ok(rest)
    }

    /// Everything up to the end of the connection, as messages.
    pub async fn messages(&mut self) -> Vec<Message> {
        messages(&self.rest().await.unwrap())
    }
}

impl From<TcpStream> for Peer {
    fn from(stream: TcpStream) -> Peer {
        Peer { stream, heard: Vec::new() }
    }
}

/// A response on the wire, read by other rules than ours: only `Content-Length` ends a body.
#[derive(Debug)]
pub struct Message {
    /// The number in the status line.
    pub status: u16,
    /// The head, with its empty line.
    pub head: String,
    /// The body.
    pub body: String,
}

/// Takes messages apart.
pub fn messages(mut wire: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while !wire.is_empty() {
        let end = wire.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
        let head = String::from_utf8(wire[..end].to_vec()).unwrap();
        let status = head.strip_prefix("HTTP/1.1 ").expect("a status line")[..3].parse().unwrap();
        let length =
            head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        let body = String::from_utf8(wire[end..end + length].to_vec()).unwrap();
        wire = &wire[end + length..];
        messages.push(Message { status, head, body });
    }
    messages
}

/// Runs the calling test again in a process of its own, where no other test opens descriptors; `true` there.
pub fn alone(test: &str) -> bool {
    const MARK: &str = "NETIO_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(MARK, "1").output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// How many descriptors this process has open.
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
