//! Thousands of callers that send a byte now and then, and never come to the end of a head; and one who wants to be served.

use crate::{
    full, latencies, one_at_a_time, percentile,
    process::{HEAD_TIME, Process, connections},
};
use runtime::{
    JoinHandle, spawn,
    time::{Instant, sleep},
};
use std::time::Duration;
use tests::wire::Peer;

/// A byte a second, until the server has enough. What it says then, and when.
async fn drip(mut peer: Peer) -> (String, Duration) {
    let start = Instant::now();
    for byte in "GET / HTTP/1.1\r\nHost: a\r\nX: ".bytes().chain(std::iter::repeat(b'x')) {
        if peer.try_send([byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
        if start.elapsed() > HEAD_TIME {
            break;
        }
    }
    let rest = peer.rest().await.unwrap_or_default();
    (String::from_utf8_lossy(&rest).into_owned(), start.elapsed())
}

#[test]
fn slow_callers_cost_others_nothing_and_are_cut_off() {
    let _turn = one_at_a_time();
    let count = connections(if full() { 2_000 } else { 1_000 });
    let server = Process::start();
    runtime::block_on(async {
        let address = server.address;
        let alone = latencies(address, 500).await;
        let descriptors = server.descriptors();
        for wave in 1..=if full() { 5 } else { 1 } {
            let mut slow: Vec<JoinHandle<_>> = Vec::with_capacity(count);
            for _ in 0..count {
                slow.push(spawn(drip(Peer::connect(address).await)));
            }
            let beside = latencies(address, 500).await;
            let held = server.descriptors() - descriptors;
            assert!(held >= count / 2, "only {held} of {count} slow callers were there to be measured");
            let figures = [&alone, &beside].map(|of| [percentile(of, 50), percentile(of, 99)]);
            println!("wave {wave}: p50 and p99 alone {:?}, beside {count} slow callers {:?}", figures[0], figures[1]);
            assert!(figures[1][0] <= 10 * figures[0][0] + Duration::from_millis(10), "half of the requests wait");
            assert!(figures[1][1] <= 20 * figures[0][1] + Duration::from_millis(200), "some requests wait");
            for caller in slow {
                let (said, after) = caller.await.unwrap();
                assert!(said.starts_with("HTTP/1.1 408 ") || said.is_empty(), "{said}");
                assert!(after < HEAD_TIME + Duration::from_secs(10), "it was heard for {after:?}");
            }
            server.returns_to(descriptors).await;
        }
    });
}
