//! Real load on a server in a process of its own, over real sockets in real time: many busy connections, very many idle ones,
//! and thousands of callers that send a byte a second while somebody else wants to be served.
//!
//! By default the numbers are such that CI has time for them; `LOAD=full` takes the real ones. What a machine's limits do not
//! allow is made smaller, and that is printed.

mod busy;
mod idle;
mod process;
mod slow;
mod storm;

use netio::http::client::Client;
use runtime::time::Instant;
use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tests::wire::Peer;

/// Whether there is time for the real numbers.
fn full() -> bool {
    std::env::var_os("LOAD").is_some_and(|value| value == "full")
}

/// One test at a time: they measure.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long an honest client's requests take, sorted: one after the other, on one kept connection.
async fn latencies(address: SocketAddr, count: usize) -> Vec<Duration> {
    let client = Client::new();
    let mut latencies = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        let answer = client.get(format!("http://{address}/")).await.expect("an honest client is served");
        assert_eq!(answer.text().await.expect("its answer is whole"), "hello");
        latencies.push(start.elapsed());
    }
    latencies.sort();
    latencies
}

/// The latency that so many in a hundred do not exceed.
fn percentile(latencies: &[Duration], hundredths: usize) -> Duration {
    latencies[(latencies.len() * hundredths / 100).min(latencies.len() - 1)]
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A request on a kept connection, and its answer.
async fn ask(peer: &mut Peer) {
    peer.send(REQUEST).await;
    let answer = peer.read_until("\r\n\r\nhello").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}
